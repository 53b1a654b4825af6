"""What a grid is: factors crossed over one recipe, rows written out beside them, and how the whole is to be drawn."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from benchmarks.changes import Changes, changed
from benchmarks.registry import BENCHMARKS
from benchmarks.spec import Job, RunSpec, Scale

NO_CHOICE: Final = "-"
"""The level of a factor that a parameterization does not have."""


@dataclass(frozen=True, kw_only=True)
class Factor:
    """One axis of a grid: for every level the fields of a RunSpec that it sets, by dotted name; "variant" takes another row's recipe."""

    name: str
    levels: Mapping[str, Changes]


@dataclass(frozen=True, kw_only=True)
class Cell:
    """One place of a grid. `row` maps every factor of the grid to a level; `spec` is the run of seed 0."""

    row: Mapping[str, str]
    spec: RunSpec
    reference: bool = False
    """It stands beside the crossed factors and is drawn apart from them."""


@dataclass(frozen=True, kw_only=True)
class Ablation:
    """A grid over the recipe of one benchmark. Its cells, in this order: `vary` crossed, the last factor running fastest, then `rows`,
    then `references`. A cell that equals a run of a benchmark is that run, and is trained once."""

    name: str
    title: str
    about: str
    """One paragraph: the question, what is held fixed, what the reference rows are for."""
    benchmark: str
    scale: Scale = "quick"
    factors: tuple[str, ...]
    """Every factor, in the order of the table."""
    columns: str
    """The factor whose levels are the columns of the table and the colours of the figure."""
    apart: str = ""
    """A factor that only tells repeated rows apart, and is named only where it is not at its first level."""
    vary: tuple[Factor, ...] = ()
    base: str = "s4d-lin"
    """The variant whose recipe `vary` starts from."""
    fixed: Mapping[str, str] = field(default_factory=dict)
    """Level of each factor that `vary` does not cross."""
    rows: Mapping[tuple[str, ...], Changes] = field(default_factory=dict)
    """Cells written out: a level for each of `factors` -> the fields they set, "variant" among them."""
    references: Mapping[tuple[str, ...], Changes] = field(default_factory=dict)
    """Likewise, for comparison only."""

    def cells(self) -> tuple[Cell, ...]:
        """Every cell once. Raises ValueError for a cell that does not name exactly the factors, or a row that appears twice."""
        crossed = []
        for choice in itertools.product(*(factor.levels.items() for factor in self.vary)) if self.vary else ():
            named = {**self.fixed, **{factor.name: level for factor, (level, _) in zip(self.vary, choice, strict=True)}}
            changes = {name: value for _, level in choice for name, value in level.items()}
            if set(named) != set(self.factors):
                raise ValueError(f"a cell of {self.name} names {', '.join(named)} instead of {', '.join(self.factors)}")
            crossed.append(self._cell([named[factor] for factor in self.factors], changes))
        cells = (
            *crossed,
            *(self._cell(levels, changes) for levels, changes in self.rows.items()),
            *(replace(self._cell(levels, changes), reference=True) for levels, changes in self.references.items()),
        )
        rows = [tuple(cell.row.values()) for cell in cells]
        for row in rows:
            if rows.count(row) > 1:
                raise ValueError(f"the row {' / '.join(row)} appears twice in {self.name}")
        return cells

    def _cell(self, levels: Sequence[str], changes: Changes) -> Cell:
        if len(levels) != len(self.factors):
            raise ValueError(f"a cell of {self.name} has {len(levels)} levels, {', '.join(levels)}, instead of {', '.join(self.factors)}")
        fields = {name: value for name, value in changes.items() if name != "variant"}
        recipe = BENCHMARKS[self.benchmark].recipe(changes.get("variant", self.base), self.scale)
        return Cell(row=dict(zip(self.factors, levels, strict=True)), spec=changed(recipe.run, fields))

    def specs(self, seeds: Sequence[int]) -> tuple[RunSpec, ...]:
        """Every run, seed by seed, so that an interrupted grid leaves whole replicates."""
        return tuple(job.spec for job in self.jobs(seeds))

    def jobs(self, seeds: Sequence[int]) -> tuple[Job, ...]:
        """The same runs with the labels of their rows."""
        cells = self.cells()
        labels = [f"{self.name} {' / '.join(level for level in cell.row.values() if level != NO_CHOICE)}" for cell in cells]
        return tuple(
            Job(f"{label}, seed {seed}", replace(cell.spec, seed=seed)) for seed in seeds for label, cell in zip(labels, cells, strict=True)
        )
