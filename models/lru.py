"""LRU: one diagonal recurrence whose complex state all channels share (2303.06349, "Resurrecting Recurrent Neural Networks for Long
Sequences").

There is no continuous system behind it and no step size: |lambda| and arg(lambda) are trained directly. Each input channel reaches each
output channel through the one state, so a convolution would need H x H kernels; the recurrence itself is run, all steps at once.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Self

import numpy as np
import torch
from jaxtyping import Complex, Float
from torch import Tensor, nn

from .diagonal import require_even
from .functional import hankel_singular_values, real_matrix, real_vector, scan
from .layer import PLAIN, Around, Dropout, Layer, Mix, MixerSpec, kernel_arrays, rate, require_sequence
from .parameters import OwnRates, as_complex, at_least_single, complex_normal
from .vandermonde import vandermonde


@dataclass(frozen=True, kw_only=True)
class LRUSpec(MixerSpec):
    """LRU. d_state counts the real dimensions of the one state that all channels share, 2 per complex mode: the paper's N is d_state / 2.

    The paper trains lambda, gamma and B at a half, a quarter or a tenth of the network's rate, by task, and without weight decay. It runs a
    second, reversed layer on Pathfinder and Path-X; this one is causal.
    """

    d_state: int = 256
    r_min: float = 0.9
    """Smallest initial |lambda|."""
    r_max: float = 0.999
    """Largest initial |lambda|; |lambda|^2 is uniform between them, so that the modes fill a ring evenly."""
    max_phase: float = 2 * math.pi
    """Initial arg(lambda) is uniform in (0, max_phase]; the paper needs a small one, pi / 10, for Path-X."""
    lr_A: float | None = rate("kernel", 1e-3)
    """Learning rate of lambda; None is the network's. Never decayed. C follows the network's rate and decay."""
    lr_B: float | None = rate("kernel", 1e-3)
    """Learning rate of gamma and B."""

    def __post_init__(self) -> None:
        super().__post_init__()
        require_even(self.d_state)
        if self.d_state < 2:
            raise ValueError(f"d_state counts real state dimensions, two for each complex mode, and is at least 2; got {self.d_state}")
        if not 0 <= self.r_min <= self.r_max < 1:
            raise ValueError(f"the ring of initial |lambda| needs 0 <= r_min <= r_max < 1, got {self.r_min:g} and {self.r_max:g}")
        if not 0 < self.max_phase <= 2 * math.pi:
            raise ValueError(f"max_phase is an angle in (0, 2 pi], got {self.max_phase:g}")

    def with_time_scale(self, dt_min: float, dt_max: float) -> Self:
        """The ring whose |lambda| are those of S4's modes at these step sizes: Re(lambda) = -1/2 gives |A_bar| = e^{-dt/2}."""
        return replace(self, r_min=math.exp(-dt_max / 2), r_max=math.exp(-dt_min / 2))

    def with_states(self, d_state: int) -> Self:
        return replace(self, d_state=d_state)

    def build_layer(self, d_model: int, around: Around = PLAIN) -> LRULayer:
        if around.directions != 1:
            self.require_two_way()
        return LRULayer(self, d_model, around)


