"""What a kernel and a network may be relied on for in the hands of strangers: any matmul precision, any derivative, any device and copy."""

from __future__ import annotations

import copy
import io
import os
import pickle
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.func import functional_call, grad, hessian, jacrev, vmap
from torch.utils._python_dispatch import TorchDispatchMode

import models
from models import (
    DISCRETIZATIONS,
    LINKS,
    VARIANTS,
    DSSSpec,
    KernelSpec,
    ModelSpec,
    S4DSpec,
    S4Spec,
    SequenceModel,
)
from models.functional import rounds_factors

KERNELS = [name for name, v in VARIANTS.items() if isinstance(v.mixer, KernelSpec) and not v.second_line_of]
ROWS = [name for name, v in VARIANTS.items() if not v.second_line_of]


def network(name: str, **options: Any) -> SequenceModel:
    torch.manual_seed(0)
    spec = ModelSpec(mixer=VARIANTS[name].mixer.with_states(8), **({"d_model": 8, "n_layers": 1} | options))
    return spec.build(d_input=1, d_output=2).eval()


# ------------------------------------------------------------------------------------------------- precision of products

aten = torch.ops.aten


def tf32(x: Tensor) -> Tensor:
    """Rounded to the ten bits of TF32."""
    if x.dtype != torch.float32:
        return x
    i = x.contiguous().view(torch.int32)
    return ((i + 0xFFF + ((i >> 13) & 1)) & ~0x1FFF).view(torch.float32)


class TF32(TorchDispatchMode):
    """Products as tensor cores form them, whatever the setting says."""

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if func in (aten.mm.default, aten.bmm.default):
            args = tuple(tf32(a) for a in args)
        if func in (aten.addmm.default, aten.baddbmm.default, aten.baddbmm_.default):
            args = (args[0], tf32(args[1]), tf32(args[2]), *args[3:])
        return func(*args, **(kwargs or {}))


def error(K: Tensor, exact: Tensor) -> float:
    return float(((K.double() - exact).norm(dim=-1) / exact.norm(dim=-1)).max())


@pytest.mark.parametrize("name", KERNELS)
def test_a_kernel_does_not_depend_on_the_matmul_precision(name: str) -> None:
    """Under the setting "medium" value and gradient are those of float32; even where products are rounded behind its back, TF32 costs no
    more than its own ten bits once: nothing that is multiplied again is rounded."""
    torch.manual_seed(0)
    kernel = VARIANTS[name].mixer.with_time_scale(1e-3, 1e-1).build(4)  # type: ignore[attr-defined]

    def both(L: int) -> tuple[Tensor, Tensor]:
        K = kernel(L)
        parameter = next(p for n, p in kernel.named_parameters() if n.split(".")[-1] not in ("theta_dt",))
        return K.detach(), torch.autograd.grad(K.square().sum(), parameter)[0]

    exact = copy.deepcopy(kernel).double()(2048).detach()
    torch.set_float32_matmul_precision("medium")
    try:
        assert rounds_factors(torch.device("cpu"))
        assert rounds_factors(torch.device("cuda"))
        with TF32():
            guarded = both(2048)
    finally:
        torch.set_float32_matmul_precision("highest")
    assert not rounds_factors(torch.device("cpu"))
    plain = both(2048)
    assert error(guarded[0], exact) < 1e-5
    assert error(plain[0], exact) < 1e-5
    torch.testing.assert_close(guarded[1], plain[1], rtol=1e-4, atol=1e-5 * float(plain[1].abs().max()))
    with torch.no_grad(), TF32():
        assert error(kernel(2048), exact) < 1e-3


@pytest.mark.parametrize("name", KERNELS)
def test_long_kernels_in_single_precision(name: str) -> None:
    """65,536 steps at the step sizes of Path-X and at the extremes, within 1e-4 of the largest tap."""
    for dt in ((1e-4, 1e-4), (1e-3, 1e-1), (1.0, 1.0)):
        torch.manual_seed(0)
        kernel = VARIANTS[name].mixer.with_time_scale(*dt).build(2)  # type: ignore[attr-defined]
        with torch.no_grad():
            single, double = kernel(65536), copy.deepcopy(kernel).double()(65536)
        assert float((single - double).abs().max() / double.abs().max()) < 1e-4, dt


