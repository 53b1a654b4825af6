"""Every benchmark and every grid that has a record, on one page."""

from __future__ import annotations

from ablations.registry import ABLATIONS
from ablations.report import request as grid_request
from benchmarks.benchmark import Benchmark
from benchmarks.registry import BENCHMARKS
from benchmarks.running.store import Store
from benchmarks.spec import Scale
from models import DEFAULT_VARIANTS, VARIANTS
from reports import frame
from reports.benchmark import request as benchmark_request
from reports.combine import combine
from reports.page import Report

SEEDS = range(10)
"""Where records are looked for; a report asks for those of these seeds that somebody ran."""


def known(benchmark: Benchmark, scale: Scale, store: Store) -> tuple[tuple[str, ...], tuple[int, ...]]:
    """(variants, seeds) of a benchmark with a record at this scale, the default rows first."""
    found: dict[str, set[int]] = {}
    for variant in (*DEFAULT_VARIANTS, *(v for v in VARIANTS if v not in DEFAULT_VARIANTS)):
        if not benchmark.has_recipe(variant, scale):
            continue
        recipe = benchmark.recipe(variant, scale)
        seeds = {seed for seed in SEEDS if frame.usable(store, benchmark.name, recipe.with_seed(seed).id)}
        if seeds:
            found[variant] = seeds
    return tuple(found), tuple(sorted(set().union(*found.values())))


def everything() -> Report:
    """The combined report from the records there are."""
    store = frame.everywhere()
    reports: list[Report] = []
    for benchmark in BENCHMARKS.values():
        for scale in benchmark.scales:
            variants, seeds = known(benchmark, scale, store)
            if variants:
                asked = benchmark_request("benchmark", benchmark.name, seeds, variants, scale)
                reports.append(asked.build(frame.tidy(asked.expected, store)))
    for grid in ABLATIONS.values():
        seeds = tuple(seed for seed in SEEDS if any(frame.usable(store, spec.benchmark, spec.id) for spec in grid.specs((seed,))))
        asked = grid_request(grid, seeds or (0,))
        reports.append(asked.build(frame.tidy(asked.expected, store)))
    return combine(reports, name="everything", title="All results", make="python -m ablations --everything")
