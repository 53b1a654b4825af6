"""Every row on every benchmark in one picture, and in one table: how much of what can be learned each learns, by kind of task."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Final

import pandas as pd
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from models import VARIANTS
from reports.parts.chance import Chance
from reports.parts.figure import draw_nothing
from reports.parts.judge import Judged, chance_of, find_leader
from reports.parts.metric import Metric
from reports.parts.report import Plot
from reports.parts.stats import Difference, Summary, paired, summarize
from reports.parts.style import BLUE, GRID, INK, MUTED, PAPER, WIDTH, drawing
from reports.parts.table import HOLE, Table

if TYPE_CHECKING:
    from matplotlib.axes import Axes

SCORES = "Mean over the seeds of the test score, in % or, where ↓ stands, as an error, of which less is better."
MARKS = (
    "the best mean of the line. ▾: behind it by more than the 95 % t interval of the difference, paired by seed, each by itself, so that "
    "of many some miss; without it, no difference is shown, and with one seed none can be. °: does not beat the constant answer, an "
    "accuracy by more than a test set of its size leaves to luck."
)
MEAN_SHARE = (
    "Mean share: how far a row goes from the best constant answer to the best row here, in %, averaged over the tasks that any row learns "
    "and of which every row at the common rates has two seeds (one, where there is no such task); ±: standard deviation over the seeds "
    "that the row has on all of them; ▾: behind the highest by more than the 95 % t interval of the difference, paired by seed."
)
"""How to read what `mean_shares` gives."""
LIMIT = "Small networks and minutes of training: a line says which rows learn a kind of task soonest, and nothing about published tables."
CAPTION = (
    f"{SCORES} Colour: the share of the way from the best constant answer (white) to the best row of the line (blue). Framed and bold: "
    f"{MARKS} Empty: no run. {MEAN_SHARE} {LIMIT}"
)
TABLE_CAPTION = f"{SCORES} Bold: {MARKS} A dash: no run. {MEAN_SHARE} {LIMIT}"
CELL, HEIGHT = 0.54, 0.24
"""Inches of a cell."""
HEAD, EDGE, ROOM = 1.12, 0.08, 0.55
"""Inches above the cells, in which the names of the rows stand; below them; and to their right, where the last name leans out."""
DARK, LIGHT = "#202428", "#ffffff"
"""Text over a shade, which is the same in dark mode: neither the ink nor the paper of a page, which are not."""
SHADES: Final = LinearSegmentedColormap.from_list("share", [PAPER, BLUE])


@dataclass(frozen=True)
class Line:
    """A benchmark: what it is called, its kind in words where that is said, its rows and how they are scored."""

    label: str
    reduced: str
    """How the task was made smaller; empty where it is the whole task."""
    kind: str
    rows: Mapping[str, Judged]
    metric: Metric
    further: bool = False
    """It is a further test of weights that another line tests already, which no average counts."""

    @cached_property
    def scored(self) -> set[str]:
        """The rows that have a score."""
        return {v for v, r in self.rows.items() if r.scores}

    @cached_property
    def chance(self) -> Chance | None:
        """What a constant answer scores."""
        return chance_of(self.rows, self.metric)

    @cached_property
    def ends(self) -> tuple[float, float]:
        """What the best constant answer scores, and the best row; nan where it is unknown."""
        best = find_leader(self.rows)
        return math.nan if self.chance is None else self.chance.value, math.nan if best is None else self.rows[best].summary.mean

    def share(self, score: float) -> float:
        """0 for the best constant answer, 1 for the mean of the best row; nan where either is unknown."""
        low, high = self.ends
        return (score - low) / (high - low)

    @property
    def conditions(self) -> str:
        """How the task was made smaller, and that one seed says little where there is no more."""
        return join_words(self.reduced, "one seed" if max((r.summary.n for r in self.rows.values()), default=0) == 1 else "")

    @property
    def title(self) -> str:
        """The label, with an arrow where less is better."""
        return self.label if self.metric.higher else f"{self.label} ↓"

    def leads(self, r: Judged) -> bool:
        """Whether no row has a better mean, and this one beats the constant answer."""
        return (r.best or r.equal) and not r.at_chance

    def text(self, r: Judged) -> str:
        """The mean, with its mark."""
        value = self.metric.factor * r.summary.mean
        shown = f"{value:.1f}" if self.metric.higher else f"{value:#.3g}".rstrip(".")
        return shown + ("°" if r.at_chance else "▾" if r.clearly_behind else "")


def join_words(*words: str) -> str:
    """ "sc10, waves at 2 kHz, 1 kHz": what there is of the words, with commas."""
    return ", ".join(filter(None, words))


@dataclass(frozen=True)
class Share:
    """How much of what can be learned a row learns, averaged over tasks."""

    by_seed: Mapping[int, float]
    summary: Summary
    behind: Difference | None = None
    """How far it is behind the row with the highest, paired by seed; None for that row."""

    def show(self) -> str:
        """ "87 ± 3▾": in %, with the standard deviation over seeds where there are two or more, and whether it is shown to be behind."""
        spread = f" ± {100 * self.summary.std:.0f}" if self.summary.n > 1 else ""
        return f"{100 * self.summary.mean:.0f}{spread}{'▾' if self.behind is not None and self.behind.above_zero else ''}"


def mean_shares(lines: Sequence[Line], variants: Sequence[str]) -> dict[str, Share]:
    """The share of each of `variants`, averaged over lines, of the seeds that the row has on all of them.

    Lines count on which any row beats the constant answer and every row at the common rates has two seeds or more; where no line has, those
    with one. A row that lacks such a line has no mean share.
    """
    common = [v for v in variants if not VARIANTS[v].second_line_of]
    learned = [line for line in lines if all(map(math.isfinite, line.ends)) and not line.further]
    having = lambda seeds: [n for n in learned if all(v in n.rows and len(n.rows[v].scores) >= seeds for v in common)]
    counted = having(2) or having(1)
    by_seed: dict[str, dict[int, float]] = {}
    for v in variants if counted else ():
        seeds = set.intersection(*(set(line.rows[v].scores) if v in line.rows else set() for line in counted))
        by_seed[v] = {seed: sum(line.share(line.rows[v].scores[seed]) for line in counted) / len(counted) for seed in sorted(seeds)}
    summaries = {v: summarize([*shares.values()]) for v, shares in by_seed.items() if shares}
    best = max(summaries, key=lambda v: (summaries[v].n, summaries[v].mean), default="")
    return {v: Share(by_seed[v], s, None if v == best else paired(by_seed[best], by_seed[v])) for v, s in summaries.items()}


def compose_matrix(lines: Sequence[Line], variants: Sequence[str], *, name: str = "rows-by-task", what: str = "every benchmark") -> Plot:
    """The picture of all lines that have a run; `variants` in the order of its columns."""
    return Plot(
        name=name, title=f"Every row on {what}", figure=draw_matrix(lines, variants), caption=CAPTION,
        alt="A table in colours: benchmarks by kind down, parameterizations across, each cell a mean test score.",
    )  # fmt: skip


def tabulate_matrix(lines: Sequence[Line], variants: Sequence[str]) -> Table:
    """What the picture shows, as text: a row for each benchmark, and before those of a kind their mean shares."""
    by_kind, columns = arrange(lines, variants)
    heads = ["benchmark", *columns]
    rows: list[dict[str, str]] = []
    marks: list[dict[str, str]] = []
    numbers: list[dict[str, object]] = []
    for kind, of_kind in by_kind.items():
        shares = mean_shares(of_kind, columns)
        rows.append({"benchmark": f"{kind}: mean share"} | {v: shares[v].show() if v in shares else "" for v in columns})
        marks.append(dict.fromkeys(heads, ""))
        numbers.append({"kind": kind, "benchmark": "mean share", **{v: share.summary.mean for v, share in shares.items()}})
        for line in of_kind:
            scored = {v: line.rows[v] for v in columns if v in line.scored}
            rows.append(
                {"benchmark": join_words(line.title, line.conditions)} | {v: line.text(scored[v]) if v in scored else HOLE for v in columns}
            )
            marks.append(dict.fromkeys(heads, "") | {v: "best" for v, r in scored.items() if line.leads(r)})
            numbers.append({"kind": kind, "benchmark": line.label, **{v: r.summary.mean for v, r in scored.items()}})
    return Table(
        name="rows-by-task", title="Every row on every benchmark", caption=TABLE_CAPTION, cells=pd.DataFrame(rows, columns=heads),
        marks=pd.DataFrame(marks, columns=heads), numbers=pd.DataFrame(numbers), left=("benchmark",),
    )  # fmt: skip


def arrange(lines: Sequence[Line], variants: Sequence[str]) -> tuple[dict[str, list[Line]], list[str]]:
    """The lines that have a score, by their kind, and those of `variants` that have one on any of them, a row's second line beside it."""
    by_kind: dict[str, list[Line]] = {}
    for line in lines:
        if line.scored:
            by_kind.setdefault(line.kind, []).append(line)
    scored = [v for v in variants if any(v in line.scored for line in lines)]
    first = {v: VARIANTS[v].second_line_of or v for v in scored}
    order = [*first.values()]
    return by_kind, sorted(scored, key=lambda v: (order.index(first[v]), v != first[v]))


