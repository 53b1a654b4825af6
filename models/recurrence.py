"""Recurrence: the plain linear system x_{k+1} = A x_k + B u_k, y_k = C x_k + D u_k of a kernel, the slow and obvious one."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Inexact
from torch import Tensor

from .functional import hankel_singular_values, real_matrix, real_vector
from .krylov import krylov_direct


@dataclass(frozen=True)
class Recurrence:
    """x_{k+1} = A x_k + B u_k,  y_k = Re(C x_k) + D u_k, one system per channel; hence K_0 = D and K_l = Re(C A^{l-1} B).

    A is (H, N, N), or (H, N) where it is diagonal; B, C are (H, N); D is (H,). The factor 2 of a stored conjugate pair sits in C and D.
    This D is the first tap of the kernel, not the skip connection of the layer.
    """

    A: Inexact[Tensor, "H N"] | Inexact[Tensor, "H N N"]
    B: Inexact[Tensor, "H N"]
    C: Inexact[Tensor, "H N"]
    D: Float[Tensor, " H"]

    @property
    def diagonal(self) -> bool:
        """Whether A is stored as its diagonal."""
        return self.A.ndim == 2

    def step(self, x: Inexact[Tensor, "B H N"], u: Float[Tensor, "B H"]) -> tuple[Inexact[Tensor, "B H N"], Float[Tensor, "B H"]]:
        """One step of the state and the output at that step. O(N) per channel where A is diagonal, else O(N^2)."""
        y = torch.einsum("hn,bhn->bh", self.C, x).real + self.D * u
        Ax = self.A * x if self.diagonal else torch.einsum("hmn,bhn->bhm", self.A, x)
        return Ax + self.B * u.unsqueeze(-1), y

    def kernel(self, L: int) -> Float[Tensor, "H {L}"]:
        """K by plain stepping: the slow oracle of every `Kernel.forward`."""
        A = self.A if not self.diagonal else torch.diag_embed(self.A)
        later = krylov_direct(A, self.B, self.C.unsqueeze(0), L - 1)[0] if L > 1 else self.D.new_zeros(self.D.shape[0], 0)
        return torch.cat([self.D.unsqueeze(-1), later], dim=-1)

    def real(self) -> Recurrence:
        """The same system with dense real matrices: a complex state becomes (Re x, Im x)."""
        A = torch.diag_embed(self.A) if self.diagonal else self.A
        if not A.is_complex():
            return Recurrence(A, self.B, self.C, self.D)
        return Recurrence(real_matrix(A), real_vector(self.B), real_vector(self.C.conj()), self.D)

    def eigenvalues(self) -> Inexact[Tensor, "H N"]:
        """The discrete eigenvalues, one member of each stored pair where A is diagonal, all of them where it is dense."""
        return self.A if self.diagonal else torch.linalg.eigvals(self.A.double())

    def hankel_singular_values(self) -> Float[Tensor, "H R"]:
        """Relative Hankel singular values of the real form, falling, float64."""
        real = self.real()
        return hankel_singular_values(real.A, real.B.unsqueeze(-1), real.C.unsqueeze(-2))

    def arrays(self) -> dict[str, np.ndarray]:
        """ "eigenvalues" (H, N) and "hsv" (H, R), see above, as a record keeps them."""
        return {
            "eigenvalues": self.eigenvalues().cpu().numpy().astype(np.complex64),
            "hsv": self.hankel_singular_values().cpu().numpy().astype(np.float32),
        }
