"""A discretization has the order it claims, equals scipy's, and its dense form on a diagonal matrix is its diagonal form."""

from __future__ import annotations

import math

import mpmath
import numpy as np
import pytest
import torch
from scipy.signal import cont2discrete

from models import DISCRETIZATIONS, DSSSpec, KernelSpec, S4DSpec, S4Spec
from models.choices.discretizations import Discretization, discretization
from models.choices.links import DT_LINKS, FLOOR, LINKS
from models.parameters import as_complex
from models.phi import phi1, phi2
from models.s4d import S4DKernel

pytestmark = pytest.mark.usefixtures("double")

RULES = (*DISCRETIZATIONS, "gbt:0.25", "gbt:0.75")


@pytest.mark.parametrize("name", RULES)
def test_measured_order_is_the_claimed_one(name: str) -> None:
    """|a(z) - e^z| ~ |z|^{order + 1} along three rays; rounding where the order is infinite. B_bar is consistent: b(0) = 1."""
    rule = discretization(name)
    for direction in (-1 + 0j, 1j, -0.6 + 0.8j):
        z = direction * 2.0 ** -torch.arange(3, 8, dtype=torch.float64)
        error = (rule.a(z) - torch.exp(z)).abs().numpy()
        if math.isinf(rule.order):
            assert error.max() < 1e-15
        else:
            slope = float(np.polyfit(np.log(z.abs().numpy()), np.log(error), 1)[0])
            assert abs(slope - (rule.order + 1)) < 0.12, slope
    zero = torch.zeros(1, dtype=torch.complex128)
    assert rule.a(zero) == 1
    assert rule.b(zero) == 1


@pytest.mark.parametrize("name", RULES)
def test_stability_is_as_claimed(name: str) -> None:
    """|a(z)| <= 1 on the left half plane, near zero, far out and on the imaginary axis, exactly where the rule says so."""
    rule = discretization(name)
    size, angle = torch.logspace(-3, 3, 61), torch.linspace(0.5, 1.5, 41) * torch.pi
    z = torch.complex(size[:, None] * angle.cos().clamp(max=0), size[:, None] * angle.sin())
    assert (float(rule.a(z).abs().max()) <= 1 + 1e-9) == rule.a_stable


