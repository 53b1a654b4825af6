"""S4D: a diagonal state matrix with the Vandermonde kernel (2206.11893, "On the Parameterization and Initialization of Diagonal State
Space Models")."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from .choices.discretizations import discretization
from .choices.inits import B_INITS, INITS, names_of, real_spectrum, spectrum
from .choices.links import LINKS
from .choices.names import choose
from .diagonal import Spectrum, diagonal_recurrence, held, require_copies, require_even, seeded
from .kernel import Kernel, StepSpec
from .layer import rate
from .parameters import as_complex, at_least_single, complex_normal
from .recurrence import Recurrence
from .vandermonde import vandermonde


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
        return S4DKernel(self, d_model, directions)


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

    def system(self, rate: float) -> tuple[Tensor, Tensor, Tensor]:
        """(A_bar (H, M), B_bar (H, M), C (J, H, M)) in double precision."""
        B, C = (as_complex(self.B), 2 * as_complex(self.C)) if self.complex else (self.B.double(), self.C.double())
        A_bar, B_bar = self.rule.diagonal(self.A(), B.repeat(self.A.copies, 1), self.dt(rate))
        return A_bar, B_bar, C

    def forward(self, L: int, rate: float = 1.0) -> Float[Tensor, "J H {L}"]:
        """K_l = Re sum_n (C_n B_bar_n) A_bar_n^l: one product with the Vandermonde matrix [A_bar_n^l]."""
        A_bar, B_bar, C = self.system(rate)
        return vandermonde(C * B_bar, A_bar, L, at_least_single(self.C.dtype))

    def recurrence(self, L: int, rate: float = 1.0) -> Recurrence:
        A_bar, B_bar, C = self.system(rate)
        return diagonal_recurrence(A_bar, C * B_bar)
