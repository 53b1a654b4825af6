"""Figures as pure functions of frames and arrays: nothing here reads a file, opens a window or knows the date."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from io import BytesIO
from typing import TYPE_CHECKING, Any

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patheffects import withStroke
from matplotlib.ticker import MaxNLocator

from reports.parts import stats
from reports.parts.style import BLUE, GREEN, GREY, GRID, INK, MUTED, ORANGE, PAPER, PURPLE, RC, SKY, VERMILLION, WIDTH, look
from reports.tables import Metric, Row

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Pair = tuple[np.ndarray, np.ndarray]
"""The same array before and after training."""


def save(figure: Figure, kind: str, *, transparent: bool = False) -> bytes:
    """The figure as svg, png or pdf bytes that are the same every time: no date, no random ids."""
    buffer = BytesIO()
    with mpl.rc_context(RC):
        metadata = {"svg": {"Date": None, "Creator": None}, "png": {"Software": None}, "pdf": {"CreationDate": None}}[kind]
        figure.savefig(buffer, format=kind, metadata=metadata, transparent=transparent)
    if kind != "svg":
        return buffer.getvalue()
    # hundredths of a point are enough for paths, and halve the file
    return re.sub(rb' d="[^"]*"', lambda d: re.sub(rb"(\.\d\d)\d+", rb"\1", d[0]), buffer.getvalue())


def _name(ax: Axes, variant: str) -> None:
    """The variant above its panel, smaller where it is long, so that it leaves room for the number of seeds."""
    ax.set_title(variant, fontweight="bold", fontsize=9.5 if len(variant) <= 16 else 7.2)


def _panels(n: int, *, columns: int, height: float) -> tuple[Figure, list[Axes]]:
    """A figure with n axes of equal scales in rows of at most `columns`, and the empty places of the last row removed."""
    columns = min(columns, n)
    rows = math.ceil(n / columns)
    figure = Figure(figsize=(WIDTH, rows * height), layout="constrained")
    grid = figure.subplots(rows, columns, squeeze=False, sharex=True, sharey=True)
    axes = list(grid.flat)
    for spare in axes[n:]:
        spare.remove()
    for ax in axes[max(0, n - columns) : n]:  # above a removed place too there is a last axis that carries the labels
        ax.tick_params(labelbottom=True)
    return figure, axes[:n]


def _halo(width: float = 3) -> list[Any]:
    return [withStroke(linewidth=width, foreground=PAPER)]


def _empty(words: str) -> Figure:
    """What a figure without any record looks like: it says so."""
    figure = Figure(figsize=(WIDTH, 1.1), layout="constrained")
    ax = figure.subplots()
    ax.set_axis_off()
    ax.text(0.5, 0.5, words, ha="center", va="center", color=MUTED, transform=ax.transAxes)
    return figure


def learning_curves(history: pd.DataFrame, *, metric: Metric, order: Sequence[str]) -> Figure:
    """Validation metric against epoch: one panel per variant, mean line and min-max band over seeds, the other variants thin and grey."""
    column = metric.val_key
    if history.empty or column not in history or history[column].notna().sum() == 0:
        return _empty("no learning curve yet: no record has a history")
    data = history.dropna(subset=[column])
    by_epoch = lambda part: part.groupby("epoch")[column].agg(["mean", "min", "max"]) * metric.factor
    curves = {v: by_epoch(part) for v, part in data.groupby("variant", sort=False)}
    shown = [v for v in order if v in curves]
    with mpl.rc_context(RC):
        figure, axes = _panels(len(shown), columns=4, height=1.95)
        for ax, variant in zip(axes, shown):
            for other in shown:
                if other != variant:
                    ax.plot(curves[other].index + 1, curves[other]["mean"], color=GREY, alpha=0.35, lw=0.8)
            mine, style = curves[variant], look(variant)
            ax.fill_between(mine.index + 1, mine["min"], mine["max"], color=style.color, alpha=0.22, lw=0)
            ax.plot(mine.index + 1, mine["mean"], color=style.color, ls=style.dash)
            ax.plot(mine.index[-1] + 1, mine["mean"].iloc[-1], marker=style.marker, color=style.color, ms=5, clip_on=False, zorder=3)
            seeds = data.loc[data["variant"] == variant, "seed"].nunique()
            _name(ax, variant)
            ax.set_title(f"n = {seeds}", loc="right", color=MUTED, fontsize=8)
            ax.xaxis.set_major_locator(MaxNLocator(nbins=5, integer=True))
        figure.supxlabel("epoch", fontsize=9, color=INK)
        figure.supylabel(f"validation {metric.label} ({metric.unit})", fontsize=9, color=INK)
    return figure


def kernels(panels: Mapping[str, Pair], *, channels: int = 3) -> Figure:
    """K(t) before and after training: a row per variant, a few channels each, the same y axis on both sides of a row.

    panels: variant -> two arrays (channels, L).
    """
    if not panels:
        return _empty("no kernels yet: no record carries arrays")
    with mpl.rc_context(RC):
        figure = Figure(figsize=(WIDTH, 0.95 * len(panels) + 0.8), layout="constrained")
        grid = figure.subplots(len(panels), 2, squeeze=False, sharex=True, sharey="row")
        for (variant, pair), axes in zip(panels.items(), grid):
            color = look(variant).color
            n = len(pair[0])
            shown = [K[np.linspace(0, n - 1, min(channels, n)).round().astype(int)] for K in pair]
            for ax, K in zip(axes, shown):
                for curve, alpha in zip(K, (1.0, 0.6, 0.35) * channels):
                    ax.plot(curve, color=color, lw=1.1, alpha=alpha)
                ax.axhline(0, color=MUTED, lw=0.5, zorder=0)
                ax.locator_params(axis="y", nbins=3)
            # one or two first lags can be far larger than all the rest (HOPE's are): they are cut, and the maximum is written
            most, usual = (max(float(f(np.abs(K))) for K in shown) for f in (np.max, lambda a: np.quantile(a, 0.985)))
            limit = (1.08 * most if most < 3 * usual else 1.25 * usual) or 1.0
            axes[0].set_ylim(-limit, limit)
            axes[0].set_ylabel(variant, rotation=0, ha="right", va="center", fontweight="bold")
            before, after = (float(np.abs(K).max()) for K in shown)
            axes[1].annotate(
                f"max |K|\n{before:.2g} → {after:.2g}",
                (1, 0.5),
                xycoords="axes fraction",
                xytext=(8, 0),
                textcoords="offset points",
                va="center",
                fontsize=7.5,
                color=MUTED,
            )
            axes[0].set_xlim(0, pair[0].shape[-1] - 1)
        for ax, words in zip(grid[0], ("before training", "after training")):
            ax.set_title(words)
        figure.supxlabel("lag t (steps)", fontsize=9, color=INK)
        figure.supylabel("kernel K(t)", fontsize=9, color=INK)
    return figure


def time_constants(A_bar: np.ndarray) -> tuple[np.ndarray, np.ndarray, int]:
    """tau = -1 / ln|A_bar| in steps and omega = |arg A_bar| in rad per step of each mode with 0 < |A_bar| < 1; how many are not such."""
    flat = np.asarray(A_bar, dtype=np.complex128).ravel()
    size = np.abs(flat)
    inside = (size > 0) & (size < 1) & np.isfinite(size)
    return -1 / np.log(size[inside]), np.abs(np.angle(flat[inside])), int((~inside).sum())


def eigenvalues(panels: Mapping[str, Pair]) -> Figure:
    """Every discrete eigenvalue as memory against rotation, before (grey) and after training (colour), one panel per variant."""
    if not panels:
        return _empty("no eigenvalues yet: no record of a kernel with a recurrence carries arrays")
    with mpl.rc_context(RC):
        figure, axes = _panels(len(panels), columns=4, height=2.15)
        for ax, (variant, pair) in zip(axes, panels.items()):
            style = look(variant)
            lost = 0
            real = all((time_constants(a)[1] < 1e-3).all() for a in pair)
            for a, (color, size, alpha, top) in zip(pair, ((GREY, 9, 0.45, 0.62), (style.color, 5, 0.55, 0.36))):
                tau, omega, gone = time_constants(a)
                lost += gone
                if real:  # all on one line: strokes show how many there are, dots would hide one another
                    ax.vlines(np.unique(tau.round(6)), 0, top, color=color, lw=0.8, alpha=0.75)
                else:
                    ax.scatter(tau, omega, s=size, c=color, alpha=alpha, lw=0, rasterized=True, clip_on=False)
            if real:
                ax.text(
                    0.5, 0.5, "all poles real and positive:\nthey decay, none rotates", transform=ax.transAxes, ha="center", va="center",
                    fontsize=7.5, color=MUTED, path_effects=_halo(),
                )  # fmt: skip
            if lost:
                place: dict[str, Any] = {"transform": ax.transAxes, "ha": "right", "va": "top"}
                ax.text(0.97, 0.95, f"{lost} not drawn", fontsize=7, color=MUTED, path_effects=_halo(), **place)
            _name(ax, variant)
            ax.set_xscale("log")
            ax.set_ylim(-0.08, math.pi + 0.08)
            ax.set_yticks([0, math.pi / 2, math.pi], ["0", "π/2", "π"])
        handles = [
            Line2D([], [], marker="o", ls="", color=GREY, alpha=0.8, ms=5, label="before training"),
            Line2D([], [], marker="o", ls="", color=INK, ms=5, label="after training (in the colour of the variant)"),
        ]
        figure.legend(handles=handles, loc="outside upper left", ncols=2, handletextpad=0.2)
        figure.supxlabel("time constant −1 / ln |Ā| (steps, log scale)", fontsize=9, color=INK)
        figure.supylabel("rotation |arg Ā| (rad per step)", fontsize=9, color=INK)
    return figure


def memory(panels: Mapping[str, Pair], *, lags: tuple[int, int] | None = None, lags_label: str = "") -> Figure:
    """|K(t)| over all channels after training: median, quartile band, min-max band (HOPE's Fig. 6 right), the median before dashed.

    panels: variant -> two arrays (5, L): min, 25 %, median, 75 %, max. lags: the lags at which the signal is read.
    """
    if not panels:
        return _empty("no impulse responses yet: no record carries arrays")
    return _bands(panels, "lag t (steps)", "|K(t)| (log scale)", first=0, depth=1e-7, span=lags, span_label=lags_label)


POINTS = 256
"""More lags than this are drawn in windows: a line of thousands of zeros crossed is a smear."""


def window(L: int) -> int:
    """Lags per drawn point."""
    return -(-L // POINTS)


def _windowed(q: np.ndarray) -> np.ndarray:
    """(5, L) -> (5, L / window): the least of the minima, the medians of the quartiles, the largest of the maxima."""
    k = window(q.shape[-1])
    if k == 1:
        return q
    parts = q[:, : q.shape[-1] // k * k].reshape(5, -1, k)
    return np.concatenate([parts[:1].min(-1), np.median(parts[1:4], axis=-1), parts[4:].max(-1)])


def hankel(panels: Mapping[str, Pair]) -> Figure:
    """Relative Hankel singular values sigma_n / sigma_1 over all channels, drawn like `memory`; how many are large is the rank in use.

    panels: variant -> two arrays (H, N), each row falling from 1.
    """
    if not panels:
        return _empty("no Hankel singular values yet: no record of a kernel with a recurrence carries arrays")
    quartiles = {v: (_quartiles(pair[0]), _quartiles(pair[1])) for v, pair in panels.items()}
    return _bands(quartiles, "index n", "σₙ / σ₁ (log scale)", first=1, depth=1e-8)


def _quartiles(values: np.ndarray) -> np.ndarray:
    """(H, N) -> (5, N): min, 25 %, median, 75 %, max over the channels."""
    return np.quantile(values, [0, 0.25, 0.5, 0.75, 1], axis=0)


def _bands(
    panels: Mapping[str, Pair], x: str, y: str, *, first: int, depth: float, span: tuple[int, int] | None = None, span_label: str = ""
) -> Figure:
    """One panel per variant on log scale: five quantiles after training as line and bands, the median before dashed. What lies more
    than `depth` below the largest value is drawn on the floor."""
    top = max(float(np.nanmax(p[1][4])) for p in panels.values()) * 2
    low = top * depth
    with mpl.rc_context(RC):
        figure, axes = _panels(len(panels), columns=4, height=2.0)
        for ax, (variant, (before, after)) in zip(axes, panels.items()):
            style = look(variant)
            k = window(after.shape[-1])
            a, b = np.maximum(_windowed(after), low), np.maximum(_windowed(before), low)
            t = first + k * np.arange(a.shape[-1]) + (k - 1) / 2
            if span is not None:
                ax.axvspan(*span, color=GRID, alpha=0.7, lw=0, zorder=0)
            ax.fill_between(t, a[0], a[4], color=style.color, alpha=0.15, lw=0)
            ax.fill_between(t, a[1], a[3], color=style.color, alpha=0.32, lw=0)
            ax.plot(t, a[2], color=style.color, lw=1.5)
            ax.plot(t, b[2], color=MUTED, lw=0.9, ls=(0, (4, 2)))
            _name(ax, variant)
            ax.set_yscale("log")
            ax.set_ylim(low, top)
            ax.set_xlim(t[0], t[-1])
            ax.xaxis.set_major_locator(MaxNLocator(nbins=5, integer=True))
        handles: list[Any] = [
            Line2D([], [], color=INK, lw=1.5, label="median after training"),
            Line2D([], [], color=INK, lw=7, alpha=0.35, label="middle half"),
            Line2D([], [], color=INK, lw=7, alpha=0.15, label="min to max"),
            Line2D([], [], color=MUTED, lw=0.9, ls=(0, (4, 2)), label="median before"),
        ]
        if span is not None and span_label:
            handles.append(Line2D([], [], color=GRID, lw=7, label=span_label))
        figure.legend(handles=handles, loc="outside upper left", ncols=5, columnspacing=1.4, handlelength=1.6)
        figure.supxlabel(x, fontsize=9, color=INK)
        figure.supylabel(y, fontsize=9, color=INK)
    return figure


def accuracy_dots(rows: Mapping[str, Row], *, metric: Metric) -> Figure:
    """Every seed a dot, the mean a stroke and the 95 % t interval a bar; sorted, the best on top."""
    if not any(r.scores for r in rows.values()):
        return _empty("no finished run yet")
    sign = -1 if metric.higher else 1
    ordered = sorted(rows, key=lambda v: (rows[v].summary.n == 0, sign * (rows[v].summary.mean if rows[v].summary.n else 0)))
    with mpl.rc_context(RC):
        figure = Figure(figsize=(WIDTH, 0.34 * len(rows) + 0.9), layout="constrained")
        ax = figure.subplots()
        _dot_rows(ax, [(v, rows[v], look(v).color, look(v).marker) for v in ordered], metric)
        ax.set_xlabel(f"test {metric.label} ({metric.unit})")
    return figure


def panels_of_dots(panels: Mapping[str, Mapping[str, Row]], constants: Mapping[str, float], *, metric: Metric) -> Figure:
    """`accuracy_dots` of several tasks: a panel each, two in a line, rows in the order given; dotted, what the constant answer scores."""
    if not panels:
        return _empty("no finished run yet")
    lines, tall = -(-len(panels) // 2), max(len(rows) for rows in panels.values())
    with mpl.rc_context(RC):
        figure = Figure(figsize=(WIDTH, lines * (0.3 * tall + 0.85)), layout="constrained")
        axes = list(figure.subplots(lines, 2, squeeze=False).flat)
        for (title, rows), ax in zip(panels.items(), axes):
            _dot_rows(ax, [(v, r, look(v).color, look(v).marker) for v, r in rows.items()], metric)
            ax.tick_params(axis="y", pad=8)
            ax.set_title(title)
            constant = metric.factor * constants.get(title, math.nan)
            if math.isfinite(constant):
                left, right = ax.get_xlim()
                room = 0.04 * (max(right, constant) - min(left, constant))
                ax.set_xlim(min(left, constant - room), max(right, constant + room))
                ax.axvline(constant, color=MUTED, lw=1.2, ls=":", zorder=1)
        for ax in axes[len(panels) :]:
            ax.set_axis_off()
        figure.supxlabel(f"test {metric.label} ({metric.unit})", fontsize=9)
    return figure


def _dot_rows(ax: Axes, rows: Sequence[tuple[str, Row, str, str]], metric: Metric) -> None:
    """Rows of dots from top to bottom, with the mean written at the right edge."""
    values = [metric.factor * x for _, r, *_ in rows for x in r.scores.values()]
    spread = (max(values) - min(values)) or 1.0
    left, right = min(values) - 0.12 * spread, max(values) + 0.12 * spread
    for i, (_, r, color, marker) in enumerate(rows):
        _dots(ax, i, r, color, marker, metric, (left, right), tall=0.28)
        if r.scores:
            diverged = int((r.runs["status"] == "diverged").sum())
            words = metric.show(r.summary.mean) + (f"  ({diverged} diverged)" if diverged else "")
            place: dict[str, Any] = {"xycoords": ("axes fraction", "data"), "textcoords": "offset points"}
            ax.annotate(words, (1, i), xytext=(8, 0), va="center", fontsize=8, **place)
    ax.set_yticks(range(len(rows)), [name for name, *_ in rows])
    ax.set_ylim(len(rows) - 0.4, -0.6)
    ax.set_xlim(left, right)
    ax.grid(axis="y", visible=False)
    ax.tick_params(axis="y", length=0)
    ax.spines["left"].set_visible(False)


def _dots(
    ax: Axes, y: float, r: Row, color: str, marker: str, metric: Metric, frame: tuple[float, float], *, tall: float
) -> None:  # fmt: skip
    """One row: interval bar, mean stroke of half height `tall`, a dot per seed; or why there is none."""
    if not r.scores:
        ax.text(frame[0], y, f"  {_why(r)}", va="center", ha="left", color=MUTED, fontsize=7.5, style="italic", zorder=4)
        return
    s = r.summary
    _interval(ax, y, s, color, metric, frame)
    ax.plot([metric.factor * s.mean] * 2, [y - tall, y + tall], color=color, lw=1.8)
    scores = [metric.factor * x for x in r.scores.values()]
    fan = _fan(s.n) * min(1, tall / 0.2)
    ax.plot(scores, y + fan, ls="", marker=marker, color=color, ms=5.5, mec=PAPER, mew=0.6, zorder=3)


def _interval(ax: Axes, y: float, s: stats.Summary, color: str, metric: Metric, frame: tuple[float, float]) -> None:
    """The pale bar. That of two or three seeds can be wider than all the data: it is cut at the frame, where an arrow says so."""
    if s.n < 2:
        return
    low, high = metric.factor * s.low, metric.factor * s.high
    ax.hlines(y, max(low, frame[0]), min(high, frame[1]), color=color, lw=5, alpha=0.25)
    for out, edge, arrow in ((low < frame[0], frame[0], "<"), (high > frame[1], frame[1], ">")):
        if out:
            ax.plot(edge, y, marker=arrow, color=color, ms=4, clip_on=False, mew=0)


def _fan(n: int) -> np.ndarray:
    """Small heights that keep dots of equal value apart."""
    return 0.12 * (np.arange(n) - (n - 1) / 2)


def _why(r: Row) -> str:
    count = r.runs["status"].value_counts()
    return "no finished run: " + ", ".join(f"{count[k]} {k}" for k in ("diverged", "failed", "missing") if k in count)


def grid_dots(
    cells: Mapping[tuple[str, str, str], Row], references: Mapping[str, Row], *, metric: Metric, words: tuple[str, str]
) -> Figure:
    """(panel, line, colour) -> dots and intervals, e.g. (state, init, discretization); the reference rows have a panel of their own,
    and those drawn with a line carry it up through the grid. `words`: what the
    panels and the colours stand for, the first empty for a single panel."""
    if not any(r.scores for r in [*cells.values(), *references.values()]):
        return _empty("no finished run of the grid yet")
    hues = list(dict.fromkeys(k[2] for k in cells))
    # not the colours of the reference rows: S4's blue, DSS's orange and vermillion, HOPE's ink
    colors = dict(zip(hues, ((GREEN, "o"), (PURPLE, "s"), (SKY, "^"), (GREY, "D"), (MUTED, "v"))))
    values = [metric.factor * x for r in [*cells.values(), *references.values()] for x in r.scores.values()]
    spread = (max(values) - min(values)) or 1.0
    left, right = min(values) - 0.1 * spread, max(values) + 0.1 * spread
    blocks: list[tuple[str, list[tuple[str, list[tuple[Row, str, str]]]]]] = []
    for panel in dict.fromkeys(k[0] for k in cells):
        names = dict.fromkeys(k[1] for k in cells if k[0] == panel)
        inside = [(n, [(cells[panel, n, h], *colors[h]) for h in hues if (panel, n, h) in cells]) for n in names]
        blocks.append((f"{panel} {words[0]}".strip(), inside))
    if references:
        blocks.append(("reference rows", [(n, [(r, look(_plain(n)).color, look(_plain(n)).marker)]) for n, r in references.items()]))
    with mpl.rc_context(RC):
        heights = [sum(0.5 + 0.5 * len(dots) for _, dots in lines) for _, lines in blocks]
        figure = Figure(figsize=(WIDTH, 0.3 * sum(heights) + 0.25 * len(blocks) + 0.7), layout="constrained")
        axes = figure.subplots(len(blocks), 1, squeeze=False, sharex=True, height_ratios=heights)[:, 0]
        for ax, (title, lines) in zip(axes, blocks):
            for y, (_, dots) in enumerate(lines):
                step = 0.68 / len(dots) if len(dots) > 1 else 0
                for j, (r, color, marker) in enumerate(dots):
                    _dots(ax, y + step * (j - (len(dots) - 1) / 2), r, color, marker, metric, (left, right), tall=0.4 * step or 0.28)
            for name, r in references.items():
                if r.scores and "(" not in name:  # a row at its paper's rates is no yardstick for the others
                    style = look(_plain(name))
                    ax.axvline(metric.factor * r.summary.mean, color=style.color, lw=1, ls=style.dash, alpha=0.75, zorder=0.5)
            ax.set_title(title, fontweight="bold")
            ax.set_yticks(range(len(lines)), [line for line, _ in lines])
            ax.set_ylim(len(lines) - 0.4, -0.6)
            ax.grid(axis="y", visible=False)
            ax.tick_params(axis="y", length=0)
            ax.spines["left"].set_visible(False)
        axes[0].set_xlim(left, right)
        axes[-1].set_xlabel(f"test {metric.label} ({metric.unit})")
        handles = [Line2D([], [], ls="", marker=colors[h][1], color=colors[h][0], ms=6, label=h) for h in hues]
        if len(hues) > 1:
            figure.legend(handles=handles, loc="outside upper right", ncols=len(hues), title=words[1], title_fontsize=8)
    return figure


def _plain(reference: str) -> str:
    """ "HOPE (paper rates)" -> "hope", the name its look is filed under."""
    return reference.split(" (")[0].lower()


def effects(groups: Mapping[str, Mapping[str, Mapping[int, float]]], *, metric: Metric) -> Figure:
    """What each factor moves: "factor: contrast" -> setting -> seed -> paired difference.

    Every seed a dot, a stroke for the mean, a pale bar for its 95 % t interval; zero marked.
    """
    filled = {f: {k: d for k, d in g.items() if d} for f, g in groups.items()}
    filled = {f: g for f, g in filled.items() if g}
    if not filled:
        return _empty("no pair of finished runs yet")
    with mpl.rc_context(RC):
        heights = [len(g) for g in filled.values()]
        figure = Figure(figsize=(WIDTH, 0.26 * sum(heights) + 0.42 * len(filled) + 0.6), layout="constrained")
        axes = figure.subplots(len(filled), 1, squeeze=False, sharex=True, height_ratios=heights)[:, 0]
        values = [metric.factor * x for g in filled.values() for d in g.values() for x in d.values()]
        low, high = min(0.0, *values), max(0.0, *values)
        pad = 0.12 * ((high - low) or 1.0)
        hues = dict(zip(dict.fromkeys(f.split(":")[0] for f in filled), (BLUE, ORANGE, VERMILLION, GREEN, PURPLE, GREY) * 2))
        for ax, (factor, settings) in zip(axes, filled.items()):
            color = hues[factor.split(":")[0]]
            ax.axvline(0, color=INK, lw=0.9)
            for y, (_, d) in enumerate(settings.items()):
                s = stats.summarize(list(d.values()))
                _interval(ax, y, s, color, metric, (low - pad, high + pad))
                ax.plot([metric.factor * s.mean] * 2, [y - 0.28, y + 0.28], color=color, lw=1.8)
                dots = [metric.factor * x for x in d.values()]
                ax.plot(dots, y + _fan(s.n), ls="", marker="o", color=color, ms=5, mec=PAPER, mew=0.5, zorder=3)
                ax.annotate(
                    metric.signed(s.mean), (1, y), xycoords=("axes fraction", "data"), xytext=(8, 0),
                    textcoords="offset points", va="center", fontsize=8,
                )  # fmt: skip
            ax.set_title(factor, fontweight="bold")
            ax.set_yticks(range(len(settings)), list(settings))
            ax.set_ylim(len(settings) - 0.45, -0.55)
            ax.grid(axis="y", visible=False)
            ax.tick_params(axis="y", length=0)
            ax.spines["left"].set_visible(False)
        axes[0].set_xlim(low - pad, high + pad)
        axes[-1].set_xlabel(f"difference in test {metric.label} (" + ("percentage points)" if metric.unit == "%" else f"{metric.unit})"))
    return figure
