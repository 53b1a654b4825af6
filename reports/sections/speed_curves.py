"""Time of kernels against L, H and N on logarithmic axes, with the exponents fitted to the ends of the lines."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, NullLocator

from benchmarks.speed.case import OURS, TEXTBOOK, Case
from benchmarks.speed.results import Results, textbook
from benchmarks.speed.sizes import LENGTHS, MILLION, STATES, SWEPT, WIDTHS, compared
from benchmarks.speed.targets import slope
from reports.parts.figure import draw_nothing, halo
from reports.parts.style import GREY, INK, MUTED, WIDTH, drawing, look

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Points = list[tuple[float, float]]


def swept(row: str, letter: str) -> dict[float, Case]:
    """The kernels of a row by their size along one axis: L at H = 128 and N = 64, H or N at L = 1024."""
    start = Case(kind="kernel", row=row, L=1024)
    if letter == "L":
        return {float(L): replace(start, L=L) for L in (*LENGTHS, MILLION.L)}
    if letter == "H":
        return {float(H): replace(start, H=H) for H in WIDTHS}
    return {float(N): replace(start, N=None if N == 64 else N) for N in STATES}  # the rows have 64 by themselves


def line(results: Results, row: str, letter: str, by: str) -> Points:
    """(size, ms) of what was measured, by ours or by the textbook code."""
    cases = {size: textbook(case) if by == TEXTBOOK else case for size, case in swept(row, letter).items()}
    return [(size, results.get(case)) for size, case in cases.items() if case in results.found]


def draw_curves(results: Results) -> Figure:
    """Time of kernels against L, H and N: ours in the colours of the rows, the textbook code grey and dashed."""
    lines: Mapping[str, dict[tuple[str, str], Points]] = {
        letter: {
            (row, by): points for row in SWEPT for by in (OURS, TEXTBOOK)
            if not (by == TEXTBOOK and compared(row) != row) and (points := line(results, row, letter, by))
        }
        for letter in ("L", "H", "N")
    }  # fmt: skip
    if not any(lines.values()):
        return draw_nothing("no kernel was measured")
    with drawing():
        figure = Figure(figsize=(WIDTH, 3.7), layout="constrained")
        panels = figure.subplots(1, 3, sharey=True, width_ratios=(1.3, 1, 1))
        for ax, (letter, found) in zip(panels, lines.items()):
            ends = []
            for (row, by), points in found.items():
                color, dash, width = (GREY, "--", 1.0) if by == TEXTBOOK else (look(row).color, look(row).dash, 1.6)
                ax.plot(*zip(*points), color=color, ls=dash, lw=width, marker=look(row).marker, ms=4, zorder=2)
                ends.append((points[-1], slope(points[-3:]), color))
            _name_axis(ax, letter, sorted({size for points in found.values() for size, _ in points}))
            _write_exponents(ax, ends)
        panels[0].set_ylabel("ms")
        handles = [Line2D([], [], color=look(r).color, marker=look(r).marker, ms=4, label=r) for r in SWEPT]
        handles += [Line2D([], [], color=GREY, ls="--", label="textbook, same marker")]
        figure.legend(handles=handles, loc="outside upper center", ncols=len(handles))
    return figure


def _write_exponents(ax: Axes, ends: Sequence[tuple[tuple[float, float], float, str]]) -> None:
    """The exponents beside the ends of their lines, moved apart where lines end close together."""
    lowest: dict[float, float] = {}
    for (x, y), p, color in sorted(ends, key=lambda end: end[0][1]):
        if math.isnan(p):
            continue
        place = lowest[x] = max(math.log10(y), lowest.get(x, -math.inf) + 0.2)
        text = f"{p:.1f}"
        ax.annotate(
            text, (x, 10**place), xytext=(6, 0), textcoords="offset points", va="center", fontsize=7.5,
            color=MUTED if color == GREY else color, annotation_clip=False,
            path_effects=halo(2),
        )  # fmt: skip


def _name_axis(ax: Axes, letter: str, sizes: Sequence[float]) -> None:
    ax.set_xscale("log", base=2)
    ax.set_yscale("log")
    ax.set_title({"L": "against L", "H": "against H, L = 1,024", "N": "against N, L = 1,024"}[letter], fontweight="bold")
    ax.set_xticks(sizes)
    ax.xaxis.set_minor_locator(NullLocator())
    ax.yaxis.set_minor_locator(NullLocator())
    ax.xaxis.set_major_formatter(FuncFormatter(lambda v, _: _size(v)))
    ax.yaxis.set_major_formatter(FuncFormatter(lambda v, _: f"{v:,.0f}" if v >= 1 else f"{v:g}"))
    ax.tick_params(colors=INK)
    if sizes:
        ax.set_xlim(sizes[0] * 0.8, sizes[-1] * 1.9)


def _size(v: float) -> str:
    """A size in powers of two, as 64k."""
    for unit, letter in ((1 << 20, "M"), (1 << 10, "k")):
        if v >= unit:
            return f"{v / unit:.0f}{letter}"
    return f"{v:.0f}"
