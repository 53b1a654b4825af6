"""Implementations that a user would pick instead: one row each, measured beside ours where they are installed, and asked for nowhere else.

None of them is a dependency, and nothing of them is imported where they are not there.
"""

from __future__ import annotations

import importlib.metadata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from importlib import import_module
from typing import Any, Final

import torch
from torch import Tensor, nn

from benchmarks.speed.case import Case, Kind


@dataclass(frozen=True, kw_only=True)
class Package:
    """One kind of work that a package of Python's index does, for some of our rows and on some devices."""

    kind: Kind
    rows: tuple[str, ...]
    devices: tuple[str, ...]
    build: Callable[[Case], tuple[Callable[[], Tensor], Sequence[Tensor]]]
    """The function whose forward and backward pass is timed, and what it is differentiated in."""


def _lrnnx(case: Case) -> tuple[Callable[[], Tensor], Sequence[Tensor]]:
    """lrnnx.models.lti.S4D and S4, with mixing and GLU as ours."""
    kind = {"s4d-legs": "S4D", "s4": "S4"}[case.row]
    sizes: dict[str, Any] = {"d_model": case.H, "d_state": case.N or 64, "l_max": case.L, "transposed": False, "verbose": False}
    layer: nn.Module = getattr(import_module("lrnnx.models.lti"), kind)(**sizes)
    x = torch.randn(case.B, case.L, case.H, requires_grad=True)
    return lambda: layer(x)[0], [x, *layer.parameters()]


def _accelerated_scan(case: Case) -> tuple[Callable[[], Tensor], Sequence[Tensor]]:
    """accelerated_scan.complex.scan, whose gates are given at every step."""
    scan = import_module("accelerated_scan.complex").scan
    a = torch.full((case.H,), 0.99, dtype=torch.complex64, requires_grad=True)
    v = torch.randn(case.B, case.H, case.L, dtype=torch.complex64, requires_grad=True)
    return lambda: scan(a.unsqueeze(-1).expand(v.shape).contiguous(), v), [a, v]


PACKAGES: Final[Mapping[str, Package]] = {
    "accelerated-scan": Package(kind="scan", rows=("scan",), devices=("cuda",), build=_accelerated_scan),
    "lrnnx": Package(kind="layer", rows=("s4d-legs", "s4"), devices=("cpu", "cuda"), build=_lrnnx),
}
"""By the name under which it is installed."""


def installed() -> dict[str, str]:
    """The version of each that is here."""
    out = {}
    for name in PACKAGES:
        try:
            out[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return out


def beside(cases: Sequence[Case], device: str, names: Sequence[str]) -> list[Case]:
    """What of these packages can be measured beside these cases of ours."""
    return [
        replace(case, by=name)
        for name in names
        for case in cases
        if case.kind == PACKAGES[name].kind and case.row in PACKAGES[name].rows and device in PACKAGES[name].devices
    ]
