"""The options of DSS (2203.14343)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, Literal, Self

from ..choices.fields import require_even
from ..choices.names import choose
from .kernel import StepSpec
from .mixer import rate

if TYPE_CHECKING:
    from ..dss import DSSKernel

A_LINKS: Final[Mapping[str, str]] = {"exp": "exp", "exp-no-scale": "exp", "softmax": "none"}
"""The link of Re(Lambda) that the paper gives each of its kernels."""


@dataclass(frozen=True, kw_only=True)
class DSSSpec(StepSpec):
    """DSS. d_state counts 2 per stored complex mode, so the DSS paper's N = 64 modes are d_state = 128 (it keeps no conjugates)."""

    kernel: Literal["exp", "exp-no-scale", "softmax"] = "exp"
    init: Literal["legs", "randn"] = "legs"
    """legs: the paper's skew-HiPPO eigenvalues, those of S4D-LegS at the same d_state; randn: complex normal, parts N(0, 1/2)."""
    length: int | None = None
    """softmax only: normalize over this fixed length instead of over the sequence at hand; needed for step() and for padded batches."""
    dt_per_part: bool = False
    """A step size for Re(Lambda) and one for Im(Lambda) in each channel, equal at the init, as in the authors' code; the paper has one."""
    train_A: bool = True
    lr_A: float | None = rate("kernel", 1e-3)
    """Learning rate of Lambda; None is the network's. Never decayed."""
    lr_W: float | None = rate("output", None)
    """Learning rate of W; None is the network's, with its weight decay. The authors' code uses 1e-3 without decay."""

    def __post_init__(self) -> None:
        super().__post_init__()
        require_even(self.d_state)
        link = choose("DSS kernel", self.kernel, A_LINKS)
        if self.init not in ("legs", "randn"):
            raise ValueError(f"unknown init {self.init!r} for DSS; one of: legs, randn")
        if self.init == "randn" and link == "exp":
            raise ValueError("init 'randn' draws Re(Lambda) of either sign, which -exp(.) cannot hold; use kernel='softmax'")
        if self.length is not None and self.kernel != "softmax":
            raise ValueError(f"length fixes the normalization of the softmax kernel; kernel {self.kernel!r} has none")
        if self.length is not None and self.length < 1:
            raise ValueError(f"length is at least 1, got {self.length}")

    def fixed_to(self, length: int) -> Self:
        """The softmax kernel depends on the length it is normalized over, so that is fixed; the others stay as they are."""
        return replace(self, length=length) if self.kernel == "softmax" else self

    def build(self, d_model: int, directions: int = 1) -> DSSKernel:
        from ..dss import KERNELS

        return KERNELS[self.kernel](self, d_model, directions)
