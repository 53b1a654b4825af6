"""The ratios that are asked for, and whether a session met them."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any, Literal

from benchmarks.speed.case import Case
from benchmarks.speed.results import Results
from benchmarks.speed.sizes import EACH, LENGTHS, MILLION, ROWS, STEPS, TOKENS


@dataclass(frozen=True, kw_only=True)
class Target:
    """One number that is asked for."""

    what: str
    wanted: float
    of: Callable[[Results], float]
    sense: Literal["at least", "at most"] = "at least"
    unit: str = "x"

    def judge(self, results: Results) -> Verdict:
        """Whether the session met it."""
        found = self.of(results)
        met = None if math.isnan(found) else found >= self.wanted if self.sense == "at least" else found <= self.wanted
        return Verdict(
            what=self.what, wanted=self.wanted, sense=self.sense, unit=self.unit, found=None if math.isnan(found) else found, met=met
        )


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """A target and what was found; None where it was not measured."""

    what: str
    wanted: float
    sense: str
    unit: str
    found: float | None
    met: bool | None

    def to_json(self) -> dict[str, Any]:
        """Its fields, rounded to what repeats."""
        return {**vars(self), "found": None if self.found is None else float(f"{self.found:.4g}")}


def _faster(what: str, case: Case, wanted: float) -> Target:
    return Target(what=f"{what}, faster", wanted=wanted, of=lambda r: r.ratio(case))


def _smaller(what: str, case: Case, wanted: float) -> Target:
    return Target(what=f"{what}, less memory", wanted=wanted, of=lambda r: r.ratio(case, "peak_mb"))


def _kernels() -> Iterator[Target]:
    for row, name in (("s4d-lin", "S4D"), ("dss-exp", "DSS")):
        for L, time, memory in ((1024, 20, 10), (4096, 35, 20), (16384, 100, 40)):
            case = Case(kind="kernel", row=row, L=L)
            yield _faster(f"{name} kernel, L = {L:,}", case, time)
            yield _smaller(f"{name} kernel, L = {L:,}", case, memory)
    for L, time in ((1024, 15), (4096, 30)):
        yield _faster(f"S4 kernel, L = {L:,}", Case(kind="kernel", row="s4", L=L), time)
    for row, name, time in (("hope-circular", "HOPE, circular spectrum", 20), ("hope", "HOPE, causal kernel", 10)):
        case = Case(kind="kernel", row=row, L=2048)
        yield _faster(f"{name}, L = 2,048", case, time)
        yield _smaller(f"{name}, L = 2,048", case, 20)


def _steps() -> Iterator[Target]:
    def slowest(s4d: Case) -> Callable[[Results], float]:
        return lambda r: worst([r.get(replace(s4d, row=row)) for row in ROWS]) / r.get(s4d)

    for (B, L), wanted in zip(STEPS, (3, 10, 25), strict=True):
        case = Case(kind="step", row="s4d-lin", B=B, L=L, layers=4)
        yield _faster(f"S4D training step, {B} x {L:,}", case, wanted)
        yield Target(what=f"slowest row over S4D, training step, {B} x {L:,}", wanted=2, of=slowest(case), sense="at most")


def _million() -> Target:
    return Target(
        what="a million steps, one layer, peak memory",
        wanted=4000,
        of=lambda r: worst([r.get(replace(MILLION, row=row), "peak_mb") for row in EACH]),
        sense="at most",
        unit="MB",
    )


def worst(values: list[float]) -> float:
    """The largest; nan where one of them is not known."""
    return math.nan if any(map(math.isnan, values)) else max(values)


def slope(points: list[tuple[float, float]]) -> float:
    """The exponent p of y ~ x^p that fits the points best on log-log axes; nan for less than two."""
    logs = [(math.log(x), math.log(y)) for x, y in points if x > 0 and y > 0]
    if len(logs) < 2:
        return math.nan
    mx, my = (sum(v) / len(logs) for v in zip(*logs))
    spread = sum((x - mx) ** 2 for x, _ in logs)
    return sum((x - mx) * (y - my) for x, y in logs) / spread if spread else math.nan


def _recurrent() -> Iterator[Target]:
    for row in ("s4d-lin", "dss-exp", "s4", "hope"):
        cases = [Case(kind="recurrent", row=row, B=16, L=1024, N=N) for N in (64, 128, 256, 512)]
        of = lambda r, cases=cases: slope([(c.N, r.get(c)) for c in cases if not math.isnan(r.get(c))])
        yield Target(what=f"{row}, time of a recurrent step against N, exponent", wanted=1.1, of=of, sense="at most", unit="")


def _layers() -> Iterator[Target]:
    """On a GPU, against the textbook layer at the same precision, in which kernel and transforms are in float32."""
    for precision in ("fp32", "bf16"):
        for L in LENGTHS[1:]:
            case = Case(kind="layer", row="s4d-lin", B=max(1, TOKENS // L), L=L, precision=precision)
            yield _faster(f"S4D layer, L = {L:,}, {precision}", case, 2)


def targets(device: str) -> list[Target]:
    """Those that are asked for on this device."""
    return [*_kernels(), *_steps(), _million(), *_recurrent(), *(_layers() if device == "cuda" else ())]
