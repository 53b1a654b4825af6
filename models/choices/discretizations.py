"""Discretizations of x' = A x + B u with step dt: each a frozen row of formulas with the order it claims.

Diagonal A: A_bar = a(z), B_bar = dt b(z) B with z = dt lambda. Dense A: the matrix form of the same rule, which is the oracle of
the diagonal one and comparable with scipy.signal.cont2discrete.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Float, Inexact
from torch import Tensor

from .names import choose

Matrix = Float[Tensor, "*batch N N"]
Vector = Float[Tensor, "*batch N"]


@dataclass(frozen=True, kw_only=True)
class Discretization:
    """One rule for turning (A, B, dt) into (A_bar, B_bar)."""

    name: str
    title: str
    order: float
    """a(z) - e^z = O(z^{order + 1}); infinite where a(z) = e^z."""
    a_stable: bool
    """Whether |a(z)| <= 1 on the whole left half plane. Where it is not, kernels are built only if their init stays inside the disk."""
    a: Callable[[Tensor], Tensor]
    b: Callable[[Tensor], Tensor]
    dense: Callable[[Matrix, Vector, Tensor], tuple[Tensor, Tensor]]
    """(A (..., N, N), B (..., N), dt (...,)) -> (A_bar, B_bar)."""
    alpha: float | None = None
    """Its place in the generalized bilinear family (0 forward Euler, 1/2 bilinear, 1 backward Euler), where it has one."""
    scipy: str | None = None
    """The method of scipy.signal.cont2discrete that is the same rule, where there is one."""

    def __reduce__(self) -> Any:
        """A row, or a member of the generalized bilinear family, is pickled by its name, since its formulas may be lambdas."""
        named = DISCRETIZATIONS.get(self.name) is self or self.name.startswith("gbt:")
        return (discretization, (self.name,)) if named else super().__reduce__()

    def diagonal(
        self, Lambda: Inexact[Tensor, "*batch M"], B: Inexact[Tensor, "*batch M"], dt: Float[Tensor, "*batch #M"]
    ) -> tuple[Tensor, Tensor]:
        """(A_bar, B_bar) = (a(z), dt b(z) B) for a diagonal A, z = dt lambda."""
        z = dt * Lambda
        return self.a(z), dt * self.b(z) * B

    def require_stable(self, size: Inexact[Tensor, "*shape"], dt_max: float) -> None:
        """Raises ValueError where the rule makes an init unstable: `size` holds A_bar, or its norms, at the largest step dt_max."""
        largest = float(size.abs().max())
        if largest > 1 + 1e-9:
            raise ValueError(
                f"{self.title} makes this init unstable: |A_bar| reaches {largest:.3g} at dt = {dt_max:g}, and kernels would grow without "
                "bound; take a smaller dt_max, or zoh, bilinear or backward-euler"
            )


class _Phi(torch.autograd.Function):
    """phi_k(z) = sum_m z^m / (m + k)!, so that phi_0 = e^z and phi_{k+1} = (phi_k - 1 / k!) / z; its derivative is phi_k - k phi_{k+1}."""

    generate_vmap_rule = True

    @staticmethod
    def forward(z: Tensor, k: int) -> Tensor:
        small = z.abs() < 0.1
        w = z.masked_fill(~small, 0)
        series = torch.zeros_like(w)
        for m in range(10, -1, -1):  # reaches 1e-17 at |z| = 1/10
            series = series.mul_(w).add_(1 / math.factorial(m + k))
        safe = z.masked_fill(small, 1)
        quotient = torch.exp(safe)
        for m in range(k):
            quotient = quotient.sub_(1 / math.factorial(m)).div_(safe)
        return torch.where(small, series, quotient)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Tensor, int], output: Tensor) -> None:
        ctx.save_for_backward(inputs[0], output)
        ctx.save_for_forward(inputs[0], output)
        ctx.k = inputs[1]

    @staticmethod
    def slope(ctx: Any) -> Tensor:
        z, phi = ctx.saved_tensors
        return phi - ctx.k * _Phi.apply(z, ctx.k + 1)

    @staticmethod
    def backward(ctx: Any, d: Tensor) -> tuple[Tensor, None]:  # type: ignore[override]
        return d * _Phi.slope(ctx).conj(), None

    @staticmethod
    def jvp(ctx: Any, dz: Tensor, _: None) -> Tensor:
        return dz * _Phi.slope(ctx)


def phi1(z: Inexact[Tensor, "*shape"]) -> Inexact[Tensor, "*shape"]:
    """(e^z - 1) / z, with the limit 1 at z = 0; the series is used where the quotient would cancel."""
    return _Phi.apply(z, 1)


def _dense_zoh(A: Tensor, B: Tensor, dt: Tensor) -> tuple[Tensor, Tensor]:
    """exp of the augmented matrix [[A, B], [0, 0]] dt: A_bar = e^{dt A}, B_bar = A^{-1} (A_bar - I) B, without an inverse of A."""
    N = A.shape[-1]
    top = torch.cat([A, B.unsqueeze(-1)], dim=-1)
    augmented = torch.cat([top, torch.zeros_like(top[..., :1, :])], dim=-2) * dt[..., None, None]
    E = torch.linalg.matrix_exp(augmented)
    return E[..., :N, :N], E[..., :N, N]


def _dense_dirac(A: Tensor, B: Tensor, dt: Tensor) -> tuple[Tensor, Tensor]:
    return torch.linalg.matrix_exp(A * dt[..., None, None]), dt.unsqueeze(-1) * B


def generalized_bilinear(alpha: float, name: str, title: str, scipy: str = "gbt") -> Discretization:
    """A_bar = (I - alpha dt A)^{-1} (I + (1 - alpha) dt A),  B_bar = (I - alpha dt A)^{-1} dt B  (2111.00396, appendix; HiPPO)."""
    if not 0 <= alpha <= 1:
        raise ValueError(f"the generalized bilinear family has alpha in [0, 1], got {alpha:g}")

    def dense(A: Tensor, B: Tensor, dt: Tensor) -> tuple[Tensor, Tensor]:
        eye = torch.eye(A.shape[-1], dtype=A.dtype, device=A.device)
        step = A * dt[..., None, None]
        right = torch.cat([eye + (1 - alpha) * step, (dt.unsqueeze(-1) * B).unsqueeze(-1)], dim=-1)
        solved = torch.linalg.solve(eye - alpha * step, right)
        return solved[..., :-1], solved[..., -1]

    return Discretization(
        name=name,
        title=title,
        order=2 if alpha == 0.5 else 1,
        a_stable=alpha >= 0.5,
        a=lambda z: (1 + (1 - alpha) * z) / (1 - alpha * z),
        b=lambda z: 1 / (1 - alpha * z),
        dense=dense,
        alpha=alpha,
        scipy=scipy,
    )


def discretization(name: str) -> Discretization:
    """The row `name` of DISCRETIZATIONS, or the member alpha of the generalized bilinear family, written "gbt:0.75"."""
    if name.startswith("gbt:"):
        try:
            alpha = float(name[4:])
        except ValueError:
            raise ValueError(f"{name!r}: write the generalized bilinear member as gbt:ALPHA with ALPHA in [0, 1]") from None
        return generalized_bilinear(alpha, name, f"generalized bilinear, alpha = {alpha:g}")
    return choose("discretization", name, DISCRETIZATIONS)


DISCRETIZATIONS: dict[str, Discretization] = {
    d.name: d
    for d in (
        Discretization(
            name="zoh", title="zero-order hold", order=math.inf, a_stable=True, a=torch.exp, b=phi1, dense=_dense_zoh, scipy="zoh"
        ),
        generalized_bilinear(0.5, "bilinear", "bilinear (Tustin)", "bilinear"),
        generalized_bilinear(1.0, "backward-euler", "backward Euler", "backward_diff"),
        generalized_bilinear(0.0, "forward-euler", "forward Euler", "euler"),
        Discretization(
            name="dirac",
            title="impulse (A_bar = e^z, B_bar = dt B)",
            order=math.inf,
            a_stable=True,
            a=torch.exp,
            b=torch.ones_like,
            dense=_dense_dirac,
            scipy="impulse",  # whose B_bar is A_bar dt B
        ),
    )
}
