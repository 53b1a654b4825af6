"""The report of a grid: its cells as expected runs, rendered by `reports`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pandas as pd

from ablations.grid import Ablation
from benchmarks.registry import BENCHMARKS
from reports.evidence import Request
from reports.parts.frame import Expected
from reports.parts.page import Report
from reports.render import ablation_report
from reports.tables import METRICS


def request(grid: Ablation, seeds: Sequence[int]) -> Request:
    """Every cell with every seed, and the page that compares them."""
    listed = ",".join(map(str, seeds))
    expected = [
        Expected(
            labels=cell.row, benchmark=spec.benchmark, id=spec.id, seed=seed, scale=spec.scale,
            command=f"python -m ablations {grid.name} --seeds {listed}", source=f"grid {grid.name}, from the recipe of {spec.benchmark}",
        )
        for cell in grid.cells() for seed in seeds for spec in [replace(cell.spec, seed=seed)]
    ]  # fmt: skip

    def build(runs: pd.DataFrame) -> Report:
        return ablation_report(
            runs, name=grid.name, title=f"{grid.title}: the {grid.name} grid", about=grid.about,
            metric=METRICS[BENCHMARKS[expected[0].benchmark].metric], scale=expected[0].scale,
            make=f"python -m ablations {grid.name} --report --seeds {listed}", factors=grid.factors,
        )  # fmt: skip

    return Request(expected=expected, build=build)
