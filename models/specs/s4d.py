"""The options of S4D (2206.11893)."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..choices.discretizations import discretization
from ..choices.fields import require_copies, require_even
from ..choices.inits import B_INITS, INITS, names_of
from ..choices.links import LINKS
from ..choices.names import choose
from .kernel import StepSpec
from .mixer import rate

if TYPE_CHECKING:
    from ..s4d import S4DKernel


@dataclass(frozen=True, kw_only=True)
class S4DSpec(StepSpec):
    """S4D. d_state counts real dimensions: N/2 complex modes with implied conjugates (the paper's N), or N real modes."""

    init: str = "lin"
    """Initial spectrum, a row of INITS."""
    real: bool = False
    """Real modes lambda_n = -|lambda_n| over the init's list of d_state modes, instead of d_state / 2 complex ones."""
    B_init: str = "init"
    """Initial B, a row of B_INITS."""
    discretization: str = "zoh"
    """Any row of DISCRETIZATIONS or gbt:ALPHA."""
    A_link: str = "exp"
    """Link from the parameter to -Re(A), a row of LINKS."""
    n_ssm: int | None = 1
    """Copies of A and B, shared round-robin by the channels; None is one per channel (untied)."""
    dt_per_state: bool = False
    """A step size per channel and mode instead of one per channel."""
    imag_scale: float = 1.0
    """Factor on the initial Im(A)."""
    random_imag: bool = False
    """The index in the formula of Im(A) is drawn uniformly (2206.11893 sec. 5.2)."""
    random_real: bool = False
    """-Re(A) is drawn uniformly from [0, 1)."""
    train_A: bool = True
    train_B: bool = True
    """False freezes B at its init; C absorbs it (K depends on B C only)."""
    lr_A: float | None = rate("kernel", 1e-3)
    """Learning rate of A; None is the network's. Never decayed. C follows the network's rate and decay."""
    lr_B: float | None = rate("kernel", 1e-3)
    """Learning rate of B; None is the network's. Never decayed."""

    def __post_init__(self) -> None:
        super().__post_init__()
        require_copies(self.n_ssm)
        if not math.isfinite(self.imag_scale):
            raise ValueError(f"imag_scale multiplies the initial Im(A) and is finite, got {self.imag_scale:g}")
        init = choose("init", self.init, INITS)
        choose("initial B", self.B_init, B_INITS)
        choose("link of Re(A)", self.A_link, LINKS)
        discretization(self.discretization)
        if not init.diagonal:
            raise ValueError(
                f"{init.title} ({init.source}) without its low-rank term is not an init of S4D; use S4Spec(init={init.name!r}), or "
                "S4DSpec(init='lin')"
            )
        if init.real_only and not self.real:
            complex_ = names_of(lambda i: i.diagonal and not i.real_only)
            raise ValueError(f"init {init.name!r} is a spectrum of real modes; set real=True, or choose a complex init: {complex_}")
        if self.real and (self.imag_scale != 1.0 or self.random_imag or self.random_real):
            raise ValueError("imag_scale, random_imag and random_real perturb complex modes; they do not act on real=True")
        if not self.real:
            require_even(self.d_state)

    def build(self, d_model: int, directions: int = 1) -> S4DKernel:
        from ..s4d import S4DKernel

        return S4DKernel(self, d_model, directions)
