"""HOPE: the warped filter, its orthogonal state space, its Hankel operator, and the two constructions that are not causal."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from models import HOPESpec
from models.convolution import circular_conv
from models.hope import HOPEKernel, hankel
from models.warped import samples, toeplitz, warped_angles

pytestmark = pytest.mark.usefixtures("double")

STEPS = (0.02, 0.1, 0.7, 1.0, 3.0)


def build(dt: float, n: int = 16, channels: int = 3, **options: str) -> HOPEKernel:
    """A HOPE kernel with one step size in all channels."""
    kernel = HOPESpec(d_state=n, dt_min=dt, dt_max=dt, **options).build(channels)  # type: ignore[arg-type]
    return kernel.requires_grad_(False)  # type: ignore[return-value]


def test_step_one_is_h_delayed_by_one_sample() -> None:
    """K = (0, h_0, ..., h_{n-1}, 0, ...), causal and circular alike."""
    for name in ("causal", "circular"):
        kernel = build(1.0, filter=name)
        h = kernel.h[0] if name == "causal" else kernel.h
        expected = torch.nn.functional.pad(h, (1, 7))
        torch.testing.assert_close(kernel(24)[0], expected, rtol=0, atol=1e-15)


@pytest.mark.parametrize("dt", STEPS)
def test_kernel_is_the_all_pass_cascade(dt: float) -> None:
    """x_q[t] = a x_q[t-1] + x_{q-1}[t-1] - a x_{q-1}[t],  y = sum_q h_{q-1} x_q, run on an impulse."""
    kernel, L = build(dt), 120
    a = (1 - dt) / (1 + dt)
    x, K = [1.0] + [0.0] * (L - 1), torch.zeros(3, L)
    for q in range(16):
        out = []
        for t in range(L):
            out.append(((a * out[t - 1] + x[t - 1]) if t else 0.0) - a * x[t])
        x = out
        K += kernel.h[0, :, q : q + 1] * torch.tensor(x)
    torch.testing.assert_close(kernel(L)[0], K, rtol=0, atol=1e-13)


@pytest.mark.parametrize("dt", [0.1, 0.03, 0.01])
def test_sampled_kernel_is_the_ladder_wrapped_around_its_period(dt: float) -> None:
    """Sampling the transfer function at M nodes aliases exactly: K^(M)_l = sum_m K_{l + m M}."""
    kernel, M = build(dt, n=64), 512
    circular = build(dt, n=64, filter="circular")
    circular.h.data.copy_(kernel.h[0])
    wrapped = kernel(64 * M)[0].view(3, 64, M).sum(1)
    torch.testing.assert_close(circular(M)[0], wrapped, rtol=0, atol=1e-8 * float(wrapped.abs().max()))


@pytest.mark.parametrize("dt, measured", [(0.1, 0.0), (0.03, 8e-3), (0.01, 5e-2), (0.001, 3e-2)])
def test_error_of_sampling_at_twice_the_length(dt: float, measured: float) -> None:
    """Why the kernel is not sampled: relative L2 error, 128 random h, n = 64, L = 1024, M = 2L, within a factor 2 of the measured one."""
    torch.manual_seed(0)
    kernel, L = build(dt, n=64, channels=128), 1024
    theta = 2 * torch.pi * torch.arange(L + 1) / (2 * L)
    sampled = torch.fft.irfft(samples(kernel.h[0], kernel.dt(1.0), theta), n=2 * L)[:, :L]
    K = kernel(L)[0]
    error = float((sampled - K).norm() / K.norm())
    assert measured / 2 <= error <= 2 * measured + 1e-12


@pytest.mark.parametrize("dt", STEPS)
def test_energy(dt: float) -> None:
    """||K||^2 = sum_jk h_j h_k (-a)^{|j-k|}: the all-pass powers A^{j+1}, A^{k+1} have that inner product, not zero.

    It equals ||h||^2 for a single tap, at dt = 1, and in the mean over white h, but not for every h.
    """
    kernel, n, L = build(dt, n=12, channels=600), 12, 4000  # 4000 steps hold the whole response
    h = kernel.h[0].clone()
    lag = (torch.arange(n).unsqueeze(1) - torch.arange(n)).abs()
    gram = torch.tensor(-(1 - dt) / (1 + dt)) ** lag
    energy = kernel(L)[0].square().sum(-1)
    torch.testing.assert_close(energy, torch.einsum("hj,jk,hk->h", h, gram, h), rtol=1e-9, atol=0)
    assert abs(float(energy.mean() / h.square().sum(-1).mean()) - 1) < 0.2
    if dt == 1.0:
        torch.testing.assert_close(energy, h.square().sum(-1), rtol=1e-9, atol=0)
    else:
        assert float((energy / h.square().sum(-1) - 1).abs().max()) > 0.2
    kernel.h.zero_()
    kernel.h[..., 5] = 2
    torch.testing.assert_close(kernel(L)[0].square().sum(-1), torch.full((600,), 4.0), rtol=1e-9, atol=0)


@pytest.mark.parametrize("dt", STEPS)
def test_state_space_is_orthogonal(dt: float) -> None:
    """[A B; C_e D_e] is orthogonal for the output e_n of the cascade; so [A B] has orthonormal rows and ||A|| <= 1."""
    kernel = build(dt)
    kernel.h.zero_()
    kernel.h[..., -1] = 1  # y = e_n
    f, B, C, D = kernel.system(1.0)
    whole = torch.cat(
        [torch.cat([toeplitz(f), B.unsqueeze(-1)], dim=-1), torch.cat([C[0], D[0].unsqueeze(-1)], dim=-1).unsqueeze(-2)], dim=-2
    )
    torch.testing.assert_close(whole @ whole.mT, torch.eye(17).expand(3, 17, 17), rtol=0, atol=1e-13)
    assert float(torch.linalg.matrix_norm(toeplitz(f), 2).max()) <= 1 + 1e-12


@pytest.mark.parametrize("dt", STEPS)
def test_all_poles_are_at_a(dt: float) -> None:
    """Stable for every h: A is triangular with a on its diagonal."""
    A = build(dt).recurrence(1).A
    assert torch.equal(A, A.tril())
    torch.testing.assert_close(A.diagonal(dim1=-2, dim2=-1), torch.full((3, 16), (1 - dt) / (1 + dt)), rtol=1e-13, atol=1e-15)


def test_warped_nodes_stay_on_the_circle_in_closed_form() -> None:
    """e^{i theta~} = (w - a) / (1 - a w); d theta~ / d log dt = -sin theta~; dt = 1 changes nothing; theta = pi is a fixed point."""
    theta = 2 * torch.pi * torch.arange(33) / 64
    for dt in STEPS:
        log_dt = torch.tensor([[dt]]).log().requires_grad_()
        angle = warped_angles(theta, log_dt.exp())
        a, w = (1 - dt) / (1 + dt), torch.polar(torch.ones(33), theta)
        torch.testing.assert_close(torch.polar(torch.ones(33), angle[0].detach()), (w - a) / (1 - a * w), rtol=0, atol=1e-13)
        slope = torch.autograd.grad(angle.sum(), log_dt)[0].item()
        assert abs(slope + float(torch.sin(angle.detach()).sum())) < 1e-10
        assert abs(float(angle.detach()[0, -1]) - torch.pi) < 1e-12


def test_samples_are_bounded_and_lipschitz() -> None:
    """||g - g'||_inf <= sqrt(n) ||h - h'||_2 (the paper's robustness theorem) and |g| <= ||h||_1; tight at theta = 0 for equal taps."""
    h, dt, theta = torch.randn(3, 16), torch.full((3, 1), 0.1), torch.linspace(0, 2 * torch.pi, 300)
    g = samples(h, dt, theta).abs().amax(-1)
    assert bool((g <= 4 * h.norm(dim=-1)).all())
    assert bool((g <= h.abs().sum(-1) + 1e-12).all())
    torch.testing.assert_close(samples(torch.ones(3, 16), dt, theta)[:, 0].abs(), torch.full((3,), 16.0))


# ------------------------------------------------------------------------------------------------- the Hankel operator


def test_hankel_matrix() -> None:
    h = torch.randn(5)
    expected = [[h[i + j].item() if i + j < 5 else 0.0 for j in range(5)] for i in range(5)]
    torch.testing.assert_close(hankel(h), torch.tensor(expected))


@pytest.mark.parametrize("dt", STEPS)
def test_hankel_singular_values_do_not_depend_on_dt(dt: float) -> None:
    """Those of the system by its Gramians are the singular values of the matrix of h: the bilinear map keeps them."""
    kernel = build(dt, n=8)
    sigma = torch.linalg.svdvals(hankel(kernel.h[0]))
    torch.testing.assert_close(kernel.recurrence(1).hankel_singular_values(), sigma / sigma[:, :1], rtol=1e-6, atol=1e-7)


def test_rank_of_a_random_hankel_matrix() -> None:
    """The mean fraction of relative singular values above 0.01 at n = 64: 0.876 for real h."""
    torch.manual_seed(0)
    sigma = torch.linalg.svdvals(hankel(torch.randn(400, 64)))
    assert 0.86 <= float((sigma > 0.01 * sigma[:, :1]).double().mean()) <= 0.90


# ------------------------------------------------------------------------------------------------- circular and two-sided


def transfer(h: Tensor, dt: float, theta: Tensor) -> Tensor:
    """g(theta) = sum_j h_j e^{-i (j+1) theta~}, theta~ = 2 arctan(tan(theta/2) / dt), in the plainest way."""
    warped = 2 * torch.atan2(torch.sin(theta / 2), dt * torch.cos(theta / 2))
    return torch.einsum("hj,jk->hk", h.to(torch.complex128), torch.exp(-1j * torch.outer(torch.arange(1.0, h.shape[-1] + 1), warped)))


@pytest.mark.parametrize("dt", [0.1, 1.0])
@pytest.mark.parametrize("L", [1, 2, 15, 16, 200])
def test_circular_is_algorithm_1(L: int, dt: float) -> None:
    """y = Re(iFFT(FFT(x) g)) on L nodes, for even and odd L; Im h has no influence on it."""
    kernel, x = build(dt, filter="circular"), torch.randn(2, 3, L)
    theta = 2 * torch.pi * torch.arange(L) / L
    y = circular_conv(x, kernel(L))
    for h in (kernel.h, torch.complex(kernel.h, torch.randn(3, 16))):
        paper = torch.fft.ifft(torch.fft.fft(x) * transfer(h, dt, theta)).real
        torch.testing.assert_close(y, paper, rtol=0, atol=1e-12)


@pytest.mark.parametrize("M", [2, 16, 17, 64])
def test_twosided_is_the_construction_of_the_release(M: int) -> None:
    """y = Re(iFFT(FFT(x) [g^0 ; reverse g^1])), each g at half the nodes around the whole circle; effective filter for even M:
    E_k = (g^0_k + conj g^1_{k-1}) / 2, 0 < k < M/2, the rest by conjugate symmetry."""
    kernel, x = build(0.3, filter="twosided"), torch.randn(2, 3, M)
    h = torch.view_as_complex(kernel.h)
    circle = [2 * torch.pi * torch.arange(n) / n for n in ((M + 1) // 2, M // 2)]
    g0, g1 = (transfer(h[d], 0.3, circle[d]) for d in (0, 1))
    whole = torch.cat([g0, g1.flip(-1)], dim=-1)
    y = circular_conv(x, kernel(M))
    torch.testing.assert_close(y, torch.fft.ifft(torch.fft.fft(x) * whole).real, rtol=0, atol=1e-12)
    if M % 2 == 0:
        E = torch.fft.rfft(kernel(M)[0])
        torch.testing.assert_close(E[:, 1 : M // 2], (g0[:, 1:] + g1.conj()[:, :-1]) / 2, rtol=0, atol=1e-12)


def test_twosided_delays_by_h0_and_advances_by_h1() -> None:
    """dt = 1: tap j of h^0 delays by 2 (j+1), of h^1 advances; Im h does matter here."""
    L, kernel = 64, build(1.0, n=1, channels=1, filter="twosided")
    kernel.h.zero_()
    kernel.h[0, 0, 0, 0] = 1
    delayed = kernel(L)[0, 0]
    assert int(delayed.abs().argmax()) == 2
    kernel.h.zero_()
    kernel.h[1, 0, 0, 0] = 1
    advanced = kernel(L)[0, 0]
    assert int(advanced.abs().argmax()) > L // 2
    kernel.h[1, 0, 0] = torch.tensor([0.0, 1.0])
    assert float((kernel(L)[0, 0] - advanced).abs().max()) > 0.1


# ------------------------------------------------------------------------------------------------- training of h, time scale


@pytest.mark.parametrize("name", ["causal", "circular", "twosided"])
def test_h_is_trained_unless_frozen_on_purpose(name: str) -> None:
    """In the authors' block an argument slip froze h; here only train_h does."""
    for options in ({}, {"lr_h": None}, {"lr_h": 1e-5}, {"train_dt": False}):
        kernel = HOPESpec(filter=name, **options).build(2)  # type: ignore[arg-type]
        assert "h" in dict(kernel.named_parameters())
        assert any("h" in group.names for group in kernel.param_groups())
    frozen = HOPESpec(filter=name, train_h=False).build(2)  # type: ignore[arg-type]
    assert "h" in dict(frozen.named_buffers())
    assert not any("h" in group.names for group in frozen.param_groups())


def test_time_scale_is_half_of_s4s() -> None:
    """HOPE's bilinear map has no factor 2."""
    spec = HOPESpec().with_time_scale(0.002, 0.2)
    assert (spec.dt_min, spec.dt_max) == (0.001, 0.1)


def test_scale_of_h() -> None:
    """sum_j E|h_j|^2 = 1/8."""
    for name, parts in (("causal", 1), ("circular", 1), ("twosided", 2)):
        h = HOPESpec(filter=name).build(2000).h  # type: ignore[arg-type, union-attr]
        assert abs(float(h.detach().square().sum()) / 2000 / parts - 0.125) < 5e-3  # type: ignore[operator]
