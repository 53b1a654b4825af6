"""The block grid: what stands around the state space, and how deep it is at equal parameters."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cache
from typing import Any, Final

from ablations.grid import Ablation, Factor
from models import ModelSpec

NOTHING: Final = "nothing"


def deep(layers: float) -> Callable[[Any], ModelSpec]:
    """The change of a network to `layers` times its layers, of the even width that brings its parameters nearest to those it had."""

    def change(model: ModelSpec) -> ModelSpec:
        deeper = replace(model, n_layers=max(1, round(layers * model.n_layers)))
        wanted, low = parameters(model), 2
        while parameters(replace(deeper, d_model=low + 2)) <= wanted:
            low += 2
        return min((replace(deeper, d_model=d) for d in (low, low + 2)), key=lambda m: abs(parameters(m) - wanted))

    return change


@cache
def parameters(model: ModelSpec) -> int:
    """All trained numbers of the network on one real input and ten classes."""
    return sum(p.numel() for p in model.build(d_input=1, d_output=10).parameters() if p.requires_grad)


BLOCK: Final = Ablation(
    name="block",
    title="The block around the state space",
    about=(
        "S4D-Lin in every combination of norm (layer or batch), its place (before the layer, or after the sum), mixing of the channels "
        "(gated or linear) and directions. Beside these, with the recipe's own block, dropout of 0.1 and 0.2, one mask for all steps "
        "(tied) or one for each, and half or twice the layers, of the width that keeps the number of parameters. A second direction has a "
        "C of its own, and a gated layer a second matrix: they have more parameters. All else is the recipe, S4's rates among it."
    ),
    benchmark="digits-noise",
    factors=("norm", "place", "mixing", "directions", "besides"),
    columns="directions",
    fixed={"besides": NOTHING},
    vary=(
        Factor(name="norm", levels={f"{name} norm": {"model.norm": name} for name in ("layer", "batch")}),
        Factor(name="place", levels={"norm after": {"model.prenorm": False}, "norm before": {"model.prenorm": True}}),
        Factor(name="mixing", levels={name: {"model.mixing": name} for name in ("glu", "linear")}),
        Factor(name="directions", levels={"one": {"model.bidirectional": False}, "two": {"model.bidirectional": True}}),
    ),
    rows={
        **{
            ("layer norm", "norm after", "glu", "one", f"dropout {p:g}, {word}"): {"model.dropout": p, "model.dropout_tied": word == "tied"}
            for p in (0.1, 0.2)
            for word in ("tied", "untied")
        },
        ("layer norm", "norm after", "glu", "one", "half the layers"): {"model": deep(0.5)},
        ("layer norm", "norm after", "glu", "one", "twice the layers"): {"model": deep(2)},
    },
)
