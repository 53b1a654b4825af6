"""Kernels K_l = C A^l B of a matrix A that is not diagonal, by the identity of `models.functional`: rows C A^{iT} times columns A^j B.

Everything but the last product is small and runs in float64, whatever the precision of the parameters: squaring a power squares its error
along, and torch may round the factors of a float32 product to ten bits or to seven (torch.set_float32_matmul_precision).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Complex, Float, Inexact
from torch import Tensor

from .functional import exact_product, real_matrix, split

# ------------------------------------------------------------------------------------------------- one power


class Power(ABC):
    """A^p of one matrix a channel, p a power of two, in the cheapest form that it has."""

    @abstractmethod
    def square(self) -> Power:
        """A^{2p}."""

    @abstractmethod
    def matrix(self) -> Float[Tensor, "H N N"]:
        """A^p written out."""

    def columns(self, B: Float[Tensor, "H N"], T: int) -> tuple[Float[Tensor, "T H N"], Power]:
        """A^{jp} B for j < T, and A^{Tp}; T a power of two."""
        power = self
        for _ in range(T.bit_length() - 1):
            power = power.square()
        return orbit(self.matrix().mT, B.unsqueeze(1), T).squeeze(2), power


@dataclass(frozen=True)
class Dense(Power):
    """Any matrix; a square costs N^3."""

    A: Float[Tensor, "H N N"]

    def square(self) -> Dense:
        return Dense(self.A @ self.A)

    def matrix(self) -> Float[Tensor, "H N N"]:
        return self.A

    def __matmul__(self, X: Float[Tensor, "H N t"]) -> Float[Tensor, "H N t"]:
        return self.A @ X


def turn(D: Complex[Tensor, "H M"], X: Float[Tensor, "H N t"]) -> Float[Tensor, "H N t"]:
    """D x for a complex diagonal D, on columns (Re x, Im x)."""
    re, im = X.chunk(2, dim=-2)
    D = D.resolve_conj().unsqueeze(-1)
    a, b = D.real, D.imag
    return torch.cat([a * re - b * im, b * re + a * im], dim=-2)


@dataclass(frozen=True)
class DiagonalPlusLowRank(Power):
    """diag(D) + U V^T on (Re x, Im x). A square doubles the rank at a cost of N r^2, up to where the dense form is no dearer."""

    D: Complex[Tensor, "H M"]
    U: Float[Tensor, "H N r"]
    V: Float[Tensor, "H N r"]

    def square(self) -> DiagonalPlusLowRank | Dense:
        D, U, V = self.D, self.U, self.V
        low = DiagonalPlusLowRank(D * D, torch.cat([self @ U, U], -1), torch.cat([V, turn(D.conj(), V)], -1))
        N, r = low.U.shape[-2:]
        return low if 2 * r < N else Dense(low.matrix())

    def matrix(self) -> Float[Tensor, "H N N"]:
        return real_matrix(torch.diag_embed(self.D)) + self.U @ self.V.mT

    def __matmul__(self, X: Float[Tensor, "H N t"]) -> Float[Tensor, "H N t"]:
        return turn(self.D, X) + self.U @ (self.V.mT @ X)

    def columns(self, B: Float[Tensor, "H N"], T: int) -> tuple[Float[Tensor, "T H N"], Power]:
        """By doubling, which costs little as long as the rank is low."""
        power: DiagonalPlusLowRank | Dense = self
        X = B.unsqueeze(-1)
        while X.shape[-1] < T:
            X = torch.cat([X, power @ X], dim=-1)
            power = power.square()
        return X.permute(2, 0, 1), power


# ------------------------------------------------------------------------------------------------- all powers on a vector


class _Steps(torch.autograd.Function):
    """x_i = x_{i-1} A + v_i along the first axis, or x_i = x_{i+1} A + v_i `backwards`.

    The gradient of v is the same recurrence the other way with A^T, and that of A one product; through the squarings of a doubling it would
    be two products for each of them.
    """

    @staticmethod
    def forward(A: Tensor, v: Tensor, backwards: bool) -> Tensor:
        x = v.contiguous().clone()
        order = range(len(x) - 2, -1, -1) if backwards else range(1, len(x))
        for i in order:
            x[i].baddbmm_(x[i + 1 if backwards else i - 1], A)
        return x

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Tensor, Tensor, bool], output: Tensor) -> None:
        ctx.save_for_backward(inputs[0], output)
        ctx.save_for_forward(inputs[0], output)
        ctx.backwards = inputs[2]

    @staticmethod
    def backward(ctx: Any, dx: Tensor) -> tuple[Tensor, Tensor, None]:  # type: ignore[override]
        A, x = ctx.saved_tensors
        dv = _Steps.apply(A.mT, dx, not ctx.backwards)
        before, after = (x[1:], dv[:-1]) if ctx.backwards else (x[:-1], dv[1:])
        by_channel = lambda y: y.transpose(0, 1).flatten(1, 2)  # (steps, H, J, N) -> (H, steps J, N)
        return by_channel(before).mT @ by_channel(after), dv, None

    @staticmethod
    def jvp(ctx: Any, dA: Tensor | None, dv: Tensor | None, _: None) -> Tensor:
        A, x = ctx.saved_tensors
        step = torch.zeros_like(x) if dv is None else dv
        if dA is not None:
            none = torch.zeros_like(x[:1])
            step = step + (torch.cat([x[1:], none]) if ctx.backwards else torch.cat([none, x[:-1]])) @ dA
        return _Steps.apply(A, step, ctx.backwards)

    @staticmethod
    def vmap(info: Any, in_dims: tuple[int | None, int | None, None], A: Tensor, v: Tensor, backwards: bool) -> tuple[Tensor, int]:
        """More channels."""
        A = A.expand(info.batch_size, *A.shape) if in_dims[0] is None else A.movedim(in_dims[0], 0)
        v = v.unsqueeze(1).expand(-1, info.batch_size, *v.shape[1:]) if in_dims[1] is None else v.movedim(in_dims[1], 1)
        return _Steps.apply(A.flatten(0, 1), v.flatten(1, 2), backwards).unflatten(1, v.shape[1:3]), 1


def orbit(A: Float[Tensor, "H N N"], C: Float[Tensor, "H J N"], M: int) -> Float[Tensor, "{M} H J N"]:
    """C A^i, i < M."""
    return _Steps.apply(A, torch.cat([C.unsqueeze(0), C.new_zeros(M - 1, *C.shape)]), False)


def krylov_direct(A: Inexact[Tensor, "H N N"], B: Inexact[Tensor, "H N"], C: Inexact[Tensor, "J H N"], L: int) -> Float[Tensor, "J H {L}"]:
    """K_l = Re C A^l B, l < L, by stepping x <- A x. The oracle of `krylov`."""
    x, K = B, []
    for _ in range(L):
        K.append(torch.einsum("jhn,hn->jh", C, x).real)
        x = torch.einsum("hmn,hn->hm", A, x)
    return torch.stack(K, dim=-1)


def krylov(A: Power, B: Float[Tensor, "H N"], C: Float[Tensor, "J H N"], L: int, dtype: torch.dtype) -> Float[Tensor, "J H {L}"]:
    """K_l = C A^l B, l < L, in `dtype`: A, B and C should come in float64, only the last product, where the length is, runs in `dtype`.

    O(H N^2 sqrt(L) + H N L) time, and log2(L) / 2 squares of A. Safe where A is a contraction in its basis (S4: A + A* < 0 before the
    bilinear map), because then no power of it grows.
    """
    J, H, N = C.shape
    T, M = split(L)
    columns, power = A.columns(B, T)  # (T, H, N)
    rows = orbit(power.matrix(), C.transpose(0, 1), M)  # (M, H, J, N)
    K = exact_product(rows.to(dtype).permute(1, 2, 0, 3).reshape(H, J * M, N), columns.to(dtype).permute(1, 2, 0))  # (H, J M, T)
    return K.view(H, J, M * T)[..., :L].transpose(0, 1)
