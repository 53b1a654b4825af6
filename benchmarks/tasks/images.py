"""Photographs and digits read pixel by pixel: LRA Image, sequential CIFAR-10, both again with noise after, and sequential MNIST."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from benchmarks.benchmark import Benchmark
from benchmarks.papers import (
    DSS_FIELDS,
    DSS_NOTES,
    HOPE_CAUSAL,
    HOPE_COSINE,
    LAST_BATCH,
    SMALL_MODELS,
    SOFTPLUS,
    TF32,
    WARM_UP,
    differing,
    dss_source,
    for_s4_and_s4d,
    hope_source,
    s4_source,
)
from benchmarks.quick import describe_network, describe_part, quick_rows
from benchmarks.recipe import ANY, SIZE, Row, Rows, with_common_steps
from benchmarks.setting import ANY_MIXER, Setting
from data.images.cifar import PIXELS, CIFARSpec
from data.images.mnist import MNISTSpec
from data.images.split import ImageSpec
from models import Cosine, ModelSpec, OptimSpec, Plateau

NOISE: Final = PIXELS
"""Steps of noise after the image, as many as pixels (2405.13975, experiment II)."""

READOUTS: Final[dict[str, int | None]] = {"noise": NOISE, "all": None, "last": 1}
"""Where the class is read from: the mean over the noise half (the authors' script), over all steps, or the last step alone."""

GREY: Final = CIFARSpec(color=False)
COLOUR: Final = CIFARSpec()
GREY_NOISE: Final = CIFARSpec(color=False, noise=NOISE)
COLOUR_NOISE: Final = CIFARSpec(noise=NOISE)
ROWWISE: Final = MNISTSpec()
PERMUTED: Final = MNISTSpec(permuted=True)

READ_FROM_NOISE: Final = f"read-out: mean over the last {NOISE} steps"
FIXED_NOISE: Final = "evaluation noise is fixed; the authors' script draws it anew at every access"

# ---------------------------------------------------------------- quick: what one core does in about 45 s for S4D, 60 s with the noise


def _quick(data: ImageSpec, whole: str, *notes: str, train: int, test: int = 2000, pool_last: int | None = None) -> Rows:
    """The small network on `train` images of `whole`, and fewer for validation and test."""
    part = replace(data, train_subset=train, val_subset=500, test_subset=test)
    images = describe_part(part, "images", whole)
    return quick_rows(part, images, describe_network(3), *notes, epochs=3, batch_size=50, pool_last=pool_last)


def _quick_cifar(data: CIFARSpec) -> Rows:
    """The photographs alone."""
    return _quick(data, "45,000, 5,000 and 10,000", train=3200)


def _quick_noise(data: CIFARSpec) -> Rows:
    """The photographs with noise after them, of which fewer fit into the minute."""
    return _quick(data, "45,000, 5,000 and 10,000", READ_FROM_NOISE, FIXED_NOISE, train=2500, test=1000, pool_last=NOISE)


def _quick_mnist(data: MNISTSpec) -> Rows:
    """The digits in either order."""
    return _quick(data, "54,000, 6,000 and 10,000", train=4000)


# ---------------------------------------------------------------- small: the setting of S4D's own ablations

SMALL: Final = Setting(
    model=ModelSpec(mixer=ANY_MIXER, n_layers=4, d_model=128, norm="layer", dropout=0.1, mixing="linear", bidirectional=True),
    optim=OptimSpec(lr=1e-2, weight_decay=1e-2, schedule=Cosine(warmup_steps=45_000 // 50)),
    epochs=100,
    batch_size=50,
)

NOT_COLOUR: Final = "made for sequential CIFAR-10 in colour; used here as it is"


def _small(data: ImageSpec, *notes: str, setting: Setting = SMALL, size: int = 136) -> Rows:
    """100 epochs on all of the data; variants differ in their mixer and in nothing else."""
    row = Row(
        setting=setting,
        data=data,
        source=f"state-spaces/s4, configs/experiment/cifar/s4-cifar-ablation.yaml: {SMALL_MODELS}",
        notes=(
            "as at its HEAD, with a warm-up of one epoch and a cosine to the end; two places of dropout, as in its v3",
            SIZE.format(size),
            *notes,
        ),
        adapt=with_common_steps,
    )
    return {ANY: differing(row, SOFTPLUS, WARM_UP)}


def _small_noise(data: CIFARSpec) -> Rows:
    """The same network in one direction, read from the noise."""
    setting = replace(SMALL, model=replace(SMALL.model, bidirectional=False, pool_last=NOISE))
    causal = "in one direction, so that what is read from the noise was remembered"
    return _small(data, NOT_COLOUR, causal, READ_FROM_NOISE, FIXED_NOISE, setting=setting, size=103)


def _small_mnist(data: MNISTSpec) -> Rows:
    """The same network, its warm-up of one epoch counted in the batches of MNIST."""
    return _small(data, NOT_COLOUR, setting=replace(SMALL, optim=replace(SMALL.optim, schedule=Cosine(warmup_steps=54_000 // 50))))


# ---------------------------------------------------------------- paper: the published setting of each row


def _s4_paper(data: CIFARSpec, config: str, lr_dt: float | None) -> Rows:
    """The setting of S4, S4D and of variants without one of their own, from state-spaces/s4 v3.0.0."""
    row = Row(
        setting=Setting(
            model=ModelSpec(mixer=ANY_MIXER, n_layers=6, d_model=512, norm="layer", dropout=0.1, bidirectional=True),
            optim=OptimSpec(lr=1e-2, weight_decay=5e-2, schedule=Cosine(warmup_steps=1000, total_steps=200_000)),
            epochs=200,
            batch_size=50,
        ),
        data=data,
        source=s4_source(config),
        notes=(f"{LAST_BATCH} (45,000 is a multiple of 50, so nothing changes)",),
    )
    row = differing(row, WARM_UP, TF32)
    return for_s4_and_s4d(replace(row, fields={"n_ssm": 2, "lr_dt": lr_dt}), others=row)


def _dss_paper(data: CIFARSpec, *notes: str) -> Row:
    """The setting of DSS on LRA Image, from the authors' repository."""
    return Row(
        setting=Setting(
            model=ModelSpec(mixer=ANY_MIXER, n_layers=6, d_model=512, norm="batch", dropout=0.2, mixing="linear"),
            optim=OptimSpec(lr=4e-3, weight_decay=1e-2, schedule=Plateau(factor=0.2, patience=10)),
            epochs=200,
            batch_size=50,
        ),
        data=data,
        source=dss_source("Image"),
        notes=(*DSS_NOTES, *notes),
        fields=DSS_FIELDS,
    )


HOPE_IMAGE: Final = Row(
    setting=Setting(
        model=ModelSpec(mixer=ANY_MIXER, n_layers=6, d_model=128, norm="layer", dropout=0.1, bidirectional=True),
        optim=OptimSpec(lr=4e-3, weight_decay=1e-2, schedule=Cosine(warmup_steps=10 * -(-45_000 // 32))),
        epochs=200,
        batch_size=32,
    ),
    data=GREY,
    source=hope_source("script for LRA Image"),
    notes=(
        "200 epochs, the length of the script's cosine; the script goes on to 1,500 while its rate rises and falls again",
        "h is never decayed; the script decays it by 0.01",
        HOPE_CAUSAL,
        "the script fixes no seed",
    ),
    fields={"d_state": 128, "dt_min": 1e-3, "dt_max": 10.0},
)
"""The setting of HOPE on LRA Image, from the authors' script with what is wrong in it put right."""

EXPERIMENTS: Final = Setting(
    model=ModelSpec(mixer=ANY_MIXER, n_layers=4, d_model=128, norm="layer", dropout=0.1),
    optim=OptimSpec(lr=1e-2, weight_decay=1e-2, schedule=Cosine()),
    epochs=100,
    batch_size=64,
)
"""The network and the training of experiments I and II of HOPE."""

HOPE_COLOUR: Final = Row(
    setting=EXPERIMENTS,
    data=COLOUR,
    source="arXiv:2405.13975, experiment I; what it leaves open is from the authors' script of experiment II",
    notes=(
        "4 layers of 128 channels and n = 64 are the paper's; the initial step sizes are not stated: log-uniform as in S4",
        "h at 0.001 without decay; the paper's one rate for everything but dt is the row hope-paper-rates",
    ),
)
"""The setting of HOPE on sequential CIFAR-10, experiment I of its paper."""


def _noise_paper(data: CIFARSpec, *notes: str) -> Rows:
    """Experiment II of HOPE, each row with the step sizes and rates that it has there."""
    steps = (
        "dt = 0.1 for all channels, the paper's baseline, trained at 0.001 as in the script; the grid noise has other step sizes",
        "A at 0.001 without decay; the script gives it 0.01 and a decay of 0.001 by an argument slip",
    )
    of_hope = (
        "n = 64 as in the paper; the script has 128",
        "dt = 0.1 in HOPE's own convention, not trained; 0.1 in S4's convention would be half of that time scale",
    )
    of_all = (f"{READ_FROM_NOISE}, as in the script; the paper does not say", HOPE_COSINE, FIXED_NOISE, *notes)
    own_scales = "no published setting for this row: its time scales are those of the variant"
    row = Row(
        setting=replace(EXPERIMENTS, model=replace(EXPERIMENTS.model, pool_last=NOISE)),
        data=data,
        source="arXiv:2405.13975, experiment II, and the authors' script",
        notes=(own_scales, *of_all),
        only={own_scales: lambda variant: variant.mixer.with_time_scale(0.1, 0.1) != variant.mixer},
    )
    dss = replace(row, notes=(*steps, *of_all), only={}, adapt=lambda mixer: mixer.with_time_scale(0.1, 0.1))
    s4 = replace(dss, fields={"n_ssm": None})
    fixed: Mapping[str, Any] = {"d_state": 64, "dt_min": 0.1, "dt_max": 0.1, "train_dt": False}
    hope = replace(row, notes=(*of_hope, *of_all), only={}, fields=fixed)
    return {"S4": s4, "S4D": s4, "DSS": dss, "HOPE": hope, ANY: row}


# ---------------------------------------------------------------- the table

LITERATURE: Final = {"source": "official", "tokens": "false"}
"""Choices of protocol behind all published numbers of state space models; LRA's own rows have tokens."""

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
    Benchmark(
        name="lra-image",
        brief="CIFAR-10, grey, 1024 pixels one by one",
        title="LRA Image",
        kind="pictures",
        metric="accuracy",
        about=f"Grey photographs, one pixel per step, {PIXELS} steps. {CIFAR}",
        rows={
            "quick": _quick_cifar(GREY),
            "small": _small(GREY, NOT_COLOUR),
            "paper": {**_s4_paper(GREY, "lra/s4-lra-cifar.yaml", lr_dt=None), "DSS": _dss_paper(GREY), "HOPE": HOPE_IMAGE},
        },
        literature=LITERATURE,
    ),
    Benchmark(
        name="scifar",
        brief="sequential CIFAR-10 in colour, 1024 steps",
        title="Sequential CIFAR-10",
        kind="pictures",
        metric="accuracy",
        about=f"Colour photographs, one pixel of three channels per step, {PIXELS} steps. {CIFAR}",
        rows={
            "quick": _quick_cifar(COLOUR),
            "small": _small(COLOUR),
            "paper": {
                **_s4_paper(COLOUR, "cifar/s4-cifar.yaml", lr_dt=1e-3),
                "DSS": _dss_paper(COLOUR, "made for LRA Image; there is no published setting for colour"),
                "HOPE": HOPE_COLOUR,
            },
        },
        literature=LITERATURE,
    ),
    Benchmark(
        name="scifar-noise",
        brief="photographs in colour, each followed by as many steps of noise",
        title="Noise-padded CIFAR-10",
        kind="memory",
        metric="accuracy",
        about=f"Colour photographs, {MEMORY} The memory experiment of the HOPE paper. {CIFAR}",
        rows={"quick": _quick_noise(COLOUR_NOISE), "small": _small_noise(COLOUR_NOISE), "paper": _noise_paper(COLOUR_NOISE)},
        readouts=READOUTS,
    ),
    Benchmark(
        name="scifar-noise-gray",
        brief="the same in grey",
        title="Noise-padded CIFAR-10, grey",
        kind="memory",
        metric="accuracy",
        about=f"Grey photographs, {MEMORY} {CIFAR}",
        rows={
            "quick": _quick_noise(GREY_NOISE),
            "small": _small_noise(GREY_NOISE),
            "paper": _noise_paper(GREY_NOISE, "grey instead of colour: this suite's"),
        },
        readouts=READOUTS,
    ),
    # there is no setting for sequential MNIST that could be verified
    Benchmark(
        name="smnist",
        brief="sequential MNIST, 784 steps",
        title="Sequential MNIST",
        kind="pictures",
        metric="accuracy",
        about=f"Digits, one pixel per step, 784 steps, row by row. {MNIST}",
        rows={"quick": _quick_mnist(ROWWISE), "small": _small_mnist(ROWWISE)},
    ),
    Benchmark(
        name="psmnist",
        brief="the same pixels of MNIST in one fixed permuted order",
        title="Permuted sequential MNIST",
        kind="pictures",
        metric="accuracy",
        about=f"Digits, one pixel per step, 784 steps, in bit-reversal order. {MNIST}",
        rows={"quick": _quick_mnist(PERMUTED), "small": _small_mnist(PERMUTED)},
    ),
)
