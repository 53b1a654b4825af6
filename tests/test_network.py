"""The network: convolution equals stepping, causality, padding, towers, sampling rate, gradients, precision; for every variant."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import pytest
import torch
from torch import Tensor

from models import (
    DEFAULT_VARIANTS,
    VARIANTS,
    DSSSpec,
    FIRSpec,
    KernelSpec,
    LRUSpec,
    LSTMSpec,
    ModelSpec,
    NoRecurrence,
    OptimSpec,
    S4DSpec,
    SequenceModel,
    StepSpec,
    param_groups,
)
from models.kernel import SSMLayer
from models.layer import Layer
from models.parameters import OwnRates
from models.specs.mixer import PLAIN, Around, MixerSpec
from models.specs.mixer import rate as learning_rate

pytestmark = pytest.mark.usefixtures("double")

L = 12
CIRCULAR = ("hope-circular", "hope-twosided")


def mixer_of(name: str, fixed_length: bool = True) -> Any:
    """The variant at 8 state dimensions, where it has a state; the softmax kernel normalized over L steps."""
    mixer = VARIANTS[name].mixer.with_states(8)
    if isinstance(mixer, DSSSpec) and mixer.kernel == "softmax" and fixed_length:
        mixer = replace(mixer, length=L)
    return mixer


def network(
    name: str, *, per_step: bool = False, two_towers: bool = False, vocab: int | None = None, d_input: int = 3, **options: Any
) -> SequenceModel:
    """Two blocks of 8 channels in evaluation mode, with statistics of the norms that are not the initial ones."""
    spec = ModelSpec(**{"mixer": mixer_of(name), "d_model": 8, "n_layers": 2} | options)
    model = spec.build(d_output=2, d_input=None if vocab else 3, vocab=vocab, per_step=per_step, two_towers=two_towers)
    for module in model.modules():
        if isinstance(module, torch.nn.BatchNorm1d):
            module.running_mean = torch.randn(8)
            module.running_var = 0.5 + torch.rand(8)
    return model.eval()


STEPPING = [name for name in VARIANTS if name not in (*CIRCULAR, "lstm", "transformer")]
TWO_WAY = [name for name, v in VARIANTS.items() if isinstance(v.mixer, KernelSpec) and name not in CIRCULAR]
SHAPES = {
    "mean": {},
    "last step": {"pool_last": 1, "prenorm": True},
    "last 5, batch norm": {"pool_last": 5, "norm": "batch"},
    "per step, linear": {"mixing": "linear"},
    "per step, batch prenorm": {"norm": "batch", "prenorm": True},
}


@torch.no_grad()
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("name", STEPPING)
def test_stepping_equals_convolving(name: str, shape: str) -> None:
    """After t steps the network says what it says about the first t inputs, at rates 1 and 2."""
    per_step = shape.startswith("per step")
    model, x = network(name, per_step=per_step, **SHAPES[shape]), torch.randn(3, L, 3)
    for rate in (1.0, 2.0) if isinstance(VARIANTS[name].mixer, StepSpec) else (1.0,):
        state = model.init_state(3, L, rate)
        whole = model(x, rate=rate)
        for t in range(L):
            y, state = model.step(x[:, t], state)
            expected = whole[:, t] if per_step else model(x[:, : t + 1], rate=rate)
            torch.testing.assert_close(y, expected, rtol=1e-9, atol=1e-10)


@torch.no_grad()
def test_stepping_through_tokens() -> None:
    model, x = network("s4d-lin", vocab=7), torch.randint(7, (3, L))
    state = model.init_state(3)
    for t in range(L):
        y, state = model.step(x[:, t], state)
    torch.testing.assert_close(y, model(x), rtol=1e-9, atol=1e-10)


@pytest.mark.parametrize(
    "model, reason",
    [
        (lambda: network("s4d-lin", bidirectional=True), "needs the whole sequence.*bidirectional=False"),
        (lambda: network("hope-circular"), "wraps around"),
        (lambda: network("hope-twosided"), "looks ahead"),
        (lambda: network("dss-softmax", mixer=DSSSpec(kernel="softmax")), r"DSSSpec\(length=\.\.\.\)"),
        (lambda: network("lstm"), "no step mode"),
        (lambda: network("transformer"), "no step mode"),
        (lambda: network("s4d-lin", two_towers=True), "two-tower"),
    ],
)
def test_a_network_that_cannot_be_stepped_says_why(model: Any, reason: str) -> None:
    with pytest.raises(NoRecurrence, match=reason):
        model().init_state(2, L)


def test_which_rows_can_look_both_ways() -> None:
    assert [name for name, v in VARIANTS.items() if v.mixer.two_way] == TWO_WAY


# ------------------------------------------------------------------------------------------------- causality


@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.parametrize("name", VARIANTS)
def test_causality_is_as_claimed(name: str, bidirectional: bool) -> None:
    """d y_t / d u_s over the whole network: zero for s > t up to the rounding of the FFT where every layer claims to be causal, else not.

    In every case y_t depends on u_t.
    """
    if bidirectional and name not in TWO_WAY:
        return  # refused: test_options
    model = network(name, per_step=True, bidirectional=bidirectional)
    x = torch.randn(1, L, 3)
    J = torch.autograd.functional.jacobian(lambda x: model(x).sum(-1)[0], x)[:, 0].abs().sum(-1)  # (t, s)
    ahead = float(J.triu(1).max() / J.max())
    claimed = all(block.layer.causal for block in model.blocks)  # type: ignore[union-attr]
    assert claimed == (not bidirectional and name not in (*CIRCULAR, "transformer"))
    assert ahead < 1e-12 if claimed else ahead > 1e-6
    assert float(J.diagonal().min()) > 0


# ------------------------------------------------------------------------------------------------- padding

PADDED = [(name, both) for name in VARIANTS if name not in CIRCULAR for both in ((False, True) if name in TWO_WAY else (False,))]
POOLS = [None, 1, 4]


def compare_padding(model: SequenceModel, x: Tensor, garbage: Tensor, lengths: list[int]) -> None:
    """Values, parameter gradients and input gradients of a padded batch against those of each sequence alone."""
    padded = x.clone()
    for b, n in enumerate(lengths):
        padded[b, n:] = garbage[b, n:]
    if x.is_floating_point():
        padded.requires_grad_()
    weight = torch.randn(len(lengths), 2)
    names, parameters = zip(*model.named_parameters(), strict=True)
    together = model(padded, torch.tensor(lengths))
    alone = torch.cat([model(x[b : b + 1, :n]) for b, n in enumerate(lengths)])
    torch.testing.assert_close(together, alone, rtol=1e-9, atol=1e-10)
    inputs = [padded] if x.is_floating_point() else []
    grads = torch.autograd.grad((together * weight).sum(), [*parameters, *inputs], allow_unused=True)
    expected = torch.autograd.grad((alone * weight).sum(), parameters, allow_unused=True)
    for name, a, b in zip(names, grads, expected, strict=False):
        assert (a is None) == (b is None), name
        if a is not None and b is not None:
            torch.testing.assert_close(a, b, rtol=1e-7, atol=1e-9, msg=lambda m, name=name: f"{name}: {m}")
    if inputs:
        for b, n in enumerate(lengths):
            assert float(grads[-1][b, n:].abs().sum()) == 0
            assert float(grads[-1][b, :n].abs().sum()) > 0


@pytest.mark.parametrize("pool_last", POOLS)
@pytest.mark.parametrize("name, bidirectional", PADDED)
def test_padding_has_no_influence(name: str, bidirectional: bool, pool_last: int | None) -> None:
    """A padded batch, with large garbage behind each sequence, is each sequence alone."""
    model = network(name, bidirectional=bidirectional, pool_last=pool_last)
    compare_padding(model, torch.randn(4, L, 3), 100 * torch.randn(4, L, 3), [1, 3, 7, L])


def test_padding_with_batch_norm_and_tokens() -> None:
    """Batch norm in evaluation mode; token ids as garbage."""
    compare_padding(
        network("s4", norm="batch", prenorm=True, bidirectional=True), torch.randn(3, L, 3), 100 * torch.randn(3, L, 3), [2, 5, L]
    )
    compare_padding(network("s4d-inv", vocab=9, bidirectional=True), torch.randint(9, (3, L)), torch.randint(9, (3, L)), [2, 5, L])


@pytest.mark.parametrize("name", [*CIRCULAR, "dss-softmax"])
def test_padding_is_refused_where_it_would_matter(name: str) -> None:
    model = network(name, mixer=mixer_of(name, fixed_length=False))
    with pytest.raises(ValueError, match="a padded batch would differ"):
        model(torch.randn(2, L, 3), torch.tensor([3, L]))


@pytest.mark.parametrize("lengths", [[0, 3], [3, L + 1]])
def test_impossible_lengths_are_refused(lengths: list[int]) -> None:
    with pytest.raises(ValueError, match=rf"lengths lie in \[1, {L}\]"):
        network("s4d-lin")(torch.randn(2, L, 3), torch.tensor(lengths))


# ------------------------------------------------------------------------------------------------- rate, towers, tokens


@torch.no_grad()
@pytest.mark.parametrize("name", [n for n, v in VARIANTS.items() if isinstance(v.mixer, StepSpec)])
def test_rate_two_is_twice_the_step(name: str) -> None:
    """Every second sample at rate 2 is the network with every dt doubled; and it is not the network at rate 1."""
    model, x = network(name), torch.randn(2, L, 3)[:, ::2]
    fast, plain = model(x, rate=2.0), model(x)
    for key, p in model.named_parameters():
        if key.endswith("theta_dt"):
            p += torch.log(torch.tensor(2.0))
    torch.testing.assert_close(fast, model(x), rtol=1e-9, atol=1e-10)
    assert float((fast - plain).abs().max()) > 1e-6


@pytest.mark.parametrize("name", ["lstm", "transformer", "fir", "lru"])
def test_a_network_without_a_step_refuses_another_rate(name: str) -> None:
    with pytest.raises(ValueError, match="rate must be 1"):
        network(name)(torch.randn(2, L, 3), rate=2.0)


@torch.no_grad()
def test_zero_order_hold_network_reads_a_held_signal_at_half_the_rate() -> None:
    """A kernel at rate 2 on samples that were held for two steps is the kernel at rate 1 on all of them, read at every second step."""
    layer = network("s4d-lin", n_layers=1).blocks[0].layer
    assert isinstance(layer, SSMLayer)
    layer.D.zero_()
    x = torch.randn(2, L, 8)
    held = x.repeat_interleave(2, dim=1)
    torch.testing.assert_close(layer(x, rate=2.0), layer(held)[:, 1::2], rtol=1e-9, atol=1e-11)


@torch.no_grad()
def test_two_towers() -> None:
    """Both documents through one network; [u, v, u - v, u v] through the head; padding of each on its own."""
    model, x = network("s4d-inv", two_towers=True, vocab=6), torch.randint(6, (3, 2, L))
    lengths = torch.tensor([[2, 5], [L, 1], [4, L]])
    y = model(x, lengths)
    assert y.shape == (3, 2)

    def feature(tokens: Tensor) -> Tensor:
        h = model.encoder(tokens[None])
        for block in model.blocks:
            h = block(h, None, 1.0)
        return model.norm(h).mean(1)[0]

    head = model.decoder
    for b in range(3):
        u, v = feature(x[b, 0, : lengths[b, 0]]), feature(x[b, 1, : lengths[b, 1]])
        hidden = torch.nn.functional.gelu(head.hidden(torch.cat([u, v, u - v, u * v])))  # type: ignore[operator, union-attr]
        torch.testing.assert_close(y[b], head.out(hidden), rtol=1e-9, atol=1e-10)  # type: ignore[operator, union-attr]


@torch.no_grad()
def test_pooling_is_a_mean_over_the_last_valid_steps() -> None:
    """pool_last = k against the per-step network with the same parameters; k larger than the sequence is its mean."""
    for k in (None, 1, 5, 100):
        pooled, stepwise = network("hope", pool_last=k), network("hope", per_step=True)
        stepwise.load_state_dict(pooled.state_dict())
        x = torch.randn(2, L, 3)
        last = L if k is None else min(k, L)
        torch.testing.assert_close(pooled(x), stepwise(x)[:, -last:].mean(1), rtol=1e-9, atol=1e-10)


# ------------------------------------------------------------------------------------------------- a layer of one's own


@dataclass(frozen=True, kw_only=True)
class AverageSpec(MixerSpec):
    """A layer with one parameter: the mean of the inputs so far, scaled."""

    lr_gain: float | None = learning_rate("kernel", 1e-4)

    def build_layer(self, d_model: int, around: Around = PLAIN) -> Average:
        return Average(self)


class Gain(OwnRates):
    gain: Tensor

    def __init__(self, lr: float | None) -> None:
        super().__init__()
        self.add("gain", torch.ones(()), lr=lr)


class Average(Layer):
    causal = True

    def __init__(self, spec: AverageSpec) -> None:
        super().__init__()
        self.kernel = Gain(spec.lr_gain)

    def forward(self, u: Tensor, mask: Tensor | None = None, rate: float = 1.0) -> Tensor:
        self.require_rate_one(rate)
        return self.kernel.gain * u.cumsum(1) / torch.arange(1, u.shape[1] + 1).unsqueeze(-1)


def test_a_layer_of_ones_own_needs_no_other_file() -> None:
    """The network takes it as it is: forward, padding, its rate, the refusals, and an empty record."""
    model = ModelSpec(mixer=AverageSpec().with_rates(kernel=1e-5, dt=None), d_model=8, n_layers=2).build(d_input=3, d_output=2)
    compare_padding(model.eval(), torch.randn(3, L, 3), 100 * torch.randn(3, L, 3), [2, 5, L])
    rates = {g["lr"]: g["names"] for g in param_groups(model, OptimSpec(lr=0.5))}
    assert rates[1e-5] == ["blocks.0.layer.kernel.gain", "blocks.1.layer.kernel.gain"]
    assert [layer.arrays(L) for layer in model.layers] == [{}, {}]
    with pytest.raises(ValueError, match="Average has no step size"):
        model(torch.randn(1, L, 3), rate=2.0)
    with pytest.raises(NoRecurrence, match="Average has no step mode"):
        model.init_state(1)
    with pytest.raises(ValueError, match="AverageSpec has no kernel"):
        ModelSpec(mixer=AverageSpec(), bidirectional=True)


# ------------------------------------------------------------------------------------------------- dropout, gradients, precision


def test_dropout_is_tied_over_the_steps_and_keeps_the_mean() -> None:
    """One mask per sequence and feature; free dropout draws at each step; neither acts in evaluation mode."""
    layer = network("fir", dropout=0.5).train().blocks[0].dropout
    x = torch.ones(2000, 3, 8)
    tied = layer(x)  # type: ignore[operator]
    assert torch.equal(tied, tied[:, :1].expand_as(tied))
    assert set(tied.unique().tolist()) == {0.0, 2.0}
    assert abs(float(tied.mean()) - 1) < 0.05
    layer.tied = False
    free = layer(x)  # type: ignore[operator]
    assert not torch.equal(free, free[:, :1].expand_as(free))
    assert torch.equal(layer.eval()(x), x)  # type: ignore[operator, union-attr]


@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.parametrize("name", VARIANTS)
def test_every_parameter_receives_a_gradient(name: str, bidirectional: bool) -> None:
    """Every tensor; and in the kernels every single number, once modes of frequency exactly 0 have moved off their init."""
    if bidirectional and name not in TWO_WAY:
        return
    model = network(name, bidirectional=bidirectional)
    for p in model.parameters():
        p.data += 0.01 * torch.randn_like(p)
    model(torch.randn(4, L, 3)).square().sum().backward()
    for key, p in model.named_parameters():
        assert p.grad is not None, key
        assert bool(torch.isfinite(p.grad).all()), key
        assert float(p.grad.abs().max()) > 0, key
        if ".kernel." in key:
            assert bool((p.grad != 0).all()), key


@pytest.mark.parametrize("name", DEFAULT_VARIANTS)
def test_kernel_and_fft_stay_in_single_precision_under_bf16_autocast(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The rest of the network runs in bfloat16, and the result stays near the float32 one."""
    torch.set_default_dtype(torch.float32)
    model, x = network(name), torch.randn(4, L, 3)
    seen: list[tuple[torch.dtype, ...]] = []
    import models.kernel as layer

    conv = layer.causal_conv

    def spy(u: Tensor, K: Tensor, D: Tensor) -> Tensor:
        y = conv(u, K, D)
        seen.append((u.dtype, K.dtype, y.dtype))
        return y

    monkeypatch.setattr(layer, "causal_conv", spy)
    mixed: list[torch.dtype] = []
    model.blocks[0].layer.register_forward_hook(lambda *a: mixed.append(a[-1].dtype))  # type: ignore[union-attr]
    with torch.autocast("cpu", dtype=torch.bfloat16):
        y = model(x)
    assert seen == [(torch.float32,) * 3] * 2
    assert mixed == [torch.bfloat16]
    y.float().sum().backward()
    exact = model(x).detach()
    assert float((y.detach().float() - exact).abs().max()) < 0.05 * (1 + float(exact.abs().max()))


