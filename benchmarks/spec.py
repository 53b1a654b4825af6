"""RunSpec (everything that can change a number), its identity, and what a benchmark is: recipes and published numbers."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import MISSING, dataclass, field, fields, is_dataclass, replace
from typing import Any, ClassVar, Final, Literal

from data.base import DataSpec
from data.protocol import chosen
from models import ModelSpec, OptimSpec
from models.names import choose

Scale = Literal["quick", "small", "paper"]
SCALES: tuple[Scale, ...] = ("quick", "small", "paper")


def canonical(value: Any) -> Any:
    """`value` as JSON with sorted meaning: a dataclass becomes its type name, its version and its non-default fields.

    A new option with a default therefore orphans no record; what a default means is guarded by the `version` of its class.
    """
    if is_dataclass(value) and not isinstance(value, type):
        out: dict[str, Any] = {"type": type(value).__name__, "version": getattr(type(value), "version", 1)}
        for f in fields(value):
            v = getattr(value, f.name)
            default = f.default_factory() if f.default_factory is not MISSING else f.default
            if default is MISSING or v != default:
                out[f.name] = canonical(v)
        return out
    if isinstance(value, (tuple, list)):
        return [canonical(v) for v in value]
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    raise TypeError(f"a spec holds plain values, tuples and dataclasses; found {type(value).__name__}")


@dataclass(frozen=True, kw_only=True)
class RunSpec:
    """One training run. Two runs with equal specs are the same run; `id` is the hash of all of it."""

    version: ClassVar[int] = 1

    benchmark: str
    """Name of the benchmark, which is also the folder of its records."""
    scale: Scale
    data: DataSpec
    model: ModelSpec
    optim: OptimSpec
    epochs: int
    batch_size: int
    precision: Literal["32-true", "bf16-mixed"] = "32-true"
    seed: int = 0
    """Seeds weights, order of the data and training noise; paired across variants."""

    def __post_init__(self) -> None:
        if self.epochs < 1 or self.batch_size < 1:
            raise ValueError(f"epochs and batch_size are at least 1, got {self.epochs} and {self.batch_size}")
        if not 0 <= self.seed < 2**31:
            raise ValueError(f"a seed is an integer in [0, 2^31), got {self.seed}")

    @property
    def id(self) -> str:
        """First 12 hex digits of the sha256 of the canonical JSON."""
        text = json.dumps(canonical(self), sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()[:12]


@dataclass(frozen=True)
class Job:
    """A run and what the asker calls it, e.g. "s4d-lin, seed 0"."""

    label: str
    spec: RunSpec


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
