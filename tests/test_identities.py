"""The central identity, forward(L) = recurrence(L).kernel(L), for every legal spec; and every fast function against its slow oracle."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from torch import Tensor

from models import (
    DISCRETIZATIONS,
    INITS,
    LINKS,
    VARIANTS,
    DSSSpec,
    FIRSpec,
    HOPESpec,
    Kernel,
    KernelSpec,
    NoRecurrence,
    S4DSpec,
    S4Spec,
    StepSpec,
    convolution,
    functional,
    krylov,
    phi,
    vandermonde,
    warped,
)
from models.choices.discretizations import discretization
from models.dss import KERNELS
from models.hope import FILTERS

pytestmark = pytest.mark.usefixtures("double")

H = 4
LENGTHS = (1, 2, 33, 64)
RULES = (*DISCRETIZATIONS, "gbt:0.25", "gbt:0.75")
KERNELS_OF = [name for name, variant in VARIANTS.items() if isinstance(variant.mixer, KernelSpec)]
LEGAL_REFUSALS = "makes this init unstable|cannot hold this init"


def gap(kernel: Kernel, lengths: tuple[int, ...], rate: float) -> float:
    """Largest |forward - recurrence| over the lengths, relative to max|K|. A shorter kernel is compared with the prefix of the longest."""
    slow = kernel.recurrence(max(lengths), rate).kernel(max(lengths))
    worst = 0.0
    for L in lengths:
        K = kernel(L, rate)
        assert K.shape == (1, H, L)
        reference = slow[:, :L] if kernel.prefix else kernel.recurrence(L, rate).kernel(L)
        worst = max(worst, float((K[0] - reference).abs().max() / slow.abs().max()))
    return worst


@torch.no_grad()
def agrees(spec: KernelSpec) -> None:
    """forward and recurrence of one spec at every length, and at rate 2 where it has a step size."""
    torch.manual_seed(0)
    kernel = spec.build(H)
    assert gap(kernel, LENGTHS, 1.0) <= 1e-10, spec
    if isinstance(spec, StepSpec):
        assert gap(kernel, (33,), 2.0) <= 1e-10, spec


def sweep(specs: Iterator[KernelSpec]) -> int:
    """Check each spec that can be built; the number of them. Anything but the two announced refusals is an error."""
    legal = 0
    for spec in specs:
        try:
            torch.manual_seed(0)
            spec.build(H)
        except ValueError as refusal:
            assert any(text in str(refusal) for text in LEGAL_REFUSALS.split("|")), refusal  # noqa: PT017
            continue
        agrees(spec)
        legal += 1
    return legal


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("real", [False, True])
@pytest.mark.parametrize("init", [name for name, init in INITS.items() if init.diagonal])
def test_s4d(init: str, real: bool, rule: str) -> None:
    """Every init, rule, link, number of copies, and a single mode."""
    if INITS[init].real_only and not real:
        return  # not a spec: test_options asserts the refusal
    specs = (
        S4DSpec(init=init, real=real, discretization=rule, A_link=link, n_ssm=n_ssm, d_state=d_state, dt_per_state=d_state > 2)
        for link, (n_ssm, d_state) in itertools.product(LINKS, [(1, 6), (2, 6), (None, 1 if real else 2)])
    )
    assert sweep(specs) > 0 or rule in ("forward-euler", "gbt:0.25")


@pytest.mark.parametrize("rule", [rule for rule in RULES if discretization(rule).direct is None])
@pytest.mark.parametrize("init", [name for name, init in INITS.items() if init.low_rank])
def test_s4(init: str, rule: str) -> None:
    specs = (
        S4Spec(init=init, discretization=rule, A_link=link, n_ssm=n_ssm, d_state=d_state)
        for link, (n_ssm, d_state) in itertools.product(LINKS, [(1, 6), (2, 6), (None, 2)])
        if not (INITS[init].parts and n_ssm == 1)  # not a spec: test_options asserts the refusal
    )
    assert sweep(specs) > 0


@pytest.mark.parametrize("kernel", KERNELS)
def test_dss(kernel: str) -> None:
    """Each DSS kernel, init, one mode and several, one step size and two; softmax over the sequence at hand and over a fixed length."""
    for init, d_state in itertools.product(("legs", "randn"), (2, 8)):
        if init == "randn" and kernel != "softmax":
            continue
        spec = DSSSpec(kernel=kernel, init=init, d_state=d_state)  # type: ignore[arg-type]
        agrees(spec)
        agrees(replace(spec, dt_per_part=True))
        if kernel == "softmax":
            agrees(replace(spec, length=64))


@pytest.mark.parametrize("dt", [0.001, 0.3, 1.0, 3.0])
@pytest.mark.parametrize("n", [1, 2, 13])
def test_hope(n: int, dt: float) -> None:
    """Any number of Markov parameters and any step, dt = 1 (a = 0, a shift register) and dt > 1 (a < 0) among them."""
    agrees(HOPESpec(d_state=n, dt_min=dt, dt_max=dt))


@pytest.mark.parametrize("n", [1, 2, 40])
def test_fir(n: int) -> None:
    agrees(FIRSpec(d_state=n))


@pytest.mark.parametrize("name", [n for n in KERNELS_OF if n not in ("hope-circular", "hope-twosided")])
def test_a_second_direction_leaves_the_first_as_it_is(name: str) -> None:
    """(2, H, L), row 0 the kernel of the one-directional spec with the same parameters, row 1 another."""
    spec = VARIANTS[name].mixer
    assert isinstance(spec, KernelSpec)
    torch.manual_seed(0)
    both = spec.build(H, directions=2)
    torch.manual_seed(0)
    one = spec.build(H)
    own = one.state_dict()
    one.load_state_dict({k: v if v.shape == own[k].shape else v[:1] for k, v in both.state_dict().items()})
    K = both(33)
    assert K.shape == (2, H, 33)
    torch.testing.assert_close(K[:1], one(33), rtol=1e-12, atol=1e-13)
    assert float((K[1] - K[0]).detach().abs().max()) > 0.1 * float(K.detach().abs().max())


@pytest.mark.parametrize("name", KERNELS_OF)
def test_every_registered_variant_agrees_or_says_why_it_cannot(name: str) -> None:
    """At 64 state dimensions, the size of the tables."""
    spec = VARIANTS[name].mixer
    assert isinstance(spec, KernelSpec)
    kernel = spec.build(2)
    if kernel.has_recurrence:
        K = kernel(200)[0]
        assert float((K - kernel.recurrence(200).kernel(200)).detach().abs().max()) <= 1e-10 * float(K.detach().abs().max())
    else:
        with pytest.raises(NoRecurrence, match="no recurrence"):
            kernel.recurrence(200)


def test_the_real_form_of_a_recurrence_is_the_same_system() -> None:
    """A complex state as (Re x, Im x) gives the same kernel."""
    for spec in (S4DSpec(d_state=6), S4Spec(d_state=6), DSSSpec(d_state=6), HOPESpec(d_state=6)):
        system = spec.build(2).recurrence(20)
        torch.testing.assert_close(system.real().kernel(20), system.kernel(20), rtol=1e-11, atol=1e-11)


# ------------------------------------------------------------------------------------------------- fast functions and their oracles


def complex_randn(*shape: int) -> Tensor:
    return torch.randn(*shape, dtype=torch.complex128)


def contraction(h: int, n: int) -> Tensor:
    A = torch.randn(h, n, n)
    return 0.97 * A / torch.linalg.matrix_norm(A, 2)[:, None, None]


def inside(*shape: int, dtype: torch.dtype) -> Tensor:
    """Random numbers with 0.3 <= |a| <= 1."""
    a = torch.randn(*shape, dtype=dtype)
    return a / a.abs() * (0.3 + 0.7 * torch.rand(*shape))


def same(fast: Callable[..., Tensor], slow: Callable[..., Tensor], *arguments: Tensor) -> None:
    """Equal values, and equal gradients of a random linear functional, to 1e-10 of the largest."""
    results = []
    torch.manual_seed(1)
    weight = None
    for f in (fast, slow):
        leaves = [a.detach().clone().requires_grad_() for a in arguments]
        y = f(*leaves)
        weight = torch.randn(y.shape, dtype=y.dtype) if weight is None else weight
        results.append([y.detach(), *torch.autograd.grad((y * weight).real.sum(), leaves, materialize_grads=True)])
    for a, b in zip(*results, strict=True):
        assert a.shape == b.shape
        assert float((a - b).abs().max()) <= 1e-10 * (float(b.abs().max()) + 1e-300)


shapes = settings(
    deadline=None, max_examples=20, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)


@shapes
@given(J=st.integers(1, 2), n=st.integers(1, 5), L=st.integers(1, 70), is_complex=st.booleans())
def test_vandermonde(J: int, n: int, L: int, is_complex: bool) -> None:
    dtype = torch.complex128 if is_complex else torch.float64
    W, a = torch.randn(J, 3, n, dtype=dtype), inside(3, n, dtype=dtype)
    if not is_complex:
        a = a.abs()  # a real pow of a negative base has no gradient in torch
    same(lambda W, a: vandermonde.vandermonde(W, a, L, torch.float64), lambda W, a: vandermonde.vandermonde_direct(W, a, L), W, a)


@shapes
@given(J=st.integers(1, 2), n=st.integers(1, 5), L=st.integers(1, 70))
def test_krylov(J: int, n: int, L: int) -> None:
    arguments = contraction(3, n), torch.randn(3, n), torch.randn(J, 3, n)
    fast = lambda A, B, C: krylov.krylov(krylov.Dense(A), B, C, L, torch.float64)
    same(fast, lambda A, B, C: krylov.krylov_direct(A, B, C, L), *arguments)


@shapes
@given(J=st.integers(1, 2), M=st.integers(1, 5), L=st.integers(1, 70))
def test_krylov_of_a_diagonal_plus_rank_one(J: int, M: int, L: int) -> None:
    """The powers kept as a diagonal and the columns that they make, against those of the whole matrix."""
    D, u, v = (0.5 * inside(3, M, dtype=torch.complex128), *(complex_randn(2, 3, M) / (4 * M)))
    same(
        lambda D, u, v, B, C: krylov.krylov(krylov.DiagonalPlusRankOne(D, u, v), B, C, L, torch.float64),
        lambda D, u, v, B, C: krylov.krylov_direct(krylov.DiagonalPlusRankOne(D, u, v).matrix(), B, C, L),
        *(D, u, v, torch.randn(3, 2 * M), torch.randn(J, 3, 2 * M)),
    )


@pytest.mark.parametrize("T", [1, 2, 8])
def test_derivatives_of_the_columns_of_a_diagonal_plus_rank_one(T: int) -> None:
    """Both directions, and the second derivative, against finite differences."""
    inputs = [(0.4 * complex_randn(1, 2)).requires_grad_() for _ in range(4)]
    columns = lambda *x: krylov._Doubling.apply(*x, T, torch.float64)
    assert torch.autograd.gradcheck(columns, inputs, check_forward_ad=True)
    assert torch.autograd.gradgradcheck(columns, inputs)


@shapes
@given(J=st.integers(1, 2), n=st.integers(1, 9), L=st.integers(1, 70))
def test_taps_of_an_all_pass_series(J: int, n: int, L: int) -> None:
    """The powers of a lower-triangular Toeplitz matrix, kept as one column each, against those of the whole matrix of the ladder."""
    steps = torch.tensor([[0.02], [0.4], [1.7]])

    def direct(h: Tensor, dt: Tensor) -> Tensor:
        f, alternating, s = warped.ladder(dt, n + 1)
        A, B = warped.toeplitz(f[:, :n]), s * alternating[:, :n]
        C = (s.unsqueeze(-1) * (h.transpose(0, 1) @ warped.toeplitz(alternating[:, :n]))).transpose(0, 1)
        first = (h * alternating[:, 1:]).sum(-1, keepdim=True)
        return first if L == 1 else torch.cat([first, krylov.krylov_direct(A, B, C, L - 1)], dim=-1)

    same(lambda h, dt: warped.taps(h, dt, L, torch.float64), direct, torch.randn(J, 3, n), steps)
    first = torch.randn(3, n)
    dense = warped.toeplitz(first)
    assert all(dense[1, i, j] == (first[1, i - j] if i >= j else 0) for i in range(n) for j in range(n))


@shapes
@given(B=st.integers(1, 2), n=st.integers(1, 4), L=st.integers(1, 70), is_complex=st.booleans(), started=st.booleans())
def test_scan(B: int, n: int, L: int, is_complex: bool, started: bool) -> None:
    """Any length, with and without an initial state; the gradient of the initial state too."""
    dtype = torch.complex128 if is_complex else torch.float64
    a, v, start = inside(n, dtype=dtype), torch.randn(B, L, n, dtype=dtype), torch.randn(B, n, dtype=dtype)
    same(functional.scan, functional.scan_direct, a, v, *((start,) if started else ()))


@shapes
@given(n=st.integers(1, 70), F=st.integers(1, 9), is_complex=st.booleans())
def test_samples_of_an_all_pass_series(n: int, F: int, is_complex: bool) -> None:
    """Against the sum of powers, at angles around the whole circle."""
    h = complex_randn(3, n) if is_complex else torch.randn(3, n)
    theta, steps = 2 * torch.pi * (torch.arange(F) + 0.3) / F, torch.tensor([[0.02], [0.4], [1.7]])
    same(lambda h, dt: warped.samples(h, dt, theta), lambda h, dt: warped.samples_direct(h, dt, theta), h, steps)


def test_samples_taken_a_few_channels_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same values and gradients where the tables do not hold all channels."""
    theta = torch.linspace(0, 3, 11)
    monkeypatch.setattr(warped, "CHUNK", 100)
    direct = lambda h, dt: warped.samples_direct(h, dt, theta)
    same(lambda h, dt: warped.samples(h, dt, theta), direct, torch.randn(7, 13), torch.rand(7, 1) + 0.1)


