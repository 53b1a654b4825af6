"""The report of a grid: its cells side by side, and what each of its factors moves."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd

from ablations.grid import Ablation
from ablations.registry import ABLATIONS
from benchmarks.registry import BENCHMARKS
from models.choices.names import choose
from reports.parts import frame
from reports.parts.frame import Expected
from reports.parts.judge import describe_rows, name_best
from reports.parts.metric import metric_of
from reports.parts.report import Report
from reports.request import Request, Seeds, command, listed, seed_flags
from reports.sections.effects import compose_effects, describe_largest, find_effects
from reports.sections.grid import compose_grid, judge_cells, name_cells


def request_grid(name: str, seeds: Seeds) -> Request:
    """The report of every cell of a grid with every seed. Raises ValueError that names the nearest grid."""
    ablation = choose("grid", name, ABLATIONS)
    expected = [
        Expected(
            labels=cell.row, benchmark=spec.benchmark, id=spec.id, seed=seed, scale=spec.scale,
            command=f"python -m ablations {name} --seeds {listed(seeds)}", source=f"grid {name}, from the recipe of {spec.benchmark}",
        )
        for cell in ablation.cells() for seed in seeds for spec in [replace(cell.spec, seed=seed)]
    ]  # fmt: skip
    words = ("grid", name, *seed_flags(seeds))
    return Request(
        name=name, words=words, expected=expected, build=lambda runs: report_grid(runs, ablation, make=command(words))
    )  # fmt: skip


def report_grid(runs: pd.DataFrame, ablation: Ablation, *, make: str) -> Report:
    """One grid, a row per cell of `runs`. `make` is the command that renders it."""
    metric = metric_of(BENCHMARKS[ablation.benchmark], ablation.scale)
    title = f"{ablation.title}: the {ablation.name} grid"
    cells = judge_cells(runs, ablation.factors, metric)
    effects = find_effects(runs, metric=metric, factors=ablation.factors)
    return Report(
        name=ablation.name, title=title, scale=ablation.scale, about=ablation.about,
        summary=(*describe_rows(name_cells(cells, ablation), metric), *describe_largest(effects, metric)),
        sections=(compose_grid(cells, ablation, metric, title=title), compose_effects(effects, ablation, metric)),
        runs=runs, labels=ablation.factors, warnings=tuple(frame.data_disagreements(runs)), environment=frame.environments(runs),
        make=make, score=metric.key, best=name_best(name_cells(cells, ablation), metric),
    )  # fmt: skip
