"""The textbook algorithms in plain torch, as the papers' public code performs them where no extension is compiled: what is compared with.

Nothing here is used by the suite; every formula is the one of the paper, every tensor of the paper is written out and left to autograd,
in complex64. Each kernel takes its parameters from a kernel of `models`, so that a test can demand the same numbers of both.

Letters as in `models`. The modules of this file take (B, H, L), as the public layers do.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar, Final, Self

import torch
from torch import Tensor, nn

# ------------------------------------------------------------------------------------------------- convolution


def convolve(u: Tensor, K: Tensor) -> Tensor:
    """y_t = sum_j K_j u_{t-j}: product of real spectra of twice the length, derivatives by autograd."""
    L = u.shape[-1]
    return torch.fft.irfft(torch.fft.rfft(u, n=2 * L) * torch.fft.rfft(K, n=2 * L), n=2 * L)[..., :L]


def convolve_around(u: Tensor, g: Tensor) -> Tensor:
    """Re ifft(fft(u) g) of period L for a spectrum g (H, L), as in Algorithm 1 of 2405.13975."""
    return torch.fft.ifft(torch.fft.fft(u) * g).real


# ------------------------------------------------------------------------------------------------- kernels


def _pair(z: Tensor) -> nn.Parameter:
    """A complex tensor as a trained pair of reals in single precision."""
    return nn.Parameter(torch.view_as_real(z.detach().to(torch.complex64).contiguous()))


def _single(x: Tensor) -> nn.Parameter:
    return nn.Parameter(x.detach().float().clone())


class Textbook(nn.Module, ABC):
    """One paper's kernel; `of` takes the parameters of ours at a length, `forward` is what the paper's layer multiplies with."""

    of_spectrum: ClassVar[bool] = False
    """Whether `forward` gives the spectrum (H, L) instead of the kernel (H, L)."""

    @classmethod
    @abstractmethod
    def of(cls, kernel: Any, L: int) -> Self:
        """With the parameters of a kernel of `models`, direction 0."""

    @abstractmethod
    def forward(self, L: int) -> Tensor:
        """The kernel or its spectrum (H, L)."""

    def convolve(self, u: Tensor) -> Tensor:
        """u (B, H, L) convolved with the kernel."""
        return (convolve_around if self.of_spectrum else convolve)(u, self(u.shape[-1]))


class S4D(Textbook):
    """K_l = 2 Re sum_n C_n (e^{dt A_n} - 1) / A_n e^{l dt A_n} the Vandermonde matrix (H, N/2, L) written out (2206.11893, listing 1)."""

    def __init__(self, log_dt: Tensor, A: Tensor, C: Tensor) -> None:
        """log_dt (H,), A and C (H, N/2)."""
        super().__init__()
        self.log_dt, self.log_decay, self.frequency, self.C = _single(log_dt), _single(torch.log(-A.real)), _single(A.imag), _pair(C)

    @classmethod
    def of(cls, kernel: Any, L: int) -> Self:
        A_bar, B_bar, C = kernel.system(1.0)
        A = kernel.A()
        return cls(torch.log(kernel.dt(1.0)).squeeze(-1), A, C[0] / 2 * B_bar * A / (A_bar - 1))

    def forward(self, L: int) -> Tensor:
        A = torch.complex(-torch.exp(self.log_decay), self.frequency)
        z = A * torch.exp(self.log_dt).unsqueeze(-1)
        powers = torch.exp(z.unsqueeze(-1) * torch.arange(L, device=z.device))
        return 2 * torch.einsum("hn,hnl->hl", torch.view_as_complex(self.C) * (torch.exp(z) - 1) / A, powers).real


class DSSExp(Textbook):
    """K_l = Re sum_n W_n (e^{z_n} - 1) / lambda_n e^{l z_n}, z = dt lambda, the matrix of powers written out (2203.14343, prop. 1a)."""

    def __init__(self, log_dt: Tensor, A: Tensor, W: Tensor) -> None:
        """log_dt (H,), A and W (H, M)."""
        super().__init__()
        self.log_dt, self.log_decay, self.frequency, self.W = _single(log_dt), _single(torch.log(-A.real)), _single(A.imag), _pair(W)

    @classmethod
    def of(cls, kernel: Any, L: int) -> Self:
        return cls(torch.log(kernel.dt(1.0)).squeeze(-1), kernel.A(), torch.view_as_complex(kernel.W.detach().double())[0])

    def forward(self, L: int) -> Tensor:
        A = torch.complex(-torch.exp(self.log_decay), self.frequency)
        z = A * torch.exp(self.log_dt).unsqueeze(-1)
        W = torch.view_as_complex(self.W) * (torch.exp(z) - 1) / A
        return torch.einsum("hn,hnl->hl", W, torch.exp(z.unsqueeze(-1) * torch.arange(L, device=z.device))).real


class DSSSoftmax(Textbook):
    """K_l = Re sum_n W_n / lambda_n softmax_l(l z_n), the softmax written out over all l (2203.14343, prop. 1b).

    The largest exponent is taken off where Re z > 0, and the sum of the row is the closed form of its geometric series.
    """

    def __init__(self, log_dt: Tensor, A: Tensor, W: Tensor) -> None:
        """log_dt (H,), A and W (H, M)."""
        super().__init__()
        self.log_dt, self.growth, self.frequency, self.W = _single(log_dt), _single(A.real), _single(A.imag), _pair(W)

    @classmethod
    def of(cls, kernel: Any, L: int) -> Self:
        return cls(torch.log(kernel.dt(1.0)).squeeze(-1), kernel.A(), torch.view_as_complex(kernel.W.detach().double())[0])

    def forward(self, L: int) -> Tensor:
        A = torch.complex(self.growth, self.frequency)
        z = A * torch.exp(self.log_dt).unsqueeze(-1)
        growing = z.real > 0
        exponents = z.unsqueeze(-1) * torch.arange(L, device=z.device)
        rows = torch.exp(exponents - torch.where(growing, z * (L - 1), 0).unsqueeze(-1))
        falling = torch.where(growing, -z, z)
        y = A * (torch.exp(falling * L) - 1)
        reciprocal = y.conj() / (y * y.conj() + 1e-7)
        return torch.einsum("hn,hnl->hl", torch.view_as_complex(self.W) * (torch.exp(falling) - 1) * reciprocal, rows).real


class S4(Textbook):
    """The truncated generating function at the roots of unity, by Cauchy sums over (4, H, N, L/2 + 1) written out, and one Woodbury
    correction (2111.00396, algorithm 1). C~ = C (I - A_bar^L) is what is trained."""

    def __init__(self, log_dt: Tensor, A: Tensor, P: Tensor, B: Tensor, C: Tensor, L: int) -> None:
        """log_dt (H,); A, P, B and C~ (H, N/2); the nodes are made once, for the length L."""
        super().__init__()
        self.log_dt, self.log_decay, self.frequency = _single(log_dt), _single(torch.log(-A.real)), _single(A.imag)
        self.P, self.B, self.C = _pair(P), _pair(B), _pair(C)
        theta = 2 * torch.pi * torch.arange(L // 2 + 1, dtype=torch.float64, device=A.device) / L
        w = torch.complex(torch.cos(theta), -torch.sin(theta)).to(torch.complex64)  # rounded, so that no node is -1 itself
        self.register_buffer("node", 2 * (1 - w) / (1 + w))
        self.register_buffer("factor", 2 / (1 + w))

    node: Tensor
    factor: Tensor

    @classmethod
    def of(cls, kernel: Any, L: int) -> Self:
        Lambda, P, B = kernel.continuous()
        A_bar, _, C = kernel.system(1.0)
        C = C[0] - torch.einsum("hn,hnm->hm", C[0], torch.linalg.matrix_power(A_bar.matrix(), L))
        M = Lambda.shape[-1]
        return cls(torch.log(kernel.dt(1.0)).squeeze(-1), Lambda, P, B, torch.complex(C[:, :M], -C[:, M:]) / 2, L)

    def forward(self, L: int) -> Tensor:
        dt = torch.exp(self.log_dt)
        A = torch.complex(-torch.exp(self.log_decay), self.frequency) * dt.unsqueeze(-1)
        P, B, C = (torch.view_as_complex(x) for x in (self.P, self.B, self.C))
        v = torch.stack([B, P]).unsqueeze(1) * torch.stack([C, P.conj()]).unsqueeze(0)  # (2, 2, H, N/2)
        v, poles = (torch.cat([x, x.conj()], dim=-1) for x in (v, A))
        sums = (v.unsqueeze(-1) / (self.node - poles.unsqueeze(-1))).sum(-2) * dt.unsqueeze(-1)  # (2, 2, H, L/2 + 1)
        spectrum = sums[0, 0] - sums[0, 1] * sums[1, 0] / (1 + sums[1, 1])
        return torch.fft.irfft(spectrum * self.factor, n=L)


class HOPE(Textbook):
    """g_k = sum_j h_j e^{-i (j+1) theta~_k} at all L nodes of the circle, exponentials (H, L, n) written out (2405.13975, alg. 1)."""

    of_spectrum = True

    def __init__(self, log_dt: Tensor, h: Tensor) -> None:
        """log_dt (H,), h (H, n)."""
        super().__init__()
        self.log_dt, self.h = _single(log_dt), _pair(torch.complex(h, torch.zeros_like(h)))

    @classmethod
    def of(cls, kernel: Any, L: int) -> Self:
        return cls(torch.log(kernel.dt(1.0)).squeeze(-1), kernel.h.detach().double().reshape(kernel.d_model, -1))

    def forward(self, L: int) -> Tensor:
        dt = torch.exp(self.log_dt).unsqueeze(-1)
        omega = torch.exp(2j * torch.pi * torch.arange(L, device=dt.device) / L)
        angle = torch.angle(((1 + dt) * omega + dt - 1) / ((dt - 1) * omega + dt + 1))
        steps = torch.arange(1, self.h.shape[1] + 1, device=dt.device)
        return torch.einsum("hn,hln->hl", torch.view_as_complex(self.h), torch.exp(-1j * angle.unsqueeze(-1) * steps))


KERNELS: Final[Mapping[str, type[Textbook]]] = {
    "s4": S4,
    "dss-exp": DSSExp,
    "dss-softmax": DSSSoftmax,
    "s4d-legs": S4D,
    "s4d-inv": S4D,
    "s4d-lin": S4D,
    "hope": HOPE,
    "hope-circular": HOPE,
}
"""By the row that each is compared with. The authors of HOPE published the circular form alone, so that the causal one has its cost for a
measure and not its numbers."""

# ------------------------------------------------------------------------------------------------- LRU


def scan(a: Tensor, v: Tensor) -> Tensor:
    """x_k = a x_{k-1} + v_k along dim 1 by the associative scan of pairs (a, v), as JAX's performs it: neighbours are joined, the scan of
    half the length gives every second state, and the others follow; each element carries its own a."""
    return _scan(a.expand_as(v), v)[1]


def _scan(a: Tensor, v: Tensor) -> tuple[Tensor, Tensor]:
    L = v.shape[1]
    if L < 2:
        return a, v
    even_a, even_v, odd_a, odd_v = a[:, 0 : L - 1 : 2], v[:, 0 : L - 1 : 2], a[:, 1::2], v[:, 1::2]
    joined_a, joined_v = _scan(odd_a * even_a, odd_a * even_v + odd_v)
    last = (L + 1) // 2 - 1
    rest_a = torch.cat([a[:, :1], a[:, 2::2] * joined_a[:, :last]], dim=1)
    rest_v = torch.cat([v[:, :1], a[:, 2::2] * joined_v[:, :last] + v[:, 2::2]], dim=1)
    return _interleave(rest_a, joined_a), _interleave(rest_v, joined_v)


def _interleave(even: Tensor, odd: Tensor) -> Tensor:
    both = torch.stack([even[:, : odd.shape[1]], odd], dim=2).flatten(1, 2)
    return both if even.shape[1] == odd.shape[1] else torch.cat([both, even[:, -1:]], dim=1)


class LRU(nn.Module):
    """x_k = Lambda x_{k-1} + gamma B u_k, y_k = Re(C x_k) + D u_k (2303.06349, appendix A), (B, H, L) -> (B, H, L)."""

    def __init__(self, kernel: Any) -> None:
        """With the parameters of an `LRURecurrence`."""
        super().__init__()
        self.nu, self.theta, self.log_gamma = (_single(p) for p in (kernel.nu, kernel.theta, kernel.log_gamma))
        self.B, self.C = _pair(torch.view_as_complex(kernel.B.detach())), _pair(torch.view_as_complex(kernel.C.detach()))

    def convolve(self, u: Tensor) -> Tensor:
        """The outputs before D u."""
        Lambda = torch.exp(torch.complex(-torch.exp(self.nu), torch.exp(self.theta)))
        B = torch.view_as_complex(self.B) * torch.exp(self.log_gamma).unsqueeze(-1)
        x = scan(Lambda, u.transpose(1, 2).to(B.dtype) @ B.T)
        return (x @ torch.view_as_complex(self.C).T).real.transpose(1, 2)


# ------------------------------------------------------------------------------------------------- layer and network


class TiedDropout(nn.Module):
    """Zeroes whole features (B, H, 1) of (B, H, L)."""

    def __init__(self, p: float) -> None:
        super().__init__()
        self.p = p

    def forward(self, x: Tensor) -> Tensor:
        if not self.training or self.p == 0:
            return x
        return x * (torch.rand(*x.shape[:2], 1, device=x.device) < 1 - self.p) * (1.0 / (1 - self.p))


class Layer(nn.Module):
    """Mix(Dropout(GELU(K * u + D u))) on (B, H, L), the mixing a 1 x 1 convolution to 2H features and a gated linear unit."""

    def __init__(self, inner: Textbook | LRU, D: Tensor, dropout: float) -> None:
        super().__init__()
        self.inner, self.D = inner, _single(D)
        H = len(self.D)
        self.dropout = TiedDropout(dropout)
        self.mix = nn.Sequential(nn.Conv1d(H, 2 * H, kernel_size=1), nn.GLU(dim=-2))

    @classmethod
    def of(cls, row: str, layer: Any, L: int, dropout: float) -> Self:
        """With the parameters of a layer of `models`."""
        inner = LRU(layer.kernel) if row == "lru" else KERNELS[row].of(layer.kernel, L)
        out = cls(inner, layer.D, dropout)
        conv: Any = out.mix[0]
        with torch.no_grad():
            conv.weight.copy_(layer.mix.linear.weight.unsqueeze(-1))
            conv.bias.copy_(layer.mix.linear.bias)
        return out

    def forward(self, u: Tensor) -> Tensor:
        with torch.autocast(device_type=u.device.type, enabled=False):  # no FFT of half precision
            x = u.float()
            y = self.inner.convolve(x) + x * self.D.unsqueeze(-1)
        return self.mix(self.dropout(nn.functional.gelu(y)))


class Network(nn.Module):
    """Linear encoder, blocks LayerNorm(x + Dropout(Layer x)), mean over time, linear decoder; (B, L, d_input) -> (B, classes)."""

    def __init__(self, layers: list[Layer], d_input: int, classes: int, dropout: float) -> None:
        super().__init__()
        H = len(layers[0].D)
        self.encoder, self.decoder = nn.Linear(d_input, H), nn.Linear(H, classes)
        self.layers = nn.ModuleList(layers)
        self.norms = nn.ModuleList(nn.LayerNorm(H) for _ in layers)
        self.dropouts = nn.ModuleList(TiedDropout(dropout) for _ in layers)

    @classmethod
    def of(cls, row: str, model: Any, L: int, dropout: float) -> Self:
        """With the parameters of a network of `models` whose blocks are post-norm and of layer norm."""
        out = cls([Layer.of(row, layer, L, dropout) for layer in model.layers], model.d_input, model.d_output, dropout)
        with torch.no_grad():
            for mine, theirs in zip(
                [out.encoder, out.decoder, *out.norms], [model.encoder, model.decoder, *(b.norm.norm for b in model.blocks)], strict=True
            ):
                mine.load_state_dict(theirs.state_dict())
        return out

    def forward(self, x: Tensor) -> Tensor:
        x = self.encoder(x).transpose(-1, -2)
        for layer, norm, dropout in zip(self.layers, self.norms, self.dropouts):
            x = norm((dropout(layer(x)) + x).transpose(-1, -2)).transpose(-1, -2)
        return self.decoder(x.transpose(-1, -2).mean(dim=1))