@pytest.mark.parametrize(
    "domain", [warped.Taps(9, torch.float64), warped.Circle(torch.linspace(0, 3, 5), torch.float64)], ids=["taps", "circle"]
)
def test_derivatives_of_an_all_pass_series(domain: warped.Domain) -> None:
    """Of the series and of its moments: both directions, and the second derivative, against finite differences."""
    c, dt = torch.randn(2, 2, 4, requires_grad=True), torch.tensor([[0.4], [0.6]], requires_grad=True)
    series = lambda c, dt: warped._Series.apply(c, dt, domain)
    moments = lambda q, dt: warped._Moments.apply(q, dt, 4, domain)
    for f, x in ((series, c), (moments, series(c, dt).detach().requires_grad_())):
        assert torch.autograd.gradcheck(f, (x, dt), check_forward_ad=True)
        assert torch.autograd.gradgradcheck(f, (x, dt))


@pytest.mark.parametrize("L, J", [(7, 2), (8, 1)])
@pytest.mark.parametrize("is_complex", [False, True])
def test_derivatives_of_the_vandermonde_product(is_complex: bool, L: int, J: int) -> None:
    """Of the product and of its moments: both directions, and the second derivative, against finite differences; at a = 0 too."""
    dtype = torch.complex128 if is_complex else torch.float64
    W, a = torch.randn(J, 2, 3, dtype=dtype, requires_grad=True), 0.9 * inside(2, 3, dtype=dtype)
    a[0, 0] = 0
    a.requires_grad_()
    product = lambda W, a: vandermonde.vandermonde(W, a, L, torch.float64)
    for f, x in ((product, W), (lambda g, a: vandermonde._Moments.apply(g, a), torch.randn(J, 2, L, requires_grad=True))):
        assert torch.autograd.gradcheck(f, (x, a), check_forward_ad=True)
        assert torch.autograd.gradgradcheck(f, (x, a))


