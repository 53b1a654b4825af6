"""Each trained parameter sits in one group with its intended rate and decay, frozen ones in none, and the rates follow their schedule."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import nn

from benchmarks.rebuild import rebuild, spec_classes
from benchmarks.spec import canonical
from models import (
    VARIANTS,
    Constant,
    Cosine,
    DSSSpec,
    FIRSpec,
    HOPESpec,
    KernelSpec,
    LRUSpec,
    LSTMSpec,
    MixerSpec,
    ModelSpec,
    MultiStep,
    OptimSpec,
    Plateau,
    S4DSpec,
    S4Spec,
    Schedule,
    SequenceModel,
    TransformerSpec,
    param_groups,
)
from models.kernel import Kernel
from models.parameters import ParamGroup
from models.training.optim import build

LR, DECAY = 0.02, 0.03


def network(mixer: Any, **options: Any) -> SequenceModel:
    return ModelSpec(mixer=mixer, d_model=8, n_layers=2, **options).build(d_input=3, d_output=2)


def rates(model: nn.Module) -> dict[str, tuple[float, float]]:
    """(lr, weight decay) of each parameter as the optimizer has it; checks that the groups partition the trained parameters."""
    optimizer = torch.optim.AdamW(param_groups(model, OptimSpec(lr=LR, weight_decay=DECAY)))
    grouped = [id(p) for group in optimizer.param_groups for p in group["params"]]
    assert len(grouped) == len(set(grouped))
    assert set(grouped) == {id(p) for p in model.parameters() if p.requires_grad}
    pairs = [(group["lr"], group["weight_decay"]) for group in optimizer.param_groups]
    assert len(pairs) == len(set(pairs)), "two groups with the same rate and decay"
    names = {id(p): name for name, p in model.named_parameters()}
    for group in optimizer.param_groups:
        assert [names[id(p)] for p in group["params"]] == group["names"]
    return {name: (g["lr"], g["weight_decay"]) for g in optimizer.param_groups for name in g["names"]}


NETWORK = (LR, DECAY)
SLOW = (1e-3, 0.0)
EXPECTED: dict[type[MixerSpec], dict[str, tuple[float, float]]] = {
    S4Spec: {"A.re": SLOW, "A.im": SLOW, "P": SLOW, "B": SLOW, "theta_dt": SLOW, "C": NETWORK},
    S4DSpec: {"A.re": SLOW, "A.im": SLOW, "B": SLOW, "theta_dt": SLOW, "C": NETWORK},
    DSSSpec: {"A.re": SLOW, "A.im": SLOW, "theta_dt": SLOW, "W": NETWORK},
    HOPESpec: {"h": SLOW, "theta_dt": SLOW},
    FIRSpec: {"K": SLOW},
    LRUSpec: {"nu": SLOW, "theta": SLOW, "log_gamma": SLOW, "B": SLOW, "C": NETWORK},
    LSTMSpec: {},
    TransformerSpec: {},
}
"""The settings of the papers' code, by the name a kernel or recurrence gives its parameter."""


@pytest.mark.parametrize("name", VARIANTS)
def test_every_parameter_has_its_intended_rate(name: str) -> None:
    """Kernels as in the table above (the -paper-rates variants as their name says); all else at the network's rate and decay."""
    mixer = VARIANTS[name].mixer
    if type(mixer) not in EXPECTED:
        assert rates(network(mixer)), "each parameter in one group, whatever its rate"
        return
    table = dict(EXPECTED[type(mixer)])
    if name.endswith("-paper-rates"):
        table |= {"h": (LR, 0.0)} if "h" in table else {"W": SLOW}
    if isinstance(mixer, S4DSpec) and mixer.real:
        del table["A.im"]
    model = network(mixer)
    actual = rates(model)
    seen = set()
    for key, pair in actual.items():
        own = key.partition(".kernel.")[2]
        assert pair == table.get(own, NETWORK), key
        seen.add(own)
    assert seen - {""} == set(table)


