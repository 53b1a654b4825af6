"""Probes: solved exactly by who remembers, at chance for who does not, and the same samples for everybody."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from scipy.stats import chisquare

from benchmarks.tasks.probes import PROBES
from data.files.digests import sha256
from data.probes.base import ProbeSpec, Sample, distinct
from data.probes.copying import CopyingSpec
from data.probes.delay import DelaySpec
from data.probes.induction import InductionSpec
from data.probes.mqar import MQARSpec
from data.probes.selective_copying import SelectiveCopyingSpec
from data.sampling import philox_key
from models import ModelSpec, OptimSpec, S4DSpec, SequenceTask

SMALL: tuple[ProbeSpec, ...] = (
    DelaySpec(length=64, delay=10),
    CopyingSpec(tokens=7, gap=12, symbols=5),
    SelectiveCopyingSpec(length=40, tokens=5, symbols=6),
    InductionSpec(length=20, vocab=7),
    MQARSpec(length=24, pairs=3, vocab=32),
)
small = pytest.mark.parametrize("spec", SMALL, ids=lambda spec: spec.name)
EVERY = (*SMALL, *(kind() for kind in PROBES if kind not in map(type, SMALL)))  # type: ignore[call-arg]
every = pytest.mark.parametrize("spec", EVERY, ids=lambda spec: spec.name)


def many(spec: ProbeSpec, n: int = 4000, part: str = "test", epoch: int = 0) -> Sample:
    return spec.draw(part, np.arange(n), epoch)


# ---------------------------------------------------------------- who remembers solves it


def remember_delay(spec: ProbeSpec, x: NDArray[Any]) -> NDArray[Any]:
    assert isinstance(spec, DelaySpec)
    return np.array([0.0] * spec.delay + x[: len(x) - spec.delay, 0].tolist())


def remember_first(spec: ProbeSpec, x: NDArray[Any]) -> NDArray[Any]:
    """Copying: what comes before the first blank, told after the marker."""
    tokens, marker = x[: x.tolist().index(0)], x.tolist().index(int(x.max()))
    return np.array([0] * (marker + 1) + (tokens - 1).tolist())


def remember_signal(spec: ProbeSpec, x: NDArray[Any]) -> NDArray[Any]:
    """Selective copying: what is neither noise nor marker, told at the markers."""
    assert spec.signature.vocab is not None
    marker = spec.signature.vocab - 1
    first = x.tolist().index(marker)
    return np.array([0] * first + [token - 1 for token in x if token not in (0, marker)])


def remember_follower(spec: ProbeSpec, x: NDArray[Any]) -> NDArray[Any]:
    assert spec.signature.vocab is not None
    return np.array([0] * (len(x) - 1) + [x[x.tolist().index(spec.signature.vocab - 1) + 1]])


def remember_pairs(spec: ProbeSpec, x: NDArray[Any]) -> NDArray[Any]:
    assert isinstance(spec, MQARSpec)
    known = {x[i]: x[i + 1] - spec.vocab // 2 for i in range(0, 2 * spec.pairs, 2)}
    return np.array([known.get(token, 0) if i >= 2 * spec.pairs else 0 for i, token in enumerate(x)])


SOLVERS: dict[str, Callable[[ProbeSpec, NDArray[Any]], NDArray[Any]]] = {
    "delay": remember_delay,
    "copying": remember_first,
    "selective-copying": remember_signal,
    "induction": remember_follower,
    "mqar": remember_pairs,
}


@small
def test_who_remembers_is_always_right(spec: ProbeSpec) -> None:
    found = many(spec, 300)
    for x, y, mask in zip(found.x, found.y, found.mask, strict=True):
        np.testing.assert_array_equal(SOLVERS[spec.name](spec, x)[mask], y[mask].astype(float) if spec.name == "delay" else y[mask])


@every
def test_who_does_not_remember_is_at_chance(spec: ProbeSpec) -> None:
    """The best answer that depends on the present input and the step alone, chosen on one half of the samples, scored on the other."""
    found = many(spec, 6000)
    if isinstance(spec, DelaySpec):
        y, x = found.y[found.mask], found.x[..., 0][found.mask]
        assert np.sqrt(np.mean(y**2)) == pytest.approx(spec.chance, rel=0.03)
        best = float(np.mean(x * y) / np.mean(x * x))
        assert np.sqrt(np.mean((y - best * x) ** 2)) == pytest.approx(0.61, rel=0.05)
        return
    steps = np.broadcast_to(np.arange(found.x.shape[1]), found.x.shape)
    answers: dict[tuple[int, int], Counter[int]] = {}
    half = len(found.x) // 2
    learn, score = found.mask.copy(), found.mask.copy()
    learn[half:], score[:half] = False, False
    for step, token, answer in zip(steps[learn].tolist(), found.x[learn].tolist(), found.y[learn].tolist()):
        answers.setdefault((step, token), Counter())[answer] += 1
    hits = [
        answers.get((step, token), Counter({0: 1})).most_common(1)[0][0] == answer
        for step, token, answer in zip(steps[score].tolist(), found.x[score].tolist(), found.y[score].tolist())
    ]
    assert np.mean(hits) == pytest.approx(spec.chance, abs=5 * (spec.chance / len(hits)) ** 0.5)


# ---------------------------------------------------------------- what a sample is


@every
def test_samples_are_what_the_signature_says(spec: ProbeSpec) -> None:
    found, signature = many(spec, 50), spec.signature
    assert signature.per_step
    assert found.y.shape == found.mask.shape == found.x.shape[:2] == (50, signature.length)
    assert found.mask.any(1).all()
    assert not found.y[~found.mask].any()
    if signature.regression:
        assert (found.x.dtype, found.y.dtype, found.x.shape[2]) == (np.float32, np.float32, 1)
    else:
        assert signature.vocab is not None
        assert (found.x.dtype, found.y.dtype) == (np.int64, np.int64)
        assert 0 <= found.x.min() < found.x.max() < signature.vocab
        assert set(found.y[found.mask].tolist()) <= set(range(signature.d_output))


def test_defaults_are_those_of_the_papers() -> None:
    lengths = {kind.name: kind().signature.length for kind in map(type, SMALL)}
    assert lengths == {"delay": 4000, "copying": 120, "selective-copying": 4112, "induction": 256, "mqar": 64}
    vocabularies = {kind.name: kind().signature.vocab for kind in map(type, SMALL)}
    assert vocabularies == {"delay": None, "copying": 10, "selective-copying": 16, "induction": 16, "mqar": 8192}
    assert set(map(type, SMALL)) <= set(PROBES)
    for kind in PROBES:
        assert kind.card.name == kind.name


def test_the_delayed_signal_is_noise_below_its_cut_off() -> None:
    spec = DelaySpec(length=200, delay=30, band=0.4)
    found = many(spec, 3000)
    x = found.x[..., 0]
    assert not x[:, 0].any()
    np.testing.assert_array_equal(found.y[:, 30:], x[:, :-30])
    assert found.mask[0].tolist() == [False] * 30 + [True] * 170
    power = np.abs(np.fft.rfft(x.astype(np.float64), axis=1)) ** 2
    flat = power.mean(0)[1:41]
    assert flat.std() < 0.1 * flat.mean()
    assert power.mean(0)[41:].max() < 1e-6 * flat.mean()
    assert x.std(axis=1).mean() == pytest.approx(0.5, rel=0.02)
    moments = (x - x.mean(1, keepdims=True)).ravel() / 0.5
    assert np.mean(moments**4) == pytest.approx(3, rel=0.05)  # normal


def test_copying_is_tokens_gap_marker_silence() -> None:
    spec = CopyingSpec(tokens=3, gap=5, symbols=4)
    found = many(spec, 4000)
    assert found.x.shape[1] == 3 + 5 + 3
    assert not found.x[:, 3:7].any()
    assert (found.x[:, 7] == 5).all()
    assert not found.x[:, 8:].any()
    assert found.mask[0].tolist() == [False] * 8 + [True] * 3
    assert chisquare(np.unique(found.x[:, :3] @ [25, 5, 1], return_counts=True)[1]).pvalue > 1e-3  # all 64 alike


def test_selective_copying_puts_tokens_anywhere() -> None:
    spec = SelectiveCopyingSpec(length=12, tokens=3, symbols=4)
    found = many(spec, 8000)
    before = found.x[:, :12]
    assert ((before > 0).sum(1) == 3).all()
    assert before.max() == 4
    assert (found.x[:, 12:] == 5).all()
    sets = Counter(tuple(np.flatnonzero(row)) for row in before)
    assert len(sets) == 220
    assert chisquare(list(sets.values())).pvalue > 1e-3


def test_induction_has_one_trigger_before_the_last() -> None:
    spec = InductionSpec(length=9, vocab=5)
    found = many(spec, 7000)
    assert (found.x[:, -1] == 4).all()
    places = np.argmax(found.x == 4, axis=1)
    assert ((found.x == 4).sum(1) == 2).all()
    counts = np.bincount(places, minlength=9)
    assert not counts[7:].any()
    assert chisquare(counts[:7]).pvalue > 1e-3
    assert chisquare(np.bincount(found.y[:, -1])).pvalue > 1e-3
    table = np.zeros((7, 4))
    np.add.at(table, (places, found.y[:, -1]), 1)
    assert chisquare(table.ravel()).pvalue > 1e-3


def test_recall_asks_for_every_key_once_at_places_of_the_power_law() -> None:
    spec = MQARSpec(length=20, pairs=2, vocab=16, power=0.3)
    found = many(spec, 8000)
    assert (found.mask.sum(1) == 2).all()
    keys, values = found.x[:, [0, 2]], found.x[:, [1, 3]]
    assert (keys[:, 0] != keys[:, 1]).all()
    assert (values[:, 0] != values[:, 1]).all()
    assert (keys.min(), keys.max(), values.min(), values.max()) == (1, 7, 8, 15)
    places = np.stack([np.argmax(found.mask & (found.x == keys[:, i : i + 1]), axis=1) for i in range(2)], axis=1)
    assert (places[:, 0] != places[:, 1]).all()
    assert not ((places - 4) % 2).any()
    law = np.arange(1, 9) ** -0.7
    law /= law.sum()
    first = np.bincount((places[:, 0] - 4) // 2, minlength=8)
    assert chisquare(first, law * len(places)).pvalue > 1e-3
    second = np.array([sum(law[i] * law[j] / (1 - law[i]) for i in range(8) if i != j) for j in range(8)])
    assert chisquare(np.bincount((places[:, 1] - 4) // 2, minlength=8), second * len(places)).pvalue > 1e-3
    filler = found.x[:, 5][~found.mask[:, 5]]
    assert chisquare(np.bincount(filler, minlength=16)).pvalue > 1e-3


def test_distinct_numbers_are_distinct_and_every_choice_alike() -> None:
    u = np.random.Generator(np.random.Philox(key=philox_key(1))).random((24_000, 3))
    found = distinct(u, 5)
    counts = Counter(map(tuple, found.tolist()))
    assert all(len(set(choice)) == 3 for choice in counts)
    assert len(counts) == 60
    assert chisquare(list(counts.values())).pvalue > 1e-3
    assert sorted(distinct(u[:5], 3)[0].tolist()) == [0, 1, 2]


# ---------------------------------------------------------------- the same for everybody


def fields(sample: Sample) -> list[NDArray[Any]]:
    return [sample.x, sample.y, sample.mask]


@every
def test_a_sample_depends_on_part_epoch_and_place_alone(spec: ProbeSpec) -> None:
    whole = spec.draw("val", np.arange(40))
    for a, b in zip(fields(whole), fields(spec.draw("val", np.array([31, 7]), epoch=5)), strict=True):
        np.testing.assert_array_equal(a[[31, 7]], b)
    others = [spec.draw("test", np.arange(40)), spec.draw("train", np.arange(40)), spec.draw("train", np.arange(40), epoch=1)]
    seen = {row.tobytes() for sample in (whole, *others) for row in sample.x}
    assert len(seen) > 150  # hardly two of 160 are alike


@every
def test_loaders(spec: ProbeSpec) -> None:
    spec = replace(spec, n_train=50, n_val=20, n_test=30)
    module, other, larger = spec.build(batch_size=16, seed=0), spec.build(batch_size=7, seed=1), replace(spec, n_train=60)
    assert module.counts() == {"train": 50, "val": 20, "test": 30}
    assert module.content_hash() == other.content_hash() != larger.build(batch_size=16, seed=0).content_hash()
    modules = (module, other, larger.build(batch_size=9, seed=2))
    for part in ("val", "test"):
        a, b, c = (torch.cat([batch["x"] for batch in getattr(m, f"{part}_dataloader")()]) for m in modules)
        torch.testing.assert_close(a, b, rtol=0, atol=0)
        torch.testing.assert_close(a, c, rtol=0, atol=0)

    def epoch(number: int, m: Any = module) -> list[bytes]:
        loader = m.train_dataloader()
        loader.sampler.set_epoch(number)
        return [row.numpy().tobytes() for batch in loader for row in batch["x"]]

    assert len(epoch(0)) == 50
    assert epoch(0) != epoch(0, other)
    assert sorted(epoch(0)) == sorted(epoch(0, other))
    assert len(set(epoch(0)) & set(epoch(1))) < 10


@every
def test_a_network_is_scored_at_the_asked_steps(spec: ProbeSpec) -> None:
    """Loss and score of SequenceTask are those of the marked steps, and what is answered elsewhere is nobody's business."""
    signature = spec.signature
    torch.manual_seed(0)
    network = ModelSpec(mixer=S4DSpec(d_state=4), d_model=8, n_layers=1).build(
        d_input=signature.d_input, vocab=signature.vocab, d_output=signature.d_output, per_step=True
    )
    task = SequenceTask(network, OptimSpec(lr=1e-3), total_steps=10, regression=signature.regression).eval()
    batch = next(iter(spec.build(batch_size=16, seed=0).val_dataloader()))
    with torch.no_grad():
        output, y = task.answers(batch)
        loss, score = task.loss_and_score(output, y)
        everywhere = task(batch["x"])
    picked = [(everywhere[i, t], batch["y"][i, t]) for i, t in batch["mask"].nonzero().tolist()]
    assert len(picked) == len(y) == int(batch["mask"].sum())
    if signature.regression:
        expected = torch.stack([(out.squeeze() - target) ** 2 for out, target in picked]).mean()
        torch.testing.assert_close(score, expected)
    else:
        expected = torch.stack([-out.log_softmax(-1)[target] for out, target in picked]).mean()
        assert float(score) == pytest.approx(np.mean([int(out.argmax()) == int(target) for out, target in picked]))
    torch.testing.assert_close(loss, expected)


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: DelaySpec(length=10, delay=10), "delay is shorter"),
        (lambda: DelaySpec(length=11, delay=2), "even"),
        (lambda: DelaySpec(band=1.0), "Nyquist"),
        (lambda: DelaySpec(delay=0), "delay of DelaySpec is 1 or more"),
        (lambda: CopyingSpec(symbols=1), "symbols of CopyingSpec is 2 or more"),
        (lambda: CopyingSpec(n_val=0), "n_val of CopyingSpec is 1 or more"),
        (lambda: SelectiveCopyingSpec(length=3, tokens=4), "no place"),
        (lambda: InductionSpec(length=2), "length of InductionSpec is 3 or more"),
        (lambda: MQARSpec(length=14, pairs=4), "at least 4 for each"),
        (lambda: MQARSpec(vocab=8, pairs=4), "exceeds the 4 pairs"),
        *((lambda power=power: MQARSpec(power=power), "power is a positive number") for power in (0.0, math.inf, math.nan)),
    ],
)
def test_options_that_make_no_sense_are_refused(make: Callable[[], ProbeSpec], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        make()


def test_the_first_samples_are_the_same_everywhere() -> None:
    """Of version 1; whoever changes them raises the version."""
    tokens = [kind() for kind in map(type, SMALL) if kind is not DelaySpec]
    assert {spec.name: sha256(*fields(many(spec, 200)))[:16] for spec in tokens} == GOLDEN


GOLDEN = {
    "copying": "6138dcc1d060a2ce",
    "selective-copying": "c0bdee6b545093d3",
    "induction": "e50a9d986536f33f",
    "mqar": "0c63caf6fb5609c7",
}
