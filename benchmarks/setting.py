"""What recipes have in common: the range of initial step sizes, what a row can do, and a setting that any row can be put into."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, Literal

from benchmarks.benchmark import Recipe
from benchmarks.spec import RunSpec, Scale
from data.base import DataSpec
from models import VARIANTS, Cosine, MixerSpec, ModelSpec, OptimSpec, Schedule
from models.names import choose

DT: Final = (1e-3, 1e-1)
"""Range of initial step sizes in S4's convention, the same time scales for every row: S4's own default."""

TOO_SHORT: Final = "so few steps may leave a row at chance: they show that it runs, and what it costs"
"""For quick scales too short to rank the rows by."""

ONE_WAY: Final = "no second, reversed kernel: this layer has none to add"
"""The note that a bidirectional setting needs for a row that cannot follow it."""

CHOICE: Final = "chosen on validation after every epoch, tested once"


def common_mixer(variant: str, dt: tuple[float, float] = DT) -> MixerSpec:
    """The variant with step sizes for that range; a row without a step size as it is. Raises ValueError for an unknown name."""
    return choose("variant", variant, VARIANTS).mixer.with_time_scale(*dt)


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
                    bidirectional=self.bidirectional and mixer.two_way,
                    pool_last=self.pool_last,
                ),
                optim=OptimSpec(lr=self.lr, weight_decay=self.weight_decay, schedule=self.schedule),
                epochs=self.epochs,
                batch_size=self.batch_size,
            ),
            source=source,
            notes=(*notes, *((ONE_WAY,) if self.bidirectional and not mixer.two_way else ()), CHOICE),
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
