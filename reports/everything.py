"""Every benchmark and every grid that has a record, on one page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pandas as pd

from ablations.registry import ABLATIONS
from benchmarks.benchmark import Benchmark
from benchmarks.registry import BENCHMARKS
from benchmarks.running.record import FINISHED
from benchmarks.running.store import Store
from benchmarks.spec import Scale
from models import DEFAULT_VARIANTS, VARIANTS
from reports.benchmark import request_benchmark
from reports.grid import request_grid
from reports.parts import frame
from reports.parts.frame import usable
from reports.parts.report import Report, Section
from reports.request import Seeds, command


def report_everything(store: Store) -> Report:
    """The page of all reports, from the records in `store`."""
    reports = []
    for benchmark in BENCHMARKS.values():
        for scale in benchmark.scales:
            variants, seeds = find_runs(benchmark, scale, store)
            if variants:
                reports.append(request_benchmark(benchmark.name, seeds, variants, scale, store).answer(store))
    for grid in ABLATIONS.values():
        known = frame.seeds_of(store, grid.benchmark)
        seeds = tuple(seed for seed in known if any(usable(store, run.benchmark, run.id) for run in grid.specs((seed,))))
        reports.append(request_grid(grid.name, seeds or (0,)).answer(store))
    return combine(reports, name="everything", title="All results", make=command(["everything"]))


def find_runs(benchmark: Benchmark, scale: Scale, store: Store) -> tuple[tuple[str, ...], Seeds]:
    """The variants and the seeds of a benchmark that have a record at this scale, the default rows first."""
    known = frame.seeds_of(store, benchmark.name)
    found: dict[str, set[int]] = {}
    for variant in (*DEFAULT_VARIANTS, *(v for v in VARIANTS if v not in DEFAULT_VARIANTS)):
        if not benchmark.has_recipe(variant, scale):
            continue
        recipe = benchmark.recipe(variant, scale)
        seeds = {seed for seed in known if usable(store, benchmark.name, recipe.with_seed(seed).id)}
        if seeds:
            found[variant] = seeds
    return tuple(found), tuple(sorted(set().union(*found.values())))


def combine(reports: Sequence[Report], *, name: str, title: str, make: str) -> Report:
    """One report of those among `reports` that have at least one finished run, their sections one after the other and their runs in one
    list; the others are named as empty in its summary."""
    shown = [r for r in reports if len(r.runs) and r.runs["status"].isin(FINISHED).any()]
    empty = [r.title for r in reports if r not in shown]
    sections: list[Section] = []
    runs: list[pd.DataFrame] = []
    for r in shown:
        first, *rest = r.sections
        head = replace(first, title=f"{r.title} ({r.scale} scale)", text=(r.about, *r.summary, *first.text))
        sections += [replace(s, name=f"{r.name}-{s.name}") for s in (head, *(replace(s, title=f"{r.title}: {s.title}") for s in rest))]
        row = r.runs[list(r.labels)].apply(lambda labels, r=r: f"{r.name}: {' · '.join(str(x) for x in labels if x != '-')}", axis=1)
        runs.append(r.runs.assign(row=row, score=r.runs[r.score]))
    together = pd.concat(runs, ignore_index=True) if runs else pd.DataFrame()
    words = [f"{len(shown)} reports from {together['id'].nunique() if len(together) else 0} runs."]
    if empty:
        words.append(f"No run yet: {'; '.join(empty)}.")
    return Report(
        name=name,
        title=title,
        scale=", ".join(dict.fromkeys(r.scale for r in shown)) or "no",
        about="Every benchmark and every grid that has a record. Tables of different scales are never mixed; each says its own.",
        summary=tuple(words),
        sections=tuple(sections),
        runs=together,
        labels=("row",),
        warnings=tuple(w for r in shown for w in r.warnings),
        environment=frame.environments(together),
        make=make,
        score="score",
    )
