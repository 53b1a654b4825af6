"""How the rows of a benchmark learned: the validation score after each epoch."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from benchmarks.benchmark import Benchmark
from benchmarks.spec import Scale
from reports.parts import frame
from reports.parts.figure import draw_nothing, lay_out_panels, name_panel
from reports.parts.metric import Metric, metric_of
from reports.parts.report import Plot, Section
from reports.parts.style import GREY, INK, MUTED, drawing, look


def compose_training(runs: pd.DataFrame, benchmark: Benchmark, scale: Scale, *, name: str) -> Section:
    """The learning curves of every row."""
    metric = metric_of(benchmark, scale)
    order = list(dict.fromkeys(runs["variant"])) if len(runs) else []
    history = frame.histories(runs, ["variant"])
    lost = [v for v in order if history.empty or v not in set(history["variant"])]
    missing = f"\nNot drawn, for want of a finished run: {', '.join(lost)}." if lost and len(lost) < len(order) else ""
    curves = Plot(
        name=f"{name}-curves",
        title="Learning curves",
        figure=draw_curves(history, metric=metric, order=order),
        alt=f"Validation {metric.label} against epoch, one panel per variant.",
        caption=f"Validation {metric.label} after each epoch: line, mean over seeds; band, lowest to highest seed; grey, the means "
        "of the other rows. The test set is scored once, at the epoch that is best on validation." + missing,
    )
    return Section(name="training", title="Training", parts=(curves,))


def draw_curves(history: pd.DataFrame, *, metric: Metric, order: Sequence[str]) -> Figure:
    """Validation score against epoch: one panel per variant, mean line and min-max band over seeds, the other variants thin and grey."""
    column = metric.val_key
    if history.empty or column not in history or history[column].notna().sum() == 0:
        return draw_nothing("no learning curve yet: no record has a history")
    data = history.dropna(subset=[column])
    by_epoch = lambda part: part.groupby("epoch")[column].agg(["mean", "min", "max"]) * metric.factor
    curves = {v: by_epoch(part) for v, part in data.groupby("variant", sort=False)}
    shown = [v for v in order if v in curves]
    with drawing():
        figure, axes = lay_out_panels(len(shown), columns=4, height=1.95)
        for ax, variant in zip(axes, shown):
            for other in shown:
                if other != variant:
                    ax.plot(curves[other].index + 1, curves[other]["mean"], color=GREY, alpha=0.35, lw=0.8)
            mine, style = curves[variant], look(variant)
            ax.fill_between(mine.index + 1, mine["min"], mine["max"], color=style.color, alpha=0.22, lw=0)
            ax.plot(mine.index + 1, mine["mean"], color=style.color, ls=style.dash)
            ax.plot(mine.index[-1] + 1, mine["mean"].iloc[-1], marker=style.marker, color=style.color, ms=5, clip_on=False, zorder=3)
            seeds = data.loc[data["variant"] == variant, "seed"].nunique()
            name_panel(ax, variant)
            ax.set_title(f"n = {seeds}", loc="right", color=MUTED, fontsize=8)
            ax.xaxis.set_major_locator(MaxNLocator(nbins=5, integer=True))
        figure.supxlabel("epoch", fontsize=9, color=INK)
        figure.supylabel(f"validation {metric.label} ({metric.unit})", fontsize=9, color=INK)
    return figure
