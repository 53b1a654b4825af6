"""The init grid: what the initial spectrum is worth, and which part of it, after S4D's study of inits (2206.11893, sec. 5.2)."""

from __future__ import annotations

from typing import Final

from ablations.grid import Ablation
from benchmarks.changes import Changes

AS_IT_IS: Final = "as it is"
CHANGES: Final[dict[str, Changes]] = {
    **{f"Im x {scale:g}": {"mixer.imag_scale": scale} for scale in (0.01, 0.1, 10.0, 100.0)},
    "random Im": {"mixer.random_imag": True},
    "random Re": {"mixer.random_real": True},
    "both random": {"mixer.random_imag": True, "mixer.random_real": True},
}

INIT: Final = Ablation(
    name="init",
    title="The initial spectrum, and what of it counts",
    about=(
        "S4D from every initial spectrum of its paper, at 64 real states; S4 from LegS, from FouT, and from LegS in half of the channels "
        "and FouT in the other half. S4D-Lin and S4D-Inv are changed in one part at a time: the imaginary parts scaled by 0.01 to 100, "
        "the index in their formula drawn uniformly from [0, 32) (random Im), the decays drawn uniformly from [0, 1) (random Re), or "
        "both. S4D-Real has 64 real modes in the place of 32 pairs. S4D in zero-order hold, S4 bilinear; all else is the recipe, the same "
        "in every row."
    ),
    benchmark="digits-noise",
    factors=("layer", "init", "change"),
    columns="layer",
    rows={
        **{("S4D", init, AS_IT_IS): {"mixer.init": init} for init in ("lin", "inv", "legs", "inv2", "quad", "rand")},
        ("S4D", "real", AS_IT_IS): {"mixer.init": "real", "mixer.real": True},
        **{("S4", init, AS_IT_IS): {"variant": "s4", "mixer.init": init} for init in ("legs", "fout")},
        ("S4", "legs-fout", AS_IT_IS): {"variant": "s4", "mixer.init": "legs-fout", "mixer.n_ssm": 2},
        **{("S4D", init, name): {"mixer.init": init, **changes} for init in ("lin", "inv") for name, changes in CHANGES.items()},
    },
)
