"""LRU: its recurrence against plain loops and printed numbers, its ring of eigenvalues, and a run of it."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from benchmarks.running.run import run
from benchmarks.running.store import Store
from models import LRUSpec, ModelSpec, OptimSpec, param_groups
from models.lru import LRULayer, LRURecurrence
from tests.tiny import tiny

pytestmark = pytest.mark.usefixtures("double")


def recurrence(H: int = 3, **options: float) -> LRURecurrence:
    return LRURecurrence(LRUSpec(**options), H)  # type: ignore[arg-type]


def test_golden_kernel() -> None:
    """|lambda| = (0.9, 0.5), arg = (0.3, 2), gamma = sqrt(1 - |lambda|^2), b = (1 + 0.5i, 0.25 - i), c = (0.3 - 0.2i, -0.4 + 0.6i)."""
    layer = recurrence(1, d_state=4)
    radius = torch.tensor([0.9, 0.5])
    layer.nu.data = torch.log(-torch.log(radius))
    layer.theta.data = torch.log(torch.tensor([0.3, 2.0]))
    layer.log_gamma.data = torch.log(torch.sqrt(1 - radius**2))
    layer.B.data = torch.tensor([[[1, 0.5]], [[0.25, -1]]], dtype=torch.float64)
    layer.C.data = torch.tensor([[[0.3, -0.2], [-0.4, 0.6]]], dtype=torch.float64)
    printed = torch.tensor([0.607368659634, -0.150945577727, 0.145888609059, 0.160062615227])
    impulse = torch.tensor([1.0, 0, 0, 0]).view(1, 4, 1)
    for K in (layer(impulse)[0, :, 0], layer.responses(4)[0, 0]):
        torch.testing.assert_close(K.detach(), printed, rtol=0, atol=6e-13)


def plain(layer: LRURecurrence, u: np.ndarray) -> np.ndarray:
    """The recurrence in numpy, one number after the other."""
    nu, theta, log_gamma, B, C = (p.detach().numpy() for p in (layer.nu, layer.theta, layer.log_gamma, layer.B, layer.C))
    y = np.zeros_like(u)
    for b in range(len(u)):
        x = [0j] * len(nu)
        for k in range(u.shape[1]):
            for n in range(len(nu)):
                lam = math.exp(-math.exp(nu[n])) * complex(math.cos(math.exp(theta[n])), math.sin(math.exp(theta[n])))
                drive = sum(complex(*B[n, h]) * u[b, k, h] for h in range(u.shape[2]))
                x[n] = lam * x[n] + math.exp(log_gamma[n]) * drive
            for h in range(u.shape[2]):
                y[b, k, h] = sum((complex(*C[h, n]) * x[n]).real for n in range(len(nu)))
    return y


@pytest.mark.parametrize("L", [1, 2, 7, 16])
def test_forward_is_the_plain_loop(L: int) -> None:
    layer, u = recurrence(d_state=10, r_min=0.2), torch.randn(2, L, 3)
    layer.log_gamma.data += 0.3 * torch.randn(5)
    torch.testing.assert_close(layer(u).detach(), torch.from_numpy(plain(layer, u.numpy())), rtol=1e-11, atol=1e-12)


def test_every_gradient_is_that_of_stepping() -> None:
    """Of the input and of all parameters, at a length that is no power of two."""
    layer, u, weight = recurrence(d_state=8), torch.randn(2, 13, 3, requires_grad=True), torch.randn(2, 13, 3)
    x, outputs = torch.zeros(2, 4, dtype=torch.complex128), []
    for k in range(13):
        y, x = layer.step(u[:, k], x)
        outputs.append(y)
    leaves = [u, *layer.parameters()]
    fast = torch.autograd.grad((layer(u) * weight).sum(), leaves)
    slow = torch.autograd.grad((torch.stack(outputs, 1) * weight).sum(), leaves)
    for a, b in zip(fast, slow, strict=True):
        assert float(b.abs().max()) > 0
        torch.testing.assert_close(a, b, rtol=1e-10, atol=1e-11)


def test_kernel_is_the_response_of_each_channel_to_itself() -> None:
    layer = recurrence(d_state=6)
    responses = [layer(torch.eye(3)[h].expand(1, 9, 3) * (torch.arange(9) == 0).view(1, 9, 1))[0, :, h] for h in range(3)]
    torch.testing.assert_close(layer.responses(9)[0], torch.stack(responses), rtol=1e-11, atol=1e-12)


def block_hankel(layer: LRURecurrence, m: int) -> Tensor:
    """[K_{i+j+1}] of H x H blocks, from impulse responses."""
    H = layer.B.shape[1]
    impulses = torch.zeros(H, 2 * m, H)
    impulses[torch.arange(H), 0, torch.arange(H)] = 1
    K = layer(impulses).permute(1, 2, 0)  # (lag, output, input)
    return torch.cat([torch.cat([K[i + j + 1] for j in range(m)], dim=1) for i in range(m)])


def test_hankel_singular_values_are_those_of_the_block_hankel_matrix() -> None:
    """All 2 per mode of them, of the system of 3 inputs and 3 outputs."""
    layer = recurrence(d_state=6, r_min=0.3, r_max=0.7)
    sigma = torch.linalg.svdvals(block_hankel(layer, 40).detach())
    ours = layer.hankel_singular_values().detach()
    assert ours.shape == (1, 6)
    torch.testing.assert_close(ours[0], sigma[:6] / sigma[0], rtol=1e-6, atol=1e-8)
    assert float(sigma[6] / sigma[0]) < 1e-10


def test_the_ring_is_filled_evenly_and_the_state_keeps_its_size() -> None:
    """|lambda|^2 uniform in [r_min^2, r_max^2], arg uniform up to max_phase; white noise drives the state to its own variance."""
    layer = recurrence(8, d_state=20000, r_min=0.5, r_max=0.9, max_phase=1.0)
    Lambda, B, _ = (m.detach() for m in layer.system())
    square, phase = Lambda.abs() ** 2, Lambda.angle()
    assert 0.25 <= float(square.min()) < 0.251
    assert 0.809 < float(square.max()) <= 0.81
    assert abs(float(square.mean()) - 0.53) < 0.01
    assert 0 < float(phase.min()) < 1e-3
    assert abs(float(phase.mean()) - 0.5) < 0.01
    variance = (B.abs() ** 2).sum(-1) / (1 - square)
    assert abs(float(variance.mean()) - 1) < 0.02


def test_magnitudes_stay_below_one_wherever_training_goes() -> None:
    layer = recurrence(d_state=20)
    layer.nu.data = torch.linspace(-30, 30, 10)
    assert float(layer.system()[0].detach().abs().max()) < 1


def test_time_scale_is_that_of_the_modes_of_s4() -> None:
    spec = LRUSpec().with_time_scale(0.01, 0.2)
    assert (spec.r_min, spec.r_max) == (math.exp(-0.1), math.exp(-0.005))
    assert spec.with_states(32).d_state == 32
    assert (spec.fixed_to(77), spec.two_way) == (spec, False)
    faster = spec.with_rates(kernel=0.5, dt=None)
    assert (faster.lr_A, faster.lr_B) == (0.5, 0.5)


def test_lambda_gamma_and_B_have_their_own_rates() -> None:
    """C, D and the mixing follow the network, decay included."""
    model = ModelSpec(mixer=LRUSpec(d_state=4, lr_A=1e-4, lr_B=None), d_model=2, n_layers=1).build(d_input=1, d_output=2)
    rates = {name: (g["lr"], g["weight_decay"]) for g in param_groups(model, OptimSpec(lr=0.5, weight_decay=0.25)) for name in g["names"]}
    own = {name.rpartition(".")[2]: pair for name, pair in rates.items() if ".kernel." in name}
    slow, plain, network = (1e-4, 0.0), (0.5, 0.0), (0.5, 0.25)
    assert own == {"nu": slow, "theta": slow, "log_gamma": plain, "B": plain, "C": network}
    assert {pair for name, pair in rates.items() if ".kernel." not in name} == {network}


def test_the_recurrence_stays_in_single_precision_under_bf16_autocast() -> None:
    torch.set_default_dtype(torch.float32)
    layer, u = LRUSpec(d_state=16).build_layer(4), torch.randn(2, 50, 4)
    seen: list[torch.dtype] = []
    plain_run = layer.kernel.run

    def spy(u: Tensor, *rest: Any) -> tuple[Tensor, Tensor]:
        y, x = plain_run(u, *rest)
        seen.extend((u.dtype, y.dtype))
        return y, x

    layer.kernel.run = spy  # type: ignore[method-assign]
    with torch.autocast("cpu", dtype=torch.bfloat16):
        y = layer(u.bfloat16())
    assert seen == [torch.float32, torch.float32]
    assert y.dtype == torch.bfloat16


def test_single_precision_at_path_x_length() -> None:
    """L = 16384 with the ring and the phases of Path-X: four digits of the float64 layer, also of the gradient."""
    torch.set_default_dtype(torch.float32)
    layer, u = LRURecurrence(LRUSpec(d_state=16, r_min=0.999, r_max=0.9999, max_phase=math.pi / 10), 2), torch.randn(1, 16384, 2)
    found = []
    for dtype in (torch.float32, torch.float64):
        y = layer.to(dtype)(u.to(dtype))
        found.append([y.detach().double(), *(g.double() for g in torch.autograd.grad(y.square().sum(), list(layer.parameters())))])
    for single, double in zip(*found, strict=True):
        assert float((single - double).abs().max()) < 1e-4 * float(double.abs().max())


@pytest.mark.slow
def test_a_run(tmp_path: Path) -> None:
    """Trained, chosen, tested; the record's arrays have one system per layer, and the parameters of the recurrence are counted."""
    torch.set_default_dtype(torch.float32)
    spec = tiny(mixer=LRUSpec(d_state=4))
    store = Store.at(tmp_path)
    record = run(spec, store=store)
    assert record.status == "ok", record.reason
    assert record.cost["kernel_parameters"] == 3 * 2 + 2 * (2 * 2 * 4)
    assert record.arrays is not None
    with np.load(store.folder(spec) / record.arrays["file"]) as arrays:
        for moment in ("start", "end"):
            shapes = {name: arrays[f"layer0/{moment}/{name}"].shape for name in ("kernel", "memory", "eigenvalues", "hsv")}
            L = spec.data.signature.length
            assert shapes == {"kernel": (1, 4, L), "memory": (5, L), "eigenvalues": (1, 2), "hsv": (1, 4)}
            assert (np.diff(arrays[f"layer0/{moment}/hsv"]) <= 1e-6).all()


def test_two_directions_and_another_rate_are_refused() -> None:
    layer = LRUSpec(d_state=4).build_layer(2)
    assert isinstance(layer, LRULayer)
    with pytest.raises(ValueError, match="rate must be 1"):
        layer(torch.randn(1, 4, 2), rate=2.0)
    with pytest.raises(ValueError, match="rate must be 1"):
        layer.init_state(1, 4, 2.0)
    with pytest.raises(ValueError, match="Use bidirectional=False"):
        ModelSpec(mixer=LRUSpec(), bidirectional=True)
