"""S4 against its dense HiPPO matrix, and its two implementations against each other."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch import Tensor

from models import DISCRETIZATIONS, S4Spec
from models.choices.discretizations import discretization
from models.choices.inits import fout, legs, legs_low_rank
from models.functional import real_matrix, real_vector
from models.krylov import krylov_direct
from models.s4 import S4Kernel, cauchy_kernel, resolvent

pytestmark = pytest.mark.usefixtures("double")


@pytest.mark.parametrize("L", [1, 2, 8, 9, 1023, 1024, 16384])
@pytest.mark.parametrize("init", ["legs", "fout"])
def test_generating_function_equals_powers(init: str, L: int) -> None:
    """The Cauchy route (C~, roots of unity, Woodbury) and the Krylov route, both directions, at rate 1 and 2."""
    kernel = S4Spec(init=init).build(2, directions=2)
    with torch.no_grad():
        for rate in (1.0, 2.0):
            K = kernel(L, rate)
            assert float((K - cauchy_kernel(kernel, L, rate)).abs().max()) < 1e-10 * float(K.abs().max())


@pytest.mark.parametrize("L", [1, 2, 8, 9])
def test_generating_function_has_the_same_gradient(L: int) -> None:
    """With respect to every parameter, untied copies and P, B, Lambda away from their init."""
    kernel = S4Spec(d_state=6, n_ssm=None, dt_min=0.05, dt_max=0.5).build(2)
    for p in kernel.parameters():
        p.data += 0.1 * torch.randn_like(p)
    weight = torch.randn(1, 2, L)
    fast = torch.autograd.grad((kernel(L) * weight).sum(), list(kernel.parameters()))
    slow = torch.autograd.grad((cauchy_kernel(kernel, L) * weight).sum(), list(kernel.parameters()))
    for (name, _), a, b in zip(kernel.named_parameters(), fast, slow, strict=True):
        assert float(b.abs().max()) > 0, name
        torch.testing.assert_close(a, b, rtol=1e-9, atol=1e-10, msg=lambda m, name=name: f"{name}: {m}")


def test_generating_function_needs_the_bilinear_rule() -> None:
    with pytest.raises(ValueError, match="bilinear"):
        cauchy_kernel(S4Spec(discretization="zoh").build(2), 8)


def basis(init: str, N: int) -> tuple[Tensor, Tensor, Tensor]:
    """(A, B, V): the dense matrix and, as columns, the N/2 eigenvectors of its normal part in S4's phase."""
    if init == "fout":
        A, B = fout(N)
        V = np.zeros((N, N // 2), complex)
        k = np.arange(N // 2)
        V[2 * k, k], V[2 * k + 1, k] = math.sqrt(0.5), -1j * math.sqrt(0.5)
    else:
        A, B = legs(N)
        P = legs_low_rank(N)
        V = np.linalg.eigh(-1j * (A + np.outer(P, P) + 0.5 * np.eye(N)))[1][:, ::-1][:, : N // 2]
        inner = V.conj().T @ B
        V = V * (inner / np.abs(inner))
    return torch.from_numpy(A), torch.from_numpy(B), torch.from_numpy(V.copy())


@pytest.mark.parametrize("rule", [*(name for name, rule in DISCRETIZATIONS.items() if rule.direct is None), "gbt:0.75"])
@pytest.mark.parametrize("init", ["legs", "fout"])
def test_kernel_is_that_of_the_dense_hippo_matrix(init: str, rule: str) -> None:
    """y = c x for a real row c is y = 2 Re(c V) x in the basis of modes; every rule, at N = 16 and L = 200."""
    N, L, dt = 16, 200, 1e-4 if rule == "forward-euler" else 0.05
    if rule == "forward-euler" and init == "fout":
        N, dt = 2, 0.05  # FouT has undamped directions: only its zero frequency is legal
    A, B, V = basis(init, N)
    c = torch.randn(N)
    kernel = S4Spec(init=init, discretization=rule, d_state=N, dt_min=dt, dt_max=dt, A_link="none").build(1)
    kernel.C.data[0, 0] = torch.view_as_real(c.to(V.dtype) @ V)
    A_bar, B_bar = discretization(rule).dense(A, B, torch.tensor(dt))
    K = krylov_direct(A_bar[None], B_bar[None], c[None, None], L)
    torch.testing.assert_close(kernel(L).detach(), K, rtol=0, atol=1e-10 * float(K.abs().max()))


def test_resolvent_is_the_inverse() -> None:
    """(I - delta A)^{-1} by Woodbury, for A = Lambda - P P* with random complex P."""
    Lambda = torch.complex(-torch.rand(3, 4), torch.randn(3, 4))
    P, delta = torch.randn(3, 4, dtype=torch.complex128), torch.rand(3, 1)
    A = real_matrix(torch.diag_embed(Lambda)) - 2 * real_vector(P).unsqueeze(-1) * real_vector(P).unsqueeze(-2)
    inverse = torch.linalg.inv(torch.eye(8) - delta.unsqueeze(-1) * A)
    torch.testing.assert_close(resolvent(Lambda, P, delta).matrix(), inverse, rtol=1e-11, atol=1e-12)


@pytest.mark.parametrize("rule", ["bilinear", "backward-euler", "gbt:0.75", "zoh", "dirac"])
@pytest.mark.parametrize("init", ["legs", "fout"])
def test_a_bar_is_a_contraction(init: str, rule: str) -> None:
    """||A_bar||_2 <= 1 at any step, trained or not: A + A* = 2 Re(Lambda) - 2 P P* is negative. Hence no power of it grows."""
    kernel = S4Spec(init=init, discretization=rule, dt_min=1e-4, dt_max=1.0).build(8)
    assert isinstance(kernel, S4Kernel)
    for noise in (0.0, 1.0):
        for p in kernel.parameters():
            p.data += noise * torch.randn_like(p)
        A_bar = kernel.system(1.0)[0].matrix().detach()
        assert float(torch.linalg.matrix_norm(A_bar, 2).max()) <= 1 + 1e-9


def test_an_init_of_two_parts_is_each_of_them_in_half_of_the_channels() -> None:
    """Channel h has the system of copy h mod n_ssm: LegS in the first half of the copies, FouT in the second."""
    both = S4Spec(init="legs-fout", n_ssm=4, d_state=8).build(4)
    assert isinstance(both, S4Kernel)
    for channel, init in enumerate(("legs", "legs", "fout", "fout")):
        one = S4Spec(init=init, d_state=8).build(4)
        assert isinstance(one, S4Kernel)
        for ours, alone in zip(both.continuous(), one.continuous(), strict=True):
            assert torch.equal(ours[channel], alone[channel])
