"""Probes of memory and capacity, made here and gone in a minute: what a row can hold, and what it can look up."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from benchmarks.benchmark import Benchmark, Recipe
from benchmarks.setting import Makers, common_mixer, recipes, small_network
from data.probes import CopyingSpec, DelaySpec, InductionSpec, MQARSpec, SelectiveCopyingSpec
from data.probes.base import ProbeSpec

"""No published setting of a whole network could be verified for any of them."""


@dataclass(frozen=True, kw_only=True)
class _Quick:
    """A probe of a size that one core trains on in about half a minute, and how it differs from the published one."""

    data: ProbeSpec
    epochs: int
    note: str


PROBES: Final = {
    "delay": _Quick(
        data=DelaySpec(length=1024, delay=256, n_train=2000, n_val=200, n_test=400),
        epochs=5,
        note="1,024 steps and a delay of 256, a quarter of the published length and delay",
    ),
    "copying": _Quick(
        data=CopyingSpec(n_train=4096, n_val=512, n_test=1024), epochs=8, note="10 tokens and a gap of 100 steps, as first published"
    ),
    "selective-copying": _Quick(
        data=SelectiveCopyingSpec(length=256, tokens=8, n_train=4096, n_val=512, n_test=1024),
        epochs=8,
        note="8 tokens among 256 steps, a sixteenth of the published length and half the tokens",
    ),
    "induction": _Quick(data=InductionSpec(n_train=8192, n_val=512, n_test=1024), epochs=4, note="256 steps and 16 symbols, as published"),
    "mqar": _Quick(
        data=MQARSpec(vocab=256, n_train=8192, n_val=512, n_test=1024), epochs=6, note="64 steps and 4 pairs; 256 symbols instead of 8,192"
    ),
}


def quick(benchmark: str, variant: str) -> Recipe:
    """A small network with an answer at every step: rows differ in their mixer and in nothing else."""
    probe = PROBES[benchmark]
    setting = small_network(epochs=probe.epochs, batch_size=32, warmup=40)
    notes = (
        probe.note,
        f"2 layers of 32 channels for {probe.epochs} epochs of {probe.data.n_train:,} fresh samples, in one direction, no dropout",
        "an answer at every step; only those that are asked for are scored, in training too",
    )
    return setting.recipe(benchmark, "quick", probe.data, common_mixer(variant), "this suite, after the paper of the probe", notes)


MAKERS: Final[Makers] = {"quick": quick}


def _benchmark(name: str, title: str, about: str, metric: Literal["accuracy", "rmse"] = "accuracy") -> Benchmark:
    return Benchmark(name=name, title=title, metric=metric, about=about, recipe=recipes(name, MAKERS), scales=tuple(MAKERS))


MADE_HERE: Final = (
    "Made here, fresh in every epoch; no licence but that of the suite. There is one scale: no published setting could be verified."
)

BENCHMARKS: Final = (
    _benchmark(
        "delay",
        "Continuous delay",
        "A band-limited random signal of 1,024 steps; at every step from the 256th on the answer is the signal 256 steps before (the task "
        "of arXiv:2206.12037, smaller). Scored by the root mean squared error; the signal has an rms of 0.5 around its offset, always "
        f"answering 0 scores 0.71. {MADE_HERE}",
        "rmse",
    ),
    _benchmark(
        "copying",
        "Copying",
        "Ten tokens of eight kinds, a gap of 100 steps, and at the last ten steps the tokens in their order: 120 steps (arXiv:1511.06464). "
        f"Distances are fixed, so one convolution can do it. Chance is 12.5 %. {MADE_HERE}",
    ),
    _benchmark(
        "selective-copying",
        "Selective copying",
        "Eight tokens of 14 kinds at random places among 256 steps of noise, then eight markers, which ask for them in their order: "
        "264 steps (after arXiv:2312.00752, smaller). What is to be held depends on the content, which a linear time-invariant layer alone "
        f"cannot follow. Chance is 7.1 %. {MADE_HERE}",
    ),
    _benchmark(
        "induction",
        "Induction heads",
        "Random tokens with a trigger somewhere among them; at the last of 256 steps the trigger comes again, and the answer is the token "
        f"that followed it before (arXiv:2212.14052, arXiv:2312.00752). Chance is 6.7 %. {MADE_HERE}",
    ),
    _benchmark(
        "mqar",
        "Associative recall, many queries",
        "Four pairs of key and value, then each key once more among random tokens, 64 steps in all; the answer at each is its value, one "
        "of 128 (arXiv:2312.04927, fewer symbols). Chance is 0.8 %; knowing the values that were there and not whose they are scores 25 %. "
        f"{MADE_HERE}",
    ),
)
