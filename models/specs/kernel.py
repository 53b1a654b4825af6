"""What the specs of convolution kernels share: the size of the state, and where the system is continuous, step sizes."""

from __future__ import annotations

import math
from abc import abstractmethod
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar, Self

from ..choices.links import DT_LINKS
from ..choices.names import choose
from .mixer import PLAIN, Around, MixerSpec, rate

if TYPE_CHECKING:
    from ..kernel import Kernel, SSMLayer


@dataclass(frozen=True, kw_only=True)
class KernelSpec(MixerSpec):
    """A parameterization that is a convolution kernel, with its options."""

    d_state: int = 64
    """Real state dimensions per channel: a complex mode with implied conjugate counts 2, a real mode 1."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.d_state < 1:
            raise ValueError(f"d_state counts real state dimensions and is at least 1, got {self.d_state}")

    @abstractmethod
    def build(self, d_model: int, directions: int = 1) -> Kernel:
        """The trainable kernel of `d_model` channels; `directions` = 2 adds a C for the reversed direction."""

    def build_layer(self, d_model: int, around: Around = PLAIN) -> SSMLayer:
        from ..kernel import SSMLayer

        return SSMLayer(self.build(d_model, around.directions), self.d_state, around)

    @property
    def two_way(self) -> bool:
        return True

    def with_states(self, d_state: int) -> Self:
        return replace(self, d_state=d_state)


@dataclass(frozen=True, kw_only=True)
class StepSpec(KernelSpec):
    """What the parameterizations of a continuous system share: a step size dt per channel, log-uniform in [dt_min, dt_max]."""

    dt_convention: ClassVar[float] = 1.0
    """This dt over S4's dt for the same time scale."""

    dt_min: float = 1e-3
    """Smallest initial step; 1 / dt is the time scale in samples."""
    dt_max: float = 1e-1
    dt_link: str = "exp"
    """dt = exp(theta) or softplus(theta)."""
    train_dt: bool = True
    lr_dt: float | None = rate("dt", 1e-3)
    """Learning rate of dt; None is the network's. Never decayed."""

    def __post_init__(self) -> None:
        super().__post_init__()
        choose("link of dt", self.dt_link, DT_LINKS)
        if not 0 < self.dt_min <= self.dt_max < math.inf:
            raise ValueError(f"step sizes need 0 < dt_min <= dt_max, got {self.dt_min:g} and {self.dt_max:g}")

    def with_time_scale(self, dt_min: float, dt_max: float) -> Self:
        return replace(self, dt_min=dt_min * self.dt_convention, dt_max=dt_max * self.dt_convention)
