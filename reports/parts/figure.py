"""What every figure shares: its bytes, its panels, and what it looks like when there is nothing to draw."""

from __future__ import annotations

import math
import re
from io import BytesIO
from typing import TYPE_CHECKING, Any

from matplotlib.figure import Figure
from matplotlib.patheffects import withStroke
from PIL import Image

from reports.parts.style import MUTED, PAPER, WIDTH, drawing

if TYPE_CHECKING:
    from matplotlib.axes import Axes


LARGE = 150_000
"""Bytes of an SVG beyond which a figure is a PNG instead."""


def draw(figure: Figure) -> tuple[str, bytes]:
    """The figure in its one format: "svg", or "png" where that would be a large file; and its bytes."""
    drawn = save(figure, "svg")
    return ("svg", drawn) if len(drawn) <= LARGE else ("png", save(figure, "png"))


def save(figure: Figure, kind: str) -> bytes:
    """The figure as svg, png or pdf bytes that are the same every time: no date, no random ids."""
    content = render(figure, kind)
    return _tidy_svg(content) if kind == "svg" else with_palette(content) if kind == "png" else content


def render(figure: Figure, kind: str) -> bytes:
    """The figure as matplotlib writes it, with every colour, and without a date."""
    buffer = BytesIO()
    with drawing():
        metadata = {"svg": {"Date": None, "Creator": None}, "png": {"Software": None}, "pdf": {"CreationDate": None}}[kind]
        figure.savefig(buffer, format=kind, metadata=metadata)
    return buffer.getvalue()


def _tidy_svg(content: bytes) -> bytes:
    """Hundredths of a point are enough for paths, and halve the file. The names of clip paths are hashes that hold the address of an
    object: they are counted instead."""
    content = re.sub(rb' d="[^"]*"', lambda d: re.sub(rb"(\.\d\d)\d+", rb"\1", d[0]), content)
    names = {name: b"clip%d" % i for i, name in enumerate(dict.fromkeys(re.findall(rb'<clipPath id="([^"]+)"', content)))}
    return re.sub(rb'(id="|url\(#)([^")]+)', lambda m: m[1] + names.get(m[2], m[2]), content)


def with_palette(content: bytes) -> bytes:
    """The same picture in 256 colours: a third of the file, and no difference that the eye sees in lines and flat colours."""
    image = Image.open(BytesIO(content)).convert("RGB").quantize(256, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
    out = BytesIO()
    image.save(out, format="png", optimize=True)
    return out.getvalue()


def draw_nothing(words: str) -> Figure:
    """What a figure without any record looks like: it says so."""
    figure = Figure(figsize=(WIDTH, 1.1), layout="constrained")
    ax = figure.subplots()
    ax.set_axis_off()
    ax.text(0.5, 0.5, words, ha="center", va="center", color=MUTED, transform=ax.transAxes)
    return figure


def lay_out_panels(n: int, *, columns: int, height: float) -> tuple[Figure, list[Axes]]:
    """A figure with n axes of equal scales in rows of at most `columns`, and the empty places of the last row removed."""
    columns = min(columns, n)
    rows = math.ceil(n / columns)
    # one row alone needs room for the name of its vertical axis, and for a legend above
    figure = Figure(figsize=(WIDTH, rows * height + (0.85 if rows == 1 else 0.25)), layout="constrained")
    grid = figure.subplots(rows, columns, squeeze=False, sharex=True, sharey=True)
    axes = list(grid.flat)
    for spare in axes[n:]:
        spare.remove()
    for ax in axes[max(0, n - columns) : n]:  # above a removed place too there is a last axis that carries the labels
        ax.tick_params(labelbottom=True)
    return figure, axes[:n]


def name_panel(ax: Axes, variant: str) -> None:
    """Writes the variant above its panel, smaller where it is long, so that it leaves room for the number of seeds."""
    ax.set_title(variant, fontweight="bold", fontsize=9.5 if len(variant) <= 16 else 7.2)


def halo(width: float = 3) -> list[Any]:
    """A rim in the colour of the paper around text that lies over marks."""
    return [withStroke(linewidth=width, foreground=PAPER)]
