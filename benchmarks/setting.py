"""Setting: a network and its training, without the row that stands in it; and the initial step sizes that rows have in common."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

from benchmarks.spec import RunSpec, Scale
from data.base import DataSpec
from models import MixerSpec, ModelSpec, OptimSpec, S4Spec

DT: Final = (1e-3, 1e-1)
"""Range of initial step sizes in S4's convention, the same time scales for every row: S4's own default."""

ANY_MIXER: Final = S4Spec()
"""Holds the place of the mixer in the network of a Setting until a recipe puts a variant there."""


@dataclass(frozen=True, kw_only=True)
class Setting:
    """All that a paper's table of settings holds but the row's own parameters."""

    model: ModelSpec
    """With any mixer."""
    optim: OptimSpec
    epochs: int
    batch_size: int

    def run(self, benchmark: str, scale: Scale, data: DataSpec, mixer: MixerSpec) -> RunSpec:
        """The run (of seed 0) of `mixer` in this setting. A mixer that cannot look both ways stays in one direction."""
        model = replace(self.model, mixer=mixer, bidirectional=self.model.bidirectional and mixer.two_way)
        return RunSpec(
            benchmark=benchmark, scale=scale, data=data, model=model, optim=self.optim, epochs=self.epochs, batch_size=self.batch_size
        )
