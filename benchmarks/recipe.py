"""Recipe: a run with its source. Row: what a table of recipes holds, (benchmark, scale, paper) -> setting, data, source, notes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any, Final

from benchmarks.setting import DT, Setting
from benchmarks.spec import RunSpec, Scale
from data.base import DataSpec
from models import MixerSpec, Variant

ONE_WAY: Final = "no second, reversed kernel: this layer has none to add"
"""The note that a bidirectional setting needs for a variant that cannot follow it."""

SIZE: Final = "{}K parameters with S4D-Lin"
"""The note that says how large a small network is."""

PADDING: Final = "padding takes no part in the statistics of batch norm; the authors' code counts it"
"""The note of networks with batch norm on padded sequences."""

CHOICE: Final = "chosen on validation after every epoch, tested once"


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """A RunSpec (of seed 0) with where its settings come from and every known deviation from that source."""

    run: RunSpec
    source: str
    notes: tuple[str, ...] = ()
    reduced: str = ""
    """How the task itself was made smaller, as in "at most 200 tokens"; empty where it is the whole task."""
    idle: str = ""
    """Why no row is expected to beat the constant answer; empty where one is."""
    idle_with: Mapping[str, str] = field(default_factory=dict)
    """Another choice of protocol, as in "split=patient", with which none is -> why."""

    def with_seed(self, seed: int) -> RunSpec:
        """The run of another seed."""
        return replace(self.run, seed=seed)


def keep(mixer: MixerSpec) -> MixerSpec:
    """The mixer as the table of variants has it."""
    return mixer


def with_common_steps(mixer: MixerSpec) -> MixerSpec:
    """The mixer with initial step sizes in DT, the same time scales for every row."""
    return mixer.with_time_scale(*DT)


@dataclass(frozen=True, kw_only=True)
class Row:
    """How a task is set up for the variants of one paper, or for all of them: where that is written, and what is done otherwise."""

    setting: Setting
    data: DataSpec
    source: str
    notes: tuple[str, ...] = ()
    """Known deviations from the source, a sentence each."""
    only: Mapping[str, Callable[[Variant], bool]] = field(default_factory=dict)
    """Sentences among `notes` that hold for some variants: for which."""
    adapt: Callable[[MixerSpec], MixerSpec] = keep
    """What the setting asks of any mixer: its time scale, rates or number of states."""
    fields: Mapping[str, Any] = field(default_factory=dict)
    """What it sets besides: options that the variants of its paper have."""
    reduced: str = ""
    """How the task itself was made smaller, for titles, beside which no published number stands: "at most 200 tokens"."""
    idle: str = ""
    """Why no row is expected to beat the constant answer at this scale, which then is among the notes; empty where one is."""
    idle_with: Mapping[str, str] = field(default_factory=dict)
    """Another choice of protocol, as in "split=patient", with which none is -> why."""
    padded: bool = False
    """Sequences differ in length and are padded, so a mixer that depends on the length is fixed to that of the data."""

    def recipe(self, benchmark: str, scale: Scale, variant: Variant) -> Recipe:
        """The recipe of one variant. Raises ValueError for a variant that cannot be had on padded sequences."""
        mixer = self.adapt(variant.mixer)
        if unknown := self.fields.keys() - {f.name for f in fields(mixer)}:
            raise TypeError(
                f"{variant.name} takes the settings of {variant.paper}, which set {', '.join(sorted(unknown))} on {benchmark}; "
                f"{type(mixer).__name__} has no such option, so its row in models/variants.py needs another paper, or none"
            )
        mixer = replace(mixer, **self.fields)
        if self.padded:
            mixer = mixer.fixed_to(self.data.signature.length)
        notes = [note for note in self.notes if note not in self.only or self.only[note](variant)]
        if self.setting.model.bidirectional and not mixer.two_way:
            notes.append(ONE_WAY)
        if self.padded and self.setting.model.norm == "batch":
            notes.append(PADDING)
        if self.idle:
            notes.append(self.idle)
        run = self.setting.run(benchmark, scale, self.data, mixer)
        return Recipe(
            run=run, source=self.source, notes=(*notes, CHOICE), reduced=self.reduced, idle=self.idle, idle_with=self.idle_with
        )  # fmt: skip


ANY: Final = ""
"""The key of the row for variants whose paper has none of its own."""

Rows = Mapping[str, Row]
"""Paper (`Variant.paper`) -> row; ANY -> the row of all others."""