def test_a_rule_without_an_alpha_is_asked_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """An explicit rule of second order, outside the bilinear family: refused by S4 and S4D where it is unstable, built where it is not."""

    def dense(A: torch.Tensor, B: torch.Tensor, dt: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        z = A * dt[..., None, None]
        eye = torch.eye(A.shape[-1])
        return eye + z + z @ z / 2, ((eye + z / 2) @ (dt.unsqueeze(-1) * B).unsqueeze(-1)).squeeze(-1)

    midpoint = Discretization(
        name="midpoint", title="midpoint", order=2, a_stable=False, a=lambda z: 1 + z + z**2 / 2, b=lambda z: 1 + z / 2, dense=dense
    )
    monkeypatch.setitem(DISCRETIZATIONS, "midpoint", midpoint)
    for spec in (S4Spec(discretization="midpoint"), S4DSpec(init="inv", discretization="midpoint")):
        with pytest.raises(ValueError, match="midpoint makes this init unstable"):
            spec.build(2)
    kernel = S4Spec(d_state=4, dt_max=0.01, discretization="midpoint").build(2)
    torch.testing.assert_close(kernel(50)[0], kernel.recurrence(50).kernel(50))


@pytest.mark.parametrize("name", RULES)
def test_dense_form_is_that_of_scipy(name: str) -> None:
    """A_bar and B_bar of a random system; only A_bar for dirac, whose B_bar = dt B scipy multiplies by A_bar."""
    A, B, C, dt = torch.randn(5, 5), torch.randn(5), torch.randn(1, 5), 0.3
    rule = discretization(name)
    if rule.scipy is None:
        pytest.skip("scipy does not have this rule")
    A_bar, B_bar = rule.dense(A, B, torch.tensor(dt))
    system = (A.numpy(), B.numpy()[:, None], C.numpy(), np.zeros((1, 1)))
    expected = cont2discrete(system, dt, method=rule.scipy, alpha=rule.alpha)
    np.testing.assert_allclose(A_bar, expected[0], rtol=1e-11, atol=1e-12)
    if name == "dirac":
        torch.testing.assert_close(B_bar, dt * B)
        B_bar = A_bar @ B_bar
    np.testing.assert_allclose(B_bar, expected[1][:, 0], rtol=1e-11, atol=1e-12)


def test_first_order_hold_is_that_of_scipy() -> None:
    """A diagonal system with its direct term, one stiff mode among them: one impulse response to rounding, in kernel and recurrence."""
    kernel = S4DSpec(d_state=8, discretization="foh", dt_min=0.01, dt_max=0.5).build(3)
    assert isinstance(kernel, S4DKernel)
    kernel.A.re.data[0, 0] = math.log(900.0)
    Lambda, B, dt = kernel.A(), as_complex(kernel.B).repeat(kernel.A.copies, 1), kernel.dt(1.0)
    _, _, C = kernel.system(1.0)
    for h in range(3):
        system = tuple(x.detach().numpy() for x in (Lambda[h].diag(), B[h].unsqueeze(1), C[0, h].unsqueeze(0), torch.zeros(1, 1)))
        A_bar, B_bar, C_bar, D, _ = cont2discrete(system, dt[h].item(), method="foh")
        K = [(C_bar @ np.linalg.matrix_power(A_bar, l - 1) @ B_bar if l else D).real.item() for l in range(40)]
        for found in (kernel(40)[0, h], kernel.recurrence(40).kernel(40)[h]):
            np.testing.assert_allclose(found.detach(), K, rtol=0, atol=1e-12 * np.abs(K).max())
        assert kernel(1).shape == (1, 3, 1)
        assert kernel(1)[0, h, 0].item() == pytest.approx(K[0], rel=1e-11)


def test_first_order_hold_is_exact_for_a_straight_line() -> None:
    """u(t) = t from rest: x(t) = (e^{lambda t} - 1 - lambda t) / lambda^2 B, which zero-order hold misses by half a sample."""
    kernel = S4DSpec(d_state=4, discretization="foh", dt_min=0.1, dt_max=0.1).build(1)
    assert isinstance(kernel, S4DKernel)
    Lambda, B, dt = kernel.A(), as_complex(kernel.B), 0.1
    t = dt * torch.arange(60, dtype=torch.float64)
    _, _, C = kernel.system(1.0)
    z = Lambda[0].unsqueeze(-1) * t
    y = ((C[0, 0] * B[0] / Lambda[0] ** 2).unsqueeze(-1) * (torch.exp(z) - 1 - z)).sum(0).real
    K = kernel(60)[0, 0]
    convolved = torch.stack([(K[: k + 1].flip(0) * t[: k + 1]).sum() for k in range(60)])
    torch.testing.assert_close(convolved.detach(), y.detach(), rtol=0, atol=1e-12 * float(y.detach().abs().max()))


def test_phi2_near_zero() -> None:
    mpmath.mp.dps = 60
    points = [0.0, 1e-300, 1e-12, -1e-8 + 1e-8j, 0.0999, 0.1001j, 1j, -3 + 4j, -40.0, -900.0]
    for p, value in zip(points, phi2(torch.tensor(points, dtype=torch.complex128))):
        w = mpmath.mpc(p)
        exact = (mpmath.exp(w) - 1 - w) / w**2 if abs(p) > 1e-20 else mpmath.mpf(0.5)
        assert abs(complex(value.item()) - complex(exact)) < 2e-14


@pytest.mark.parametrize("name", RULES)
def test_dense_form_of_a_diagonal_matrix_is_the_diagonal_form(name: str) -> None:
    """Batched, real; a singular A (lambda = 0) among them."""
    rule = discretization(name)
    Lambda, B, dt = -3 * torch.rand(4, 3), torch.randn(4, 3), 0.5 * torch.rand(4)
    Lambda[0, 0] = 0
    A_bar, B_bar = rule.dense(torch.diag_embed(Lambda), B, dt)
    z = dt.unsqueeze(-1) * Lambda
    torch.testing.assert_close(A_bar, torch.diag_embed(rule.a(z)), rtol=1e-12, atol=1e-13)
    torch.testing.assert_close(B_bar, dt.unsqueeze(-1) * rule.b(z) * B, rtol=1e-12, atol=1e-13)
    torch.testing.assert_close(rule.diagonal(Lambda, B, dt.unsqueeze(-1)), (rule.a(z), dt.unsqueeze(-1) * rule.b(z) * B))


def test_the_named_rules_are_members_of_their_family() -> None:
    """gbt:0, gbt:0.5 and gbt:1 are forward Euler, bilinear and backward Euler."""
    z = torch.randn(20, dtype=torch.complex128)
    for member, name in (("gbt:0", "forward-euler"), ("gbt:0.5", "bilinear"), ("gbt:1", "backward-euler")):
        a, b = discretization(member), DISCRETIZATIONS[name]
        assert a.alpha == b.alpha
        assert a.order == b.order
        torch.testing.assert_close(a.a(z), b.a(z))
        torch.testing.assert_close(a.b(z), b.b(z))


@pytest.mark.parametrize("spec", [S4DSpec(), S4DSpec(real=True), S4Spec(discretization="zoh"), DSSSpec()], ids=lambda s: type(s).__name__)
def test_zero_order_hold_at_half_the_rate(spec: KernelSpec) -> None:
    """An input that is constant over pairs of samples:  K^(2 dt)_l = K^(dt)_{2l} + K^(dt)_{2l+1}."""
    kernel = spec.build(3)
    K = kernel(64).detach()
    torch.testing.assert_close(kernel(32, 2.0).detach(), K[..., 0::2] + K[..., 1::2], rtol=0, atol=1e-11 * float(K.abs().max()))


def test_phi1_and_its_gradient_near_zero() -> None:
    """(e^z - 1) / z and its derivative (z e^z - e^z + 1) / z^2 against 60-digit arithmetic, through 0 and the change of formula at 1/2."""
    mpmath.mp.dps = 60
    points = [0.0, 1e-300, 1e-16, -1e-8 + 1e-8j, 1e-5j, -0.01, 0.3 - 0.2j, 0.4999999, 0.5, -0.5000001, 1j, -3 + 4j, -40.0, 2j * math.pi]
    z = torch.tensor(points, dtype=torch.complex128, requires_grad=True)
    value = phi1(z)
    gradient = torch.autograd.grad(value.sum(), z, torch.ones_like(value.sum()))[0].conj()  # torch returns conj(df/dz)
    for k, p in enumerate(points):
        w = mpmath.mpc(p)
        exact = mpmath.expm1(w) / w if p else mpmath.mpf(1)
        slope = (w * mpmath.exp(w) - mpmath.exp(w) + 1) / w**2 if abs(p) > 1e-25 else mpmath.mpf(0.5)
        assert abs(complex(value[k].item()) - complex(exact)) < 1e-15 + 4e-15 * abs(exact)
        assert abs(complex(gradient[k].item()) - complex(slope)) < 1e-14


@pytest.mark.parametrize(
    "spec",
    [
        S4DSpec(init="inv", discretization="forward-euler"),
        S4DSpec(init="real", real=True, discretization="forward-euler"),
        S4DSpec(init="legs", discretization="gbt:0.25"),
        S4Spec(discretization="forward-euler"),
        S4Spec(discretization="gbt:0.25"),
        S4Spec(init="fout", discretization="gbt:0.4"),
    ],
    ids=lambda s: f"{type(s).__name__}-{s.init}-{s.discretization}",
)
def test_unstable_rules_are_refused(spec: KernelSpec) -> None:
    """Rules with alpha < 1/2 map part of the left half plane outside the disk: refused where the init reaches it, with the remedy."""
    with pytest.raises(ValueError, match=r"unstable: \|A_bar\| reaches .* take a smaller dt_max, or zoh"):
        spec.build(2)


def test_a_small_step_makes_forward_euler_legal() -> None:
    """|1 + z| <= 1 for dt <= 1 / |lambda|^2."""
    for spec in (
        S4DSpec(d_state=4, dt_max=0.05, discretization="forward-euler"),
        S4Spec(d_state=4, dt_max=0.01, discretization="forward-euler"),
    ):
        K = spec.build(2)(4000)
        assert float(K[..., -100:].detach().abs().max()) < float(K[..., :100].detach().abs().max())


@pytest.mark.parametrize("name", LINKS)
def test_links_invert_and_keep_the_half_plane(name: str) -> None:
    """f(inverse(x)) = x on what the link can hold, and f > 0 for every finite parameter, except for none."""
    link = LINKS[name]
    x = torch.logspace(math.log10(FLOOR), 1.5, 200)
    x = x[x < link.upper]
    torch.testing.assert_close(link.f(link.inverse(x)), x, rtol=1e-9, atol=1e-15)  # torch cuts softplus off at 20
    values = link.f(torch.linspace(-30, 30, 601))
    if name == "none":
        assert float(values.min()) < 0
    else:
        assert float(values.min()) > 0
        assert float(values.max()) <= link.upper
    assert all(DT_LINKS[key] is LINKS[key] for key in DT_LINKS)
