"""Speech Commands: ten words as waves or as cepstral coefficients, and 35 words as waves; each also at 8 kHz, without further training."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

from benchmarks.benchmark import Benchmark, Recipe
from benchmarks.published import PUBLISHED
from benchmarks.setting import TOO_SHORT, Makers, Setting, common_mixer, recipes, small_network
from data.speech.spec import SpeechSpec
from models import VARIANTS, Cosine, DSSSpec, MixerSpec, Plateau, S4DSpec, S4Spec

DATA: Final = {"sc10": SpeechSpec(words=10), "sc10-mfcc": SpeechSpec(words=10, features="mfcc"), "sc35": SpeechSpec(words=35)}

LEFT_OUT: Final = {"sc10-mfcc": "paper"}
"""The one published setting of coefficients could not be verified."""

# ---------------------------------------------------------------- quick


@dataclass(frozen=True, kw_only=True)
class _Quick:
    """How much of the clips a quick run sees: no more than the mini set has."""

    train: int
    val: int
    test: int
    epochs: int
    batch_size: int
    whole: str


TEN: Final = "24,482, 5,246 and 5,247"
QUICK: Final = {
    "sc10": _Quick(train=320, val=80, test=160, epochs=2, batch_size=4, whole=TEN),
    "sc10-mfcc": _Quick(train=1900, val=250, test=330, epochs=15, batch_size=50, whole=TEN),
    "sc35": _Quick(train=320, val=80, test=160, epochs=2, batch_size=4, whole="84,843, 9,981 and 11,005"),
}


def quick(benchmark: str, variant: str) -> Recipe:
    """A small network on a fixed part of the clips: rows differ in their mixer and in nothing else."""
    size = QUICK[benchmark]
    setting = small_network(epochs=size.epochs, batch_size=size.batch_size)
    data = replace(DATA[benchmark], train_subset=size.train, val_subset=size.val, test_subset=size.test)
    notes = (
        f"{size.train:,} training, {size.val:,} validation and {size.test:,} test clips out of {size.whole}",
        f"2 layers of 32 channels for {size.epochs} epochs, in one direction, no dropout; read-out: mean over all steps",
        *((TOO_SHORT,) if DATA[benchmark].features == "raw" else ()),
    )
    return setting.recipe(benchmark, "quick", data, common_mixer(variant), "this suite", notes)


# ---------------------------------------------------------------- small: the setting of S4D's own ablations

SMALL: Final = Setting(
    n_layers=4, d_model=128, norm="batch", prenorm=True, mixing="linear", bidirectional=False, pool_last=1,
    lr=4e-3, weight_decay=0.0, schedule=Cosine(warmup_steps=1000, total_steps=50_000), epochs=10, batch_size=32,
)  # fmt: skip


def small(benchmark: str, variant: str) -> Recipe:
    """4 layers of 128 channels in one direction, on all of the clips: rows differ in their mixer and in nothing else."""
    if benchmark == "sc35":
        setting = SMALL
        notes = ("10 epochs end after 26,520 of the 50,000 steps of the cosine, as in the config",)
    else:
        setting = replace(SMALL, epochs=40, schedule=Cosine(warmup_steps=1000))
        notes = ("made for 35 words; for ten, 40 epochs instead of 10 (there are 3.5 times fewer clips) and a cosine to their end",)
    return setting.recipe(
        benchmark,
        "small",
        DATA[benchmark],
        common_mixer(variant),
        "state-spaces/s4 v3.0.0, configs/experiment/sc/s4-sc-ablation.yaml: the small models of arXiv:2206.11893, sec. 5",
        ("in one direction, read from the last step, no dropout and no weight decay, as in the config", *notes, *DATA_NOTES),
    )


# ---------------------------------------------------------------- paper

DATA_NOTES: Final = (
    "amplitudes in [-1, 1); state-spaces/s4 divides by 2^15 once more where torchaudio is newer than its code (scaling=s4-quirk)",
)

S4_PAPER: Final = {
    "sc35": Setting(
        n_layers=6, d_model=128, norm="batch", prenorm=True, bidirectional=True, lr=1e-2, weight_decay=5e-2,
        schedule=Cosine(warmup_steps=1000, total_steps=200_000), epochs=40, batch_size=16,
    ),
    "sc10": Setting(
        n_layers=6, d_model=128, norm="batch", prenorm=True, dropout=0.1, mixing="linear", bidirectional=False, lr=1e-2, weight_decay=0.0,
        schedule=Plateau(factor=0.2, patience=20), epochs=200, batch_size=20,
    ),
}  # fmt: skip
"""DSS on ten words has S4's setting."""