@pytest.mark.parametrize("name", VARIANTS)
def test_records_can_tell_the_parameters_of_the_system(name: str) -> None:
    """They are those under `kernel`; a layer without a system has none there."""
    for layer in network(name).layers:
        own = [] if layer.system is None else [f"kernel.{key}" for key, _ in layer.system.named_parameters()]
        assert [key for key, _ in layer.named_parameters() if key.startswith("kernel.")] == own
        assert own or not isinstance(VARIANTS[name].mixer, (KernelSpec, LRUSpec))
        assert not (own and name in ("lstm", "transformer"))


def test_lstm_and_free_kernel_take_the_place_of_the_convolution() -> None:
    """The LSTM layer is torch's with a linear map; the free kernel has exactly its taps."""
    layer = LSTMSpec().build_layer(8)
    u = torch.randn(2, L, 8)
    torch.testing.assert_close(layer(u), layer.out(layer.lstm(u)[0]))
    kernel = FIRSpec(d_state=4).build(2)
    assert torch.equal(kernel(7)[..., :4], kernel.K)
    assert float(kernel(7)[..., 4:].detach().abs().max()) == 0
    assert torch.equal(kernel(3), kernel.K[..., :3])
    assert S4DSpec().build(2)(3).shape == (1, 2, 3)
