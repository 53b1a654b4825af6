"""Contact sheets as pure functions of what a network is given: pictures, signals, spectra, tokens, targets, and the balance of classes."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import matplotlib as mpl
import numpy as np
from matplotlib.colors import ListedColormap, LogNorm
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator
from numpy.typing import NDArray

from reports.parts.style import BLUE, GREEN, GREY, GRID, INK, MUTED, ORANGE, PAPER, RC, SKY, VERMILLION, WIDTH

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Counts = Mapping[str, Mapping[str, int]]
"""part -> class -> samples."""
Floats = NDArray[np.floating[Any]]
Ints = NDArray[np.integer[Any]]

PART_COLOURS: Final = {"train": BLUE, "val": ORANGE, "test": GREEN}
SMALL: Final = 7.5
CELL_COLOURS: Final = ListedColormap(["#dfe9f3", "#fbe6c3", "#c9e7dc", "#f4cdbb", "#e6e6e6", "#cfe8f7"])
"""Pale enough for black letters, far enough apart in grey."""


@dataclass(frozen=True)
class Panel:
    """Tiles in rows and columns with a heading."""

    title: str
    tiles: Floats
    """(rows, columns, height, width) in [0, 1], or (..., 3) in colour."""
    names: tuple[str, ...] = ()
    """Of the rows; none repeats those of the panel to its left."""


def gap_of(width: int) -> int:
    """Pixels between two tiles."""
    return max(1, width // 16)


def mosaic(tiles: Floats) -> Floats:
    """(rows, columns, h, w, ...) -> one image with white lines between the tiles."""
    rows, columns, h, w = tiles.shape[:4]
    gap = gap_of(w)
    out = np.ones((rows * (h + gap) - gap, columns * (w + gap) - gap, *tiles.shape[4:]), dtype=np.float32)
    for r in range(rows):
        for c in range(columns):
            out[r * (h + gap) : r * (h + gap) + h, c * (w + gap) : c * (w + gap) + w] = tiles[r, c]
    return out


def _picture(ax: Axes, panel: Panel) -> None:
    image = mosaic(panel.tiles)
    ax.imshow(image, cmap="gray", vmin=0, vmax=1, interpolation="nearest")
    ax.grid(False)
    ax.set_xticks([])
    h = panel.tiles.shape[2] + gap_of(panel.tiles.shape[3])
    ax.set_yticks([i * h + h / 2 - 1 for i in range(len(panel.names))], panel.names)
    ax.tick_params(length=0)
    ax.spines[:].set_visible(False)
    ax.set_title(panel.title)


def pictures(lines: Sequence[Sequence[Panel]], balance_of: Counts | None = None) -> Figure:
    """Lines of panels, each at the size its tiles ask for, and the balance of classes under them."""
    with mpl.rc_context(RC):
        shapes = [[mosaic(panel.tiles).shape for panel in line] for line in lines]
        heights = [(WIDTH - 0.9) / sum(w / h for h, w, *_ in shape) + 0.25 for shape in shapes]
        figure = Figure(figsize=(WIDTH, sum(heights) + (BALANCE if balance_of else 0)), layout="constrained")
        parts = _parts(figure, [*heights, *([BALANCE] if balance_of else [])])
        for part, line, shape in zip(parts, lines, shapes):
            axes = part.subplots(1, len(line), squeeze=False, gridspec_kw={"width_ratios": [w / h for h, w, *_ in shape]})[0]
            for ax, panel in zip(axes, line):
                _picture(ax, panel)
        if balance_of:
            balance(parts[-1].subplots(), balance_of)
    return figure


BALANCE: Final = 1.75
"""Inches of the strip that holds the balance of classes."""


def _parts(figure: Figure, heights: Sequence[float]) -> list[Any]:
    found = figure.subfigures(len(heights), 1, height_ratios=heights, squeeze=False)
    return [row[0] for row in found]


def balance(ax: Axes, counts: Counts, title: str = "Balance of classes") -> None:
    """Share of each class in each part, side by side; the size of the part in the legend."""
    classes = list(dict.fromkeys(name for part in counts.values() for name in part))
    width = 0.8 / len(counts)
    for i, (part, found) in enumerate(counts.items()):
        n = sum(found.values())
        shares = [100 * found.get(name, 0) / n for name in classes]
        at = np.arange(len(classes)) + (i - (len(counts) - 1) / 2) * width
        ax.bar(at, shares, width, color=PART_COLOURS.get(part, GREY), label=f"{part}, {n:,}")
    many = len(classes) > 12
    ax.set_xticks(range(len(classes)), classes, rotation=90 if many else 0, fontsize=7 if many else 8)
    ax.set_xlim(-0.6, len(classes) - 0.4)
    ax.grid(False, axis="x")
    ax.set_ylabel("% of its part")
    _legend(ax, title)


def _legend(ax: Axes, title: str) -> None:
    """Above the axes: nothing that is drawn is hidden."""
    ax.set_title(title)
    ax.legend(
        ncols=3, loc="lower right", bbox_to_anchor=(1.0, 1.0), borderaxespad=0.1, borderpad=0.2, handlelength=1.1, columnspacing=1.0,
        handletextpad=0.4, fontsize=SMALL,
    )  # fmt: skip


def histogram(ax: Axes, values: Mapping[str, Floats | Ints], label: str, title: str, bins: int = 40) -> None:
    """Density of a quantity in each part, as steps."""
    everything = np.concatenate(list(values.values()))
    edges = np.linspace(float(everything.min()), float(everything.max()), bins + 1)
    for (part, found), dash in zip(values.items(), ("-", "--", ":")):
        density, _ = np.histogram(found, edges)
        ax.stairs(100 * density / len(found), edges, color=PART_COLOURS.get(part, GREY), ls=dash, lw=1.3, label=f"{part}, {len(found):,}")
    ax.set_xlabel(label)
    ax.set_ylabel("% of its part")
    ax.set_ylim(bottom=0)
    ax.xaxis.set_major_formatter(FuncFormatter(lambda v, _: f"{v:,.0f}" if abs(v) >= 10 else f"{v:g}"))
    _legend(ax, title)


# ---------------------------------------------------------------- signals


@dataclass(frozen=True)
class Clip:
    """One word said by one speaker."""

    word: str
    wave: Floats
    """(L,) as the network is given it."""
    cepstrum: Floats | None = None
    """(frames, coefficients)"""


def spectrum(wave: Floats, window: int = 400, hop: int = 160) -> Floats:
    """(window / 2 + 1, frames) Size of the short-time Fourier transform in dB under its largest value: Hann windows, no padding."""
    frames = np.lib.stride_tricks.sliding_window_view(np.asarray(wave, dtype=np.float64), window)[::hop]
    size = np.abs(np.fft.rfft(frames * np.hanning(window), axis=1)).T
    return 20 * np.log10(np.maximum(size, 1e-12) / max(float(size.max()), 1e-12))


def speech(clips: Sequence[Clip], rate: int, balance_of: Counts, half: Mapping[str, Floats] | None = None) -> Figure:
    """Five words in a line: wave, spectrum, and cepstral coefficients where there are any. `half`: a clip at both rates, "
    "beginning alike."""
    columns = 5
    kinds = ["wave", "spectrum"] + (["cepstrum"] if clips[0].cepstrum is not None else [])
    size = {"wave": 0.75, "spectrum": 1.05, "cepstrum": 0.75}
    lines = math.ceil(len(clips) / columns)
    with mpl.rc_context(RC):
        tall = sum(size[k] for k in kinds) + 0.4
        last = [1.6] if half else []
        figure = Figure(figsize=(WIDTH, lines * tall + 0.3 + BALANCE + 0.3 + sum(last)), layout="constrained")
        parts = _parts(figure, [lines * tall + 0.3, *last, BALANCE + 0.3])
        grid = parts[0].subplots(
            lines * len(kinds), columns, squeeze=False, sharex="col", gridspec_kw={"height_ratios": [size[k] for k in kinds] * lines}
        )
        top = 1.05 * max(float(np.abs(clip.wave).max()) for clip in clips)
        for i in range(lines * columns):
            line, column = divmod(i, columns)
            for k, kind in enumerate(kinds):
                ax = grid[line * len(kinds) + k, column]
                if i >= len(clips):
                    ax.remove()
                    continue
                _clip(ax, clips[i], kind, rate, top, below=line > 0)
                ax.tick_params(labelleft=column == 0, labelbottom=line == lines - 1 and k == len(kinds) - 1)
                if column == 0:
                    ax.set_ylabel({"wave": "input", "spectrum": "kHz", "cepstrum": "MFCC"}[kind])
        parts[0].supxlabel("seconds", fontsize=9, color=INK)
        if half:
            _both_rates(parts[1].subplots(), half, rate)
        balance(parts[-1].subplots(), balance_of)
    return figure


