"""The cells of a grid: a line for every combination of factors, a column for every level of the one it declares; every run as a dot."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from ablations.grid import NO_CHOICE, Ablation, describe_impossible
from reports.parts import dots, frame
from reports.parts.figure import draw_nothing
from reports.parts.judge import Judged, diverged, explain, judge
from reports.parts.metric import Metric
from reports.parts.report import SCALE_WORDS, Plot, Section
from reports.parts.style import WIDTH, Look, drawing, look, looks_of
from reports.parts.table import Table

Key = tuple[str, ...]
"""The levels of a cell, in the order of the grid's factors."""


def judge_cells(runs: pd.DataFrame, factors: Sequence[str], metric: Metric) -> dict[Key, Judged]:
    """Every cell against the best cell of the grid."""
    return judge(dict(iter(runs.groupby(list(factors), sort=False))) if len(runs) else {}, metric)


def compose_grid(cells: Mapping[Key, Judged], ablation: Ablation, metric: Metric, *, title: str) -> Section:
    """The table and the figure of all cells."""
    arrangement = arrange(cells, ablation)
    table = tabulate_grid(
        cells, name=f"{ablation.page}-grid", title=f"{title}, {ablation.scale} scale", metric=metric, factors=ablation.factors,
        columns=ablation.columns,
    )  # fmt: skip
    yardsticks = any(reference.yardstick for reference in arrangement.references.values())
    plot = Plot(
        name=f"{ablation.page}-dots",
        title="Every run of the grid",
        figure=draw_grid(arrangement, metric=metric),
        alt=f"Dots for every seed, a line per cell and a colour per {ablation.columns}"
        + ("; reference rows below." if yardsticks else "."),
        caption=dots.CAPTION + (" Long vertical lines carry the means of the reference rows up into the grid." if yardsticks else ""),
    )
    text = (SCALE_WORDS[ablation.scale], *describe_impossible(ablation.impossible()))
    return Section(name="grid", title="The grid", text=text, parts=(table, plot))


def name_level(factor: str, level: str) -> str:
    """A level as it is named without its column head: "yes" alone says nothing."""
    return f"{factor}: {level}" if level in ("yes", "no", "true", "false", "none") else level


def name_cells(cells: Mapping[Key, Judged], ablation: Ablation) -> dict[str, Judged]:
    """The cells by their levels in words, as a sentence names them."""
    out = {}
    for key, r in cells.items():
        row = dict(zip(ablation.factors, key))
        words = [name_level(f, level) for f, level in row.items() if f != ablation.apart and level != NO_CHOICE]
        out[" · ".join(words) + _set_apart(row, cells, ablation)] = r
    return out


def _set_apart(row: Mapping[str, str], cells: Mapping[Key, Judged], ablation: Ablation) -> str:
    """The level of the factor that only tells repeated rows apart, in brackets; nothing where it is the level of the first cell."""
    if not ablation.apart:
        return ""
    usual = next(iter(cells))[ablation.factors.index(ablation.apart)]
    level = row[ablation.apart]
    return f" ({level} {ablation.apart})" if level != usual else ""


def tabulate_grid(
    cells: Mapping[Key, Judged], *, name: str, title: str, metric: Metric, factors: Sequence[str], columns: str
) -> Table:  # fmt: skip
    """A line per combination of the other factors, a column per level of `columns`; all cells compared as one family."""
    lines_of = [f for f in factors if f != columns]
    at = factors.index(columns)
    levels = list(dict.fromkeys(key[at] for key in cells))
    chosen = [v for v in levels if v != NO_CHOICE]
    heads = {v: name_level(columns, v) for v in chosen} | ({NO_CHOICE: f"no {columns}"} if NO_CHOICE in levels else {})
    lines: dict[Key, dict[str, Judged]] = {}
    for key, r in cells.items():
        lines.setdefault((*key[:at], *key[at + 1 :]), {})[heads[key[at]]] = r
    texts, marks, numbers = [], [], []
    lost_any = any((r.runs["status"] == "diverged").any() for r in cells.values())
    for line, found in lines.items():
        labels = dict(zip(lines_of, line))
        text = {"diverged": diverged(pd.concat([r.runs for r in found.values()]))} if lost_any else {}
        for h in heads.values():
            lost = int((found[h].runs["status"] == "diverged").sum()) if h in found else 0
            text[h] = metric.score(found[h].summary) + (f", {lost} div." if lost else "") if h in found else ""
        texts.append(labels | text)
        marks.append(dict.fromkeys([*lines_of, "diverged"], "") | {h: found[h].mark if h in found else "" for h in heads.values()})
        for h, r in found.items():
            numbers.append(
                labels | {columns: h, "n": r.summary.n, "mean": r.summary.mean, "std": r.summary.std}
                | {"low": r.summary.low, "high": r.summary.high}
                | {"best": r.best, "behind": r.behind.mean if r.behind else math.nan}
                | {"behind_low": r.behind.low if r.behind else math.nan, "behind_high": r.behind.high if r.behind else math.nan}
                | {"p_behind": r.p, "mark": r.mark}
                | {f"runs_{k}": int((r.runs["status"] == k).sum()) for k in ("ok", "diverged", "failed", "missing")}
            )  # fmt: skip
    names = [*lines_of, *heads.values(), *(["diverged"] if lost_any else [])]
    caption = explain(cells, metric, behind=False)
    caption += "\nThe table of effects pools the settings and tests those."
    if made := frame.made_on(pd.concat([r.runs for r in cells.values()] or [pd.DataFrame()])):
        caption += f"\nMade on {made}."
    caption += "\nA dash stands for a choice that the row does not have." if any(NO_CHOICE in line for line in lines) else ""
    caption += " div.: diverged runs, not in the mean; diverged: their share among all runs of a line that are over." if lost_any else ""
    return Table(
        name=name, title=title, caption=caption, cells=pd.DataFrame(texts, columns=names, dtype=object),
        marks=pd.DataFrame(marks, columns=names, dtype=object), numbers=pd.DataFrame(numbers), left=tuple(lines_of),
    )  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Reference:
    """A row for comparison: how it stands, how it looks, and whether its mean is a yardstick for the grid."""

    row: Judged
    look: Look
    yardstick: bool


