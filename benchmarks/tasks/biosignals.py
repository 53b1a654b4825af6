"""BIDMC: a vital sign read off 32 seconds of two signals, as a regression over 4,000 steps."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from benchmarks.benchmark import Benchmark
from benchmarks.papers import LAST_BATCH, SMALL_MODELS, TF32, bilinear, differing, for_s4_and_s4d, s4_source
from benchmarks.quick import describe_network, describe_part, quick_rows
from benchmarks.recipe import ANY, SIZE, Row, Rows, with_common_steps
from benchmarks.setting import ANY_MIXER, Setting
from data.bidmc.spec import BIDMCSpec
from models import ModelSpec, MultiStep, OptimSpec

D_STATE: Final = 256
"""Real state dimensions of every row at small and paper scale, as in state-spaces/s4."""

WINDOWS: Final = "windows cut from the publisher's recordings; the archive of the literature is the choice source=official"

SAME: Final = f"d_state = {D_STATE} in every row, as in the config for S4 and S4D"


def _quick(data: BIDMCSpec, idle_with: Mapping[str, str]) -> Rows:
    """The small network on a part of the windows."""
    part = replace(data, train_subset=800, val_subset=200, test_subset=400, offset="removed")
    return quick_rows(
        part,
        describe_part(part, "windows", "about 5,500, 1,190 and 1,190"),
        describe_network(3),
        "the mean of the training targets is taken off, so that these few steps need not learn it; RMSE means the same",
        epochs=3,
        batch_size=8,
        idle_with=idle_with,
    )


def _small(data: BIDMCSpec, *notes: str) -> Rows:
    """The setting of S4D's own ablations, on all of the windows; variants differ in their mixer and in nothing else."""
    setting = Setting(
        model=ModelSpec(mixer=ANY_MIXER, n_layers=4, d_model=128, norm="layer", prenorm=True, mixing="linear", bidirectional=True),
        optim=OptimSpec(lr=4e-3, weight_decay=1e-2, schedule=MultiStep(milestones=(50, 100, 150, 200))),
        epochs=200,
        batch_size=32,
    )
    row = Row(
        setting=setting,
        data=data,
        source=f"state-spaces/s4 v3.0.0, configs/experiment/bidmc/s4-bidmc-ablation.yaml: {SMALL_MODELS}",
        notes=(SAME, SIZE.format(333), WINDOWS, *notes),
        adapt=lambda mixer: with_common_steps(mixer).with_states(D_STATE),
    )
    row = differing(row, TF32)
    return {"S4D": bilinear(row), ANY: row}


def _paper(data: BIDMCSpec) -> Rows:
    """The published setting of S4 and S4D, which is the only one, for every variant."""
    setting = Setting(
        model=ModelSpec(mixer=ANY_MIXER, n_layers=6, d_model=128, norm="layer", prenorm=True, bidirectional=True),
        optim=OptimSpec(lr=1e-2, weight_decay=5e-2, schedule=MultiStep(milestones=(100, 200, 300, 400, 500))),
        epochs=500,
        batch_size=32,
    )
    row = Row(
        setting=setting,
        data=replace(data, source="official"),
        source=s4_source("bidmc/s4-bidmc.yaml"),
        notes=(SAME, LAST_BATCH),
        adapt=lambda mixer: mixer.with_states(D_STATE),
    )
    row = differing(row, TF32)
    return for_s4_and_s4d(replace(row, fields={"n_ssm": 2}), others=row)


def _vital_sign(
    title: str, what: str, spread: str, data: BIDMCSpec, *small_notes: str, name: str, brief: str, apart: str = ""
) -> Benchmark:
    """The benchmark of one of the three targets. `apart` says why no row of quick scale beats the mean where patients are kept apart."""
    return Benchmark(
        name=name,
        brief=brief,
        title=title,
        kind="signals",
        metric="rmse",
        about=(
            "BIDMC PPG and Respiration (Pimentel et al., 2017; PhysioNet, ODC-By 1.0): 53 recordings of eight minutes from intensive care. "
            "A window is 32 s of two signals at 125 Hz, the pulse wave of a finger and one lead of the heart's, 4,000 steps of two "
            f"numbers; {what} is read from the mean over all steps, and scored by the root mean squared error in its own unit. Windows "
            "begin every 3 s and are split at random as in the literature, so that windows of the test set overlap windows that were "
            f"trained on; split=patient keeps patients apart. Always answering the mean scores {spread}."
        ),
        rows={"quick": _quick(data, {"split=patient": apart} if apart else {}), "small": _small(data, *small_notes), "paper": _paper(data)},
        literature={"source": "official", "split": "random", "normalisation": "none", "offset": "kept"},
    )


OTHER_TARGET: Final = "the paper's ablations are of SpO2; used here as it is"

BENCHMARKS: Final = (
    _vital_sign(
        "BIDMC, respiratory rate",
        "the respiratory rate in breaths a minute",
        "3.1",
        BIDMCSpec(target="RR"),
        OTHER_TARGET,
        name="bidmc-rr",
        brief="respiratory rate from 32 s of pulse and ECG, 4,000 steps",
        apart="no row beats the mean on other patients: the 37 recordings to train on are learned by heart, also in minutes on all "
        "windows at a tenth of their rate",
    ),
    _vital_sign(
        "BIDMC, heart rate",
        "the heart rate in beats a minute",
        "13.5",
        BIDMCSpec(target="HR"),
        OTHER_TARGET,
        name="bidmc-hr",
        brief="heart rate from 32 s of pulse and ECG, 4,000 steps",
    ),
    _vital_sign(
        "BIDMC, oxygen saturation",
        "the oxygen saturation of the blood in percent",
        "3.3",
        BIDMCSpec(target="SpO2"),
        name="bidmc-spo2",
        brief="oxygen saturation from 32 s of pulse and ECG, 4,000 steps",
        apart="no row beats the mean on other patients: saturation is told by two wavelengths of light, and the pulse wave is of one",
    ),
)
