"""HOPE: the Markov parameters h of a Hankel operator, resampled by a step size dt (2405.13975, "There is HOPE to Avoid HiPPOs for
Long-memory State Space Models").

h_0 .. h_{n-1} is the impulse response of a discrete system; the bilinear map with step 1 makes it continuous and with step dt discrete
again. In the time domain that is a warped filter, K(z) = sum_j h_j A(z)^{j+1} with the all-pass A(z) = (z^{-1} - a) / (1 - a z^{-1}),
a = (1 - dt) / (1 + dt). The paper's bilinear map has no factor 2, so its dt is half of S4's dt for the same time scale.
"""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

from .kernel import Kernel
from .layer import NoRecurrence
from .parameters import at_least_single, complex_normal
from .recurrence import Recurrence
from .specs.hope import HOPESpec
from .warped import AllPass, ladder, samples, taps, toeplitz


def h_std(n: int) -> float:
    """Standard deviation of h: E|h_j|^2 = 1 / (8 n), so that sum_j E|h_j|^2 = 1/8, the scale of the authors' scripts."""
    return (8 * n) ** -0.5


def hankel(h: Float[Tensor, "*batch n"]) -> Float[Tensor, "*batch n n"]:
    """H_ij = h_{i+j} for i + j < n, else 0: the upper-left triangular Hankel matrix."""
    n = h.shape[-1]
    i = torch.arange(n, device=h.device)
    index = i.unsqueeze(1) + i
    return torch.where(index < n, h[..., index.clamp(max=n - 1)], 0.0)


FEW = 64
"""Up to so many states a step is faster by the matrix written out than by its O(n log n) form."""


class HOPEKernel(Kernel):
    """The causal kernel, exact for every L and dt, from the orthogonal state space of the all-pass cascade.

    Section q maps e_{q-1} to e_q with one state: v_q' = a v_q + s e_{q-1}, e_q = s v_q - a e_{q-1}, s^2 = 1 - a^2, e_0 = u; then
    y = sum_q h_{q-1} e_q. Hence A_ij = s^2 (-a)^{i-1-j} below the diagonal and a on it, B_i = s (-a)^i, C_j = s sum_{q>=j} h_q (-a)^{q-j},
    D = sum_q h_q (-a)^{q+1} (0-based). [A B; C_e D_e] is orthogonal for every output e_n, so that ||A|| <= 1 and no power of it grows.
    """

    dense = True
    h: Tensor

    def __init__(self, spec: HOPESpec, d_model: int, directions: int) -> None:
        super().__init__(d_model, directions)
        self.add("h", torch.randn(directions, d_model, spec.d_state) * h_std(spec.d_state), train=spec.train_h, lr=spec.lr_h)
        self.add_dt(spec, d_model, 1)

    def system(self, rate: float) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """(f (H, n), B (H, n), C (J, H, n), D (J, H)), float64: the standard quadruple with A = toeplitz(f)."""
        h = self.h.double()
        f, alternating, s = ladder(self.dt(rate), h.shape[-1] + 1)
        f, B, out = f[:, :-1], alternating[:, :-1], alternating[:, 1:]
        return f, s * B, s * (h.transpose(0, 1) @ toeplitz(B)).transpose(0, 1), (h * out).sum(-1)

    def forward(self, L: int, rate: float = 1.0) -> Float[Tensor, "J H {L}"]:
        return taps(self.h, self.dt(rate), L, at_least_single(self.h.dtype))

    def recurrence(self, L: int, rate: float = 1.0) -> Recurrence:
        f, B, C, D = self.system(rate)
        return Recurrence(toeplitz(f), B, C[0], D[0], AllPass(f[:, :1]) if f.shape[-1] > FEW else None)


class CircularHOPEKernel(Kernel):
    """Algorithm 1 of the paper: K = irfft(g) of period L for circular convolution; taps beyond L wrap around, so it is not causal.

    The paper lets h be complex and takes Re(.) of the output; the nodes come in conjugate pairs, so Im h cancels, and a real h loses
    nothing.
    """

    circular = True
    has_recurrence = False
    h: Tensor

    def __init__(self, spec: HOPESpec, d_model: int, directions: int) -> None:
        super().__init__(d_model, directions)
        self.add("h", torch.randn(d_model, spec.d_state) * h_std(spec.d_state), train=spec.train_h, lr=spec.lr_h)
        self.add_dt(spec, d_model, 1)

    def forward(self, L: int, rate: float = 1.0) -> Float[Tensor, "J H {L}"]:
        theta = 2 * torch.pi * torch.arange(L // 2 + 1, dtype=torch.float64, device=self.h.device) / L
        return torch.fft.irfft(samples(self.h.to(at_least_single(self.h.dtype)), self.dt(rate), theta), n=L).unsqueeze(0)

    def recurrence(self, L: int, rate: float = 1.0) -> Recurrence:
        raise NoRecurrence("hope-circular wraps around its period and is not causal, so it has no recurrence; use hope (filter='causal')")


class TwoSidedHOPEKernel(Kernel):
    """The two-sided filter of the authors' last release (Aug 2024), described for what it is: not causal, period L.

    It lays samples g^0, g^1 of two transfer functions, each taken around the whole circle, on the two halves of the frequency axis, [g^0 ;
    reverse g^1], and takes the real part. The filter that results is E_k = (g^0_k + conj g^1_{k-1}) / 2 for 0 < k < L/2: h^0 delays, h^1
    advances, Im h enters through a Hilbert transform, and windows are twice as long as in Algorithm 1. h is complex.
    """

    circular = True
    has_recurrence = False
    h: Tensor

    def __init__(self, spec: HOPESpec, d_model: int, directions: int) -> None:
        super().__init__(d_model, directions)
        self.add("h", complex_normal(2, d_model, spec.d_state, std=h_std(spec.d_state)), train=spec.train_h, lr=spec.lr_h)
        self.add_dt(spec, 2, d_model, 1)

    def forward(self, L: int, rate: float = 1.0) -> Float[Tensor, "J H {L}"]:
        h, dt = torch.view_as_complex(self.h.to(at_least_single(self.h.dtype))), self.dt(rate)
        n0, n1 = (L + 1) // 2, L // 2  # samples of g^0 and g^1; equal for even L, the only case of the release

        def circle(n: int) -> Tensor:
            return 2 * torch.pi * torch.arange(n, dtype=torch.float64, device=h.device) / max(n, 1)

        spectrum = torch.cat([samples(h[0], dt[0], circle(n0)), samples(h[1], dt[1], circle(n1)).flip(-1)], dim=-1)
        return torch.fft.ifft(spectrum).real.unsqueeze(0)

    def recurrence(self, L: int, rate: float = 1.0) -> Recurrence:
        raise NoRecurrence("hope-twosided looks ahead, so it has no recurrence; use hope (filter='causal')")


FILTERS: dict[str, type[HOPEKernel] | type[CircularHOPEKernel] | type[TwoSidedHOPEKernel]] = {
    "causal": HOPEKernel,
    "circular": CircularHOPEKernel,
    "twosided": TwoSidedHOPEKernel,
}
