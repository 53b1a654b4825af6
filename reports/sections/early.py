"""The cells of a grid after a few epochs: validation scores, beside the tests at the end."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import pandas as pd

from ablations.grid import Ablation
from reports.parts import frame, stats
from reports.parts.judge import Judged
from reports.parts.metric import Metric
from reports.parts.report import Section
from reports.parts.table import Table
from reports.sections.grid import Key


def compose_early(cells: Mapping[Key, Judged], ablation: Ablation, metric: Metric) -> Section:
    """The table of validation scores after each of the epochs that the grid names, and at the best epoch, and of the test."""
    table = tabulate_early(cells, ablation.factors, ablation.after, metric, name=f"{ablation.page}-early")
    return Section(name="early", title="Early, and at the end", parts=(table,))


def tabulate_early(cells: Mapping[Key, Judged], factors: Sequence[str], epochs: Sequence[int], metric: Metric, *, name: str) -> Table:
    """A line per cell."""
    heads = {epoch: f"validation after epoch {epoch} ({metric.unit})" for epoch in epochs}
    texts, numbers = [], []
    for key, r in cells.items():
        history = frame.histories(r.runs[r.runs["status"] == "ok"], [])
        at = {epoch: stats.summarize(_scores(history, epoch, metric)) for epoch in epochs}
        labels = dict(zip(factors, key, strict=True))
        text = labels | {heads[epoch]: metric.score(s) for epoch, s in at.items()}
        texts.append(text | {f"test at the end ({metric.unit})": metric.score(r.summary)})
        numbers.append(labels | {f"validation_{epoch}": s.mean for epoch, s in at.items()} | {"test": r.summary.mean, "n": r.summary.n})
    cells_ = pd.DataFrame(texts, dtype=object)
    caption = (
        f"Mean ± sample standard deviation (number of seeds), in {metric.unit}: validation {metric.label} early in training, and the test "
        "at the epoch that was best on validation."
    )
    return Table(
        name=name, title="Early, and at the end", caption=caption, cells=cells_, marks=cells_.map(lambda _: ""),
        numbers=pd.DataFrame(numbers), left=tuple(factors),
    )  # fmt: skip


def _scores(history: pd.DataFrame, epoch: int, metric: Metric) -> list[float]:
    """Of every seed, after so many epochs; records count them from 0."""
    if history.empty or metric.val_key not in history:
        return []
    return [float(v) for v in history.loc[history["epoch"] == epoch - 1, metric.val_key] if math.isfinite(v)]
