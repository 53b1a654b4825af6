"""The readout grid: on noise-padded CIFAR-10, where is the class read from?"""

from __future__ import annotations

from typing import Final

from ablations.grid import Ablation, Factor

READOUT: Final = Ablation(
    name="readout",
    title="Where the class is read",
    about=(
        "Noise-padded CIFAR-10, read from the mean over the noise half (the authors' script), over all steps, or from the last step alone. "
        "With all steps the image itself is in the mean and little needs to be remembered; the last step asks for the longest memory."
    ),
    benchmark="scifar-noise",
    factors=("parameterization", "read-out"),
    columns="read-out",
    vary=(
        Factor(name="parameterization", levels={v: {"variant": v.lower()} for v in ("S4D-Lin", "HOPE", "FIR")}),
        Factor(name="read-out", levels={name: {"readout": name} for name in ("noise", "all", "last")}),
    ),
)
