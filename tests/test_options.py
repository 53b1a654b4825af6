"""No option does nothing, and no impossible combination passes: each field of each spec, and each refusal with its remedy."""

from __future__ import annotations

import copy
import dataclasses
import math
import pickle
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor

from models import (
    DISCRETIZATIONS,
    INITS,
    LINKS,
    VARIANTS,
    Constant,
    Cosine,
    DSSSpec,
    FIRSpec,
    HOPESpec,
    KernelSpec,
    LRUSpec,
    ModelSpec,
    MultiStep,
    OptimSpec,
    Plateau,
    S4DSpec,
    S4Spec,
    SequenceModel,
    StepSpec,
    TransformerSpec,
    param_groups,
)
from models.choices.inits import Init
from models.specs.mixer import Around

pytestmark = pytest.mark.usefixtures("double")

# ------------------------------------------------------------------------------------------------- every option acts

TOLD_APART = [name for name, rule in DISCRETIZATIONS.items() if rule.order <= 2 or math.isinf(rule.order)]
"""Rules of another order are too close to zoh to be told from it below."""

KERNEL_OPTIONS: dict[KernelSpec, dict[str, list[Any]]] = {
    S4Spec(d_state=8): {
        "d_state": [4],
        "dt_min": [1e-2],
        "dt_max": [1.0],
        "dt_link": ["softplus"],
        "train_dt": [False],
        "lr_dt": [None, 1e-4],
        "init": ["fout"],
        "discretization": [name for name in DISCRETIZATIONS if name not in ("bilinear", "foh", "forward-euler")] + ["gbt:0.75"],
        "A_link": [name for name in LINKS if name != "exp"],
        "n_ssm": [2, None],
        "train_A": [False],
        "train_B": [False],
        "lr_A": [None, 1e-4],
        "lr_B": [None, 1e-4],
    },
    S4DSpec(d_state=8, dt_max=0.01): {
        "d_state": [4],
        "dt_min": [5e-3],
        "dt_max": [1.0],
        "dt_link": ["softplus"],
        "train_dt": [False],
        "lr_dt": [None, 1e-4],
        "init": [name for name, init in INITS.items() if name != "lin" and init.diagonal and not init.real_only],
        "B_init": ["alternating", "normal"],  # "ones" is that of lin; test_golden has V* B of LegS
        "real": [True],
        "discretization": [*(name for name in TOLD_APART if name not in ("zoh", "forward-euler")), "gbt:0.75"],
        "A_link": [name for name in LINKS if name != "exp"],
        "n_ssm": [2, None],
        "dt_per_state": [True],
        "imag_scale": [0.1, 10.0],
        "random_imag": [True],
        "random_real": [True],
        "train_A": [False],
        "train_B": [False],
        "lr_A": [None, 1e-4],
        "lr_B": [None, 1e-4],
    },
    DSSSpec(d_state=8, kernel="softmax"): {
        "d_state": [4],
        "dt_min": [1e-2],
        "dt_max": [1.0],
        "dt_link": ["softplus"],
        "train_dt": [False],
        "lr_dt": [None, 1e-4],
        "kernel": ["exp", "exp-no-scale"],
        "init": ["randn"],
        "length": [64],
        "dt_per_part": [True],
        "train_A": [False],
        "lr_A": [None, 1e-4],
        "lr_W": [1e-3],
    },
    HOPESpec(d_state=8): {
        "d_state": [4],
        "dt_min": [1e-2],
        "dt_max": [1.0],
        "dt_link": ["softplus"],
        "train_dt": [False],
        "lr_dt": [None, 1e-4],
        "filter": ["circular", "twosided"],
        "train_h": [False],
        "lr_h": [None, 1e-4],
    },
    FIRSpec(d_state=8): {"d_state": [4], "lr_K": [None, 1e-4]},
}
"""For each spec another legal value of each of its fields."""
COMMON: dict[str, list[Any]] = {"d_state": [4], "dt_min": [1e-2], "dt_max": [1.0], "dt_link": ["softplus"], "train_dt": [False]}
"""Fields that mean the same in every kernel; so do its rates, lr_ and a name."""


