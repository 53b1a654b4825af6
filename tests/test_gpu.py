"""Kernels, engines, layers and networks on a GPU, in value and gradient, beside the slow oracles on the CPU in double precision.

`SSM_TEST_DEVICE=cpu` tries these tests where there is no GPU.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from models import (
    DEFAULT_VARIANTS,
    VARIANTS,
    DSSSpec,
    Kernel,
    KernelSpec,
    Layer,
    ModelSpec,
    NoRecurrence,
    OptimSpec,
    S4DSpec,
    S4Spec,
    SequenceModel,
    SequenceTask,
    convolution,
    functional,
    krylov,
    vandermonde,
    warped,
)
from models.specs.mixer import Around

pytestmark = pytest.mark.gpu

H, L = 4, 100
EXACT = {torch.float64: 1e-10, torch.float32: 1e-4}
OF_ATTENTION = 1e-7
"""torch's own attention, on an H100 in float64, was 3e-9 from that of the CPU, and a gradient 1e-8."""
PRECISIONS = [pytest.param(dtype, id=str(dtype).removeprefix("torch.")) for dtype in EXACT]
KERNELS_OF = [name for name, variant in VARIANTS.items() if isinstance(variant.mixer, KernelSpec)]
FURTHER: dict[str, tuple[KernelSpec, int]] = {
    "s4d both ways": (S4DSpec(), 2),
    "s4 both ways": (S4Spec(), 2),
    "s4 zoh": (S4Spec(discretization="zoh"), 1),
    "s4d bilinear": (S4DSpec(discretization="bilinear", n_ssm=2), 1),
    "s4d one mode": (S4DSpec(d_state=2), 1),
    "dss-softmax growing": (DSSSpec(kernel="softmax", init="randn"), 1),
    "dss dt per part": (DSSSpec(dt_per_part=True), 1),
}
BUILT: dict[str, tuple[KernelSpec, int]] = {name: (VARIANTS[name].mixer, 1) for name in KERNELS_OF} | FURTHER  # type: ignore[dict-item]


def apart(a: Tensor, b: Tensor) -> float:
    """|a - b| / |b|, in double precision on the CPU; infinite where a number is none."""
    a, b = a.detach().cpu(), b.detach().cpu()
    wide = torch.complex128 if b.is_complex() else torch.float64
    a, b = a.to(wide), b.to(wide)
    assert a.shape == b.shape, (a.shape, b.shape)
    error = float((a - b).norm() / b.norm().clamp(min=1e-30))
    return error if error == error else float("inf")


def gradients(y: Tensor, module: nn.Module) -> dict[str, Tensor]:
    """Of a fixed random functional of y, by the name of the parameter."""
    weight = torch.randn(y.shape, generator=torch.Generator().manual_seed(5), dtype=torch.float64)
    module.zero_grad()
    (y * weight.to(y)).sum().backward()
    return {name: p.grad.clone() for name, p in module.named_parameters() if p.grad is not None}


def twins(build: Callable[[], nn.Module], dtype: torch.dtype, device: str) -> tuple[Any, Any]:
    """(the module in `dtype` on the device, the same in float64 on the CPU)."""
    torch.manual_seed(0)
    module = build().to(dtype)
    return copy.deepcopy(module).to(device), module.double()


def require_close(y: Tensor, slow: Tensor, there: nn.Module, here: nn.Module, tolerance: float) -> None:
    """Value and every gradient."""
    assert apart(y, slow) <= tolerance
    fast, oracle = gradients(y, there), gradients(slow, here)
    assert fast.keys() == oracle.keys()
    largest = max(float(g.norm()) for g in oracle.values())
    for name, g in oracle.items():
        if float(g.norm()) > 1e-9 * largest:
            assert apart(fast[name], g) <= tolerance, name


@pytest.fixture(autouse=True)
def settings() -> Iterator[None]:
    """What a test switches is switched back."""
    before, rounding = torch.get_float32_matmul_precision(), torch.backends.cudnn.allow_tf32
    torch.backends.cudnn.allow_tf32 = False  # as in a run
    yield
    torch.backends.cudnn.allow_tf32 = rounding
    torch.set_float32_matmul_precision(before)
    if torch.cuda.is_available():
        torch.cuda.set_sync_debug_mode("default")


# ------------------------------------------------------------------------------------------------- kernels


