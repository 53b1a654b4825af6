"""The trainability grid: what is it worth to train A, B and dt, from which init, early and at the end? After 2206.11893, sec. 5.3."""

from __future__ import annotations

from typing import Final

from ablations.grid import Ablation, Factor


def _trained(name: str, *fields: str) -> Factor:
    return Factor(name=name, levels={word: dict.fromkeys(fields, word == "yes") for word in ("yes", "no")})


TRAINABILITY: Final = Ablation(
    name="trainability",
    title="A, B and dt trained or frozen",
    about=(
        "S4 and S4D with A (and the low-rank term of S4), B and the step sizes dt each trained or kept at their init, in every "
        "combination. C is trained always, and K depends on B and C by their product only. All else is the recipe. Scores on validation "
        "after the first epoch stand beside the tests at the end: an init that is better early need not be so later."
    ),
    benchmark="digits-noise",
    factors=("init", "A trained", "B trained", "dt trained"),
    columns="init",
    vary=(
        Factor(
            name="init",
            levels={
                "S4-LegS": {"variant": "s4"},
                "S4D-LegS": {"variant": "s4d-legs"},
                "S4D-Inv": {"variant": "s4d-inv"},
                "S4D-Lin": {"variant": "s4d-lin"},
            },
        ),
        _trained("A trained", "mixer.train_A"),
        _trained("B trained", "mixer.train_B"),
        _trained("dt trained", "mixer.train_dt"),
    ),
    after=(1,),
)
