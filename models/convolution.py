"""Convolution of a sequence with a kernel: causal, in both directions, or circular, each beside the slow, obvious one that is its oracle.

Letters as in `models`: B batch, J directions, H channels, L length; K the kernel, u the input, y the output.
"""

from __future__ import annotations

from typing import Any

import torch
from jaxtyping import Float
from scipy.fft import next_fast_len
from torch import Tensor

from .engines import in_parts


def causal_conv_direct(u: Float[Tensor, "B H L"], K: Float[Tensor, "J H L"]) -> Float[Tensor, "B H L"]:
    """y_t = sum_j K0_j u_{t-j} + sum_j K1_j u_{t+1+j} by Toeplitz matrices (K1 only where J = 2). The oracle of `causal_conv`."""
    L = u.shape[-1]
    t = torch.arange(L, device=u.device)
    lag = t.unsqueeze(1) - t  # t - s
    toeplitz = torch.where(lag >= 0, K[0][:, lag.clamp(min=0)], 0.0)
    if K.shape[0] == 2:
        toeplitz = toeplitz + torch.where(lag < 0, K[1][:, (-lag - 1).clamp(min=0)], 0.0)
    return torch.einsum("hts,bhs->bht", toeplitz, u)


def circular_conv_direct(u: Float[Tensor, "B H L"], K: Float[Tensor, "J H L"]) -> Float[Tensor, "B H L"]:
    """y_t = sum_j K_j u_{(t-j) mod L}. The oracle of `circular_conv`."""
    L = u.shape[-1]
    t = torch.arange(L, device=u.device)
    lag = (t.unsqueeze(1) - t) % L
    return torch.einsum("hts,bhs->bht", K[0][:, lag], u)


class _FFTProduct(torch.autograd.Function):
    """y = irfft(rfft(u) rfft(K)) of period n, cut to the length of u, with both spectra kept for the backward pass.

    The spectra are outputs too: only so does a second derivative find its way through what the first one kept.
    """

    generate_vmap_rule = True

    @staticmethod
    def forward(u: Tensor, K: Tensor, n: int) -> tuple[Tensor, Tensor, Tensor]:
        U, F = torch.fft.rfft(u, n=n), torch.fft.rfft(K, n=n)
        return torch.fft.irfft(U * F, n=n)[..., : u.shape[-1]].contiguous(), U, F

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Tensor, Tensor, int], output: tuple[Tensor, Tensor, Tensor]) -> None:
        ctx.set_materialize_grads(False)
        ctx.save_for_backward(*output[1:])
        ctx.save_for_forward(*output[1:])
        ctx.length, ctx.taps, ctx.n = inputs[0].shape[-1], inputs[1].shape[-1], inputs[2]

    @staticmethod
    def backward(ctx: Any, dy: Tensor | None, dU: Tensor | None, dF: Tensor | None) -> tuple[Tensor | None, Tensor | None, None]:  # type: ignore[override]
        U, F = ctx.saved_tensors
        du = dK = None
        if dy is not None:
            Y, G = _gradients(torch.fft.rfft(dy, n=ctx.n), U, F)
            du = torch.fft.irfft(Y, n=ctx.n)[..., : ctx.length]
            dK = torch.fft.irfft(G, n=ctx.n)[..., : ctx.taps]
        if dU is not None:
            du = _of_spectrum(dU, ctx.n, ctx.length) + (0 if du is None else du)
        if dF is not None:
            dK = _of_spectrum(dF, ctx.n, ctx.taps) + (0 if dK is None else dK)
        return du, dK, None

    @staticmethod
    def jvp(ctx: Any, du: Tensor | None, dK: Tensor | None, _: None) -> tuple[Tensor, Tensor, Tensor]:
        U, F = ctx.saved_tensors
        dU = torch.zeros_like(U) if du is None else torch.fft.rfft(du, n=ctx.n)
        dF = torch.zeros_like(F) if dK is None else torch.fft.rfft(dK, n=ctx.n)
        return torch.fft.irfft(dU * F + U * dF, n=ctx.n)[..., : ctx.length].contiguous(), dU, dF


def _gradients(Y: Tensor, U: Tensor, F: Tensor) -> tuple[Tensor, Tensor]:
    """(Y conj F, sum_b Y conj U), the spectra of the gradients of u and K where Y is that of y.

    In place where nothing else is computed from Y: a conjugate in place is cheap, and one that is written out beside it is not.
    """
    if torch.is_grad_enabled():
        return Y * F.conj(), (Y * U.conj()).sum(0)
    Y = Y.conj_physical_()
    G = (U * Y).sum(0).conj_physical_()
    return Y.mul_(F).conj_physical_(), G


def _of_spectrum(dU: Tensor, n: int, length: int) -> Tensor:
    """The adjoint of rfft: Re sum_k dU_k e^{2 pi i k t / n} over the n // 2 + 1 frequencies that it gives, t < length."""
    return n * torch.fft.ifft(torch.nn.functional.pad(dU, (0, n - dU.shape[-1])), n=n).real[..., :length]


def with_skip(K: Float[Tensor, "J H Lk"], D: Float[Tensor, " H"] | None) -> Float[Tensor, "J H Lk"]:
    """K with D added to tap 0 of direction 0: the kernel of K * u + D u."""
    if D is None:
        return K
    first = torch.cat([K[:1, :, :1] + D.unsqueeze(-1), K[:1, :, 1:]], dim=-1)
    return first if K.shape[0] == 1 else torch.cat([first, K[1:]])


def _by_fft(u: Float[Tensor, "B H L"], kernel: Float[Tensor, "H taps"], n: int) -> Float[Tensor, "B H L"]:
    """The circular convolution of period n, cut to the length of u, within the memory budget."""
    each = 4 * u.element_size() * u.shape[0] * n  # padded input, two spectra and the product transformed back
    return in_parts(lambda u, kernel: _FFTProduct.apply(u, kernel, n)[:1], each, (u, 1), (kernel, 0), out=(1,))[0]


def causal_conv(u: Float[Tensor, "B H L"], K: Float[Tensor, "J H Lk"], D: Float[Tensor, " H"] | None = None) -> Float[Tensor, "B H L"]:
    """y_t = sum_j K0_j u_{t-j} (+ sum_j K1_j u_{t+1+j} where J = 2) (+ D u_t), by one zero-padded FFT. Lk <= L.

    The backward direction starts at lag +1, so that lag 0 counts once (state-spaces/s4 does the same).
    """
    K = with_skip(K, D)
    L, taps = u.shape[-1], K.shape[-1]
    n = next_fast_len(L + taps, real=True)
    kernel = K[0]
    if K.shape[0] == 2:
        gap = torch.zeros(K.shape[1], n - 2 * taps, dtype=K.dtype, device=K.device)
        kernel = torch.cat([K[0], gap, K[1].flip(-1)], dim=-1)
    return _by_fft(u, kernel, n)


def circular_conv(u: Float[Tensor, "B H L"], K: Float[Tensor, "J H L"], D: Float[Tensor, " H"] | None = None) -> Float[Tensor, "B H L"]:
    """y_t = sum_j K_j u_{(t-j) mod L} (+ D u_t): no zero padding, so the end of a sequence reaches its beginning (HOPE, Algorithm 1)."""
    return _by_fft(u, with_skip(K, D)[0], u.shape[-1])
