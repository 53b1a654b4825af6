"""Equal tuning: rates that every row tries, the same number for all; which of them a row is shown at is chosen on validation."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import fields, replace
from typing import Any, Final

from benchmarks.changes import Changes, times
from models import MixerSpec


def kernel_rates(factor: float) -> Callable[[Any], MixerSpec]:
    """The change of a mixer to `factor` times the rates of its kernel's own parameters (A, B, P, h, taps); those that it leaves to the
    network, dt and the output map stay as they are."""

    def change(mixer: MixerSpec) -> MixerSpec:
        own = {f.name: getattr(mixer, f.name) for f in fields(mixer) if f.metadata.get("rate") == "kernel"}
        return replace(mixer, **{name: factor * lr for name, lr in own.items() if lr is not None})

    return change


AXES: Final = ("learning rate", "kernel rate")
"""What a try is named by: the rates of the network and of the kernel, as multiples of the recipe's."""

TRIES: Final[Mapping[tuple[str, ...], Changes]] = {
    ("x 1", "x 1"): {},
    ("x 1/3", "x 1"): {"optim.lr": times(1 / 3)},
    ("x 3", "x 1"): {"optim.lr": times(3)},
    ("x 1", "x 10"): {"mixer": kernel_rates(10)},
}
"""A level of each of AXES -> what is set."""

TUNE: Final[Mapping[str, Mapping[tuple[str, ...], Changes]]] = {"rates": TRIES}
"""What can be tuned, by name."""

COMMON: Final = ("x 1", "x 1")
"""The try that all rows share: the rates of the recipe."""
