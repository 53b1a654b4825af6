"""Pure tensor functions of the state space kernels, each fast one beside the slow, obvious one that is its oracle.

Letters as in `models`: B batch, J directions, H channels, N state size, L length; K the kernel, u the input, y the output.
"""

from __future__ import annotations

from typing import Any

import torch
from jaxtyping import Complex, Float, Inexact
from torch import Tensor

# ------------------------------------------------------------------------------------------------- precision


def rounds_factors(device: torch.device) -> bool:
    """Whether float32 products on this device may round their factors to TF32 or bfloat16, as torch.set_float32_matmul_precision,
    torch.backends and TORCH_ALLOW_TF32_CUBLAS_OVERRIDE allow it."""
    settings = torch.backends.cuda if device.type == "cuda" else torch.backends.mkldnn
    return settings.matmul.fp32_precision not in ("none", "ieee")


def exact_precision(dtype: torch.dtype, device: torch.device) -> torch.dtype:
    """The precision in which products of `dtype` are formed without rounding their factors: float64 where float32 would be rounded first.

    Such a setting is meant for the layers around a kernel, which are trained with it. A kernel multiplies powers of one matrix, so that
    what is rounded away moves its eigenvalues.
    """
    return torch.float64 if dtype == torch.float32 and rounds_factors(device) else dtype


def exact_product(a: Float[Tensor, "*batch m n"], b: Float[Tensor, "*batch n k"]) -> Float[Tensor, "*batch m k"]:
    """a @ b in the precision of its factors, its derivatives too, see `exact_precision`."""
    dtype = exact_precision(a.dtype, a.device)
    return (a.to(dtype) @ b.to(dtype)).to(a.dtype)


# ------------------------------------------------------------------------------------------------- powers of A


def powers(a: Inexact[Tensor, "*shape"], n: int) -> Inexact[Tensor, "*shape {n}"]:
    """a^0, ..., a^{n-1} along a new last axis, by doubling: [p, p a^k] has twice the powers of p.

    Needs neither a logarithm nor a reduction of phases, so a = 0 and |Im log a| >> 2 pi are ordinary cases; in float64 the
    relative error of a^l is l * 1e-16.
    """
    p = torch.ones_like(a).unsqueeze(-1)
    step = a.unsqueeze(-1)
    while p.shape[-1] < n:
        p = torch.cat([p, p * step], dim=-1)
        if p.shape[-1] < n:
            step = step * step
    return p[..., :n]