def common_options(spec: KernelSpec) -> dict[str, list[Any]]:
    """The fields of a spec that need no line of their own above; what only this spec has is to be listed there."""
    names = [f.name for f in dataclasses.fields(spec)]
    return {name: COMMON.get(name, [None, 1e-4]) for name in names if name in COMMON or name.startswith("lr_")}


for mixer in {type(v.mixer): v.mixer for v in VARIANTS.values()}.values():
    if isinstance(mixer, KernelSpec) and type(mixer) not in map(type, KERNEL_OPTIONS):
        KERNEL_OPTIONS[mixer.with_states(8)] = common_options(mixer)


def observe(spec: KernelSpec, channels: int = 4) -> tuple[list[Tensor], list[Any]]:
    """What a user could notice: from one seed the kernel, the gradients, the kernel a long way from its init, and the parameter groups."""
    torch.manual_seed(0)
    kernel = spec.build(channels)
    K = kernel(32)
    weight = torch.sin(torch.arange(32.0))
    gradients = torch.autograd.grad((K * weight).sum(), list(kernel.parameters()))
    groups = [(g["names"], g["lr"], g["weight_decay"]) for g in param_groups(kernel, OptimSpec(lr=0.5, weight_decay=0.25))]
    with torch.no_grad():
        for p in kernel.parameters():
            p -= 1
        far = kernel(32)
    return [K.detach(), *gradients, far], sorted(groups)


def differ(a: list[Tensor], b: list[Tensor]) -> bool:
    if [x.shape for x in a] != [x.shape for x in b]:
        return True
    return any(not torch.allclose(x, y, rtol=1e-6, atol=1e-9 * float(x.abs().max())) for x, y in zip(a, b, strict=True))


@pytest.mark.parametrize("base", KERNEL_OPTIONS, ids=lambda s: type(s).__name__)
def test_every_option_of_a_kernel_acts(base: KernelSpec) -> None:
    """Each field is listed, each listed value is legal, and each changes the kernel, a gradient or a parameter group."""
    options = KERNEL_OPTIONS[base]
    assert set(options) == {f.name for f in dataclasses.fields(base)}
    tensors, groups = observe(base)
    for name, values in options.items():
        seen = [(tensors, groups)]
        for value in values:
            now = observe(replace(base, **{name: value}))  # type: ignore[arg-type]
            for before in seen:
                assert differ(before[0], now[0]) or before[1] != now[1], f"{name}={value!r} changes nothing"
            seen.append(now)


def test_every_kernel_spec_is_covered() -> None:
    assert {type(spec) for spec in KERNEL_OPTIONS} == {type(v.mixer) for v in VARIANTS.values() if isinstance(v.mixer, KernelSpec)}


NETWORK_OPTIONS: dict[str, list[Any]] = {
    "mixer": [S4DSpec(d_state=4, init="inv")],
    "d_model": [8],
    "n_layers": [3],
    "norm": ["batch"],
    "prenorm": [True],
    "dropout": [0.5],
    "dropout_sites": [("activation",), ("residual",), ()],
    "dropout_tied": [False],
    "mixing": ["linear"],
    "bidirectional": [True],
    "pool_last": [1, 5],
}


def test_every_option_of_a_network_acts() -> None:
    """Output of one training step's forward pass, or the number of parameters."""
    base = ModelSpec(mixer=S4DSpec(d_state=4), d_model=4, n_layers=2, dropout=0.3)
    assert set(NETWORK_OPTIONS) == {f.name for f in dataclasses.fields(ModelSpec)}
    x = torch.randn(3, 12, 2)

    def output(spec: ModelSpec) -> list[Tensor]:
        torch.manual_seed(0)
        model = spec.build(d_input=2, d_output=3)
        torch.manual_seed(1)
        return [model(x).detach(), torch.tensor([float(sum(p.numel() for p in model.parameters()))])]

    for name, values in NETWORK_OPTIONS.items():
        seen = [output(base)]
        for value in values:
            now = output(replace(base, **{name: value}))
            assert all(differ(before, now) for before in seen), f"{name}={value!r} changes nothing"
            seen.append(now)


