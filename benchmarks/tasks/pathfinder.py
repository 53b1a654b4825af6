"""Do two discs lie on one curve? Pathfinder and Path-X of the Long Range Arena, and the same pictures in two further sizes."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from benchmarks.benchmark import Benchmark
from benchmarks.papers import HOPE_COSINE
from benchmarks.quick import BOTH_WAYS, describe_network, quick_rows
from benchmarks.recipe import SIZE, Rows
from benchmarks.setting import DT, Setting
from benchmarks.tasks.lra import (
    BORROWED,
    DSS_NETWORK,
    GENERATED,
    HOPE_NETWORK,
    OFFICIAL_FILES,
    S4_NETWORK,
    SMALL_NETWORK,
    dss_row,
    hope_row,
    s4_rows,
    small_rows,
)
from data.pathfinder.spec import PathfinderSpec
from models import Cosine, OptimSpec, Plateau

LONG: Final = (1e-4, 1e-1)
"""Range of initial step sizes from 16,384 steps on: S4's for Path-X."""

CENTRED: Final = "pixels in [-1, 1], as in the code of all published numbers"
UNIT: Final = (
    "pixels in [0, 1], as in state-spaces/s4 since v4, where the config is; earlier code, that of all published numbers, has [-1, 1]"
)

AVERAGED: Final = "one step is the mean of {0} x {0} pixels, which is a coarser picture and a shorter sequence: 1,024 steps"

LITERATURE: Final = {"source": "official", "scaling": "centred", "split": "random-42", "tokens": "false"}
"""Choices of protocol behind all published numbers."""

ABOUT: Final = (
    "Grey images with two long dashed curves, shorter distractors, and two discs: do the discs lie on the ends of one curve? One pixel per "
    "step, row by row; the answer is read from the mean over all steps, or from the last step where a setting says so. {} "
    "Generated here after Kim et al. (2020, arXiv:1906.01558) with 14 dashes a curve, 80 / 10 / 10 cut with a fixed seed; "
    f"{OFFICIAL_FILES}. Two classes, equally frequent up to chance: 50 %."
)


COARSE: Final = "curves of 6 dashes, read at 32 x 32"


def _quick(data: PathfinderSpec, reduced: str, *, epochs: int) -> Rows:
    """Curves of few dashes, whose pixels are averaged where there are more than 32 x 32: what one core does in about three minutes."""
    tenth = data.images // 10  # as many as there are to validate with, and as many to test
    easier = replace(data, difficulty="curv_baseline", scaling="centred", val_subset=min(1000, tenth), test_subset=min(2000, tenth))
    return quick_rows(
        easier,
        f"{data.images:,} images generated; {easier.test_subset:,} to test, as many with the one answer as with the other",
        "curves of 6 dashes (curv_baseline), the easiest that were published; the task has 14, and S4D stays at 50 % on them for minutes",
        *([AVERAGED.format(data.averaged)] if data.averaged > 1 else []),
        describe_network(epochs, BOTH_WAYS),
        CENTRED,
        epochs=epochs,
        batch_size=32,
        network=BOTH_WAYS,
        lr=5e-3,
        dt=DT,
        reduced=reduced,
    )


def _small_pathfinder(data: PathfinderSpec, *notes: str) -> Rows:
    """The small setting of state-spaces/s4 for 32 x 32 pixels."""
    setting = Setting(
        model=replace(SMALL_NETWORK, n_layers=6, pool_last=1),
        optim=OptimSpec(lr=4e-3, weight_decay=1e-2, schedule=Cosine(warmup_steps=2500, total_steps=100_000)),
        epochs=40,
        batch_size=64,
    )
    return small_rows("pathfinder", setting, data, SIZE.format(399), *notes, UNIT, GENERATED)


def _small_pathx(data: PathfinderSpec, *notes: str) -> Rows:
    """The small setting of state-spaces/s4 for 128 x 128 pixels."""
    setting = Setting(
        model=replace(SMALL_NETWORK, d_model=96),
        optim=OptimSpec(lr=5e-4, weight_decay=5e-2, schedule=Cosine(warmup_steps=5000, total_steps=250_000)),
        epochs=50,
        batch_size=32,
    )
    return small_rows(
        "pathx",
        setting,
        data,
        SIZE.format(175),
        *notes,
        UNIT,
        GENERATED,
        adapt=lambda mixer: mixer.with_time_scale(1e-4, 1e-2).with_rates(kernel=5e-4, dt=5e-4),
        rates="A, B, P, h and dt of every row at 0.0005, step sizes log-uniform in [0.0001, 0.01], as the config has them",
    )


CURVES: Final = PathfinderSpec(source="official", scaling="centred")
LONG_CURVES: Final = replace(CURVES, resolution=128)