def split(L: int) -> tuple[int, int]:
    """(T, M): columns and rows of the two-level product; T is a power of two near sqrt(L), and T M >= L."""
    T = 1 << max(0, ((L - 1).bit_length() + 1) // 2)
    return T, -(-L // T)


def square(a: Inexact[Tensor, "*shape"], T: int) -> Inexact[Tensor, "*shape"]:
    """a^T elementwise by log2 T squarings; T a power of two."""
    for _ in range(T.bit_length() - 1):
        a = a * a
    return a


def in_precision(x: Inexact[Tensor, "*shape"], dtype: torch.dtype) -> Inexact[Tensor, "*shape"]:
    """x in the precision of the real type `dtype`, complex where it is complex."""
    return x.to(dtype.to_complex() if x.is_complex() else dtype)


def power_table(a: Inexact[Tensor, "*batch N"], n: int, dtype: torch.dtype) -> Inexact[Tensor, "*batch {n} N"]:
    """a^0, ..., a^{n-1} in the precision `dtype`: 2 sqrt(n) of them are formed in the precision of a, the others as a product of two."""
    m, rows = split(n)
    fine, coarse = (in_precision(p.mT.contiguous(), dtype) for p in (powers(a, m), powers(square(a, m), rows)))
    return (coarse.unsqueeze(-2) * fine.unsqueeze(-3)).flatten(-3, -2)[..., :n, :]


# ------------------------------------------------------------------------------------------------- a recurrence over the whole sequence


def scan_direct(
    a: Inexact[Tensor, " N"], v: Inexact[Tensor, "B L N"], start: Inexact[Tensor, "B N"] | None = None
) -> Inexact[Tensor, "B L N"]:
    """x_k = a x_{k-1} + v_k, x_{-1} = start (None: zero), by stepping. The oracle of `scan`."""
    x, out = torch.zeros_like(v[:, 0]) if start is None else start, []
    for k in range(v.shape[1]):
        x = a * x + v[:, k]
        out.append(x)
    return torch.stack(out, dim=1)


def _odd_even(a: Tensor, v: Tensor) -> Tensor:
    """The scan from zero in 2 log2 L elementwise steps and O(L) work, since every second state follows a recurrence of half the length:
    x_{2j+1} = a^2 x_{2j-1} + (a v_{2j} + v_{2j+1}); the others are x_{2j} = a x_{2j-1} + v_{2j}."""
    L = v.shape[1]
    if L == 1:
        return v.clone()
    step, even, odd = a.to(v.dtype), v[:, 0::2], v[:, 1::2]
    x = torch.empty_like(v)
    x[:, 1::2] = _odd_even(a * a, step * even[:, : L // 2] + odd)
    x[:, :1] = v[:, :1]
    x[:, 2::2] = step * x[:, 1 : L - 1 : 2] + even[:, 1:]
    return x


class _Scan(torch.autograd.Function):
    """The scan keeps its states only: the gradient of v is the same scan, conjugate and backwards in time."""

    @staticmethod
    def forward(a: Tensor, v: Tensor) -> Tensor:
        return _odd_even(a, v)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Tensor, Tensor], output: Tensor) -> None:
        ctx.save_for_backward(inputs[0], output)
        ctx.save_for_forward(inputs[0], output)

    @staticmethod
    def backward(ctx: Any, dx: Tensor) -> tuple[Tensor, Tensor]:  # type: ignore[override]
        a, x = ctx.saved_tensors
        dv = _Scan.apply(a.conj(), dx.flip(1)).flip(1)
        return torch.einsum("bln,bln->n", x[:, :-1].conj(), dv[:, 1:]).to(a.dtype), dv

    @staticmethod
    def jvp(ctx: Any, da: Tensor | None, dv: Tensor | None) -> Tensor:
        a, x = ctx.saved_tensors
        step = torch.zeros_like(x) if dv is None else dv
        if da is not None:
            step = step + da.to(x.dtype) * torch.cat([torch.zeros_like(x[:, :1]), x[:, :-1]], dim=1)
        return _Scan.apply(a, step)

    @staticmethod
    def vmap(info: Any, in_dims: tuple[int | None, int | None], a: Tensor, v: Tensor) -> tuple[Tensor, int]:
        """More modes."""
        a = a.expand(info.batch_size, *a.shape) if in_dims[0] is None else a.movedim(in_dims[0], 0)
        v = v.unsqueeze(2).expand(-1, -1, info.batch_size, -1) if in_dims[1] is None else v.movedim(in_dims[1], 2)
        return _Scan.apply(a.flatten(), v.flatten(2)).unflatten(2, v.shape[2:]), 2


def scan(a: Inexact[Tensor, " N"], v: Inexact[Tensor, "B L N"], start: Inexact[Tensor, "B N"] | None = None) -> Inexact[Tensor, "B L N"]:
    """x_k = a x_{k-1} + v_k for all k < L at once, x_{-1} = start (None: zero), in the precision of v.

    `a` should come in float64 or complex128 (it is small), because its powers are formed by squaring: a phase stays exact for large L.
    """
    if start is not None:
        v = torch.cat([v[:, :1] + (a * start).to(v.dtype).unsqueeze(1), v[:, 1:]], dim=1)
    return _Scan.apply(a, v)


# ------------------------------------------------------------------------------------------------- system theory


def real_vector(v: Inexact[Tensor, "*batch M"]) -> Float[Tensor, "*batch N"]:
    """(Re v, Im v), N = 2 M."""
    v = v.resolve_conj()  # vmap knows no imaginary part of a lazy conjugate
    return torch.cat([v.real, v.imag], dim=-1)


def complex_vector(x: Float[Tensor, "*batch N"]) -> Complex[Tensor, "*batch M"]:
    """The v of `real_vector`."""
    return torch.complex(*x.chunk(2, dim=-1))


def interleaved(x: Inexact[Tensor, "*batch N"]) -> Float[Tensor, "*batch R"]:
    """A complex vector as (Re x_1, Im x_1, Re x_2, ...), R = 2 N, a real one as it is; without a copy, and so that <., .> is Re(x* y)."""
    return torch.view_as_real(x.resolve_conj()).flatten(-2) if x.is_complex() else x


def complex_of(x: Float[Tensor, "*batch R"]) -> Complex[Tensor, "*batch N"]:
    """The complex vector of an interleaved one."""
    return torch.view_as_complex(x.unflatten(-1, (-1, 2)))


def real_matrix(A: Inexact[Tensor, "*batch M M"]) -> Float[Tensor, "*batch N N"]:
    """The real matrix of x -> A x on (Re x, Im x), N = 2 M."""
    return torch.cat([torch.cat([A.real, -A.imag], dim=-1), torch.cat([A.imag, A.real], dim=-1)], dim=-2)


def hankel_singular_values(
    A: Float[Tensor, "S N N"], B: Float[Tensor, "S N inputs"], C: Float[Tensor, "S outputs N"]
) -> Float[Tensor, "S N"]:
    """Relative Hankel singular values sigma_j / sigma_1 of x' = A x + B u, y = C x (discrete), of each of S systems, falling, float64.

    sigma = svd(Q^{1/2} P^{1/2}) with the Gramians P = sum_k A^k B B^T A^kT and Q = sum_k A^kT C^T C A^k, summed by doubling:
    P <- P + A P A^T, A <- A^2, 30 times at the most. The feed-through D plays no part. Systems whose powers of A do not vanish give NaN.
    """
    A, B, C = A.double(), B.double(), C.double()
    P, Q = B @ B.mT, C.mT @ C
    for _ in range(30):
        P, Q = P + A @ P @ A.mT, Q + A.mT @ Q @ A
        A = A @ A
        if bool((A.abs().amax() < 1e-18) | ~torch.isfinite(A).all()):
            break
    bad = ~(torch.isfinite(P) & torch.isfinite(Q)).all(-1).all(-1) | (A.abs().amax((-1, -2)) > 1e-3)

    def root(G: Tensor) -> Tensor:
        values, vectors = torch.linalg.eigh(torch.where(bad[:, None, None], torch.zeros_like(G), G))
        return vectors * values.clamp(min=0).sqrt().unsqueeze(-2)

    sigma = torch.linalg.svdvals(root(Q).mT @ root(P))
    sigma = sigma / sigma[:, :1]
    return torch.where(bad[:, None], torch.nan, sigma)
