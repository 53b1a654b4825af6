"""Benchmarks that read a photograph or a digit pixel by pixel: LRA Image, sequential CIFAR-10, both with noise after, sequential MNIST."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

from benchmarks.benchmark import Benchmark, Recipe, read_from
from benchmarks.published import PUBLISHED
from benchmarks.setting import Makers, Setting, common_mixer, recipes, small_network
from benchmarks.spec import RunSpec
from data.images.cifar import PIXELS, CIFARSpec
from data.images.mnist import MNISTSpec
from data.images.split import ImageSpec
from models import (
    VARIANTS,
    Cosine,
    DSSSpec,
    HOPESpec,
    MixerSpec,
    Plateau,
    S4DSpec,
    S4Spec,
    StepSpec,
)
from models.names import choose

NOISE: Final = PIXELS
"""Steps of noise after the image, as many as pixels (2405.13975, experiment II)."""

READOUTS: Final[dict[str, int | None]] = {"noise": NOISE, "all": None, "last": 1}
"""Where the class is read from: the mean over the noise half (the authors' script), over all steps, or the last step alone."""

DATA: Final[dict[str, ImageSpec]] = {
    "lra-image": CIFARSpec(color=False),
    "scifar": CIFARSpec(),
    "scifar-noise": CIFARSpec(noise=NOISE),
    "scifar-noise-gray": CIFARSpec(color=False, noise=NOISE),
    "smnist": MNISTSpec(),
    "psmnist": MNISTSpec(permuted=True),
}


@dataclass(frozen=True, kw_only=True)
class _Quick:
    """How much of a data set a quick run sees: what one core does in about 45 s for S4D, 60 s with the noise."""

    train: int
    epochs: int
    val: int = 500
    test: int = 2000


QUICK: Final = {
    "lra-image": _Quick(train=3200, epochs=3),
    "scifar": _Quick(train=3200, epochs=3),
    "scifar-noise": _Quick(train=2500, epochs=3, test=1000),
    "scifar-noise-gray": _Quick(train=2500, epochs=3, test=1000),
    "smnist": _Quick(train=4000, epochs=3),
    "psmnist": _Quick(train=4000, epochs=3),
}


def noisy(benchmark: str) -> bool:
    """Whether noise follows the image."""
    return getattr(DATA[benchmark], "noise", 0) > 0


def read_out(spec: RunSpec, name: str) -> RunSpec:
    """The same run, read out at `name`, a row of READOUTS."""
    return read_from(spec, choose("read-out", name, READOUTS))


READ_FROM_NOISE: Final = f"read-out: mean over the last {NOISE} steps"
EVALUATION_NOISE: Final = "evaluation noise is fixed; the authors' script draws it anew at every access"

# ---------------------------------------------------------------- quick


def quick(benchmark: str, variant: str) -> Recipe:
    """A small network on a fixed part of the data: rows differ in their mixer and in nothing else."""
    size, noise = QUICK[benchmark], noisy(benchmark)
    whole = "54,000, 6,000 and 10,000" if isinstance(DATA[benchmark], MNISTSpec) else "45,000, 5,000 and 10,000"
    setting = small_network(epochs=size.epochs, batch_size=50, pool_last=NOISE if noise else None)
    data = replace(DATA[benchmark], train_subset=size.train, val_subset=size.val, test_subset=size.test)
    notes = (
        f"{size.train:,} training, {size.val:,} validation and {size.test:,} test images out of {whole}",
        f"2 layers of 32 channels for {size.epochs} epochs, in one direction, no dropout",
        *((READ_FROM_NOISE, EVALUATION_NOISE) if noise else ()),
    )
    return setting.recipe(benchmark, "quick", data, common_mixer(variant), "this suite", notes)


# ---------------------------------------------------------------- small: the setting of S4D's own ablations


def small(benchmark: str, variant: str) -> Recipe:
    """4 layers of 128 channels, 100 epochs on all of the data: rows differ in their mixer and in nothing else."""
    noise, digits = noisy(benchmark), isinstance(DATA[benchmark], MNISTSpec)
    steps = 54_000 // 50 if digits else 45_000 // 50
    setting = Setting(
        n_layers=4, d_model=128, norm="layer", prenorm=False, dropout=0.1, mixing="linear", bidirectional=not noise,
        pool_last=NOISE if noise else None, lr=1e-2, weight_decay=1e-2, schedule=Cosine(warmup_steps=steps), epochs=100, batch_size=50,
    )  # fmt: skip
    source = "state-spaces/s4, configs/experiment/cifar/s4-cifar-ablation.yaml: the small models of arXiv:2206.11893, sec. 5"
    notes = (
        "as at its HEAD, with a warm-up of one epoch and a cosine to the end; two places of dropout, as in its v3",
        *(() if benchmark == "scifar" else ("made for sequential CIFAR-10 in colour; used here as it is",)),
        *(("in one direction, so that what is read from the noise was remembered", READ_FROM_NOISE, EVALUATION_NOISE) if noise else ()),
    )
    return setting.recipe(benchmark, "small", DATA[benchmark], common_mixer(variant), source, notes)


# ---------------------------------------------------------------- paper: the published setting of each row

S4_PAPER: Final = Setting(
    n_layers=6, d_model=512, norm="layer", prenorm=False, dropout=0.1, bidirectional=True, lr=1e-2, weight_decay=5e-2,
    schedule=Cosine(warmup_steps=1000, total_steps=200_000), epochs=200, batch_size=50,
)  # fmt: skip
DSS_PAPER: Final = Setting(
    n_layers=6, d_model=512, norm="batch", prenorm=False, dropout=0.2, mixing="linear", bidirectional=False, lr=4e-3, weight_decay=1e-2,
    schedule=Plateau(factor=0.2, patience=10), epochs=200, batch_size=50,
)  # fmt: skip
HOPE_PAPER: Final = Setting(
    n_layers=6, d_model=128, norm="layer", prenorm=False, dropout=0.1, bidirectional=True, lr=4e-3, weight_decay=1e-2,
    schedule=Cosine(warmup_steps=10 * -(-45_000 // 32)), epochs=200, batch_size=32,
)  # fmt: skip
NOISE_PAPER: Final = Setting(
    n_layers=4, d_model=128, norm="layer", prenorm=False, dropout=0.1, bidirectional=False, lr=1e-2, weight_decay=1e-2,
    schedule=Cosine(), epochs=100, batch_size=64,
)  # fmt: skip


def _s4_paper(benchmark: str, mixer: MixerSpec) -> Recipe:
    """S4, S4D and rows without a paper of their own: state-spaces/s4 v3.0.0, whose values are those of 2206.11893's appendix."""
    grey = benchmark == "lra-image"
    notes: tuple[str, ...] = ("no published setting for this row: that of S4 and S4D",)
    if isinstance(mixer, (S4Spec, S4DSpec)):
        mixer, notes = replace(mixer, n_ssm=2, lr_dt=None if grey else 1e-3), ()
    file = "lra/s4-lra-cifar.yaml" if grey else "cifar/s4-cifar.yaml"
    source = f"state-spaces/s4 v3.0.0, configs/experiment/{file}; the same values as arXiv:2206.11893, appendix"
    last = "the last training batch of an epoch is kept; the original drops it (45,000 is a multiple of 50, so nothing changes)"
    return S4_PAPER.recipe(benchmark, "paper", DATA[benchmark], mixer, source, (*notes, last))


def _dss_paper(benchmark: str, mixer: DSSSpec) -> Recipe:
    """DSS: the authors' repository."""
    notes = (
        "N = 64 modes without conjugates, which is d_state = 128 here",
        "W at 0.001 without decay, as in the authors' code, in every DSS row of this scale",
        *(() if benchmark == "lra-image" else ("made for LRA Image; there is no published setting for colour",)),
    )
    source = "ag1988/dss, README and configs/experiment (Image), for arXiv:2203.14343"
    return DSS_PAPER.recipe(benchmark, "paper", DATA[benchmark], replace(mixer, d_state=128, lr_W=1e-3), source, notes)


def _hope_paper(benchmark: str, mixer: HOPESpec) -> Recipe:
    """HOPE: the authors' scripts, with what is wrong in them put right."""
    if benchmark == "scifar":
        source = "arXiv:2405.13975, experiment I; what it leaves open is from the authors' script of experiment II"
        notes: tuple[str, ...] = (
            "4 layers of 128 channels and n = 64 are the paper's; the initial step sizes are not stated: log-uniform as in S4",
            "h at 0.001 without decay; the paper's one rate for everything but dt is the row hope-paper-rates",
        )
        return NOISE_PAPER.recipe(benchmark, "paper", DATA[benchmark], mixer, source, notes)
    source = "AnnanYu/HOPE-SSM, script for LRA Image, for arXiv:2405.13975; the paper's own table of settings was not reachable"
    notes = (
        "200 epochs, the length of the script's cosine; the script goes on to 1,500 while its rate rises and falls again",
        "h is never decayed; the script decays it by 0.01",
        "causal kernels in both directions (row hope) stand for the release's two-sided filter, which is the row hope-twosided",
        "the script fixes no seed",
    )
    mixer = replace(mixer, d_state=128, dt_min=1e-3, dt_max=10.0)
    return HOPE_PAPER.recipe(benchmark, "paper", DATA[benchmark], mixer, source, notes)


def _noise_paper(benchmark: str, mixer: MixerSpec) -> Recipe:
    """Experiment II of HOPE, each row with the step sizes and rates that it has there."""
    notes: tuple[str, ...] = ()
    if isinstance(mixer, HOPESpec):
        mixer = replace(mixer, d_state=64, dt_min=0.1, dt_max=0.1, train_dt=False)
        notes = (
            "n = 64 as in the paper; the script has 128",
            "dt = 0.1 in HOPE's own convention, not trained; 0.1 in S4's convention would be half of that time scale",
        )
    elif isinstance(mixer, StepSpec):
        mixer = replace(mixer, dt_min=0.1, dt_max=0.1)
        if isinstance(mixer, (S4Spec, S4DSpec)):
            mixer = replace(mixer, n_ssm=None)
        notes = (
            "dt = 0.1 for all channels, the paper's baseline, trained at 0.001 as in the script; the grid noise has other step sizes",
            "A at 0.001 without decay; the script gives it 0.01 and a decay of 0.001 by an argument slip",
        )
    notes = (
        *notes,
        f"{READ_FROM_NOISE}, as in the script; the paper does not say",
        "the cosine falls with every step; in the script with every epoch",
        EVALUATION_NOISE,
        *(() if benchmark == "scifar-noise" else ("grey instead of colour: this suite's",)),
    )
    source = "arXiv:2405.13975, experiment II, and the authors' script"
    return replace(NOISE_PAPER, pool_last=NOISE).recipe(benchmark, "paper", DATA[benchmark], mixer, source, notes)


def paper(benchmark: str, variant: str) -> Recipe:
    """The published setting of the row."""
    mixer = VARIANTS[variant].mixer
    if noisy(benchmark):
        return _noise_paper(benchmark, mixer)
    if isinstance(mixer, DSSSpec):
        return _dss_paper(benchmark, mixer)
    if isinstance(mixer, HOPESpec):
        return _hope_paper(benchmark, mixer)
    return _s4_paper(benchmark, mixer)


# ---------------------------------------------------------------- the tables

MAKERS: Final[Makers] = {"quick": quick, "small": small, "paper": paper}
MAKERS_MNIST: Final[Makers] = {"quick": quick, "small": small}
"""There is no setting for sequential MNIST that could be verified."""


def _benchmark(name: str, title: str, about: str) -> Benchmark:
    makers = MAKERS_MNIST if isinstance(DATA[name], MNISTSpec) else MAKERS
    return Benchmark(
        name=name,
        title=title,
        metric="accuracy",
        about=about,
        recipe=recipes(name, makers),
        scales=tuple(makers),
        published=PUBLISHED.get(name, ()),
        readouts=READOUTS if noisy(name) else {},
    )


CIFAR: Final = (
    "CIFAR-10: 60,000 photographs of 32 x 32 pixels in ten classes (A. Krizhevsky, 2009; no formal licence), the official test set, and "
    "the official training set cut 45,000 / 5,000 as in state-spaces/s4. No augmentation. Chance is 10 %."
)
MNIST: Final = (
    "MNIST: 70,000 handwritten digits of 28 x 28 pixels (LeCun, Cortes and Burges), the official test set, and the official training set "
    "cut 54,000 / 6,000 as in state-spaces/s4. Pixels divided by 255. Chance is 10 %."
)
MEMORY: Final = (
    f"followed by {NOISE} steps of uniform noise on [0, 1), {PIXELS + NOISE} steps in all. The class is read from the mean over the noise "
    "half only, so the image has to be remembered through it. Training noise is fresh in every epoch."
)

BENCHMARKS: Final = (
    _benchmark("lra-image", "LRA Image", f"Grey photographs, one pixel per step, {PIXELS} steps. {CIFAR}"),
    _benchmark("scifar", "Sequential CIFAR-10", f"Colour photographs, one pixel of three channels per step, {PIXELS} steps. {CIFAR}"),
    _benchmark("scifar-noise", "Noise-padded CIFAR-10", f"Colour photographs, {MEMORY} The memory experiment of the HOPE paper. {CIFAR}"),
    _benchmark("scifar-noise-gray", "Noise-padded CIFAR-10, grey", f"Grey photographs, {MEMORY} {CIFAR}"),
    _benchmark("smnist", "Sequential MNIST", f"Digits, one pixel per step, 784 steps, row by row. {MNIST}"),
    _benchmark("psmnist", "Permuted sequential MNIST", f"Digits, one pixel per step, 784 steps, in bit-reversal order. {MNIST}"),
)