def oracle(kernel: Kernel, length: int) -> Tensor:
    """The kernel by stepping where it has one direction and a recurrence; else the fast one, in float64 on the CPU."""
    if kernel.directions == 1:
        try:
            return kernel.recurrence(length).kernel(length).unsqueeze(0)
        except NoRecurrence:
            pass
    return kernel(length)


@pytest.mark.parametrize("name", BUILT)
@pytest.mark.parametrize("dtype", PRECISIONS)
def test_kernels_and_their_gradients(device: str, name: str, dtype: torch.dtype) -> None:
    spec, directions = BUILT[name]
    there, here = twins(lambda: spec.build(H, directions), dtype, device)
    for length in (1, 33, L):
        K = there(length)
        assert (K.device.type, K.dtype, K.shape[1:]) == (device, dtype, (H, length))
        require_close(K, oracle(here, length), there, here, EXACT[dtype])


@pytest.mark.parametrize("name", KERNELS_OF)
@pytest.mark.parametrize("setting", ["high", "medium", "bf16-mixed"])
def test_kernels_are_exact_whatever_the_layers_around_them_are_trained_in(device: str, name: str, setting: str) -> None:
    spec, _ = BUILT[name]
    there, here = twins(lambda: spec.build(H), torch.float32, device)
    if setting == "bf16-mixed":
        layer = VARIANTS[name].mixer.build_layer(H).to(device)
        layer.kernel = there  # type: ignore[assignment]
        seen: list[Tensor] = []
        there.register_forward_hook(lambda module, inputs, K: seen.append(K))
        with torch.autocast(device, torch.bfloat16):
            layer(torch.randn(2, L, H, device=device))
        K = seen[0]
    else:
        torch.set_float32_matmul_precision(setting)
        K = there(L)
    assert K.dtype == torch.float32
    require_close(K, oracle(here, L), there, here, 1e-4)


@pytest.mark.parametrize("name", KERNELS_OF)
def test_long_kernels(device: str, name: str) -> None:
    """The phases of 20,000 steps."""
    spec, _ = BUILT[name]
    there, here = twins(lambda: spec.build(H), torch.float32, device)
    with torch.no_grad():
        assert apart(there(20_000), here(20_000)) <= 1e-4


# ------------------------------------------------------------------------------------------------- functions


def normal(*shape: int, dtype: torch.dtype = torch.float64) -> Tensor:
    return torch.randn(*shape, dtype=dtype, generator=torch.Generator().manual_seed(sum(shape)))


def compare(fast: Callable[..., Tensor], slow: Callable[..., Tensor], inputs: tuple[Tensor, ...], dtype: torch.dtype, device: str) -> None:
    """Value and gradient of `fast` on the device, in `dtype`, beside those of `slow` on the CPU in float64."""
    wide = [x.detach().clone().requires_grad_() for x in inputs]
    narrow = [
        x.detach()
        .to(device, dtype if not x.is_complex() else torch.complex128 if dtype == torch.float64 else torch.complex64)
        .requires_grad_()
        for x in inputs
    ]
    y, reference = fast(*narrow), slow(*wide)
    assert apart(y, reference) <= EXACT[dtype]
    weight = torch.randn_like(reference)
    got = torch.autograd.grad(y, narrow, weight.to(y), materialize_grads=True)
    for g, expected in zip(got, torch.autograd.grad(reference, wide, weight, materialize_grads=True), strict=True):
        assert apart(g, expected) <= EXACT[dtype]


@pytest.mark.parametrize("dtype", PRECISIONS)
@pytest.mark.parametrize("B, length, taps, J", [(3, 100, 100, 1), (1, 1, 1, 1), (2, 33, 20, 1), (2, 64, 64, 2), (5, 127, 127, 2)])
def test_causal_convolution(device: str, dtype: torch.dtype, B: int, length: int, taps: int, J: int) -> None:
    def slow(u: Tensor, K: Tensor) -> Tensor:
        return convolution.causal_conv_direct(u, nn.functional.pad(K, (0, length - taps)))

    compare(convolution.causal_conv, slow, (normal(B, H, length), normal(J, H, taps)), dtype, device)


@pytest.mark.parametrize("dtype", PRECISIONS)
@pytest.mark.parametrize("length", [1, 2, 33, 100])
def test_circular_convolution(device: str, dtype: torch.dtype, length: int) -> None:
    inputs = (normal(2, H, length), normal(1, H, length))
    compare(convolution.circular_conv, convolution.circular_conv_direct, inputs, dtype, device)