@pytest.mark.parametrize(
    "spec, option, owned",
    [
        (S4Spec(), "lr_A", {"A.re", "A.im", "P"}),
        (S4Spec(), "lr_B", {"B"}),
        (S4DSpec(), "lr_A", {"A.re", "A.im"}),
        (S4DSpec(real=True), "lr_A", {"A.re"}),
        (S4DSpec(), "lr_B", {"B"}),
        (S4DSpec(), "lr_dt", {"theta_dt"}),
        (DSSSpec(), "lr_A", {"A.re", "A.im"}),
        (DSSSpec(), "lr_W", {"W"}),
        (DSSSpec(kernel="softmax"), "lr_dt", {"theta_dt"}),
        (HOPESpec(), "lr_h", {"h"}),
        (HOPESpec(filter="twosided"), "lr_h", {"h"}),
        (FIRSpec(), "lr_K", {"K"}),
    ],
)
def test_a_rate_option_sets_exactly_its_parameters(spec: KernelSpec, option: str, owned: set[str]) -> None:
    """A number without decay; None is the network's rate, still without decay, except for W, which then follows the network in both."""
    for value in (5e-5, None):
        actual = rates(network(replace(spec, **{option: value})))  # type: ignore[arg-type]
        base = rates(network(spec))
        for key, pair in actual.items():
            if key.partition(".kernel.")[2] in owned:
                assert pair == ((value, 0.0) if value else (LR, DECAY if option == "lr_W" else 0.0)), key
            else:
                assert pair == base[key], key


@pytest.mark.parametrize(
    "spec, option, owned",
    [
        (S4Spec(), "train_A", {"A.re", "A.im", "P"}),
        (S4Spec(), "train_B", {"B"}),
        (S4DSpec(), "train_A", {"A.re", "A.im"}),
        (S4DSpec(real=True), "train_B", {"B"}),
        (DSSSpec(), "train_A", {"A.re", "A.im"}),
        (DSSSpec(kernel="softmax"), "train_A", {"A.re", "A.im"}),
        (HOPESpec(), "train_h", {"h"}),
        (HOPESpec(filter="circular"), "train_h", {"h"}),
        *((spec, "train_dt", {"theta_dt"}) for spec in (S4Spec(), S4DSpec(), DSSSpec(), HOPESpec(), HOPESpec(filter="twosided"))),
    ],
)
def test_frozen_means_a_buffer(spec: KernelSpec, option: str, owned: set[str]) -> None:
    """In the state dict, in no group, without gradient, and unchanged by a step that moves the rest."""
    model = network(replace(spec, **{option: False}))  # type: ignore[arg-type]
    frozen = [f"blocks.{i}.layer.kernel.{name}" for i in (0, 1) for name in owned]
    assert set(frozen) <= set(dict(model.named_buffers()))
    assert set(model.state_dict()) == set(network(spec).state_dict())
    assert not set(frozen) & set(rates(model))
    before = {key: value.clone() for key, value in model.state_dict().items()}
    optimizer = torch.optim.AdamW(param_groups(model, OptimSpec()))
    model(torch.randn(2, 16, 3)).square().sum().backward()
    optimizer.step()
    for key, value in model.state_dict().items():
        assert torch.equal(value, before[key]) == (key in frozen), key


class Forgetful(Kernel):
    """A kernel with a parameter that no group names."""

    def __init__(self, *names: str) -> None:
        super().__init__(2, 1)
        self.K = nn.Parameter(torch.zeros(1, 2, 4))
        self.gain = nn.Parameter(torch.ones(()))
        self.groups = [ParamGroup((name,), 1e-3, 0.0) for name in names]

    def forward(self, L: int, rate: float = 1.0) -> torch.Tensor:
        raise NotImplementedError

    def recurrence(self, L: int, rate: float = 1.0) -> Any:
        raise NotImplementedError


@pytest.mark.parametrize("names", [("K",), ("K", "gain", "gain"), ("K", "gain", "bias")])
def test_a_kernel_that_misnames_its_parameters_is_refused(names: tuple[str, ...]) -> None:
    """Forgotten, named twice, or not there."""
    with pytest.raises(ValueError, match=r"Forgetful has parameters .* but its groups name"):
        param_groups(Forgetful(*names), OptimSpec())
    assert len(param_groups(Forgetful("K", "gain"), OptimSpec())) == 1


# ------------------------------------------------------------------------------------------------- schedules


