"""Engines: each against plain stepping, in value and gradient; sequences in pieces; the choice among engines, asked for and by table."""

from __future__ import annotations

import copy
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.func import grad, hessian, jacrev, vmap

from benchmarks import cli
from benchmarks.running.environment import Runtime
from benchmarks.running.run import run
from benchmarks.running.store import Store
from models import (
    VARIANTS,
    DSSSpec,
    FIRSpec,
    HOPESpec,
    Kernel,
    KernelSpec,
    LRUSpec,
    ModelSpec,
    NoRecurrence,
    S4DSpec,
    S4Spec,
    SequenceModel,
    engines,
)
from models.chunked import chunked, chunked_direct
from models.convolution import causal_conv, circular_conv
from models.functional import scan_direct
from models.layer import swapped
from models.lru import SCANS
from models.recurrence import Recurrence, _Sequential
from models.specs.mixer import Around
from tests.tiny import tiny

H = 3
SIZES = [(1, 1), (2, 2), (1, 31), (3, 32), (2, 33), (2, 100), (1, 128)]
SPECS: dict[str, KernelSpec] = {
    "s4d": S4DSpec(d_state=6),
    "s4d one mode": S4DSpec(d_state=2),
    "s4d real": S4DSpec(d_state=5, real=True),
    "s4d one real mode": S4DSpec(d_state=1, real=True),
    "s4": S4Spec(d_state=6),
    "s4 zoh": S4Spec(d_state=4, discretization="zoh"),
    "dss": DSSSpec(d_state=4),
    "dss softmax": DSSSpec(d_state=4, kernel="softmax", length=128),
    "hope": HOPESpec(d_state=5),
    "hope at once": HOPESpec(d_state=5, dt_min=1.0, dt_max=1.0),
    "fir": FIRSpec(d_state=7),
    "one tap": FIRSpec(d_state=1),
}
RECURRENT = [
    name
    for name, v in VARIANTS.items()
    if isinstance(v.mixer, (KernelSpec, LRUSpec)) and not v.second_line_of and name not in ("dss-softmax", "hope-circular", "hope-twosided")
]
NOT_RECURRENT = {
    "hope-circular": "not causal",
    "hope-twosided": "looks ahead",
    "dss-softmax": "length",
    "lstm": "step mode",
    "transformer": "step",
}


def kernel(spec: KernelSpec, dtype: torch.dtype = torch.float64) -> Kernel:
    torch.manual_seed(0)
    return spec.build(H).to(dtype)


def both(k: Kernel, B: int, L: int, dtype: torch.dtype) -> list[list[Tensor]]:
    """[output, last state, gradients of the input, the first state and each parameter] of `chunked` and of its oracle, which is in double
    precision."""
    found = []
    for apply, at in ((chunked, dtype), (chunked_direct, torch.float64)):
        system = k.recurrence(L)
        torch.manual_seed(1)
        N = system.B.shape[-1]
        u = torch.randn(B, H, L, dtype=torch.float64).to(at).requires_grad_()
        x, weight = (torch.randn(B, H, N, dtype=system.A.dtype) for _ in range(2))
        x.requires_grad_()
        y, last = apply(system, u, x)
        loss = (y * torch.randn(B, H, L, dtype=torch.float64)).sum() + (last * weight).real.sum()
        parameters = [p for p in k.parameters() if p.requires_grad]
        found.append([y.detach(), last.detach(), *torch.autograd.grad(loss, [u, x, *parameters], materialize_grads=True)])
    return found


def apart(a: Tensor, b: Tensor) -> float:
    """The largest difference, relative to the largest value."""
    assert a.shape == b.shape
    return float(((a - b).abs().max() / b.abs().max().clamp(min=1e-12)).detach())


# ------------------------------------------------------------------------------------------------- the chunked engine


@pytest.mark.parametrize(("B", "L"), SIZES)
@pytest.mark.parametrize("name", SPECS)
def test_chunked_is_plain_stepping_in_value_and_gradient(name: str, B: int, L: int) -> None:
    for a, b in zip(*both(kernel(SPECS[name]), B, L, torch.float64), strict=True):
        assert apart(a, b) <= 1e-10


@pytest.mark.parametrize("name", [name for name in SPECS if name != "dss softmax"])
def test_chunked_in_single_precision(name: str) -> None:
    for a, b in zip(*both(kernel(SPECS[name], torch.float32), 2, 300, torch.float32), strict=True):
        assert apart(a, b) <= 1e-4


