"""The real-complex grid: are complex modes needed, when real ones may have the same time scales, and as many states or as many modes?"""

from __future__ import annotations

from typing import Final

from ablations.grid import Ablation
from benchmarks.changes import Changes

SIZES: Final = (4, 16, 64, 256)
COMPLEX: Final[dict[str, Changes]] = {
    "complex": {},
    "complex, Im x 0.01": {"mixer.imag_scale": 0.01},
    "complex, Im x 0.01, A frozen": {"mixer.imag_scale": 0.01, "mixer.train_A": False},
}
REAL: Final = {"|lambda|": "lin", "n + 1": "real", "log": "log"}
"""Decays of real modes -> the init that has them."""


def _real(init: str, states: int) -> Changes:
    return {"mixer.init": init, "mixer.real": True, "mixer.d_state": states}


REAL_COMPLEX: Final = Ablation(
    name="real-complex",
    title="Real against complex modes",
    about=(
        "S4D-Lin of N real states, N/2 pairs of complex modes, against real modes: as many states (N modes, the same parameters and "
        "memory) or as many modes (N/2). Real modes with the decays |lambda| of the complex ones are fast, since frequencies become "
        "decays; with n + 1 they are those of S4D-Real; log spaces them from 1/2, where all complex modes are, to 1/100, so that with the "
        "steps in use they reach over the whole sequence: this is the fair row. As many real modes are the complex ones with Im(A) kept "
        "at zero, so that row also says what the imaginary part alone is worth; complex rows that begin with frequencies a hundredth of "
        "the usual, trained or frozen, stand between the two. Rates and the variance of the kernel at its init are equal, and all else is "
        "the recipe. Of the one published pair, S4D-Real against S4D on LRA Image, validation accuracy is 74.30 against 88.28, and 70.88 "
        "against 82.78 in a small network (state-spaces/s4, README of its comparison with Mega)."
    ),
    benchmark="digits-noise",
    factors=("modes", "N"),
    columns="N",
    along="N",
    rows={
        **{(name, str(N)): {"mixer.d_state": N, **changes} for name, changes in COMPLEX.items() for N in SIZES},
        **{(f"real, {decays}, N modes", str(N)): _real(init, N) for decays, init in REAL.items() for N in SIZES},
        **{(f"real, {decays}, N/2 modes", str(N)): _real(REAL[decays], N // 2) for decays in ("n + 1", "log") for N in SIZES},
    },
)
