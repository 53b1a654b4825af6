"""phi_1(z) = (e^z - 1) / z of the zero-order hold and phi_2(z) = (e^z - 1 - z) / z^2 of the first-order hold, exact near z = 0 and in
their derivatives."""

from __future__ import annotations

import math
from typing import Any

import torch
from jaxtyping import Inexact
from torch import Tensor


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


def phi2(z: Inexact[Tensor, "*shape"]) -> Inexact[Tensor, "*shape"]:
    """(e^z - 1 - z) / z^2, with the limit 1/2 at z = 0, likewise."""
    return _Phi.apply(z, 2)