def test_every_option_of_the_transformer_acts() -> None:
    x = torch.randn(2, 12, 16)
    outputs = []
    for spec in (TransformerSpec(), TransformerSpec(n_heads=2), TransformerSpec(expand=3)):
        torch.manual_seed(0)
        layer = spec.build_layer(16)
        outputs.append(layer(x).detach())
    assert all(differ([a], [b]) for i, a in enumerate(outputs) for b in outputs[:i])
    assert {f.name for f in dataclasses.fields(TransformerSpec)} == {"n_heads", "expand"}


def test_every_option_of_the_lru_acts() -> None:
    """On the output of a fresh layer, or on the parameter groups."""
    options: dict[str, list[Any]] = {
        "d_state": [4], "r_min": [0.5], "r_max": [0.95], "max_phase": [1.0], "lr_A": [None, 1e-4], "lr_B": [None, 1e-4],
    }  # fmt: skip
    assert set(options) == {f.name for f in dataclasses.fields(LRUSpec)}

    def observe(spec: LRUSpec) -> tuple[Tensor, list[Any]]:
        torch.manual_seed(0)
        layer = spec.build_layer(4)
        groups = [(g["names"], g["lr"], g["weight_decay"]) for g in param_groups(layer, OptimSpec(lr=0.5, weight_decay=0.25))]
        return layer(torch.ones(1, 12, 4)).detach(), sorted(groups)

    for name, values in options.items():
        seen = [observe(LRUSpec(d_state=8))]
        for value in values:
            now = observe(replace(LRUSpec(d_state=8), **{name: value}))
            assert all(differ([before[0]], [now[0]]) or before[1] != now[1] for before in seen), f"{name}={value!r} changes nothing"
            seen.append(now)


# ------------------------------------------------------------------------------------------------- impossible combinations


def literal(spec: Any, name: str, value: Any) -> Any:
    """`spec` with a value outside its Literal: the shape checker of these tests would refuse it first, with an error users do not get."""
    out = copy.copy(spec)
    object.__setattr__(out, name, value)
    return out.__post_init__()