# ------------------------------------------------------------------------------------------------- derivatives


@pytest.mark.usefixtures("double")
@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.parametrize("name", ["s4d-lin", "s4", "dss-exp", "dss-softmax", "hope", "hope-circular", "hope-twosided", "lru", "fir"])
def test_second_derivatives_are_those_of_finite_differences(name: str, bidirectional: bool) -> None:
    """The gradient of a gradient penalty, for every parameter of the layer."""
    if bidirectional and not VARIANTS[name].mixer.two_way:
        return  # not a network: test_options asserts the refusal
    model = network(name, d_model=3, n_layers=2, bidirectional=bidirectional)
    x = torch.randn(2, 6, 1, requires_grad=True)

    def penalty() -> Tensor:
        return torch.autograd.grad(model(x)[:, 0].sum(), x, create_graph=True)[0].square().sum()

    chosen = [p for n, p in model.named_parameters() if n.startswith("blocks.0.layer")]
    for p, g in zip(chosen, torch.autograd.grad(penalty(), chosen, allow_unused=True)):
        flat, values = p.data.view(-1), []
        for eps in (1e-6, -2e-6):
            flat[0] += eps
            values.append(float(penalty().detach()))
        flat[0] += 1e-6
        numeric = (values[0] - values[1]) / 2e-6
        assert (0.0 if g is None else float(g.reshape(-1)[0])) == pytest.approx(numeric, rel=1e-4, abs=1e-7)


@pytest.mark.usefixtures("double")
@pytest.mark.filterwarnings("ignore:There is a performance drop")  # torch's glu has no batching rule for a forward derivative
@pytest.mark.parametrize("name", ["s4d-lin", "s4", "dss-exp", "dss-softmax", "hope", "hope-circular", "lru", "fir"])
def test_torch_func_gives_the_gradients_of_autograd(name: str) -> None:
    """grad, vmap over samples and over parameters, jacrev, and hessian, which takes a forward derivative of a backward one."""
    model = network(name, d_model=4)
    params = {k: p.detach() for k, p in model.named_parameters()}
    x = torch.randn(3, 10, 1)

    def loss(p: dict[str, Tensor], one: Tensor) -> Tensor:
        return functional_call(model, p, (one.unsqueeze(0),)).square().sum()

    samples = vmap(grad(loss), (None, 0))(params, x)
    for i in range(3):
        single = grad(loss)(params, x[i])
        own = torch.autograd.grad(model(x[i : i + 1]).square().sum(), list(model.parameters()))
        for (k, g), o in zip(single.items(), own, strict=True):
            torch.testing.assert_close(g, o, rtol=1e-9, atol=1e-11)
            torch.testing.assert_close(samples[k][i], o, rtol=1e-9, atol=1e-11)
    if name != "dss-softmax":  # asks of its parameters which modes grow
        twice = {k: torch.stack([p, 1.1 * p]) for k, p in params.items()}
        assert vmap(loss, (0, None))(twice, x[0])[0] == pytest.approx(float(loss(params, x[0])), rel=1e-9)
    short = x[0, :4]
    J = jacrev(lambda one: model(one.unsqueeze(0)))(short)
    torch.testing.assert_close(J, torch.autograd.functional.jacobian(lambda one: model(one.unsqueeze(0)), short), rtol=1e-9, atol=1e-11)
    scalar = lambda one: model(one.unsqueeze(0)).square().sum()
    torch.testing.assert_close(hessian(scalar)(short), torch.autograd.functional.hessian(scalar, short), rtol=1e-8, atol=1e-10)


# ------------------------------------------------------------------------------------------------- weights, devices, copies


@pytest.mark.parametrize("dtype", [torch.float64, torch.bfloat16, torch.float16])
@pytest.mark.parametrize("name", ROWS)
def test_weights_of_any_precision(name: str, dtype: torch.dtype) -> None:
    """Kernel and FFT in float32 at least, results in the precision of the weights; with padding too."""
    if name == "lstm" and dtype == torch.float16:
        return  # torch's own has no half precision on a CPU
    for lengths in (None, torch.tensor([20, 33])):
        if lengths is not None and (name in ("hope-circular", "hope-twosided", "dss-softmax")):
            continue  # not to be padded
        model, x = network(name), torch.randn(2, 33, 1)
        y = model(x, lengths).detach()
        z = model.to(dtype)(x.to(dtype), lengths)
        assert z.dtype == dtype
        z.square().sum().backward()
        assert float((z.detach().double() - y).abs().max()) < (1e-5 if dtype == torch.float64 else 0.1)


