"""The options of LRU (2303.06349)."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Self

from ..choices.fields import require_even
from .mixer import PLAIN, Around, MixerSpec, rate

if TYPE_CHECKING:
    from ..lru import LRULayer


@dataclass(frozen=True, kw_only=True)
class LRUSpec(MixerSpec):
    """LRU. d_state counts the real dimensions of the one state that all channels share, 2 per complex mode: the paper's N is d_state / 2.

    The paper trains lambda, gamma and B at a half, a quarter or a tenth of the network's rate, by task, and without weight decay. It runs a
    second, reversed layer on Pathfinder and Path-X; this one is causal.
    """

    d_state: int = 256
    r_min: float = 0.9
    """Smallest initial |lambda|."""
    r_max: float = 0.999
    """Largest initial |lambda|; |lambda|^2 is uniform between them, so that the modes fill a ring evenly."""
    max_phase: float = 2 * math.pi
    """Initial arg(lambda) is uniform in (0, max_phase]; the paper needs a small one, pi / 10, for Path-X."""
    lr_A: float | None = rate("kernel", 1e-3)
    """Learning rate of lambda; None is the network's. Never decayed. C follows the network's rate and decay."""
    lr_B: float | None = rate("kernel", 1e-3)
    """Learning rate of gamma and B."""

    def __post_init__(self) -> None:
        super().__post_init__()
        require_even(self.d_state)
        if self.d_state < 2:
            raise ValueError(f"d_state counts real state dimensions, two for each complex mode, and is at least 2; got {self.d_state}")
        if not 0 <= self.r_min <= self.r_max < 1:
            raise ValueError(f"the ring of initial |lambda| needs 0 <= r_min <= r_max < 1, got {self.r_min:g} and {self.r_max:g}")
        if not 0 < self.max_phase <= 2 * math.pi:
            raise ValueError(f"max_phase is an angle in (0, 2 pi], got {self.max_phase:g}")

    def with_time_scale(self, dt_min: float, dt_max: float) -> Self:
        """The ring whose |lambda| are those of S4's modes at these step sizes: Re(lambda) = -1/2 gives |A_bar| = e^{-dt/2}."""
        return replace(self, r_min=math.exp(-dt_max / 2), r_max=math.exp(-dt_min / 2))

    def with_states(self, d_state: int) -> Self:
        return replace(self, d_state=d_state)

    def build_layer(self, d_model: int, around: Around = PLAIN) -> LRULayer:
        if around.directions != 1:
            self.require_two_way()
        from ..lru import LRULayer

        return LRULayer(self, d_model, around)