@pytest.mark.parametrize("dtype", PRECISIONS)
@pytest.mark.parametrize("length", [1, 2, 33, 100])
def test_scan(device: str, dtype: torch.dtype, length: int) -> None:
    a, v, start = 0.95 * torch.exp(1j * normal(5)), torch.complex(normal(2, length, 5), normal(2, length, 5)), normal(2, 5) + 0j
    compare(functional.scan, functional.scan_direct, (a, v, start), dtype, device)


@pytest.mark.parametrize("dtype", PRECISIONS)
@pytest.mark.parametrize("length", [1, 2, 33, 100])
def test_vandermonde(device: str, dtype: torch.dtype, length: int) -> None:
    """The mode in double precision, as a kernel gives it."""
    turn = 1j * normal(H, 5)
    fast = lambda W, r: vandermonde.vandermonde(W, r.to(torch.complex128) * torch.exp(turn.to(device)), length, dtype)
    slow = lambda W, r: vandermonde.vandermonde_direct(W, r * torch.exp(turn), length)
    compare(
        fast, slow, (torch.complex(normal(2, H, 5), normal(2, H, 5)), 0.95 * torch.sigmoid(normal(H, 5)).float().double()), dtype, device
    )


STEPS = torch.tensor([[0.02], [0.1], [0.4], [1.7]], dtype=torch.float64)


@pytest.mark.parametrize("dtype", PRECISIONS)
def test_samples(device: str, dtype: torch.dtype) -> None:
    theta = torch.linspace(0, 3, 30, dtype=torch.float64)
    fast = lambda h: warped.samples(h, STEPS.to(device), theta.to(device))
    compare(fast, lambda h: warped.samples_direct(h, STEPS, theta), (normal(H, 16),), dtype, device)


@pytest.mark.parametrize("length", [1, 2, 33, 100])
def test_krylov_of_a_diagonal_plus_rank_one(device: str, length: int) -> None:
    vectors = [torch.complex(normal(H, 3), normal(3, H).T) / 9 for _ in range(3)]
    fast = lambda D, u, v, B, C: krylov.krylov(krylov.DiagonalPlusRankOne(D, u, v), B, C, length, torch.float64)
    slow = lambda D, u, v, B, C: krylov.krylov_direct(krylov.DiagonalPlusRankOne(D, u, v).matrix(), B, C, length)
    compare(fast, slow, (*vectors, normal(H, 6), normal(2, H, 6)), torch.float64, device)


@pytest.mark.parametrize("length", [1, 2, 33, 100])
def test_krylov(device: str, length: int) -> None:
    A, _ = torch.linalg.qr(normal(H, 6, 6))
    fast = lambda A, B, C: krylov.krylov(krylov.Dense(A), B, C, length, torch.float64)
    slow = lambda A, B, C: krylov.krylov_direct(A, B, C, length)
    compare(fast, slow, ((0.97 * A).detach(), normal(H, 6), normal(2, H, 6)), torch.float64, device)


# ------------------------------------------------------------------------------------------------- layers


@pytest.mark.parametrize("name", VARIANTS)
@pytest.mark.parametrize("dtype", PRECISIONS)
def test_layers_and_their_gradients(device: str, name: str, dtype: torch.dtype) -> None:
    there, here = twins(lambda: VARIANTS[name].mixer.build_layer(8), dtype, device)
    u = normal(3, 65, 8)
    require_close(there(u.to(device, dtype)), here(u), there, here, max(EXACT[dtype], OF_ATTENTION if name == "transformer" else 0))


# What a matrix product with factors of 10 bits (TF32) or 7 bits (bfloat16) may lose.
ROUNDED = {"high": 5e-3, "medium": 5e-3, "bf16-mixed": 5e-2}


@pytest.mark.parametrize("name", VARIANTS)
@pytest.mark.parametrize("setting", ROUNDED)
def test_layers_with_rounded_products(device: str, name: str, setting: str, record_property: Callable[[str, object], None]) -> None:
    if name == "lstm" and device == "cpu":
        pytest.skip("not every CPU has an LSTM in bfloat16")
    there, here = twins(lambda: VARIANTS[name].mixer.build_layer(16), torch.float32, device)
    if setting != "bf16-mixed":
        torch.set_float32_matmul_precision(setting)
    u = normal(3, 65, 16)
    with torch.autocast(device, torch.bfloat16, enabled=setting == "bf16-mixed"):
        y = there(u.float().to(device))
    error = apart(y, here(u))
    record_property("error", error)
    assert error <= (ROUNDED[setting] if device == "cuda" or setting == "bf16-mixed" else 5e-2)
    assert all(bool(torch.isfinite(g).all()) for g in gradients(y, there).values())


