"""Links from an unconstrained parameter to -Re(lambda) > 0, and to a step size dt > 0.

A link is a frozen row: the map, its inverse (used once, at the init), and the largest value it can reach.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .names import choose

if TYPE_CHECKING:
    from torch import Tensor

FLOOR = 1e-4
"""Smallest -Re(lambda) that an init is stored with where its link does not say otherwise, also that of FouT, whose modes do not decay
(state-spaces/s4 v3.0.0: 1e-3)."""


@dataclass(frozen=True, kw_only=True)
class Link:
    """f maps theta to -Re(lambda) (or to dt); `inverse` is its right inverse on (0, upper)."""

    name: str
    f: Callable[[Tensor], Tensor]
    inverse: Callable[[Tensor], Tensor]
    upper: float = math.inf
    lower: float = FLOOR
    """Smallest -Re(lambda) that an init is stored with: positive, and where the map still has a slope, so that it can be trained."""

    def __reduce__(self) -> Any:
        """A row is pickled by its name, since its formulas may be lambdas."""
        return (link, (self.name,)) if LINKS.get(self.name) is self else super().__reduce__()


def link(name: str) -> Link:
    """The row `name` of LINKS."""
    return choose("link", name, LINKS)


def _softplus(t: Tensor) -> Tensor:
    from torch.nn.functional import softplus  # the one formula that is no method of a tensor

    return softplus(t)


def _softplus_inverse(x: Tensor) -> Tensor:
    return x + (-(-x).expm1()).log()


STABLE_A, STABLE_B = 1.0, 0.1
"""StableSSM's constants in -1 / (a w^2 + b) (2311.14495)."""

LINKS: dict[str, Link] = {
    k.name: k
    for k in (
        Link(name="exp", f=lambda t: t.exp(), inverse=lambda x: x.log()),  # S4D's choice: never reaches 0
        Link(  # without the floor |A_bar| = 1 would be reached; at it the slope is zero, so that an init is stored above
            name="relu", f=lambda t: t.relu() + FLOOR, inverse=lambda x: x - FLOOR, lower=2 * FLOOR
        ),
        Link(name="softplus", f=_softplus, inverse=_softplus_inverse),
        Link(name="none", f=lambda t: t, inverse=lambda x: x, lower=-math.inf),  # Re(lambda) may become positive
        Link(name="sigmoid", f=lambda t: t.sigmoid(), inverse=lambda x: x.logit(), upper=1.0),  # Re(lambda) in (-1, 0)
        Link(  # StableSSM: Re(lambda) = -1 / (a w^2 + b) in [-10, 0)
            name="stable",
            f=lambda w: 1 / (STABLE_A * w**2 + STABLE_B),
            inverse=lambda x: ((1 / x - STABLE_B) / STABLE_A).sqrt(),
            upper=1 / STABLE_B,
        ),
    )
}

DT_LINKS: dict[str, Link] = {name: LINKS[name] for name in ("exp", "softplus")}