def _clip(ax: Axes, clip: Clip, kind: str, rate: int, top: float, *, below: bool) -> None:
    seconds = len(clip.wave) / rate
    ax.grid(False)
    ax.set_xlim(0, seconds)
    if kind == "wave":
        _envelope(ax, clip.wave, rate, BLUE)
        ax.set_ylim(-top, top)
        ax.set_title(("\n" if below else "") + clip.word, fontweight="bold", fontsize=9)
    elif kind == "spectrum":
        ax.imshow(
            spectrum(clip.wave), origin="lower", aspect="auto", extent=(0, seconds, 0, rate / 2000), cmap="magma", vmin=-70, vmax=0,
            interpolation="nearest",
        )  # fmt: skip
        ax.set_yticks([0, 4, 8])
    elif clip.cepstrum is not None:
        shown = clip.cepstrum.T
        ax.imshow(
            shown, origin="lower", aspect="auto", extent=(0, seconds, -0.5, len(shown) - 0.5), cmap="cividis", vmin=-3, vmax=3,
            interpolation="nearest",
        )  # fmt: skip
        ax.set_yticks([0, 10, 19])


def _envelope(ax: Axes, wave: Floats, rate: float, color: str, points: int = 300) -> None:
    """Least and largest value of each of a few hundred windows: what a line through all samples would cover."""
    k = -(-len(wave) // points)
    n = len(wave) // k
    windows = np.asarray(wave[: n * k]).reshape(n, k)
    at = (np.arange(n) + 0.5) * k / rate
    ax.fill_between(at, windows.min(1), windows.max(1), color=color, lw=0.4)


def _both_rates(ax: Axes, half: Mapping[str, Floats], rate: int) -> None:
    for (name, wave), (color, marker), step in zip(half.items(), ((SKY, "."), (VERMILLION, "o")), (1, 2)):
        at = 1000 * np.arange(len(wave)) * step / rate
        ax.plot(at, wave, color=color, marker=marker, ms=4, lw=1, label=name, mfc="none" if step == 2 else color)
    ax.set_xlabel("milliseconds from the place shown")
    ax.set_ylabel("input")
    _legend(ax, "The same samples in both tests")


@dataclass(frozen=True)
class Window:
    """Some seconds of several signals, and what is asked of them."""

    title: str
    signals: Mapping[str, Floats]


def biosignals(windows: Sequence[Window], rate: int, targets: Mapping[str, Mapping[str, Floats]]) -> Figure:
    """A line per window, a column per signal; below, the targets of every part."""
    names = list(windows[0].signals)
    colours = (BLUE, VERMILLION)
    with mpl.rc_context(RC):
        figure = Figure(figsize=(WIDTH, 0.92 * len(windows) + 0.5 + 2.1), layout="constrained")
        upper, lower = _parts(figure, [0.92 * len(windows) + 0.5, 2.1])
        grid = upper.subplots(len(windows), len(names), squeeze=False, sharex=True)
        for axes, window in zip(grid, windows):
            for ax, name, colour in zip(axes, names, colours):
                signal = window.signals[name]
                ax.plot(np.arange(len(signal)) / rate, signal, color=colour, lw=0.6)
                ax.set_xlim(0, len(signal) / rate)
                ax.yaxis.set_major_locator(MaxNLocator(nbins=3))
            axes[0].set_title(window.title, fontweight="bold", fontsize=8.5, pad=3)
        for ax, name in zip(grid[0], names):
            ax.set_title(name, loc="right", color=MUTED, fontsize=8.5, pad=3)
        upper.supxlabel("seconds", fontsize=9, color=INK)
        for ax, (label, values) in zip(lower.subplots(1, len(targets), squeeze=False)[0], targets.items()):
            histogram(ax, values, label, "", bins=30)
            handles, words = ax.get_legend_handles_labels()
            ax.get_legend().remove()
            ax.set_title("n = " + " / ".join(word.split(", ")[1] for word in words), fontsize=SMALL, color=MUTED, loc="right")
            if ax is not lower.axes[0]:
                ax.set_ylabel("")
        lower.legend(handles=handles, labels=list(next(iter(targets.values()))), loc="outside upper left", ncols=3, handlelength=1.4)
    return figure


# ---------------------------------------------------------------- tokens


@dataclass(frozen=True)
class Row:
    """One sequence of tokens."""

    label: str
    ids: Ints
    """(length,) without padding."""
    words: tuple[str, ...]
    """The first tokens as they may be read."""
    kinds: Ints
    """(len(words),) Which of the pale colours each has."""


def token_rows(
    rows: Sequence[Row], *, vocab: int, longest: int, kinds: Sequence[str], together: int, balance_of: Counts, lengths: Mapping[str, Ints]
) -> Figure:
    """Beginnings with a token in each cell, whole rows as colours, the balance of classes and the lengths. `together`: rows of a sample."""
    places = [i + 0.45 * (i // together) * (together > 1) for i in range(len(rows))]
    cells = max(len(row.words) for row in rows)
    names = [row.label for row in rows]
    with mpl.rc_context(RC):
        high = 0.215 * (places[-1] + 1)
        figure = Figure(figsize=(WIDTH, 2 * high + 1.5 + 2.0), layout="constrained")
        upper, middle, lower = _parts(figure, [high + 0.6, high + 0.9, 2.0])
        ax = upper.subplots()
        size = min(7.0, 72 * (WIDTH - 1.1) / cells / (0.62 * max(len(w) for row in rows for w in row.words)))
        for place, row in zip(places, rows):
            ax.pcolormesh(
                np.arange(len(row.words) + 1), [place - 0.45, place + 0.45], row.kinds[None], cmap=CELL_COLOURS, vmin=-0.5, vmax=5.5
            )
            for i, word in enumerate(row.words):
                ax.text(i + 0.5, place, word, ha="center", va="center", fontsize=size, family="DejaVu Sans Mono", color=INK)
        _token_axes(ax, places, names, cells, "The first tokens")
        present = sorted({int(kind) for row in rows for kind in row.kinds})
        handles = [mpl.patches.Patch(color=CELL_COLOURS(i), label=kinds[i]) for i in present]
        ax.legend(handles=handles, ncols=len(present), loc="lower right", bbox_to_anchor=(1, 1), borderaxespad=0.2, handlelength=1)
        ax.set_xticks([])

        ax = middle.subplots()
        norm = LogNorm(1, vocab) if vocab > 32 else mpl.colors.Normalize(1, vocab)
        for place, row in zip(places, rows):
            drawn = ax.imshow(
                row.ids[None], extent=(0, len(row.ids), place + 0.45, place - 0.45), aspect="auto", cmap="cividis", norm=norm,
                interpolation="nearest",
            )  # fmt: skip
        _token_axes(ax, places, names, longest, "Whole rows: token ids as colours, padding left white")
        ax.set_xlabel("step")
        bar = middle.colorbar(drawn, ax=ax, pad=0.01, aspect=12)
        if isinstance(norm, LogNorm):
            ticks = [tick for tick in (1, 3, 10, 30, 100, 300) if tick <= vocab]
            bar.set_ticks(ticks, labels=[str(tick) for tick in ticks])
            bar.minorticks_off()
        bar.set_label("token id")
        bar.outline.set_visible(False)

        left, right = lower.subplots(1, 2)
        balance(left, balance_of, "Classes")
        histogram(right, lengths, "tokens in a row", "Lengths")
    return figure


def _token_axes(ax: Axes, places: Sequence[float], names: Sequence[str], right: float, title: str) -> None:
    ax.grid(False)
    ax.set_yticks(places, names, fontsize=SMALL)
    ax.tick_params(axis="y", length=0)
    ax.set_xlim(0, right)
    ax.set_ylim(places[-1] + 0.55, places[0] - 0.55)
    ax.spines[:].set_visible(False)
    ax.set_title(title)


# ---------------------------------------------------------------- probes


@dataclass(frozen=True)
class Probe:
    """One sample of a synthetic task."""

    title: str
    x: Floats | Ints
    """(L,)"""
    y: Floats | Ints
    """(L,)"""
    mask: NDArray[np.bool_]
    """(L,) The target is drawn where it is True: only there is it scored."""
    tokens: bool
    blank: int | None = None
    """The token that stands for nothing."""
    delay: int = 0


CLOSE: Final = 20
"""Steps at the end of a sequence that are drawn once more, with their tokens."""


def probes(found: Sequence[Probe]) -> Figure:
    """A line for each task: input and target over the whole sequence, and its end at reading size."""
    with mpl.rc_context(RC):
        heights = [1.05 if probe.tokens else 1.7 for probe in found]
        figure = Figure(figsize=(WIDTH, sum(heights) + 0.3), layout="constrained")
        for part, probe in zip(_parts(figure, heights), found):
            left, right = part.subplots(1, 2, gridspec_kw={"width_ratios": [2.3, 1]})
            left.set_title(probe.title, fontweight="bold")
            if not probe.tokens:
                _delayed(left, right, probe)
                continue
            _lanes(left, probe, 0)
            _lanes(right, probe, len(probe.x) - CLOSE)
            right.tick_params(labelleft=False)
            right.set_title(f"the last {CLOSE} steps", color=MUTED, fontsize=8.5)
        figure.supxlabel("step", fontsize=9, color=INK)
    return figure


def _delayed(left: Axes, right: Axes, probe: Probe) -> None:
    steps = np.arange(len(probe.x))
    shown = np.where(probe.mask, probe.y, np.nan)
    for values, colour, name in ((probe.x, SKY, "input"), (shown, VERMILLION, "target")):
        left.plot(steps, values - (7 if name == "target" else 0), color=colour, lw=0.5)
    left.set_yticks([0, -7], ["input", "target"], fontsize=SMALL)
    left.set_xlim(0, len(steps))
    left.grid(False, axis="y")
    first, n = probe.delay, 120
    right.plot(steps[first : first + n], probe.x[:n], color=SKY, lw=2.2, label=f"input {first:,} steps before")
    right.plot(steps[first : first + n], shown[first : first + n], color=VERMILLION, lw=1, ls="--", label="target")
    right.legend(loc="lower center", bbox_to_anchor=(0.5, 1), ncols=2, borderaxespad=0.1, handlelength=1.4, columnspacing=1, fontsize=SMALL)


def _lanes(ax: Axes, probe: Probe, start: int) -> None:
    """Input above target, from a step on, each token a cell; few cells carry their tokens."""
    length = len(probe.x) - start
    y = np.where(probe.mask, probe.y, -1)
    top = max(float(probe.x.max()), float(y.max()))
    norm = mpl.colors.Normalize(0, top)
    colours = mpl.colormaps["cividis"]
    for place, values in enumerate((probe.x[start:], y[start:])):
        ax.add_patch(mpl.patches.Rectangle((start, place - 0.42), length, 0.84, color=GRID, lw=0))
        drawn = np.flatnonzero((values >= 0) & (values != (probe.blank if place == 0 and probe.blank is not None else -1)))
        if length > 1000:  # a step is thinner than a dot
            ax.vlines(start + drawn + 0.5, place - 0.42, place + 0.42, colors=colours(norm(values[drawn])), lw=1.3)
            continue
        for i in drawn.tolist():
            ax.add_patch(mpl.patches.Rectangle((start + i, place - 0.42), 1, 0.84, color=colours(norm(values[i])), lw=0))
            if length <= 80:
                dark = norm(values[i]) < 0.55
                upright = 0 if length <= CLOSE and top < 100 else 90
                ax.text(
                    start + i + 0.5, place, str(int(values[i])), ha="center", va="center", rotation=upright,
                    fontsize=6.5 if top < 10 else 5.6,
                    color=PAPER if dark else INK,
                )  # fmt: skip
    ax.set_yticks([0, 1], ["input", "target"], fontsize=SMALL)
    ax.tick_params(axis="y", length=0)
    ax.set_xlim(start, start + length)
    ax.set_ylim(1.5, -0.5)
    ax.grid(False)
    ax.spines[:].set_visible(False)


# ---------------------------------------------------------------- generators beside their references


def references(panels: Sequence[tuple[str, Sequence[tuple[str, float, float, float]]]]) -> Figure:
    """Two panels in a line. Each has a heading and (label, reference, ours, tolerance): a pale bar, a dot, a stroke."""
    with mpl.rc_context(RC):
        lines = math.ceil(len(panels) / 2)
        figure = Figure(figsize=(WIDTH, 1.9 * lines), layout="constrained")
        grid = figure.subplots(lines, 2, squeeze=False)
        for ax, (title, rows) in zip(grid.flat, panels):
            labels, reference, ours, tolerance = zip(*rows)
            at = np.arange(len(rows))
            ax.bar(at, reference, 0.78, color=SKY, alpha=0.45)
            ax.errorbar(at, ours, yerr=tolerance, fmt="o", ms=3.2, color=VERMILLION, elinewidth=1.1)
            many = max(map(len, labels)) * len(labels) > 44
            ax.set_xticks(at, labels, rotation=90 if many else 0, fontsize=7)
            ax.grid(False, axis="x")
            ax.set_ylim(bottom=0)
            ax.set_title(title)
        for ax in list(grid.flat)[len(panels) :]:
            ax.remove()
    return figure
