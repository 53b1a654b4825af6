"""The short grid: LRA Image at small scale, for a few epochs only, as many as a card that is at hand for minutes can make."""

from __future__ import annotations

from typing import Final

from ablations.grid import Ablation
from benchmarks.changes import Changes
from models import DEFAULT_VARIANTS

LENGTHS: Final = (2, 6)
"""Epochs, of the recipe's 100."""


def rows() -> dict[tuple[str, ...], Changes]:
    """Every default row with the shortest training first, so that what a clock cuts off is the longest."""
    return {(name, str(epochs)): {"variant": name, "epochs": epochs} for epochs in LENGTHS for name in DEFAULT_VARIANTS}


SHORT: Final = Ablation(
    name="image-short",
    title="LRA Image, cut short",
    about=(
        "Grey CIFAR-10 pixel by pixel with the network of the small scale (4 layers of 128, both directions, batches of 50), trained for "
        f"{' or '.join(map(str, LENGTHS))} of its 100 epochs: the learning rate rises over the first and falls by half a cosine to the "
        "last of these. All 45,000 images to train on. These runs are no runs of the benchmark and stand beside no published number: they "
        "ask who learns fastest, and were made while a GPU was at hand for minutes."
    ),
    benchmark="lra-image",
    scale="small",
    factors=("parameterization", "epochs"),
    columns="epochs",
    rows=rows(),
)
