"""What a benchmark is: a task with a recipe for every row and scale, and the numbers that others published for it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Final, Literal

from benchmarks.changes import changed, label_changes, read_changes
from benchmarks.recipe import ANY, Recipe, Rows
from benchmarks.spec import Scale
from data.protocol import chosen
from models import VARIANTS
from models.choices.names import choose


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
    quantity: str = ""
    """What was measured where that is not the metric on the test set: "validation accuracy"."""


Kind = Literal["pictures", "memory", "tokens", "signals"]
KINDS: Final[Mapping[Kind, str]] = {
    "pictures": "pictures, pixel by pixel",
    "memory": "memory, over noise or a gap",
    "tokens": "tokens",
    "signals": "real-valued signals",
}
"""What the steps of a benchmark are, or what it asks for most, in words; in the order of a table of all benchmarks."""

LITERATURE: Final = "literature"
"""The word for the protocol that the published numbers of a benchmark were made with."""


@dataclass(frozen=True, kw_only=True)
class Benchmark:
    """One task with a table of recipes, and the numbers published for it."""

    name: str
    brief: str
    """One sample, and what is asked of it, in a few words; `make` reads it from here, as it reads the name."""
    title: str
    kind: Kind
    metric: Literal["accuracy", "rmse"]
    """Chosen on validation, scored once on test. accuracy in [0, 1], higher is better; rmse in target units, lower is better."""
    about: str
    """One paragraph: what the sequence is, how long, what is read out, chance level, licence and source of the data."""
    rows: Mapping[Scale, Rows]
    """Scale -> paper -> row, the smallest scale first."""
    changes: tuple[Callable[[Recipe], Recipe], ...] = ()
    """What is done to every recipe of those rows: another read-out, other choices of protocol."""
    published: tuple[Published, ...] = ()
    readouts: Mapping[str, int | None] = field(default_factory=dict)
    """Named places to read the class from, as `pool_last` of the network; the recipe takes the first."""
    literature: Mapping[str, str] = field(default_factory=dict)
    """Every choice of protocol that its published numbers were made with, field of the DataSpec -> word; empty where none is known."""
    beside: bool = False
    """Whether published numbers may stand beside rows at paper scale: only with the protocol of the literature."""
    zero_shot: Mapping[str, str] = field(default_factory=dict)
    """Further tests of the trained network, as the data module names them, and what they are called in a table: "8khz": "8 kHz". A scale
    has those of its data, see `tests_at`."""

    @property
    def scales(self) -> tuple[Scale, ...]:
        """The scales that there are recipes for, the smallest first."""
        return tuple(self.rows)

    def recipe(self, variant: str, scale: Scale) -> Recipe:
        """The recipe of a variant at a scale. Raises ValueError for one that there is not."""
        found = choose("variant", variant, VARIANTS)
        rows = self.rows[choose(f"scale of {self.name}", scale, {s: s for s in self.rows})]
        recipe = rows.get(found.paper, rows[ANY]).recipe(self.name, scale, found)
        for change in self.changes:
            recipe = change(recipe)
        return recipe

    def reduced_at(self, scale: Scale) -> str:
        """How the task was made smaller at a scale, as in "at most 200 tokens"; empty where it is the whole task."""
        return next((row.reduced for row in self.rows.get(scale, {}).values()), "")

    def title_at(self, scale: Scale) -> str:
        """The title of its tables at a scale, which says how the task was made smaller."""
        return ", ".join(filter(None, (self.title, self.reduced_at(scale))))

    def tests_at(self, scale: Scale) -> dict[str, str]:
        """Those of `zero_shot` that there are at a scale: a network trained at 2 kHz is tested at 1 kHz and not at 8."""
        offered = {test for row in self.rows.get(scale, {}).values() for test in row.data.zero_shot}
        return {test: word for test, word in self.zero_shot.items() if test in offered}

    def has_recipe(self, variant: str, scale: Scale) -> bool:
        """Whether there is a recipe of this variant at this scale."""
        try:
            self.recipe(variant, scale)
        except ValueError:
            return False
        return True

    def read_out(self, name: str) -> Benchmark:
        """The same benchmark read out at `name`. Its title says so, and published numbers, which are read elsewhere, are left out."""
        if not self.readouts:
            raise ValueError(f"{self.name} has one read-out, that of its recipes; --readout is for benchmarks with noise after the signal")
        last = choose(f"read-out of {self.name}", name, self.readouts)

        def change(own: Recipe) -> Recipe:
            return replace(own, run=changed(own.run, {"model.pool_last": last}), notes=(*own.notes, f"but read out from: {name}"))

        return replace(self, title=f"{self.title}, read out from: {name}", changes=(*self.changes, change), published=())

    def with_protocol(self, choices: Mapping[str, str]) -> Benchmark:
        """The same benchmark with other choices of protocol (fields of its DataSpec); its title says which. Raises ValueError."""
        words = ", ".join(f"{name} = {value}" for name, value in choices.items())

        def change(own: Recipe) -> Recipe:
            run = replace(own.run, data=chosen(own.run.data, choices))
            reasons = [why for name, value in choices.items() if (why := own.idle_with.get(f"{name}={value}"))]
            notes = (*own.notes, f"protocol: {words}", *reasons)
            return replace(own, run=run, notes=notes, idle=own.idle or "; ".join(reasons))

        return replace(self, title=f"{self.title} ({words})", changes=(*self.changes, change), beside=False)

    def with_changes(self, texts: Mapping[str, str]) -> Benchmark:
        """The same benchmark with these fields of every run set (dotted name -> value as text); its title says which. Numbers that others
        published are of other runs, and are left out. A recipe raises ValueError where there is no such field or value."""
        label = label_changes(texts)

        def change(own: Recipe) -> Recipe:
            run = changed(own.run, read_changes(own.run, texts))
            return replace(own, run=run, notes=(*own.notes, f"changed by hand: {label[1:-1]}"))

        return replace(self, title=f"{self.title} {label}", changes=(*self.changes, change), published=(), beside=False)

    def as_in_the_literature(self) -> Benchmark:
        """The same benchmark with every choice of protocol that its published numbers were made with, so that these may stand beside its
        rows at paper scale. Raises ValueError where none is known."""
        if not self.literature:
            raise ValueError(
                f"there are no published numbers of {self.name} whose protocol is known, so it has no protocol of the literature"
            )
        return replace(self.with_protocol(self.literature), title=f"{self.title} (protocol of the literature)", beside=True)
