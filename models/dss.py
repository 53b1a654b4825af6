"""DSS: complex diagonal state spaces without conjugate symmetry (2203.14343, "Diagonal State Spaces are as Effective as Structured State
Spaces")."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Bool, Complex, Float
from torch import Tensor

from .choices.inits import spectrum
from .diagonal import Spectrum, diagonal_recurrence, seeded
from .kernel import Kernel
from .layer import NoRecurrence
from .parameters import as_complex, at_least_single, complex_normal
from .phi import phi1
from .recurrence import Recurrence
from .specs.dss import A_LINKS, DSSSpec
from .vandermonde import vandermonde


class DSSKernel(Kernel):
    """What the DSS kernels share: Lambda and dt as in the other papers, and W = C B per channel. Lambda is shared by the channels."""

    A: Spectrum
    W: Tensor

    def __init__(self, spec: DSSSpec, d_model: int, directions: int) -> None:
        super().__init__(d_model, directions)
        rng, M = seeded(), spec.d_state // 2
        if spec.init == "legs":
            Lambda = spectrum("legs", spec.d_state, rng)[0]
        else:
            Lambda = (rng.standard_normal(M) + 1j * rng.standard_normal(M)) / np.sqrt(2)
        self.A = Spectrum(Lambda[None], A_LINKS[spec.kernel], d_model, spec.train_A)
        if spec.train_A:
            self.own("A.re", "A.im", lr=spec.lr_A)
        self.add("W", complex_normal(directions, d_model, M, std=2**0.5), lr=spec.lr_W, decay=spec.lr_W is None)
        self.add_dt(spec, d_model, 1)
        if spec.dt_per_part:
            self.theta_dt.data = self.theta_dt.data.repeat(1, 2)

    def steps(self, rate: float) -> tuple[Complex[Tensor, "H M"], Tensor]:
        """(z, z / lambda): z = lambda dt, or Re(lambda) dt_0 + i Im(lambda) dt_1 where each part has a step size of its own."""
        Lambda, dt = self.A(), self.dt(rate)
        if dt.shape[-1] == 1:
            return dt * Lambda, dt
        z = torch.complex(dt[:, :1] * Lambda.real, dt[:, 1:] * Lambda.imag)
        return z, z / Lambda


class DSSExpKernel(DSSKernel):
    """K_l = Re sum_n W_n s_n e^{l z_n},  s_n = (e^{z_n} - 1) / lambda_n,  z = lambda dt (2203.14343, prop. 1a).

    The scale s is that of zero-order hold with B = 1.
    """

    def scale(self, z: Complex[Tensor, "H M"], over: Tensor) -> Complex[Tensor, "H M"]:
        """s (H, M); `over` is z / lambda, the step size where there is one."""
        return over * phi1(z)

    def system(self, rate: float) -> tuple[Complex[Tensor, "H M"], Complex[Tensor, "J H M"]]:
        """(e^z, W s) in double precision."""
        z, over = self.steps(rate)
        return torch.exp(z), as_complex(self.W) * self.scale(z, over)

    def forward(self, L: int, rate: float = 1.0) -> Float[Tensor, "J H {L}"]:
        A_bar, W = self.system(rate)
        return vandermonde(W, A_bar, L, at_least_single(self.W.dtype))

    def recurrence(self, L: int, rate: float = 1.0) -> Recurrence:
        return diagonal_recurrence(*self.system(rate))


class DSSExpNoScaleKernel(DSSExpKernel):
    """K_l = Re sum_n W_n e^{l z_n}: the paper's ablation of the scale s."""

    def scale(self, z: Complex[Tensor, "H M"], over: Tensor) -> Complex[Tensor, "H M"]:
        return torch.ones_like(z)


def _reciprocal(y: Complex[Tensor, "*shape"]) -> Complex[Tensor, "*shape"]:
    """1 / y, bounded near the zeros of the complex softmax's denominator (z = 2 pi i m / L): exact wherever |y|^2 >= 1e-7."""
    return y.conj() / (y.real**2 + y.imag**2).clamp(min=1e-7)


class SoftmaxRows(NamedTuple):
    """The rows of the complex softmax as decaying powers: K_l = Re sum_n W_n q_n^l, or W_n q_n^{R-1-l} where the mode grows."""

    q: Complex[Tensor, "H M"]
    """e^z or e^{-z}, whichever has |q| <= 1."""
    W: Complex[Tensor, "J H M"]
    """W / (lambda sum_{r<R} q^r)."""
    growing: Bool[Tensor, "H M"]
    """Whether Re(z) > 0."""
    R: int
    """The length of the normalization."""


class DSSSoftmaxKernel(DSSKernel):
    """K_l = Re sum_n W_n / lambda_n softmax_l(l z_n), softmax over l < L, z = lambda dt (2203.14343, prop. 1b); Re(lambda) of either sign.

    Where Re(z) > 0 the exponents are shifted to their largest, (l - (L-1)) z, in the numerator and the denominator alike, so that value and
    gradient are those of the unshifted formula; the powers then run backwards through l.
    """

    decays = False

    def __init__(self, spec: DSSSpec, d_model: int, directions: int) -> None:
        super().__init__(spec, d_model, directions)
        self.length, self.prefix = spec.length, spec.length is not None

    def rows(self, L: int, rate: float) -> SoftmaxRows:
        """The rows for a kernel of L taps, in double precision. Raises ValueError where the fixed length is shorter."""
        R = L if self.length is None else self.length
        if R < L:
            raise ValueError(f"this DSS-softmax kernel is normalized over length={R} and has no taps beyond; asked for {L}")
        Lambda = self.A()
        z, _ = self.steps(rate)
        growing = z.real > 0
        q = torch.where(growing, -z, z)
        total = R * phi1(R * q) / phi1(q)  # (e^{Rq} - 1) / (e^q - 1), and R at q = 0
        return SoftmaxRows(torch.exp(q), as_complex(self.W) * _reciprocal(Lambda * total), growing, R)

    def forward(self, L: int, rate: float = 1.0) -> Float[Tensor, "J H {L}"]:
        q, W, growing, R = self.rows(L, rate)
        dtype = at_least_single(self.W.dtype)
        if q.device.type == "cpu" and not bool(growing.any()):  # elsewhere the question would hold up the device
            return vandermonde(W, q, L, dtype)
        none = torch.zeros_like(W)
        decayed, grown = vandermonde(torch.cat([torch.where(growing, none, W), torch.where(growing, W, none)]), q, R, dtype).chunk(2)
        return (decayed + grown.flip(-1))[..., :L]

    def recurrence(self, L: int, rate: float = 1.0) -> Recurrence:
        """A_bar = e^z. A growing mode carries the tiny weight e^{-(R-1) z}, which is exact as long as it does not underflow.

        Raises NoRecurrence where it does, and for a kernel whose length was not fixed and differs from L.
        """
        q, W, growing, R = self.rows(L, rate)
        A_bar = torch.where(growing, 1 / q, q)
        W0 = torch.where(growing, W * q ** (R - 1), W)
        if bool((growing & (W0[0] == 0) & (W[0] != 0)).any()):
            raise NoRecurrence(
                "a mode with Re(lambda) > 0 grows beyond float64 over this length; this DSS-softmax kernel has no recurrence"
            )
        return diagonal_recurrence(A_bar, W0)


KERNELS: dict[str, type[DSSExpKernel] | type[DSSSoftmaxKernel]] = {
    "exp": DSSExpKernel,
    "exp-no-scale": DSSExpNoScaleKernel,
    "softmax": DSSSoftmaxKernel,
}
