"""The core grid: which choice inside a diagonal state space matters on noise-padded digits, with the other papers as reference rows."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from ablations.grid import Ablation, Cell, Factor, vary
from benchmarks.registry import BENCHMARKS

INIT: Final = Factor(name="init", levels={name: {"init": name} for name in ("lin", "inv", "legs", "rand")})
DISCRETIZATION: Final = Factor(name="discretization", levels={name: {"discretization": name} for name in ("zoh", "bilinear")})
STATE: Final = Factor(name="state", levels={"complex": {"real": False}, "real": {"real": True}})

REFERENCES: Final = {
    "s4": ("S4", "legs", "bilinear", "complex", "common"),
    "dss-exp": ("DSS-exp", "legs", "zoh", "complex", "common"),
    "dss-softmax": ("DSS-softmax", "legs", "-", "complex", "common"),
    "hope": ("HOPE", "random h", "bilinear", "real", "common"),
    "dss-exp-paper-rates": ("DSS-exp", "legs", "zoh", "complex", "paper"),
    "dss-softmax-paper-rates": ("DSS-softmax", "legs", "-", "complex", "paper"),
    "hope-paper-rates": ("HOPE", "random h", "bilinear", "real", "paper"),
}
"""Variant -> its row. "-" is a choice that the parameterization does not have."""


def cells() -> list[Cell]:
    """S4D in 4 inits x 2 discretizations x 2 kinds of state, then the reference rows. A cell that is a variant has that variant's spec."""
    recipe = BENCHMARKS["digits-noise"].recipe
    centre = recipe("s4d-lin", "quick").run
    grid = [
        Cell(
            row={"parameterization": "S4D", **row, "rates": "common"},
            spec=replace(centre, model=replace(centre.model, mixer=mixer)),
        )
        for row, mixer in vary(centre.model.mixer, INIT, DISCRETIZATION, STATE)
    ]
    references = [
        Cell(row=dict(zip(CORE.factors, levels, strict=True)), spec=recipe(variant, "quick").run) for variant, levels in REFERENCES.items()
    ]
    return grid + references


CORE: Final = Ablation(
    name="core",
    title="Init, discretization and kind of state",
    about=(
        "S4D with every combination of initial spectrum, discretization and complex or real state on noise-padded digits, at 64 real state "
        "dimensions each, so a real state has 64 real modes where a complex one has 32 pairs. A real state takes -|lambda| of the init's "
        "list. Everything else is the recipe of digits-noise, the same in every row. S4, DSS and HOPE stand beside it with the same recipe "
        "(rates: common) and, where their papers train the kernel at another rate, once more with that one (rates: paper)."
    ),
    factors=("parameterization", "init", "discretization", "state", "rates"),
    make=cells,
)
