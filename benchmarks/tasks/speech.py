"""Speech Commands: ten words as waves or as cepstral coefficients, and 35 words as waves; each also at 8 kHz, without further training."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from benchmarks.benchmark import Benchmark
from benchmarks.papers import (
    DSS_FIELDS,
    DSS_MODES,
    DSS_OUTPUT,
    DSS_STEPS,
    LAST_BATCH,
    SMALL_MODELS,
    TF32,
    WARM_UP,
    bilinear,
    borrow,
    differing,
    dss_source,
    for_s4_and_s4d,
    s4_source,
)
from benchmarks.quick import NETWORK, describe_network, describe_part, quick_rows
from benchmarks.recipe import ANY, SIZE, Row, Rows, with_common_steps
from benchmarks.setting import ANY_MIXER, Setting
from data.speech.spec import SpeechSpec
from models import Cosine, ModelSpec, OptimSpec, Plateau

TEN: Final = SpeechSpec(words=10)
TEN_MFCC: Final = SpeechSpec(words=10, features="mfcc")
ALL: Final = SpeechSpec(words=35)

SCALING: Final = (
    "amplitudes in [-1, 1); published code divides what torchaudio.load has brought there by 2^15 once more (scaling=s4-quirk, as at paper "
    "scale)"
)
QUIRK: Final = (
    "amplitudes divided by 2^15 twice (scaling=s4-quirk): all published code does so to what torchaudio.load has divided already, so the "
    "published numbers most likely have it"
)

LITERATURE: Final = {
    "source": "official",
    "split": "usual",
    "scaling": "s4-quirk",
    "resampling": "decimated",
    "normalisation": "per-step",
}
"""Choices of protocol behind all published numbers, as far as they are known."""


# ---------------------------------------------------------------- quick: no more clips than the mini set has


def _quick(
    part: SpeechSpec, *notes: str, whole: str, epochs: int, batch_size: int, network: ModelSpec = NETWORK, reduced: str = ""
) -> Rows:
    """The small network on a part of the clips, out of `whole`."""
    clips, size = describe_part(part, "clips", whole), f"{describe_network(epochs, network)}; read-out: mean over all steps"
    return quick_rows(part, clips, size, *notes, epochs=epochs, batch_size=batch_size, network=network, reduced=reduced)


def _quick_waves(data: SpeechSpec, whole: str) -> Rows:
    """Waves of 2,000 steps: what is above 1 kHz is filtered out of them."""
    part = replace(data, sampling=2000, train_subset=1900, val_subset=250, test_subset=330)
    return _quick(
        part,
        "waves filtered and read at 2 kHz, an eighth of their rate, and tested at 1 kHz without further training",
        whole=whole,
        epochs=8,
        batch_size=20,
        network=replace(NETWORK, norm="batch", prenorm=True),
        reduced="waves at 2 kHz",
    )


WHOLE_TEN: Final = "24,482, 5,246 and 5,247"

# ---------------------------------------------------------------- small: the setting of S4D's own ablations

SMALL: Final = Setting(
    model=ModelSpec(mixer=ANY_MIXER, n_layers=4, d_model=128, norm="batch", prenorm=True, mixing="linear", pool_last=1),
    optim=OptimSpec(lr=4e-3, weight_decay=0.0, schedule=Cosine(warmup_steps=1000, total_steps=50_000)),
    epochs=10,
    batch_size=32,
)


def _small(setting: Setting, data: SpeechSpec, note: str, *, size: int) -> Rows:
    """4 layers of 128 channels in one direction, on all of the clips; variants differ in their mixer and in nothing else."""
    row = Row(
        setting=setting,
        data=data,
        source=f"state-spaces/s4 v3.0.0, configs/experiment/sc/s4-sc-ablation.yaml: {SMALL_MODELS}",
        notes=(
            "in one direction, read from the last step, no dropout and no weight decay, as in the config",
            SIZE.format(size),
            note,
            SCALING,
        ),
        adapt=with_common_steps,
    )
    row = differing(row, WARM_UP, TF32)
    return {"S4D": bilinear(row), ANY: row}


def _small_ten(data: SpeechSpec, size: int) -> Rows:
    """The same for ten words, of which there are fewer clips."""
    setting = replace(SMALL, optim=replace(SMALL.optim, schedule=Cosine(warmup_steps=1000)), epochs=40)
    note = "made for 35 words; for ten, 40 epochs instead of 10 (there are 3.5 times fewer clips) and a cosine to their end"
    return _small(setting, data, note, size=size)


# ---------------------------------------------------------------- paper: the published setting of each row


def _paper_ten() -> Rows:
    """S4 and DSS, in one setting."""
    s4 = Row(
        setting=Setting(
            model=ModelSpec(mixer=ANY_MIXER, n_layers=6, d_model=128, norm="batch", prenorm=True, dropout=0.1, mixing="linear"),
            optim=OptimSpec(lr=1e-2, weight_decay=0.0, schedule=Plateau(factor=0.2, patience=20)),
            epochs=200,
            batch_size=20,
        ),
        data=replace(TEN, scaling="s4-quirk"),
        source="state-spaces/s4 v1, configs/experiment/s4-sc.yaml, for arXiv:2111.00396",
        notes=(LAST_BATCH, QUIRK),
    )
    of_s4 = (
        "P and B are shared by the channels like A; in v1 P and B are per channel",
        "A = Lambda - P P* with Re(Lambda) < 0; in v1 Lambda - P Q* with Q trained apart from P and Lambda unconstrained",
    )
    dss_notes = (DSS_MODES, DSS_OUTPUT, DSS_STEPS, *s4.notes)
    return {
        "S4": differing(replace(s4, notes=(*of_s4, *s4.notes))),
        "DSS": replace(s4, source=dss_source("Speech Commands"), notes=dss_notes, fields=DSS_FIELDS),
        ANY: borrow(s4, "S4"),
    }


def _paper_all() -> Rows:
    """S4 and S4D."""
    row = Row(
        setting=Setting(
            model=ModelSpec(mixer=ANY_MIXER, n_layers=6, d_model=128, norm="batch", prenorm=True, bidirectional=True),
            optim=OptimSpec(lr=1e-2, weight_decay=5e-2, schedule=Cosine(warmup_steps=1000, total_steps=200_000)),
            epochs=40,
            batch_size=16,
        ),
        data=replace(ALL, scaling="s4-quirk"),
        source=s4_source("sc/s4-sc.yaml"),
        notes=("the cosine's 200,000 steps end in epoch 38 of 40", LAST_BATCH, QUIRK),
    )
    row = differing(row, WARM_UP, TF32)
    return for_s4_and_s4d(replace(row, fields={"n_ssm": 2}), others=row)


# ---------------------------------------------------------------- the table

CLIPS: Final = (
    "Speech Commands v0.02 (P. Warden, 2018; CC BY 4.0): one second of one spoken word at 16 kHz. Tested a second time at 8 kHz without "
    "further training, on every second sample and with all step sizes doubled. source=mini takes a part of the clips, a task of its own."
)
TEN_WORDS: Final = "Ten words, clips of exactly 16,000 samples, split at random 70 / 15 / 15 as in the literature, speakers shared."

AT_HALF: Final = {"8khz": "8 kHz", "1khz": "1 kHz"}
"""Tests at half the rate that was trained at."""

BENCHMARKS: Final = (
    Benchmark(
        name="sc10",
        brief="ten spoken words, 16,000 samples, and zero-shot at 8 kHz",
        title="Speech Commands, 10 words",
        kind="signals",
        metric="accuracy",
        about=(
            "Raw waves, 16,000 steps of one number; the word is read from the mean over all steps, or from the last where a setting says "
            f"so. {CLIPS} {TEN_WORDS} The most frequent word scores about 10 %."
        ),
        rows={"quick": _quick_waves(TEN, WHOLE_TEN), "small": _small_ten(TEN, 103), "paper": _paper_ten()},
        zero_shot=AT_HALF,
        literature=LITERATURE,
    ),
    Benchmark(
        name="sc10-mfcc",
        brief="ten spoken words as 161 frames of coefficients",
        title="Speech Commands, 10 words, MFCC",
        kind="signals",
        metric="accuracy",
        about=(
            f"161 frames of 20 cepstral coefficients, 81 at 8 kHz; the word is read as from the waves. {CLIPS} {TEN_WORDS} The most "
            "frequent word scores about 10 %. There is no paper scale: the one published setting could not be verified."
        ),
        rows={
            "quick": _quick(
                replace(TEN_MFCC, train_subset=1900, val_subset=250, test_subset=330), whole=WHOLE_TEN, epochs=15, batch_size=50
            ),
            "small": _small_ten(TEN_MFCC, 106),
        },
        zero_shot=AT_HALF,
        literature=LITERATURE,
    ),
    Benchmark(
        name="sc35",
        brief="all 35 words, 16,000 samples",
        title="Speech Commands, 35 words",
        kind="signals",
        metric="accuracy",
        about=(
            "Raw waves, 16,000 steps of one number, short clips filled up with zeros; the word is read from the mean over all steps, or "
            f"from the last where a setting says so. {CLIPS} The official lists, which share no speaker: 84,843 / 9,981 / 11,005. The most "
            "frequent word scores 3.8 %."
        ),
        rows={
            "quick": _quick_waves(ALL, "84,843, 9,981 and 11,005"),
            "small": _small(SMALL, ALL, "10 epochs end after 26,520 of the 50,000 steps of the cosine, as in the config", size=106),
            "paper": _paper_all(),
        },
        zero_shot=AT_HALF,
        literature=LITERATURE,
    ),
)
