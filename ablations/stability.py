"""The stability grid: which links of Re(A) survive a large learning rate of A? After 2311.14495, on this suite's tasks."""

from __future__ import annotations

from typing import Final

from ablations.grid import Ablation, Factor
from benchmarks.changes import times

STABILITY: Final = Ablation(
    name="stability",
    title="Links of Re(A) under large rates",
    about=(
        "S4D-Lin with every link from the parameter to Re(A), while A is trained at 1 to 100 times the rate of the recipe and everything "
        "else at its own. exp, relu, softplus and sigmoid keep Re(A) negative; stable is StableSSM's -1 / (w^2 + 0.1), whose gradient "
        "over the decay stays bounded; none lets modes grow. What is asked is which seeds diverge, and what is left of the accuracy of "
        "the others."
    ),
    benchmark="digits-noise",
    factors=("link of Re(A)", "rate of A"),
    columns="rate of A",
    along="rate of A",
    vary=(
        Factor(
            name="link of Re(A)",
            levels={name: {"mixer.A_link": name} for name in ("exp", "relu", "softplus", "sigmoid", "stable", "none")},
        ),
        Factor(name="rate of A", levels={f"x {k}": {"mixer.lr_A": times(k)} for k in (1, 3, 10, 30, 100)}),
    ),
)
