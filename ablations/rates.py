"""The rates grid: which row is best when each has the rates that suit it? The same tries for all, chosen on validation."""

from __future__ import annotations

from typing import Final

from ablations.grid import Ablation
from benchmarks.tuning import AXES, TRIES
from models import DEFAULT_VARIANTS

RATES: Final = Ablation(
    name="rates",
    title="Every row at its best rate",
    about=(
        "Every default row at the rates of the recipe, at a third and three times the learning rate of the network, and with the kernel's "
        "own parameters (A, B, P, h) at ten times theirs: four tries for each row, the same for all. The rate of a row is the one with "
        "the best mean validation score over the seeds, and what is then reported of it is its test; rows that are ranked at one common "
        "rate may change places. Rates of dt and of the output map are left as they are; all else is the recipe."
    ),
    benchmark="digits-noise",
    factors=("row", *AXES),
    columns="kernel rate",
    along="learning rate",
    rows={(name, *rates): {"variant": name, **changes} for name in DEFAULT_VARIANTS for rates, changes in TRIES.items()},
    tuned="row",
)
