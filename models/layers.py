"""One layer in a line, (B, L, H) -> (B, L, H), for networks of other makes: `S4D(256)`.

Each takes the spec of its parameterization, `S4D(256, S4DSpec(init="inv"))`, and what is around the kernel, `S4D(256, around=Around(...))`;
what is left out is the row of that name in the tables.
"""

from __future__ import annotations

from .kernel import SSMLayer
from .lru import LRULayer
from .specs.dss import DSSSpec
from .specs.hope import HOPESpec
from .specs.lru import LRUSpec
from .specs.mixer import PLAIN, Around
from .specs.s4 import S4Spec
from .specs.s4d import S4DSpec


def S4(d_model: int, spec: S4Spec | None = None, around: Around = PLAIN) -> SSMLayer:
    """The layer of 2111.00396: diagonal plus low rank."""
    return (spec or S4Spec()).build_layer(d_model, around)


def DSS(d_model: int, spec: DSSSpec | None = None, around: Around = PLAIN) -> SSMLayer:
    """The layer of 2203.14343: complex modes without conjugates."""
    return (spec or DSSSpec()).build_layer(d_model, around)


def S4D(d_model: int, spec: S4DSpec | None = None, around: Around = PLAIN) -> SSMLayer:
    """The layer of 2206.11893: a diagonal state matrix."""
    return (spec or S4DSpec()).build_layer(d_model, around)


def HOPE(d_model: int, spec: HOPESpec | None = None, around: Around = PLAIN) -> SSMLayer:
    """The layer of 2405.13975: Markov parameters of a Hankel operator."""
    return (spec or HOPESpec()).build_layer(d_model, around)


def LRU(d_model: int, spec: LRUSpec | None = None, around: Around = PLAIN) -> LRULayer:
    """The layer of 2303.06349: one diagonal recurrence for all channels."""
    return (spec or LRUSpec()).build_layer(d_model, around)
