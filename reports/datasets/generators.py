"""Generators beside their references: for each how it was measured, the verdict, a figure, and all quantities."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from reports.datasets.dataset import Quantities
from reports.datasets.layout import png
from reports.datasets.record import Record
from reports.datasets.registry import DATASETS
from reports.datasets.words import number, table
from reports.parts.style import SKY, VERMILLION, WIDTH, drawing

REFERENCE = (
    "Reference: statistics of what the original programs draw (of ListOps 20,000 accepted trees of Long Range Arena's program; of "
    "Pathfinder 1,000 images at 32 pixels and 240 at 128 of the program of 2019). Tolerance: four standard deviations of the "
    "difference that the sampling of both sides leaves, and the rounding of the printed reference. One fair comparison in "
    "15,000 falls outside."
)
HOW_TO_READ = (
    "![Reference and measured values side by side]({name}-statistics.png)\n\n*Pale bars: the reference. Dots: ours, with the tolerance "
    "around them; a dot whose stroke does not reach the end of its bar disagrees.*"
)


@dataclass(frozen=True)
class Bar:
    """One quantity of a panel."""

    label: str
    reference: float
    ours: float
    tolerance: float


Bars = Mapping[str, Sequence[Bar]]
"""heading of a panel -> its quantities."""


def bars(name: str, found: Mapping[str, Any]) -> dict[str, list[Bar]]:
    """What is worth a picture of what was measured of a generator: the panels of its row that have quantities."""
    generator = DATASETS[name].generator
    chosen = {panel.heading: _bars(panel, found) for panel in (generator.panels if generator is not None else ())}
    return {heading: shown for heading, shown in chosen.items() if shown}


def _bars(panel: Quantities, found: Mapping[str, Any]) -> list[Bar]:
    start = panel.beginning
    return [Bar(_short(q.removeprefix(start)), ref, ours, tol) for q, ref, ours, tol, _ in found["lines"] if q.startswith(start)]


def _short(label: str) -> str:
    """A label that fits under a bar."""
    return label.split(" to ")[0].removesuffix(" arguments").removeprefix("= ").strip()


def draw(panels: Bars) -> Figure:
    """Two panels in a line; of each quantity a pale bar for the reference, a dot for ours, a stroke for the tolerance."""
    with drawing():
        lines = math.ceil(len(panels) / 2)
        figure = Figure(figsize=(WIDTH, 1.9 * lines), layout="constrained")
        axes = list(figure.subplots(lines, 2, squeeze=False).flat)
        for ax, (heading, shown) in zip(axes, panels.items()):
            labels = [bar.label for bar in shown]
            at = np.arange(len(shown))
            ax.bar(at, [bar.reference for bar in shown], 0.78, color=SKY, alpha=0.45)
            ax.errorbar(
                at, [bar.ours for bar in shown], yerr=[bar.tolerance for bar in shown], fmt="o", ms=3.2, color=VERMILLION, elinewidth=1.1
            )
            many = max(map(len, labels)) * len(labels) > 44
            ax.set_xticks(at, labels, rotation=90 if many else 0, fontsize=7)
            ax.grid(False, axis="x")
            ax.set_ylim(bottom=0)
            ax.set_title(heading)
        for ax in axes[len(panels) :]:
            ax.remove()
    return figure


def figures(record: Record) -> dict[str, bytes]:
    """NAME-statistics.png for each generator with something to draw."""
    found = {name: bars(name, measured) for name, measured in record["statistics"].items()}
    return {f"{name}-statistics.png": png(draw(panels)) for name, panels in found.items() if panels}


def sections(record: Record) -> list[str]:
    """The paragraphs of the page about generators."""
    if not record["statistics"]:
        return ["Nothing has been measured yet: `python -m reports.datasets measure`."]
    return [REFERENCE, *(part for name, found in record["statistics"].items() for part in _section(name, found))]


def _section(name: str, found: Mapping[str, Any]) -> list[str]:
    lines = found["lines"]
    off = [line for line in lines if not line[4]]
    verdict = f"**{len(lines) - len(off)} of {len(lines)} quantities lie within the tolerance.**"
    farthest = max(lines, key=lambda line: abs(line[2] - line[1]) / line[3])
    verdict += f" Farthest: {farthest[0]}, {abs(farthest[2] - farthest[1]) / farthest[3]:.2f} of its tolerance."
    if off:
        verdict += " Outside: " + "; ".join(f"{q} ({number(ours)} against {number(ref)})" for q, ref, ours, _, _ in off) + "."
    rows = [[q, number(ref), number(ours), number(tol), "yes" if ok else "**no**"] for q, ref, ours, tol, ok in lines]
    quantities = table(["quantity", "reference", "ours", "tolerance", "agrees"], rows)
    return [
        f"### {name}",
        f"{found['n']:,} samples, {found['version']}; measured on {found['date']} with Python {found['python']} and numpy "
        f"{found['numpy']}. {verdict}",
        *([HOW_TO_READ.format(name=name)] if bars(name, found) else []),
        f"<details><summary>All {len(lines)} quantities</summary>\n\n{quantities}\n\n</details>",
    ]
