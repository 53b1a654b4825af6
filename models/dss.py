"""DSS: complex diagonal state spaces without conjugate symmetry (2203.14343, "Diagonal State Spaces are as Effective as Structured State
Spaces")."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar, Literal, NamedTuple, Self

import numpy as np
import torch
from jaxtyping import Bool, Complex, Float
from torch import Tensor

from .choices.discretizations import phi1
from .choices.inits import spectrum
from .choices.names import choose
from .diagonal import Spectrum, diagonal_recurrence, require_even, seeded
from .functional import vandermonde
from .kernel import Kernel, StepSpec
from .layer import NoRecurrence, rate
from .parameters import as_complex, at_least_single, complex_normal
from .recurrence import Recurrence


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
        choose("DSS kernel", self.kernel, KERNELS)
        if self.init not in ("legs", "randn"):
            raise ValueError(f"unknown init {self.init!r} for DSS; one of: legs, randn")
        if self.init == "randn" and KERNELS[self.kernel].A_link == "exp":
            raise ValueError("init 'randn' draws Re(Lambda) of either sign, which -exp(.) cannot hold; use kernel='softmax'")
        if self.length is not None and self.kernel != "softmax":
            raise ValueError(f"length fixes the normalization of the softmax kernel; kernel {self.kernel!r} has none")
        if self.length is not None and self.length < 1:
            raise ValueError(f"length is at least 1, got {self.length}")

    def fixed_to(self, length: int) -> Self:
        """The softmax kernel depends on the length it is normalized over, so that is fixed; the others stay as they are."""
        return replace(self, length=length) if self.kernel == "softmax" else self

    def build(self, d_model: int, directions: int = 1) -> DSSKernel:
        return KERNELS[self.kernel](self, d_model, directions)


class DSSKernel(Kernel):
    """What the DSS kernels share: Lambda and dt as in the other papers, and W = C B per channel. Lambda is shared by the channels."""

    A_link: ClassVar[str] = "exp"
    """The link of Re(Lambda) that the paper gives this kernel."""
    A: Spectrum
    W: Tensor

    def __init__(self, spec: DSSSpec, d_model: int, directions: int) -> None:
        super().__init__(d_model, directions)
        rng, M = seeded(), spec.d_state // 2
        if spec.init == "legs":
            Lambda = spectrum("legs", spec.d_state, rng)[0]
        else:
            Lambda = (rng.standard_normal(M) + 1j * rng.standard_normal(M)) / np.sqrt(2)
        self.A = Spectrum(Lambda[None], self.A_link, d_model, spec.train_A)
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

    A_link = "none"
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
        none, dtype = torch.zeros_like(W), at_least_single(self.W.dtype)
        K = vandermonde(torch.where(growing, none, W), q, L, dtype)
        if bool(growing.any()):
            K = K + vandermonde(torch.where(growing, W, none), q, R, dtype).flip(-1)[..., :L]
        return K

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
