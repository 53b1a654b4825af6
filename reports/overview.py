"""All benchmarks at quick scale: every row on each in a picture, and a table for choosing one: its size, its cost, what it tells apart."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from benchmarks.benchmark import KINDS
from benchmarks.recipe import Recipe
from benchmarks.running.store import Store
from models import VARIANTS
from reports.parts.judge import Judged, chance_of, common_seeds, describe_leader, finite, list_behind
from reports.parts.report import Plot
from reports.parts.table import HOLE, Table
from reports.sections.matrix import Line, compose_matrix, tabulate_matrix
from reports.standings import Standing, find_standings

CAPTION = (
    "The default rows, and those at the rates of their papers, a core each. Minutes: of a run, the fastest and the slowest row's median. "
    "Best row: mean ± sample standard deviation (number of seeds) on the test set. Constant answer: the best that does not look at the "
    "input; ≥ and ≤: only a bound of it is known. Behind it: rows whose mean distance to the best row is more than its 95 % t interval, "
    "paired by seed; each row by itself, so that of many intervals some miss. Published numbers are of the whole tasks, and none is "
    "comparable."
)

COLUMNS = ("benchmark", "task at quick scale", "minutes", "best row", "constant answer", "behind it")


@dataclass(frozen=True)
class Overview:
    """What is known of all rows and benchmarks at quick scale."""

    picture: Plot
    """Every row on every benchmark, by kind of task."""
    scores: Table
    """The same as text."""
    benchmarks: Table
    """For choosing one."""


def compose_overview(store: Store) -> Overview:
    """From the runs in `store`."""
    standings = find_standings(store)
    lines = [
        Line(label=s.name, reduced=s.recipe.reduced, kind=words, rows=s.rows, metric=s.metric)
        for kind, words in KINDS.items() for s in standings if s.benchmark.kind == kind
    ]  # fmt: skip
    return Overview(compose_matrix(lines, [*VARIANTS]), tabulate_matrix(lines, [*VARIANTS]), tabulate_benchmarks(standings))


def tabulate_benchmarks(standings: Sequence[Standing]) -> Table:
    """A row for each."""
    rows = [_describe(standing) for standing in standings]
    cells = pd.DataFrame([dict(zip(COLUMNS, cells, strict=True)) for cells, _ in rows], columns=list(COLUMNS), dtype=object)
    numbers = pd.DataFrame([numbers for _, numbers in rows])
    return Table(
        name="benchmarks", title="All benchmarks at quick scale", caption=CAPTION, cells=cells, marks=cells.map(lambda _: ""),
        numbers=numbers, left=("benchmark", "task at quick scale", "best row", "behind it"),
    )  # fmt: skip


def describe_task(recipe: Recipe) -> str:
    """How large a task is and how long it trains: "at most 200 tokens; 256 steps; 8 epochs in batches of 64"."""
    run = recipe.run
    steps = f"{run.data.signature.length:,} steps"
    parts = (recipe.reduced, steps, f"{run.epochs} epochs in batches of {run.batch_size}")
    return "; ".join(dict.fromkeys(filter(None, parts)))


def _describe(standing: Standing) -> tuple[tuple[str, ...], dict[str, object]]:
    """The cells of one row, and its numbers."""
    rows, metric, best = standing.rows, standing.metric, standing.best
    chance = chance_of(rows, metric)
    shown = HOLE if chance is None else chance.show(metric)
    leader = describe_leader(rows, metric) or HOLE
    cells = (standing.name, describe_task(standing.recipe), _minutes(rows), leader, shown, _behind(standing))
    numbers = {"benchmark": standing.name, "best": best or "", "mean": rows[best].summary.mean if best else math.nan}
    return cells, {**numbers, "n": rows[best].summary.n if best else 0, "constant": chance.value if chance else math.nan}


def _minutes(rows: Mapping[str, Judged]) -> str:
    """Of a run: of the fastest row and of the slowest."""
    medians = sorted(pd.Series(seconds).median() / 60 for r in rows.values() if (seconds := finite(r.runs, "wall_seconds")))
    if not medians:
        return HOLE
    low, high = f"{medians[0]:.1f}", f"{medians[-1]:.1f}"
    return low if low == high else f"{low} to {high}"


def _behind(standing: Standing) -> str:
    """Which rows are shown to be behind the best; where no row beats the constant answer, why."""
    metric, best, idle = standing.metric, standing.best, standing.recipe.idle
    scored = {v: r for v, r in standing.rows.items() if r.scores}
    if not scored:
        return idle or "no run yet"
    if best is None:
        return idle or "no row beats the constant answer"
    others = sum(r.behind is not None for v, r in scored.items() if v != best)
    if others and common_seeds(scored) == 1:
        return "one seed, which shows nothing"
    behind = list_behind(scored, metric)
    return f"{len(behind)} of {others}{': ' if behind else ''}{', '.join(behind)}"
