"""The noise grid: on noise-padded CIFAR-10, is it the parameterization that remembers, or the step size it was given?"""

from __future__ import annotations

from typing import Final

from ablations.grid import Ablation
from benchmarks.changes import Changes
from benchmarks.setting import DT

LOG_UNIFORM: Final = f"{DT[0]:g} .. {DT[1]:g}"


def frozen_at(variant: str, dt: float) -> Changes:
    """The variant with this step size in every channel, not trained, in the convention of its own paper."""
    return {"variant": variant, "mixer.dt_min": dt, "mixer.dt_max": dt, "mixer.train_dt": False}


NOISE: Final = Ablation(
    name="noise",
    title="Step size against memory",
    about=(
        "Noise-padded CIFAR-10 with one recipe for every row: 64 real states, kernel parameters (A, B, h, taps) at 0.001 without decay "
        "(rate: common); HOPE once more with h at the network's rate, as in its paper's experiment I; "
        "the class read from the noise half. S4D at 0.1 against HOPE at 0.1 is the comparison of the HOPE paper (where S4D's step size "
        "starts there and is trained); the other rows ask what S4D does with step sizes whose memory reaches over the noise, and what is "
        "left of HOPE when it has none: the FIR row is a free kernel of 64 taps, which is HOPE at dt = 1. Step sizes are in S4's "
        "convention except where the row says HOPE's, which is half of it: HOPE's 0.1 is 0.2 in S4's, a window of 64 / 0.1 = 640 steps "
        "where 1,024 are needed to reach the image from the end. Log-uniform ranges are the same time scales for both."
    ),
    benchmark="scifar-noise",
    factors=("parameterization", "dt", "dt trained", "rate"),
    columns="rate",
    rows={
        ("S4D-Lin", "0.1", "no", "common"): frozen_at("s4d-lin", 0.1),
        ("S4D-Lin", "0.01", "no", "common"): frozen_at("s4d-lin", 0.01),
        ("S4D-Lin", "0.001", "no", "common"): frozen_at("s4d-lin", 0.001),
        ("S4D-Lin", LOG_UNIFORM, "yes", "common"): {"variant": "s4d-lin"},
        ("HOPE", "0.1 (HOPE's)", "no", "common"): frozen_at("hope", 0.1),
        ("HOPE", LOG_UNIFORM, "yes", "common"): {"variant": "hope"},
        ("HOPE", "0.1 (HOPE's)", "no", "network's"): frozen_at("hope-paper-rates", 0.1),
        ("HOPE", LOG_UNIFORM, "yes", "network's"): {"variant": "hope-paper-rates"},
    },
    references={("FIR", "1 (HOPE's)", "no", "common"): {"variant": "fir"}},
)