PATHFINDER: Final = Benchmark(
    name="lra-pathfinder",
    brief="do two discs lie on one curve, 32 x 32 pixels; generated here, or the official files",
    title="LRA Pathfinder",
    kind="pictures",
    metric="accuracy",
    about=ABOUT.format("32 x 32 pixels, 1,024 steps."),
    rows={
        "quick": _quick(PathfinderSpec(images=30_000), "curves of 6 dashes", epochs=2),
        "small": _small_pathfinder(PathfinderSpec()),
        "paper": {
            **s4_rows(
                "pathfinder",
                Setting(
                    model=replace(S4_NETWORK, pool_last=1),
                    optim=OptimSpec(lr=4e-3, weight_decay=0.03, schedule=Cosine(warmup_steps=2500, total_steps=500_000)),
                    epochs=200,
                    batch_size=64,
                ),
                CURVES,
                adapt=lambda mixer: mixer.with_rates(kernel=1e-3, dt=1e-3),
                notes=("read from the last step and A, B, P and dt at 0.001, as the config has it",),
                data_notes=(CENTRED,),
            ),
            "DSS": dss_row(
                Setting(
                    model=replace(DSS_NETWORK, dropout=0.1, pool_last=1),
                    optim=OptimSpec(lr=4e-3, weight_decay=0.0, schedule=Plateau(factor=0.2, patience=13)),
                    epochs=200,
                    batch_size=100,
                ),
                CURVES,
                CENTRED,
                lr_dt=1e-3,
            ),
            "HOPE": hope_row(
                Setting(
                    model=HOPE_NETWORK,
                    optim=OptimSpec(lr=1e-3, weight_decay=0.01, schedule=Cosine(warmup_steps=20 * 20_000)),
                    epochs=250,
                    batch_size=8,
                ),
                CURVES,
                CENTRED,
                HOPE_COSINE,
                d_state=128,
                dt=(1e-4, 0.1),
                dt_link="exp",
                lr_h=5e-4,
            ),
        },
    },
    literature=LITERATURE,
)

PATH_X: Final = Benchmark(
    name="lra-pathx",
    brief="Pathfinder at 128 x 128 pixels: 16,384 steps",
    title="LRA Path-X",
    kind="pictures",
    metric="accuracy",
    about=ABOUT.format("128 x 128 pixels, 16,384 steps; many models never leave chance."),
    rows={
        "quick": _quick(PathfinderSpec(resolution=128, images=10_000, averaged=4), COARSE, epochs=5),
        "small": _small_pathx(PathfinderSpec(resolution=128)),
        "paper": {
            **s4_rows(
                "pathx",
                Setting(
                    model=S4_NETWORK,
                    optim=OptimSpec(lr=5e-4, weight_decay=0.05, schedule=Cosine(warmup_steps=10_000, total_steps=500_000)),
                    epochs=50,
                    batch_size=16,
                ),
                LONG_CURVES,
                adapt=lambda mixer: mixer.with_time_scale(*LONG).with_rates(kernel=5e-4, dt=5e-4),
                data_notes=(CENTRED,),
            ),
            "DSS": dss_row(
                Setting(
                    model=DSS_NETWORK,
                    optim=OptimSpec(lr=5e-4, weight_decay=0.0, schedule=Plateau(factor=0.2, patience=40)),
                    epochs=35,
                    batch_size=16,
                ),
                LONG_CURVES,
                CENTRED,
                lr_dt=1e-4,
                adapt=lambda mixer: mixer.with_time_scale(1e-4, 1e-2),
            ),
            "HOPE": hope_row(
                Setting(
                    model=HOPE_NETWORK,
                    optim=OptimSpec(lr=1e-3, weight_decay=0.03, schedule=Cosine(warmup_steps=20 * 10_000)),
                    epochs=50,
                    batch_size=16,
                ),
                LONG_CURVES,
                CENTRED,
                "dt not trained",
                HOPE_COSINE,
                d_state=128,
                dt=(1e-3, 1.0),
                dt_link="exp",
                lr_h=5e-4,
                lr_dt=1e-3,
                train_dt=False,
            ),
        },
    },
    literature=LITERATURE,
)

BENCHMARKS: Final = (
    PATHFINDER,
    PATH_X,
    Benchmark(
        name="pathfinder64",
        brief="Pathfinder at 64 x 64",
        title="Pathfinder, 64 x 64",
        kind="pictures",
        metric="accuracy",
        about=ABOUT.format("64 x 64 pixels, 4,096 steps; no published setting is known."),
        rows={
            "quick": _quick(PathfinderSpec(resolution=64, images=20_000, averaged=2), COARSE, epochs=2),
            "small": _small_pathfinder(PathfinderSpec(resolution=64), BORROWED.format("Pathfinder with 32 x 32 pixels")),
        },
    ),
    Benchmark(
        name="pathfinder256",
        brief="Pathfinder at 256 x 256: 65,536 steps",
        title="Pathfinder, 256 x 256",
        kind="pictures",
        metric="accuracy",
        about=ABOUT.format("256 x 256 pixels, 65,536 steps; settings of the few published numbers could not be verified."),
        rows={
            "quick": _quick(PathfinderSpec(resolution=256, images=6000, averaged=8), COARSE, epochs=6),
            "small": _small_pathx(PathfinderSpec(resolution=256), BORROWED.format("Path-X")),
        },
        literature=LITERATURE,
    ),
)
