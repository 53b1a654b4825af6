"""What a grid is: factors crossed over one recipe, rows written out beside them, and how the whole is to be drawn."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from benchmarks.buildable import require_buildable
from benchmarks.changes import Changes, changed
from benchmarks.registry import Selection, select_benchmark
from benchmarks.spec import Job, RunSpec, Scale
from models.choices.names import choose

NO_CHOICE: Final = "-"
"""The level of a factor that a parameterization does not have."""


@dataclass(frozen=True, kw_only=True)
class Factor:
    """One axis of a grid: for every level the fields of a RunSpec that it sets, by dotted name; "variant" takes another row's recipe, and
    "readout" reads the class elsewhere."""

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
class Impossible:
    """A place of a grid that there is no run for, and why."""

    row: Mapping[str, str]
    reason: str


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
    along: str = ""
    """A factor whose levels have an order, along which a second figure draws a line for every combination of the others."""
    margin: float = 0.0
    """What counts as no difference, for grids that ask whether a choice matters: of an accuracy in its own unit (0.01 is a point), of an
    error as a share of the mean error. 0: equivalence is not asked."""
    after: tuple[int, ...] = ()
    """Epochs after which validation scores are shown too."""
    published: Mapping[tuple[str, ...], str] = field(default_factory=dict)
    """Levels of `factors`, "" for any -> the row of a printed table that is of them."""
    published_at: Scale = "small"
    """The scale at which those numbers may be read beside the grid's."""
    tuned: str = ""
    """The factor whose levels are each shown at the best of their other levels, chosen on validation."""
    protocol: str = ""
    """Other choices of protocol of the benchmark, as in "source=mini"."""
    elsewhere: bool = False
    """It was moved from what its file names, by `on`."""
    asked: tuple[str, ...] = ()
    """The words that ask for it on a command line, where it stands in no file."""

    def on(self, benchmark: str | None = None, scale: str | None = None, protocol: str | None = None) -> Ablation:
        """The same grid over the recipes of another benchmark, of another scale (by default the smallest that the benchmark has), or with
        other choices of protocol. Raises ValueError that names the nearest of each."""
        task = select_benchmark(benchmark or self.benchmark, protocol=protocol or self.protocol or None).benchmark
        usual = self.scale if task.name == self.benchmark else task.scales[0]
        size = choose(f"scale of {task.name}", scale or usual, {s: s for s in task.scales})
        moved = replace(self, benchmark=task.name, scale=size, protocol=protocol or self.protocol)
        return replace(moved, elsewhere=self.elsewhere or moved != self)

    @property
    def selected(self) -> Selection:
        """The benchmark whose recipes it changes."""
        return select_benchmark(self.benchmark, protocol=self.protocol or None)

    @property
    def page(self) -> str:
        """What its reports are called: its name, and where it runs where that is not what its file says."""
        if not self.elsewhere:
            return self.name
        task = self.selected
        scale = "" if self.scale == task.benchmark.scales[0] else f"-{self.scale}"
        return f"{self.name}-{self.benchmark}{task.tag}{scale}"

    @property
    def words(self) -> tuple[str, ...]:
        """What a command line says after the word for a grid to mean this one."""
        place = ("--bench", self.benchmark, "--scale", self.scale, *self.selected.options) if self.elsewhere else ()
        return (*place, *self.asked) if self.asked else (self.name, *place)

    def cells(self) -> tuple[Cell, ...]:
        """Every cell that there is a run for, once. Raises ValueError for a cell that does not name exactly the factors, a row that appears
        twice, and where no cell is left."""
        return self._split()[0]

    def impossible(self) -> tuple[Impossible, ...]:
        """The places without a run: combinations that a spec refuses, or variants that have no recipe here."""
        return self._split()[1]

    def _split(self) -> tuple[tuple[Cell, ...], tuple[Impossible, ...]]:
        cells: list[Cell] = []
        impossible: list[Impossible] = []
        for row, changes, reference in self._places():
            try:
                cells.append(Cell(row=row, spec=self._spec(changes), reference=reference))
            except ValueError as error:
                impossible.append(Impossible(row=row, reason=str(error)))
        if impossible and not cells:
            raise ValueError(f"no cell of the {self.name} grid is possible on {self.benchmark}: {impossible[0].reason}")
        return tuple(cells), tuple(impossible)

    def _places(self) -> Iterator[tuple[dict[str, str], Changes, bool]]:
        """(row, what it sets, whether it is a reference) of every place. Raises ValueError for rows that contradict `factors`."""
        seen = set()
        for levels, changes, reference in self._written():
            if len(levels) != len(self.factors):
                raise ValueError(
                    f"a cell of {self.name} has {len(levels)} levels, {', '.join(levels)}, instead of {', '.join(self.factors)}"
                )
            if levels in seen:
                raise ValueError(f"the row {' / '.join(levels)} appears twice in {self.name}")
            seen.add(levels)
            yield dict(zip(self.factors, levels, strict=True)), changes, reference

    def _written(self) -> Iterator[tuple[tuple[str, ...], Changes, bool]]:
        for choice in itertools.product(*(factor.levels.items() for factor in self.vary)) if self.vary else ():
            named = {**self.fixed, **{factor.name: level for factor, (level, _) in zip(self.vary, choice, strict=True)}}
            if set(named) != set(self.factors):
                raise ValueError(f"a cell of {self.name} names {', '.join(named)} instead of {', '.join(self.factors)}")
            crossed = {name: value for _, level in choice for name, value in level.items()}
            yield tuple(named[factor] for factor in self.factors), crossed, False
        for levels, changes in self.rows.items():
            yield levels, changes, False
        for levels, changes in self.references.items():
            yield levels, changes, True

    def _spec(self, changes: Changes) -> RunSpec:
        """The run of a place. Raises ValueError where a spec refuses it, or its network cannot be built."""
        fields: dict[str, Any] = {name: value for name, value in changes.items() if name not in ("variant", "readout")}
        benchmark = self.selected.benchmark
        if "readout" in changes:
            benchmark = benchmark.read_out(changes["readout"])
        spec = changed(benchmark.recipe(changes.get("variant", self.base), self.scale).run, fields)
        require_buildable(spec)
        return spec

    def specs(self, seeds: Sequence[int]) -> tuple[RunSpec, ...]:
        """Every run, seed by seed, so that an interrupted grid leaves whole replicates."""
        return tuple(job.spec for job in self.jobs(seeds))

    def jobs(self, seeds: Sequence[int]) -> tuple[Job, ...]:
        """The same runs with the labels of their rows."""
        cells = self.cells()
        labels = [f"{self.page} {' / '.join(level for level in cell.row.values() if level != NO_CHOICE)}" for cell in cells]
        return tuple(
            Job(f"{label}, seed {seed}", replace(cell.spec, seed=seed)) for seed in seeds for label, cell in zip(labels, cells, strict=True)
        )


def describe_impossible(places: Sequence[Impossible]) -> list[str]:
    """A sentence for each reason why combinations are left out, with the first of them and how many there are."""
    reasons: dict[str, list[str]] = {}
    for place in places:
        reasons.setdefault(place.reason, []).append(" / ".join(level for level in place.row.values() if level != NO_CHOICE))
    return [
        f"Left out: {rows[0]}{f' and {len(rows) - 1} more' if len(rows) > 1 else ''}, since {reason}." for reason, rows in reasons.items()
    ]
