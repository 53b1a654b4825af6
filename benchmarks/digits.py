"""Benchmarks that read an image one pixel at a time: sequential digits, and digits followed by noise."""

from __future__ import annotations

from typing import Final

from benchmarks.benchmark import Benchmark, Recipe
from benchmarks.setting import common_mixer, recipes, small_network
from data.images.digits import PIXELS, DigitsSpec

NOISE: Final = 192
"""Steps of noise after the 64 pixels."""


def _recipe(benchmark: str, data: DigitsSpec, variant: str, source: str, notes: tuple[str, ...]) -> Recipe:
    """The one setting of this suite for digits; rows differ in their mixer and in nothing else."""
    setting = small_network(epochs=16, batch_size=32, warmup=40, pool_last=data.noise or None)
    return setting.recipe(benchmark, "quick", data, common_mixer(variant), source, notes)


def digits(benchmark: str, variant: str) -> Recipe:
    """Recipe of plain sequential digits."""
    return _recipe(benchmark, DigitsSpec(), variant, "this suite", ("read-out: mean over all 64 positions",))


def digits_noise(benchmark: str, variant: str) -> Recipe:
    """Recipe of noise-padded digits, after HOPE's noise-padded sequential CIFAR-10."""
    return _recipe(
        benchmark,
        DigitsSpec(noise=NOISE),
        variant,
        "this suite, after arXiv:2405.13975, experiment II, and the authors' script",
        (
            "digits 8 x 8 with 192 steps of noise instead of CIFAR-10 with 1024",
            "2 layers of 32 channels for 16 epochs of batches of 32 instead of 4 of 128 for 100 epochs of batches of 64; no dropout",
            "initial step sizes log-uniform in [0.001, 0.1] and trained, instead of 0.1 for all channels",
            "kernel parameters (A, B, dt, h) at rate 0.001 without decay in every row; the script leaves S4D's A at 0.01 with decay",
            "evaluation noise is fixed; the script draws it anew at every access",
            "nothing is tuned per row: one setting for all, the step sizes S4's default; batch and epochs were set once so that the whole "
            "table takes minutes; HOPE and DSS at the rates of their own papers stand in the core grid (make ablate-core)",
        ),
    )


BENCHMARKS: Final = (
    Benchmark(
        name="digits",
        title="Sequential digits",
        metric="accuracy",
        about=(
            "The 1,797 handwritten digits that come with scikit-learn (UCI Optical Recognition of Handwritten Digits, CC BY 4.0), 8 x 8, "
            f"as {PIXELS} steps of one standardised pixel, row by row; 1,258 train, 180 validation, 359 test, split by class with a fixed "
            "seed. The class is read from the mean over all steps. Chance is 10 %."
        ),
        recipe=recipes("digits", {"quick": digits}),
        scales=("quick",),
    ),
    Benchmark(
        name="digits-noise",
        title="Noise-padded digits",
        metric="accuracy",
        about=(
            f"The same digits, each followed by {NOISE} steps of uniform noise on [0, 1), {PIXELS + NOISE} steps in all; the class is read "
            f"from the mean over the last {NOISE} positions only, so the image has to be remembered through the noise. Training noise is "
            "fresh in every epoch. Chance is 10 %. A small form of the memory experiment of the HOPE paper."
        ),
        recipe=recipes("digits-noise", {"quick": digits_noise}),
        scales=("quick",),
        readouts={"noise": NOISE, "all": None, "last": 1},
    ),
)
