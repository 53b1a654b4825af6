"""Images as rows of tiles, the balance of classes under them: CIFAR-10, MNIST, digits, Pathfinder and Path-X."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import numpy as np
from matplotlib.figure import Figure

from data.base import PARTS
from data.images.cifar import CIFARSpec
from data.images.digits import DigitsSpec
from data.images.mnist import MNISTSpec
from data.pathfinder.spec import PathfinderSpec
from reports.datasets.layout import BALANCE, Counts, Floats, balance, strips
from reports.datasets.samples import Found, every, of_each_class
from reports.parts.style import WIDTH, drawing

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# ---------------------------------------------------------------- from batches to tiles


@dataclass(frozen=True)
class Panel:
    """Tiles in rows and columns with a heading."""

    title: str
    tiles: Floats
    """(rows, columns, height, width) in [0, 1], or (..., 3) in colour."""
    names: tuple[str, ...] = ()
    """Those of the rows, where they do not repeat those of the panel to the left."""


@dataclass(frozen=True)
class Pictures:
    """Lines of panels, and the classes of every part."""

    lines: Sequence[Sequence[Panel]]
    classes: Counts
    sources: str = ""
    """Where images of several sizes come from."""


def stretched(x: Floats, like: Floats) -> Floats:
    """`x` with every channel scaled so that the least value of `like` is 0 and its largest 1: undoes any normalisation by channel."""
    axes = tuple(range(like.ndim - 1))
    low, high = like.min(axes), like.max(axes)
    return ((x - low) / (high - low)).clip(0, 1)


def tiles(x: Floats, width: int, pixels: int) -> Floats:
    """(rows, columns, L, d) -> (rows, columns, L / width, width, 3 or none): the steps in lines; the first `pixels` are the picture."""
    rows, columns, length, d = x.shape
    picture = stretched(x, x[:, :, :pixels]).reshape(rows, columns, length // width, width, d)
    return picture if d == 3 else picture[..., 0]


# ---------------------------------------------------------------- what is gathered


def cifar10(found: Found[CIFARSpec]) -> Pictures:
    """The same images in colour and in grey, and three followed by noise."""
    classes = found.prepared.manifest["classes"]
    colour, grey = (of_each_class(spec, 10, n) for spec, n in ((found.spec, 7), (replace(found.spec, color=False), 4)))
    noisy = of_each_class(replace(found.spec, noise=1024), 10, 1)[1:6:2]
    line = [
        Panel("colour", tiles(colour, 32, 1024), tuple(classes["train"])),
        Panel("grey: LRA Image", tiles(grey, 32, 1024)),
        Panel("then noise", tiles(noisy, 32, 1024)),
    ]
    return Pictures([line], classes)


def mnist(found: Found[MNISTSpec]) -> Pictures:
    """The same images row by row and permuted."""
    plain, permuted = (of_each_class(spec, 10, 9) for spec in (found.spec, replace(found.spec, permuted=True)))
    line = [Panel("row by row", tiles(plain, 28, 784), tuple("0123456789")), Panel("in bit-reversal order", tiles(permuted, 28, 784))]
    return Pictures([line], found.prepared.manifest["classes"])


def digits() -> Pictures:
    """Digits alone, and four followed by noise."""
    plain, noisy = of_each_class(DigitsSpec(), 10, 16), of_each_class(DigitsSpec(noise=192), 10, 5)
    line = [
        Panel("digits alone", tiles(plain, 8, 64), tuple("0123456789")),
        Panel("then noise", tiles(noisy[:4], 8, 64), tuple("0123")),
    ]
    counts = {part: np.bincount(every(DigitsSpec(), part, "y")) for part in PARTS}
    return Pictures([line], {part: {str(label): int(n) for label, n in enumerate(found)} for part, found in counts.items()})


@dataclass(frozen=True)
class _Shape:
    """How many images of one size there is room for, and what they are called."""

    title: str
    rows: int
    """Rows of images of each class."""
    columns: int


SHAPES: Final = {32: _Shape("Pathfinder, 32 x 32", 2, 9), 128: _Shape("Path-X, 128 x 128", 1, 5)}
"""By the side of an image."""


def pathfinder(*found: Found[PathfinderSpec]) -> Pictures:
    """Images of each size that is here, those with joined discs above."""
    lines, sources = [], []
    for one in found:
        resolution, shape = one.spec.resolution, SHAPES[one.spec.resolution]
        x = of_each_class(one.spec, 2, shape.rows * shape.columns)[::-1]  # positives first
        names = ("joined, 1",) * shape.rows + ("not joined, 0",) * shape.rows
        shown = tiles(x.reshape(2 * shape.rows, shape.columns, *x.shape[2:]), resolution, resolution**2)
        lines.append([Panel(f"{shape.title}, {one.spec.source}", shown, names)])
        sources.append(f"{resolution} px: {sum(one.prepared.manifest['counts'].values()):,} images, {one.spec.source}")
    classes = _named(found[0].prepared.manifest["classes"], ("not joined", "joined"))
    return Pictures(lines, classes, "; ".join(sources))


def _named(classes: Counts, names: Sequence[str]) -> Mapping[str, Mapping[str, int]]:
    return {part: dict(zip(names, found.values())) for part, found in classes.items()}


# ---------------------------------------------------------------- how it is drawn


def gap_of(width: int) -> int:
    """Pixels between two tiles of a width."""
    return max(1, width // 16)


def mosaic(shown: Floats) -> Floats:
    """(rows, columns, h, w, ...) -> one image with white lines between the tiles."""
    rows, columns, h, w = shown.shape[:4]
    gap = gap_of(w)
    out = np.ones((rows * (h + gap) - gap, columns * (w + gap) - gap, *shown.shape[4:]), dtype=np.float32)
    for r in range(rows):
        for c in range(columns):
            out[r * (h + gap) : r * (h + gap) + h, c * (w + gap) : c * (w + gap) + w] = shown[r, c]
    return out


def draw(sample: Pictures) -> Figure:
    """Each line of panels at the height its tiles ask for, and the balance of classes under them."""
    with drawing():
        ratios = [[w / h for h, w, *_ in (mosaic(panel.tiles).shape for panel in line)] for line in sample.lines]
        heights = [*((WIDTH - 0.9) / sum(line) + 0.25 for line in ratios), BALANCE]
        figure = Figure(figsize=(WIDTH, sum(heights)), layout="constrained")
        *parts, last = strips(figure, heights)
        for part, line, widths in zip(parts, sample.lines, ratios):
            axes = part.subplots(1, len(line), squeeze=False, gridspec_kw={"width_ratios": widths})[0]
            for ax, panel in zip(axes, line):
                _draw_panel(ax, panel)
        balance(last.subplots(), sample.classes)
    return figure


def _draw_panel(ax: Axes, panel: Panel) -> None:
    ax.imshow(mosaic(panel.tiles), cmap="gray", vmin=0, vmax=1, interpolation="nearest")
    ax.grid(False)
    ax.set_xticks([])
    h = panel.tiles.shape[2] + gap_of(panel.tiles.shape[3])
    ax.set_yticks([i * h + h / 2 - 1 for i in range(len(panel.names))], panel.names)
    ax.tick_params(length=0)
    ax.spines[:].set_visible(False)
    ax.set_title(panel.title)