@pytest.mark.parametrize("k", [1, 2])
def test_derivatives_of_phi(k: int) -> None:
    z = (complex_randn(40) * torch.logspace(-6, 1, 40)).requires_grad_()
    phi_k = lambda z: phi._Phi.apply(z, k)
    assert torch.autograd.gradcheck(phi_k, (z,), check_forward_ad=True)
    assert torch.autograd.gradgradcheck(phi_k, (z,))


@shapes
@given(B=st.integers(1, 3), L=st.integers(1, 40), J=st.integers(1, 2))
def test_causal_conv(B: int, L: int, J: int) -> None:
    same(convolution.causal_conv, convolution.causal_conv_direct, torch.randn(B, 2, L), torch.randn(J, 2, L))


@shapes
@given(B=st.integers(1, 3), L=st.integers(1, 40))
def test_circular_conv(B: int, L: int) -> None:
    same(convolution.circular_conv, convolution.circular_conv_direct, torch.randn(B, 2, L), torch.randn(1, 2, L))


def test_a_kernel_shorter_than_the_sequence_is_padded_with_zeros() -> None:
    """The backward direction too starts at lag +1, whatever the number of taps."""
    u, K = torch.randn(2, 3, 20), torch.randn(2, 3, 7)
    padded = torch.nn.functional.pad(K, (0, 13))
    torch.testing.assert_close(convolution.causal_conv(u, K), convolution.causal_conv_direct(u, padded), rtol=1e-12, atol=1e-12)


