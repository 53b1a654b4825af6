"""HOPE: the Markov parameters h of a Hankel operator, resampled by a step size dt (2405.13975, "There is HOPE to Avoid HiPPOs for
Long-memory State Space Models").

h_0 .. h_{n-1} is the impulse response of a discrete system; the bilinear map with step 1 makes it continuous and with step dt discrete
again. In the time domain that is a warped filter, K(z) = sum_j h_j A(z)^{j+1} with the all-pass A(z) = (z^{-1} - a) / (1 - a z^{-1}),
a = (1 - dt) / (1 + dt). The paper's bilinear map has no factor 2, so its dt is half of S4's dt for the same time scale.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal, Self

import torch
from jaxtyping import Complex, Float, Inexact
from torch import Tensor

from .choices.names import choose
from .functional import polynomial, powers
from .kernel import Kernel, StepSpec
from .krylov import Toeplitz, krylov, toeplitz
from .layer import NoRecurrence, rate
from .parameters import at_least_single, complex_normal
from .recurrence import Recurrence


@dataclass(frozen=True, kw_only=True)
class HOPESpec(StepSpec):
    """HOPE. d_state is the paper's n: one real dimension per Markov parameter. dt ranges are in HOPE's own convention, half of S4's."""

    dt_convention: ClassVar[float] = 0.5

    dt_min: float = 5e-4
    dt_max: float = 5e-2
    filter: Literal["causal", "circular", "twosided"] = "causal"
    """causal: the exact kernel, zero-padded. circular: the paper's Algorithm 1 to the letter (period L, no padding). twosided: the
    frequency-domain construction of the authors' last release, delays from one h and advances from another, period L."""
    train_h: bool = True
    lr_h: float | None = rate("kernel", 1e-3)
    """Learning rate of h; None is the network's, as in the paper's experiment I. Never decayed."""

    def __post_init__(self) -> None:
        super().__post_init__()
        choose("HOPE filter", self.filter, FILTERS)

    @property
    def two_way(self) -> bool:
        """Only the causal filter can be reversed and added: the others look ahead already."""
        return self.filter == "causal"

    def fixed_to(self, length: int) -> Self:
        """The same row for the causal filter. Raises ValueError for a filter of period L, which the padding would enter."""
        if self.filter != "causal":
            raise ValueError(
                f"HOPE's {self.filter} filter has the period of the padded batch, so its result would depend on what a sequence is batched "
                "with; where lengths differ use hope, whose filter is causal"
            )
        return self

    def require_two_way(self) -> None:
        if not self.two_way:
            raise ValueError(f"HOPE's {self.filter} filter already reaches both ways around its period; use bidirectional=False")

    def build(self, d_model: int, directions: int = 1) -> Kernel:
        if directions != 1:
            self.require_two_way()
        return FILTERS[self.filter](self, d_model, directions)


def h_std(n: int) -> float:
    """Standard deviation of h: E|h_j|^2 = 1 / (8 n), so that sum_j E|h_j|^2 = 1/8, the scale of the authors' scripts."""
    return (8 * n) ** -0.5


def warped_angles(theta: Float[Tensor, " F"], dt: Float[Tensor, "H 1"]) -> Float[Tensor, "H F"]:
    """theta~ = 2 arctan(tan(theta / 2) / dt) in [0, 2 pi], the angle of the relocated node; atan2 keeps theta = pi ordinary."""
    return 2 * torch.atan2(torch.sin(theta / 2), dt * torch.cos(theta / 2))


def samples(h: Inexact[Tensor, "H n"], dt: Float[Tensor, "H 1"], theta: Float[Tensor, " F"]) -> Complex[Tensor, "H F"]:
    """g_k = sum_j h_j exp(-i (j+1) theta~_k), the transfer function at the relocated nodes (2405.13975, Algorithm 1).

    Angles in the precision of dt, powers in that of h.
    """
    angle = warped_angles(theta, dt)
    nodes = torch.complex(torch.cos(angle), -torch.sin(angle))
    return polynomial(h, nodes.to(torch.promote_types(h.dtype, torch.complex32)))


def hankel(h: Float[Tensor, "*batch n"]) -> Float[Tensor, "*batch n n"]:
    """H_ij = h_{i+j} for i + j < n, else 0: the upper-left triangular Hankel matrix."""
    n = h.shape[-1]
    i = torch.arange(n, device=h.device)
    index = i.unsqueeze(1) + i
    return torch.where(index < n, h[..., index.clamp(max=n - 1)], 0.0)


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
        h, dt = self.h.double(), self.dt(rate)
        n = h.shape[-1]
        a = (1 - dt) / (1 + dt)
        s2 = 4 * dt / (1 + dt) ** 2  # 1 - a^2, without the cancellation
        ladder = powers(-a.squeeze(-1), n + 1)  # (H, n + 1): (-a)^k
        f = torch.cat([a, s2 * ladder[:, : n - 1]], dim=-1)
        B = s2.sqrt() * ladder[:, :n]
        C = s2.sqrt() * (h.transpose(0, 1) @ toeplitz(ladder[:, :n])).transpose(0, 1)
        return f, B, C, (h * ladder[:, 1:]).sum(-1)

    def forward(self, L: int, rate: float = 1.0) -> Float[Tensor, "J H {L}"]:
        f, B, C, D = self.system(rate)
        first = D.unsqueeze(-1).to(at_least_single(self.h.dtype))
        return first if L == 1 else torch.cat([first, krylov(Toeplitz(f), B, C, L - 1, first.dtype)], dim=-1)

    def recurrence(self, L: int, rate: float = 1.0) -> Recurrence:
        f, B, C, D = self.system(rate)
        return Recurrence(toeplitz(f), B, C[0], D[0])


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
