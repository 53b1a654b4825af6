"""What a report is: sections of tables and figures with their words, and the runs behind them."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

import pandas as pd

from reports.parts.table import Table

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SCALE_WORDS = {
    "quick": "Quick scale: minutes on two CPU cores. The settings are far smaller than any published one, so these numbers say something "
    "about each other and nothing about published tables.",
    "small": "Small scale: a small network of the authors' repository; notes say which, and how large. Not comparable with full-size "
    "published numbers.",
    "paper": "Paper scale: the published setting of each row; its notes say what is done otherwise.",
}
"""What numbers of each scale may be compared with."""


@dataclass(frozen=True, kw_only=True)
class Plot:
    """A figure with its words: `alt` for those who cannot see it, `caption` says what is seen and how to read it.

    A caption has a line for each thought; a line that stands word for word in several reports is printed once where all of them stand
    on one page, so what holds of this figure alone has a line of its own.
    """

    name: str
    title: str
    figure: Figure
    alt: str
    caption: str

    @cached_property
    def drawn(self) -> tuple[str, bytes]:
        """The figure in its one format: "svg", or "png" where an SVG would be a large file, and its bytes."""
        from reports.parts.figure import draw  # matplotlib: a report without a figure does without

        return draw(self.figure)

    @property
    def file(self) -> str:
        """The name of its file."""
        return f"{self.name}.{self.drawn[0]}"


@dataclass(frozen=True, kw_only=True)
class Best:
    """The row that an index of reports names: the best mean of those that beat a constant answer."""

    name: str
    score: str
    unit: str
    runs: pd.DataFrame


@dataclass(frozen=True, kw_only=True)
class Section:
    """A heading, paragraphs, and tables and plots in the order given."""

    name: str
    title: str
    text: tuple[str, ...] = ()
    parts: tuple[Table | Plot, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Report:
    """Everything a page says. Sections are results; what follows them (missing runs, provenance, environment) comes from `runs`."""

    name: str
    title: str
    scale: str
    about: str
    summary: tuple[str, ...]
    sections: tuple[Section, ...]
    runs: pd.DataFrame
    labels: tuple[str, ...]
    """The columns of `runs` that name a row of the table."""
    warnings: tuple[str, ...] = ()
    environment: pd.DataFrame = field(default_factory=pd.DataFrame)
    make: str = ""
    """The command that renders this page."""
    score: str = "test_accuracy"
    """The column of `runs` that is the score."""
    best: Best | None = None
    """None where no row beats a constant answer, or several tables stand side by side."""

    @property
    def size(self) -> str:
        """Its scale in words; empty for a report that is of no scale."""
        return f"{self.scale} scale" if self.scale else ""

    @property
    def heading(self) -> str:
        """Title and scale."""
        return f"{self.title}, {self.size}" if self.scale else self.title

    def tables(self) -> list[Table]:
        """Every table, in the order of the page."""
        return [p for s in self.sections for p in s.parts if isinstance(p, Table)]

    def plots(self) -> list[Plot]:
        """Every figure, in the order of the page."""
        return [p for s in self.sections for p in s.parts if isinstance(p, Plot)]

    def missing(self) -> pd.DataFrame:
        """The runs without a finished record."""
        return self.runs[self.runs["status"].isin(["missing", "failed"])] if len(self.runs) else self.runs
