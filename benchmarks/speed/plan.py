"""Which cases are measured, and what each is expected to cost."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final, Literal

from benchmarks.speed.case import OURS, TEXTBOOK, Case, Kind
from benchmarks.speed.public import beside, installed
from benchmarks.speed.sizes import EACH, LENGTHS, MILLION, ROWS, STATES, STEPS, SWEPT, TOKENS, WIDTHS, compared
from benchmarks.speed.textbook import KERNELS

WITH_KERNEL: Final = tuple(row for row in ROWS if row in KERNELS)


@dataclass(frozen=True)
class Group:
    """Cases that are measured side by side, a run of each in turn, so that what disturbs one disturbs all."""

    title: str
    cases: tuple[Case, ...]
    last: bool = False
    """Measured when all others are: worth having and worth no target."""

    @property
    def seconds(self) -> float:
        """Expected for a warm-up and five runs of each case on two quiet cores."""
        return 6 * sum(map(expected_seconds, self.cases))


# ------------------------------------------------------------------------------------------------- cost

SECONDS: Final[Mapping[str, float]] = {"s4": 6.4e-8, "dss-softmax": 2.8e-8, "hope-circular": 3.6e-8, "hope": 3.6e-8}
"""Of a textbook kernel, forward and backward, for one of the H N L numbers that it writes out; the others 2.3e-8."""
BYTES: Final[Mapping[str, float]] = {"s4": 85.0, "hope-circular": 33.0, "hope": 33.0}
"""Held at the peak for each of them; the others 17."""


AROUND: Final[Mapping[Kind, float]] = {
    "kernel": 0.0, "convolution": 2.4e-8, "forward": 3e-8, "layer": 6e-8, "step": 6e-8, "recurrent": 0.0, "scan": 1e-7, "engine": 4e-8,
}  # fmt: skip
"""Seconds of a layer without its kernel, for each of its B H L activations."""


def expected_seconds(case: Case) -> float:
    """Of one run on two cores: rough, and only to know when to stop."""
    written_out = (
        SECONDS.get(case.row, 2.3e-8) * case.H * (case.N or 64) * case.L if case.row in KERNELS else 4e-8 * case.B * case.L * case.H
    )
    kernel = (written_out if case.by == TEXTBOOK else 0.01 + written_out / 20) / (3 if case.kind == "forward" else 1)
    around = AROUND[case.kind] * case.B * case.L * case.H
    return 0.1 if case.kind == "recurrent" else case.layers * ((0.0 if case.kind in ("convolution", "scan") else kernel) + around)


def expected_mb(case: Case) -> float:
    """The peak of one run."""
    textbook = case.by == TEXTBOOK and case.row in KERNELS and case.kind not in ("convolution", "scan")
    kernel = BYTES.get(case.row, 17.0) * case.H * (case.N or 64) * case.L if textbook else 0.0
    return case.layers * (kernel + 80.0 * case.B * case.L * case.H) / 1e6


# ------------------------------------------------------------------------------------------------- groups


def _both(cases: Sequence[Case], textbook: Sequence[str]) -> tuple[Case, ...]:
    """Ours, and the textbook code of these rows."""
    others = [replace(c, by=TEXTBOOK) for c in cases if c.row in textbook]
    return (*cases, *others)


def _kernels(L: int, rows: Sequence[str], textbook: Sequence[str], *, H: int = 128, N: int | None = None, last: bool = False) -> Group:
    sizes = f"L = {L:,}" + (f", H = {H}" if H != 128 else "") + (f", N = {N}" if N is not None else "")
    return Group(f"kernels, {sizes}", _both([Case(kind="kernel", row=row, L=L, H=H, N=N) for row in rows], textbook), last)


ALGORITHMS: Final = ("s4", "dss-exp", "dss-softmax", "s4d-lin", "hope-circular")
"""Rows whose textbook code is timed."""


def kernels() -> Iterator[Group]:
    """Kernels against L, H and N. The textbook code of S4 and HOPE is not run where it would hold more than ten gigabytes."""
    for L in LENGTHS:
        few = {16384: ("dss-exp", "s4d-lin", "hope-circular"), 65536: ()}.get(L, ALGORITHMS)
        yield _kernels(L, WITH_KERNEL, few)
    yield _kernels(2048, ("hope", "hope-circular"), ("hope-circular",))
    for H in WIDTHS:
        if H != 128:
            yield _kernels(1024, SWEPT, ("s4d-lin", "s4", "hope-circular"), H=H)
    for N in STATES:
        if N != 64:
            yield _kernels(1024, SWEPT, ("s4d-lin", "s4", "hope-circular"), N=N)
    yield _kernels(MILLION.L, ("s4d-lin", "s4", "hope"), (), last=True)
    yield Group("textbook kernel, L = 65,536", (Case(kind="kernel", row="s4d-lin", L=65536, by=TEXTBOOK),), last=True)


def convolutions() -> Iterator[Group]:
    """Convolutions with given kernels, equally many tokens at every L."""
    for L in LENGTHS:
        case = Case(kind="convolution", row="fft", B=max(1, TOKENS // L), L=L)
        yield Group(f"convolution, {case.B} x {L:,}", _both([case], ("fft",)))


def scans() -> Iterator[Group]:
    """Scans of 128 modes, equally many tokens at every L."""
    for L in LENGTHS:
        case = Case(kind="scan", row="scan", B=max(1, TOKENS // L), L=L)
        yield Group(f"scan, {case.B} x {L:,}", _both([case], ("scan",)))


def layers(precisions: Sequence[Literal["fp32", "bf16"]] = ("fp32",), textbook_to: int = 4096) -> Iterator[Group]:
    """One layer, equally many tokens at every L; the textbook code up to a length."""
    for precision in precisions:
        for L in LENGTHS:
            B = max(1, TOKENS // L)
            cases = [Case(kind="layer", row=row, B=B, L=L, precision=precision) for row in ROWS]
            yield Group(
                f"layer, {B} x {L:,}, {precision}",
                _both(cases, ("s4", "s4d-lin", "hope-circular", "lru") if textbook_to >= L else ("lru",)),
            )


def steps() -> Iterator[Group]:
    """Training steps of four layers of 128; the textbook code where it ends in time."""
    few = {1024: ("s4d-lin", "s4", "hope-circular", "lru"), 4096: ("s4d-lin", "hope-circular", "lru"), 16384: ("s4d-lin", "lru")}
    for B, L in STEPS:
        yield Group(f"training step, {B} x {L:,}", _both([Case(kind="step", row=row, B=B, L=L, layers=4) for row in ROWS], few[L]))


def recurrences() -> Iterator[Group]:
    """Step mode of four layers of 128, one sequence and 64; and one layer against N."""
    rows = [row for row in ROWS if row != "hope-circular"]
    for B in (1, 64):
        yield Group(f"step mode, {B} at a time", tuple(Case(kind="recurrent", row=row, B=B, L=1024, layers=4) for row in rows))
    for N in (64, 128, 256, 512):
        yield Group(f"step mode, N = {N}", tuple(Case(kind="recurrent", row=row, B=16, L=1024, N=N) for row in EACH if row in rows))


ENGINE_SIZES: Final = (
    (1, 128, 64, 64), (64, 128, 64, 64), (64, 64, 64, 256), (16, 128, 64, 256), (1, 512, 64, 1024), (16, 128, 16, 1024),
    (16, 128, 64, 1024), (16, 128, 256, 1024), (50, 32, 64, 1024), (1, 32, 64, 4096), (4, 128, 64, 4096), (1, 128, 64, 16384),
    (1, 16, 64, 65536),
)  # fmt: skip
"""(B, H, N, L) at which engines are compared."""
ENGINES_OF: Final = {"s4d-lin": ("fft", "chunked"), "s4": ("fft", "chunked"), "lru": ("scan", "sequential")}
"""One row of each form of state, and what can compute it."""


def engines() -> Iterator[Group]:
    """The ways to compute a layer, side by side."""
    for B, H, N, L in ENGINE_SIZES:
        cases = [
            Case(kind="engine", row=row, B=B, H=H, N=N, L=L, engine=engine) for row, able in ENGINES_OF.items() for engine in able
            if not (engine == "sequential" and L > 4096)
        ]  # fmt: skip
        yield Group(f"engines, B = {B}, H = {H}, N = {N}, L = {L:,}", tuple(cases))


def million() -> Group:
    """2^20 steps through one layer of 16 channels."""
    return Group("a million steps, forward", tuple(replace(MILLION, row=row) for row in EACH))


def in_order(groups: Sequence[Group]) -> tuple[Group, ...]:
    """The cheap ones first, so that what a clock cuts off is what is dearest."""
    return tuple(sorted(groups, key=lambda g: (g.last, g.seconds)))


def with_packages(groups: Sequence[Group], device: str) -> tuple[Group, ...]:
    """The groups in order, with what is installed of others' code."""
    here = tuple(installed())
    return in_order([replace(g, cases=(*g.cases, *beside([c for c in g.cases if c.by == OURS], device, here))) for g in groups])