def draw_matrix(lines: Sequence[Line], variants: Sequence[str]) -> Figure:
    """Cells from top to bottom, with a heading before each kind."""
    by_kind, columns = arrange(lines, variants)
    if not by_kind:
        return draw_nothing("no finished run yet")
    tall = HEIGHT * sum(len(of_kind) + 1.3 for of_kind in by_kind.values())
    wide = CELL * len(columns)
    with drawing():
        figure = Figure(figsize=(WIDTH, tall + HEAD + EDGE))
        height = tall + HEAD + EDGE
        ax = figure.add_axes(((WIDTH - wide - ROOM) / WIDTH, EDGE / height, wide / WIDTH, tall / height))
        ax.set_axis_off()
        ax.set_xlim(0, len(columns))
        ax.set_ylim(tall / HEIGHT, 0)
        for x, v in enumerate(columns):
            ax.text(x + 0.55, 0.25, v, rotation=50, ha="left", va="bottom", rotation_mode="anchor", fontsize=7.8)
        y = 0.0
        for kind, of_kind in by_kind.items():
            ax.text(-(WIDTH - wide - ROOM) / CELL + 0.2, y + 0.75, kind, ha="left", va="center", fontsize=7.8, fontweight="bold")
            shares = mean_shares(of_kind, columns)
            ax.text(-0.2, y + 0.76, "mean share" if shares else "", ha="right", va="center", fontsize=5.6, color=MUTED)
            for v, share in shares.items():
                ax.text(columns.index(v) + 0.5, y + 0.75, share.show(), ha="center", va="center", fontsize=6.9, color=MUTED)
            y += 1.3
            for line in of_kind:
                ax.text(-0.2, y + (0.32 if line.conditions else 0.5), line.title, ha="right", va="center", fontsize=7.4)
                ax.text(-0.2, y + 0.76, line.conditions, ha="right", va="center", fontsize=5.6, color=MUTED)
                for x, v in enumerate(columns):
                    _draw_cell(ax, x, y, line, line.rows.get(v))
                y += 1
    return figure


def _draw_cell(ax: Axes, x: int, y: float, line: Line, r: Judged | None) -> None:
    if r is None or not r.scores:
        ax.add_patch(Rectangle((x + 0.04, y + 0.06), 0.92, 0.88, facecolor="none", edgecolor=GRID, lw=0.6))
        return
    share = line.share(r.summary.mean)
    best = line.leads(r)
    shaded = math.isfinite(share) and not r.at_chance
    face = SHADES(0.03 + 0.82 * min(1.0, max(0.0, share))) if shaded else PAPER
    ax.add_patch(Rectangle((x + 0.04, y + 0.06), 0.92, 0.88, facecolor=face, edgecolor=INK if best else GRID, lw=1.1 if best else 0.6))
    color = MUTED if r.at_chance else INK if not shaded else LIGHT if share > 0.55 else DARK
    weight = "bold" if best else "normal"
    ax.text(x + 0.5, y + 0.53, line.text(r), ha="center", va="center", fontsize=6.9, color=color, fontweight=weight)
