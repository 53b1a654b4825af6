"""S4: a diagonal-plus-low-rank state matrix A = Lambda - P P* (2111.00396, "Efficiently Modeling Long Sequences with Structured State
Spaces")."""

from __future__ import annotations

import numpy as np
import torch
from jaxtyping import Complex, Float
from torch import Tensor

from .choices.discretizations import discretization
from .choices.inits import low_rank_copies
from .diagonal import Spectrum, held
from .functional import real_matrix, real_vector
from .kernel import Kernel
from .krylov import Dense, DiagonalPlusRankOne, krylov
from .parameters import as_complex, at_least_single, complex_normal
from .recurrence import Recurrence
from .specs.s4 import S4Spec


def resolvent(Lambda: Complex[Tensor, "H M"], P: Complex[Tensor, "H M"], delta: Float[Tensor, "H 1"]) -> DiagonalPlusRankOne:
    """(I - delta A)^{-1} of A = Lambda - P P* with implied conjugates, by the Woodbury identity (2111.00396, app. C.3).

    With d = 1 / (1 - delta Lambda):  (I - delta A)^{-1} x = d x - d P delta s / (1 + delta 2 Re P* d P),  s = 2 Re P* d x.
    """
    d = 1 / (1 - delta * Lambda)
    kappa = 2 * (P.abs() ** 2 * d).real.sum(-1, keepdim=True)
    gain = delta / (1 + delta * kappa)
    return DiagonalPlusRankOne(d, -gain * d * P, 2 * P * d.conj())