@pytest.mark.parametrize("name", ["s4d-lin", "s4", "dss-exp", "hope", "fir", "s4d-real"])
def test_engines_of_a_layer_agree(name: str) -> None:
    """At the size of the tables, with padding, at another rate where there is one, in both precisions."""
    spec = VARIANTS[name].mixer
    for dtype, tolerance in ((torch.float64, 1e-10), (torch.float32, 1e-4)):
        torch.manual_seed(0)
        layer = spec.build_layer(8).to(dtype)
        u = torch.randn(2, 130, 8, dtype=dtype, requires_grad=True)
        mask = (torch.arange(130) < torch.tensor([[130], [70]])).to(dtype).unsqueeze(-1)
        found = []
        for engine in layer.engines:
            layer.use_engine(engine)
            y = layer(u, mask, 2.0 if layer.has_rate else 1.0)
            found.append([y.detach(), *torch.autograd.grad((y * y * mask).sum(), [u, *layer.parameters()])])
        assert layer.engines_used == set(layer.engines)
        for a, b in zip(*found, strict=True):
            assert apart(a, b) <= tolerance


@pytest.mark.usefixtures("double")
@pytest.mark.parametrize("name", ["s4d-lin", "s4", "lru"])
def test_derivatives_of_any_kind_and_order(name: str) -> None:
    """Those of torch.func, batched and of second order, through every engine are those of the first."""
    torch.manual_seed(0)
    layer = VARIANTS[name].mixer.with_states(4).build_layer(2, Around(mixing="linear"))
    u = torch.randn(3, 40, 2)
    found = []
    for engine in layer.engines:
        layer.use_engine(engine)

        def loss(one: Tensor) -> Tensor:
            return layer(one.unsqueeze(0)).square().sum()

        parameter = next(layer.kernel.parameters())  # type: ignore[union-attr]
        penalty = torch.autograd.grad(layer(u.requires_grad_()).square().sum(), u, create_graph=True)[0].square().sum()
        found.append(
            [
                vmap(grad(loss))(u.detach()),
                jacrev(lambda one: layer(one.unsqueeze(0)).sum(-1))(u[0].detach()),
                hessian(loss)(u[0, :5].detach()),
                torch.autograd.grad(penalty, parameter)[0],
            ]
        )
    for a, b in zip(*found, strict=True):
        assert apart(a, b) <= 1e-9


@pytest.mark.parametrize("dense", [False, True])
@pytest.mark.parametrize("backwards", [False, True])
def test_one_step_after_the_other(dense: bool, backwards: bool) -> None:
    """`sequential` against the definition, its derivatives of first and second order, forward ones too."""
    torch.manual_seed(0)
    A = torch.randn(2, 3, 3, dtype=torch.complex128) / 3 if dense else torch.randn(2, 3, dtype=torch.complex128)
    inputs = [
        t.requires_grad_() for t in (A, torch.randn(2, 4, 5, 3, dtype=torch.complex128), torch.randn(2, 5, 3, dtype=torch.complex128))
    ]

    def plain(A: Tensor, v: Tensor, start: Tensor) -> Tensor:
        x, steps = [start], v.unbind(1)
        for step in reversed(steps) if backwards else steps:
            x.append((x[-1] @ A.mT if dense else x[-1] * A.unsqueeze(1)) + step)
        return torch.stack(x[::-1] if backwards else x, dim=1)

    fast = lambda A, v, start: _Sequential.apply(A, v, start, backwards)
    torch.testing.assert_close(fast(*inputs), plain(*inputs))
    assert torch.autograd.gradcheck(fast, inputs, check_forward_ad=True)
    assert torch.autograd.gradgradcheck(fast, inputs)


@pytest.mark.usefixtures("double")
def test_convolution_and_turning_have_every_derivative() -> None:
    u, K, D = torch.randn(2, 3, 5).requires_grad_(), torch.randn(2, 3, 5).requires_grad_(), torch.randn(3).requires_grad_()
    for apply in (causal_conv, circular_conv):
        assert torch.autograd.gradcheck(apply, (u, K, D), check_forward_ad=True)
        assert torch.autograd.gradgradcheck(apply, (u, K, D))
    assert torch.equal(swapped(u), u.transpose(1, 2))
    assert swapped(u).is_contiguous()
    assert torch.autograd.gradcheck(swapped, (u,), check_forward_ad=True)
    assert torch.autograd.gradgradcheck(swapped, (u,))


