"""Rows of dots: every seed a dot, the mean a stroke, the 95 % t interval a pale bar; how every figure of scores is drawn."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from reports.parts import stats
from reports.parts.chance import Chance
from reports.parts.judge import Judged
from reports.parts.metric import Metric
from reports.parts.style import INK, MUTED, PAPER, Look, look

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from matplotlib.axes import Axes

CAPTION = (
    "Every finished seed is a dot, the upright stroke the mean, the pale bar its 95 % t interval (an arrow: it goes on outside the frame)."
)


@dataclass(frozen=True)
class Span:
    """The part of the horizontal axis that is drawn, in the unit of the metric; what goes on outside has an arrow at its edge."""

    low: float
    high: float


def span_of(rows: Iterable[Judged], metric: Metric, margin: float) -> Span:
    """From the lowest to the highest score, and `margin` of that distance more on either side; never so little that noise looks like a
    difference, and of a share never beyond 0 and 100 % by more than a dot's width."""
    values = [metric.factor * x for r in rows for x in r.scores.values()]
    low, high = min(values), max(values)
    least = LEAST_POINTS if metric.unit == "%" else LEAST_SHARE * max(abs(low), abs(high)) or 1.0
    lack = max(0.0, least - (high - low)) / 2
    pad = margin * max(high - low, least)
    low, high = low - lack - pad, high + lack + pad
    return Span(max(low, -3.0), min(high, 103.0)) if metric.unit == "%" else Span(low, high)


LEAST_POINTS, LEAST_SHARE = 5.0, 0.1
"""The least distance an axis spans: of an accuracy in points, of an error as a share of the largest."""


def draw_rows(ax: Axes, rows: Mapping[str, Judged], metric: Metric, names: Sequence[str] = ()) -> None:
    """Variants from top to bottom, each in its own look and under its name (or `names`), with the mean written at the right edge."""
    span = span_of(rows.values(), metric, 0.12)
    for i, (variant, r) in enumerate(rows.items()):
        draw_row(ax, i, r, look(variant), metric, span, tall=0.28)
        if r.scores:
            diverged = int((r.runs["status"] == "diverged").sum())
            words = metric.show(r.summary.mean) + (f"  ({diverged} diverged)" if diverged else "")
            place: dict[str, Any] = {"xycoords": ("axes fraction", "data"), "textcoords": "offset points"}
            color = MUTED if r.at_chance else INK
            ax.annotate(words, (1, i), xytext=(8, 0), va="center", fontsize=8, color=color, **place)
    set_lines(ax, list(names or rows), room=0.6)
    ax.set_xlim(span.low, span.high)


def draw_chance(ax: Axes, chance: Chance | None, metric: Metric) -> None:
    """A dotted line at what the best constant answer scores, into the frame where it lies outside."""
    if chance is None:
        return
    at = metric.factor * chance.value
    left, right = ax.get_xlim()
    room = 0.04 * (max(right, at) - min(left, at))
    ax.set_xlim(min(left, at - room), max(right, at + room))
    ax.axvline(at, color=MUTED, lw=1.2, ls=":", zorder=1)


def set_lines(ax: Axes, names: Sequence[str], *, room: float) -> None:
    """A vertical axis of named lines, the first on top, `room` above it and below the last, without ticks, grid or spine."""
    ax.set_yticks(range(len(names)), list(names))
    ax.set_ylim(len(names) - 1 + room, -room)
    ax.grid(axis="y", visible=False)
    ax.tick_params(axis="y", length=0)
    ax.spines["left"].set_visible(False)


def draw_row(ax: Axes, y: float, r: Judged, style: Look, metric: Metric, span: Span, *, tall: float) -> None:
    """One row at height `y`: interval bar, mean stroke of half height `tall`, a dot per seed; or why there is none."""
    if not r.scores:
        ax.text(span.low, y, f"  {_why_none(r)}", va="center", ha="left", color=MUTED, fontsize=7.5, style="italic", zorder=4)
        return
    color = MUTED if r.at_chance else style.color
    draw_interval(ax, y, r.summary, color, metric, span)
    ax.plot([metric.factor * r.summary.mean] * 2, [y - tall, y + tall], color=color, lw=1.8)
    ax.plot(
        [metric.factor * x for x in r.scores.values()],
        y + fan(r.summary.n) * min(1, tall / 0.2),
        ls="",
        marker=style.marker,
        color=color,
        ms=style.size,
        mfc=PAPER if r.at_chance else color,
        mec=color if r.at_chance else PAPER,
        mew=0.9 if r.at_chance else 0.6,
        zorder=3,
    )


def draw_interval(ax: Axes, y: float, s: stats.Summary, color: str, metric: Metric, span: Span) -> None:
    """The pale bar. That of two or three seeds can be wider than all the data: it is cut at the edge, where an arrow says so."""
    if s.n < 2:
        return
    low, high = metric.factor * s.low, metric.factor * s.high
    ax.hlines(y, max(low, span.low), min(high, span.high), color=color, lw=5, alpha=0.25)
    for out, edge, arrow in ((low < span.low, span.low, "<"), (high > span.high, span.high, ">")):
        if out:
            ax.plot(edge, y, marker=arrow, color=color, ms=4, clip_on=False, mew=0)


def fan(n: int) -> np.ndarray:
    """n small heights that keep dots of equal value apart."""
    return 0.12 * (np.arange(n) - (n - 1) / 2)


def _why_none(r: Judged) -> str:
    count = r.runs["status"].value_counts()
    return "no finished run: " + ", ".join(f"{count[k]} {k}" for k in ("diverged", "failed", "missing") if k in count)
