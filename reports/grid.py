"""The report of a grid: its cells side by side, and what each of its factors moves."""

from __future__ import annotations

import shlex
from dataclasses import replace

import pandas as pd

from ablations.grid import Ablation
from ablations.registry import ABLATIONS
from benchmarks import plugins
from benchmarks.cli import in_words
from benchmarks.tuning import COMMON
from models.choices.names import choose
from reports.parts import frame, stats
from reports.parts.frame import Expected
from reports.parts.judge import describe_rows, name_best
from reports.parts.metric import metric_of
from reports.parts.report import Report
from reports.request import Request, Seeds, command, seed_flags
from reports.sections.along import compose_along, lines_along
from reports.sections.early import compose_early
from reports.sections.effects import compose_effects, describe_equivalence, describe_largest, find_effects
from reports.sections.ends import describe_ends, find_changes, tabulate_ends
from reports.sections.grid import compose_grid, judge_cells, name_cells
from reports.sections.published import compose_beside, printed_of
from reports.sections.tuned import choose_rates, compose_tuned, describe_tuned


def request_grid(
    name: str, seeds: Seeds, bench: str | None = None, scale: str | None = None, protocol: str | None = None
) -> Request:  # fmt: skip
    """The report of every cell of a grid with every seed, on its own benchmark or another. Raises ValueError that names the nearest grid,
    benchmark or scale, or says why no cell is possible there."""
    ablation = choose("grid", name, ABLATIONS).on(bench, scale, protocol)
    return request_cells(ablation, seeds, kind="grid")


def request_cells(ablation: Ablation, seeds: Seeds, *, kind: str) -> Request:
    """The report of any grid; `kind` is the word for it after `python -m reports`."""
    train = f"python -m ablations {shlex.join((*ablation.words, '--seeds', in_words(seeds), *plugins.flags()))}"
    expected = [
        Expected(
            labels=cell.row, benchmark=spec.benchmark, id=spec.id, seed=seed, scale=spec.scale, command=train,
            source=f"grid {ablation.page}, from the recipe of {spec.benchmark}",
        )
        for cell in ablation.cells() for seed in seeds for spec in [replace(cell.spec, seed=seed)]
    ]  # fmt: skip
    words = (kind, *ablation.words, *seed_flags(seeds))
    return Request(
        name=ablation.page, words=words, expected=expected, build=lambda runs: report_grid(runs, ablation, make=command(words))
    )  # fmt: skip


def report_grid(runs: pd.DataFrame, ablation: Ablation, *, make: str) -> Report:
    """One grid, a row per cell of `runs`. `make` is the command that renders it."""
    benchmark = ablation.selected.benchmark
    metric = metric_of(benchmark, ablation.scale)
    title = ablation.title if ablation.asked else f"{ablation.title}: the {ablation.name} grid"
    title += f" on {benchmark.title}" if ablation.elsewhere else ""
    about = ablation.about
    if ablation.elsewhere:
        about += f" Here the recipes are those of {benchmark.name} at {ablation.scale} scale: {benchmark.title}."
    cells = judge_cells(runs, ablation.factors, metric)
    effects = find_effects(runs, metric=metric, factors=ablation.factors)
    level = stats.summarize([r.summary.mean for r in cells.values()]).mean
    sections = [compose_grid(cells, ablation, metric, title=title)]
    summary = [*describe_rows(name_cells(cells, ablation), metric)]
    if ablation.tuned:
        tried = [f for f in ablation.factors if f != ablation.tuned]
        tuned = choose_rates(runs, ablation.tuned, tried, metric)
        summary = [*describe_tuned(tuned, COMMON, metric), *summary]
        sections.insert(0, compose_tuned(tuned, COMMON, tried, metric, name=ablation.page))
    if ablation.along:
        along = compose_along(cells, ablation, metric)
        changes = find_changes(lines_along(cells, ablation), metric) if not ablation.tuned else []
        if changes:
            along = replace(along, parts=(*along.parts, tabulate_ends(changes, ablation, metric)))
            summary += describe_ends(changes, ablation, metric)
        sections.append(along)
    sections.append(compose_effects(effects, ablation, metric, level=level))
    if ablation.after:
        sections.append(compose_early(cells, ablation, metric))
    if printed := printed_of(cells, ablation, metric):
        sections.append(compose_beside(cells, printed, ablation, metric))
    summary += [
        *describe_largest(effects, metric),
        *describe_equivalence(effects, ablation.margin * (1 if metric.higher else level), metric),
    ]
    return Report(
        name=ablation.page, title=title, scale=ablation.scale, about=about, summary=tuple(summary), sections=tuple(sections),
        runs=runs, labels=ablation.factors, warnings=tuple(frame.data_disagreements(runs)), environment=frame.environments(runs),
        make=make, score=metric.key, best=name_best(name_cells(cells, ablation), metric),
    )  # fmt: skip
