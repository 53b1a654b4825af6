"""Grids on noise-padded CIFAR-10: is it the parameterization that remembers, or the step size it was given? And where is the class read?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from ablations.grid import Ablation, Cell
from benchmarks.images import READOUTS, read_out
from benchmarks.registry import BENCHMARKS
from benchmarks.setting import DT
from benchmarks.spec import RunSpec
from models import FIRSpec, HOPESpec, KernelSpec, S4DSpec

LOG_UNIFORM: Final = f"{DT[0]:g} .. {DT[1]:g}"

ROWS: Final[Mapping[tuple[str, str, str, str], KernelSpec]] = {
    ("S4D-Lin", "0.1", "no", "common"): S4DSpec(dt_min=0.1, dt_max=0.1, train_dt=False),
    ("S4D-Lin", "0.01", "no", "common"): S4DSpec(dt_min=0.01, dt_max=0.01, train_dt=False),
    ("S4D-Lin", "0.001", "no", "common"): S4DSpec(dt_min=0.001, dt_max=0.001, train_dt=False),
    ("S4D-Lin", LOG_UNIFORM, "yes", "common"): S4DSpec().with_time_scale(*DT),
    ("HOPE", "0.1 (HOPE's)", "no", "common"): HOPESpec(dt_min=0.1, dt_max=0.1, train_dt=False),
    ("HOPE", LOG_UNIFORM, "yes", "common"): HOPESpec().with_time_scale(*DT),
    ("HOPE", "0.1 (HOPE's)", "no", "network's"): HOPESpec(dt_min=0.1, dt_max=0.1, train_dt=False, lr_h=None),
    ("HOPE", LOG_UNIFORM, "yes", "network's"): HOPESpec(lr_h=None).with_time_scale(*DT),
    ("FIR", "1 (HOPE's)", "no", "common"): FIRSpec(),
}
"""(parameterization, step size, whether it is trained, rate of the kernel) -> the kernel, each with 64 real states."""


def _run(mixer: KernelSpec) -> RunSpec:
    """The quick recipe of scifar-noise around this kernel."""
    centre = BENCHMARKS["scifar-noise"].recipe("s4d-lin", "quick").run
    return replace(centre, model=replace(centre.model, mixer=mixer))


def cells() -> list[Cell]:
    """The rows in the order of the table."""
    return [Cell(row=dict(zip(NOISE.factors, row, strict=True)), spec=_run(mixer)) for row, mixer in ROWS.items()]


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
    factors=("parameterization", "dt", "dt trained", "rate"),
    make=cells,
)


def readout_cells() -> list[Cell]:
    """S4D-Lin, HOPE and FIR with every read-out. The cells of the noise half are those of the noise grid."""
    rows = {name: ROWS[name, LOG_UNIFORM, "yes", "common"] for name in ("S4D-Lin", "HOPE")}
    rows["FIR"] = ROWS["FIR", "1 (HOPE's)", "no", "common"]
    return [
        Cell(row={"parameterization": name, "read-out": readout}, spec=read_out(_run(mixer), readout))
        for name, mixer in rows.items()
        for readout in READOUTS
    ]


READOUT: Final = Ablation(
    name="readout",
    title="Where the class is read",
    about=(
        "Noise-padded CIFAR-10, read from the mean over the noise half (the authors' script), over all steps, or from the last step alone. "
        "With all steps the image itself is in the mean and little needs to be remembered; the last step asks for the longest memory."
    ),
    factors=("parameterization", "read-out"),
    make=readout_cells,
)
