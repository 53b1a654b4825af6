"""The kernel of a diagonal A_bar: K_l = Re sum_n W_n a_n^l, a product with the Vandermonde matrix [a_n^l].

With l = iT + j and T near sqrt(L), a^l = a^{iT} a^j: M = L / T rows W a^{iT} times T columns a^j is one real matrix product a channel, so
that N (M + T) powers suffice where the definition takes N L, and its (H, N, L) tensor never exists. The derivatives are the same two-level
product transposed, the moments of the gradient g of K:

    dW_n = conj sum_l g_l a_n^l            da_n = conj W_n sum_l l g_l a_n^{l-1}
"""

from __future__ import annotations

from typing import Any

import torch
from jaxtyping import Float, Inexact
from torch import Tensor

from .functional import complex_of, exact_product, in_precision, interleaved, power_table, split, square


def vandermonde_direct(W: Inexact[Tensor, "J H N"], a: Inexact[Tensor, "H N"], L: int) -> Float[Tensor, "J H {L}"]:
    """K_l = Re sum_n W_n a_n^l, l < L, straight from the definition. O(H N L) time and memory; the oracle of `vandermonde`."""
    V = a.unsqueeze(-1) ** torch.arange(L, device=a.device)  # (H, N, L)
    return torch.einsum("jhn,hnl->jhl", W.to(V.dtype), V).real.contiguous()


def _later(K: Float[Tensor, "*batch L"]) -> Float[Tensor, "*batch L"]:
    """l K_{l-1}, which is 0 at l = 0."""
    return torch.arange(K.shape[-1], device=K.device) * K.roll(1, -1)


def _earlier(g: Float[Tensor, "*batch L"]) -> Float[Tensor, "*batch L"]:
    """(l + 1) g_{l+1}, which is 0 at the end: the transpose of `_later`."""
    return (torch.arange(g.shape[-1], device=g.device) * g).roll(-1, -1)


class _Vandermonde(torch.autograd.Function):
    """The kernel, which keeps W and a only."""

    generate_vmap_rule = True

    @staticmethod
    def forward(W: Tensor, a: Tensor, L: int, dtype: torch.dtype) -> Tensor:
        J = len(W)
        T, M = split(L)
        W, b = W.conj().resolve_conj(), a.conj().resolve_conj()
        rows = in_precision(W, dtype).transpose(0, 1).unsqueeze(2) * power_table(square(b, T), M, dtype).unsqueeze(1)  # (H, J, M, N)
        K = exact_product(interleaved(rows).flatten(1, 2), interleaved(power_table(a, T, dtype)).mT)  # Re(r c) = Re <conj r, c>
        return K.unflatten(1, (J, M)).transpose(0, 1).reshape(J, -1, M * T)[..., :L].contiguous()

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Tensor, Tensor, int, torch.dtype], output: Tensor) -> None:
        ctx.save_for_backward(*inputs[:2])
        ctx.save_for_forward(*inputs[:2])
        ctx.L, ctx.dtype = inputs[2:]

    @staticmethod
    def backward(ctx: Any, g: Tensor) -> tuple[Tensor, Tensor, None, None]:  # type: ignore[override]
        W, a = ctx.saved_tensors
        zeroth, first = _Moments.apply(g, a)
        return zeroth.conj(), (W * first).sum(0).conj(), None, None

    @staticmethod
    def jvp(ctx: Any, dW: Tensor | None, da: Tensor | None, *_: None) -> Tensor:
        W, a = ctx.saved_tensors
        dK = torch.zeros((), dtype=ctx.dtype, device=a.device)
        if dW is not None:
            dK = dK + _Vandermonde.apply(dW, a, ctx.L, ctx.dtype)
        if da is not None:
            dK = dK + _later(_Vandermonde.apply(W * da, a, ctx.L, ctx.dtype))
        return dK


class _Moments(torch.autograd.Function):
    """(sum_l g_l a^l, sum_l l g_l a^{l-1}), each (J, H, N): the first is the transpose of the kernel, the second its slope in a."""

    generate_vmap_rule = True

    @staticmethod
    def forward(g: Tensor, a: Tensor) -> tuple[Tensor, Tensor]:
        J, H, L = g.shape
        T, M = split(L)
        columns, steps = interleaved(power_table(a, T, g.dtype)), power_table(square(a, T), M, g.dtype).unsqueeze(1)

        def moment(g: Tensor) -> Tensor:
            G = torch.nn.functional.pad(g.transpose(0, 1), (0, T * M - L)).reshape(H, J * M, T)
            P = exact_product(G, columns).unflatten(1, (J, M))  # sum_j G_ij a^j
            P = complex_of(P) if a.is_complex() else P
            return P.mul_(steps).sum(2).transpose(0, 1).to(a.dtype).contiguous()

        return moment(g), moment(_earlier(g))

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Tensor, Tensor], output: tuple[Tensor, Tensor]) -> None:
        ctx.save_for_backward(*inputs)
        ctx.save_for_forward(*inputs)

    @staticmethod
    def backward(ctx: Any, d0: Tensor, d1: Tensor) -> tuple[Tensor, Tensor]:  # type: ignore[override]
        g, a = ctx.saved_tensors
        first, second = _Moments.apply(_earlier(g), a)
        kernel = lambda d: _Vandermonde.apply(d.conj(), a, g.shape[-1], g.dtype)
        return kernel(d0) + _later(kernel(d1)), (d0 * first.conj() + d1 * second.conj()).sum(0)

    @staticmethod
    def jvp(ctx: Any, dg: Tensor | None, da: Tensor | None) -> tuple[Tensor, Tensor]:
        g, a = ctx.saved_tensors
        none = torch.zeros((), dtype=a.dtype, device=a.device)
        zeroth, first = (none, none) if dg is None else _Moments.apply(dg, a)
        if da is not None:
            later = _Moments.apply(_earlier(g), a)
            zeroth, first = zeroth + da * later[0], first + da * later[1]
        return zeroth, first


def vandermonde(W: Inexact[Tensor, "J H N"], a: Inexact[Tensor, "H N"], L: int, dtype: torch.dtype) -> Float[Tensor, "J H {L}"]:
    """K_l = Re sum_n W_n a_n^l, l < L, as one real matrix product per channel (module docstring), in `dtype`.

    `a` should come in float64 or complex128 (it is small), so that phases stay exact for large l; only where the length is does the work
    run in `dtype`. O(H N sqrt(L)) memory besides the result, and nothing but W and a is kept for the backward pass.
    """
    return _Vandermonde.apply(W, a, L, dtype)
