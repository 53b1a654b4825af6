"""What others printed for a benchmark, with where it stands and how it is known; and where it may stand beside our rows."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace

import pandas as pd

from ablations.grid import Ablation
from benchmarks.benchmark import Benchmark, Published
from reports.parts.judge import Judged
from reports.parts.metric import METRICS, Metric
from reports.parts.report import Section
from reports.parts.table import HOLE, Table


def compose_published(benchmark: Benchmark, metric: Metric, *, name: str, beside: bool) -> Section:
    """The published numbers of a benchmark. `beside`: whether they also stand in the table of results."""
    table = tabulate_published(
        benchmark.published, name=f"{name}-published", title="Published numbers", metric=metric,
        zero_shot=benchmark.zero_shot,
    )  # fmt: skip
    if beside:
        title, words = "Published numbers", "Sources of the numbers beside ours, and of others."
    else:
        title = "Published numbers, apart"
        words = "Not measured here, and not comparable with the rows above: their scale, data or protocol differ."
    return Section(name="published", title=title, text=(words,), parts=(table,))


def compose_beside(
    cells: Mapping[tuple[str, ...], Judged], printed: Mapping[tuple[str, ...], str], ablation: Ablation, metric: Metric
) -> Section:
    """The cells of a grid of which somebody printed a number at their scale, with that number. `printed` is what `printed_of` found."""
    texts = [
        dict(zip(ablation.factors, key, strict=True)) | {f"here ({metric.unit})": metric.score(cells[key].summary), "published": value}
        for key, value in printed.items()
    ]
    table = Table(
        name=f"{ablation.page}-beside", title="Beside published numbers",
        caption=f"Mean ± sample standard deviation (number of seeds) of the test {metric.label} here, and what the authors printed of a "
        "network of this size; where they do not name a level, the same number stands beside each.",
        cells=pd.DataFrame(texts, dtype=object), marks=pd.DataFrame(texts, dtype=object).map(lambda _: ""),
        numbers=pd.DataFrame(texts), left=ablation.factors,
    )  # fmt: skip
    words = "The authors' network has this size; their data and protocol are those of the literature, which need not be the choices here."
    return Section(name="beside", title="Beside published numbers", text=(words,), parts=(table,))


def printed_of(cells: Mapping[tuple[str, ...], Judged], ablation: Ablation, metric: Metric) -> dict[tuple[str, ...], str]:
    """Of the cells of a grid those that somebody printed a verified number of, where the grid is of the scale that it says these are of."""
    if ablation.scale != ablation.published_at:
        return {}
    known = read_published(ablation.selected.benchmark.published, metric)
    fits = lambda key, levels: all(level in ("", own) for own, level in zip(key, levels, strict=True))
    named = {key: row for key in cells for levels, row in ablation.published.items() if fits(key, levels)}
    return {key: known[row] for key, row in named.items() if row in known}


def may_stand_beside(runs: pd.DataFrame, benchmark: Benchmark) -> bool:
    """Whether published numbers may stand beside these runs: official data at the published setting, in every record there is."""
    sources = {str(f.record.spec_full.get("data", {}).get("source", "")) for f in runs.get("found", []) if f is not None}
    return benchmark.beside and bool(len(runs)) and set(runs["scale"]) == {"paper"} and sources == {"official"}


def read_published(numbers: Sequence[Published], metric: Metric) -> dict[str, str]:
    """variant -> "value ± std" of its first entry for the ordinary test whose status begins with "verified"; in the table's unit."""
    verified = [p for p in numbers if p.status.startswith("verified") and not p.zero_shot and not p.quantity]
    return {p.variant: _printed(p, metric) for p in reversed(verified)}


def _printed(p: Published, metric: Metric) -> str:
    """In the table's unit; a cross where the source prints that the row did not learn."""
    if math.isnan(p.value):
        return "✗"
    return f"{p.value:.{metric.decimals}f}" + (f" ± {p.std:.{metric.decimals}f}" if p.std is not None else "")