def test_powers_of_zero_and_of_large_phases() -> None:
    """a^0 = 1 also at a = 0, and a^l is exact to l roundings."""
    a = torch.tensor([0.0, 0.5, -1.0])
    torch.testing.assert_close(functional.powers(a, 5), a.unsqueeze(-1) ** torch.arange(5), rtol=0, atol=0)
    z = torch.exp(torch.tensor(1j * 2.5))
    turned = torch.exp(1j * torch.remainder(2.5 * torch.arange(4096.0), 2 * torch.pi))
    assert float((functional.powers(z, 4096) - turned).abs().max()) < 1e-11


def test_oracles_agree_in_single_precision() -> None:
    """1e-4 of the largest value at L = 512."""

    def single(x: Tensor) -> Tensor:
        return x.to(torch.complex64 if x.is_complex() else torch.float32)

    W, a = complex_randn(1, 3, 8), inside(3, 8, dtype=torch.complex128)
    A, B, C = contraction(3, 8), torch.randn(3, 8), torch.randn(1, 3, 8)
    theta, steps = torch.linspace(0, 3, 33), torch.tensor([[0.02], [0.4], [1.7]])
    u, K = torch.randn(2, 3, 512), torch.randn(2, 3, 512)
    V = complex_randn(2, 512, 8)
    cases: list[tuple[Tensor, Tensor]] = [
        (vandermonde.vandermonde(W, a, 512, torch.float32), vandermonde.vandermonde_direct(W, a, 512)),
        (krylov.krylov(krylov.Dense(A), B, C, 512, torch.float32), krylov.krylov_direct(A, B, C, 512)),
        (functional.scan(a[0], single(V)), functional.scan_direct(a[0], V)),
        (warped.samples(single(B), steps, theta), warped.samples_direct(B, steps, theta)),
        (warped.taps(single(B)[None], steps, 512, torch.float32), warped.taps(B[None], steps, 512, torch.float64)),
        (convolution.causal_conv(single(u), single(K)), convolution.causal_conv_direct(u, K)),
        (convolution.circular_conv(single(u), single(K[:1])), convolution.circular_conv_direct(u, K[:1])),
    ]
    for fast, slow in cases:
        assert fast.dtype == single(slow).dtype
        assert float((fast - slow).abs().max()) <= 1e-4 * float(slow.abs().max())


