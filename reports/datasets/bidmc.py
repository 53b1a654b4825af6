"""BIDMC: windows of pulse and heart signals with what is asked of them, and how the three targets are distributed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from data.base import PARTS
from data.bidmc.release import RATE, Target
from data.bidmc.spec import BIDMCSpec
from reports.datasets.layout import SMALL, Floats, histogram, strips
from reports.datasets.samples import Found, batches, every
from reports.parts.style import BLUE, INK, MUTED, VERMILLION, WIDTH, drawing

UNITS: Final[dict[Target, str]] = {"RR": "breaths/min", "HR": "beats/min", "SpO2": "%"}
"""The unit in which each target is given."""


@dataclass(frozen=True)
class Window:
    """Some seconds of several signals, and what is asked of them."""

    title: str
    signals: Mapping[str, Floats]


@dataclass(frozen=True)
class Biosignals:
    """Windows with the same signals, and the targets of every part."""

    windows: Sequence[Window]
    targets: Mapping[str, Mapping[str, Floats]]
    """target with its unit -> part -> values."""


def gather(found: Found[BIDMCSpec]) -> Biosignals:
    """Two training windows for each target that is here, no window twice."""
    windows, targets = [], {}
    for i, (target, unit) in enumerate(UNITS.items()):
        spec = replace(found.spec, target=target)
        if spec.opened() is None:  # the official files are others for each target
            continue
        batch = next(batches(spec, "train", 2 * len(UNITS)))
        for x, y in zip(batch["x"][2 * i : 2 * i + 2], batch["y"][2 * i : 2 * i + 2].tolist()):
            windows.append(Window(f"{target} {y:.1f} {unit}", {"photoplethysmogram": x[:, 0], "ECG, lead II": x[:, 1]}))
        targets[f"{target} ({unit})"] = {part: every(spec, part, "y") for part in PARTS}
    return Biosignals(windows, targets)


def draw(sample: Biosignals) -> Figure:
    """A line for each window, a column for each signal; below, the targets of every part."""
    names = list(sample.windows[0].signals)
    with drawing():
        heights = [0.92 * len(sample.windows) + 0.5, 2.1]
        figure = Figure(figsize=(WIDTH, sum(heights)), layout="constrained")
        upper, lower = strips(figure, heights)
        grid = upper.subplots(len(sample.windows), len(names), squeeze=False, sharex=True)
        for axes, window in zip(grid, sample.windows):
            for ax, name, colour in zip(axes, names, (BLUE, VERMILLION)):
                signal = window.signals[name]
                ax.plot(np.arange(len(signal)) / RATE, signal, color=colour, lw=0.6)
                ax.set_xlim(0, len(signal) / RATE)
                ax.yaxis.set_major_locator(MaxNLocator(nbins=3))
            axes[0].set_title(window.title, fontweight="bold", fontsize=8.5, pad=3)
        for ax, name in zip(grid[0], names):
            ax.set_title(name, loc="right", color=MUTED, fontsize=8.5, pad=3)
        upper.supxlabel("seconds", fontsize=9, color=INK)
        for ax, (label, values) in zip(lower.subplots(1, len(sample.targets), squeeze=False)[0], sample.targets.items()):
            histogram(ax, values, label, "", bins=30)
            handles, words = ax.get_legend_handles_labels()
            ax.get_legend().remove()
            ax.set_title("n = " + " / ".join(word.split(", ")[1] for word in words), fontsize=SMALL, color=MUTED, loc="right")
            if ax is not lower.axes[0]:
                ax.set_ylabel("")
        lower.legend(handles=handles, labels=list(next(iter(sample.targets.values()))), loc="outside upper left", ncols=3, handlelength=1.4)
    return figure
