"""The rates grid: which row is best when each has the rates that suit it? The same tries for all, chosen on validation."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import fields, replace
from typing import Any, Final

from ablations.grid import Ablation
from benchmarks.changes import Changes, times
from models import DEFAULT_VARIANTS, MixerSpec


def kernel_rates(factor: float) -> Callable[[Any], MixerSpec]:
    """The change of a mixer to `factor` times the rates of its kernel's own parameters (A, B, P, h, taps); those that it leaves to the
    network, dt and the output map stay as they are."""

    def change(mixer: MixerSpec) -> MixerSpec:
        own = {f.name: getattr(mixer, f.name) for f in fields(mixer) if f.metadata.get("rate") == "kernel"}
        return replace(mixer, **{name: factor * lr for name, lr in own.items() if lr is not None})

    return change


TRIES: Final[dict[tuple[str, str], Changes]] = {
    ("x 1", "x 1"): {},
    ("x 1/3", "x 1"): {"optim.lr": times(1 / 3)},
    ("x 3", "x 1"): {"optim.lr": times(3)},
    ("x 1", "x 10"): {"mixer": kernel_rates(10)},
}
"""(learning rate of the network, of the kernel), as multiples of the recipe's -> what is set. A row tries each of them."""


def rates_of(variants: Sequence[str]) -> dict[tuple[str, ...], Changes]:
    """The rows of a grid in which each variant tries each pair of rates."""
    return {(name, *rates): {"variant": name, **changes} for name in variants for rates, changes in TRIES.items()}


RATES: Final = Ablation(
    name="rates",
    title="Equal tuning: every row at its best rate",
    about=(
        "Every default row at the rates of the recipe, at a third and three times the learning rate of the network, and with the kernel's "
        "own parameters (A, B, P, h) at ten times theirs: four tries for each row, the same for all. The rate of a row is the one with "
        "the best mean validation score over the seeds, and what is then reported of it is its test; rows that are ranked at one common "
        "rate may change places. Rates of dt and of the output map are left as they are; all else is the recipe."
    ),
    benchmark="digits-noise",
    factors=("row", "learning rate", "kernel rate"),
    columns="kernel rate",
    along="learning rate",
    rows=rates_of(DEFAULT_VARIANTS),
    tuned="row",
)
