"""From a case to the function that is timed. Of ours only public names of `models` are used, so that older commits can be asked too."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from importlib import import_module
from importlib.util import find_spec
from typing import Any, Final

import torch
from torch import Tensor, nn

from benchmarks.speed import textbook
from benchmarks.speed.case import OURS, STEPPED, TEXTBOOK, Case, Kind
from benchmarks.speed.measure import Work
from benchmarks.speed.public import PACKAGES

CLASSES, DROPOUT = 10, 0.1


def build(case: Case, device: torch.device) -> Work:
    """The work of a case, its parameters and inputs made on `device`. Raises what the code under measure raises."""
    with device:
        if case.by in (OURS, TEXTBOOK):
            return BUILDERS[case.kind](case)
        f, inputs = PACKAGES[case.by].build(case)
        return _differentiated(_under(case, f), inputs)


def _mixer(case: Case) -> Any:
    from models import VARIANTS  # the tree that is measured may be an older one, which is known when it is asked

    sizes = {} if case.N is None else {"d_state": case.N}
    sizes |= {"length": case.L} if case.kind == "recurrent" and case.row == "dss-softmax" else {}
    return replace(VARIANTS[case.row].mixer, **sizes)


def _layer(case: Case) -> Any:
    return _network(replace(case, layers=1)).blocks[0].layer


def _differentiated(f: Callable[[], Tensor], inputs: Sequence[Tensor]) -> Work:
    """Forward and backward of f with a fixed random cotangent; gradients are made anew each time, as after zero_grad."""
    with torch.no_grad():
        shape = f()
    cotangent = torch.randn_like(shape)

    def work() -> None:
        for p in inputs:
            p.grad = None
        f().backward(cotangent)

    return work


def _under(case: Case, f: Callable[[], Tensor]) -> Callable[[], Tensor]:
    """f under autocast where the case asks for it."""
    if case.precision == "fp32":
        return f

    def g() -> Tensor:
        with torch.autocast(device_type=torch.get_default_device().type, dtype=torch.bfloat16):
            return f()

    return g


def convolution(case: Case) -> Work:
    """A convolution of (B, H, L) with given kernels."""
    u, K = torch.randn(case.B, case.H, case.L, requires_grad=True), torch.randn(1, case.H, case.L, requires_grad=True)
    if case.by == TEXTBOOK:
        return _differentiated(lambda: textbook.convolve(u, K[0]), [u, K])
    module = "models.convolution" if find_spec("models.convolution") else "models.functional"  # where older commits keep it
    causal_conv = import_module(module).causal_conv
    return _differentiated(lambda: causal_conv(u, K), [u, K])


def kernel(case: Case) -> Work:
    """The kernel (H, L), or the spectrum that the textbook multiplies with, from its parameters."""
    ours = _layer(case).kernel
    if case.by == OURS:
        return _differentiated(lambda: ours(case.L), list(ours.parameters()))
    other = textbook.KERNELS[case.row].of(ours, case.L)
    return _differentiated(lambda: other(case.L), list(other.parameters()))


def layer(case: Case) -> Work:
    """A layer in training mode, with the gradient of its input."""
    ours = _layer(case)
    if case.by == OURS:
        x = torch.randn(case.B, case.L, case.H, requires_grad=True)
        return _differentiated(_under(case, lambda: ours(x)), [x, *ours.parameters()])
    other = textbook.Layer.of(case.row, ours, case.L, DROPOUT)
    u = torch.randn(case.B, case.H, case.L, requires_grad=True)
    return _differentiated(_under(case, lambda: other(u)), [u, *other.parameters()])


def _network(case: Case) -> Any:
    from models import ModelSpec

    return ModelSpec(mixer=_mixer(case), d_model=case.H, n_layers=case.layers, dropout=DROPOUT).build(d_output=CLASSES, d_input=1)


def step(case: Case) -> Work:
    """A training step of a network for classes: forward, backward, AdamW."""
    from models import OptimSpec, param_groups

    ours = _network(case)
    model: nn.Module
    if case.by == OURS:
        model, groups = ours, param_groups(ours, OptimSpec())
    else:
        model = textbook.Network.of(case.row, ours, case.L, DROPOUT)
        groups = [{"params": list(model.parameters())}]
    optimizer = torch.optim.AdamW(groups)
    x, y = torch.randn(case.B, case.L, 1), torch.randint(CLASSES, (case.B,))
    f = _under(case, lambda: nn.functional.cross_entropy(model(x).float(), y))

    def work() -> None:
        optimizer.zero_grad()
        f().backward()
        optimizer.step()

    return work


def recurrent(case: Case) -> Work:
    """STEPPED tokens, one after the other, through a network in step mode."""
    model = _network(case).eval()
    x = torch.randn(case.B, 1)

    def work() -> None:
        with torch.no_grad():
            state = start
            for _ in range(STEPPED):
                _, state = model.step(x, state)

    with torch.no_grad():
        start = model.init_state(case.B, case.L)
    return work


def forward(case: Case) -> Work:
    """A layer in evaluation mode, without derivatives."""
    ours = _layer(case).eval()
    x = torch.randn(case.B, case.L, case.H)
    other = None if case.by == OURS else textbook.Layer.of(case.row, ours, case.L, DROPOUT).eval()

    def work() -> None:
        with torch.no_grad():
            _ = ours(x) if other is None else other(x.transpose(1, 2))

    return work


def scan(case: Case) -> Work:
    """x_k = a x_{k-1} + v_k for H complex modes, v given."""
    a = torch.full((case.H,), 0.99, dtype=torch.complex64, requires_grad=True)
    v = torch.randn(case.B, case.L, case.H, dtype=torch.complex64, requires_grad=True)
    f = textbook.scan if case.by == TEXTBOOK else import_module("models.functional").scan
    return _differentiated(lambda: f(a, v), [a, v])


class _Unmixed(nn.Identity):
    """In the place of the mixing of a layer: only the layout that it would have given."""

    def turned(self, x: Tensor) -> Tensor:
        """(B, H, L) -> (B, L, H)."""
        return x.transpose(1, 2)


def engine(case: Case) -> Work:
    """A kernel and its application by one engine; what is around them is left away."""
    assert case.engine is not None
    ours = _layer(case)
    ours.use_engine(case.engine)
    ours.mix, ours.dropout = _Unmixed(), nn.Identity()
    x = torch.randn(case.B, case.L, case.H, requires_grad=True)
    return _differentiated(lambda: ours(x), [x, *ours.parameters()])


BUILDERS: Final[Mapping[Kind, Callable[[Case], Work]]] = {
    "convolution": convolution,
    "kernel": kernel,
    "layer": layer,
    "step": step,
    "recurrent": recurrent,
    "forward": forward,
    "scan": scan,
    "engine": engine,
}
