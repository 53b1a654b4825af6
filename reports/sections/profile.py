"""Where the time of a training step goes: a line and a bar for each row that was profiled, by part."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
from matplotlib.figure import Figure

from benchmarks.speed.profile_record import Profile
from benchmarks.speed.shares import PARTS
from reports.parts.figure import draw_nothing
from reports.parts.report import Plot, Section
from reports.parts.style import BLUE, GREEN, GREY, INK, ORANGE, PAPER, PURPLE, SKY, VERMILLION, WIDTH, drawing
from reports.parts.table import HOLE, Table

COLORS = dict(zip(PARTS, (BLUE, SKY, GREEN, ORANGE, "#f0e442", VERMILLION, PURPLE, "#4b3fa3", GREY), strict=True))
WORDS = (
    "kernel: from parameters to the kernel, of LRU its whole recurrence. transforms: Fourier transforms. mixing: the products of "
    "position-wise mixing, and its gate. element-wise: also copies and sums. rest: the training loop, metrics, and Python between "
    "operations. The profiler takes time for every small operation, so a step is slower here than in a run."
)


def compose_profile(profiles: Sequence[Profile], *, name: str) -> Section:
    """The table and the chart."""
    several = len({p.environment.get("device") for p in profiles}) > 1
    labelled = {f"{p.variant}, {p.environment.get('device')}" if several else p.variant: p for p in profiles}
    plot = Plot(
        name=f"{name}-shares",
        title="Shares of a step",
        figure=draw_shares(labelled),
        alt="Stacked bars, one for each row: the share of each part in the time of a training step.",
        caption="A bar is one training step: forward, backward, optimizer, and the loading of the next batch; at its end the whole step.",
    )
    return Section(name="shares", title="Where a step's time goes", parts=(tabulate_shares(labelled, name=name), plot))


def tabulate_shares(profiles: dict[str, Profile], *, name: str) -> Table:
    """Milliseconds of a step and of each part, with its share."""
    shown = [part for part in PARTS if any(p.parts.get(part, 0.0) > 0 for p in profiles.values())]
    cell = lambda seconds, whole: f"{1e3 * seconds:.3g} ({100 * seconds / whole:.0f} %)" if seconds else HOLE
    lines = [
        {"row": row, "step, ms": f"{1e3 * p.seconds:.3g}", **{part: cell(p.parts.get(part, 0.0), p.seconds) for part in shown}}
        for row, p in profiles.items()
    ]
    cells = pd.DataFrame(lines, columns=["row", "step, ms", *shown], dtype=object)
    numbers = pd.DataFrame([{"row": row, "step": p.seconds, **p.parts} for row, p in profiles.items()])
    return Table(
        name=f"{name}-shares", title="Parts of a training step, ms and share", caption=WORDS, cells=cells, marks=cells.map(lambda _: ""),
        numbers=numbers, left=("row",),
    )  # fmt: skip


def draw_shares(profiles: dict[str, Profile]) -> Figure:
    """A bar for each row, its parts in their order from the left, those of 6 % and more with their share written in."""
    if not profiles:
        return draw_nothing("no step was profiled")
    with drawing():
        figure = Figure(figsize=(WIDTH, 0.36 * len(profiles) + 1.0), layout="constrained")
        ax = figure.subplots()
        for y, p in enumerate(profiles.values()):
            left = 0.0
            for part in PARTS:
                share = 100 * p.parts.get(part, 0.0) / p.seconds
                ax.barh(y, share, left=left, height=0.66, color=COLORS[part], edgecolor=PAPER, lw=0.6, label=part if y == 0 else None)
                if share >= 6:
                    ax.text(left + share / 2, y, f"{share:.0f}", ha="center", va="center", fontsize=7.5, color=_legible(part))
                left += share
            ax.annotate(f"{1e3 * p.seconds:.3g} ms", (left, y), xytext=(5, 0), textcoords="offset points", va="center", fontsize=8)
        ax.set_yticks(range(len(profiles)), list(profiles))
        ax.tick_params(axis="y", length=0, labelcolor=INK)
        ax.invert_yaxis()
        ax.grid(axis="y", visible=False)
        ax.set_xlim(0, 112)
        ax.set_xticks(range(0, 101, 20))
        ax.set_xlabel("% of the step")
        figure.legend(loc="outside upper center", ncols=len(PARTS), handlelength=1.0, columnspacing=1.0)
    return figure


def _legible(part: str) -> str:
    return PAPER if part in ("kernel", "mixing", "other products", "loader") else INK
