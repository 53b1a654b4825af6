"""LRU: one diagonal recurrence whose complex state all channels share (2303.06349, "Resurrecting Recurrent Neural Networks for Long
Sequences").

There is no continuous system behind it and no step size: |lambda| and arg(lambda) are trained directly. Each input channel reaches each
output channel through the one state, so a convolution would need H x H kernels; the recurrence itself is run, all steps at once.
"""

from __future__ import annotations

import numpy as np
import torch
from jaxtyping import Complex, Float
from torch import Tensor, nn

from .engines import Work, in_pieces
from .functional import complex_of, hankel_singular_values, interleaved, real_matrix, real_vector, scan
from .layer import Dropout, Layer, Mix, kernel_arrays, require_sequence
from .parameters import OwnRates, as_complex, at_least_single, complex_normal
from .recurrence import sequential
from .specs.lru import LRUSpec
from .specs.mixer import PLAIN, Around
from .vandermonde import vandermonde


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
        return self.run(u, None, "scan")[0]

    def run(
        self, u: Float[Tensor, "B L H"], start: Complex[Tensor, "B N"] | None, engine: str
    ) -> tuple[Float[Tensor, "B L H"], Complex[Tensor, "B N"]]:
        """Re(C x_k) for all k, from x_{-1} = start (None: zero), and the last x."""
        Lambda, B, C = self.system()
        rows, columns = interleaved(B.T).to(u.dtype), interleaved(C.conj()).to(u.dtype).T  # real products: Re(C x) = Re Re - Im Im
        x = SCANS[engine](Lambda, complex_of(u @ rows), start)
        return interleaved(x) @ columns, x[:, -1]

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


def _sequential(a: Complex[Tensor, " N"], v: Complex[Tensor, "B L N"], start: Complex[Tensor, "B N"] | None) -> Complex[Tensor, "B L N"]:
    start = v.new_zeros(v[:, 0].shape) if start is None else start
    return sequential(a.unsqueeze(0), v.transpose(0, 1).unsqueeze(0), start.unsqueeze(0))[0, 1:].transpose(0, 1)


SCANS = {"scan": scan, "sequential": _sequential}
"""engine -> x_k = a x_{k-1} + v_k, x_{-1} = start."""


class LRULayer(Layer):
    """y = Mix(Dropout(GELU(Re(C x) + D u))): the recurrence in the place of `SSMLayer`'s convolution. (B, L, H) -> (B, L, H)."""

    causal = True

    def __init__(self, spec: LRUSpec, d_model: int, around: Around = PLAIN) -> None:
        super().__init__()
        self.kernel, self.d_state = LRURecurrence(spec, d_model), spec.d_state
        self.D = nn.Parameter(torch.randn(d_model))
        self.dropout = Dropout(around.dropout, around.tied)
        self.mix = Mix(d_model, around.mixing)

    @property
    def system(self) -> LRURecurrence:
        return self.kernel

    @property
    def engines(self) -> tuple[str, ...]:
        return tuple(SCANS)

    def forward(self, u: Float[Tensor, "B L H"], mask: Float[Tensor, "B L 1"] | None = None, rate: float = 1.0) -> Float[Tensor, "B L H"]:
        """The recurrence runs in float32 at least, also under autocast and with weights of half precision. B u and C x are maps of features
        like those of any linear layer, so torch.set_float32_matmul_precision acts on them."""
        self.require_rate_one(rate)
        return self._after(u if mask is None else u * mask, None)[0]

    def _after(self, u: Float[Tensor, "B L H"], start: Complex[Tensor, "B N"] | None) -> tuple[Tensor, Tensor]:
        """(y, the last state), from the state `start`."""
        require_sequence(u)
        B, L, H = u.shape
        engine = self.pick_engine(Work(device=u.device.type, form="shared", B=B, H=H, N=self.d_state, L=L))
        with torch.autocast(device_type=u.device.type, enabled=False):
            u = u.to(at_least_single(u.dtype))
            y, x = in_pieces(lambda u, x: self.kernel.run(u, x, engine), 64 * B * self.d_state, u, start)
            y = nn.functional.gelu(y + self.D * u)
        return self.mix(self.dropout(y.to(self.D.dtype))), x

    def stream(self, u: Float[Tensor, "B L H"], state: Complex[Tensor, "B N"]) -> tuple[Float[Tensor, "B L H"], Complex[Tensor, "B N"]]:
        y, x = self._after(u, state)
        return y, x.to(state.dtype)

    def init_state(self, batch: int, length: int, rate: float = 1.0) -> Complex[Tensor, "B N"]:
        self.require_rate_one(rate)
        nu = self.kernel.nu
        return torch.zeros(batch, len(nu), dtype=torch.complex128, device=nu.device)

    def step(self, u: Float[Tensor, "B H"], state: Complex[Tensor, "B N"]) -> tuple[Float[Tensor, "B H"], Complex[Tensor, "B N"]]:
        y, state = self.kernel.step(u, state)
        return self.mix(nn.functional.gelu(y.to(u.dtype) + self.D * u)), state

    def state_space(self, length: int) -> dict[str, Tensor]:
        """One system: A (N,), its diagonal, B (N, H), C (H, N), D (H, H). LRU reads a state after its step, so C Lambda before."""
        Lambda, B, C = self.kernel.system()
        return {"A": Lambda, "B": B, "C": C * Lambda, "D": (C @ B).real + torch.diag(self.D.double())}

    def arrays(self, length: int) -> dict[str, np.ndarray]:
        return kernel_arrays(self.kernel.responses(length)) | {
            "eigenvalues": self.kernel.system()[0].unsqueeze(0).cpu().numpy().astype(np.complex64),
            "hsv": self.kernel.hankel_singular_values().cpu().numpy().astype(np.float32),
        }
