"""How fast the layers are: targets, and times, ratios and memory against L, H and N, of one session of `python -m benchmarks.speed`."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import pandas as pd

from benchmarks.speed.case import OURS, STEPPED, TEXTBOOK, Case, Kind
from benchmarks.speed.record import Session
from benchmarks.speed.results import Results, floor_bytes
from benchmarks.speed.sizes import LENGTHS, MILLION, ROWS, STEPS, TOKENS
from benchmarks.speed.targets import slope
from reports.parts.report import Plot, Section
from reports.parts.table import HOLE, Table
from reports.sections.speed_curves import draw_curves


@dataclass(frozen=True)
class Shown:
    """A session, and what its tables and figures are called."""

    session: Session
    name: str
    where: str
    """ "", or " (cuda)" where a page shows several devices."""

    @property
    def results(self) -> Results:
        """Its timings."""
        return Results.from_json(self.session.results)


def compose_speed(shown: Shown) -> list[Section]:
    """Everything that one session measured, and the targets first."""
    sections = [_targets(shown), _kernels(shown), _layers(shown), _steps(shown), _recurrent(shown), _engines(shown), _left_out(shown)]
    return [section for section in sections if section is not None]


# ------------------------------------------------------------------------------------------------- words and cells


def ms(value: float) -> str:
    """Milliseconds in three digits; seconds from ten thousand on."""
    if math.isnan(value):
        return HOLE
    if value >= 1e4:
        return f"{value / 1e3:.3g} s"
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def megabytes(value: float) -> str:
    """10^6 bytes, whole from ten on."""
    return HOLE if math.isnan(value) else f"{value:,.0f}" if value >= 10 else f"{value:.1f}"


def times(value: float) -> str:
    """A ratio in at most three digits."""
    return HOLE if math.isnan(value) else f"{value:.0f}x" if value >= 9.95 else f"{value:.1f}x"


def table(
    name: str, title: str, caption: str, rows: Sequence[Mapping[str, str]], numbers: Sequence[Mapping[str, Any]], left: tuple[str, ...]
) -> Table:
    """A table without marks."""
    cells = pd.DataFrame(rows, dtype=object).fillna(HOLE)
    return Table(
        name=name, title=title, caption=caption, cells=cells, marks=cells.map(lambda _: ""), numbers=pd.DataFrame(numbers), left=left
    )


def _measured(results: Results, cases: Iterable[Case]) -> list[Case]:
    return [case for case in cases if case in results.found]


Columns = Mapping[str, Callable[[str], Case]]
"""Head of a column -> the case of a row."""


def _case_of(kind: Kind, B: int, L: int, precision: Literal["fp32", "bf16"] = "fp32", layers: int = 1) -> Callable[[str], Case]:
    return lambda row: Case(kind=kind, row=row, B=B, L=L, precision=precision, layers=layers)


def _given_case(B: int, L: int) -> Callable[[str], Case]:
    return lambda row: Case(kind=GIVEN[row], row=row, B=B, L=L)


def _grid(
    shown: Shown, name: str, title: str, caption: str, columns: Columns, *, rows: Sequence[str] = ROWS, what: str = "ms"
) -> list[Table]:
    """A line per row, a column per size: the time ("ms") or memory ("peak_mb"), and in brackets its ratio to the textbook's, where that was
    measured. No table where nothing was."""
    results, lines, numbers = shown.results, [], []
    for row in rows:
        cases = {head: case(row) for head, case in columns.items()}
        if not any(case in results.found for case in cases.values()):
            continue
        cells = {head: _cell(results.get(case, what), results.ratio(case, what), what) for head, case in cases.items()}
        lines.append({"row": row, **cells})
        numbers += [{**c.to_json(), **results.found.get(c, {}), "textbook_over_ours": results.ratio(c, what)} for c in cases.values()]
    return [table(f"{shown.name}-{name}", title + shown.where, caption, lines, numbers, ("row",))] if lines else []


def _cell(value: float, ratio: float, what: str) -> str:
    if what == "ms":
        return ms(value) + (f" ({times(ratio)})" if not math.isnan(ratio) else "")
    return megabytes(value) + (f" (1/{times(ratio)[:-1]})" if not math.isnan(ratio) else "")


MEMORY = (
    "The most that tensors hold at a time during one run, over what was there before (10^6 bytes), as torch's allocator counts it. In "
    "brackets the part that this is of the textbook code's; a dash: not measured."
)
SIDE = "In brackets the textbook code's time over ours, a run of each in turn; a dash: not measured."


# ------------------------------------------------------------------------------------------------- sections


def _targets(shown: Shown) -> Section | None:
    judged = shown.session.targets
    if not judged:
        return None
    verdict = {True: "met", False: "not met", None: "not measured"}
    digits = lambda v, unit: HOLE if v is None else f"{v:,.0f} MB" if unit == "MB" else f"{v:.3g}{unit}"
    rows = [
        {"target": t["what"], "asked": f"{'≥' if t['sense'] == 'at least' else '≤'} {digits(t['wanted'], t['unit'])}"}
        | {"found": digits(t["found"], t["unit"]), "verdict": verdict[t["met"]]}
        for t in judged
    ]
    caption = "faster: time of the textbook code over ours. less memory: the same of the most that tensors hold at a time."
    caption += "".join(_bound(shown.results, B, L) for B, L in STEPS)
    tabled = table(f"{shown.name}-targets", "Targets" + shown.where, caption, rows, judged, ("target", "verdict"))
    words = tuple(
        f"{a['row']} kernel over convolution, memory {a['allocation']}: {a['ratio']:.2f} here, {a['published']:.2f} of the public code; "
        f"{'within' if a['holds'] else 'not within'} a quarter. Ours is {times(a['faster'])} faster there."
        for a in shown.session.anchors
    )
    return Section(name=f"{shown.name}-targets", title="Targets" + shown.where, text=words, parts=(tabled,))


def _bound(results: Results, B: int, L: int) -> str:
    """What kernels have to do with the ratio of a training step: a sentence, or nothing where it was not measured."""
    layers = 4
    step = Case(kind="step", row="s4d-lin", B=B, L=L, layers=layers)
    parts = (Case(kind="kernel", row="s4d-lin", L=L), Case(kind="convolution", row="fft", B=B, L=L))
    whole, ratio, (kernels, convolutions) = results.get(step), results.ratio(step), (layers * results.get(part) for part in parts)
    if any(map(math.isnan, (whole, ratio, kernels, convolutions))) or kernels >= whole:
        return ""
    return (
        f" Of S4D's training step {B} x {L:,}, kernels are {kernels / whole:.0%} and convolutions {convolutions / whole:.0%}: with kernels "
        f"that cost nothing it would be {times(ratio * whole / (whole - kernels))} faster than the textbook's."
    )


def _kernels(shown: Shown) -> Section | None:
    columns: Columns = {f"L = {L:,}": _case_of("kernel", 1, L) for L in LENGTHS}
    words = f"Forward and backward, H = 128, N = 64; medians. {SIDE}"
    tables = _grid(shown, "kernels", "Kernels, ms", words, columns) + _grid(
        shown, "memory", "Memory of kernels, MB", MEMORY, columns, what="peak_mb"
    )
    return Section(name=f"{shown.name}-kernels", title="Kernels" + shown.where, parts=(_curves(shown), *tables)) if tables else None


def _curves(shown: Shown) -> Plot:
    return Plot(
        name=f"{shown.name}-curves",
        title="Time of a kernel against L, H and N" + shown.where,
        figure=draw_curves(shown.results),
        alt="Time of kernels against length, channels and state size on logarithmic axes, ours in colour and the textbook code in grey.",
        caption="Forward and backward. Colour: ours; grey, dashed: the textbook code. At the right end of a line the exponent p of "
        "time ~ size^p, fitted to its last three sizes.",
    )


def _layers(shown: Shown) -> Section | None:
    batch = {L: max(1, TOKENS // L) for L in LENGTHS}
    given: Columns = {f"{B} x {L:,}": _given_case(B, L) for L, B in batch.items()}
    words = (
        f"fft: a convolution of 128 channels with given kernels; scan: one of 128 complex modes. Forward and backward; batch x L. {SIDE}"
    )
    parts = _grid(shown, "convolutions", "Convolutions and scans, ms", words, given, rows=tuple(GIVEN))
    precisions: tuple[Literal["fp32", "bf16"], ...] = ("fp32", "bf16")
    for precision in precisions:
        heads: Columns = {f"{B} x {L:,}": _case_of("layer", B, L, precision) for L, B in batch.items()}
        words = f"One layer of 128 with its mixing, forward and backward, {precision}; batch x L. {SIDE}{_floor(shown, heads)}"
        parts += _grid(shown, f"layers-{precision}", f"Layers, ms, {precision}", words, heads)
    parts += _public(shown)
    return Section(name=f"{shown.name}-layers", title="Convolutions and layers" + shown.where, parts=tuple(parts)) if parts else None


GIVEN: Mapping[str, Kind] = {"fft": "convolution", "scan": "scan"}


def _floor(shown: Shown, heads: Columns) -> str:
    """What part of the time the bandwidth alone would take, in a sentence; only of a GPU."""
    rate = float(shown.session.environment.get("bandwidth_gb_s") or math.nan)
    if not str(shown.session.environment.get("device", "")).startswith("cuda"):
        return ""
    cases = _measured(shown.results, (case("s4d-lin") for case in heads.values()))
    parts = [f"{100 * floor_bytes(c) / (rate * 1e6) / shown.results.get(c):.0f} % at L = {c.L:,}" for c in cases]
    return f" Of s4d-lin's time, moving each activation once at the {rate:,.0f} GB/s of a copy would take {', '.join(parts)}."


def _public(shown: Shown) -> list[Table]:
    """Packages beside ours, where any was installed."""
    results, versions = shown.results, dict(shown.session.environment.get("packages") or {})
    lines, numbers = [], []
    for case in results.found:
        if case.by not in (OURS, TEXTBOOK):
            mine = replace(case, by=OURS)
            ratio = results.get(case) / results.get(mine)
            lines.append(
                {
                    "work": f"{case.kind} {case.row}, {case.B} x {case.L:,}, {case.precision}",
                    "package": f"{case.by} {versions.get(case.by, '')}",
                }
                | {"its ms": ms(results.get(case)), "ours": ms(results.get(mine)), "over ours": times(ratio)}
            )
            numbers.append({**case.to_json(), **results.found[case], "over_ours": ratio})
    caption = "Public implementations that were installed, in the same turns as ours."
    return [table(f"{shown.name}-packages", "Packages" + shown.where, caption, lines, numbers, ("work", "package"))] if lines else []


def _steps(shown: Shown) -> Section | None:
    columns: Columns = {f"{B} x {L:,}": _case_of("step", B, L, layers=4) for B, L in STEPS}
    words = f"Forward, backward and AdamW, four layers of 128, dropout 0.1; batch x L. {SIDE}"
    parts = _grid(shown, "steps", "Training steps, ms", words, columns)
    parts += _grid(shown, "steps-memory", "Memory of training steps, MB", MEMORY, columns, what="peak_mb")
    parts += _million(shown)
    return Section(name=f"{shown.name}-steps", title="Training steps" + shown.where, parts=tuple(parts)) if parts else None


def _million(shown: Shown) -> list[Table]:
    cases = {row: replace(MILLION, row=row) for row in ROWS}
    lines = [
        {"row": row, "ms": ms(shown.results.get(case)), "MB": megabytes(shown.results.get(case, "peak_mb"))}
        for row, case in cases.items()
        if case in shown.results.found
    ]
    numbers = [{**case.to_json(), **shown.results.found[case]} for case in cases.values() if case in shown.results.found]
    words = "One layer of 16 channels on 1,048,576 steps, forward."
    return [table(f"{shown.name}-million", "A million steps" + shown.where, words, lines, numbers, ("row",))] if lines else []


def _recurrent(shown: Shown) -> Section | None:
    results, lines, numbers = shown.results, [], []
    for row in ROWS:
        one, many = (Case(kind="recurrent", row=row, B=B, L=1024, layers=4) for B in (1, 64))
        if not _measured(results, (one, many)):
            continue
        rate = lambda case: 1e3 * STEPPED * case.B / results.get(case)
        grown = [Case(kind="recurrent", row=row, B=16, L=1024, N=N) for N in (64, 128, 256, 512)]
        p = slope([(float(c.N or 0), results.get(c)) for c in _measured(results, grown)])
        number = lambda v: HOLE if math.isnan(v) else f"{v:,.0f}"
        lines.append(
            {"row": row, "one": number(rate(one)), "64 at a time": number(rate(many)), "N^p": HOLE if math.isnan(p) else f"{p:.2f}"}
        )
        numbers.append({"row": row, "one": rate(one), "many": rate(many), "exponent": p})
    caption = (
        "Tokens a second through four layers of 128 in step mode, one sequence and 64 side by side. N^p: how the time of a step of one "
        "layer, 16 sequences, grows from N = 64 to 512."
    )
    if not lines:
        return None
    tabled = table(f"{shown.name}-recurrent", "Step mode, tokens a second" + shown.where, caption, lines, numbers, ("row",))
    return Section(name=f"{shown.name}-recurrent", title="Step mode" + shown.where, parts=(tabled,))


def _engines(shown: Shown) -> Section | None:
    results = shown.results
    points: dict[Case, dict[str, float]] = {}
    for case in results.found:
        if case.kind == "engine" and case.engine:
            points.setdefault(replace(case, engine=None), {})[case.engine] = results.get(case)
    if not points:
        return None
    lines, numbers = [], []
    for case, found in points.items():
        fastest = min(found, key=lambda engine: found[engine])
        lines.append(
            {"row": case.row, "B": str(case.B), "H": str(case.H), "N": str(case.N), "L": f"{case.L:,}", "fastest": fastest}
            | {"ms": ", ".join(f"{engine} {ms(value)}" for engine, value in found.items())}
        )
        numbers += [{**case.to_json(), "engine": engine, "ms": value} for engine, value in found.items()]
    caption = (
        "A kernel and its application by each engine, forward and backward, mixing left away: what the choice of an engine is made from."
    )
    tabled = table(f"{shown.name}-engines", "Engines" + shown.where, caption, lines, numbers, ("row", "fastest", "ms"))
    return Section(name=f"{shown.name}-engines", title="Engines" + shown.where, parts=(tabled,))


def _left_out(shown: Shown) -> Section | None:
    holes = shown.session.left_out
    if not holes:
        return None
    tabled = table(f"{shown.name}-left-out", "Left out" + shown.where, "What has no numbers, and why.", holes, holes, ("what", "why"))
    return Section(name=f"{shown.name}-left-out", title="Left out" + shown.where, parts=(tabled,))


def compose_earlier(shown: Shown) -> Section | None:
    """The comparison with an older commit."""
    if not shown.session.earlier:
        return None
    rows = [
        {"work": str(Case.from_json(e["case"])), "now, ms": ms(e["now"]["ms"])}
        | {"then, ms": ms(e["then"]["ms"]), "then / now": times(e["ratio"])}
        for e in shown.session.earlier
    ]
    base = str(shown.session.environment.get("base", ""))[:12]
    numbers = [{**e["case"], "now_ms": e["now"]["ms"], "then_ms": e["then"]["ms"], "ratio": e["ratio"]} for e in shown.session.earlier]
    caption = f"The same cases by this code and by commit {base}, a run of each in turn; more than 1x is faster now."
    parts = [table(f"{shown.name}-earlier", f"Now and at {base}" + shown.where, caption, rows, numbers, ("work",))]
    if shown.session.left_out:
        holes = shown.session.left_out
        of_reason: dict[str, list[str]] = {}
        for hole in holes:
            of_reason.setdefault(hole["why"], []).append(hole["what"])
        short = [{"what": what[0] + f", and {len(what) - 1} more" * (len(what) > 1), "why": why} for why, what in of_reason.items()]
        parts.append(table(f"{shown.name}-earlier-left-out", "Not compared" + shown.where, "", short, holes, ("what", "why")))
    return Section(name=f"{shown.name}-earlier", title=f"Beside commit {base}" + shown.where, parts=tuple(parts))