class S4Kernel(Kernel):
    """K_l = C A_bar^l B_bar with A = Lambda - P P*, from powers of the realized real matrix A_bar (two-level Krylov product).

    A + A* = 2 Re(Lambda) - 2 P P* < 0 makes the bilinear A_bar a contraction in this basis, so no power grows; no C~, no roots of unity,
    any length. The Cauchy route of the paper is `cauchy_kernel`, kept as a second, independent implementation.
    """

    dense = True
    A: Spectrum
    P: Tensor
    B: Tensor
    C: Tensor

    def __init__(self, spec: S4Spec, d_model: int, directions: int) -> None:
        super().__init__(d_model, directions)
        self.rule = discretization(spec.discretization)
        n_ssm = d_model if spec.n_ssm is None else spec.n_ssm
        Lambda, P, B = low_rank_copies(spec.init, spec.d_state, n_ssm)
        self.A = Spectrum(Lambda, spec.A_link, d_model, spec.train_A)
        zeros = np.zeros_like(P)
        self.add("P", torch.from_numpy(np.stack([P, zeros], -1)), train=spec.train_A, lr=spec.lr_A)
        self.add("B", torch.from_numpy(np.stack([B, zeros], -1)), train=spec.train_B, lr=spec.lr_B)
        if spec.train_A:
            self.own("A.re", "A.im", lr=spec.lr_A)
        self.add("C", complex_normal(directions, d_model, spec.d_state // 2), decay=True)
        self.add_dt(spec, d_model, 1)
        if not self.rule.a_stable:
            # such a rule maps part of the left half plane outside the disk, and krylov needs ||A_bar|| <= 1, not only eigenvalues inside
            P_0, B_0 = (torch.from_numpy(m).to(torch.complex128) for m in (P, B))
            dt = torch.full((n_ssm, 1), spec.dt_max, dtype=torch.float64, device="cpu")
            A_bar, _ = self._discretize(held(Lambda, self.A.link), P_0, B_0, dt)
            self.rule.require_stable(torch.linalg.matrix_norm(A_bar.matrix(), 2), spec.dt_max)

    def continuous(self) -> tuple[Tensor, Tensor, Tensor]:
        """(Lambda, P, B), each (H, M) complex128."""
        return self.A(), as_complex(self.P).repeat(self.A.copies, 1), as_complex(self.B).repeat(self.A.copies, 1)

    def _discretize(self, Lambda: Tensor, P: Tensor, B: Tensor, dt: Tensor) -> tuple[DiagonalPlusRankOne | Dense, Tensor]:
        """(A_bar, B_bar (H, N)) on (Re x, Im x), float64."""
        alpha = self.rule.alpha
        if alpha is None or alpha == 0:
            A = real_matrix(torch.diag_embed(Lambda)) - 2 * real_vector(P).unsqueeze(-1) * real_vector(P).unsqueeze(-2)
            A_bar, B_bar = self.rule.dense(A, real_vector(B), dt.squeeze(-1))
            return Dense(A_bar), B_bar
        R = resolvent(Lambda, P, alpha * dt)
        B_bar = real_vector(R @ (dt * B))
        # (I - a dt A)^{-1} (I + (1 - a) dt A) = (R - (1 - a) I) / a, since dt A = (I - R^{-1}) / a
        return DiagonalPlusRankOne((R.D - (1 - alpha)) / alpha, R.u / alpha, R.v), B_bar

    def system(self, rate: float) -> tuple[DiagonalPlusRankOne | Dense, Tensor, Tensor]:
        """(A_bar, B_bar (H, N), C (J, H, N)), real, float64; the factor 2 of the conjugate pairs is in C."""
        C = as_complex(self.C)
        return *self._discretize(*self.continuous(), self.dt(rate)), 2 * real_vector(C.conj())

    def forward(self, L: int, rate: float = 1.0) -> Float[Tensor, "J H {L}"]:
        return krylov(*self.system(rate), L, at_least_single(self.C.dtype))

    def recurrence(self, L: int, rate: float = 1.0) -> Recurrence:
        power, B_bar, C = self.system(rate)
        A_bar, C = power.matrix(), C[0]
        factors = power if isinstance(power, DiagonalPlusRankOne) else None
        return Recurrence(A_bar, B_bar, torch.einsum("hm,hmn->hn", C, A_bar), (C * B_bar).sum(-1), factors)


def cauchy_kernel(kernel: S4Kernel, L: int, rate: float = 1.0) -> Float[Tensor, "J H {L}"]:
    """S4's kernel by its truncated generating function at the roots of unity (2111.00396, algorithm 1), bilinear, complex128.

    With C~ = C (I - A_bar^L) and the Cauchy sums h_ab(w) = dt sum_n a_n b_n / ((1 - w) - s dt lambda_n) over both members of each pair,
    s = (1 + w) / 2:   K^(w) = h_CB - s h_CP h_PB / (1 + s h_PP).   Multiplying the nodes through by s keeps the Nyquist node w = -1, where
    the usual form divides by zero, an ordinary one; nodes come from sin and cos in float64. Needs a generalized bilinear alpha of 1/2.
    """
    if kernel.rule.alpha != 0.5:
        raise ValueError(f"the Cauchy nodes are those of the bilinear rule; this kernel uses {kernel.rule.name}")
    Lambda, P, B = kernel.continuous()
    dt = kernel.dt(rate)
    A_bar, _, C_real = kernel.system(rate)
    C_tilde = C_real - C_real.transpose(0, 1).matmul(torch.linalg.matrix_power(A_bar.matrix(), L)).transpose(0, 1)
    M = Lambda.shape[-1]
    C = torch.complex(C_tilde[..., :M], -C_tilde[..., M:]) / 2  # back from (2 Re C, -2 Im C)
    theta = 2 * torch.pi * torch.arange(L // 2 + 1, dtype=torch.float64, device=Lambda.device) / L
    w = torch.complex(torch.cos(theta), -torch.sin(theta))
    if L % 2 == 0:
        w[-1] = -1
    s = (1 + w) / 2

    def cauchy(v: Tensor) -> Tensor:
        """dt sum over pairs of v / ((1 - w) - s dt lambda), v (..., H, M) -> (..., H, F)."""
        z = (dt * Lambda).unsqueeze(-1)
        pair = v.unsqueeze(-1) / ((1 - w) - s * z) + v.conj().unsqueeze(-1) / ((1 - w) - s * z.conj())
        return dt * pair.sum(-2)

    # the second family carries Q = P*, so that k_PP = sum |P|^2 / ... and k_PB = sum P* B / ...
    hat = cauchy(C * B) - s * cauchy(C * P) * cauchy(P.conj() * B) / (1 + s * cauchy(P.conj() * P))
    return torch.fft.irfft(hat, n=L)
