"""The noise-length grid: how far does each parameterization remember, as the noise after the signal grows longer?"""

from __future__ import annotations

from typing import Final

from ablations.grid import Ablation, Factor
from benchmarks.changes import times
from models import DEFAULT_VARIANTS

NOISE_LENGTH: Final = Ablation(
    name="noise-length",
    title="Accuracy against the length of the noise",
    about=(
        "Every default row, and HOPE at its paper's rate, on signals followed by a quarter of the usual noise, by as much, by twice and "
        "by four times as much (on the digits: 48, 192, 384 and 768 steps after 64 of image). The class is read from the mean over the "
        "noise, so the image has to be remembered over all of it. Step sizes begin in the same range at every length; all else is the "
        "recipe."
    ),
    benchmark="digits-noise",
    factors=("row", "noise"),
    columns="noise",
    along="noise",
    vary=(
        Factor(name="row", levels={name: {"variant": name} for name in (*DEFAULT_VARIANTS, "hope-paper-rates")}),
        Factor(
            name="noise",
            levels={f"x {k:g}": {"data.noise": times(k), "model.pool_last": times(k)} for k in (0.25, 1, 2, 4)},
        ),
    ),
)