@dataclass(frozen=True, kw_only=True)
class Arrangement:
    """The cells of a grid as its figure shows them."""

    crossed: Mapping[tuple[str, str, str], Judged]
    """(panel, line, colour) -> row, as in (complex, lin, zoh)."""
    references: Mapping[str, Reference]
    """By the name of the row."""
    panels: str
    """The factor that the panels stand for; empty for a single panel."""
    colors: str
    """The factor that the colours stand for."""


def arrange(cells: Mapping[Key, Judged], ablation: Ablation) -> Arrangement:
    """The colours are the columns of the table. Of the other factors that vary, the one with the fewest levels makes the panels and the
    rest the lines; where only one varies there is one panel."""
    apart = {tuple(cell.row.values()) for cell in ablation.cells() if cell.reference}
    factors = ablation.factors
    at = {f: i for i, f in enumerate(factors)}
    crossed = {k: r for k, r in cells.items() if k not in apart}
    levels = {f: len({k[at[f]] for k in crossed}) for f in factors if f != ablation.columns}
    varying = sorted((f for f in levels if levels[f] > 1), key=levels.__getitem__)
    panels = varying[0] if len(varying) > 1 else ""
    plain = lambda f: (NO_CHOICE, ablation.fixed.get(f))  # needs no word
    placed = {}
    for key, r in crossed.items():
        words = [name_level(f, key[at[f]]) for f in levels if f in varying and f != panels and key[at[f]] not in plain(f)]
        panel = name_level(panels, key[at[panels]]) if panels else ""
        placed[panel, " · ".join(words) or key[0], key[at[ablation.columns]]] = r
    references = {}
    for key in (k for k in cells if k in apart):
        bracket = _set_apart(dict(zip(factors, key)), cells, ablation)
        references[key[0] + bracket] = Reference(row=cells[key], look=look(key[0].lower()), yardstick=not bracket)
    return Arrangement(
        crossed=placed, references=references, panels=panels if panels != factors[0] else "", colors=ablation.columns
    )  # fmt: skip


def _name_panel(level: str, factor: str) -> str:
    """ "complex state", "learning rate x 3", "no B"; the level alone where it is of several words, which say what it is of."""
    if level == NO_CHOICE:
        return f"no {factor}"
    if factor and (level[:1].isdigit() or level.startswith("x ")):
        return f"{factor} {level}"
    return level if " " in level else f"{level} {factor}".strip()


Lines = Sequence[tuple[str, Sequence[tuple[Judged, Look]]]]
"""Named lines of a panel, each with the rows that are drawn on it and how they look."""


def draw_grid(arrangement: Arrangement, *, metric: Metric) -> Figure:
    """A panel of lines for each level of `panels`, the columns in colours; the reference rows have a panel of their own, and those that
    are yardsticks carry a line up through the grid."""
    crossed, references = arrangement.crossed, arrangement.references
    everything = [*crossed.values(), *(reference.row for reference in references.values())]
    if not any(r.scores for r in everything):
        return draw_nothing("no finished run of the grid yet")
    looks = looks_of(list(dict.fromkeys(k[2] for k in crossed)))
    span = dots.span_of(everything, metric, 0.1)
    blocks: list[tuple[str, Lines]] = []
    for panel in dict.fromkeys(k[0] for k in crossed):
        names = dict.fromkeys(k[1] for k in crossed if k[0] == panel)
        inside = [(n, [(crossed[panel, n, h], looks[h]) for h in looks if (panel, n, h) in crossed]) for n in names]
        blocks.append((_name_panel(panel, arrangement.panels), inside))
    if references:
        blocks.append(("reference rows", [(n, [(reference.row, reference.look)]) for n, reference in references.items()]))
    with drawing():
        heights = [sum(0.5 + 0.5 * len(rows) for _, rows in lines) for _, lines in blocks]
        figure = Figure(figsize=(WIDTH, 0.3 * sum(heights) + 0.25 * len(blocks) + 0.7), layout="constrained")
        axes = figure.subplots(len(blocks), 1, squeeze=False, sharex=True, height_ratios=heights)[:, 0]
        for ax, (title, lines) in zip(axes, blocks):
            for y, (_, rows) in enumerate(lines):
                step = 0.68 / len(rows) if len(rows) > 1 else 0
                for j, (r, style) in enumerate(rows):
                    dots.draw_row(ax, y + step * (j - (len(rows) - 1) / 2), r, style, metric, span, tall=0.4 * step or 0.28)
            for reference in references.values():
                if reference.yardstick and reference.row.scores:
                    mean, style = metric.factor * reference.row.summary.mean, reference.look
                    ax.axvline(mean, color=style.color, lw=1, ls=style.dash, alpha=0.75, zorder=0.5)
            ax.set_title(title, fontweight="bold")
            dots.set_lines(ax, [name for name, _ in lines], room=0.6)
        axes[0].set_xlim(span.low, span.high)
        axes[-1].set_xlabel(f"test {metric.label} ({metric.unit})")
        if len(looks) > 1:
            handles = [Line2D([], [], ls="", marker=style.marker, color=style.color, ms=6, label=h) for h, style in looks.items()]
            figure.legend(handles=handles, loc="outside upper right", ncols=len(looks), title=arrangement.colors, title_fontsize=8)
    return figure