REFUSED: list[tuple[Callable[[], Any], str]] = [
    # names, with the nearest
    (lambda: S4DSpec(init="leg"), r"unknown init 'leg'; did you mean 'legs'\? one of: legs, inv"),
    (lambda: S4Spec(discretization="foh"), "reads the present sample apart from the state.*use S4DSpec or another rule"),
    (lambda: S4Spec(init="legz"), r"unknown init 'legz'; did you mean 'legs'\?"),
    (lambda: S4DSpec(discretization="zho"), r"unknown discretization 'zho'; did you mean 'zoh'\?"),
    (lambda: S4Spec(discretization="bilinaer"), r"did you mean 'bilinear'\?"),
    (lambda: S4DSpec(B_init="one"), r"unknown initial B 'one'; did you mean 'ones'\?"),
    (lambda: S4DSpec(A_link="expp"), r"unknown link of Re\(A\) 'expp'; did you mean 'exp'\?"),
    (lambda: S4DSpec(dt_link="softpls"), r"unknown link of dt 'softpls'; did you mean 'softplus'\?"),
    (lambda: S4Spec(dt_link="relu"), r"unknown link of dt 'relu';.* one of: exp, softplus"),
    (lambda: literal(HOPESpec(), "filter", "causl"), r"unknown HOPE filter 'causl'; did you mean 'causal'\?"),
    (lambda: literal(DSSSpec(), "kernel", "softmx"), r"unknown DSS kernel 'softmx'; did you mean 'softmax'\?"),
    (lambda: literal(DSSSpec(), "init", "lin"), "unknown init 'lin' for DSS; one of: legs, randn"),
    (lambda: S4DSpec(discretization="gbt:2"), r"alpha in \[0, 1\], got 2"),
    (lambda: S4DSpec(discretization="gbt:half"), "gbt:ALPHA"),
    # sizes
    (lambda: S4DSpec(d_state=7), "d_state must be even; got 7"),
    (lambda: S4Spec(d_state=7), "d_state must be even"),
    (lambda: DSSSpec(d_state=7), "d_state must be even"),
    (lambda: HOPESpec(d_state=0), "at least 1, got 0"),
    (lambda: FIRSpec(d_state=-1), "at least 1, got -1"),
    (lambda: TransformerSpec(n_heads=0), "n_heads and expand are at least 1, got 0 and 2"),
    (lambda: TransformerSpec(expand=-1), "n_heads and expand are at least 1, got 4 and -1"),
    (lambda: S4DSpec(n_ssm=0), "n_ssm counts the copies of A"),
    (lambda: S4Spec(n_ssm=-2), "n_ssm counts the copies of A"),
    (lambda: S4DSpec(n_ssm=3).build(8), "n_ssm must divide d_model; got 3 and 8"),
    (lambda: S4Spec(n_ssm=16).build(8), "n_ssm must divide d_model; got 16 and 8"),
    (lambda: S4DSpec().build(0), "d_model >= 1"),
    (lambda: S4DSpec().build(4, directions=3), "1 or 2 directions"),
    # step sizes and rates
    (lambda: S4DSpec(dt_min=0.1, dt_max=0.01), "0 < dt_min <= dt_max"),
    (lambda: HOPESpec(dt_min=0.0), "0 < dt_min <= dt_max"),
    (lambda: S4Spec(dt_min=-1e-3), "0 < dt_min <= dt_max"),
    (lambda: S4DSpec(dt_max=math.nan), "0 < dt_min <= dt_max"),
    (lambda: S4DSpec(lr_A=0.0), "lr_A is a positive rate, or None .* train_"),
    (lambda: HOPESpec(lr_h=-1e-3), "lr_h is a positive rate"),
    (lambda: FIRSpec(lr_K=math.inf), "lr_K is a positive rate"),
    # schedules
    (lambda: Constant(warmup_steps=-1), "warmup_steps counts batches and is at least 0, got -1"),
    (lambda: Cosine(warmup_steps=-1), "warmup_steps counts batches and is at least 0, got -1"),
    (lambda: Cosine(total_steps=0), "total_steps counts batches and is at least 1, or None for the length of the run; got 0"),
    (lambda: Plateau(factor=1.0), r"factor makes the rate smaller and lies in \(0, 1\), got 1"),
    (lambda: Plateau(factor=math.nan), r"factor .* got nan"),
    (lambda: Plateau(patience=-1), "patience counts epochs and is at least 0, got -1"),
    (lambda: MultiStep(milestones=(3, 0)), "milestones are epochs, whole numbers of at least 1; got 3, 0"),
    (lambda: literal(MultiStep(milestones=(3,)), "milestones", ("3",)), "milestones are epochs"),
    (lambda: MultiStep(milestones=(3,), gamma=-0.5), "gamma is a positive factor, got -0.5"),
    (lambda: MultiStep(milestones=(3,), gamma=math.inf), "gamma is a positive factor"),
    # spectra and links
    (lambda: S4DSpec(init="real"), "set real=True, or choose a complex init"),
    (lambda: S4DSpec(init="fout"), r"use S4Spec\(init='fout'\)"),
    (lambda: S4Spec(init="lin"), r"known low-rank term: legs, fout, legs-fout; for 'lin' use S4DSpec\(init='lin'\)"),
    (lambda: S4DSpec(real=True, imag_scale=2.0), "do not act on real=True"),
    (lambda: S4DSpec(real=True, random_real=True), "do not act on real=True"),
    (lambda: S4DSpec(init="legs", random_imag=True).build(4), "random_imag draws the index .* Use one of: inv, lin"),
    (lambda: S4DSpec(init="rand", random_imag=True).build(4), "random_imag draws the index"),
    (lambda: S4DSpec(init="real", real=True, A_link="sigmoid").build(4), "'sigmoid' keeps .* below 1 and cannot hold .* use A_link='exp'"),
    (lambda: S4DSpec(init="real", real=True, A_link="stable").build(4), "'stable' keeps .* below 10 and cannot hold .* is 64"),
    (lambda: S4DSpec(init="inv", discretization="forward-euler").build(4), "unstable.* take a smaller dt_max"),
    (lambda: Init(name="x", title="X", source="here"), "init 'x' is given by exactly one of frequency, modes, random and parts"),
    (lambda: S4Spec(init="legs-fout"), "equal shares of the copies from legs and fout, so n_ssm is a multiple of 2"),
    (lambda: S4Spec(init="legs-fout", n_ssm=None).build(3), "multiple of 2, or None for one copy per channel; got 3"),
    (lambda: S4DSpec(init="fout"), r"FouT \(2206.12037\) without its low-rank term"),
    (lambda: S4DSpec(init="real"), r"choose a complex init: legs, inv, lin, inv2, quad, rand(, (?!real|fout)\w+)*$"),
    (
        lambda: S4DSpec(init="legs", random_imag=True).build(4),
        r"S4D-LegS .* has none. Use one of: inv, lin, inv2, quad(, (?!real|rand|fout)\w+)*$",
    ),
    (lambda: S4DSpec(init="real", real=True, A_link="stable").build(4), "use A_link='exp', 'relu', 'softplus', 'none', or another init"),
    # DSS
    (lambda: DSSSpec(kernel="exp", init="randn"), "use kernel='softmax'"),
    (lambda: DSSSpec(kernel="exp", length=100), "length fixes the normalization of the softmax kernel"),
    (lambda: DSSSpec(kernel="softmax", length=0), "length is at least 1"),
    # LRU
    (lambda: LRUSpec(d_state=7), "d_state must be even; got 7"),
    (lambda: LRUSpec(d_state=0), "at least 2; got 0"),
    (lambda: LRUSpec(r_min=0.9, r_max=0.5), "0 <= r_min <= r_max < 1, got 0.9 and 0.5"),
    (lambda: LRUSpec(r_max=1.0), "r_max < 1"),
    (lambda: LRUSpec(max_phase=0.0), r"an angle in \(0, 2 pi\], got 0"),
    (lambda: LRUSpec(lr_B=0.0), "lr_B is a positive rate"),
    (lambda: LRUSpec().build_layer(4, Around(directions=2)), "LRUSpec has no kernel. Use bidirectional=False"),
    # directions
    (lambda: HOPESpec(filter="circular").build(4, directions=2), "use bidirectional=False"),
    (lambda: ModelSpec(mixer=HOPESpec(filter="twosided"), bidirectional=True).build(d_input=1, d_output=1), "use bidirectional=False"),
    (lambda: ModelSpec(mixer=VARIANTS["lstm"].mixer, bidirectional=True), "LSTMSpec has no kernel. Use bidirectional=False"),
    (lambda: ModelSpec(mixer=TransformerSpec(), bidirectional=True), "TransformerSpec has no kernel"),
    # networks, and layers outside one
    (lambda: Around(dropout=1.0), r"dropout is a probability in \[0, 1\), got 1"),
    (lambda: literal(Around(), "mixing", "gul"), "unknown mixing 'gul'; one of: glu, linear"),
    (lambda: ModelSpec(mixer=S4DSpec(), dropout=1.0, dropout_sites=()), "dropout is a probability"),
    (lambda: ModelSpec(mixer=S4DSpec(), dropout=1.0), r"dropout is a probability in \[0, 1\)"),
    (lambda: ModelSpec(mixer=S4DSpec(), dropout=-0.1), "dropout is a probability"),
    (lambda: ModelSpec(mixer=S4DSpec(), pool_last=0), "pool_last counts steps"),
    (lambda: ModelSpec(mixer=S4DSpec(), n_layers=0), "n_layers are at least 1"),
    (lambda: literal(ModelSpec(mixer=S4DSpec()), "norm", "group"), "unknown norm 'group'; one of: layer, batch"),
    (lambda: literal(ModelSpec(mixer=S4DSpec()), "mixing", "none"), "unknown mixing 'none'; one of: glu, linear"),
    (lambda: literal(ModelSpec(mixer=S4DSpec()), "dropout_sites", ("input",)), "activation and residual, got input"),
    (lambda: ModelSpec(mixer=S4DSpec()).build(d_output=2), "either d_input .* or vocab"),
    (lambda: ModelSpec(mixer=S4DSpec()).build(d_output=2, d_input=1, vocab=4), "not both"),
    (lambda: ModelSpec(mixer=S4DSpec(), pool_last=3).build(d_output=2, d_input=1, per_step=True), "does not pool"),
    (lambda: ModelSpec(mixer=S4DSpec()).build(d_output=2, d_input=1, per_step=True, two_towers=True), "neither two_towers"),
    (lambda: ModelSpec(mixer=TransformerSpec(n_heads=3), d_model=8).build(d_output=2, d_input=1), "d_model divisible by 2 n_heads"),
]


