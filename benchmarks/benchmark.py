"""What a benchmark is: a task with a recipe for every row and scale, and the numbers that others published for it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Final, Literal

from benchmarks.spec import RunSpec, Scale
from data.protocol import chosen
from models.names import choose


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """A RunSpec (of seed 0) with where its settings come from and every known deviation from that source."""

    run: RunSpec
    source: str
    notes: tuple[str, ...] = ()

    def with_seed(self, seed: int) -> RunSpec:
        return replace(self.run, seed=seed)


def read_from(run: RunSpec, last: int | None) -> RunSpec:
    """The same run, read out from the mean over its last `last` steps (None: all of them)."""
    return replace(run, model=replace(run.model, pool_last=last))


@dataclass(frozen=True, kw_only=True)
class Published:
    """A number somebody printed. Only a `status` that begins with "verified" is ever printed again."""

    variant: str
    value: float
    """In the unit of the table; not a number where the source prints that the row did not learn."""
    std: float | None
    source: str
    status: str
    note: str = ""
    zero_shot: str = ""
    """Which test it is of: a name in `Benchmark.zero_shot`; the ordinary one if empty."""


LITERATURE: Final = {"source": "official", "validation": "test"}
"""Choices of protocol that published numbers were made with, and recipes leave to whoever asks."""


@dataclass(frozen=True, kw_only=True)
class Benchmark:
    """One task with a recipe per variant and scale, and the numbers published for it."""

    name: str
    title: str
    metric: Literal["accuracy", "rmse"]
    """Chosen on validation, scored once on test. accuracy in [0, 1], higher is better; rmse in target units, lower is better."""
    about: str
    """One paragraph: what the sequence is, how long, what is read out, chance level, licence and source of the data."""
    recipe: Callable[[str, Scale], Recipe]
    """recipe(variant, scale); raises ValueError for a variant or scale it does not have."""
    scales: tuple[Scale, ...]
    published: tuple[Published, ...] = ()
    readouts: Mapping[str, int | None] = field(default_factory=dict)
    """Named places to read the class from, as `pool_last` of the network; the recipe takes the first."""
    beside: bool = True
    """Whether published numbers may stand beside rows at paper scale on official data, or only apart from them."""
    zero_shot: Mapping[str, str] = field(default_factory=dict)
    """Further tests of the trained network, as the data module names them, and what they are called in a table: "8khz": "8 kHz"."""

    def read_out(self, name: str) -> Benchmark:
        """The same benchmark read out at `name`. Its title says so, and published numbers, which are read elsewhere, are left out."""
        if not self.readouts:
            raise ValueError(f"{self.name} has one read-out, that of its recipes; --readout is for benchmarks with noise after the signal")
        last = choose(f"read-out of {self.name}", name, self.readouts)

        def recipe(variant: str, scale: Scale) -> Recipe:
            own = self.recipe(variant, scale)
            return replace(own, run=read_from(own.run, last), notes=(*own.notes, f"but read out from: {name}"))

        return replace(self, title=f"{self.title}, read out from: {name}", recipe=recipe, published=())

    def with_protocol(self, choices: Mapping[str, str]) -> Benchmark:
        """The same benchmark with other choices of protocol (fields of its DataSpec); its title says which. Raises ValueError.

        Published numbers stay beside its rows only where the choice is that of the literature.
        """

        def recipe(variant: str, scale: Scale) -> Recipe:
            own = self.recipe(variant, scale)
            run = replace(own.run, data=chosen(own.run.data, choices))
            return replace(own, run=run, notes=(*own.notes, f"protocol: {words}"))

        words = ", ".join(f"{name} = {value}" for name, value in choices.items())
        beside = all(LITERATURE.get(name) == value for name, value in choices.items())
        return replace(self, title=f"{self.title} ({words})", recipe=recipe, beside=self.beside and beside)