def course(schedule: Any, steps: int, *, epoch: int = 5, metric: list[float] | None = None, total: int | None = None) -> list[list[float]]:
    """The rate of each group during each of `steps` batches, the scheduler stepped after every batch or every `epoch` batches."""
    model = network(S4DSpec(d_state=4))
    spec = OptimSpec(lr=LR, schedule=schedule)
    config = build(model, spec, total_steps=steps if total is None else total, metric="val_accuracy", higher_is_better=True)
    optimizer, plan = config["optimizer"], config["lr_scheduler"]
    out = []
    for step in range(steps):
        out.append([group["lr"] for group in optimizer.param_groups])
        optimizer.step()
        if plan["interval"] == "step":
            plan["scheduler"].step()
        elif (step + 1) % epoch == 0:
            if "monitor" in plan:
                assert metric is not None
                assert plan["monitor"] == "val_accuracy"
                plan["scheduler"].step(metric[step // epoch])
            else:
                plan["scheduler"].step()
    return out


def factors(*args: Any, **kwargs: Any) -> list[float]:
    """The common factor on the rates of all groups, which have to move together."""
    rows = course(*args, **kwargs)
    base = sorted({LR, 1e-3})
    for row in rows:
        relative = [lr / b for lr, b in zip(sorted(row), base, strict=True)]
        assert math.isclose(relative[0], relative[1], rel_tol=1e-9, abs_tol=1e-15)
    return [max(row) / LR for row in rows]


def test_cosine_with_warm_up() -> None:
    """Linear from a first step that moves, full rate at the end of the warm-up, half a cosine to zero, and zero ever after."""
    f = factors(Cosine(warmup_steps=4), 30, total=20)
    assert f[:5] == pytest.approx([0.2, 0.4, 0.6, 0.8, 1.0])
    assert f[4:20] == pytest.approx([0.5 * (1 + math.cos(math.pi * k / 16)) for k in range(16)])
    assert f[20:] == pytest.approx([0.0] * 10, abs=1e-15)


def test_cosine_of_a_given_length_ignores_that_of_the_run() -> None:
    f = factors(Cosine(total_steps=10), 16, total=1000)
    assert f[0] == 1
    assert f[5] == pytest.approx(0.5)
    assert f[10:] == pytest.approx([0.0] * 6, abs=1e-15)


def test_constant() -> None:
    """Full rate at once, or after its warm-up."""
    assert factors(Constant(), 6) == [1.0] * 6
    assert factors(Constant(warmup_steps=3), 6) == pytest.approx([0.25, 0.5, 0.75, 1, 1, 1])


def test_plateau_falls_when_the_metric_stops_rising() -> None:
    """patience = 1: the second epoch without a better value takes the factor."""
    f = factors(Plateau(factor=0.2, patience=1), 30, metric=[0.1, 0.2, 0.2, 0.2, 0.3, 0.3])
    assert f[0::5] == pytest.approx([1, 1, 1, 1, 0.2, 0.2])
    model = network(S4DSpec(d_state=4))
    config = build(model, OptimSpec(schedule=Plateau()), total_steps=1, metric="val_rmse", higher_is_better=False)
    assert config["lr_scheduler"]["scheduler"].mode == "min"
    assert config["lr_scheduler"]["monitor"] == "val_rmse"


def test_multistep_counts_epochs() -> None:
    f = factors(MultiStep(milestones=(2, 4), gamma=0.5), 30)
    assert f[0::5] == pytest.approx([1, 1, 0.5, 0.5, 0.25, 0.25])
    assert f[4::5] == f[0::5]


EXAMPLES = {MultiStep: MultiStep(milestones=(2, 4))}
"""Of the schedules that have no default."""


@pytest.mark.parametrize("kind", [kind for kind in spec_classes().values() if issubclass(kind, Schedule)], ids=lambda kind: kind.__name__)
def test_every_schedule_gives_rates_between_nothing_and_the_full_one(kind: type[Schedule]) -> None:
    """Also beyond the end of the run; and equal schedules give equal rates."""
    schedule = EXAMPLES.get(kind) or kind()
    f = factors(schedule, 30, total=20, metric=[0.1, 0.2, 0.2, 0.2, 0.3, 0.3])
    assert all(0 <= factor <= 1 for factor in f)
    assert max(f) > 0
    assert rebuild(canonical(OptimSpec(schedule=schedule)), OptimSpec).schedule == schedule
    assert f == factors(replace(schedule), 30, total=20, metric=[0.1, 0.2, 0.2, 0.2, 0.3, 0.3])


@pytest.mark.parametrize("lr, decay", [(0.0, 0.0), (-1.0, 0.0), (math.inf, 0.0), (1e-3, -1e-3), (math.nan, 0.0)])
def test_impossible_rates_are_refused(lr: float, decay: float) -> None:
    with pytest.raises(ValueError, match="lr is positive"):
        OptimSpec(lr=lr, weight_decay=decay)