def full_plan(device: str) -> tuple[Group, ...]:
    """Everything."""
    around = layers(("fp32", "bf16"), 65536) if device == "cuda" else layers()
    return with_packages([*kernels(), *convolutions(), *scans(), *around, *steps(), *recurrences(), *engines(), million()], device)


def short_plan(device: str) -> tuple[Group, ...]:
    """One or two sizes of each kind of work: a minute or two on two cores, seconds on a GPU."""
    rows = ("s4", "dss-exp", "s4d-lin", "hope", "hope-circular")
    groups = [_kernels(L, rows, ("s4", "dss-exp", "s4d-lin", "hope-circular")) for L in (1024, 2048)]
    groups += [Group("convolution, 16 x 1,024", _both([Case(kind="convolution", row="fft", B=16, L=1024)], ("fft",)))]
    precisions: Sequence[Literal["fp32", "bf16"]] = ("fp32", "bf16") if device == "cuda" else ("fp32",)
    groups += [
        Group(f"layer, 16 x 1,024, {p}", _both([Case(kind="layer", row=r, B=16, L=1024, precision=p) for r in rows], ("s4d-lin",)))
        for p in precisions
    ]
    groups += [Group("training step, 16 x 1,024", _both([Case(kind="step", row=r, B=16, L=1024, layers=4) for r in rows], ("s4d-lin",)))]
    groups += [
        Group("step mode, 1 at a time", tuple(Case(kind="recurrent", row=r, L=1024, layers=4) for r in rows if r != "hope-circular"))
    ]
    return with_packages(groups, device)


def choose_groups(device: str, rows: Sequence[str], kinds: Sequence[str], *, short: bool) -> tuple[Group, ...]:
    """The groups of the full or the short plan with their cases of these rows and kinds, and the textbook code beside them; convolutions
    and scans are of no row."""
    wanted = {*rows, *map(compared, rows), "fft", "scan"}
    keep = lambda c: c.kind in kinds and c.row in wanted and (c.row in rows or c.row in ("fft", "scan") or c.by == TEXTBOOK)
    groups = [replace(g, cases=tuple(filter(keep, g.cases))) for g in (short_plan(device) if short else full_plan(device))]
    return tuple(g for g in groups if g.cases)
