"""BIDMC: a vital sign read off 32 seconds of two signals, as a regression over 4,000 steps."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from benchmarks.benchmark import Benchmark, Recipe
from benchmarks.published import PUBLISHED
from benchmarks.setting import Makers, Setting, common_mixer, recipes, small_network
from data.bidmc.spec import BIDMCSpec
from models import VARIANTS, MultiStep, S4DSpec, S4Spec

DATA: Final = {
    "bidmc-rr": BIDMCSpec(target="RR"),
    "bidmc-hr": BIDMCSpec(target="HR"),
    "bidmc-spo2": BIDMCSpec(target="SpO2"),
}

D_STATE: Final = 256
"""Real state dimensions of every row at small and paper scale, as in state-spaces/s4."""

WINDOWS: Final = (800, 200, 400)
"""Training, validation and test windows of a quick run."""


def quick(benchmark: str, variant: str) -> Recipe:
    """A small network on a fixed part of the windows: rows differ in their mixer and in nothing else."""
    setting = small_network(epochs=3, batch_size=8)
    train, val, test = WINDOWS
    notes = (
        f"{train:,} training, {val:,} validation and {test:,} test windows out of about 5,500, 1,190 and 1,190",
        "2 layers of 32 channels for 3 epochs, in one direction, no dropout",
        "the mean of the training targets is taken off, so that these few steps need not learn it; RMSE means the same",
    )
    data = replace(DATA[benchmark], train_subset=train, val_subset=val, test_subset=test, offset="removed")
    return setting.recipe(benchmark, "quick", data, common_mixer(variant), "this suite", notes)


SMALL: Final = Setting(
    n_layers=4, d_model=128, norm="layer", prenorm=True, mixing="linear", bidirectional=True, lr=4e-3, weight_decay=1e-2,
    schedule=MultiStep(milestones=(50, 100, 150, 200)), epochs=200, batch_size=32,
)  # fmt: skip

PAPER: Final = Setting(
    n_layers=6, d_model=128, norm="layer", prenorm=True, bidirectional=True, lr=1e-2, weight_decay=5e-2,
    schedule=MultiStep(milestones=(100, 200, 300, 400, 500)), epochs=500, batch_size=32,
)  # fmt: skip

SAME: Final = f"d_state = {D_STATE} in every row, as in the config for S4 and S4D"


def small(benchmark: str, variant: str) -> Recipe:
    """4 layers of 128 channels on all of the windows: rows differ in their mixer and in nothing else."""
    return SMALL.recipe(
        benchmark,
        "small",
        DATA[benchmark],
        common_mixer(variant).with_states(D_STATE),
        "state-spaces/s4 v3.0.0, configs/experiment/bidmc/s4-bidmc-ablation.yaml: the small models of arXiv:2206.11893, sec. 5",
        (
            SAME,
            "windows cut from the publisher's recordings; the archive of the literature is the choice source=official",
            *(("the paper's ablations are of SpO2; used here as it is",) if benchmark != "bidmc-spo2" else ()),
        ),
    )


def paper(benchmark: str, variant: str) -> Recipe:
    """The published setting of S4 and S4D, which is the only one, for every row."""
    mixer = VARIANTS[variant].mixer.with_states(D_STATE)
    own = isinstance(mixer, (S4Spec, S4DSpec))
    if isinstance(mixer, (S4Spec, S4DSpec)):
        mixer = replace(mixer, n_ssm=2)
    return PAPER.recipe(
        benchmark,
        "paper",
        replace(DATA[benchmark], source="official"),
        mixer,
        "state-spaces/s4 v3.0.0, configs/experiment/bidmc/s4-bidmc.yaml; the same values as arXiv:2206.11893, appendix",
        (
            *(() if own else ("no published setting for this row: that of S4 and S4D",)),
            SAME,
            "the last training batch of an epoch is kept; the original drops it",
        ),
    )


MAKERS: Final[Makers] = {"quick": quick, "small": small, "paper": paper}


def _benchmark(name: str, title: str, what: str, spread: str) -> Benchmark:
    return Benchmark(
        name=name,
        title=title,
        metric="rmse",
        about=(
            "BIDMC PPG and Respiration (Pimentel et al., 2017; PhysioNet, ODC-By 1.0): 53 recordings of eight minutes from intensive care. "
            "A window is 32 s of two signals at 125 Hz, the pulse wave of a finger and one lead of the heart's, 4,000 steps of two "
            f"numbers; {what} is read from the mean over all steps, and scored by the root mean squared error in its own unit. Windows "
            "begin every 3 s and are split at random as in the literature, so that windows of the test set overlap windows that were "
            f"trained on; split=patient keeps patients apart. Always answering the mean scores {spread}."
        ),
        recipe=recipes(name, MAKERS),
        scales=tuple(MAKERS),
        published=PUBLISHED.get(name, ()),
    )


BENCHMARKS: Final = (
    _benchmark("bidmc-rr", "BIDMC, respiratory rate", "the respiratory rate in breaths a minute", "3.1"),
    _benchmark("bidmc-hr", "BIDMC, heart rate", "the heart rate in beats a minute", "13.5"),
    _benchmark("bidmc-spo2", "BIDMC, oxygen saturation", "the oxygen saturation of the blood in percent", "3.3"),
)