class LRURecurrence(OwnRates):
    """x_k = Lambda x_{k-1} + gamma (B u_k),  y_k = Re(C x_k),  with lambda = exp(-exp(nu) + i exp(theta)) (2303.06349, sec. 3).

    gamma = sqrt(1 - |lambda|^2) at the init keeps the state of white noise at the size of the input; log gamma is trained.
    """

    nu: Tensor
    theta: Tensor
    log_gamma: Tensor
    B: Tensor
    C: Tensor

    def __init__(self, spec: LRUSpec, d_model: int) -> None:
        super().__init__()
        N = spec.d_state // 2
        u, v = 1 - torch.rand(2, N, dtype=torch.float64)  # in (0, 1]: neither logarithm below meets 0
        log_radius = 0.5 * torch.log(spec.r_min**2 + u * (spec.r_max**2 - spec.r_min**2))
        self.add("nu", torch.log(-log_radius), lr=spec.lr_A)
        self.add("theta", torch.log(spec.max_phase * v), lr=spec.lr_A)
        self.add("log_gamma", 0.5 * torch.log(-torch.expm1(2 * log_radius)), lr=spec.lr_B)
        self.add("B", complex_normal(N, d_model, std=d_model**-0.5), lr=spec.lr_B)
        self.add("C", complex_normal(d_model, N, std=(2 / N) ** 0.5), decay=True)

    def system(self) -> tuple[Complex[Tensor, " N"], Complex[Tensor, "N H"], Complex[Tensor, "H N"]]:
        """(Lambda, gamma B, C) in double precision."""
        Lambda = torch.exp(torch.complex(-torch.exp(self.nu.double()), torch.exp(self.theta.double())))
        return Lambda, torch.exp(self.log_gamma.double()).unsqueeze(-1) * as_complex(self.B), as_complex(self.C)

    def forward(self, u: Float[Tensor, "B L H"]) -> Float[Tensor, "B L H"]:
        """Re(C x_k) for all k, from x_{-1} = 0."""
        Lambda, B, C = self.system()
        B, C = torch.view_as_real(B).to(u.dtype), torch.view_as_real(C).to(u.dtype)
        x = scan(Lambda, torch.complex(u @ B[..., 0].T, u @ B[..., 1].T))
        return x.real @ C[..., 0].T - x.imag @ C[..., 1].T

    def step(self, u: Float[Tensor, "B H"], x: Complex[Tensor, "B N"]) -> tuple[Float[Tensor, "B H"], Complex[Tensor, "B N"]]:
        """One step, plainly: the output and the state after it."""
        Lambda, B, C = self.system()
        x = Lambda * x + u.to(B.dtype) @ B.T
        return (x @ C.T).real, x

    def responses(self, L: int) -> Float[Tensor, "1 H {L}"]:
        """K_l = Re sum_n C_hn lambda_n^l (gamma B)_nh: what output h says to an impulse at input h, the diagonal of the H x H kernels."""
        Lambda, B, C = self.system()
        return vandermonde((C * B.T).unsqueeze(0), Lambda.expand(C.shape), L, at_least_single(self.nu.dtype))

    def hankel_singular_values(self) -> Float[Tensor, "1 N"]:
        """Relative Hankel singular values of the one system of H inputs and H outputs, with 2 values per complex mode, falling, float64."""
        Lambda, B, C = self.system()
        A = real_matrix(torch.diag(Lambda))
        return hankel_singular_values(A[None], real_vector(B.T).mT[None], real_vector((C * Lambda).conj())[None])


class LRULayer(Layer):
    """y = Mix(Dropout(GELU(Re(C x) + D u))): the recurrence in the place of `SSMLayer`'s convolution. (B, L, H) -> (B, L, H)."""

    causal = True

    def __init__(self, spec: LRUSpec, d_model: int, around: Around = PLAIN) -> None:
        super().__init__()
        self.kernel = LRURecurrence(spec, d_model)
        self.D = nn.Parameter(torch.randn(d_model))
        self.dropout = Dropout(around.dropout, around.tied)
        self.mix = Mix(d_model, around.mixing)

    @property
    def system(self) -> LRURecurrence:
        return self.kernel

    def forward(self, u: Float[Tensor, "B L H"], mask: Float[Tensor, "B L 1"] | None = None, rate: float = 1.0) -> Float[Tensor, "B L H"]:
        """The recurrence runs in float32 at least, also under autocast and with weights of half precision. B u and C x are maps of features
        like those of any linear layer, so torch.set_float32_matmul_precision acts on them."""
        require_sequence(u)
        self.require_rate_one(rate)
        if mask is not None:
            u = u * mask
        with torch.autocast(device_type=u.device.type, enabled=False):
            u = u.to(at_least_single(u.dtype))
            y = nn.functional.gelu(self.kernel(u) + self.D * u)
        return self.mix(self.dropout(y.to(self.D.dtype)))

    def init_state(self, batch: int, length: int, rate: float = 1.0) -> Complex[Tensor, "B N"]:
        self.require_rate_one(rate)
        nu = self.kernel.nu
        return torch.zeros(batch, len(nu), dtype=torch.complex128, device=nu.device)

    def step(self, u: Float[Tensor, "B H"], state: Complex[Tensor, "B N"]) -> tuple[Float[Tensor, "B H"], Complex[Tensor, "B N"]]:
        y, state = self.kernel.step(u, state)
        return self.mix(nn.functional.gelu(y.to(u.dtype) + self.D * u)), state

    def arrays(self, length: int) -> dict[str, np.ndarray]:
        return kernel_arrays(self.kernel.responses(length)) | {
            "eigenvalues": self.kernel.system()[0].unsqueeze(0).numpy().astype(np.complex64),
            "hsv": self.kernel.hankel_singular_values().numpy().astype(np.float32),
        }
