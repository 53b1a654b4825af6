"""What S4D and DSS share: a kernel that is a sum of powers of a diagonal A_bar, and the generator of its random init."""

from __future__ import annotations

from abc import abstractmethod

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from models.functional import vandermonde
from models.kernel import Kernel
from models.recurrence import Recurrence
from models.spectrum import Spectrum


def seeded() -> np.random.Generator:
    """A numpy generator seeded from torch's, so that one seed decides every init."""
    return np.random.default_rng(int(torch.randint(2**62, ()).item()))


class DiagonalKernel(Kernel):
    """K_l = Re sum_n W_n A_bar_n^l; a parameterization says what A_bar and W are."""

    A: Spectrum

    @abstractmethod
    def system(self, rate: float) -> tuple[Tensor, Tensor]:
        """(A_bar (H, M), W (J, H, M)) in double precision."""

    def forward(self, L: int, rate: float = 1.0) -> Float[Tensor, "J H {L}"]:
        A_bar, W = self.system(rate)
        return vandermonde(W, A_bar, L, self.A.re.dtype)

    def recurrence(self, L: int, rate: float = 1.0) -> Recurrence:
        A_bar, W = self.system(rate)
        return Recurrence(A_bar, torch.ones_like(A_bar), W[0] * A_bar, W[0].sum(-1).real)