def tabulate_published(
    numbers: Sequence[Published], *, name: str, title: str, metric: Metric, zero_shot: Mapping[str, str] | None = None
) -> Table:
    """What others printed, entry by entry; entries that nobody verified are left out."""
    shown = [p for p in numbers if p.status.startswith("verified")]
    tests = zero_shot or {}
    rows = [", ".join(filter(None, (p.variant, p.zero_shot and tests[p.zero_shot], p.quantity))) for p in shown]
    columns = ["row", "published", "source", "known from", "note"]
    cells = pd.DataFrame(
        [
            (row, _printed(p, metric), p.source, p.status.removeprefix("verified").strip(" ()"), p.note)
            for row, p in zip(rows, shown, strict=True)
        ],
        columns=columns,
        dtype=object,
    )
    values = [
        {"row": row, "value": p.value, "std": p.std, "source": p.source, "status": p.status, "note": p.note}
        for row, p in zip(rows, shown, strict=True)
    ]
    failed = " ✗: did not learn." if any(math.isnan(p.value) for p in shown) else ""
    return Table(
        name=name,
        title=title,
        caption=f"Test {metric.label}, in {metric.unit}, as printed by others; ± is what the source calls a standard deviation.{failed}",
        cells=cells,
        marks=cells.map(lambda _: ""),
        numbers=pd.DataFrame(values),
        left=("row", "source", "known from", "note"),
    )


def compose_published_side_by_side(benchmarks: Sequence[Benchmark], *, name: str, averages: Sequence[Published] = ()) -> Section:
    """The published numbers of a family of benchmarks in one table, with averages over it where they were printed."""
    words = (
        "As printed by others, of whole tasks at full size in the literature's protocol: not comparable with the rows above unless those "
        "are too. The report of each benchmark says where they are, and gives every source."
    )
    table = tabulate_published_side_by_side(
        benchmarks, name=f"{name}-published", title="Published numbers", metric=METRICS[benchmarks[0].metric], averages=averages
    )
    return Section(name="published", title="Published numbers, side by side", text=(words,), parts=(table,))


def tabulate_published_side_by_side(
    benchmarks: Sequence[Benchmark], *, name: str, title: str, metric: Metric, averages: Sequence[Published] = ()
) -> Table:
    """The first verified number of every row for every task, rows in the order in which they first appear."""
    texts: dict[str, dict[str, str]] = {}
    for b in benchmarks:
        texts[b.name] = read_published(b.published, metric)
        for test, word in b.zero_shot.items():
            if ordinary := [replace(p, zero_shot="") for p in b.published if p.zero_shot == test]:
                texts[f"{b.name}, {word}"] = read_published(ordinary, metric)
    if averages:
        texts["average"] = read_published(averages, metric)
    printed = [(b.name, p) for b in benchmarks for p in b.published] + [("average", p) for p in averages]
    rows = list(dict.fromkeys(p.variant for _, p in printed if any(p.variant in known for known in texts.values())))
    numbers = [
        {"row": p.variant, "benchmark": of, "test": p.zero_shot or p.quantity, "value": p.value, "std": p.std}
        | {"source": p.source, "status": p.status, "note": p.note}
        for of, p in printed if p.status.startswith("verified")
    ]  # fmt: skip
    cells = pd.DataFrame(
        [{"row": v} | {task: of_task.get(v, HOLE) for task, of_task in texts.items()} for v in rows], columns=["row", *texts], dtype=object
    )
    caption = (
        f"Test {metric.label}, in {metric.unit}, as printed by others; ± is what the source calls a standard deviation. ✗: did not learn. "
        "A dash: no number that could be verified. Sources and notes stand in the report of each benchmark, and in the CSV of this table."
    )
    return Table(
        name=name, title=title, caption=caption, cells=cells, marks=cells.map(lambda _: ""), numbers=pd.DataFrame(numbers), left=("row",)
    )