def engines_of(name: str) -> tuple[str, ...]:
    return VARIANTS[name].mixer.build_layer(8).engines


class Unmixed(nn.Identity):
    """Leaves a layer's linear map out, in both layouts in which it is asked for."""

    def turned(self, x: Tensor) -> Tensor:
        return x.mT


WITH_ENGINES = [(name, engine) for name in VARIANTS for engine in engines_of(name)]


@pytest.mark.parametrize("name, engine", WITH_ENGINES)
@pytest.mark.parametrize("setting", ["float64", "float32", "high", "bf16-mixed"])
def test_every_engine(device: str, name: str, engine: str, setting: str) -> None:
    """In value and gradient; the linear map around it stays outside of what rounds."""
    dtype = torch.float64 if setting == "float64" else torch.float32
    there, here = twins(lambda: VARIANTS[name].mixer.build_layer(8), dtype, device)
    there.use_engine(engine)
    there.mix = here.mix = Unmixed()
    if setting == "high":
        torch.set_float32_matmul_precision("high")
    for length in (1, 130):
        u = normal(3, length, 8)
        with torch.autocast(device, torch.bfloat16, enabled=setting == "bf16-mixed"):
            y = there(u.to(device, dtype))
        tolerance = 5e-3 if name == "lru" and setting == "high" else EXACT[dtype]  # its maps of features are those of a linear layer
        require_close(y, here(u), there, here, tolerance)
    assert there.engines_used == {engine}


@pytest.mark.parametrize("name", [name for name, engine in WITH_ENGINES if engine != "fft"])
def test_streams_in_pieces(device: str, name: str) -> None:
    there, here = twins(lambda: VARIANTS[name].mixer.build_layer(8), torch.float64, device)
    u = normal(3, 300, 8)
    state, out = there.init_state(3, 300), []
    for piece in u.to(device).split([1, 129, 170], dim=1):
        y, state = there.stream(piece, state)
        out.append(y)
    require_close(torch.cat(out, 1), here(u), there, here, 1e-9)


@pytest.mark.parametrize("name", VARIANTS)
def test_step_by_step_on_the_device(device: str, name: str) -> None:
    mixer = VARIANTS[name].mixer
    there, here = twins(lambda: (mixer.fixed_to(20) if name in PADDABLE else mixer).build_layer(8), torch.float64, device)
    u = normal(3, 20, 8)
    with torch.no_grad():
        try:
            state = there.init_state(3, 20)
        except NoRecurrence as reason:
            pytest.skip(f"no step mode: {reason}")
        out = []
        for k in range(20):
            y, state = there.step(u[:, k].to(device), state)
            out.append(y)
        assert out[-1].device.type == device
        assert apart(torch.stack(out, 1), here(u)) <= 1e-8


@pytest.mark.parametrize("name", DEFAULT_VARIANTS)
def test_arrays_of_a_record_can_be_taken_from_the_device(device: str, name: str) -> None:
    there, here = twins(lambda: VARIANTS[name].mixer.build_layer(8), torch.float32, device)
    with torch.no_grad():
        got, expected = there.arrays(64), here.arrays(64)
    assert got.keys() == expected.keys()
    assert apart(torch.from_numpy(got["kernel"]), torch.from_numpy(expected["kernel"])) <= 1e-4


# ------------------------------------------------------------------------------------------------- networks


def network(name: str, **changes: Any) -> SequenceModel:
    mixer = VARIANTS[name].mixer
    spec = ModelSpec(**{"mixer": mixer.fixed_to(65) if changes.pop("padded", False) else mixer, "d_model": 8, "n_layers": 2} | changes)
    return spec.build(d_input=3, d_output=5)


PADDABLE = [name for name in VARIANTS if name not in ("hope-circular", "hope-twosided")]
LENGTHS = [65, 1, 40]


@pytest.mark.parametrize("name", VARIANTS)
def test_whole_networks(device: str, name: str) -> None:
    there, here = twins(lambda: network(name), torch.float32, device)
    x = normal(3, 65, 3)
    require_close(there(x.float().to(device)), here(x), there, here, 1e-3)


