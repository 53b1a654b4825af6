"""Series in the all-pass of HOPE, P = sum_j c_j A(z)^j with A(z) = (z^{-1} - a) / (1 - a z^{-1}), a = (1 - dt) / (1 + dt): on the unit
circle, or as the taps of its impulse response.

Both are linear in c and depend on one more number a channel, dt, in the same way: as dA/da = (A^2 - 1) / (1 - a^2),

    d P(c) / d log dt = P(Dc),    (Dc)_j = ((j + 1) c_{j+1} - (j - 1) c_{j-1}) / 2,

a series again, longer by one. So the gradients of c and of dt are inner products with one list of moments <q, A^j>, q the gradient of P,
and derivatives of any order are series and moments.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, replace
from typing import Any, Self

import torch
from jaxtyping import Complex, Float, Inexact
from torch import Tensor
from torch.nn.functional import pad

from .functional import complex_of, exact_precision, exact_product, interleaved, powers, split
from .krylov import Factors

# ------------------------------------------------------------------------------------------------- series and moments


class Domain(ABC):
    """Where a series is wanted. c (H, J, p) and dt (H, 1) come in float64; values in the precision of the domain."""

    @abstractmethod
    def series(self, c: Float[Tensor, "H J p"], dt: Float[Tensor, "H 1"]) -> Inexact[Tensor, "H J F"]:
        """sum_j c_j A^j."""

    @abstractmethod
    def moments(self, q: Inexact[Tensor, "H J F"], dt: Float[Tensor, "H 1"], p: int) -> Float[Tensor, "H J {p}"]:
        """Re <q, A^j> for j < p: the transpose of `series`."""


def _slope(c: Float[Tensor, "*batch p"]) -> Float[Tensor, "*batch q"]:
    """D c of the module docstring."""
    weighted = c * torch.arange(c.shape[-1], device=c.device)
    return (pad(weighted[..., 1:], (0, 2)) - pad(weighted, (1, 0))) / 2


def _along_channels(info: Any, in_dims: tuple[int | None, ...], *tensors: Tensor) -> list[Tensor]:
    """The mapped axis of `vmap` made part of the channels."""
    spread = (t.expand(info.batch_size, *t.shape) if d is None else t.movedim(d, 0) for t, d in zip(tensors, in_dims))
    return [t.flatten(0, 1) for t in spread]


class _Series(torch.autograd.Function):
    @staticmethod
    def forward(c: Tensor, dt: Tensor, domain: Domain) -> Tensor:
        return domain.series(c, dt)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Tensor, Tensor, Domain], output: Tensor) -> None:
        ctx.save_for_backward(*inputs[:2])
        ctx.save_for_forward(*inputs[:2])
        ctx.domain = inputs[2]

    @staticmethod
    def backward(ctx: Any, q: Tensor) -> tuple[Tensor, Tensor, None]:  # type: ignore[override]
        c, dt = ctx.saved_tensors
        m = _Moments.apply(q, dt, c.shape[-1] + 1, ctx.domain)
        return m[..., :-1], (_slope(c) * m).sum((1, 2)).unsqueeze(-1) / dt, None

    @staticmethod
    def jvp(ctx: Any, dc: Tensor | None, ddt: Tensor | None, _: None) -> Tensor:
        c, dt = ctx.saved_tensors
        step = 0 if ddt is None else _slope(c) * (ddt / dt).unsqueeze(-1)
        if dc is not None:
            step = step + pad(dc, (0, 1))
        return _Series.apply(step, dt, ctx.domain)

    @staticmethod
    def vmap(info: Any, in_dims: tuple[int | None, int | None, None], c: Tensor, dt: Tensor, domain: Domain) -> tuple[Tensor, int]:
        return _Series.apply(*_along_channels(info, in_dims, c, dt), domain).unflatten(0, (info.batch_size, -1)), 0


class _Moments(torch.autograd.Function):
    @staticmethod
    def forward(q: Tensor, dt: Tensor, p: int, domain: Domain) -> Tensor:
        return domain.moments(q, dt, p)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Tensor, Tensor, int, Domain], output: Tensor) -> None:
        ctx.save_for_backward(*inputs[:2])
        ctx.save_for_forward(*inputs[:2])
        ctx.p, ctx.domain = inputs[2:]

    @staticmethod
    def backward(ctx: Any, d: Tensor) -> tuple[Tensor, Tensor, None, None]:  # type: ignore[override]
        q, dt = ctx.saved_tensors
        m = _Moments.apply(q, dt, ctx.p + 1, ctx.domain)
        return _Series.apply(d, dt, ctx.domain), (_slope(d) * m).sum((1, 2)).unsqueeze(-1) / dt, None, None

    @staticmethod
    def jvp(ctx: Any, dq: Tensor | None, ddt: Tensor | None, *_: None) -> Tensor:
        q, dt = ctx.saved_tensors
        step = torch.zeros((), dtype=dt.dtype, device=dt.device) if dq is None else _Moments.apply(dq, dt, ctx.p, ctx.domain)
        if ddt is not None:
            m = _Moments.apply(q, dt, ctx.p + 1, ctx.domain)
            j = torch.arange(ctx.p, device=m.device)
            before, after = pad(m[..., :-2], (1, 0)), m[..., 1:]
            step = step + (ddt / dt).unsqueeze(-1) * j * (before - after) / 2
        return step

    @staticmethod
    def vmap(info: Any, in_dims: tuple[Any, ...], q: Tensor, dt: Tensor, p: int, domain: Domain) -> tuple[Tensor, int]:
        return _Moments.apply(*_along_channels(info, in_dims, q, dt), p, domain).unflatten(0, (info.batch_size, -1)), 0


# ------------------------------------------------------------------------------------------------- on the unit circle


def warped_angles(theta: Float[Tensor, " F"], dt: Float[Tensor, "H 1"]) -> Float[Tensor, "H F"]:
    """theta~ = 2 arctan(tan(theta / 2) / dt) in [0, 2 pi], the angle of the relocated node; atan2 keeps theta = pi ordinary."""
    return 2 * torch.atan2(torch.sin(theta / 2), dt * torch.cos(theta / 2))


def samples_direct(h: Inexact[Tensor, "H n"], dt: Float[Tensor, "H 1"], theta: Float[Tensor, " F"]) -> Complex[Tensor, "H F"]:
    """g_k = sum_j h_j exp(-i (j+1) theta~_k) from the definition, in O(H F n) memory. The oracle of `samples`."""
    angle = warped_angles(theta, dt).unsqueeze(-1) * torch.arange(1, h.shape[-1] + 1, device=h.device)
    return torch.einsum("hj,hfj->hf", h.to(torch.complex128), torch.complex(torch.cos(angle), -torch.sin(angle)))


CHUNK = 1 << 20
"""Complex numbers in the largest table of `Circle`, of which there are two: channels are taken in turn where there would be more."""


@dataclass(frozen=True)
class Circle(Domain):
    """At angles theta, by j + 1 = m r + k with r near sqrt(p): r powers A^k, one real product, and Horner's rule in A^r."""

    theta: Float[Tensor, " F"]
    dtype: torch.dtype

    def nodes(self, dt: Float[Tensor, "H 1"]) -> Complex[Tensor, "H F"]:
        """A(e^{i theta}) = e^{-i theta~} = (dt cos(theta/2) - i sin(theta/2))^2 / |.|^2, by no cancelling difference."""
        x, y = dt * torch.cos(self.theta / 2), torch.sin(self.theta / 2)
        norm = x * x + y * y
        return torch.complex((x - y) * (x + y) / norm, -2 * x * y / norm)

    def powers(self, dt: Float[Tensor, "H 1"], r: int) -> tuple[Float[Tensor, "H r F2"], Complex[Tensor, "H F"]]:
        """(A, ..., A^r as Re and Im in turn, A^r); the last of them from a node in double precision."""
        node = self.nodes(dt)
        last, first = node, node.to(self.dtype.to_complex())
        for _ in range(r.bit_length() - 1):
            last = last * last
        table = first.new_empty(len(dt), r, first.shape[-1])
        table[:, 0] = first
        for k in range(1, r):
            torch.mul(table[:, k - 1], first, out=table[:, k])
        return interleaved(table), last.to(first.dtype)

    def slices(self, H: int, J: int, p: int) -> tuple[int, list[slice]]:
        """(r, channels that fit into a chunk)."""
        r = 1 << max(0, ((p - 1).bit_length() + 1) // 2)
        size = max(1, CHUNK // max(1, max(r, J * -(-p // r)) * len(self.theta)))  # of one step, a circle may have no node
        return r, [slice(i, i + size) for i in range(0, H, size)]

    def series(self, c: Float[Tensor, "H J p"], dt: Float[Tensor, "H 1"]) -> Complex[Tensor, "H J F"]:
        H, J, p = c.shape
        out = torch.empty(H, J, len(self.theta), dtype=self.dtype.to_complex(), device=c.device)
        r, chunks = self.slices(H, J, p)
        first = c[..., :1].to(self.dtype)
        blocks = pad(c[..., 1:].to(self.dtype), (0, -(p - 1) % r)).reshape(H, -1, r)  # (H, J m, r)
        for chunk in chunks:
            table, step = self.powers(dt[chunk], r)
            inner = complex_of(exact_product(blocks[chunk], table)).unflatten(1, (J, -1))  # (H, J, m, F)
            g = out[chunk]
            if inner.shape[2] == 0:
                g.zero_()
            else:
                g.copy_(inner[:, :, -1])
            for b in reversed(range(inner.shape[2] - 1)):
                g.mul_(step.unsqueeze(1)).add_(inner[:, :, b])
            g.add_(first[chunk])
        return out

    def moments(self, q: Complex[Tensor, "H J F"], dt: Float[Tensor, "H 1"], p: int) -> Float[Tensor, "H J {p}"]:
        H, J, F = q.shape
        r, chunks = self.slices(H, J, p)
        m = -(-(p - 1) // r)
        out = []
        for chunk in chunks:
            table, step = self.powers(dt[chunk], r)
            turned = q.new_empty(len(table), J, m, F)
            back = step.conj().resolve_conj().unsqueeze(1)
            for b in range(m):
                turned[:, :, b] = q[chunk] if b == 0 else turned[:, :, b - 1] * back
            later = exact_product(interleaved(turned).flatten(1, 2), table.mT)  # (H, J m, r)
            out.append(later.unflatten(1, (J, m)).flatten(2)[..., : p - 1])
        return torch.cat([q.real.sum(-1, keepdim=True), torch.cat(out)], dim=-1).to(dt.dtype)


def samples(h: Inexact[Tensor, "H n"], dt: Float[Tensor, "H 1"], theta: Float[Tensor, " F"]) -> Complex[Tensor, "H F"]:
    """g_k = sum_j h_j exp(-i (j+1) theta~_k), the transfer function at the relocated nodes (2405.13975, Algorithm 1).

    Nodes in the precision of dt, which should be float64, sums in that of h. O(H F sqrt(n)) memory at most.
    """
    dtype = h.dtype.to_real()
    parts = torch.view_as_real(h).movedim(-1, 1) if h.is_complex() else h.unsqueeze(1)
    g = _Series.apply(pad(parts.double(), (1, 0)), dt, Circle(theta, dtype))
    return torch.complex(g[:, 0].real - g[:, 1].imag, g[:, 0].imag + g[:, 1].real) if h.is_complex() else g[:, 0]


# ------------------------------------------------------------------------------------------------- taps


def toeplitz(f: Float[Tensor, "*batch n"]) -> Float[Tensor, "*batch n n"]:
    """The lower-triangular Toeplitz matrix with first column f: multiplication by the polynomial f modulo x^n."""
    n = f.shape[-1]
    return pad(f, (n - 1, 0)).unfold(-1, n, 1).flip(-1)


def ladder(dt: Float[Tensor, "H 1"], n: int) -> tuple[Float[Tensor, "H {n}"], Float[Tensor, "H {n}"], Float[Tensor, "H 1"]]:
    """(f, (-a)^k, s) with A = toeplitz(f) of the orthogonal state space of the all-pass cascade, see `models.hope.HOPEKernel`.

    As a polynomial, f = (x + a) / (1 + a x) = a + s^2 sum_{k > 0} (-a)^{k-1} x^k.
    """
    a = (1 - dt) / (1 + dt)
    s2 = 4 * dt / (1 + dt) ** 2  # 1 - a^2, without the cancellation
    alternating = powers(-a.squeeze(-1), n)
    return torch.cat([a, s2 * alternating[:, : n - 1]], dim=-1), alternating, s2.sqrt()


@dataclass(frozen=True)
class AllPass(Factors):
    """The A = toeplitz(f) of `ladder`, multiplication by the polynomial (x + a) / (1 + a x) modulo x^n, by its one parameter."""

    a: Float[Tensor, "H 1"]

    def times(self, x: Float[Tensor, "B H n"]) -> Float[Tensor, "B H n"]:
        """y_j = a x_j + x_{j-1} - a y_{j-1} along the state, in O(n log n): with c = -a, 1 / (1 - c x) = prod_k (1 + c^{2^k} x^{2^k})."""
        y, c, m = self.a * x + pad(x[..., :-1], (1, 0)), -self.a, 1
        while m < x.shape[-1]:
            y = y + c * pad(y[..., :-m], (m, 0))
            c, m = c * c, 2 * m
        return y

    def detach(self) -> Self:
        return replace(self, a=self.a.detach())


def _polynomial_square(f: Float[Tensor, "H n"]) -> Float[Tensor, "H n"]:
    """f^2 modulo x^n, so that toeplitz of it is toeplitz(f)^2."""
    n = f.shape[-1]
    return torch.fft.irfft(torch.fft.rfft(f, n=2 * n).square(), n=2 * n)[..., :n]


@dataclass(frozen=True)
class Taps(Domain):
    """The first L taps: tap 0 is sum_j c_j (-a)^j, tap l + 1 is C A^l B of the ladder, C linear in c_1, ..., by l = iT + j.

    All but the product of rows C A^{iT} and columns A^j B is small and in float64, and each comes by doubling, since a power of a Toeplitz
    matrix is one too.
    """

    L: int
    dtype: torch.dtype

    def columns(self, f: Tensor, B: Tensor, T: int) -> tuple[Float[Tensor, "H {T} n"], Float[Tensor, "H n"]]:
        """(A^j B for j < T in the precision of B, the f of A^T)."""
        X = B.unsqueeze(1)
        while X.shape[1] < T:
            X = torch.cat([X, X @ toeplitz(f.to(B.dtype)).mT], dim=1)
            f = _polynomial_square(f)
        return X, f

    def series(self, c: Float[Tensor, "H J p"], dt: Float[Tensor, "H 1"]) -> Float[Tensor, "H J L"]:
        H, J, p = c.shape
        f, alternating, s = ladder(dt, p)
        first = (c * alternating.unsqueeze(1)).sum(-1, keepdim=True).to(self.dtype)
        if self.L == 1 or p == 1:
            return pad(first, (0, self.L - 1))
        f, alternating = f[:, :-1], alternating[:, :-1]
        T, M = split(self.L - 1)
        columns, f = self.columns(f, s * alternating, T)
        rows = (s.unsqueeze(-1) * (c[..., 1:] @ toeplitz(alternating))).unsqueeze(1)  # (H, M, J, n)
        while rows.shape[1] < M:
            few = rows[:, : M - rows.shape[1]]
            rows = torch.cat([rows, (few.flatten(1, 2) @ toeplitz(f)).view_as(few)], dim=1)
            f = _polynomial_square(f)
        K = exact_product(rows.transpose(1, 2).flatten(1, 2).to(self.dtype), columns.to(self.dtype).mT)  # (H, J M, T)
        return torch.cat([first, K.view(H, J, M * T)[..., : self.L - 1]], dim=-1)

    def moments(self, q: Float[Tensor, "H J L"], dt: Float[Tensor, "H 1"], p: int) -> Float[Tensor, "H J {p}"]:
        """The powers in double precision, their products in that of a derivative."""
        H, J, _ = q.shape
        dtype = exact_precision(self.dtype, q.device)
        f, alternating, s = ladder(dt, p)
        first = q[..., :1].to(dt.dtype) * alternating.unsqueeze(1)
        if self.L == 1 or p == 1:
            return first
        f, alternating = f[:, :-1], alternating[:, :-1]
        T, M = split(self.L - 1)
        columns, f = self.columns(f, (s * alternating).to(dtype), T)
        Q = pad(q[..., 1:].to(dtype), (0, T * M - self.L + 1)).reshape(H, J * M, T)
        rows = (Q @ columns).unflatten(1, (J, M)).transpose(1, 2)  # (H, M, J, n)
        while rows.shape[1] > 1:
            odd = rows[:, 1::2]
            folded = (odd.flatten(1, 2) @ toeplitz(f.to(dtype)).mT).view_as(odd)
            rows = torch.cat([rows[:, 0:-1:2] + folded, rows[:, 2 * odd.shape[1] :]], dim=1)
            f = _polynomial_square(f)
        later = s.unsqueeze(-1) * (rows.squeeze(1).to(dt.dtype) @ toeplitz(alternating).mT)
        return first + pad(later, (1, 0))


def taps(h: Float[Tensor, "J H n"], dt: Float[Tensor, "H 1"], L: int, dtype: torch.dtype) -> Float[Tensor, "J H {L}"]:
    """K_l, l < L, of K(z) = sum_j h_j A(z)^{j+1}, in `dtype`: exact for every L and dt. Its oracle is the recurrence of `HOPEKernel`."""
    return _Series.apply(pad(h.double().transpose(0, 1), (1, 0)), dt, Taps(L, dtype)).transpose(0, 1)
