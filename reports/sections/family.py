"""Several benchmarks side by side, as papers print them: a row per variant, a column per task, each column judged by itself."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace

import pandas as pd
from matplotlib.figure import Figure

from benchmarks.benchmark import Benchmark
from benchmarks.spec import Scale
from reports.parts import dots, frame
from reports.parts.figure import draw_nothing
from reports.parts.judge import MARKED, common_seeds, describe_leader, judge, list_behind
from reports.parts.metric import metric_of
from reports.parts.report import SCALE_WORDS, Plot, Section
from reports.parts.style import WIDTH, drawing
from reports.parts.table import HOLE, Table
from reports.sections.matrix import MEAN_SHARE, Line, Share, arrange, compose_matrix, join_words, mean_shares

Columns = Mapping[str, Line]
"""Heading -> one test, its rows by variant, judged by themselves."""
SHARE = "mean share (%)"
"""The last column of a table of several tasks."""


def judge_columns(runs: pd.DataFrame, benchmarks: Sequence[Benchmark], scale: Scale) -> dict[str, Line]:
    """A column for the test of each benchmark, and one for each of its zero-shot tests."""
    columns: dict[str, Line] = {}
    units = {metric_of(b, scale).unit for b in benchmarks}
    for b in benchmarks:
        metric = metric_of(b, scale)
        of_task = dict(iter(runs[runs["benchmark"] == b.name].groupby("variant", sort=False))) if len(runs) else {}
        label = f"{b.name} ({metric.unit})" if len(units) > 1 else b.name
        tests = {"": metric.key} | {word: f"{metric.key}_{test}" for test, word in b.tests_at(scale).items()}
        for word, key in tests.items():
            reduced, of_key = join_words(b.reduced_at(scale), word), replace(metric, key=key)
            rows = judge({v: part for v, part in of_task.items() if key in part}, of_key)
            columns[join_words(label, reduced)] = Line(label, reduced, "", rows, of_key, further=key != metric.key)
    return columns


def compose_family(columns: Columns, variants: Sequence[str], scale: Scale, *, name: str, title: str) -> Section:
    """The table of all columns, and a panel of dots for each that has results."""
    found = {heading: column for heading, column in columns.items() if column.scored}
    label = next(iter(columns.values())).metric.label
    lines = [f"{dots.CAPTION} Dotted: the best constant answer, or the most that is known of it. Each panel has its own axis."]
    if any(r.at_chance for column in found.values() for r in column.rows.values()):
        lines.append("Grey and hollow: rows that do not beat a constant answer.")
    if idle := [heading for heading in columns if heading not in found]:
        lines.append(f"No run yet, so no panel: {', '.join(idle)}.")
    plot = Plot(
        name=f"{name}-scores",
        title=f"Test {label}, every seed",
        figure=draw_columns(found),
        alt=f"Dots of the test {label} of every seed and row, one panel per task.",
        caption="\n".join(lines),
    )
    table = tabulate_columns(columns, variants, name=f"{name}-results", title=f"{title}, {scale} scale")
    shares = compose_matrix([*columns.values()], variants, name=f"{name}-shares", what=title)
    return Section(name="results", title="Results", text=(SCALE_WORDS[scale],), parts=(table, shares, plot))


def _shares(columns: Columns, variants: Sequence[str]) -> dict[str, Share]:
    """The mean shares as the picture has them: of the rows that have a score anywhere."""
    lines = [*columns.values()]
    return mean_shares(lines, arrange(lines, variants)[1])


def describe_columns(columns: Columns, variants: Sequence[str]) -> tuple[str, ...]:
    """How far each row goes on average from the constant answer to the best row; and of each column, which row leads, and which are
    shown to be behind."""
    said = []
    shares = _shares(columns, variants)
    if len(shares) > 1:
        ranked = ", ".join(f"{v} {shares[v].show()}" for v in sorted(shares, key=lambda v: -shares[v].summary.mean))
        behind = "; ▾: shown to be behind the first" if "▾" in ranked else "; none is shown to be behind the first"
        said.append(f"Mean share of the way from the constant answer to the best row here, in %: {ranked}{behind}.")
    if leading := [f"{heading}: {words}." for heading, column in columns.items() if (words := _describe_column(column))]:
        said.append(
            "The best row of each task, before those that are shown to be behind it, by more than the 95 % interval of the difference: "
            + " ".join(leading)
        )
    return tuple(said)


def _describe_column(column: Line) -> str:
    """ "s4, 93.31 ± 1.51 (5) %, before hope (7.07)"; nothing where no row learns."""
    lead, behind = describe_leader(column.rows, column.metric), list_behind(column.rows, column.metric)
    if behind:
        return f"{lead}, before {', '.join(behind)}"
    return lead and lead + (", and none is shown to be" if common_seeds(column.rows) > 1 else ", and one seed in common shows nothing")


def tabulate_columns(columns: Columns, variants: Sequence[str], *, name: str, title: str) -> Table:
    """A row per variant and a column per task, and the mean share of the way to the best row; the constant answer below."""
    cells, marks, numbers = [], [], []
    for v in variants:
        of_row = {task: (column.rows[v], column.metric) for task, column in columns.items() if v in column.rows}
        cells.append({"variant": v} | {task: of_row[task][1].score(of_row[task][0].summary) if task in of_row else "" for task in columns})
        marks.append({"variant": ""} | {task: of_row[task][0].mark if task in of_row else "" for task in columns})
        for task, (r, metric) in of_row.items():
            s = r.summary
            numbers.append(
                {"variant": v, "benchmark": task, "metric": metric.key, "n": s.n, "mean": s.mean, "std": s.std, "mark": r.mark}
                | {"behind": r.behind.mean if r.behind else math.nan, "p_behind": r.p}
            )
    constants = {task: HOLE if column.chance is None else column.chance.show(column.metric) for task, column in columns.items()}
    cells.append({"variant": "constant answer"} | constants)
    marks.append(dict.fromkeys(cells[-1], ""))
    shown, marked = (pd.DataFrame(part, columns=["variant", *columns], dtype=object) for part in (cells, marks))
    shares = _shares(columns, variants) if len(columns) > 1 else {}
    if shares:
        shown[SHARE] = [*(shares[v].show() if v in shares else "" for v in variants), ""]
        marked[SHARE] = ""
    return Table(
        name=name, title=title, caption=_caption(columns, MEAN_SHARE if shares else ""), cells=shown, marks=marked,
        numbers=pd.DataFrame(numbers), left=("variant",),
    )  # fmt: skip


def _caption(columns: Columns, further: str = "") -> str:
    """How to read the table, line by line, with what is to be said of a `further` column."""
    metric = next(iter(columns.values())).metric
    units = {column.metric.unit for column in columns.values()}
    unit = metric.unit if len(units) == 1 else "the unit that stands in its head"
    lines = [f"Mean ± sample standard deviation (number of seeds) of the test {metric.label}, in {unit}; every column by itself."]
    drawn = {r.mark for column in columns.values() for r in column.rows.values()}
    if drawn & {"best", "tied"}:
        lines.append(MARKED.format("column"))
    else:
        lines.append("No row is marked as best: that takes five seeds which rows have in common.")
    if "chance" in drawn:
        lines.append("Grey, °: does not beat the constant answer, an accuracy by more than a test set of its size leaves to luck.")
    sign = "≥" if metric.higher else "≤"
    words = f"Constant answer: the best answer on this test set that does not look at the input; {sign}: "
    if metric.higher:
        words += "only a bound is known, the commonest class of the training labels or one in the number of classes."
    else:
        words += "only the mean of the training labels is known, and that of the test set errs no more."
    lines.append(f"{words} A dash: no run yet.")
    if further:
        lines.append(further)
    if made := frame.made_on(pd.concat([r.runs for column in columns.values() for r in column.rows.values()] or [pd.DataFrame()])):
        lines.append(f"Made on {made}.")
    return "\n".join(lines)


WIDE = 38
"""Characters of a title that fit over half a figure."""


def draw_columns(columns: Columns) -> Figure:
    """A panel of dots per column, two in a line, rows in the order given; dotted, what the constant answer scores."""
    if not columns:
        return draw_nothing("no finished run yet")
    lines, tall = -(-len(columns) // 2), max(len(column.rows) for column in columns.values())
    units = {column.metric.unit for column in columns.values()}
    with drawing():
        figure = Figure(figsize=(WIDTH, lines * (0.3 * tall + 0.85)), layout="constrained")
        axes = list(figure.subplots(lines, 2, squeeze=False).flat)
        for (title, column), ax in zip(columns.items(), axes):
            dots.draw_rows(ax, column.rows, column.metric)
            ax.tick_params(axis="y", pad=8)
            ax.set_title(title if len(title) <= WIDE else f"{column.label}\n{column.reduced}")
            dots.draw_chance(ax, column.chance, column.metric)
        for ax in axes[len(columns) :]:
            ax.set_axis_off()
        metric = next(iter(columns.values())).metric
        figure.supxlabel(f"test {metric.label}" + (f" ({metric.unit})" if len(units) == 1 else ""), fontsize=9)
    return figure