@pytest.mark.parametrize("norm, prenorm", [("layer", False), ("layer", True), ("batch", False)])
@pytest.mark.parametrize("name", PADDABLE)
def test_padded_networks(device: str, name: str, norm: str, prenorm: bool) -> None:
    there, here = twins(lambda: network(name, padded=True, norm=norm, prenorm=prenorm, pool_last=10), torch.float64, device)
    x = normal(3, 65, 3)
    other = x.clone()
    for row, length in enumerate(LENGTHS):
        other[row, length:] = 7
    lengths = torch.tensor(LENGTHS, device=device)
    require_close(there(x.to(device), lengths), here(other, LENGTHS), there, here, OF_ATTENTION if name == "transformer" else 1e-8)
    there.eval(), here.eval()
    with torch.no_grad():
        alone = torch.cat([here(x[i : i + 1, :length]) for i, length in enumerate(LENGTHS)])
        assert apart(there(x.to(device), LENGTHS), alone) <= 1e-8


def test_both_ways_and_tokens(device: str) -> None:
    spec = ModelSpec(mixer=S4DSpec(), d_model=8, n_layers=2, bidirectional=True, mixing="linear")
    there, here = twins(lambda: spec.build(vocab=11, d_output=5, two_towers=True), torch.float32, device)
    x = torch.randint(11, (4, 2, 33))
    require_close(there(x.to(device)), here(x), there, here, 1e-3)


# ------------------------------------------------------------------------------------------------- a training step


def task_of(name: str, device: str, *, regression: bool = False, per_step: bool = False, **changes: Any) -> SequenceTask:
    spec = ModelSpec(**{"mixer": VARIANTS[name].mixer, "d_model": 16, "n_layers": 2, "dropout": 0.1} | changes)
    model = spec.build(d_input=3, d_output=1 if regression else 5, per_step=per_step)
    return SequenceTask(model, OptimSpec(), total_steps=10, regression=regression).to(device)


def batch_of(task: SequenceTask, device: str, **further: Tensor) -> dict[str, Tensor]:
    shape = (6, 40) if task.model.per_step else (6,)
    y = torch.randn(shape) if task.regression else torch.randint(5, shape)
    batch = {"x": torch.randn(6, 40, 3), "y": y, **further}
    return task.transfer_batch_to_device(batch, torch.device(device), 0)


def steps_without_waiting(task: SequenceTask, batch: dict[str, Tensor], device: str, precision: str = "32") -> list[float]:
    """The losses of five steps, of which the device is waited for in the first two only."""
    optimizer = task.configure_optimizers()["optimizer"]
    losses = []
    for k in range(5):
        if device == "cuda" and k == 2:
            torch.cuda.synchronize()
            torch.cuda.set_sync_debug_mode("error")
        optimizer.zero_grad()
        with torch.autocast(device, torch.bfloat16, enabled=precision == "bf16-mixed"):
            loss = task.training_step(batch, k)
        loss.backward()
        optimizer.step()
        losses.append(loss.detach())
    if device == "cuda":
        torch.cuda.set_sync_debug_mode("default")
    return [float(loss) for loss in losses]


@pytest.mark.parametrize("precision", ["32", "bf16-mixed"])
@pytest.mark.parametrize("name", VARIANTS)
def test_a_step_never_waits_for_the_device(device: str, name: str, precision: str) -> None:
    task = task_of(name, device)
    losses = steps_without_waiting(task, batch_of(task, device), device, precision)
    assert all(loss < 10 for loss in losses)
    assert losses[-1] != losses[0]


KINDS: dict[str, tuple[dict[str, Any], dict[str, Tensor]]] = {
    "regression": ({"regression": True}, {}),
    "padded": ({}, {"lengths": torch.tensor([40, 3, 40, 20, 7, 40])}),
    "every step scored": ({"per_step": True}, {}),
    "some steps scored": ({"per_step": True}, {"mask": (torch.arange(40) >= 30).float().expand(6, 40).clone()}),
    "resampled": ({}, {"rate": torch.tensor(2.0)}),
    "batch norm": ({"norm": "batch"}, {}),
    "last steps": ({"pool_last": 5}, {"lengths": torch.tensor([40, 3, 40, 20, 7, 40])}),
}


@pytest.mark.parametrize("kind", KINDS)
def test_no_kind_of_task_waits_for_the_device(device: str, kind: str) -> None:
    changes, further = KINDS[kind]
    task = task_of("s4d-lin", device, **changes)
    steps_without_waiting(task, batch_of(task, device, **further), device)


