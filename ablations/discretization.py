"""The discretization grid: does the rule of discretization matter, or the link that keeps Re(A) negative? After 2206.11893, app."""

from __future__ import annotations

from typing import Final

from ablations.grid import Ablation, Factor

DISCRETIZATION: Final = Ablation(
    name="discretization",
    title="Discretization and link of Re(A)",
    about=(
        "S4D-Lin and S4D-Inv with each rule of discretization and each link from the parameter to Re(A): exp, relu and softplus keep it "
        "negative, none leaves it free; relu and none are one function as long as no Re(A) crosses zero, and their cells then agree to the "
        "last digit. Dirac samples the continuous kernel (B_bar = dt B); zoh is exact for an input that is held between "
        "samples, foh for one that runs straight from sample to sample; the others approach them. The question is whether the choice "
        "matters: levels count as equivalent where their difference is shown to be within one point (of an error: one per cent of it). "
        "S4D's authors printed six of the combinations for their small networks, without saying which init."
    ),
    benchmark="digits-noise",
    factors=("init", "discretization", "link of Re(A)"),
    columns="discretization",
    vary=(
        Factor(name="init", levels={name: {"mixer.init": name} for name in ("lin", "inv")}),
        Factor(
            name="discretization",
            levels={name: {"mixer.discretization": name} for name in ("zoh", "foh", "bilinear", "backward-euler", "dirac")},
        ),
        Factor(name="link of Re(A)", levels={name: {"mixer.A_link": name} for name in ("exp", "relu", "none", "softplus")}),
    ),
    margin=0.01,
    published={
        ("", rule, link): f"S4D small, {rule}, Re(A) {word}"
        for rule in ("zoh", "bilinear")
        for link, word in {"exp": "= -exp", "none": "free", "relu": "= -relu"}.items()
    },
)