@pytest.mark.parametrize("attempt, message", REFUSED, ids=[message[:40] for _, message in REFUSED])
def test_the_impossible_is_refused_with_the_remedy(attempt: Callable[[], Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        attempt()


# ------------------------------------------------------------------------------------------------- specs are values


@pytest.mark.parametrize(
    "spec",
    [
        *(v.mixer for v in VARIANTS.values()),
        *VARIANTS.values(),
        ModelSpec(mixer=S4DSpec(), pool_last=3),
        *(OptimSpec(schedule=s) for s in (Cosine(warmup_steps=3), Constant(), Plateau(), MultiStep(milestones=(3, 4)))),
    ],
    ids=lambda s: getattr(s, "name", type(s).__name__),
)
def test_specs_are_frozen_hashable_values(spec: Any) -> None:
    """Equal by content, hashable, unchangeable, and the same after a round trip through pickle."""
    again = pickle.loads(pickle.dumps(spec))
    assert again == spec
    assert again is not spec
    assert hash(again) == hash(spec)
    first = dataclasses.fields(spec)
    with pytest.raises(dataclasses.FrozenInstanceError):
        setattr(spec, first[0].name if first else "anything", None)


@pytest.mark.parametrize("name", VARIANTS)
def test_variants_are_rows(name: str) -> None:
    """A row's name is its key, it cites something, no two rows are the same spec, and it builds from any seed to the same network twice."""
    variant = VARIANTS[name]
    assert variant.name == name
    assert variant.about
    assert variant.citation
    assert [v.name for v in VARIANTS.values() if v.mixer == variant.mixer and type(v.mixer) is type(variant.mixer)] == [name]

    def build() -> SequenceModel:
        torch.manual_seed(3)
        return ModelSpec(mixer=variant.mixer, d_model=8, n_layers=1).build(d_input=1, d_output=2)

    a, b = build().state_dict(), build().state_dict()
    assert all(torch.equal(a[key], b[key]) for key in a)


@pytest.mark.parametrize("name", [n for n, v in VARIANTS.items() if isinstance(v.mixer, KernelSpec)])
def test_time_scale(name: str) -> None:
    """with_time_scale asks for the same range of time scales in every parameterization, and leaves a spec without a step as it is."""
    mixer = VARIANTS[name].mixer
    assert isinstance(mixer, KernelSpec)
    scaled = mixer.with_time_scale(0.02, 0.04)
    if not isinstance(mixer, StepSpec):
        assert scaled == mixer
    else:
        factor = 0.5 if isinstance(mixer, HOPESpec) else 1.0
        assert (scaled.dt_min, scaled.dt_max) == (0.02 * factor, 0.04 * factor)  # type: ignore[attr-defined]
        torch.manual_seed(0)
        dt = scaled.build(200).dt(1.0).detach()  # type: ignore[union-attr]
        assert 0.02 * factor <= float(dt.min()) < 0.024 * factor
        assert 0.035 * factor < float(dt.max()) <= 0.04 * factor


def test_initial_B_of_legs() -> None:
    """V* B by default, ones on request; both kernels are those of the same Lambda."""
    torch.manual_seed(0)
    own = S4DSpec(init="legs", d_state=8).build(1)
    ones = S4DSpec(init="legs", d_state=8, B_init="ones").build(1)
    torch.testing.assert_close(own.A(), ones.A())
    assert bool((ones.B[..., 0] == 1).all())
    assert own.B[0, 0, 0].item() == pytest.approx(5.155626, abs=1e-6)
