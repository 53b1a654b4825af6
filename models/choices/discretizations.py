"""Discretizations of x' = A x + B u with step dt: each a frozen row of formulas with the order it claims.

Diagonal A: A_bar = a(z), B_bar = dt b(z) B with z = dt lambda. Dense A: the matrix form of the same rule, which is the oracle of
the diagonal one and comparable with scipy.signal.cont2discrete. The state takes the sample in, x_k = A_bar x_{k-1} + B_bar u_k, and the
output reads it, y_k = C x_k; a rule with a `direct` term reads y_k = C x_{k-1} + D u_k instead.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .names import choose

if TYPE_CHECKING:  # a spec names a rule; torch is imported by whoever computes with it
    from jaxtyping import Float, Inexact
    from torch import Tensor

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
    direct: Callable[[Tensor], Tensor] | None = None
    """d(z) of the direct term D = dt C d(z) B of a rule that reads the present sample apart from the state; None for the others."""
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


def _phi1(z: Tensor) -> Tensor:
    from ..phi import phi1

    return phi1(z)


def _phi2(z: Tensor) -> Tensor:
    from ..phi import phi2

    return phi2(z)


def _dense_zoh(A: Tensor, B: Tensor, dt: Tensor) -> tuple[Tensor, Tensor]:
    """exp of the augmented matrix [[A, B], [0, 0]] dt: A_bar = e^{dt A}, B_bar = A^{-1} (A_bar - I) B, without an inverse of A."""
    import torch

    N = A.shape[-1]
    top = torch.cat([A, B.unsqueeze(-1)], dim=-1)
    augmented = torch.cat([top, torch.zeros_like(top[..., :1, :])], dim=-2) * dt[..., None, None]
    E = torch.linalg.matrix_exp(augmented)
    return E[..., :N, :N], E[..., :N, N]


def _dense_foh(A: Tensor, B: Tensor, dt: Tensor) -> tuple[Tensor, Tensor]:
    """A_bar = e^{dt A}, B_bar = dt phi_1(dt A)^2 B: the zero-order hold twice, the second time of phi_1(dt A) B."""
    A_bar, held = _dense_zoh(A, B, dt)
    return A_bar, _dense_zoh(A, held, dt)[1] / dt.unsqueeze(-1)


def _dense_dirac(A: Tensor, B: Tensor, dt: Tensor) -> tuple[Tensor, Tensor]:
    return (A * dt[..., None, None]).matrix_exp(), dt.unsqueeze(-1) * B


def generalized_bilinear(alpha: float, name: str, title: str, scipy: str = "gbt") -> Discretization:
    """A_bar = (I - alpha dt A)^{-1} (I + (1 - alpha) dt A),  B_bar = (I - alpha dt A)^{-1} dt B  (2111.00396, appendix; HiPPO)."""
    if not 0 <= alpha <= 1:
        raise ValueError(f"the generalized bilinear family has alpha in [0, 1], got {alpha:g}")

    def dense(A: Tensor, B: Tensor, dt: Tensor) -> tuple[Tensor, Tensor]:
        import torch

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
            name="zoh", title="zero-order hold", order=math.inf, a_stable=True, a=lambda z: z.exp(), b=_phi1, dense=_dense_zoh, scipy="zoh"
        ),
        Discretization(
            name="foh",  # between samples the input is a straight line
            title="first-order hold",
            order=math.inf,
            a_stable=True,
            a=lambda z: z.exp(),
            b=lambda z: _phi1(z).square(),
            direct=_phi2,
            dense=_dense_foh,
            scipy="foh",
        ),
        generalized_bilinear(0.5, "bilinear", "bilinear (Tustin)", "bilinear"),
        generalized_bilinear(1.0, "backward-euler", "backward Euler", "backward_diff"),
        generalized_bilinear(0.0, "forward-euler", "forward Euler", "euler"),
        Discretization(
            name="dirac",
            title="impulse (A_bar = e^z, B_bar = dt B)",
            order=math.inf,
            a_stable=True,
            a=lambda z: z.exp(),
            b=lambda z: z.new_ones(z.shape),
            dense=_dense_dirac,
            scipy="impulse",  # whose B_bar is A_bar dt B
        ),
    )
}
