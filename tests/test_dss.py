"""DSS: the complex softmax for Re(lambda) of either sign, its gradient, its bounds, and what `length` means."""

from __future__ import annotations

import math

import mpmath
import pytest
import torch
from torch import Tensor
from torch.func import functional_call

from models import DSSSpec, ModelSpec
from models.dss import DSSKernel

pytestmark = pytest.mark.usefixtures("double")


def softmax_kernel(Lambda: list[complex], dt: float, **options: int) -> DSSKernel:
    """A softmax kernel of one channel with these modes and W = 1."""
    kernel = DSSSpec(kernel="softmax", d_state=2 * len(Lambda), dt_min=dt, dt_max=dt, **options).build(1)  # type: ignore[arg-type]
    modes = torch.tensor(Lambda, dtype=torch.complex128)
    kernel.A.re.data[:], kernel.A.im.data[:] = -modes.real, modes.imag
    kernel.W.data[..., 0], kernel.W.data[..., 1] = 1, 0
    return kernel


def plain(Lambda: Tensor, W: Tensor, dt: Tensor, L: int) -> Tensor:
    """Re sum_n W_n / lambda_n softmax_l(l dt lambda_n), as the formula is written."""
    e = torch.exp((dt * Lambda).unsqueeze(-1) * torch.arange(L))
    return ((W / Lambda).unsqueeze(-1) * e / e.sum(-1, keepdim=True)).sum(0).real


MODES = [[-0.5 + 2j, -0.01 + 30j], [0.3 + 2j, -0.2 + 5j], [1.5 - 3j, 0.001 + 0.1j], [1e-9 + 1j, -1e-9 - 1j]]


@pytest.mark.parametrize("Lambda", MODES)
@pytest.mark.parametrize("L", [1, 2, 17, 64])
def test_softmax_and_its_gradient_are_those_of_the_plain_formula(Lambda: list[complex], L: int) -> None:
    """Re(lambda) < 0, > 0 and near 0, with respect to Lambda, W and dt."""
    kernel = softmax_kernel(Lambda, 0.1)
    kernel.W.data += torch.randn_like(kernel.W)
    re, im, W, theta = (p.detach().clone().requires_grad_() for p in (kernel.A.re, kernel.A.im, kernel.W, kernel.theta_dt))
    oracle = plain(torch.complex(-re, im)[0], torch.view_as_complex(W)[0, 0], theta.exp()[0, 0], L)
    K = kernel(L)[0, 0]
    torch.testing.assert_close(K, oracle, rtol=0, atol=1e-11 * float(oracle.detach().abs().max()))
    weight = torch.randn(L)
    ours = torch.autograd.grad((K * weight).sum(), [kernel.A.re, kernel.A.im, kernel.W, kernel.theta_dt])
    plainly = torch.autograd.grad((oracle * weight).sum(), [re, im, W, theta])
    for a, b in zip(ours, plainly, strict=True):
        torch.testing.assert_close(a, b, rtol=1e-8, atol=1e-9 * max(1.0, float(b.abs().max())))


def test_gradient_where_the_reference_code_is_wrong() -> None:
    """lambda = 0.1 + 0.7i, dt = 1, L = 16, loss sum_l l/(L-1) Re softmax_l: (0.588, 3.558); with the shift detached, (15.883, -1.082).

    W = lambda takes the factor 1 / lambda out of the kernel.
    """
    kernel = softmax_kernel([0.1 + 0.7j], 1.0)
    re, im = torch.tensor([[-0.1]], requires_grad=True), torch.tensor([[0.7]], requires_grad=True)
    W = torch.stack([-re, im], dim=-1).view(1, 1, 1, 2)
    K = functional_call(kernel, {"A.re": re, "A.im": im, "W": W}, (16,))
    d_re, d_im = torch.autograd.grad((K[0, 0] * torch.linspace(0, 1, 16)).sum(), [re, im])
    assert abs(-d_re.item() - 0.588) < 1e-3
    assert abs(d_im.item() - 3.558) < 1e-3


