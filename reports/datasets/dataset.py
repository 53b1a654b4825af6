"""A data set of the page as one row: the forms it is looked for in, its contact sheet, and what its generator is held against."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar

from data.base import Say
from reports.datasets.layout import png
from reports.datasets.samples import Found, first_here
from reports.parts.report import Plot

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from data.files.prepared import Prepared
    from data.subsets import SplitSpec

Sample = TypeVar("Sample")


@dataclass(frozen=True, kw_only=True)
class Sheet(Generic[Sample]):
    """A contact sheet: how its sample is gathered, how it is drawn, and its words.

    In title, alt and caption, {spec.FIELD} stands for a field of the spec that was found, {sample.FIELD} for one of the sample.
    """

    gather: Callable[..., Sample]
    """Is given a `Found` for each set on the sheet that is here."""
    draw: Callable[[Sample], Figure]
    title: str
    alt: str
    caption: str
    beside: tuple[DataSet, ...] = ()
    """Further sets on the same sheet; one of them is enough to draw it."""
    palette: bool = False
    """Whether its file is kept with 256 colours, for its size."""


class Measurable(Protocol):
    """A spec with a generator whose statistics can be told."""

    def opened(self) -> Prepared | None: ...
    def plan(self) -> str: ...
    def load(self, *, say: Say) -> Prepared: ...
    def statistics(self) -> Sequence[Any]:
        """Lines with quantity, reference, ours, tolerance and agrees."""


@dataclass(frozen=True)
class Quantities:
    """A panel in the figure of a generator: the quantities whose names have one beginning, the rest of each name under its bar."""

    beginning: str
    heading: str


@dataclass(frozen=True, kw_only=True)
class Generator:
    """A generator that stands in for released data: what its statistics are measured on, and which of them are worth a picture."""

    spec: Measurable
    """Large enough for the error of the reference to be the larger one."""
    panels: tuple[Quantities, ...]


@dataclass(frozen=True, kw_only=True)
class DataSet:
    """One data set of the page."""

    name: str
    """As in `make data-NAME`; a picture of it is NAME.png."""
    forms: Callable[[], Sequence[SplitSpec]] | None = None
    """The forms that are looked for, the best first; None for what comes with the suite."""
    sheet: Sheet[Any] | None = None
    generator: Generator | None = None

    @property
    def command(self) -> str:
        """What gets it."""
        return f"make data-{self.name}"

    def found(self) -> Found[Any] | None:
        """The best of its forms that is here, or None. Raises DataError where that is damaged."""
        return None if self.forms is None else first_here(self.forms())

    def draw(self) -> tuple[Plot, bytes] | None:
        """Its contact sheet and the same as PNG, or None where there is none or none of the sets on it is here. Raises DataError."""
        sheet = self.sheet
        if sheet is None:
            return None
        found = [one for one in (shown.found() for shown in (self, *sheet.beside)) if one is not None]
        if self.forms is not None and not found:
            return None
        sample = sheet.gather(*found)
        spec = found[0].spec if found else None
        title, alt, caption = (text.format(spec=spec, sample=sample) for text in (sheet.title, sheet.alt, sheet.caption))
        plot = Plot(name=self.name, title=title, figure=sheet.draw(sample), alt=alt, caption=caption)
        return plot, png(plot.figure, palette=sheet.palette)
