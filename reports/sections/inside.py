"""Inside the kernels of a benchmark's rows, before and after training: what they remember, where their poles are, how much of the state
carries anything, and the kernels themselves."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from benchmarks.benchmark import Benchmark
from benchmarks.spec import Scale
from models import VARIANTS
from reports.parts.figure import draw_nothing, halo, lay_out_panels, name_panel
from reports.parts.fingerprints import Fingerprints, Pair
from reports.parts.report import Plot, Section
from reports.parts.style import GREY, GRID, INK, MUTED, WIDTH, drawing, look


def compose_inside(fingerprints: Fingerprints, rows: Sequence[str], benchmark: Benchmark, scale: Scale, *, name: str) -> Section | None:
    """The pictures of what training made of the kernels, those of which a record has the arrays; None where none has any.
    `rows`: all that the report has, so that those that are not drawn are named."""
    if not fingerprints.arrays:
        return None
    seed = fingerprints.seed
    which = f"seed {seed}" if seed is not None else "the lowest seed of each row that has arrays"
    words = (
        f"Arrays of {which}. Kernels and impulse responses are those of the first layer; eigenvalues and Hankel singular values are "
        "those of all layers."
    )
    spectra = fingerprints.pairs("eigenvalues", every_layer=True)
    spectra = {v: pair for v, pair in spectra.items() if v not in fingerprints.ill_conditioned}
    plots = [
        plot_memory(fingerprints.pairs("memory", every_layer=False), signal_lags(benchmark, scale), name=name),
        plot_eigenvalues(spectra, name=name),
        plot_hankel(fingerprints.pairs("hsv", every_layer=True), name=name),
        plot_kernels(fingerprints.pairs("kernel", every_layer=False), name=name),
    ]
    kinds = ("memory", "eigenvalues", "hsv", "kernel")
    having = [fingerprints.pairs(kind, every_layer=False) for kind in kinds]
    lost = [[v for v in rows if v not in found] for found in having]
    parts = [
        replace(
            plot,
            caption=f"{plot.caption}\nNot drawn under {plot.title}, for want of arrays: {', '.join(names)}." if names else plot.caption,
        )
        for plot, names, found in zip(plots, lost, having, strict=True)
        if found and (plot.name != f"{name}-eigenvalues" or spectra)
    ]
    return Section(name="inside", title="Inside the kernels", text=(words,), parts=tuple(parts))


def signal_lags(benchmark: Benchmark, scale: Scale) -> tuple[int, int] | None:
    """The lags at which the last step of the sequence sees the signal, where a known length of noise follows it; else None."""
    noise = benchmark.readouts.get("noise")
    if noise is None:
        return None
    any_row = next(v for v in VARIANTS if benchmark.has_recipe(v, scale))
    return noise, benchmark.recipe(any_row, scale).run.data.signature.length - 1


# ---------------------------------------------------------------------------------------------------------------------
# memory: |K(t)|


def plot_memory(panels: Mapping[str, Pair], lags: tuple[int, int] | None, *, name: str) -> Plot:
    """The size of the impulse response against lag. panels: variant -> two arrays (5, L): min, 25 %, median, 75 %, max over channels."""
    a_point = window(max((after.shape[-1] for _, after in panels.values()), default=1))
    lines = [
        "Size of the impulse response over all channels: median, middle half and full range after training; dashed, the median before."
    ]
    if lags is not None:
        lines.append(
            f"Shaded: lags {lags[0]} to {lags[1]}, where the last step of the sequence sees the signal; a kernel that is small there has "
            "forgotten it."
        )
    lines.append("After Fig. 6 (right) of the HOPE paper. Values under the axis are drawn on its floor.")
    if a_point > 1:
        lines.append(f"A point stands for {a_point} lags: their median, and the extremes.")
    return Plot(
        name=f"{name}-memory",
        title="Memory",
        figure=draw_memory(panels, lags),
        alt="Size of the impulse response against lag on a log scale, one panel per variant.",
        caption="\n".join(lines),
    )


def draw_memory(panels: Mapping[str, Pair], lags: tuple[int, int] | None) -> Figure:
    """|K(t)| over all channels after training: median, quartile band, min-max band (HOPE's Fig. 6 right), the median before dashed."""
    if not panels:
        return draw_nothing("no impulse responses yet: no record carries arrays")
    label = "lags of the signal, from the last step"
    return _draw_bands(panels, "lag t (steps)", "|K(t)| (log scale)", first=0, depth=1e-7, span=lags, span_label=label)


POINTS = 256
"""More lags than this are drawn in windows: a line of thousands of zeros crossed is a smear."""


def window(L: int) -> int:
    """Lags per drawn point of L lags."""
    return -(-L // POINTS)


def _windowed(q: np.ndarray) -> np.ndarray:
    """(5, L) -> (5, L / window): the least of the minima, the medians of the quartiles, the largest of the maxima."""
    k = window(q.shape[-1])
    if k == 1:
        return q
    parts = q[:, : q.shape[-1] // k * k].reshape(5, -1, k)
    return np.concatenate([parts[:1].min(-1), np.median(parts[1:4], axis=-1), parts[4:].max(-1)])


def _draw_bands(
    panels: Mapping[str, Pair], x: str, y: str, *, first: int, depth: float, span: tuple[int, int] | None = None, span_label: str = ""
) -> Figure:
    """One panel per variant on log scale: five quantiles after training as line and bands, the median before dashed. What lies more
    than `depth` below the largest value is drawn on the floor."""
    top = max(float(np.nanmax(p[1][4])) for p in panels.values()) * 2
    low = top * depth
    with drawing():
        figure, axes = lay_out_panels(len(panels), columns=4, height=2.0)
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
            name_panel(ax, variant)
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
        if span is not None:
            handles.append(Line2D([], [], color=GRID, lw=7, label=span_label))
        figure.legend(handles=handles, loc="outside upper left", ncols=5, columnspacing=1.4, handlelength=1.6)
        figure.supxlabel(x, fontsize=9, color=INK)
        figure.supylabel(y, fontsize=9, color=INK)
    return figure


# ---------------------------------------------------------------------------------------------------------------------
# eigenvalues of A_bar


def plot_eigenvalues(panels: Mapping[str, Pair], *, name: str) -> Plot:
    """Time constant against rotation of every discrete eigenvalue. panels: variant -> two complex arrays of any shape."""
    return Plot(
        name=f"{name}-eigenvalues",
        title="Eigenvalues before and after training",
        figure=draw_eigenvalues(panels),
        alt="Scatter of time constant against rotation of every discrete eigenvalue, before and after training.",
        caption="Each dot is one eigenvalue of the discrete Ā: further right it decays more slowly, higher up it turns faster. "
        "Grey, before training; colour, after. HOPE has one pole per channel, real, of high multiplicity: all its eigenvalues "
        "lie on |arg Ā| = 0 and are drawn as strokes. S4-LegS has no panel: its matrix is so far from normal that rounding moves the "
        "eigenvalues over most of the disk, while the exact ones before training are real.",
    )


def time_constants(A_bar: np.ndarray) -> tuple[np.ndarray, np.ndarray, int]:
    """tau = -1 / ln|A_bar| in steps and omega = |arg A_bar| in rad per step of each mode with 0 < |A_bar| < 1; how many are not such."""
    flat = np.asarray(A_bar, dtype=np.complex128).ravel()
    size = np.abs(flat)
    inside = (size > 0) & (size < 1) & np.isfinite(size)
    return -1 / np.log(size[inside]), np.abs(np.angle(flat[inside])), int((~inside).sum())


def draw_eigenvalues(panels: Mapping[str, Pair]) -> Figure:
    """Every discrete eigenvalue as memory against rotation, before (grey) and after training (colour), one panel per variant."""
    if not panels:
        return draw_nothing("no eigenvalues yet: no record of a kernel with a recurrence carries arrays")
    with drawing():
        figure, axes = lay_out_panels(len(panels), columns=4, height=2.15)
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
                    fontsize=7.5, color=MUTED, path_effects=halo(),
                )  # fmt: skip
            if lost:
                place: dict[str, Any] = {"transform": ax.transAxes, "ha": "right", "va": "top"}
                ax.text(0.97, 0.95, f"{lost} not drawn", fontsize=7, color=MUTED, path_effects=halo(), **place)
            name_panel(ax, variant)
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


# ---------------------------------------------------------------------------------------------------------------------
# Hankel singular values


def plot_hankel(panels: Mapping[str, Pair], *, name: str) -> Plot:
    """Relative Hankel singular values against their index. panels: variant -> two arrays (H, N), each row falling from 1."""
    return Plot(
        name=f"{name}-hankel",
        title="Hankel singular values",
        figure=draw_hankel(panels),
        alt="Relative Hankel singular values against their index on a log scale, one panel per variant.",
        caption="How many directions of the state carry the map from input to output: singular values of the Hankel operator of "
        "each channel over the largest, median, middle half and full range over the channels after training; dashed, the median "
        "before. A steep fall means that few state dimensions are in use. Values under the axis are drawn on its floor.",
    )


def draw_hankel(panels: Mapping[str, Pair]) -> Figure:
    """sigma_n / sigma_1 over all channels, drawn like `draw_memory`; how many are large is the rank in use."""
    if not panels:
        return draw_nothing("no Hankel singular values yet: no record of a kernel with a recurrence carries arrays")
    quartiles = {v: (_quartiles(before), _quartiles(after)) for v, (before, after) in panels.items()}
    return _draw_bands(quartiles, "index n", "σₙ / σ₁ (log scale)", first=1, depth=1e-8)


def _quartiles(values: np.ndarray) -> np.ndarray:
    """(H, N) -> (5, N): min, 25 %, median, 75 %, max over the channels."""
    return np.quantile(values, [0, 0.25, 0.5, 0.75, 1], axis=0)


# ---------------------------------------------------------------------------------------------------------------------
# kernels: K(t)

FIRST_LAGS = 320
"""Lags of a kernel that are drawn as a curve; of a longer one only the envelope could be seen, and Memory shows that."""

CHANNELS = 3
"""Channels of a kernel that are drawn, in shades."""


def plot_kernels(panels: Mapping[str, Pair], *, name: str) -> Plot:
    """The kernels of a few channels. panels: variant -> two arrays (J, H, L), of which direction 0 is drawn."""
    lines = [
        "Convolution kernels of three channels (shades), the same vertical scale left and right of a row. Every scale is "
        "the row's own: compare shapes between rows, sizes only within one. Single lags may exceed it; the largest |K| of these "
        "channels stands at the right."
    ]
    if any(before.shape[-1] > FIRST_LAGS for before, _ in panels.values()):
        lines.append(f"The first {FIRST_LAGS} lags; the whole length is in Memory.")
    return Plot(
        name=f"{name}-kernels",
        title="Kernels before and after training",
        figure=draw_kernels({v: (before[0][..., :FIRST_LAGS], after[0][..., :FIRST_LAGS]) for v, (before, after) in panels.items()}),
        alt="Convolution kernels against lag, a row per variant, before training left and after training right.",
        caption="\n".join(lines),
    )


def draw_kernels(panels: Mapping[str, Pair]) -> Figure:
    """K(t) before and after training: a row per variant, a few channels each, the same y axis on both sides of a row.

    panels: variant -> two arrays (H, L).
    """
    if not panels:
        return draw_nothing("no kernels yet: no record carries arrays")
    with drawing():
        figure = Figure(figsize=(WIDTH, 0.95 * len(panels) + 0.8), layout="constrained")
        grid = figure.subplots(len(panels), 2, squeeze=False, sharex=True, sharey="row")
        for (variant, pair), axes in zip(panels.items(), grid):
            color = look(variant).color
            n = len(pair[0])
            shown = [K[np.linspace(0, n - 1, min(CHANNELS, n)).round().astype(int)] for K in pair]
            for ax, K in zip(axes, shown):
                for curve, alpha in zip(K, (1.0, 0.6, 0.35)):
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
                f"max |K|\n{before:.2g} → {after:.2g}", (1, 0.5), xycoords="axes fraction", xytext=(8, 0), textcoords="offset points",
                va="center", fontsize=7.5, color=MUTED,
            )  # fmt: skip
            axes[0].set_xlim(0, pair[0].shape[-1] - 1)
        for ax, words in zip(grid[0], ("before training", "after training")):
            ax.set_title(words)
        figure.supxlabel("lag t (steps)", fontsize=9, color=INK)
        figure.supylabel("kernel K(t)", fontsize=9, color=INK)
    return figure
