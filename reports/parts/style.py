"""Colours, markers and rcParams: a variant looks the same in every figure. Okabe and Ito's palette (2008), for colour-blind readers too."""

from __future__ import annotations

import zlib
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

INK, MUTED, GRID, PAPER = "#1f2328", "#6a717b", "#e3e6ea", "#fffffe"
"""Text, quiet text, hairlines, background. The page has others for dark mode, so these are used for nothing else."""

BLUE, ORANGE, GREEN, VERMILLION, SKY, PURPLE = "#0072b2", "#e69f00", "#009e73", "#d55e00", "#56b4e9", "#cc79a7"
GREY = "#8b929c"

WIDTH = 8.4
"""Inches of a full-width figure; with 9 pt text it stays readable at the width of a README."""


@dataclass(frozen=True)
class Look:
    """Colour, marker and dash of one variant."""

    color: str
    marker: str
    dash: str | tuple[int, tuple[int, ...]]

    @property
    def size(self) -> float:
        """The size of its marker at which all markers look equally large."""
        return {"*": 8.5, "P": 6.3, "X": 6.3, "d": 6.6, "D": 5.0, "s": 5.2}.get(self.marker, 5.7)


LOOKS: dict[str, Look] = {
    "s4": Look(BLUE, "o", "-"),
    "dss-exp": Look(ORANGE, "s", "--"),
    "dss-softmax": Look(VERMILLION, "D", "-."),
    "s4d-legs": Look(GREEN, "^", "-"),
    "s4d-inv": Look(SKY, "v", "--"),
    "s4d-lin": Look(PURPLE, "P", "-."),
    "hope": Look(INK, "X", "-"),
    "fir": Look(GREY, "o", "-."),
    "lstm": Look(GREY, "<", ":"),
    "transformer": Look(GREY, ">", "--"),
}
LEVELS = (Look("#2a9d8f", "o", "-"), Look("#882255", "s", "-"), Look("#8c8c1f", "^", "-"), Look("#4b3fa3", "D", "-"), Look(GREY, "v", "-"))
"""Levels of a factor, in the order they come: teal, wine, olive, indigo, which no variant has (Tol's muted scheme)."""

FACTORS = (BLUE, ORANGE, VERMILLION, GREEN, PURPLE, GREY) * 2
"""Colours of the factors of a grid, in the order they come."""

_FAMILIES = {"s4": "s4", "dss": "dss-exp", "s4d": "s4d-legs", "hope": "hope"}
_MARKERS = "pHdh*8"
_DASHES = ((0, (1, 1)), (0, (5, 1)), (0, (3, 1, 1, 1)), (0, (5, 1, 1, 1, 1, 1)))

RC: dict[Any, Any] = {
    "figure.dpi": 100, "savefig.dpi": 150, "figure.facecolor": PAPER, "axes.facecolor": PAPER, "savefig.facecolor": PAPER,
    "font.family": "DejaVu Sans", "font.size": 9, "axes.titlesize": 9.5, "axes.labelsize": 9, "xtick.labelsize": 8, "ytick.labelsize": 8,
    "legend.fontsize": 8, "legend.frameon": False,
    "text.color": INK, "axes.labelcolor": INK, "axes.titlecolor": INK, "xtick.color": MUTED, "ytick.color": MUTED,
    "xtick.labelcolor": INK, "ytick.labelcolor": INK, "axes.edgecolor": MUTED, "axes.linewidth": 0.7,
    "axes.spines.top": False, "axes.spines.right": False, "axes.axisbelow": True, "axes.titlelocation": "left",
    "axes.grid": True, "grid.color": GRID, "grid.linewidth": 0.7, "xtick.major.width": 0.7, "ytick.major.width": 0.7,
    "xtick.minor.visible": False, "lines.linewidth": 1.6, "mathtext.fontset": "dejavusans",
    "svg.hashsalt": "ssm-ablation-suite", "svg.fonttype": "path", "path.simplify": True,
}  # fmt: skip
"""Over matplotlib's own defaults, around every figure; the hash salt makes SVG bytes repeatable."""


@contextmanager
def drawing() -> Iterator[None]:
    """Inside, matplotlib is as it comes, with RC: whatever the user's matplotlibrc says, a figure has the same bytes."""
    import matplotlib as mpl

    with mpl.rc_context():
        mpl.rcdefaults()
        mpl.rcParams.update(RC)
        yield


def looks_of(levels: Sequence[str], variants: Collection[str] = ()) -> dict[str, Look]:
    """The looks of the levels of one factor, in the order they come: those of LEVELS, and after them the same colours, each with another
    marker and dash; levels among `variants` look as they do everywhere."""
    count = len(LEVELS)
    own = [replace(LEVELS[i % count], marker=_MARKERS[(i - count) % 6], dash=_DASHES[(i - count) % 4]) for i in range(count, len(levels))]
    return {level: look(level) if level in variants else style for level, style in zip(levels, [*LEVELS, *own], strict=False)}


def look(variant: str) -> Look:
    """The look of a variant; one without a row above takes the colour of its longest namesake or family and a marker fixed by its name."""
    if variant in LOOKS:
        return LOOKS[variant]
    if " [" in variant:  # a row with fields set by hand looks like its own, but for marker and dash
        return replace(look(variant.partition(" [")[0]), marker="p", dash=(0, (1, 1)))
    number = zlib.crc32(variant.encode())
    namesake = max((name for name in LOOKS if variant.startswith(f"{name}-")), key=len, default="")
    base = LOOKS.get(namesake or _FAMILIES.get(variant.split("-")[0], ""), Look(GREY, "o", "-"))
    return replace(base, marker=_MARKERS[number % len(_MARKERS)], dash=_DASHES[number // len(_MARKERS) % len(_DASHES)])
