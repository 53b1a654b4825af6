"""The synthetic probes: input and, where it is scored, target of one training sample of each, whole and at its end."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar, Final, Protocol

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from numpy.typing import NDArray

from benchmarks.tasks.probes import PROBES
from data.probes.base import ProbeSpec
from data.probes.copying import CopyingSpec
from data.probes.delay import DelaySpec
from data.probes.selective_copying import SelectiveCopyingSpec
from reports.datasets.layout import SMALL, Floats, Ints, strips
from reports.datasets.samples import first
from reports.parts.style import GRID, INK, MUTED, PAPER, SKY, VERMILLION, WIDTH, drawing

if TYPE_CHECKING:
    from matplotlib.axes import Axes

CLOSE: Final = 20
"""Steps at the end of a sequence that are drawn once more, with their tokens."""


class Probe(Protocol):
    """One sample of a synthetic task."""

    height: ClassVar[float]
    """Inches."""

    @property
    def title(self) -> str: ...

    def draw(self, left: Axes, right: Axes) -> None:
        """The whole sequence at the left, a part of it close up at the right."""


@dataclass(frozen=True)
class Lanes:
    """Tokens: each is a cell, input above target."""

    height: ClassVar[float] = 1.05

    title: str
    x: Ints
    """(L,)"""
    y: Ints
    """(L,)"""
    mask: NDArray[np.bool_]
    """(L,) The target is drawn where it is True: only there is it scored."""
    blank: int = -1
    """The token that stands for nothing; -1 for none."""

    def draw(self, left: Axes, right: Axes) -> None:
        """All steps, and the last ones with their tokens."""
        self.draw_from(left, 0)
        self.draw_from(right, len(self.x) - CLOSE)
        right.tick_params(labelleft=False)
        right.set_title(f"the last {CLOSE} steps", color=MUTED, fontsize=8.5)

    def draw_from(self, ax: Axes, start: int) -> None:
        """The steps from `start` on; where they are few, with their tokens."""
        length = len(self.x) - start
        y = np.where(self.mask, self.y, -1)
        top = max(float(self.x.max()), float(y.max()))
        norm = mpl.colors.Normalize(0, top)
        colours = mpl.colormaps["cividis"]
        for place, values, blank in ((0, self.x[start:], self.blank), (1, y[start:], -1)):
            ax.add_patch(Rectangle((start, place - 0.42), length, 0.84, color=GRID, lw=0))
            drawn = np.flatnonzero((values >= 0) & (values != blank))
            if length > 1000:  # a step is thinner than a dot
                ax.vlines(start + drawn + 0.5, place - 0.42, place + 0.42, colors=colours(norm(values[drawn])), lw=1.3)
                continue
            for i in drawn.tolist():
                ax.add_patch(Rectangle((start + i, place - 0.42), 1, 0.84, color=colours(norm(values[i])), lw=0))
                if length <= 80:
                    dark = norm(values[i]) < 0.55
                    ax.text(
                        start + i + 0.5, place, str(int(values[i])), ha="center", va="center", color=PAPER if dark else INK,
                        rotation=0 if length <= CLOSE and top < 100 else 90, fontsize=6.5 if top < 10 else 5.6,
                    )  # fmt: skip
        ax.set_yticks([0, 1], ["input", "target"], fontsize=SMALL)
        ax.tick_params(axis="y", length=0)
        ax.set_xlim(start, start + length)
        ax.set_ylim(1.5, -0.5)
        ax.grid(False)
        ax.spines[:].set_visible(False)


@dataclass(frozen=True)
class Shifted:
    """Two signals, of which the second is the first some steps later."""

    height: ClassVar[float] = 1.7

    title: str
    x: Floats
    """(L,)"""
    y: Floats
    """(L,)"""
    mask: NDArray[np.bool_]
    """(L,) As in Lanes."""
    delay: int

    def draw(self, left: Axes, right: Axes) -> None:
        """Input above target, and some steps of the target on the input of `delay` steps before."""
        steps = np.arange(len(self.x))
        shown = np.where(self.mask, self.y, np.nan)
        left.plot(steps, self.x, color=SKY, lw=0.5)
        left.plot(steps, shown - 7, color=VERMILLION, lw=0.5)
        left.set_yticks([0, -7], ["input", "target"], fontsize=SMALL)
        left.set_xlim(0, len(steps))
        left.grid(False, axis="y")
        n = 120
        close = slice(self.delay, self.delay + n)
        right.plot(steps[close], self.x[:n], color=SKY, lw=2.2, label=f"input {self.delay:,} steps before")
        right.plot(steps[close], shown[close], color=VERMILLION, lw=1, ls="--", label="target")
        right.legend(
            loc="lower center", bbox_to_anchor=(0.5, 1), ncols=2, borderaxespad=0.1, handlelength=1.4, columnspacing=1, fontsize=SMALL
        )


def _lanes(spec: ProbeSpec, blank: int = -1) -> Probe:
    sample = first(spec, 1)[0]
    return Lanes(_title(spec), sample["x"], sample["y"], sample["mask"], blank)


def _shifted(spec: DelaySpec) -> Probe:
    sample = first(spec, 1)[0]
    return Shifted(_title(spec), sample["x"][:, 0], sample["y"], sample["mask"], spec.delay)


def _title(spec: ProbeSpec) -> str:
    return f"{spec.name}, {spec.signature.length:,} steps"


SHOWN: Final[dict[type[ProbeSpec], Callable[[Any], Probe]]] = {
    **dict.fromkeys(PROBES, _lanes),
    DelaySpec: _shifted,
    CopyingSpec: partial(_lanes, blank=0),
    SelectiveCopyingSpec: partial(_lanes, blank=0),
}
"""How a sample of each probe is shown: as tokens none of which is blank, unless it says otherwise here."""


def gather() -> list[Probe]:
    """The first training sample of every probe."""
    return [show(kind()) for kind, show in SHOWN.items()]


def draw(sample: Sequence[Probe]) -> Figure:
    """A line for each probe: the whole sequence, and a part of it at reading size."""
    with drawing():
        heights = [probe.height for probe in sample]
        figure = Figure(figsize=(WIDTH, sum(heights) + 0.3), layout="constrained")
        for part, probe in zip(strips(figure, heights), sample):
            left, right = part.subplots(1, 2, gridspec_kw={"width_ratios": [2.3, 1]})
            left.set_title(probe.title, fontweight="bold")
            probe.draw(left, right)
        figure.supxlabel("step", fontsize=9, color=INK)
    return figure
