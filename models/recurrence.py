"""Recurrence: the plain linear system x_{k+1} = A x_k + B u_k, y_k = C x_k + D u_k of a kernel, the slow and obvious one."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Inexact
from torch import Tensor

from .functional import hankel_singular_values, real_matrix, real_vector
from .krylov import Factors, krylov_direct


@dataclass(frozen=True)
class Recurrence:
    """x_{k+1} = A x_k + B u_k,  y_k = Re(C x_k) + D u_k, one system per channel; hence K_0 = D and K_l = Re(C A^{l-1} B).

    A is (H, N, N), or (H, N) where it is diagonal; B, C are (H, N); D is (H,). The factor 2 of a stored conjugate pair sits in C and D.
    This D is the first tap of the kernel, not the skip connection of the layer.
    """

    A: Inexact[Tensor, "H N"] | Inexact[Tensor, "H N N"]
    B: Inexact[Tensor, "H N"]
    C: Inexact[Tensor, "H N"]
    D: Float[Tensor, " H"]
    factors: Factors | None = None
    """The A of a dense recurrence once more, where it has such a form; `step` uses it."""

    @property
    def diagonal(self) -> bool:
        """Whether A is stored as its diagonal."""
        return self.A.ndim == 2

    def step(self, x: Inexact[Tensor, "B H N"], u: Float[Tensor, "B H"]) -> tuple[Inexact[Tensor, "B H N"], Float[Tensor, "B H"]]:
        """One step of the state and the output at that step. A product with a dense A without factors takes O(N^2)."""
        y = torch.einsum("hn,bhn->bh", self.C, x).real + self.D * u
        if self.factors is not None:
            Ax = self.factors.times(x)
        else:
            Ax = self.A * x if self.diagonal else torch.einsum("hmn,bhn->bhm", self.A, x)
        return Ax + self.B * u.unsqueeze(-1), y

    def with_skip(self, skip: Float[Tensor, " H"]) -> Recurrence:
        """The same system with y_k + skip u_k in the place of y_k."""
        return replace(self, D=self.D + skip)

    def detach(self) -> Recurrence:
        """The same numbers, from which no gradient flows back."""
        factors = None if self.factors is None else self.factors.detach()
        return Recurrence(self.A.detach(), self.B.detach(), self.C.detach(), self.D.detach(), factors)

    def kernel(self, L: int) -> Float[Tensor, "H {L}"]:
        """K by plain stepping: the slow oracle of every `Kernel.forward`."""
        A = self.A if not self.diagonal else torch.diag_embed(self.A)
        later = krylov_direct(A, self.B, self.C.unsqueeze(0), L - 1)[0] if L > 1 else self.D.new_zeros(self.D.shape[0], 0)
        return torch.cat([self.D.unsqueeze(-1), later], dim=-1)

    def real(self) -> Recurrence:
        """The same system with dense real matrices: a complex state becomes (Re x, Im x)."""
        A = torch.diag_embed(self.A) if self.diagonal else self.A
        if not A.is_complex():
            return Recurrence(A, self.B, self.C, self.D)
        return Recurrence(real_matrix(A), real_vector(self.B), real_vector(self.C.conj()), self.D)

    def eigenvalues(self) -> Inexact[Tensor, "H N"]:
        """The discrete eigenvalues, one member of each stored pair where A is diagonal, all of them where it is dense."""
        return self.A if self.diagonal else torch.linalg.eigvals(self.A.double())

    def hankel_singular_values(self) -> Float[Tensor, "H R"]:
        """Relative Hankel singular values of the real form, falling, float64."""
        real = self.real()
        return hankel_singular_values(real.A, real.B.unsqueeze(-1), real.C.unsqueeze(-2))

    def arrays(self) -> dict[str, np.ndarray]:
        """ "eigenvalues" (H, N) and "hsv" (H, R), see above, as a record keeps them."""
        return {
            "eigenvalues": self.eigenvalues().cpu().numpy().astype(np.complex64),
            "hsv": self.hankel_singular_values().cpu().numpy().astype(np.float32),
        }


# ------------------------------------------------------------------------------------------------- one step after the other


class _Sequential(torch.autograd.Function):
    """All states (start, x_0, .., x_{L-1}) of `sequential`; or, `backwards`, (x_0, .., x_{L-1}, start) of x_k = A x_{k+1} + v_k.

    The gradient of v is the same recurrence the other way with A^*, begun at the gradient of the last state, so that derivatives of any
    order are calls of this.
    """

    @staticmethod
    def forward(A: Tensor, v: Tensor, start: Tensor, backwards: bool) -> Tensor:
        L, dense = v.shape[1], A.ndim == 3
        x = v.new_empty(L + 1, v.shape[0], *v.shape[2:])  # step by step in memory too
        x[L if backwards else 0] = start
        x[slice(L) if backwards else slice(1, None)] = v.transpose(0, 1)
        A = A.mT if dense else A.unsqueeze(1)
        add = torch.Tensor.baddbmm_ if dense else torch.Tensor.addcmul_
        steps = [x[k] for k in range(L + 1)]
        for before, after in pairwise(reversed(steps) if backwards else steps):
            add(after, before, A)
        return x.transpose(0, 1)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Tensor, Tensor, Tensor, bool], output: Tensor) -> None:
        ctx.save_for_backward(inputs[0], output)
        ctx.save_for_forward(inputs[0], output)
        ctx.backwards = inputs[3]

    @staticmethod
    def backward(ctx: Any, dx: Tensor) -> tuple[Tensor, Tensor, Tensor, None]:  # type: ignore[override]
        A, x = ctx.saved_tensors
        A_star = A.mH if A.ndim == 3 else A.conj()
        inner, last = (dx[:, 1:], dx[:, 0]) if ctx.backwards else (dx[:, :-1], dx[:, -1])
        g = _Sequential.apply(A_star.resolve_conj(), inner, last, not ctx.backwards)
        before = x[:, 1:] if ctx.backwards else x[:, :-1]
        dv, dstart = (g[:, :-1], g[:, -1]) if ctx.backwards else (g[:, 1:], g[:, 0])
        dA = dv.flatten(1, 2).mT @ before.flatten(1, 2).conj() if A.ndim == 3 else (dv * before.conj()).sum(1).sum(1)
        return dA, dv, dstart, None

    @staticmethod
    def jvp(ctx: Any, dA: Tensor | None, dv: Tensor | None, dstart: Tensor | None, _: None) -> Tensor:
        A, x = ctx.saved_tensors
        before = x[:, 1:] if ctx.backwards else x[:, :-1]
        step = torch.zeros_like(before) if dv is None else dv
        if dA is not None:
            step = step + (before @ dA.mT.unsqueeze(1) if A.ndim == 3 else before * dA[:, None, None])
        return _Sequential.apply(A, step, torch.zeros_like(x[:, 0]) if dstart is None else dstart, ctx.backwards)

    @staticmethod
    def vmap(info: Any, in_dims: tuple[int | None, ...], *inputs: Any) -> tuple[Tensor, int]:
        """More channels."""
        *tensors, backwards = inputs
        many = (
            (x.unsqueeze(0).expand(info.batch_size, *x.shape) if d is None else x.movedim(d, 0)).flatten(0, 1)
            for x, d in zip(tensors, in_dims)
        )
        return _Sequential.apply(*many, backwards).unflatten(0, (info.batch_size, -1)), 0


def sequential(
    A: Inexact[Tensor, "H N"] | Inexact[Tensor, "H N N"], v: Inexact[Tensor, "H L B N"], start: Inexact[Tensor, "H B N"]
) -> Inexact[Tensor, "H L+1 B N"]:
    """All states (start, x_0, .., x_{L-1}) of x_k = A x_{k-1} + v_k, x_{-1} = start, A diagonal or dense, one step after the other in the
    precision of v: L short calls, each O(B N) or O(B N^2) a channel, and no memory but the states themselves."""
    return _Sequential.apply(A.to(v.dtype), v, start.to(v.dtype), False)