@pytest.mark.parametrize("Lambda", [3 + 1j, 0.5 + 300j, -3 + 1j])
def test_long_kernels_do_not_overflow(Lambda: complex) -> None:
    """L = 16384 at Re(z) = +-0.3: e^{4915} is no float64, the softmax is; three of its values against 60-digit arithmetic."""
    mpmath.mp.dps = 60
    L, dt = 16384, 0.1
    kernel = softmax_kernel([Lambda], dt)
    K = kernel(L)[0, 0]
    assert bool(torch.isfinite(K).all())
    assert all(bool(torch.isfinite(g).all()) for g in torch.autograd.grad(K.square().sum(), list(kernel.parameters())))
    step = float(kernel.dt(1.0).detach().item())
    z = mpmath.mpc(Lambda) * mpmath.mpf(step)
    total = mpmath.expm1(L * z) / mpmath.expm1(z)
    for l in (0, L // 2, L - 1):
        exact = float((mpmath.exp(l * z) / total / mpmath.mpc(Lambda)).real)
        assert abs(K[l].item() - exact) < 1e-10


def test_bounded_at_the_zero_of_the_denominator() -> None:
    """z = 2 pi i m / L makes sum_r e^{rz} vanish: the kernel stays finite there, and exact a little way off."""
    L, dt = 16, 0.1
    for distance in (0.0, 1e-12, 1e-3):
        kernel = softmax_kernel([complex(-distance, 2 * math.pi * 3 / L / dt)], dt)
        K = kernel(L)[0, 0]
        assert float(K.detach().abs().max()) <= 1e-7**-0.5 + 1
        assert all(bool(torch.isfinite(g).all()) for g in torch.autograd.grad(K.sum(), list(kernel.parameters())))
        if distance == 1e-3:
            exact = plain(torch.complex(-kernel.A.re, kernel.A.im)[0], torch.ones(1, dtype=torch.complex128), kernel.dt(1.0)[0, 0], L)
            torch.testing.assert_close(K, exact, rtol=1e-9, atol=1e-9)


def test_a_fixed_length_makes_kernels_prefixes_of_one_another() -> None:
    """K over length 32 cut to 10 is the kernel at 10; without `length` it is not; and there are no taps beyond."""
    for modes in MODES:
        fixed, free = softmax_kernel(modes, 0.1, length=32), softmax_kernel(modes, 0.1)
        assert fixed.prefix
        assert not free.prefix
        torch.testing.assert_close(fixed(10), fixed(32)[..., :10], rtol=1e-12, atol=1e-13)
        torch.testing.assert_close(fixed(32), free(32), rtol=1e-12, atol=1e-13)
        assert float((free(10) - free(32)[..., :10]).detach().abs().max()) > 1e-2 * float(free(10).detach().abs().max())
        with pytest.raises(ValueError, match=r"length=32 and has no taps beyond; asked for 33"):
            fixed(33)


def test_a_padded_batch_needs_a_fixed_length() -> None:
    """Otherwise the padding would change the kernel."""
    x, lengths = torch.randn(2, 12, 3), torch.tensor([5, 12])
    free = ModelSpec(mixer=DSSSpec(kernel="softmax", d_state=4), d_model=4, n_layers=1).build(d_input=3, d_output=2)
    with pytest.raises(ValueError, match=r"DSSSpec\(length=...\)"):
        free(x, lengths)
    fixed = ModelSpec(mixer=DSSSpec(kernel="softmax", d_state=4, length=12), d_model=4, n_layers=1).build(d_input=3, d_output=2)
    torch.testing.assert_close(fixed(x, lengths)[:1], fixed(x[:1, :5]), rtol=1e-12, atol=1e-13)


def test_random_init_has_modes_on_both_sides() -> None:
    """Parts of variance 1/2, real parts of either sign; stored without a link."""
    kernel = DSSSpec(kernel="softmax", init="randn", d_state=8000).build(1)
    Lambda = kernel.A().detach()
    for part in (Lambda.real, Lambda.imag):
        assert abs(float(part.mean())) < 0.04
        assert abs(float(part.var()) - 0.5) < 0.04


def test_zero_order_hold_scale() -> None:
    """dss-exp is the plain sum Re sum W (e^z - 1) / lambda e^{lz}; without scale, Re sum W e^{lz}."""
    for form in ("exp", "exp-no-scale"):
        kernel = DSSSpec(kernel=form, d_state=6).build(2)  # type: ignore[arg-type]
        with torch.no_grad():
            Lambda, W, dt = kernel.A(), torch.view_as_complex(kernel.W)[0], kernel.dt(1.0)
            scale = (torch.exp(dt * Lambda) - 1) / Lambda if form == "exp" else torch.ones_like(Lambda)
            K = torch.einsum("hn,hnl->hl", W * scale, torch.exp((dt * Lambda).unsqueeze(-1) * torch.arange(50))).real
            torch.testing.assert_close(kernel(50)[0], K, rtol=1e-11, atol=1e-12)


@pytest.mark.parametrize("form", ["exp", "exp-no-scale", "softmax"])
def test_a_step_size_for_each_part_of_lambda(form: str) -> None:
    """z = Re(lambda) dt_0 + i Im(lambda) dt_1, both equal at the init; lambda itself stays in the denominators."""
    torch.manual_seed(3)
    one = DSSSpec(kernel=form, d_state=6).build(2)  # type: ignore[arg-type]
    torch.manual_seed(3)
    two = DSSSpec(kernel=form, d_state=6, dt_per_part=True).build(2)  # type: ignore[arg-type]
    assert (tuple(one.theta_dt.shape), tuple(two.theta_dt.shape)) == ((2, 1), (2, 2))
    torch.testing.assert_close(two(40), one(40), rtol=1e-12, atol=1e-13)
    with torch.no_grad():
        two.theta_dt[:, 1] += 0.7
        Lambda, W, dt = two.A(), torch.view_as_complex(two.W)[0], two.dt(1.0)
        z = torch.complex(Lambda.real * dt[:, :1], Lambda.imag * dt[:, 1:])
        powers = torch.exp(z.unsqueeze(-1) * torch.arange(40))
        scale = {"exp": (torch.exp(z) - 1) / Lambda, "exp-no-scale": torch.ones_like(z), "softmax": 1 / (Lambda * powers.sum(-1))}[form]
        torch.testing.assert_close(two(40)[0], torch.einsum("hn,hnl->hl", W * scale, powers).real, rtol=1e-10, atol=1e-11)
    torch.testing.assert_close(two(20, rate=2.0).shape, torch.Size([1, 2, 20]))
