"""S4D: a diagonal state matrix with the Vandermonde kernel (2206.11893, "On the Parameterization and Initialization of Diagonal State
Space Models")."""

from __future__ import annotations

import numpy as np
import torch
from jaxtyping import Float, Inexact
from torch import Tensor

from .choices.discretizations import discretization
from .choices.inits import B_INITS, real_spectrum, spectrum
from .diagonal import Spectrum, diagonal_recurrence, held, seeded
from .kernel import Kernel
from .parameters import as_complex, at_least_single, complex_normal
from .recurrence import Recurrence
from .specs.s4d import S4DSpec
from .vandermonde import vandermonde


def initial_modes(spec: S4DSpec, n_ssm: int) -> tuple[np.ndarray, np.ndarray]:
    """(Lambda, B) of n_ssm copies, each (n_ssm, M): M = N real modes or N/2 complex ones. Copies differ only where the init is drawn."""
    rng = seeded()

    def draw() -> tuple[np.ndarray, np.ndarray]:
        if spec.real:
            return real_spectrum(spec.init, spec.d_state, rng)
        return spectrum(
            spec.init, spec.d_state, rng, imag_scale=spec.imag_scale, random_imag=spec.random_imag, random_real=spec.random_real
        )

    Lambda, B = zip(*(draw() for _ in range(n_ssm)))
    return np.stack(Lambda), np.stack([B_INITS[spec.B_init](b, rng) for b in B])


class S4DKernel(Kernel):
    """K_l = 2 Re sum_n C_n A_bar_n^l B_bar_n (2206.11893, eq. 5); without 2 Re where the modes are real.

    Lambda and B are shared by the channels in n_ssm copies, C is per channel and direction. The factor 2 is in C from `system` on.
    """

    A: Spectrum
    B: Tensor
    C: Tensor

    def __init__(self, spec: S4DSpec, d_model: int, directions: int) -> None:
        super().__init__(d_model, directions)
        self.rule = discretization(spec.discretization)
        self.complex = not spec.real
        Lambda, start = initial_modes(spec, d_model if spec.n_ssm is None else spec.n_ssm)
        M = Lambda.shape[1]
        self.A = Spectrum(Lambda, spec.A_link, d_model, spec.train_A)
        self.rule.require_stable(self.rule.a(spec.dt_max * held(Lambda, self.A.link)), spec.dt_max)
        if spec.train_A:
            self.own(*(f"A.{name}" for name, _ in self.A.named_parameters()), lr=spec.lr_A)
        B = torch.from_numpy(start)
        self.add("B", torch.stack([B, torch.zeros_like(B)], -1) if self.complex else B, train=spec.train_B, lr=spec.lr_B)
        # per real dimension of the state both choices give the kernel the same variance: 2 * E|2 Re c|^2 / 2 against E c^2
        C = complex_normal(directions, d_model, M) if self.complex else torch.randn(directions, d_model, M)
        self.add("C", C, decay=True)
        self.add_dt(spec, *((d_model, M) if spec.dt_per_state else (d_model, 1)))

    def continuous(self) -> tuple[Tensor, Tensor]:
        """(Lambda, B), each (H, M), in double precision."""
        B = as_complex(self.B) if self.complex else self.B.double()
        return self.A(), B.repeat(self.A.copies, 1)

    def system(self, rate: float) -> tuple[Tensor, Tensor, Tensor]:
        """(A_bar (H, M), B_bar (H, M), C (J, H, M)) in double precision."""
        C = 2 * as_complex(self.C) if self.complex else self.C.double()
        return *self.rule.diagonal(*self.continuous(), self.dt(rate)), C

    def direct(self, C: Inexact[Tensor, "J H M"], rate: float) -> Float[Tensor, "J H"] | None:
        """D = Re sum_n C_n dt d(z_n) B_n where the rule has a direct term: it comes first, and the sum of the class one sample later."""
        if self.rule.direct is None:
            return None
        (Lambda, B), dt = self.continuous(), self.dt(rate)
        return (C * dt * self.rule.direct(dt * Lambda) * B).sum(-1).real

    def forward(self, L: int, rate: float = 1.0) -> Float[Tensor, "J H {L}"]:
        """K_l = Re sum_n (C_n B_bar_n) A_bar_n^l: one product with the Vandermonde matrix [A_bar_n^l]."""
        A_bar, B_bar, C = self.system(rate)
        D, dtype = self.direct(C, rate), at_least_single(self.C.dtype)
        if D is None:
            return vandermonde(C * B_bar, A_bar, L, dtype)
        return torch.cat([D.unsqueeze(-1).to(dtype), vandermonde(C * B_bar, A_bar, max(L - 1, 1), dtype)], dim=-1)[..., :L]

    def recurrence(self, L: int, rate: float = 1.0) -> Recurrence:
        A_bar, B_bar, C = self.system(rate)
        D = self.direct(C, rate)
        if D is None:
            return diagonal_recurrence(A_bar, C * B_bar)
        return Recurrence(A_bar, torch.ones_like(A_bar), (C * B_bar)[0], D[0])