@pytest.mark.parametrize("name", ROWS)
def test_a_network_is_built_on_the_default_device(name: str) -> None:
    """All of it there, as the modules of torch are; and what another default device is set later does not reach into it."""
    with torch.device("meta"):
        model = network(name)
    assert {t.device.type for t in [*model.parameters(), *model.buffers()]} == {"meta"}
    model, x = network(name), torch.randn(2, 9, 1)
    y = model(x)
    with torch.device("meta"):
        assert torch.equal(model(x), y)


def test_numbers_that_are_none_are_refused() -> None:
    with pytest.raises(ValueError, match=r"imag_scale .* got nan"):
        S4DSpec(imag_scale=float("nan"))
    with pytest.raises(ValueError, match="dt_max, got"):
        S4DSpec(dt_max=float("inf"))


def test_stability_is_refused_on_every_device() -> None:
    for spec in (S4DSpec(init="quad", discretization="forward-euler"), S4Spec(discretization="forward-euler")):
        for device in ("cpu", "meta"):
            with torch.device(device), pytest.raises(ValueError, match="unstable"):
                spec.build(2)


COPIES: list[Callable[[Any], Any]] = [copy.deepcopy, lambda m: pickle.loads(pickle.dumps(m))]
MIXERS = [VARIANTS[name].mixer.with_states(8) for name in ROWS]
MIXERS += [S4DSpec(d_state=8, discretization=rule, dt_max=1e-3) for rule in (*DISCRETIZATIONS, "gbt:0.75")]
MIXERS += [S4DSpec(d_state=8, A_link=link, dt_link="softplus") for link in LINKS] + [DSSSpec(d_state=8, kernel="softmax", init="randn")]


@pytest.mark.parametrize("mixer", MIXERS, ids=lambda m: type(m).__name__)
def test_a_whole_model_survives_pickle_and_torch_save(mixer: Any) -> None:
    torch.manual_seed(0)
    model, x = ModelSpec(mixer=mixer, d_model=8, n_layers=1).build(d_input=1, d_output=2).eval(), torch.randn(2, 9, 1)
    for duplicate in COPIES:
        assert torch.equal(duplicate(model)(x), model(x))
    buffer = io.BytesIO()
    torch.save(model, buffer)
    buffer.seek(0)
    assert torch.equal(torch.load(buffer, weights_only=False)(x), model(x))


@pytest.mark.parametrize("link", [*LINKS.values()], ids=lambda k: k.name)
def test_a_link_has_a_slope_wherever_an_init_is_stored(link: Any) -> None:
    """So that what is said to be trained can move: FouT's undamped modes, and drawn ones."""
    torch.manual_seed(0)
    kernel = S4Spec(init="fout", A_link=link.name, d_state=8).build(3)
    (kernel(50) * torch.randn(1, 3, 50)).sum().backward()
    assert bool((kernel.A.re.grad != 0).all())
    low = torch.tensor(max(link.lower, 0.0) or 1e-4, dtype=torch.float64)
    theta = link.inverse(low).float().requires_grad_()
    link.f(theta).backward()
    assert float(theta.grad) != 0


# ------------------------------------------------------------------------------------------------- what cannot be


WRONG = {
    "OptimSpec.lr": "OptimSpec(lr='1e-3')",
    "OptimSpec.weight_decay": "OptimSpec(weight_decay='1e-2')",
    "Constant.warmup_steps": "OptimSpec(schedule=Constant(warmup_steps='10'))",
    "S4DSpec.dt_min": "S4DSpec(dt_min='1e-3')",
    "S4DSpec.lr_A": "S4DSpec(lr_A='1e-3')",
    "S4DSpec.train_A": "S4DSpec(train_A='false')",
    "HOPESpec.d_state": "HOPESpec(d_state=64.0)",
    "ModelSpec.dropout": "ModelSpec(mixer=S4DSpec(), dropout='0.1')",
    "ModelSpec.bidirectional": "ModelSpec(mixer=S4DSpec(), bidirectional='no')",
}


