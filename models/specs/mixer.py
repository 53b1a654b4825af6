"""`MixerSpec`, a frozen choice of what fills a block of the network, with its options."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass, field, fields, replace
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self, get_args

from ..choices.fields import require_types

if TYPE_CHECKING:
    from ..layer import Layer

Mixing = Literal["glu", "linear"]
RateOf = Literal["kernel", "dt", "output"]


def rate(of: RateOf, default: float | None) -> Any:
    """A field that holds a learning rate, None for the network's. `of`: the kernel's own parameters (A, B, P, h, taps), the step size, or
    the output map (C, W), which recipes leave alone."""
    return field(default=default, metadata={"rate": of})


@dataclass(frozen=True, kw_only=True)
class Around:
    """What the network fixes for every layer in it; a layer that brings its own activation and mixing (LSTM, attention) reads none."""

    mixing: Mixing = "glu"
    dropout: float = 0.0
    """Probability of dropout after the activation."""
    tied: bool = True
    """One dropout mask per sequence and feature, the same at all steps."""
    directions: int = 1
    """2 adds a reversed direction; only for a spec that is `two_way`."""

    def __post_init__(self) -> None:
        require_types(self)
        require_around(self.mixing, self.dropout)


def require_around(mixing: str, dropout: float) -> None:
    """Raises ValueError for a mixing that there is not, and for a dropout that is no probability below 1."""
    if not 0 <= dropout < 1:
        raise ValueError(f"dropout is a probability in [0, 1), got {dropout:g}")
    if mixing not in get_args(Mixing):
        raise ValueError(f"unknown mixing {mixing!r}; one of: {', '.join(get_args(Mixing))}")


PLAIN = Around()


@dataclass(frozen=True, kw_only=True)
class MixerSpec(ABC):
    """One parameterization with its options. `version` is raised when its numbers change.

    The methods answer for every row what a recipe may ask, so that no recipe has to know which class a row is of.
    """

    version: ClassVar[int] = 1

    def __post_init__(self) -> None:
        require_types(self)
        for f in fields(self):
            if f.name.startswith("lr_"):
                if "rate" not in f.metadata:
                    raise TypeError(f"{type(self).__name__}.{f.name} does not say whose rate it is; declare it with rate(...)")
                lr = getattr(self, f.name)
                if lr is not None and not 0 < lr < math.inf:
                    raise ValueError(
                        f"{f.name} is a positive rate, or None for the network's; to freeze a parameter use its train_ option; got {lr:g}"
                    )

    @abstractmethod
    def build_layer(self, d_model: int, around: Around = PLAIN) -> Layer:
        """The trainable layer of `d_model` channels, (B, L, H) -> (B, L, H). Raises ValueError where the spec does not fit d_model."""

    @property
    def two_way(self) -> bool:
        """Whether a second, reversed direction can be added."""
        return False

    def require_two_way(self) -> None:
        """Raises ValueError unless a reversed direction can be added."""
        if not self.two_way:
            raise ValueError(f"bidirectional adds a reversed kernel; {type(self).__name__} has no kernel. Use bidirectional=False")

    def fixed_to(self, length: int) -> Self:
        """The same row on sequences of different lengths, padded up to `length` and masked. Raises ValueError where padding would enter."""
        return self

    def with_time_scale(self, dt_min: float, dt_max: float) -> Self:
        """The same row with step sizes for this range in S4's convention; a row without a time scale of its own returns itself."""
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
