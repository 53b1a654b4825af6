"""Scores of a grid along a factor whose levels have an order: rates, lengths, sizes; a line for every combination of the others."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from ablations.grid import NO_CHOICE, Ablation
from models import VARIANTS
from reports.parts import dots
from reports.parts.figure import draw_nothing, lay_out_panels, name_panel
from reports.parts.judge import Judged
from reports.parts.metric import Metric
from reports.parts.report import Plot, Section
from reports.parts.style import GREY, INK, MUTED, PAPER, WIDTH, Look, drawing, looks_of
from reports.sections.grid import Key, judge_cells, name_level

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Line = Mapping[str, Judged]
"""The cells of a line by their level of the ordered factor."""


def compose_along(cells: Mapping[Key, Judged], ablation: Ablation, metric: Metric) -> Section:
    """The figure of all lines."""
    lines = lines_along(cells, ablation)
    lost = any((r.runs["status"] == "diverged").any() for line in lines.values() for r in line.values())
    plot = Plot(
        name=f"{ablation.page}-along",
        title=f"Test {metric.label} along {ablation.along}",
        figure=draw_along(lines, ablation, metric),
        alt=f"Test {metric.label} against {ablation.along}, a line for every combination of the other factors, every seed a dot.",
        caption="Line: mean over the finished seeds, each of which is a dot. Levels in their order, equally spaced."
        + ("\nBelow: the share of runs that diverged; they are not in the means above." if lost else ""),
    )
    return Section(name="along", title=f"Along {ablation.along}", parts=(plot,))


def compose_tries(runs: pd.DataFrame, axes: Sequence[str], metric: Metric, *, name: str) -> Section:
    """The scores of every row of a benchmark at all the rates that it tried, along the first of `axes`."""
    factors = ("variant", *axes)
    cells = judge_cells(runs, factors, metric)
    drawn = draw_panels(_split(cells, factors, axes[0]), [f for f in factors if f != axes[0]], axes[0], "variant", metric)
    plot = Plot(
        name=f"{name}-along",
        title=f"Test {metric.label} at every rate that was tried",
        figure=drawn,
        alt=f"Test {metric.label} against {axes[0]}, a panel per row, every seed a dot.",
        caption="Line: mean over the finished seeds, each of which is a dot; grey: the means of the other rows. Levels in their order, "
        "equally spaced. The rates of a row are chosen on validation, not here.",
    )
    return Section(name="along", title="Every rate that was tried", parts=(plot,))


def lines_along(cells: Mapping[Key, Judged], ablation: Ablation) -> Mapping[Key, Line]:
    """The levels of the other factors -> the cells of that line. References are left out: they do not vary along it."""
    apart = {tuple(cell.row.values()) for cell in ablation.cells() if cell.reference}
    return _split({key: r for key, r in cells.items() if key not in apart}, ablation.factors, ablation.along)


def _split(cells: Mapping[Key, Judged], factors: Sequence[str], along: str) -> Mapping[Key, Line]:
    at = factors.index(along)
    out: dict[Key, dict[str, Judged]] = {}
    for key, r in cells.items():
        if key[at] != NO_CHOICE:
            out.setdefault((*key[:at], *key[at + 1 :]), {})[key[at]] = r
    return out


def name_line(key: Key, others: Sequence[str]) -> str:
    """A line by its levels of the factors that are not along it."""
    return " · ".join(name_level(f, v) for f, v in zip(others, key) if v != NO_CHOICE)


def ordered(levels: Iterable[str]) -> list[str]:
    """Levels by the number in them, as in "x 1/3" or "64"; as they come, where one has none."""
    names = list(levels)
    found = [re.search(r"(\d+(?:\.\d+)?)(?:/(\d+))?", name) for name in names]
    values = {name: float(m[1]) / float(m[2] or 1) for name, m in zip(names, found, strict=True) if m}
    return sorted(names, key=values.__getitem__) if len(values) == len(names) else names


def draw_along(lines: Mapping[Key, Line], ablation: Ablation, metric: Metric) -> Figure:
    """All lines in one pair of axes, with the share of diverged runs below where there are any; a panel for each row of a grid in which
    rows are tuned."""
    everything = [r for line in lines.values() for r in line.values()]
    if not any(r.scores for r in everything):
        return draw_nothing("no finished run of the grid yet")
    levels = ordered({level: None for line in lines.values() for level in line})
    others = [f for f in ablation.factors if f != ablation.along]
    if ablation.tuned:
        return draw_panels(lines, others, ablation.along, ablation.tuned, metric)
    names = {key: name_line(key, others) for key in lines}
    looks = looks_of(list(names.values()), VARIANTS)
    lost = {key: [_share_lost(line[v]) if v in line else None for v in levels] for key, line in lines.items()}
    with drawing():
        below = any(share for shares in lost.values() for share in shares)
        figure = Figure(figsize=(WIDTH, max(3.4, 0.24 * len(lines) + 1) + (1.3 if below else 0)), layout="constrained")
        axes = figure.subplots(2 if below else 1, 1, squeeze=False, sharex=True, height_ratios=[3, 1] if below else [1])[:, 0]
        for number, (key, line) in enumerate(lines.items()):
            style, shift = looks[names[key]], 0.03 * (number - (len(lines) - 1) / 2)
            _draw_line(axes[0], line, levels, style, metric, shift=shift, label=names[key])
            if below:
                points = [(i + shift, 100 * share) for i, share in enumerate(lost[key]) if share is not None]
                axes[1].plot(*zip(*points), color=style.color, ls=style.dash, marker=style.marker, ms=0.8 * style.size, mec=PAPER, mew=0.5)
        if below:
            axes[1].set_ylabel("diverged (%)")
            axes[1].set_ylim(-6, 106)
        span = dots.span_of(everything, metric, 0.06)
        axes[0].set_ylim(span.low, span.high)
        axes[0].set_ylabel(f"test {metric.label} ({metric.unit})")
        _name_levels(axes[-1], levels)
        axes[-1].set_xlabel(ablation.along)
        figure.legend(loc="outside right upper")
    return figure


def _draw_line(ax: Axes, line: Line, levels: Sequence[str], style: Look, metric: Metric, *, shift: float = 0.0, label: str = "") -> None:
    """Means joined, every seed a dot."""
    at = [i for i, level in enumerate(levels) if level in line and line[level].scores]
    means = [metric.factor * line[levels[i]].summary.mean for i in at]
    ax.plot(
        [i + shift for i in at],
        means,
        color=style.color,
        ls=style.dash,
        marker=style.marker,
        ms=style.size,
        mec=PAPER,
        mew=0.5,
        label=label,
    )
    for i in at:
        scores = [metric.factor * x for x in line[levels[i]].scores.values()]
        ax.plot([i + shift] * len(scores), scores, ls="", marker=".", ms=5.5, color=style.color, alpha=0.75, mew=0)


def draw_panels(lines: Mapping[Key, Line], others: Sequence[str], along: str, row_factor: str, metric: Metric) -> Figure:
    """A panel for each level of `row_factor`: a line for each level of what else is varied, those of the other rows thin and grey behind.
    `others` names the levels in the keys of `lines`."""
    if not any(r.scores for line in lines.values() for r in line.values()):
        return draw_nothing("no finished run yet")
    levels = ordered({level: None for line in lines.values() for level in line})
    at = others.index(row_factor)
    rows = list(dict.fromkeys(key[at] for key in lines))
    rest = {key: " · ".join(f"{f} {v}" for f, v in zip(others, key) if f != row_factor) for key in lines}
    looks = looks_of(rows, VARIANTS)
    second = list(dict.fromkeys(rest.values()))
    with drawing():
        figure, axes = lay_out_panels(len(rows), columns=4, height=1.95)
        for ax, row in zip(axes, rows):
            for key, line in lines.items():
                if key[at] != row and rest[key] == second[0]:
                    points = [i for i, level in enumerate(levels) if level in line and line[level].scores]
                    ax.plot(points, [metric.factor * line[levels[i]].summary.mean for i in points], color=GREY, alpha=0.35, lw=0.8)
            for key, line in lines.items():
                if key[at] == row:
                    number = second.index(rest[key])
                    _draw_line(ax, line, levels, _hollow(looks[row], number), metric, shift=0.12 * number)
            name_panel(ax, row)
            _name_levels(ax, levels)
        span = dots.span_of([r for line in lines.values() for r in line.values()], metric, 0.06)
        axes[0].set_ylim(span.low, span.high)
        figure.supxlabel(along, fontsize=9, color=INK)
        figure.supylabel(f"test {metric.label} ({metric.unit})", fontsize=9, color=INK)
        handles = [_handle(number, words) for number, words in enumerate(second)]
        figure.legend(handles=handles, loc="outside upper right", ncols=len(second))
    return figure


def _hollow(style: Look, number: int) -> Look:
    """The look of a row at the first level of what is varied besides; at the others with other markers."""
    return style if number == 0 else Look(style.color, "DsP*"[(number - 1) % 4], ":")


def _handle(number: int, words: str) -> Line2D:
    style = _hollow(Look(MUTED, "o", "-"), number)
    return Line2D([], [], color=style.color, ls=style.dash, marker=style.marker, ms=6, label=words)


def _name_levels(ax: Axes, levels: Sequence[str]) -> None:
    ax.set_xticks(range(len(levels)), list(levels))
    ax.set_xlim(-0.4, len(levels) - 0.6)


def _share_lost(r: Judged) -> float | None:
    """The share of diverged runs among those that are over."""
    lost, ok = int((r.runs["status"] == "diverged").sum()), int((r.runs["status"] == "ok").sum())
    return lost / (lost + ok) if lost + ok else None