@pytest.mark.parametrize("name", VARIANTS)
def test_losses_of_ten_steps_are_those_of_the_cpu(device: str, name: str) -> None:
    torch.manual_seed(0)
    here = task_of(name, "cpu", dropout=0.0)
    there = copy.deepcopy(here).to(device)
    batch = batch_of(here, "cpu")
    runs = []
    for task, place in ((here, "cpu"), (there, device)):
        optimizer = task.configure_optimizers()["optimizer"]
        losses = []
        for k in range(10):
            optimizer.zero_grad()
            loss = task.training_step(task.transfer_batch_to_device(batch, torch.device(place), 0), k)
            loss.backward()
            optimizer.step()
            losses.append(float(loss.detach()))
        runs.append(torch.tensor(losses))
    assert apart(runs[1], runs[0]) <= 1e-3


# ------------------------------------------------------------------------------------------------- what may pay


def a_step(task: SequenceTask, batch: dict[str, Tensor], optimizer: torch.optim.Optimizer) -> Callable[[], Tensor]:
    def step() -> Tensor:
        optimizer.zero_grad(set_to_none=False)
        loss, _ = task.loss_and_score(task.outputs(batch), batch["y"])
        loss.backward()
        optimizer.step()
        return loss

    return step


def milliseconds(step: Callable[[], object], repeats: int = 20) -> float:
    """Median over repeats."""
    times = []
    for _ in range(repeats):
        begin, end = torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)
        begin.record()
        step()
        end.record()
        end.synchronize()
        times.append(begin.elapsed_time(end))
    return sorted(times)[repeats // 2]


def of_size(name: str, device: str) -> tuple[SequenceTask, dict[str, Tensor], torch.optim.Optimizer]:
    """The network of the small scale: 4 layers of 128, 50 sequences of 1,024 steps."""
    task = task_of(name, device, d_model=128, n_layers=4, dropout=0.0, mixing="linear")
    batch = {"x": torch.randn(50, 1024, 3, device=device), "y": torch.randint(5, (50,), device=device)}
    return task, batch, torch.optim.AdamW(task.model.parameters(), lr=1e-3, capturable=True)


@pytest.mark.parametrize("name", DEFAULT_VARIANTS)
def test_a_graph_of_a_step(device: str, name: str, record_property: Callable[[str, object], None]) -> None:
    """Whether a whole step can be captured, and what it saves; a finding, no demand."""
    if device != "cuda":
        pytest.skip("graphs are CUDA's")
    task, batch, optimizer = of_size(name, device)
    step = a_step(task, batch, optimizer)
    side = torch.cuda.Stream()
    side.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(side):
        for _ in range(5):
            step()
    torch.cuda.current_stream().wait_stream(side)
    record_property("eager_ms", milliseconds(step))
    graph = torch.cuda.CUDAGraph()
    try:
        with torch.cuda.graph(graph):
            loss = step()
    except RuntimeError as error:
        record_property("graph", str(error).splitlines()[0])
        pytest.skip(f"no graph: {error}")
    record_property("graph_ms", milliseconds(graph.replay))
    assert bool(torch.isfinite(loss))


@pytest.mark.slow
@pytest.mark.timeout(150)
def test_a_compiled_network(device: str, record_property: Callable[[str, object], None]) -> None:
    """Whether torch.compile takes a network, and what it saves; a finding, no demand."""
    if device != "cuda":
        pytest.skip("measured on a GPU only")
    task, batch, optimizer = of_size("s4d-lin", device)
    step = a_step(task, batch, optimizer)
    for _ in range(5):
        step()
    record_property("eager_ms", milliseconds(step))
    try:
        task.model.compile()
        for _ in range(5):
            step()
    except Exception as error:  # noqa: BLE001 whatever it is, it is the finding
        record_property("compile", f"{type(error).__name__}: {str(error).splitlines()[0]}")
        pytest.skip(f"not compiled: {error}")
    record_property("compiled_ms", milliseconds(step))


def test_layers_know_of_no_device(device: str) -> None:
    """A layer that is built on the device has all it needs there."""
    with torch.device(device):
        for name in VARIANTS:
            layer: Layer = VARIANTS[name].mixer.build_layer(8, Around())
            assert {t.device.type for t in (*layer.parameters(), *layer.buffers())} == {device}, name
            assert layer(torch.randn(2, 9, 8)).device.type == device