def test_a_field_of_the_wrong_type_is_named() -> None:
    """Without the shape checks of the tests, which would be first."""
    program = f"""
from models import *
for field, make in {WRONG!r}.items():
    try:
        eval(make)
    except ValueError as error:
        assert f"{{field}} is " in str(error) and "got" in str(error), error
    else:
        raise AssertionError(field)
"""
    root = Path(str(models.__file__)).parents[1]
    done = subprocess.run([sys.executable, "-c", program], cwd=root, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("shape", [(0, 5, 1), (2, 0, 1), (5, 1), (2, 5, 3), (2, 5, 1, 1)])
def test_an_input_that_cannot_be_is_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match=r"takes \(batch, steps, 1 features\)"):
        network("s4d-lin")(torch.ones(shape))


def test_lengths_and_rates() -> None:
    """A list is as good as a tensor; a mask, another batch and an impossible rate are refused."""
    model, x = network("s4d-lin"), torch.randn(2, 6, 1)
    assert torch.equal(model(x, [6, 4]), model(x, torch.tensor([6, 4], dtype=torch.int32)))
    for lengths in (torch.ones(2, 6, dtype=torch.long), torch.tensor([6, 6, 6]), torch.tensor([6.0, 6.0])):
        with pytest.raises(ValueError, match="lengths count"):
            model(x, lengths)
    for rate in (0.0, -1.0, float("nan"), float("inf")):
        with pytest.raises(ValueError, match="rate multiplies"):
            model(x, None, rate)
        with pytest.raises(ValueError, match="rate multiplies"):
            model.init_state(2, 6, rate)
    with pytest.raises(ValueError, match="vocab=0"):
        ModelSpec(mixer=S4DSpec()).build(vocab=0, d_output=2)


@pytest.mark.parametrize("norm", ["layer", "batch"])
def test_padding_moves_no_statistics_in_training(norm: str) -> None:
    """Output, gradients and later evaluation are the same whatever the number of padded steps and what stands there."""

    def train(extra: int, fill: float) -> list[Tensor]:
        model = network("s4d-lin", norm=norm, prenorm=True, bidirectional=True, n_layers=2).train()
        x = torch.cat([torch.linspace(-1, 1, 36).view(3, 12, 1), torch.full((3, extra, 1), fill)], 1)
        out = model(x, torch.tensor([4, 9, 12]))
        out.square().sum().backward()
        return [out.detach(), *(p.grad for p in model.parameters() if p.grad is not None), model.eval()(x[:, :12]).detach()]

    for a, b in zip(train(0, 0.0), train(20, 5.0), strict=True):
        torch.testing.assert_close(a, b, rtol=1e-4, atol=1e-5)


# ------------------------------------------------------------------------------------------------- as a library


def test_the_folder_works_under_another_name(tmp_path: Path) -> None:
    """Copied into another project, as `vendored`, with no package `models` beside it."""
    shutil.copytree(Path(str(models.__file__)).parent, tmp_path / "vendored", ignore=shutil.ignore_patterns("__pycache__"))
    program = """
import pickle, sys, torch
sys.modules["models"] = None  # an import of it fails, installed or not
import vendored
for layer in (vendored.S4(4), vendored.DSS(4), vendored.S4D(4, vendored.S4DSpec(init="inv")), vendored.HOPE(4), vendored.LRU(4)):
    layer = pickle.loads(pickle.dumps(layer)).eval()
    assert layer(torch.randn(2, 9, 4)).shape == (2, 9, 4)
vendored.SequenceTask
"""
    env = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
    done = subprocess.run([sys.executable, "-c", program], cwd=tmp_path, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("name", ["S4", "DSS", "S4D", "HOPE", "LRU"])
def test_a_layer_in_a_line_is_the_row_of_the_table(name: str) -> None:
    """With its block's defaults, or with a spec of its own."""
    make, spec = getattr(models, name), getattr(models, f"{name}Spec")
    torch.manual_seed(0)
    layer = make(6)
    torch.manual_seed(0)
    expected = spec().build_layer(6)
    assert all(torch.equal(a, b) for a, b in zip(layer.state_dict().values(), expected.state_dict().values(), strict=True))
    small = make(6, replace(spec(), d_state=4), models.Around(mixing="linear"))
    assert small.mix.gated is False
    assert small(torch.randn(1, 5, 6)).shape == (1, 5, 6)
