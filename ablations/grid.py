"""What a grid is: named factors, and cells in a fixed order, each with its level of every factor and the run it stands for."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from benchmarks.spec import Job, RunSpec

Spec = TypeVar("Spec")


@dataclass(frozen=True, kw_only=True)
class Factor:
    """One axis of a grid: for every level the fields of a spec that it sets."""

    name: str
    levels: Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True, kw_only=True)
class Cell:
    """One place of a grid. `row` maps every factor of the grid to a level; `spec` is the run of seed 0."""

    row: Mapping[str, str]
    spec: RunSpec


@dataclass(frozen=True, kw_only=True)
class Ablation:
    """A grid. Its cells are a function, because building specs imports the models; their order is fixed."""

    name: str
    title: str
    about: str
    """One paragraph: the question, what is held fixed, what the reference rows are for."""
    factors: tuple[str, ...]
    make: Callable[[], Sequence[Cell]]

    def cells(self) -> tuple[Cell, ...]:
        """Every cell once. Raises ValueError for a cell that does not name exactly the factors, or a row that appears twice."""
        cells = tuple(self.make())
        seen: set[tuple[str, ...]] = set()
        for cell in cells:
            if tuple(cell.row) != self.factors:
                raise ValueError(f"a cell of {self.name} names {', '.join(cell.row)} instead of {', '.join(self.factors)}")
            levels = tuple(cell.row.values())
            if levels in seen:
                raise ValueError(f"the row {' / '.join(levels)} appears twice in {self.name}")
            seen.add(levels)
        return cells

    def specs(self, seeds: Sequence[int]) -> tuple[RunSpec, ...]:
        """Every run, seed by seed, so that an interrupted grid leaves whole replicates."""
        return tuple(job.spec for job in self.jobs(seeds))

    def jobs(self, seeds: Sequence[int]) -> tuple[Job, ...]:
        """The same runs with the labels of their rows."""
        labels = [f"{self.name} {' / '.join(level for level in cell.row.values() if level != '-')}" for cell in self.cells()]
        return tuple(
            Job(f"{label}, seed {seed}", replace(cell.spec, seed=seed))
            for seed in seeds
            for label, cell in zip(labels, self.cells(), strict=True)
        )


def vary(base: Spec, *factors: Factor) -> list[tuple[dict[str, str], Spec]]:
    """Every combination of levels as (row, `base` with the fields of those levels), the last factor running fastest."""
    out = []
    for choice in itertools.product(*(factor.levels.items() for factor in factors)):
        row = {factor.name: level for factor, (level, _) in zip(factors, choice, strict=True)}
        changes = {name: value for _, fields in choice for name, value in fields.items()}
        out.append((row, replace(base, **changes)))  # type: ignore[type-var]
    return out
