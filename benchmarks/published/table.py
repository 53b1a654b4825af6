"""One format for every number that others printed: a table as its paper has it, with one citation for all of it."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from benchmarks.benchmark import Published

S4D_PAPER: Final = "the authors' picture of the table, and later papers that quote it"
QUOTED: Final = "quoted by later papers"
README: Final = "README"
TEXT: Final = "paper text"

FAILED: Final = math.nan
"""Printed as a cross: the row did not learn."""

LRA: Final = ("lra-listops", "lra-text", "lra-retrieval", "lra-image", "lra-pathfinder", "lra-pathx")
"""The columns of every table of the Long Range Arena."""

AVERAGE: Final = "lra"
"""The column of averages over its six tasks: the family's name. A task that a row did not learn counts as 50."""

LRA_AND_AVERAGE: Final = (*LRA, AVERAGE)

TEST_8KHZ: Final = "8khz"
"""The zero-shot test of Speech Commands, as the data module names it."""

Number = float | tuple[float, float] | None
"""A mean, a mean and its standard deviation, or an empty cell."""


@dataclass(frozen=True, kw_only=True)
class Printed:
    """One printed table: a number per row and benchmark, where it stands, and how it is known.

    A row that the suite has too is under the name of its variant. Raises ValueError for a row with too many or too few numbers.
    """

    source: str
    status: str
    """By what the numbers were verified."""
    columns: tuple[str, ...]
    """Names of benchmarks, or of a family for averages over it."""
    rows: Mapping[str, tuple[Number, ...]]
    note: str = ""
    zero_shot: str = ""
    """Which test it is of, where it is not the ordinary one."""
    quantity: str = ""
    """What was measured, where it is not the metric on the test set."""
    details: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Row -> what is printed with each of its numbers, size or time; one for all where there is one only."""

    def __post_init__(self) -> None:
        wrong = [row for row, numbers in self.rows.items() if len(numbers) != len(self.columns)]
        if wrong:
            raise ValueError(f"{self.source}: {', '.join(wrong)} must have {len(self.columns)} numbers")
        wrong = [row for row, words in self.details.items() if row not in self.rows or len(words) not in (1, len(self.columns))]
        if wrong:
            raise ValueError(f"{self.source}: {', '.join(wrong)} must be a row, with 1 or {len(self.columns)} details")

    def _note(self, row: str, i: int) -> str:
        words = self.details.get(row, ("",))
        return "; ".join(text for text in (words[i % len(words)], self.note) if text)

    def column(self, benchmark: str) -> tuple[Published, ...]:
        """The numbers of one benchmark, row by row, empty cells left out."""
        i = self.columns.index(benchmark)
        cells = {row: numbers[i] for row, numbers in self.rows.items()}
        filled = [(row, *(cell if isinstance(cell, tuple) else (cell, None))) for row, cell in cells.items() if cell is not None]
        return tuple(
            Published(
                variant=row, value=value, std=std, source=self.source, status=f"verified ({self.status})", note=self._note(row, i),
                zero_shot=self.zero_shot, quantity=self.quantity,
            )
            for row, value, std in filled
        )  # fmt: skip


def collect_by_benchmark(tables: Iterable[Printed]) -> dict[str, tuple[Published, ...]]:
    """{"lra-listops": its numbers, ...}, in the order of the tables; averages by the name of the family."""
    found: dict[str, tuple[Published, ...]] = {}
    for table in tables:
        for benchmark in table.columns:
            found[benchmark] = (*found.get(benchmark, ()), *table.column(benchmark))
    return found
