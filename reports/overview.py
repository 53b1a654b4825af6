"""The table of all benchmarks at quick scale, the map for choosing one: how large the task is, what it costs, and what it tells apart."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping

import pandas as pd

from benchmarks.benchmark import Benchmark
from benchmarks.recipe import Recipe
from benchmarks.registry import BENCHMARKS, Selection, select_benchmark
from benchmarks.running.store import Store
from models import DEFAULT_VARIANTS, VARIANTS
from reports.benchmark import expect_rows
from reports.everything import ids_of, selections
from reports.parts import frame
from reports.parts.frame import Found
from reports.parts.judge import Judged, chance_of, finite, judge_variants
from reports.parts.metric import Metric, metric_of
from reports.parts.table import HOLE, Table

CAPTION = (
    "The default rows, and those at the rates of their papers, a core each. Minutes: of a run, the fastest and the slowest row's median. "
    "Best row: mean ± sample standard deviation (number of seeds) on the test set. Constant answer: the best answer that does not look at "
    "the input. Behind it: rows whose mean distance to the best row is more than its 95 % t interval, paired by seed; each row by itself, "
    "so that of many intervals some miss. Published numbers are of the whole tasks, and none is comparable."
)

COLUMNS = ("benchmark", "task at quick scale", "minutes", "best row", "constant answer", "behind it")


def tabulate_benchmarks(store: Store) -> Table:
    """A row for each benchmark, and for each choice of protocol of which `store` has a run at quick scale."""
    found = frame.find_all(store)
    rows = [_describe(s, ids, store) for b in BENCHMARKS.values() for s, ids in _with_runs(b, found.get(b.name, {}))]
    cells = pd.DataFrame([dict(zip(COLUMNS, cells, strict=True)) for cells, _ in rows], columns=list(COLUMNS), dtype=object)
    numbers = pd.DataFrame([numbers for _, numbers in rows])
    return Table(
        name="benchmarks", title="All benchmarks at quick scale", caption=CAPTION, cells=cells, marks=cells.map(lambda _: ""),
        numbers=numbers, left=("benchmark", "task at quick scale", "best row", "behind it"),
    )  # fmt: skip


Ids = Mapping[str, Mapping[int, str]]
"""Variant -> seed -> id of its run."""


def _with_runs(benchmark: Benchmark, found: Mapping[str, Found]) -> Iterator[tuple[Selection, Ids]]:
    """The benchmark in every protocol of which there is a run, or as it is where there is none."""
    known = [(s, ids_of(s.benchmark, "quick", found)) for s in selections(benchmark, [f.stored for f in found.values() if f.stored])]
    done = [(s, ids) for s, ids in known if ids and "--readout" not in s.options]
    yield from done or [(select_benchmark(benchmark.name), {})]


def describe_task(recipe: Recipe) -> str:
    """How large a task is and how long it trains: "at most 200 tokens; 256 steps; 8 epochs in batches of 64"."""
    run = recipe.run
    steps = f"{run.data.signature.length:,} steps"
    parts = (recipe.reduced, steps, f"{run.epochs} epochs in batches of {run.batch_size}")
    return "; ".join(dict.fromkeys(filter(None, parts)))


def _describe(selected: Selection, ids: Ids, store: Store) -> tuple[tuple[str, ...], dict[str, object]]:
    """The cells of one row, and its numbers."""
    benchmark = selected.benchmark
    name = benchmark.name + (f" ({selected.options[-1]})" if selected.options else "")
    recipe = benchmark.recipe(next(v for v in DEFAULT_VARIANTS if benchmark.has_recipe(v, "quick")), "quick")
    seeds = tuple(sorted({seed for of_variant in ids.values() for seed in of_variant}))
    rows_asked = tuple(v for v in VARIANTS if v in ids and (v in DEFAULT_VARIANTS or VARIANTS[v].second_line_of))
    runs = frame.tidy(expect_rows(selected, "quick", rows_asked, seeds, store) if rows_asked else (), store)
    metric = metric_of(benchmark, "quick")
    rows = judge_variants(runs, metric) if len(runs) else {}
    best = next((v for v, r in rows.items() if r.best and not r.at_chance), None)
    chance = chance_of(rows, metric)
    shown = HOLE if chance is None else f"{'' if chance.exact else '≥ ' if metric.higher else '≤ '}{metric.show(chance.value)}"
    score = HOLE if best is None else f"{best}, {metric.score(rows[best].summary)} {metric.unit}"
    cells = (name, describe_task(recipe), _minutes(rows), score, shown, _behind(rows, best, recipe, metric))
    numbers = {"benchmark": name, "best": best or "", "mean": rows[best].summary.mean if best else math.nan}
    return cells, {**numbers, "n": rows[best].summary.n if best else 0, "constant": chance.value if chance else math.nan}


def _minutes(rows: Mapping[str, Judged]) -> str:
    """Of a run: of the fastest row and of the slowest."""
    medians = sorted(pd.Series(seconds).median() / 60 for r in rows.values() if (seconds := finite(r.runs, "wall_seconds")))
    if not medians:
        return HOLE
    low, high = f"{medians[0]:.1f}", f"{medians[-1]:.1f}"
    return low if low == high else f"{low} to {high}"


def _behind(rows: Mapping[str, Judged], best: str | None, recipe: Recipe, metric: Metric) -> str:
    """Which rows are shown to be behind the best; where no row beats the constant answer, why."""
    scored = {v: r for v, r in rows.items() if r.scores}
    if not scored:
        return recipe.idle or "no run yet"
    if best is None:
        return recipe.idle or "no row beats the constant answer"
    others = {v: r.behind for v, r in scored.items() if r.behind is not None and v != best}
    clear = {v: d for v, d in others.items() if d.n > 1 and d.low > 0}
    words = [f"{v} ({metric.show(d.mean)})" for v, d in sorted(clear.items(), key=lambda item: item[1].mean)]
    return f"{len(clear)} of {len(others)}{': ' if words else ''}{', '.join(words)}"