@pytest.mark.parametrize("started", [False, True])
def test_lru_scans_agree(started: bool) -> None:
    torch.manual_seed(0)
    a = torch.polar(0.3 + 0.7 * torch.rand(3, dtype=torch.float64), 6 * torch.rand(3, dtype=torch.float64))
    v, x = torch.randn(2, 41, 3, dtype=torch.complex128), torch.randn(2, 3, dtype=torch.complex128)
    for scan in SCANS.values():
        torch.testing.assert_close(scan(a, v, x if started else None), scan_direct(a, v, x if started else None), rtol=1e-11, atol=1e-11)


# ------------------------------------------------------------------------------------------------- a sequence in pieces


def network(name: str, **options: Any) -> SequenceModel:
    torch.manual_seed(0)
    spec = ModelSpec(mixer=VARIANTS[name].mixer.with_states(8), **({"d_model": 4, "n_layers": 2} | options))
    return spec.build(d_input=1, d_output=2).double().eval()


@pytest.mark.parametrize("name", RECURRENT)
@pytest.mark.parametrize("options", [{}, {"prenorm": True, "norm": "batch"}, {"pool_last": 5}], ids=["post", "pre", "last"])
def test_a_network_streams(name: str, options: dict[str, Any]) -> None:
    """In pieces of any size, single steps among them, every output is that of the sequence so far."""
    model = network(name, **options)
    x = torch.randn(2, 100, 1, dtype=torch.float64)
    state, at = model.init_state(2, 100), 0
    for size in (1, 33, "step", 2, 40, "step", 22):
        if isinstance(size, int):
            y, state = model.stream(x[:, at : at + size], state)
            at += size
        else:
            y, state = model.step(x[:, at], state)
            at += 1
        torch.testing.assert_close(y, model(x[:, :at]), rtol=1e-8, atol=1e-10)
    assert state.steps == at == 100


