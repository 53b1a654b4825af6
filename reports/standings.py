"""How every row stands on every benchmark at quick scale: the runs behind the table of all benchmarks and the picture of all rows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from benchmarks.benchmark import Benchmark
from benchmarks.recipe import Recipe
from benchmarks.registry import BENCHMARKS, Selection, select_benchmark
from benchmarks.running.store import Store
from models import DEFAULT_VARIANTS, VARIANTS
from reports.benchmark import expect_rows
from reports.everything import ids_of, selections
from reports.parts import frame
from reports.parts.frame import Found
from reports.parts.judge import Judged, find_leader, judge_variants
from reports.parts.metric import Metric, metric_of


@dataclass(frozen=True, kw_only=True)
class Standing:
    """One benchmark, in one protocol: its default rows and those at the rates of their papers, judged; none where there is no run."""

    selected: Selection
    recipe: Recipe
    """Of the first row that has one."""
    metric: Metric
    rows: Mapping[str, Judged]

    @property
    def benchmark(self) -> Benchmark:
        """The benchmark, in that protocol."""
        return self.selected.benchmark

    @property
    def name(self) -> str:
        """Its name, and the protocol where that is another than its own."""
        return self.benchmark.name + (f" ({self.selected.options[-1]})" if self.selected.options else "")

    @property
    def best(self) -> str | None:
        """The row with the best mean; None where none beats the constant answer."""
        return find_leader(self.rows)


def find_standings(store: Store) -> list[Standing]:
    """One for each benchmark, and for each choice of protocol of which `store` has a run at quick scale."""
    found = frame.find_all(store)
    return [_stand(s, ids, store) for b in BENCHMARKS.values() for s, ids in _with_runs(b, found.get(b.name, {}))]


Ids = Mapping[str, Mapping[int, str]]
"""Variant -> seed -> id of its run."""


def _with_runs(benchmark: Benchmark, found: Mapping[str, Found]) -> Iterator[tuple[Selection, Ids]]:
    """The benchmark in every protocol of which there is a run, or as it is where there is none."""
    known = [(s, ids_of(s.benchmark, "quick", found)) for s in selections(benchmark, [f.stored for f in found.values() if f.stored])]
    done = [(s, ids) for s, ids in known if ids and "--readout" not in s.options]
    yield from done or [(select_benchmark(benchmark.name), {})]


def _stand(selected: Selection, ids: Ids, store: Store) -> Standing:
    benchmark = selected.benchmark
    recipe = benchmark.recipe(next(v for v in DEFAULT_VARIANTS if benchmark.has_recipe(v, "quick")), "quick")
    seeds = tuple(sorted({seed for of_variant in ids.values() for seed in of_variant}))
    asked = tuple(v for v in VARIANTS if v in ids and (v in DEFAULT_VARIANTS or VARIANTS[v].second_line_of))
    runs = frame.tidy(expect_rows(selected, "quick", asked, seeds, store) if asked else (), store)
    metric = metric_of(benchmark, "quick")
    return Standing(selected=selected, recipe=recipe, metric=metric, rows=judge_variants(runs, metric) if len(runs) else {})
