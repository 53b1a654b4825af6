"""The options of S4 (2111.00396)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..choices.discretizations import discretization
from ..choices.fields import require_copies, require_even
from ..choices.inits import INITS, names_of, require_shares
from ..choices.links import LINKS
from ..choices.names import choose
from .kernel import StepSpec
from .mixer import rate

if TYPE_CHECKING:
    from ..s4 import S4Kernel


@dataclass(frozen=True, kw_only=True)
class S4Spec(StepSpec):
    """S4. d_state is the paper's N: N/2 complex modes with implied conjugates."""

    init: str = "legs"
    """legs, fout, or legs-fout with half of the copies of each: the inits whose low-rank term is known."""
    discretization: str = "bilinear"
    """Any row of DISCRETIZATIONS but foh, or gbt:ALPHA. The generalized bilinear family is closed under Woodbury; zoh and dirac take a
    dense matrix exponential per channel, O(H N^3)."""
    A_link: str = "exp"
    """Link from the parameter to -Re(Lambda), a row of LINKS."""
    n_ssm: int | None = 1
    """Copies of Lambda, P and B, shared round-robin by the channels; None is one per channel (untied)."""
    train_A: bool = True
    """Trains Lambda and P."""
    train_B: bool = True
    lr_A: float | None = rate("kernel", 1e-3)
    """Learning rate of Lambda and P; None is the network's. Never decayed. C follows the network's rate and decay."""
    lr_B: float | None = rate("kernel", 1e-3)
    """Learning rate of B; None is the network's. Never decayed."""

    def __post_init__(self) -> None:
        super().__post_init__()
        require_even(self.d_state)
        require_copies(self.n_ssm)
        choose("link of Re(A)", self.A_link, LINKS)
        if discretization(self.discretization).direct is not None:
            raise ValueError(
                f"{self.discretization!r} reads the present sample apart from the state, which S4's kernel does not: use S4DSpec or "
                "another rule"
            )
        if not choose("init", self.init, INITS).low_rank:
            known = names_of(lambda init: init.low_rank)
            raise ValueError(f"S4 needs an init with a known low-rank term: {known}; for {self.init!r} use S4DSpec(init={self.init!r})")
        require_shares(INITS[self.init], self.n_ssm)

    def build(self, d_model: int, directions: int = 1) -> S4Kernel:
        from ..s4 import S4Kernel

        return S4Kernel(self, d_model, directions)
