"""MixerSpec: what may fill the sequence-mixing place of a block, and what a recipe may ask of any of them."""

from __future__ import annotations

import math
from abc import ABC
from dataclasses import dataclass, field, fields, replace
from typing import Any, ClassVar, Literal, Self

RateOf = Literal["kernel", "dt", "output"]


def rate(of: RateOf, default: float | None) -> Any:
    """A field that holds a learning rate, None for the network's. `of`: the kernel's own parameters (A, B, P, h, taps), the step size, or
    the output map (C, W), which recipes leave alone."""
    return field(default=default, metadata={"rate": of})


@dataclass(frozen=True, kw_only=True)
class MixerSpec(ABC):
    """One parameterization with its options. `version` is raised when its numbers change.

    The methods answer for every row what a recipe may ask, so that no recipe has to know which class a row is of.
    """

    version: ClassVar[int] = 1

    def __post_init__(self) -> None:
        for f in fields(self):
            if f.name.startswith("lr_"):
                if "rate" not in f.metadata:
                    raise TypeError(f"{type(self).__name__}.{f.name} does not say whose rate it is; declare it with rate(...)")
                lr = getattr(self, f.name)
                if lr is not None and not 0 < lr < math.inf:
                    raise ValueError(
                        f"{f.name} is a positive rate, or None for the network's; to freeze a parameter use its train_ option; got {lr:g}"
                    )

    @property
    def two_way(self) -> bool:
        """Whether a second, reversed kernel can be added."""
        return False

    def fixed_to(self, length: int) -> Self:
        """The same row on sequences of different lengths, padded up to `length` and masked. Raises ValueError where padding would enter."""
        return self

    def with_time_scale(self, dt_min: float, dt_max: float) -> Self:
        """The same row with step sizes for this range in S4's convention; a row without a step size returns itself."""
        return self

    def with_states(self, d_state: int) -> Self:
        """The same row with `d_state` real state dimensions; a row without a state space returns itself."""
        return self

    def with_rates(self, *, kernel: float, dt: float | None) -> Self:
        """The kernel's own parameters trained at the rate `kernel`, dt at `dt` (None: the network's). What a row leaves to the network's
        rate, and the output map, stay as they are."""
        changes: dict[str, float | None] = {}
        for f in fields(self):
            if f.metadata.get("rate") == "dt":
                changes[f.name] = dt
            elif f.metadata.get("rate") == "kernel" and getattr(self, f.name) is not None:
                changes[f.name] = kernel
        return replace(self, **changes)