@pytest.mark.parametrize("name", RECURRENT)
def test_a_layer_streams_and_steps(name: str) -> None:
    torch.manual_seed(0)
    layer = VARIANTS[name].mixer.build_layer(4).eval()
    u = torch.randn(2, 70, 4)
    whole = layer(u)
    with torch.no_grad():
        for cuts in ((70,), (1,) * 70, (7, 64, 70), (32, 64, 70)):
            state, at, parts = layer.init_state(2, 70), 0, []
            for cut in cuts if cuts != (1,) * 70 else range(1, 71):
                y, state = layer.stream(u[:, at:cut], state)
                parts.append(y)
                at = cut
            torch.testing.assert_close(torch.cat(parts, 1), whole.detach(), rtol=1e-4, atol=1e-4)
        y, state = layer.stream(u[:, :50], layer.init_state(2, 70))
        stepped, _ = layer.step(u[:, 50], state)
    torch.testing.assert_close(stepped, whole[:, 50].detach(), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("name", ["s4d-lin", "s4", "hope", "lru"])
def test_training_through_pieces_and_truncated(name: str) -> None:
    """Gradients through the state are those of the whole sequence; cut, they stop at the piece, whatever was trained before it."""
    spec = VARIANTS[name].mixer.with_states(4)
    model = ModelSpec(mixer=spec, d_model=4, n_layers=2).build(d_input=1, d_output=2, per_step=True).double()
    x, parameters = torch.randn(2, 50, 1, dtype=torch.float64), list(model.parameters())
    first, state = model.stream(x[:, :30], model.init_state(2, 50))
    second, _ = model.stream(x[:, 30:], state)
    pieces = torch.autograd.grad(torch.cat([first, second], 1).square().sum(), parameters, retain_graph=True)
    for a, b in zip(pieces, torch.autograd.grad(model(x).square().sum(), parameters), strict=True):
        assert apart(a, b) < 1e-9
    optimizer = torch.optim.SGD(parameters, lr=1e-3)
    state, before = model.init_state(2, 50), copy.deepcopy(model.state_dict())
    for piece in x.split(20, dim=1):
        optimizer.zero_grad()
        y, state = model.stream(piece, state)
        y.square().sum().backward()  # would fail if the graph reached into the piece before
        optimizer.step()
        state = state.detach()
    assert all(not torch.equal(before[key], p) for key, p in model.named_parameters())


@pytest.mark.parametrize("name", NOT_RECURRENT)
def test_what_cannot_stream_says_why(name: str) -> None:
    with pytest.raises(NoRecurrence, match=NOT_RECURRENT[name]):
        network(name, d_model=8).init_state(2, 10)


def test_both_ways_cannot_stream() -> None:
    with pytest.raises(NoRecurrence, match="bidirectional=False"):
        network("s4d-lin", bidirectional=True).init_state(2, 10)


def test_a_million_steps_of_one_mode_do_not_drift() -> None:
    """2^20 steps of a slow mode in single precision, in two parts, against the closed form of its step response."""
    a = torch.tensor([[1 - 2.0**-14]], dtype=torch.float64)
    one = torch.ones(1, 1, dtype=torch.float64)
    system = Recurrence(a, one, one, torch.zeros(1, dtype=torch.float64))
    x = torch.zeros(1, 1, 1, dtype=torch.float64)
    with torch.no_grad():
        for _ in range(2):
            y, x = chunked(system, torch.ones(1, 1, 1 << 19), x)
    exact = (1 - a ** ((1 << 20) - 1)) / (1 - a)
    assert float(y[0, 0, -1]) == pytest.approx(float(exact), rel=1e-4)


# ------------------------------------------------------------------------------------------------- the choice


def test_an_engine_that_a_layer_cannot_use_is_an_error() -> None:
    refused = [
        (VARIANTS["hope-circular"].mixer, 1, "chunked"),
        (VARIANTS["dss-softmax"].mixer, 1, "chunked"),
        (DSSSpec(kernel="softmax", length=10), 1, "chunked"),
        (S4DSpec(), 2, "chunked"),
        (S4DSpec(), 1, "scan"),
        (LRUSpec(), 1, "fft"),
    ]
    for spec, directions, engine in refused:
        layer = spec.build_layer(2, Around(directions=directions))
        with pytest.raises(ValueError, match=f"cannot use the engine {engine}: it can use"):
            layer.use_engine(engine)
        layer.use_engine("auto")
        assert layer(torch.randn(1, 10, 2)).shape == (1, 10, 2)
        assert layer.engines_used <= set(layer.engines)
    with pytest.raises(ValueError, match="only one way"):
        VARIANTS["lstm"].mixer.build_layer(2).use_engine("fft")
    with pytest.raises(ValueError, match="did you mean 'chunked'"):
        S4DSpec().build_layer(2).use_engine("chunk")
    with pytest.raises(ValueError, match="cannot use"):
        ModelSpec(mixer=S4DSpec(), bidirectional=True).require_engine("chunked")


def test_a_network_takes_an_engine_or_leaves_all_as_it_was() -> None:
    model = network("s4d-lin")
    model.use_engine("chunked")
    with pytest.raises(ValueError, match="cannot use"):
        model.use_engine("scan")
    model(torch.randn(2, 40, 1, dtype=torch.float64))
    assert model.engines_used == ("chunked",)


def test_the_table_is_read_written_and_decides(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The fastest engine at the nearest point; without a point the first that a layer names."""
    point: dict[str, Any] = {"device": "cpu", "form": "diagonal", "B": 16, "H": 128, "N": 64}
    rows = [
        engines.Measured(**point, L=length, engine=engine, ms=ms)
        for length, fft, piecewise in ((1024, 10.0, 12.5), (16384, 300.0, 200.0))
        for engine, ms in (("fft", fft), ("chunked", piecewise))
    ]
    rows.append(engines.Measured(**point, L=65536, engine="chunked", ms=1.0))  # nothing to compare with
    monkeypatch.setattr(engines, "TABLE", tmp_path / "engines.csv")
    engines.write_table(rows, engines.TABLE)
    try:
        assert engines.table() == tuple(rows)
        able = ("fft", "chunked")
        work = engines.Work(**point, L=2048)
        assert engines.fastest(work, able) == "fft"
        assert engines.fastest(replace(work, L=70000), able) == "chunked"
        assert engines.fastest(replace(work, L=70000), ("fft",)) == "fft"
        assert engines.fastest(replace(work, L=70000, device="cuda"), able) == "fft"
        assert engines.fastest(replace(work, L=70000, form="dense"), able) == "fft"
    finally:
        engines.table.cache_clear()
        engines.fastest.cache_clear()
    with pytest.raises(ValueError, match="unknown engine"):
        replace(rows[0], engine="ftt")
    with pytest.raises(ValueError, match="positive times"):
        replace(rows[0], ms=0.0)


def test_the_table_of_this_suite_is_in_order() -> None:
    """Every line can be read, and wherever one engine of a kind was measured its rival was."""
    rivals = {"fft": "chunked", "chunked": "fft", "scan": "sequential", "sequential": "scan"}
    rows = engines.table()
    points = {(replace(row, ms=1.0)) for row in rows}
    assert len(points) == len(rows)
    assert all(replace(row, ms=1.0, engine=rivals[row.engine]) in points for row in rows)
    assert ("auto", *engines.ENGINES) == cli.ENGINES


@pytest.mark.parametrize("engine", ["fft", "chunked"])
def test_a_memory_budget_does_channels_in_parts(engine: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Values and gradients as without one, and nothing kept but what goes in."""
    torch.manual_seed(0)
    layer = S4DSpec(d_state=8).build_layer(6).double()
    layer.use_engine(engine)
    u = torch.randn(2, 500, 6, dtype=torch.float64, requires_grad=True)
    found = []
    for budget in (1 << 30, 200_000, 1):
        monkeypatch.setitem(engines.MEMORY_BUDGET, "cpu", budget)
        y = layer(u)
        found.append([y.detach(), *torch.autograd.grad(y.square().sum(), [u, *layer.parameters()])])
    for other in found[1:]:
        for a, b in zip(found[0], other, strict=True):
            assert apart(a, b) < 1e-10


@pytest.mark.parametrize("engine", ["scan", "sequential"])
def test_a_memory_budget_does_a_shared_state_piece_by_piece(engine: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Values and gradients as without one, from any state, and the same state at the end."""
    torch.manual_seed(0)
    layer = LRUSpec(d_state=8).build_layer(6).double()
    layer.use_engine(engine)
    u, start = (torch.randn(2, n, dtype=torch.float64, requires_grad=True) for n in (500 * 6, layer.init_state(2, 500).shape[1]))
    found = []
    for budget in (1 << 30, 64 * 2 * 8 * 37, 1):
        monkeypatch.setitem(engines.MEMORY_BUDGET, "cpu", budget)
        y, after = layer.stream(u.view(2, 500, 6), start.to(torch.complex128))
        found.append([y.detach(), after.detach(), *torch.autograd.grad(y.square().sum(), [u, start, *layer.parameters()])])
        with torch.no_grad():
            torch.testing.assert_close(layer.stream(u.view(2, 500, 6), start.to(torch.complex128))[0], found[-1][0])
    for other in found[1:]:
        for a, b in zip(found[0], other, strict=True):
            assert apart(a, b) < 1e-10


@pytest.mark.parametrize(("name", "N"), [("s4", 2), ("s4", 6), ("s4", 64), ("s4-fout", 64), ("hope", 65), ("hope", 100), ("hope", 128)])
def test_the_factors_of_a_dense_recurrence_are_its_matrix(name: str, N: int) -> None:
    """In value and gradient; so a step that uses them is the plain one."""
    torch.manual_seed(0)
    system = VARIANTS[name].mixer.with_states(N).build(5).recurrence(100)
    factors = system.factors
    assert factors is not None
    x, u = torch.randn(3, 5, N, dtype=torch.float64), torch.randn(3, 5, dtype=torch.float64)
    for a, b in zip(system.step(x, u), replace(system, factors=None).step(x, u), strict=True):
        assert apart(a, b) < 1e-13
    dx = torch.autograd.functional.jacobian(lambda x: system.step(x, u)[0].sum(0), x)
    plain = torch.autograd.functional.jacobian(lambda x: replace(system, factors=None).step(x, u)[0].sum(0), x)
    assert apart(dx, plain) < 1e-13
    assert not system.detach().step(x, u)[0].requires_grad
    assert system.step(x, u)[0].requires_grad


def test_an_explicit_rule_has_no_factors() -> None:
    system = S4Spec(d_state=4, discretization="zoh").build(2).recurrence(10)
    assert system.factors is None
    assert not system.diagonal


def test_a_run_says_which_engine_it_used(tmp_path: Path) -> None:
    """Its id and its losses are the same."""
    records = [run(tiny(), Runtime(engine=engine), Store.at(tmp_path / engine)) for engine in ("auto", "chunked")]
    assert [r.environment["engine"] for r in records] == ["auto", "chunked"]
    assert records[1].environment["engines_used"] == ["chunked"]
    assert records[0].id == records[1].id
    assert records[0].metrics["test_loss"] == pytest.approx(records[1].metrics["test_loss"], rel=1e-4)


@pytest.mark.parametrize(
    ("name", "engine"), [("s4d-lin", "fft"), ("s4d-lin", "chunked"), ("s4", "chunked"), ("lru", "scan"), ("lru", "sequential")]
)
def test_a_network_is_exported_with_any_engine(name: str, engine: str) -> None:
    model, x = network(name), torch.randn(2, 40, 1, dtype=torch.float64)
    for choice in (engine, "auto"):
        model.use_engine(choice)
        torch.testing.assert_close(torch.export.export(model, (x,)).module()(x), model(x))
