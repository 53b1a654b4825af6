"""Probes of memory and capacity, made here and gone in a minute: what a row can hold, and what it can look up.

A probe has an answer at every step and one scale, of a size that one core trains on in about half a minute: no published setting of a whole
network could be verified for any of them.
"""

from __future__ import annotations

from typing import Final, Literal

from benchmarks.benchmark import Benchmark, Kind
from benchmarks.quick import THIS_SUITE, quick_rows
from data.probes.base import ProbeSpec
from data.probes.copying import CopyingSpec
from data.probes.delay import DelaySpec
from data.probes.induction import InductionSpec
from data.probes.mqar import MQARSpec
from data.probes.selective_copying import SelectiveCopyingSpec

MADE_HERE: Final = (
    "Made here, fresh in every epoch; no licence but that of the suite. There is one scale: no published setting could be verified."
)


def _probe(
    title: str,
    about: str,
    data: ProbeSpec,
    note: str,
    *,
    name: str,
    brief: str,
    epochs: int,
    kind: Kind,
    metric: Literal["accuracy", "rmse"] = "accuracy",
    reduced: str = "",
) -> Benchmark:
    """One probe; `note` says how its data differ from the published ones, `reduced` the same for titles where it changes the task."""
    rows = quick_rows(
        data,
        note,
        f"2 layers of 32 channels for {epochs} epochs of {data.n_train:,} fresh samples, in one direction, no dropout",
        "an answer at every step; only those that are asked for are scored, in training too",
        epochs=epochs,
        batch_size=32,
        warmup=40,
        reduced=reduced,
        source=f"{THIS_SUITE}, after the paper of the probe",
    )
    return Benchmark(name=name, brief=brief, title=title, kind=kind, metric=metric, about=f"{about} {MADE_HERE}", rows={"quick": rows})


BENCHMARKS: Final = (
    _probe(
        "Continuous delay",
        "A band-limited random signal of 1,024 steps; at every step from the 256th on the answer is the signal 256 steps before (the task "
        "of arXiv:2206.12037, smaller). Scored by the root mean squared error; the signal has an rms of 0.5 around its offset, always "
        "answering 0 scores 0.71.",
        DelaySpec(length=1024, delay=256, n_train=2000, n_val=200, n_test=400),
        "1,024 steps and a delay of 256, a quarter of the published length and delay",
        name="delay",
        brief="a signal, 256 steps later",
        kind="memory",
        epochs=5,
        metric="rmse",
    ),
    _probe(
        "Copying",
        "Ten tokens of eight kinds, a gap of 100 steps, and at the last ten steps the tokens in their order: 120 steps (arXiv:1511.06464). "
        "Distances are fixed, so one convolution can do it. Chance is 12.5 %.",
        CopyingSpec(n_train=4096, n_val=512, n_test=1024),
        "10 tokens and a gap of 100 steps, as first published",
        name="copying",
        brief="a string, after a long gap",
        kind="memory",
        epochs=8,
    ),
    _probe(
        "Selective copying",
        "Eight tokens of 14 kinds at random places among 256 steps of noise, then eight markers, which ask for them in their order: "
        "264 steps (after arXiv:2312.00752, smaller). What is to be held depends on the content, which a linear time-invariant layer alone "
        "cannot follow. Chance is 7.1 %.",
        SelectiveCopyingSpec(length=256, tokens=8, n_train=4096, n_val=512, n_test=1024),
        "8 tokens among 256 steps, a sixteenth of the published length and half the tokens",
        name="selective-copying",
        brief="the marked tokens of a long string",
        kind="tokens",
        epochs=8,
    ),
    _probe(
        "Induction heads",
        "Random tokens with a trigger somewhere among them; at the last of 32 steps the trigger comes again, and the answer is the token "
        "that followed it before (arXiv:2212.14052, arXiv:2312.00752, where there are 256 steps). How far back the answer lies depends on "
        "what is read, which a linear time-invariant layer alone cannot follow; two with gates between them can, over so few steps. Chance "
        "is 6.7 %.",
        InductionSpec(length=32, n_train=8192, n_val=512, n_test=1024),
        "16 symbols, as published; 32 steps instead of 256, at which every row stays at chance here; a network finds the answer all at "
        "once, and after 4 epochs it was up to the seed whether it had",
        name="induction",
        brief="what followed this token when it last came",
        kind="tokens",
        epochs=12,
        reduced="32 steps",
    ),
    _probe(
        "Associative recall, many queries",
        "Four pairs of key and value, then each key once more among random tokens, 64 steps in all; the answer at each is its value, one "
        "of 128 (arXiv:2312.04927, fewer symbols). Chance is 0.8 %; knowing the values that were there and not whose they are scores 25 %.",
        MQARSpec(vocab=256, n_train=8192, n_val=512, n_test=1024),
        "64 steps and 4 pairs; 256 symbols instead of 8,192",
        name="mqar",
        brief="keys and values, asked for many times",
        kind="tokens",
        epochs=6,
    ),
)

PROBES: Final[tuple[type[ProbeSpec], ...]] = tuple(
    dict.fromkeys(type(spec) for b in BENCHMARKS for row in b.rows["quick"].values() if isinstance(spec := row.data, ProbeSpec))
)
"""Every kind of probe, in the order of their benchmarks."""
