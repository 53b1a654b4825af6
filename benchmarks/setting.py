"""What recipes have in common: the range of initial step sizes, what a row can do, and a setting that any row can be put into."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, replace
from typing import Any, Final, Literal, TypeVar

from benchmarks.spec import Recipe, RunSpec, Scale
from data.base import DataSpec
from models import VARIANTS, Cosine, DSSSpec, HOPESpec, KernelSpec, MixerSpec, ModelSpec, OptimSpec, StepSpec
from models.names import choose
from models.optim import Schedule

M = TypeVar("M", bound=MixerSpec)

DT: Final = (1e-3, 1e-1)
"""Range of initial step sizes in S4's convention, the same time scales for every row: S4's own default."""

TOO_SHORT: Final = "so few steps may leave a row at chance: they show that it runs, and what it costs"
"""For quick scales too short to rank the rows by."""

CHOICE: Final = "chosen on validation after every epoch, tested once"


def common_mixer(variant: str, dt: tuple[float, float] = DT) -> MixerSpec:
    """The variant with step sizes for that range; a row without a step size as it is. Raises ValueError for an unknown name."""
    mixer = choose("variant", variant, VARIANTS).mixer
    return mixer.with_time_scale(*dt) if isinstance(mixer, KernelSpec) else mixer


def two_ways(mixer: MixerSpec) -> bool:
    """Whether a second, reversed kernel can be added: not to a recurrent or attention layer, nor to a filter that already looks ahead."""
    return isinstance(mixer, KernelSpec) and not (isinstance(mixer, HOPESpec) and mixer.filter != "causal")


def one_way_note(mixer: MixerSpec) -> tuple[str, ...]:
    """The note that every bidirectional setting needs for the rows that cannot follow it."""
    return () if two_ways(mixer) else ("no second, reversed kernel: this layer has none to add",)


def for_padded(mixer: M, length: int) -> M:
    """The row on sequences of different length, padded up to `length` and masked: a kernel that depends on its length has it fixed.

    Raises ValueError for a filter of period L, which the padding would enter.
    """
    if isinstance(mixer, HOPESpec) and mixer.filter != "causal":
        raise ValueError(
            f"HOPE's {mixer.filter} filter has the period of the padded batch, so its result would depend on what a sequence is batched "
            "with; where lengths differ use hope, whose filter is causal"
        )
    return replace(mixer, length=length) if isinstance(mixer, DSSSpec) and mixer.kernel == "softmax" else mixer


def with_rates(mixer: M, kernel: float, dt: float | None) -> M:
    """A, B, P, h and taps trained at the rate `kernel`, dt at `dt` (None: the network's). What a row leaves to the network's rate stays."""
    rates: dict[str, Any] = {"lr_dt": dt} if isinstance(mixer, StepSpec) else {}
    own = [f.name for f in fields(mixer) if f.name in ("lr_A", "lr_B", "lr_h", "lr_K")]
    return replace(mixer, **rates | {name: kernel for name in own if getattr(mixer, name) is not None})


def with_states(mixer: M, d_state: int) -> M:
    """The same row with `d_state` real state dimensions; a row without a state space as it is."""
    return replace(mixer, d_state=d_state) if isinstance(mixer, KernelSpec) else mixer


@dataclass(frozen=True, kw_only=True)
class Setting:
    """The network and its training around a row: all that a paper's table of settings holds but the row's own parameters."""

    n_layers: int
    d_model: int
    norm: Literal["layer", "batch"]
    prenorm: bool
    dropout: float = 0.0
    mixing: Literal["glu", "linear"] = "glu"
    bidirectional: bool
    pool_last: int | None = None
    lr: float
    weight_decay: float
    schedule: Schedule
    epochs: int
    batch_size: int

    def recipe(self, benchmark: str, scale: Scale, data: DataSpec, mixer: MixerSpec, source: str, notes: tuple[str, ...]) -> Recipe:
        """The recipe of one row in this setting. A row that cannot look both ways stays in one direction, which its notes then say."""
        return Recipe(
            run=RunSpec(
                benchmark=benchmark,
                scale=scale,
                data=data,
                model=ModelSpec(
                    mixer=mixer,
                    d_model=self.d_model,
                    n_layers=self.n_layers,
                    norm=self.norm,
                    prenorm=self.prenorm,
                    dropout=self.dropout,
                    mixing=self.mixing,
                    bidirectional=self.bidirectional and two_ways(mixer),
                    pool_last=self.pool_last,
                ),
                optim=OptimSpec(lr=self.lr, weight_decay=self.weight_decay, schedule=self.schedule),
                epochs=self.epochs,
                batch_size=self.batch_size,
            ),
            source=source,
            notes=(*notes, *(one_way_note(mixer) if self.bidirectional else ()), CHOICE),
        )


def small_network(*, epochs: int, batch_size: int, warmup: int = 20, pool_last: int | None = None) -> Setting:
    """The network of every quick recipe, 2 layers of 32 channels, in one direction and without dropout: minutes on two CPU cores."""
    return Setting(
        n_layers=2, d_model=32, norm="layer", prenorm=False, bidirectional=False, pool_last=pool_last,
        lr=1e-2, weight_decay=1e-2, schedule=Cosine(warmup_steps=warmup), epochs=epochs, batch_size=batch_size,
    )  # fmt: skip


Makers = Mapping[Scale, Callable[[str, str], Recipe]]
"""Scale -> maker(benchmark, variant)."""


def recipes(benchmark: str, makers: Makers) -> Callable[[str, Scale], Recipe]:
    """recipe(variant, scale) of a benchmark that has these makers. It raises ValueError for a row or a scale that there is not."""

    def recipe(variant: str, scale: Scale) -> Recipe:
        choose("variant", variant, VARIANTS)
        return makers[choose(f"scale of {benchmark}", scale, {s: s for s in makers})](benchmark, variant)

    return recipe
