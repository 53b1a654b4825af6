"""The digits that come with scikit-learn, as a sequence of pixels, alone and with noise after them: no download, minutes on two cores."""

from __future__ import annotations

from typing import Final

from benchmarks.benchmark import Benchmark
from benchmarks.quick import THIS_SUITE, quick_rows
from benchmarks.recipe import Rows
from data.images.digits import PIXELS, DigitsSpec

NOISE: Final = 192
"""Steps of noise after the 64 pixels."""


def _quick(data: DigitsSpec, *notes: str, source: str = THIS_SUITE, pool_last: int | None = None) -> Rows:
    """The one setting of this suite for digits; variants differ in their mixer and in nothing else."""
    return quick_rows(data, *notes, source=source, epochs=16, batch_size=32, warmup=40, pool_last=pool_last)


BENCHMARKS: Final = (
    Benchmark(
        name="digits",
        brief="sequential digits, 8 x 8; no download",
        title="Sequential digits",
        kind="pictures",
        metric="accuracy",
        about=(
            "The 1,797 handwritten digits that come with scikit-learn (UCI Optical Recognition of Handwritten Digits, CC BY 4.0), 8 x 8, "
            f"as {PIXELS} steps of one standardised pixel, row by row; 1,258 train, 180 validation, 359 test, split by class with a fixed "
            "seed. The class is read from the mean over all steps. Chance is 10 %."
        ),
        rows={"quick": _quick(DigitsSpec(), "read-out: mean over all 64 positions")},
    ),
    Benchmark(
        name="digits-noise",
        brief="the same digits, each followed by noise: what is remembered over the gap",
        title="Noise-padded digits",
        kind="memory",
        metric="accuracy",
        about=(
            f"The same digits, each followed by {NOISE} steps of uniform noise on [0, 1), {PIXELS + NOISE} steps in all; the class is read "
            f"from the mean over the last {NOISE} positions only, so the image has to be remembered through the noise. Training noise is "
            "fresh in every epoch. Chance is 10 %. A small form of the memory experiment of the HOPE paper."
        ),
        rows={
            "quick": _quick(
                DigitsSpec(noise=NOISE),
                "digits 8 x 8 with 192 steps of noise instead of CIFAR-10 with 1024",
                "2 layers of 32 channels for 16 epochs of batches of 32 instead of 4 of 128 for 100 epochs of batches of 64; no dropout",
                "initial step sizes log-uniform in [0.001, 0.1] and trained, instead of 0.1 for all channels",
                "kernel parameters (A, B, dt, h) at rate 0.001 without decay in every row; the script leaves S4D's A at 0.01 with decay",
                "evaluation noise is fixed; the script draws it anew at every access",
                "nothing is tuned per row: one setting for all, the step sizes S4's default; batch and epochs were set once so that the "
                "whole table takes minutes; HOPE and DSS at the rates of their own papers stand in the core grid (make ablate-core)",
                source=f"{THIS_SUITE}, after arXiv:2405.13975, experiment II, and the authors' script",
                pool_last=NOISE,
            )
        },
        readouts={"noise": NOISE, "all": None, "last": 1},
    ),
)