# ------------------------------------------------------------------------------------------------- memory and precision


def saved(f: Callable[[], Any]) -> int:
    """Elements of the largest tensor that autograd keeps for the backward pass of f."""
    sizes = [0]

    def pack(t: Tensor) -> Tensor:
        sizes.append(t.numel())
        return t

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda t: t):
        f()
    return max(sizes)


@pytest.mark.parametrize(
    "spec",
    [S4DSpec(), S4DSpec(real=True), DSSSpec(d_state=128), DSSSpec(kernel="softmax", init="randn"), S4Spec()]
    + [HOPESpec(filter=f) for f in FILTERS],  # type: ignore[arg-type]
    ids=lambda s: f"{type(s).__name__}-{getattr(s, 'filter', '')}{getattr(s, 'kernel', '')}{getattr(s, 'real', '')}",
)
def test_no_tensor_of_size_hnl_is_kept(spec: KernelSpec) -> None:
    """H = 8, N = 64, L = 4096: the largest saved tensor stays below an eighth of H N L; the oracle, for contrast, exceeds a half."""
    channels, N, L = 8, 64, 4096
    kernel = spec.build(channels)
    assert 0 < saved(lambda: kernel(L)) <= channels * N * L // 8
    a = inside(channels, N, dtype=torch.complex128).requires_grad_()
    assert saved(lambda: vandermonde.vandermonde_direct(torch.ones(1, channels, N), a, L)) > channels * N * L // 2


@pytest.mark.parametrize("name", ["s4d-inv", "s4d-legs", "dss-exp", "hope", "s4"])
def test_single_precision_at_path_x_length(name: str) -> None:
    """L = 16384, dt up to 0.1, phases of up to 2e6 rad: the float32 kernel keeps four digits of the float64 one."""
    torch.set_default_dtype(torch.float32)
    spec = VARIANTS[name].mixer
    assert isinstance(spec, KernelSpec)
    kernel = spec.build(16)
    single = kernel(16384).double()
    double = kernel.double()(16384)
    assert single.dtype == double.dtype
    error = (single - double).detach().abs().amax(-1) / double.detach().abs().amax(-1)
    assert float(error.max()) < 1e-4
