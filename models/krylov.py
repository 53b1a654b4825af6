"""Kernels K_l = C A^l B of a matrix A that is not diagonal, by the identity of `models.vandermonde`: rows C A^{iT} times columns A^j B.

Everything but the last product is small and runs in float64, whatever the precision of the parameters: a power that is multiplied again
takes its error along, and torch may round the factors of a float32 product to ten bits or to seven (torch.set_float32_matmul_precision).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, replace
from typing import Any, Self

import torch
from jaxtyping import Complex, Float, Inexact
from torch import Tensor

from .functional import (
    complex_of,
    complex_vector,
    exact_precision,
    exact_product,
    in_precision,
    interleaved,
    power_table,
    real_matrix,
    real_vector,
    split,
)

# ------------------------------------------------------------------------------------------------- matrices


class Factors(ABC):
    """A real matrix a channel in a form whose product with a state costs less than N^2."""

    @abstractmethod
    def times(self, x: Float[Tensor, "B H N"]) -> Float[Tensor, "B H N"]:
        """A x."""

    @abstractmethod
    def detach(self) -> Self:
        """The same numbers, from which no gradient flows back."""


class Matrix(ABC):
    """One matrix a channel, in the cheapest form that it has."""

    @abstractmethod
    def matrix(self) -> Float[Tensor, "H N N"]:
        """A written out, on (Re x, Im x) where the state is complex."""

    @abstractmethod
    def columns(
        self, B: Float[Tensor, "H N"], C: Float[Tensor, "J H N"], T: int, slopes: torch.dtype
    ) -> tuple[Float[Tensor, "H {T} N"], Float[Tensor, "H N N"], Float[Tensor, "H J N"]]:
        """A^j B for j < T, A^T, and C, all in one basis; T is a power of two. Derivatives run in the precision `slopes`."""


@dataclass(frozen=True)
class Dense(Matrix):
    """Any matrix; a power costs N^3."""

    A: Float[Tensor, "H N N"]

    def matrix(self) -> Float[Tensor, "H N N"]:
        return self.A

    def columns(self, B: Tensor, C: Tensor, T: int, slopes: torch.dtype) -> tuple[Tensor, Tensor, Tensor]:
        X = orbit(self.A.mT, B.unsqueeze(1), T, slopes).squeeze(2).transpose(0, 1)
        return X, torch.linalg.matrix_power(self.A, T), C.transpose(0, 1)


@dataclass(frozen=True)
class DiagonalPlusRankOne(Matrix, Factors):
    """x -> D x + u Re(v* x) for a complex diagonal D, a real matrix on (Re x, Im x).

    Its powers are A^m = D^m + sum_{i<m} (A^i u) (v* D^{m-1-i}): the columns that u has anyway and a table of powers of D. So A^m X costs
    2 N m a column, and no power is written out but the one that is asked for.
    """

    D: Complex[Tensor, "H M"]
    u: Complex[Tensor, "H M"]
    v: Complex[Tensor, "H M"]

    def matrix(self) -> Float[Tensor, "H N N"]:
        return real_matrix(torch.diag_embed(self.D)) + real_vector(self.u).unsqueeze(-1) * real_vector(self.v).unsqueeze(-2)

    def __matmul__(self, x: Complex[Tensor, "*batch H M"]) -> Complex[Tensor, "*batch H M"]:
        return self.D * x + self.u * (self.v.conj() * x).sum(-1, keepdim=True).real

    def times(self, x: Float[Tensor, "B H N"]) -> Float[Tensor, "B H N"]:
        """The product with real states, in O(N)."""
        return real_vector(self @ complex_vector(x))

    def detach(self) -> Self:
        return replace(self, D=self.D.detach(), u=self.u.detach(), v=self.v.detach())

    def columns(self, B: Tensor, C: Tensor, T: int, slopes: torch.dtype) -> tuple[Tensor, Tensor, Tensor]:
        """States as pairs (Re x_0, Im x_0, Re x_1, ...), so that they are complex and real without a copy."""
        X, power = _Doubling.apply(self.D, self.u, self.v, complex_vector(B), T, slopes)
        return interleaved(X[:, 1]), power, interleaved(complex_vector(C.transpose(0, 1)))


def _functionals(D: Tensor, v: Tensor, T: int, dtype: torch.dtype) -> tuple[Complex[Tensor, "H {T} M"], Float[Tensor, "H {T} N"]]:
    """(D*^k for k < T; D*^{T-1} v, ..., D* v, v as pairs, the last m of which stand in A^m)."""
    table = power_table(D.conj().resolve_conj(), T, dtype)
    return table, interleaved((in_precision(v, dtype).unsqueeze(1) * table).flip(1))


def _blocks(A: Float[Tensor, "H N N"]) -> Float[Tensor, "H 2 2 M"]:
    """A view of the 2 x 2 blocks along the diagonal of a matrix on pairs."""
    return A.unflatten(2, (-1, 2)).unflatten(1, (-1, 2)).diagonal(dim1=1, dim2=3)


def _plus_diagonal(A: Float[Tensor, "H N N"], D: Complex[Tensor, "H M"]) -> Float[Tensor, "H N N"]:
    """A, which is written to, plus the real matrix of x -> D x on pairs."""
    _blocks(A).add_(torch.stack([D.real, -D.imag, D.imag, D.real], 1).unflatten(1, (2, 2)))
    return A


class _Doubling(torch.autograd.Function):
    """(A^j u, A^j b) for j < T and A^T written out, of A = D + u v*: [X, A^m X] has twice the columns of X.

    The derivative goes back through the doublings with nothing kept but D, u, v and the columns.
    """

    @staticmethod
    def forward(D: Tensor, u: Tensor, v: Tensor, b: Tensor, T: int, slopes: torch.dtype) -> tuple[Tensor, Tensor]:
        _, V = _functionals(D, v, T, torch.float64)
        X, power = torch.stack([u, b], dim=1).unsqueeze(2), D  # (H, 2, m, M)
        for m in (1 << k for k in range(T.bit_length() - 1)):
            through = (interleaved(X).flatten(1, 2) @ V[:, T - m :].mT) @ interleaved(X[:, 0])
            X = torch.cat([X, power[:, None, None] * X + complex_of(through).view_as(X)], dim=2)
            power = power * power
        return X, _plus_diagonal(interleaved(X[:, 0]).mT @ V, power)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Tensor, Tensor, Tensor, Tensor, int, torch.dtype], output: tuple[Tensor, Tensor]) -> None:
        ctx.save_for_backward(inputs[0], inputs[2], output[0])
        ctx.save_for_forward(*inputs[:4])
        ctx.T, ctx.slopes = inputs[4:]

    @staticmethod
    def backward(ctx: Any, dX: Tensor, dA: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor, None, None]:  # type: ignore[override]
        D, v, X = ctx.saved_tensors
        T, wide = ctx.T, D.dtype
        table, V = _functionals(D, v, T, ctx.slopes)
        v, X, dX, dA = (in_precision(x, ctx.slopes) for x in (v, X, dX, dA))
        U = interleaved(X[:, 0])
        blocks = _blocks(dA)
        turned = torch.complex(blocks[:, 0, 0] + blocks[:, 1, 1], blocks[:, 1, 0] - blocks[:, 0, 1])
        dD, dV = T * table[:, T - 1] * turned, [U @ dA]
        dX = torch.stack([dX[:, 0] + complex_of(V @ dA.mT), dX[:, 1]], dim=1)
        for m in (1 << k for k in reversed(range(T.bit_length() - 1))):
            x, g = X[:, :, :m], dX[:, :, m:]
            rows, slopes, V_m, U_m = interleaved(x).flatten(1, 2), interleaved(g).flatten(1, 2), V[:, T - m :], U[:, :m]
            d = slopes @ U_m.mT
            dX = dX[:, :, :m] + table[:, m, None, None] * g + complex_of(d @ V_m).view_as(x)
            dX = torch.stack([dX[:, 0] + complex_of((V_m @ rows.mT) @ slopes), dX[:, 1]], dim=1)
            dD = dD + m * table[:, m - 1] * (x.conj() * g).sum((1, 2))
            dV.append(d.mT @ rows)
        total = dV.pop()
        while dV:
            d = dV.pop()
            total = torch.cat([d[:, : -total.shape[1]], d[:, -total.shape[1] :] + total], dim=1)
        back = complex_of(total).flip(1)  # of D*^k v
        k = torch.arange(1, T, device=D.device).unsqueeze(-1)
        dv = (table.conj() * back).sum(1)
        dD = dD + v * (k * table[:, :-1] * back[:, 1:].conj()).sum(1)
        return dD.to(wide), dX[:, 0, 0].to(wide), dv.to(wide), dX[:, 1, 0].to(wide), None, None

    @staticmethod
    def jvp(ctx: Any, *tangents: Tensor | None) -> tuple[Tensor, Tensor]:
        """The doublings once more, with their slopes beside them."""
        D, u, v, b = ctx.saved_tensors
        dD, du, dv, db = (torch.zeros_like(D) if t is None else t for t in tangents[:4])
        table, V = _functionals(D, v, ctx.T, torch.float64)
        k = torch.arange(1, ctx.T, device=D.device).unsqueeze(-1)
        slopes = torch.cat([torch.zeros_like(table[:, :1]), k * table[:, :-1] * dD.conj().unsqueeze(1)], dim=1)
        dV = interleaved((dv.unsqueeze(1) * table + v.unsqueeze(1) * slopes).flip(1))
        X, dX, power, dpower = (x.unsqueeze(2) for x in (torch.stack([u, b], 1), torch.stack([du, db], 1), D[:, None], dD[:, None]))
        for m in (1 << k for k in range(ctx.T.bit_length() - 1)):
            rows, U, last = interleaved(X).flatten(1, 2), interleaved(X[:, 0]), V[:, ctx.T - m :].mT
            through = (interleaved(dX).flatten(1, 2) @ last + rows @ dV[:, ctx.T - m :].mT) @ U + (rows @ last) @ interleaved(dX[:, 0])
            dX = torch.cat([dX, dpower * X + power * dX + complex_of(through).view_as(X)], dim=2)
            X = torch.cat([X, power * X + complex_of((rows @ last) @ U).view_as(X)], dim=2)
            power, dpower = power * power, 2 * power * dpower
        return dX, _plus_diagonal(interleaved(dX[:, 0]).mT @ V + interleaved(X[:, 0]).mT @ dV, dpower[:, 0, 0])

    @staticmethod
    def vmap(info: Any, in_dims: tuple[Any, ...], *inputs: Any) -> tuple[tuple[Tensor, Tensor], tuple[int, int]]:
        """More channels."""
        spread = (x.expand(info.batch_size, *x.shape) if d is None else x.movedim(d, 0) for x, d in zip(inputs[:4], in_dims))
        X, power = _Doubling.apply(*(x.flatten(0, 1) for x in spread), *inputs[4:])
        return (X.unflatten(0, (info.batch_size, -1)), power.unflatten(0, (info.batch_size, -1))), (0, 0)


# ------------------------------------------------------------------------------------------------- all powers on a vector


class _Steps(torch.autograd.Function):
    """x_i = x_{i-1} A + v_i along the first axis, or x_i = x_{i+1} A + v_i `backwards`.

    The gradient of v is the same recurrence the other way with A^T, and that of A one product; through the squarings of a doubling it would
    be two products for each of them.
    """

    @staticmethod
    def forward(A: Tensor, v: Tensor, backwards: bool, slopes: torch.dtype) -> Tensor:
        x = v.contiguous().clone()
        order = range(len(x) - 2, -1, -1) if backwards else range(1, len(x))
        for i in order:
            x[i].baddbmm_(x[i + 1 if backwards else i - 1], A)
        return x

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Tensor, Tensor, bool, torch.dtype], output: Tensor) -> None:
        ctx.save_for_backward(inputs[0], output)
        ctx.save_for_forward(inputs[0], output)
        ctx.backwards, ctx.slopes = inputs[2:]

    @staticmethod
    def backward(ctx: Any, dx: Tensor) -> tuple[Tensor, Tensor, None, None]:  # type: ignore[override]
        dtype = ctx.saved_tensors[0].dtype
        A, x = (saved.to(ctx.slopes) for saved in ctx.saved_tensors)
        dv = _Steps.apply(A.mT, dx.to(ctx.slopes), not ctx.backwards, ctx.slopes)
        before, after = (x[1:], dv[:-1]) if ctx.backwards else (x[:-1], dv[1:])
        by_channel = lambda y: y.transpose(0, 1).flatten(1, 2)  # (steps, H, J, N) -> (H, steps J, N)
        return (by_channel(before).mT @ by_channel(after)).to(dtype), dv.to(dtype), None, None

    @staticmethod
    def jvp(ctx: Any, dA: Tensor | None, dv: Tensor | None, *_: None) -> Tensor:
        A, x = ctx.saved_tensors
        step = torch.zeros_like(x) if dv is None else dv
        if dA is not None:
            none = torch.zeros_like(x[:1])
            step = step + (torch.cat([x[1:], none]) if ctx.backwards else torch.cat([none, x[:-1]])) @ dA
        return _Steps.apply(A, step, ctx.backwards, ctx.slopes)

    @staticmethod
    def vmap(info: Any, in_dims: tuple[Any, ...], A: Tensor, v: Tensor, backwards: bool, slopes: torch.dtype) -> tuple[Tensor, int]:
        """More channels."""
        A = A.expand(info.batch_size, *A.shape) if in_dims[0] is None else A.movedim(in_dims[0], 0)
        v = v.unsqueeze(1).expand(-1, info.batch_size, *v.shape[1:]) if in_dims[1] is None else v.movedim(in_dims[1], 1)
        return _Steps.apply(A.flatten(0, 1), v.flatten(1, 2), backwards, slopes).unflatten(1, v.shape[1:3]), 1


def orbit(A: Float[Tensor, "H N N"], C: Float[Tensor, "H J N"], M: int, slopes: torch.dtype) -> Float[Tensor, "{M} H J N"]:
    """C A^i, i < M."""
    return _Steps.apply(A, torch.cat([C.unsqueeze(0), C.new_zeros(M - 1, *C.shape)]), False, slopes)


def krylov_direct(A: Inexact[Tensor, "H N N"], B: Inexact[Tensor, "H N"], C: Inexact[Tensor, "J H N"], L: int) -> Float[Tensor, "J H {L}"]:
    """K_l = Re C A^l B, l < L, by stepping x <- A x. The oracle of `krylov`."""
    x, K = B, []
    for _ in range(L):
        K.append(torch.einsum("jhn,hn->jh", C, x).real)
        x = torch.einsum("hmn,hn->hm", A, x)
    return torch.stack(K, dim=-1)


def krylov(A: Matrix, B: Float[Tensor, "H N"], C: Float[Tensor, "J H N"], L: int, dtype: torch.dtype) -> Float[Tensor, "J H {L}"]:
    """K_l = C A^l B, l < L, in `dtype`: A, B and C should come in float64, only the last product, where the length is, runs in `dtype`.

    O(H N^2 sqrt(L) + H N L) time. Safe where A is a contraction in its basis (S4: A + A* < 0 before the bilinear map), because then no
    power of it grows.
    """
    J, H, N = C.shape
    T, M = split(L)
    slopes = exact_precision(dtype, B.device)
    columns, power, first = A.columns(B, C, T, slopes)
    rows = orbit(power, first, M, slopes)  # (M, H, J, N)
    K = exact_product(rows.to(dtype).permute(1, 2, 0, 3).reshape(H, J * M, N), columns.to(dtype).mT)  # (H, J M, T)
    return K.view(H, J, M * T)[..., :L].transpose(0, 1)
