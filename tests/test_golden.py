"""Numbers computed once by independent means: kernels, spectra, parameter counts, and the matrix forms they come from."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor

from models import DISCRETIZATIONS, DSSSpec, HOPESpec, ModelSpec, S4DSpec, S4Spec
from models.choices.inits import fout, fout_modes, legs, legs_low_rank, legs_modes, spectrum
from models.krylov import krylov_direct
from models.warped import samples, warped_angles

pytestmark = pytest.mark.usefixtures("double")


def close(actual: Tensor, printed: list[float], digits: int) -> None:
    """Equal to all printed digits."""
    torch.testing.assert_close(actual, torch.tensor(printed, dtype=actual.dtype), rtol=0, atol=0.6 * 10**-digits)


# ------------------------------------------------------------------------------------------------- kernels

S4D_KERNELS = {
    ("lin", "zoh"): [1.16959420009e-01, 6.069055455552e-02, 2.125973439834e-02, -1.277935152e-05, -3.625230757407e-03, 8.324258268268e-03],
    ("lin", "bilinear"): [0.118244798269, 0.062353995621, 0.022839028963, 0.001064204637, -0.003362004862, 0.007611194963],
    ("inv", "zoh"): [0.119319077684, 0.04720797806, -0.032487653646, -0.108535278757, -0.1711878392, -0.213408655412],
    ("inv", "bilinear"): [0.118209139269, 0.047981092954, -0.030002410198, -0.10497801455, -0.16749258916, -0.210579712232],
}


@pytest.mark.parametrize("init, rule", S4D_KERNELS)
def test_s4d_kernel(init: str, rule: str) -> None:
    """N = 4, dt = 0.1, B = 1, C = (1 + 0.5i, -0.25 + i)."""
    kernel = S4DSpec(init=init, discretization=rule, d_state=4, dt_min=0.1, dt_max=0.1).build(1)
    kernel.C.data[:] = torch.tensor([[1, 0.5], [-0.25, 1]])
    close(kernel(6)[0, 0].detach(), S4D_KERNELS[init, rule], 12)


@pytest.mark.parametrize(
    "form, re, printed",
    [
        ("exp", -0.5, [0.044318490124, -0.007490396416, -0.0392751938, -0.048041231997, -0.036590647918, -0.012403250801]),
        ("softmax", -0.5, [0.001874340885, 0.040868596159, 0.066118993641, 0.076276382802, 0.073208309557, 0.061295448249]),
        ("softmax", 0.3, [0.037358525897, 0.073259059765, 0.097269301923, 0.107883323005, 0.106637490577, 0.097435722059]),
    ],
)
def test_dss_kernel(form: str, re: float, printed: list[float]) -> None:
    """lambda = (re + 2i, -0.25 + 5i), W = (1 + 0.5i, -0.25 + i), dt = 0.1."""
    kernel = DSSSpec(kernel=form, d_state=4, dt_min=0.1, dt_max=0.1).build(1)  # type: ignore[arg-type]
    kernel.A.re.data[:] = kernel.A.link.inverse(-torch.tensor([re, -0.25]))
    kernel.A.im.data[:] = torch.tensor([2.0, 5.0])
    kernel.W.data[:] = torch.tensor([[1, 0.5], [-0.25, 1]])
    close(kernel(6)[0, 0].detach(), printed, 12)


LEGS_KERNELS = {
    "bilinear": [
        *(0.060722628488, -0.000764952836, -0.021454356342, -0.020939315778),
        *(-0.010690405227, 0.002826241093, 0.016175325367, 0.027715050368),
    ],
    "zoh": [
        *(0.056402526046, -0.001094140098, -0.020223090274, -0.019350816208),
        *(-0.009278159804, 0.003877820488, 0.01685096997, 0.028071050836),
    ],
}


@pytest.mark.parametrize("rule", LEGS_KERNELS)
def test_dense_legs_kernel(rule: str) -> None:
    """Real LegS of size 4, C = (1, -1, 0.5, 0.25), dt = 0.1."""
    A, B = (torch.from_numpy(m) for m in legs(4))
    A_bar, B_bar = DISCRETIZATIONS[rule].dense(A, B, torch.tensor(0.1))
    K = krylov_direct(A_bar[None], B_bar[None], torch.tensor([[[1, -1, 0.5, 0.25]]]), 8)
    close(K[0, 0], LEGS_KERNELS[rule], 12)
    if rule == "bilinear":
        close(B_bar, [0.095238095238, 0.14996110888, 0.159929574901, 0.141923418719], 12)
        close(A_bar[0, :1], [0.904761904762], 12)
        close(A_bar[3], [-0.141923418719, -0.271694211163, -0.428701433558, 0.666666666667], 12)


HOPE_SAMPLES = {
    1.0: [2.75, -1.46967 - 0.383883j, 2.5 - 0.75j, -2.53033 - 1.383883j, 0.25],
    0.5: [2.75, 1.983761 + 0.772954j, -1.9124 - 2.4432j, -1.470491 + 0.999125j, 0.25],
    0.1: [2.75, -1.856227 + 0.786282j, -0.250389 + 0.898145j, 0.159255 + 0.423743j, 0.25],
}
HOPE_KERNELS = {
    1.0: [0, 1, -0.5, 0.25, 2, 0, 0, 0],
    0.5: [0.025217, 1.220669, 0.909643, -1.222194, -0.231417, 0.625931, 0.796557, 0.625594],
    0.1: [-0.11184, -0.482231, 0.346962, 0.679422, 0.736646, 0.658158, 0.528232, 0.39465],
}


@pytest.mark.parametrize("dt", HOPE_SAMPLES)
def test_hope_samples_and_circular_kernel(dt: float) -> None:
    """h = (1, -0.5, 0.25, 2), L = 8."""
    h, theta = torch.tensor([[1, -0.5, 0.25, 2]]), 2 * torch.pi * torch.arange(5) / 8
    g = samples(h, torch.tensor([[dt]]), theta)[0]
    torch.testing.assert_close(g, torch.tensor(HOPE_SAMPLES[dt], dtype=torch.complex128), rtol=0, atol=1e-6)
    kernel = HOPESpec(filter="circular", d_state=4, dt_min=dt, dt_max=dt).build(1)
    kernel.h.data[:] = h
    close(kernel(8)[0, 0].detach(), HOPE_KERNELS[dt], 6)


def test_hope_nodes() -> None:
    """theta~ for L = 8, dt = 0.1; the other half is 2 pi minus these."""
    angle = warped_angles(2 * torch.pi * torch.arange(8) / 8, torch.tensor([[0.1]]))[0]
    close(angle[:5], [0, 2.667816, 2.942255, 3.058797, 3.141593], 6)
    torch.testing.assert_close(torch.remainder(-angle[5:], 2 * torch.pi), angle[1:4].flip(0), rtol=0, atol=1e-12)


# ------------------------------------------------------------------------------------------------- spectra

NORMAL_PART = {
    4: ([4.603293007067, 0.556501115084], [], 12),
    8: ([19.85741, 5.354209, 1.957794, 0.427489], [], 5),
    16: ([80.966081, 25.629226, 13.834342, 8.362105, 5.090024, 2.899668, 1.371989, 0.352018], [], 6),
    64: ([1303.273843, 433.030757, 258.15221, 182.620411, 140.214336], [2.625655, 1.702968, 0.905859, 0.263857], 5),
    128: ([5214.6656, 1736.8262, 1040.4225, 741.3691, 574.7684], [1.4360, 0.7827, 0.2352], 4),  # DSS: 64 modes
    256: ([20860.233111], [], 5),
}


@pytest.mark.parametrize("N", NORMAL_PART)
def test_frequencies_of_the_normal_part_of_legs(N: int) -> None:
    """Largest first, N/2 of them, all with real part -1/2."""
    first, last, digits = NORMAL_PART[N]
    Lambda = legs_modes(N)[0]
    assert len(Lambda) == N // 2
    np.testing.assert_allclose(Lambda.imag[: len(first)], first, rtol=0, atol=0.6 * 10.0**-digits)
    np.testing.assert_allclose(Lambda.imag[len(Lambda) - len(last) :], last, rtol=0, atol=0.6 * 10.0**-digits)
    np.testing.assert_array_equal(Lambda.real, -0.5)


def test_largest_frequency_of_legs_follows_its_law() -> None:
    """N^2 / pi - pi / 6 + O(1 / N^2)."""
    for N in (16, 64, 256, 512):
        assert abs(legs_modes(N)[0].imag[0] - (N**2 / np.pi - np.pi / 6)) < 1 / N**2 + 1e-12 * N**2


def test_input_vector_of_legs() -> None:
    """|V* B|, which the phase of the eigenvectors makes B itself, and P = B / sqrt 2."""
    for N, printed in ((4, [2.658015, 0.966931]), (8, [5.155626, 1.843869, 1.17496, 0.799464])):
        _, P, B = legs_modes(N)
        np.testing.assert_allclose(B, printed, rtol=0, atol=6e-7)
        np.testing.assert_allclose(P, B / np.sqrt(2), rtol=1e-15)
    assert abs(legs_modes(64)[2].max() - 40.75) < 5e-3


FORMULAS = {
    "inv": (0.5, [1283.4255, 414.2273, 240.3876], [0.3234]),
    "lin": (0.5, [0, 3.1416], [97.389]),
    "inv2": (0.5, [1283.4255, 631.5268, 414.2273], [20.3718]),
    "quad": (0.5, [0.3183, 2.8648, 7.9577], [1263.37]),
    "real": (1.0, [0, 0], [0]),
}


@pytest.mark.parametrize("name", FORMULAS)
def test_diagonal_inits_at_64(name: str) -> None:
    decay, first, last = FORMULAS[name]
    Lambda, B = spectrum(name, 64, np.random.default_rng(0))
    assert Lambda.shape == (32,)
    np.testing.assert_allclose(Lambda.imag[: len(first)], first, rtol=0, atol=6e-5)
    np.testing.assert_allclose(Lambda.imag[-1:], last, rtol=5e-5, atol=6e-5)
    assert Lambda.real[0] == -decay
    np.testing.assert_array_equal(B, 1)
    np.testing.assert_array_equal(Lambda.real, -np.arange(1, 33.0) if name == "real" else -0.5)


def test_random_init_has_its_law() -> None:
    """Im = exp(N(0, 1)): log Im has mean 0 and standard deviation 1."""
    log = np.log(spectrum("rand", 40000, np.random.default_rng(0))[0].imag)
    assert abs(log.mean()) < 0.03
    assert abs(log.std() - 1) < 0.03


def test_legs_has_the_integers_as_eigenvalues() -> None:
    """A is triangular with -1 .. -N; its normal part plus 1/2 is skew; and B = sqrt2 P."""
    A, B = legs(8)
    P = legs_low_rank(8)
    np.testing.assert_allclose(np.sort(np.linalg.eigvals(A).real), -np.arange(8, 0, -1.0), rtol=1e-6)
    S = A + np.outer(P, P) + 0.5 * np.eye(8)
    np.testing.assert_allclose(S, -S.T, atol=1e-12)
    np.testing.assert_allclose(B, np.sqrt(2) * P, rtol=1e-15)


@pytest.mark.parametrize("N", [4, 16, 64])
def test_legs_from_its_modes(N: int) -> None:
    """A = V (Lambda - P P*) V*, with both members of each pair and the phase that makes V* B positive; V unitary."""
    A, B = legs(N)
    low_rank = legs_low_rank(N)
    Lambda, P, b = legs_modes(N)
    _, V = np.linalg.eigh(-1j * (A + np.outer(low_rank, low_rank) + 0.5 * np.eye(N)))
    inner = V.conj().T @ B
    V = (V * (inner / np.abs(inner)))[:, ::-1][:, : N // 2]
    V = np.concatenate([V, V.conj()], axis=1)
    both, P, b = np.concatenate([Lambda, Lambda.conj()]), np.concatenate([P, P]), np.concatenate([b, b])
    np.testing.assert_allclose(V.conj().T @ V, np.eye(N), atol=1e-10)
    np.testing.assert_allclose(V @ b, B, atol=1e-10 * N)
    np.testing.assert_allclose(V @ (np.diag(both) - np.outer(P, P)) @ V.conj().T, A, atol=1e-10 * N**2)


def test_fout_from_its_modes() -> None:
    """On each pair v = (1, -i) / sqrt2 has frequency pi k; the pair of frequency 0 holds one live state and one that nothing reaches."""
    N = 16
    A, B = fout(N)
    Lambda, P, b = fout_modes(N)
    V = np.zeros((N, N // 2), complex)
    V[2 * np.arange(N // 2), np.arange(N // 2)] = np.sqrt(0.5)
    V[2 * np.arange(N // 2) + 1, np.arange(N // 2)] = -1j * np.sqrt(0.5)
    V = np.concatenate([V, V.conj()], axis=1)
    both = np.concatenate([Lambda, Lambda.conj()])
    np.testing.assert_allclose(V.conj().T @ B, np.concatenate([b, b]), atol=1e-14)
    np.testing.assert_array_equal(P, b)
    np.testing.assert_allclose(V @ np.diag(both) @ V.conj().T - np.outer(B, B), A, atol=1e-13)
    np.testing.assert_allclose(Lambda.imag, np.pi * np.arange(N // 2))


# ------------------------------------------------------------------------------------------------- parameter counts


def count(mixer: S4Spec | S4DSpec, d_model: int, n_layers: int, d_input: int, d_output: int, **options: object) -> int:
    torch.set_default_dtype(torch.float32)
    spec = ModelSpec(mixer=mixer, d_model=d_model, n_layers=n_layers, **options)  # type: ignore[arg-type]
    return sum(p.numel() for p in spec.build(d_input=d_input, d_output=d_output).parameters())


@pytest.mark.parametrize(
    "mixer, shape, options, published",
    [
        (S4DSpec(n_ssm=2), (128, 6, 1, 35), {"bidirectional": True, "norm": "batch", "prenorm": True}, 306_083),
        (S4Spec(n_ssm=2), (128, 6, 1, 35), {"bidirectional": True, "norm": "batch", "prenorm": True}, 306_851),
        (S4DSpec(n_ssm=None), (512, 6, 1, 10), {"bidirectional": True}, 3_956_746),
        (S4Spec(n_ssm=None), (512, 6, 1, 10), {"bidirectional": True}, 4_153_354),
        (S4DSpec(n_ssm=None), (128, 4, 1, 10), {"bidirectional": True}, 266_762),
        (S4Spec(n_ssm=None), (128, 4, 1, 10), {"bidirectional": True}, 299_530),
        (S4DSpec(n_ssm=None, train_B=False), (128, 4, 3, 10), {}, 201_482),
    ],
    ids=["SC35 S4D", "SC35 S4", "Image S4D", "Image S4", "Image small S4D", "Image small S4", "minimal S4D"],
)
def test_parameter_counts(mixer: S4Spec | S4DSpec, shape: tuple[int, int, int, int], options: dict[str, object], published: int) -> None:
    """The counts that the S4D paper, the Mega comparison and state-spaces/s4's example print."""
    assert count(mixer, *shape, **options) == published
