"""Several benchmarks side by side, as papers print them: a row per variant, a column per task, each column judged by itself."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace

import matplotlib as mpl
import pandas as pd
from matplotlib.figure import Figure

from benchmarks.benchmark import Benchmark
from benchmarks.spec import Scale
from reports.parts import dots
from reports.parts.figure import draw_nothing
from reports.parts.judge import Judged, constant, judge
from reports.parts.metric import METRICS, Metric
from reports.parts.report import SCALE_WORDS, Plot, Section
from reports.parts.style import MUTED, RC, WIDTH
from reports.parts.table import Table

Columns = Mapping[str, Mapping[str, Judged]]
"""Heading of a column -> variant -> how it stands in that column."""


def judge_columns(runs: pd.DataFrame, benchmarks: Sequence[Benchmark]) -> dict[str, dict[str, Judged]]:
    """A column for the test of each benchmark, and one for each of its zero-shot tests."""
    columns = {}
    for b in benchmarks:
        metric = METRICS[b.metric]
        of_task = dict(iter(runs[runs["benchmark"] == b.name].groupby("variant", sort=False))) if len(runs) else {}
        further = {f"{b.name}, {word}": f"{metric.key}_{test}" for test, word in b.zero_shot.items()}
        for heading, key in {b.name: metric.key, **further}.items():
            known = {v: part for v, part in of_task.items() if key in part}
            columns[heading] = judge(known, replace(metric, key=key))
    return columns


def compose_family(columns: Columns, variants: Sequence[str], metric: Metric, scale: Scale, *, name: str, title: str) -> Section:
    """The table of all columns, and a panel of dots for each that has results."""
    found = {heading: rows for heading, rows in columns.items() if any(r.scores for r in rows.values())}
    plot = Plot(
        name=f"{name}-scores",
        title=f"Test {metric.label}, every seed",
        figure=draw_columns(found, metric=metric),
        alt=f"Dots of the test {metric.label} of every seed and row, one panel per task.",
        caption=f"{dots.CAPTION} Dotted: the constant answer. Each panel has its own axis.",
    )
    table = tabulate_columns(columns, variants, name=f"{name}-results", title=f"{title}, {scale} scale", metric=metric)
    return Section(name="results", title="Results", text=(SCALE_WORDS[scale],), parts=(table, plot))


def tabulate_columns(columns: Columns, variants: Sequence[str], *, name: str, title: str, metric: Metric) -> Table:
    """A row per variant and a column per task; the constant answer below."""
    cells, marks, numbers = [], [], []
    for v in variants:
        cells.append({"variant": v} | {task: metric.score(rows[v].summary) if v in rows else "" for task, rows in columns.items()})
        marks.append({"variant": ""} | {task: rows[v].mark if v in rows else "" for task, rows in columns.items()})
        for task, rows in columns.items():
            if v in rows:
                s = rows[v].summary
                numbers.append({"variant": v, "benchmark": task, "metric": metric.key, "n": s.n, "mean": s.mean, "std": s.std})
    cells.append({"variant": "constant answer"} | {task: metric.show(constant(rows, metric)) for task, rows in columns.items()})
    marks.append({"variant": ""} | dict.fromkeys(columns, ""))
    names = ["variant", *columns]
    caption = (
        f"Mean ± sample standard deviation (number of seeds) of the test {metric.label}, in {metric.unit}; every column by itself.\n"
        "Bold: best mean among the rows with the most seeds. Underlined: not shown to differ from it (t test on differences paired by "
        "seed, Holm's correction over the column, 5 % level).\n"
        f"Constant answer: the {metric.constant_answer} of the training labels, whatever the input. A dash: no run yet."
    )
    return Table(
        name=name, title=title, caption=caption, cells=pd.DataFrame(cells, columns=names, dtype=object),
        marks=pd.DataFrame(marks, columns=names, dtype=object), numbers=pd.DataFrame(numbers), left=("variant",),
    )  # fmt: skip


def draw_columns(columns: Columns, *, metric: Metric) -> Figure:
    """A panel of dots per column, two in a line, rows in the order given; dotted, what the constant answer scores."""
    if not columns:
        return draw_nothing("no finished run yet")
    lines, tall = -(-len(columns) // 2), max(len(rows) for rows in columns.values())
    with mpl.rc_context(RC):
        figure = Figure(figsize=(WIDTH, lines * (0.3 * tall + 0.85)), layout="constrained")
        axes = list(figure.subplots(lines, 2, squeeze=False).flat)
        for (title, rows), ax in zip(columns.items(), axes):
            dots.draw_rows(ax, rows, metric)
            ax.tick_params(axis="y", pad=8)
            ax.set_title(title)
            answer = metric.factor * constant(rows, metric)
            if math.isfinite(answer):
                left, right = ax.get_xlim()
                room = 0.04 * (max(right, answer) - min(left, answer))
                ax.set_xlim(min(left, answer - room), max(right, answer + room))
                ax.axvline(answer, color=MUTED, lw=1.2, ls=":", zorder=1)
        for ax in axes[len(columns) :]:
            ax.set_axis_off()
        figure.supxlabel(f"test {metric.label} ({metric.unit})", fontsize=9)
    return figure
