"""The core grid: which choice inside a diagonal state space matters on noise-padded digits, with the other papers as reference rows."""

from __future__ import annotations

from typing import Final

from ablations.grid import NO_CHOICE, Ablation, Factor

INIT: Final = Factor(name="init", levels={name: {"mixer.init": name} for name in ("lin", "inv", "legs", "rand")})
DISCRETIZATION: Final = Factor(name="discretization", levels={name: {"mixer.discretization": name} for name in ("zoh", "bilinear")})
STATE: Final = Factor(name="state", levels={"complex": {"mixer.real": False}, "real": {"mixer.real": True}})

CORE: Final = Ablation(
    name="core",
    title="Init, discretization and kind of state",
    about=(
        "S4D with every combination of initial spectrum, discretization and complex or real state on noise-padded digits, at 64 real state "
        "dimensions each, so a real state has 64 real modes where a complex one has 32 pairs. A real state takes -|lambda| of the init's "
        "list. Everything else is the recipe of digits-noise, the same in every row. S4, DSS and HOPE stand beside it with the same recipe "
        "(rates: common) and, where their papers train the kernel at another rate, once more with that one (rates: paper)."
    ),
    benchmark="digits-noise",
    factors=("parameterization", "init", "discretization", "state", "rates"),
    columns="discretization",
    apart="rates",
    vary=(INIT, DISCRETIZATION, STATE),
    fixed={"parameterization": "S4D", "rates": "common"},
    references={
        ("S4", "legs", "bilinear", "complex", "common"): {"variant": "s4"},
        ("DSS-exp", "legs", "zoh", "complex", "common"): {"variant": "dss-exp"},
        ("DSS-softmax", "legs", NO_CHOICE, "complex", "common"): {"variant": "dss-softmax"},
        ("HOPE", "random h", "bilinear", "real", "common"): {"variant": "hope"},
        ("DSS-exp", "legs", "zoh", "complex", "paper"): {"variant": "dss-exp-paper-rates"},
        ("DSS-softmax", "legs", NO_CHOICE, "complex", "paper"): {"variant": "dss-softmax-paper-rates"},
        ("HOPE", "random h", "bilinear", "real", "paper"): {"variant": "hope-paper-rates"},
    },
)
