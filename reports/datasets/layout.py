"""What the sheets have in common: strips across a figure, the classes and quantities of train, val and test, and small PNG files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from io import BytesIO
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from matplotlib.ticker import FuncFormatter
from numpy.typing import NDArray
from PIL import Image

from reports.parts.figure import render, with_palette
from reports.parts.style import BLUE, GREEN, GREY, ORANGE

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure, SubFigure

Counts = Mapping[str, Mapping[str, int]]
"""part -> class -> samples."""
Floats = NDArray[np.floating[Any]]
Ints = NDArray[np.integer[Any]]

PART_COLOURS: Final = {"train": BLUE, "val": ORANGE, "test": GREEN}
SMALL: Final = 7.5
"""Points of the text in legends and beside rows."""
BALANCE: Final = 1.75
"""Inches of the strip that holds the balance of classes."""
MANY: Final = 12
"""More classes than this are named upright."""


def strips(figure: Figure, heights: Sequence[float]) -> list[SubFigure]:
    """Cuts a figure into strips of its full width, from the top down, with heights in proportion to those given."""
    return list(figure.subfigures(len(heights), 1, height_ratios=heights, squeeze=False)[:, 0])


def balance(ax: Axes, counts: Counts, title: str = "Balance of classes") -> None:
    """Draws the share of each class in each part, side by side, with the size of the part in the legend."""
    classes = list(dict.fromkeys(name for part in counts.values() for name in part))
    width = 0.8 / len(counts)
    for i, (part, found) in enumerate(counts.items()):
        n = sum(found.values())
        shares = [100 * found.get(name, 0) / n for name in classes]
        at = np.arange(len(classes)) + (i - (len(counts) - 1) / 2) * width
        ax.bar(at, shares, width, color=PART_COLOURS.get(part, GREY), label=f"{part}, {n:,}")
    many = len(classes) > MANY
    ax.set_xticks(range(len(classes)), classes, rotation=90 if many else 0, fontsize=7 if many else 8)
    ax.set_xlim(-0.6, len(classes) - 0.4)
    ax.grid(False, axis="x")
    ax.set_ylabel("% of its part")
    legend_above(ax, title)


def histogram(ax: Axes, values: Mapping[str, Floats | Ints], label: str, title: str, bins: int = 40) -> None:
    """Draws how a quantity is distributed in each part, in percent of the part, as steps over bins that the parts share."""
    everything = np.concatenate(list(values.values()))
    edges = np.linspace(float(everything.min()), float(everything.max()), bins + 1)
    for (part, found), dash in zip(values.items(), ("-", "--", ":")):
        density, _ = np.histogram(found, edges)
        ax.stairs(100 * density / len(found), edges, color=PART_COLOURS.get(part, GREY), ls=dash, lw=1.3, label=f"{part}, {len(found):,}")
    ax.set_xlabel(label)
    ax.set_ylabel("% of its part")
    ax.set_ylim(bottom=0)
    ax.xaxis.set_major_formatter(FuncFormatter(lambda v, _: f"{v:,.0f}" if abs(v) >= 10 else f"{v:g}"))
    legend_above(ax, title)


def legend_above(ax: Axes, title: str) -> None:
    """Sets title and legend above the axes, so that nothing that is drawn is hidden."""
    ax.set_title(title)
    ax.legend(
        ncols=3, loc="lower right", bbox_to_anchor=(1.0, 1.0), borderaxespad=0.1, borderpad=0.2, handlelength=1.1, columnspacing=1.0,
        handletextpad=0.4, fontsize=SMALL,
    )  # fmt: skip


def png(figure: Figure, *, palette: bool = False) -> bytes:
    """Renders a figure as a small PNG, the same bytes every time.

    `palette` keeps 256 colours only, for sheets whose files would be large; colours that are rare on a sheet may be lost by that.
    """
    content = render(figure, "png")
    if palette:
        return with_palette(content)
    out = BytesIO()
    Image.open(BytesIO(content)).convert("RGB").save(out, "png", optimize=True)
    return out.getvalue()
