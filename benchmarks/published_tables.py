"""How a printed table becomes entries: a row of numbers per variant, a column per benchmark, one citation for all of it."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from benchmarks.benchmark import Published

S4D_PAPER: Final = "the authors' picture of the table, and later papers that quote it"
QUOTED: Final = "quoted by later papers"

FAILED: Final = math.nan
"""Printed as a cross: the row did not learn."""

Number = float | tuple[float, float] | None
"""A mean, a mean and its standard deviation, or an empty cell."""


def verified(
    source: str, status: str, *rows: tuple[str, float, float | None], note: str = "", zero_shot: str = ""
) -> tuple[Published, ...]:
    """Rows of one table of one source, and how they are known."""
    return tuple(
        Published(variant=variant, value=value, std=std, source=source, status=f"verified ({status})", note=note, zero_shot=zero_shot)
        for variant, value, std in rows
    )


@dataclass(frozen=True, kw_only=True)
class Printed:
    """One printed table: for each row a number per column, where it stands, and how it is known."""

    source: str
    status: str
    rows: Mapping[str, tuple[Number, ...]]
    note: str = ""
    zero_shot: str = ""

    def column(self, i: int) -> tuple[Published, ...]:
        """The entries of column `i`, empty cells left out."""
        cells = {variant: numbers[i] for variant, numbers in self.rows.items()}
        filled = [(name, *(cell if isinstance(cell, tuple) else (cell, None))) for name, cell in cells.items() if cell is not None]
        return verified(self.source, self.status, *filled, note=self.note, zero_shot=self.zero_shot)


def by_benchmark(columns: tuple[str, ...], tables: Iterable[Printed]) -> dict[str, tuple[Published, ...]]:
    """{"lra-listops": its entries, ...} of tables whose rows all have these columns. Raises ValueError where one has not."""
    found = list(tables)
    for table in found:
        wrong = [row for row, numbers in table.rows.items() if len(numbers) != len(columns)]
        if wrong:
            raise ValueError(f"{table.source}: {', '.join(wrong)} must have {len(columns)} numbers")
    return {name: tuple(entry for table in found for entry in table.column(i)) for i, name in enumerate(columns)}