def _owned(benchmark: str, mixer: MixerSpec) -> bool:
    """Whether the setting was published for this row."""
    if benchmark == "sc35":
        return isinstance(mixer, (S4Spec, S4DSpec))
    return isinstance(mixer, (S4Spec, DSSSpec))


def paper(benchmark: str, variant: str) -> Recipe:
    """The published setting of the task, with what its papers say of the row."""
    mixer = VARIANTS[variant].mixer
    notes: tuple[str, ...] = () if _owned(benchmark, mixer) else ("no published setting for this row: that of S4",)
    if benchmark == "sc35":
        source = "state-spaces/s4 v3.0.0, configs/experiment/sc/s4-sc.yaml; the same values as arXiv:2206.11893, appendix"
        notes = (*notes, "the cosine's 200,000 steps end in epoch 38 of 40")
        if isinstance(mixer, (S4Spec, S4DSpec)):
            mixer = replace(mixer, n_ssm=2)
    elif isinstance(mixer, DSSSpec):
        source = "ag1988/dss, README and configs/experiment (Speech Commands), for arXiv:2203.14343"
        mixer = replace(mixer, d_state=128, lr_W=1e-3)
        notes = (
            *notes,
            "N = 64 modes without conjugates, which is d_state = 128 here",
            "W at 0.001 without decay, as in the authors' code",
        )
    else:
        source = "state-spaces/s4 v1, configs/experiment/s4-sc.yaml, for arXiv:2111.00396"
        if isinstance(mixer, S4Spec):
            notes = (*notes, "P and B are shared by the channels like A; in v1 P and B are per channel")
    return S4_PAPER[benchmark].recipe(
        benchmark,
        "paper",
        DATA[benchmark],
        mixer,
        source,
        (*notes, "the last training batch of an epoch is kept; the original drops it", *DATA_NOTES),
    )


# ---------------------------------------------------------------- the tables

MAKERS: Final[Makers] = {"quick": quick, "small": small, "paper": paper}


def _benchmark(name: str, title: str, about: str) -> Benchmark:
    makers = {scale: maker for scale, maker in MAKERS.items() if scale != LEFT_OUT.get(name)}
    return Benchmark(
        name=name,
        title=title,
        metric="accuracy",
        about=about,
        recipe=recipes(name, makers),
        scales=tuple(makers),
        published=PUBLISHED.get(name, ()),
        zero_shot={"8khz": "8 kHz"},
    )


CLIPS: Final = (
    "Speech Commands v0.02 (P. Warden, 2018; CC BY 4.0): one second of one spoken word at 16 kHz. Tested a second time at 8 kHz without "
    "further training, on every second sample and with all step sizes doubled. source=mini takes a part of the clips, a task of its own."
)
TEN_WORDS: Final = "Ten words, clips of exactly 16,000 samples, split at random 70 / 15 / 15 as in the literature, speakers shared."

BENCHMARKS: Final = (
    _benchmark(
        "sc10",
        "Speech Commands, 10 words",
        "Raw waves, 16,000 steps of one number; the word is read from the mean over all steps, or from the last where a setting says so. "
        f"{CLIPS} {TEN_WORDS} The most frequent word scores about 10 %.",
    ),
    _benchmark(
        "sc10-mfcc",
        "Speech Commands, 10 words, MFCC",
        f"161 frames of 20 cepstral coefficients, 81 at 8 kHz; the word is read as from the waves. {CLIPS} {TEN_WORDS} The most frequent "
        "word scores about 10 %. There is no paper scale: the one published setting could not be verified.",
    ),
    _benchmark(
        "sc35",
        "Speech Commands, 35 words",
        "Raw waves, 16,000 steps of one number, short clips filled up with zeros; the word is read from the mean over all steps, or from "
        f"the last where a setting says so. {CLIPS} The official lists, which share no speaker: 84,843 / 9,981 / 11,005. The most frequent "
        "word scores 3.8 %.",
    ),
)
