"""The Long Range Arena (arXiv:2011.04006) but for its images, which are in `images`: ListOps, Text, Retrieval, Pathfinder and Path-X."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

from benchmarks.benchmark import Benchmark, Recipe
from benchmarks.published import PUBLISHED
from benchmarks.setting import DT, TOO_SHORT, Makers, Setting, common_mixer, recipes, small_network
from benchmarks.spec import Scale
from data.listops.spec import ListOpsSpec
from data.pathfinder.spec import PathfinderSpec
from data.subsets import SplitSpec
from data.texts.aan import AANSpec
from data.texts.imdb import IMDBSpec
from data.texts.imdb_pairs import IMDBPairsSpec
from models import VARIANTS, Cosine, DSSSpec, HOPESpec, MixerSpec, Plateau, S4DSpec, S4Spec

# ---------------------------------------------------------------- data

DATA: Final[dict[str, SplitSpec]] = {
    "lra-listops": ListOpsSpec(),
    "lra-text": IMDBSpec(),
    "lra-retrieval": AANSpec(),
    "retrieval-imdb": IMDBPairsSpec(),
    "lra-pathfinder": PathfinderSpec(),
    "lra-pathx": PathfinderSpec(resolution=128),
    "pathfinder64": PathfinderSpec(resolution=64),
    "pathfinder256": PathfinderSpec(resolution=256),
}
"""All of it, generated where there is a generator: what `small` trains on. `paper` takes the official files instead."""

OFFICIAL: Final[dict[str, SplitSpec]] = {
    "lra-listops": ListOpsSpec(source="official"),
    "lra-text": IMDBSpec(),
    "lra-retrieval": AANSpec(),
    "lra-pathfinder": PathfinderSpec(source="official"),
    "lra-pathx": PathfinderSpec(resolution=128, source="official"),
}

LONG: Final = (1e-4, 1e-1)
"""Range of initial step sizes from 16,384 steps on: S4's for Path-X."""

DTS: Final = {"lra-pathx": LONG, "pathfinder256": LONG}


def _fitted(benchmark: str, mixer: MixerSpec) -> MixerSpec:
    """The row as this task needs it: ListOps and text are padded and masked, pictures are all of one length."""
    data = DATA[benchmark]
    return mixer if isinstance(data, PathfinderSpec) else mixer.fixed_to(data.signature.length)


# ---------------------------------------------------------------- quick


@dataclass(frozen=True, kw_only=True)
class _Quick:
    """What one core does in about 40 s for S4D: a part of the data, and how often it is seen."""

    data: SplitSpec
    epochs: int
    batch_size: int
    whole: str


QUICK: Final = {
    "lra-listops": _Quick(data=ListOpsSpec(rows=4000), epochs=2, batch_size=16, whole="4,000 rows generated for training"),
    "lra-text": _Quick(
        data=IMDBSpec(train_subset=2000, val_subset=400, test_subset=1000),
        epochs=3,
        batch_size=16,
        whole="2,000, 400 and 1,000 of 22,500, 2,500 and 25,000 reviews",
    ),
    "lra-retrieval": _Quick(
        data=AANSpec(train_subset=600, val_subset=200, test_subset=400),
        epochs=2,
        batch_size=8,
        whole="600, 200 and 400 of 147,086, 18,090 and 17,437 pairs",
    ),
    "retrieval-imdb": _Quick(
        data=IMDBPairsSpec(train_subset=1500, val_subset=300, test_subset=600),
        epochs=2,
        batch_size=8,
        whole="1,500, 300 and 600 of 40,000, 5,000 and 5,000 pairs",
    ),
    "lra-pathfinder": _Quick(data=PathfinderSpec(images=4000), epochs=3, batch_size=20, whole="4,000 images generated"),
    "lra-pathx": _Quick(data=PathfinderSpec(resolution=128, images=500), epochs=2, batch_size=4, whole="500 images generated"),
    "pathfinder64": _Quick(data=PathfinderSpec(resolution=64, images=2000), epochs=2, batch_size=16, whole="2,000 images generated"),
    "pathfinder256": _Quick(data=PathfinderSpec(resolution=256, images=120), epochs=2, batch_size=2, whole="120 images generated"),
}


def quick(benchmark: str, variant: str) -> Recipe:
    """A small network on a fixed part of the data: rows differ in their mixer and in nothing else."""
    size = QUICK[benchmark]
    setting = small_network(epochs=size.epochs, batch_size=size.batch_size)
    mixer = _fitted(benchmark, common_mixer(variant, DTS.get(benchmark, DT)))
    notes = (
        f"a small part of the data: {size.whole}",
        f"2 layers of 32 channels for {size.epochs} epochs, in one direction, no dropout",
        *((TOO_SHORT,) if benchmark != "lra-text" else ()),
    )
    return setting.recipe(benchmark, "quick", size.data, mixer, "this suite", notes)


# ---------------------------------------------------------------- small: the small settings of state-spaces/s4

_SMALL_TEXT: Final = Setting(
    n_layers=4, d_model=128, norm="batch", prenorm=True, bidirectional=True, pool_last=1,
    lr=1e-2, weight_decay=0.0, schedule=Cosine(warmup_steps=1000, total_steps=25_000), epochs=18, batch_size=16,
)  # fmt: skip
_SMALL_PATHFINDER: Final = Setting(
    n_layers=6, d_model=128, norm="batch", prenorm=True, bidirectional=True, pool_last=1,
    lr=4e-3, weight_decay=1e-2, schedule=Cosine(warmup_steps=2500, total_steps=100_000), epochs=40, batch_size=64,
)  # fmt: skip
_SMALL_PATHX: Final = Setting(
    n_layers=4, d_model=96, norm="batch", prenorm=True, bidirectional=True,
    lr=5e-4, weight_decay=5e-2, schedule=Cosine(warmup_steps=5000, total_steps=250_000), epochs=50, batch_size=32,
)  # fmt: skip
_SMALL_LISTOPS: Final = Setting(
    n_layers=4, d_model=128, norm="batch", prenorm=False, bidirectional=True,
    lr=1e-2, weight_decay=5e-2, schedule=Cosine(warmup_steps=1000), epochs=40, batch_size=50,
)  # fmt: skip

_TEXT_STEPS: Final = "18 epochs, the 25,000 steps of the config's cosine; the config goes on to 50 epochs"
_BORROWED: Final = "no small setting was published for this task: that of {}, used as it is"
SMALL: Final[dict[str, tuple[Setting, str, tuple[str, ...]]]] = {
    "lra-listops": (_SMALL_LISTOPS, "listops", ("cosine of timm there, warm-up of unknown length: 1,000 steps here",)),
    "lra-text": (_SMALL_TEXT, "imdb", (_TEXT_STEPS,)),
    "lra-retrieval": (
        replace(_SMALL_TEXT, pool_last=None, epochs=20, batch_size=64, schedule=Cosine(warmup_steps=1000)),
        "imdb",
        (_BORROWED.format("Text"), "but mean pooling, 20 epochs and batches of 64, as the full setting of Retrieval has them"),
    ),
    "retrieval-imdb": (
        replace(_SMALL_TEXT, pool_last=None, schedule=Cosine(warmup_steps=1000)),
        "imdb",
        (_BORROWED.format("Text"), "but mean pooling, and a cosine over the whole run of 18 epochs"),
    ),
    "lra-pathfinder": (_SMALL_PATHFINDER, "pathfinder", ()),
    "lra-pathx": (_SMALL_PATHX, "pathx", ()),
    "pathfinder64": (_SMALL_PATHFINDER, "pathfinder", (_BORROWED.format("Pathfinder with 32 x 32 pixels"),)),
    "pathfinder256": (_SMALL_PATHX, "pathx", (_BORROWED.format("Path-X"),)),
}
"""Setting, name of the config, and what is particular to it."""


def small(benchmark: str, variant: str) -> Recipe:
    """The small settings of state-spaces/s4 on all of the data: rows differ in their mixer and in nothing else."""
    setting, config, notes = SMALL[benchmark]
    if config == "pathx":
        mixer = common_mixer(variant, (1e-4, 1e-2)).with_rates(kernel=5e-4, dt=5e-4)
        rates = "A, B, P, h and dt of every row at 0.0005, step sizes log-uniform in [0.0001, 0.01], as the config has them"
    else:
        mixer = common_mixer(variant).with_rates(kernel=1e-3, dt=None)
        rates = "dt of every row at the network's rate, as the config has it"
    if isinstance(mixer, (S4Spec, S4DSpec)):
        mixer = replace(mixer, n_ssm=None)
    return setting.recipe(
        benchmark,
        "small",
        DATA[benchmark],
        _fitted(benchmark, mixer),
        f"state-spaces/s4, configs/experiment/lra/old/v3-s4-{config}-small.yaml",
        ("A and B of S4 and S4D per channel, as in the config; DSS shares its Lambda", rates, *notes, *_data_notes(benchmark, "small")),
    )


def _data_notes(benchmark: str, scale: Scale) -> tuple[str, ...]:
    """How the data, or the choice of the checkpoint, differ from the source of the setting."""
    data = DATA[benchmark]
    if isinstance(data, IMDBSpec):
        return ("chosen on a tenth of the training reviews, held out; the original has no validation set and chooses on the test set",)
    if isinstance(data, (ListOpsSpec, PathfinderSpec)) and scale == "small":
        return ("data generated here; the official files are the choice source=official",)
    return ()


# ---------------------------------------------------------------- paper: the published setting of each row


def _s4_setting(
    n_layers: int, d_model: int, prenorm: bool, lr: float, decay: float, steps: tuple[int, int], run: tuple[int, int]
) -> Setting:
    """What the LRA settings of S4 have in common. `steps`: of the warm-up and in all; `run`: epochs, and the size of a batch."""
    return Setting(
        n_layers=n_layers, d_model=d_model, norm="batch", prenorm=prenorm, bidirectional=True, lr=lr, weight_decay=decay,
        schedule=Cosine(warmup_steps=steps[0], total_steps=steps[1]), epochs=run[0], batch_size=run[1],
    )  # fmt: skip


S4_PAPER: Final = {
    "lra-listops": (_s4_setting(8, 128, False, 1e-2, 0.05, (1000, 80_000), (40, 50)), "listops"),
    "lra-text": (_s4_setting(6, 256, True, 1e-2, 0.05, (1000, 50_000), (32, 16)), "imdb"),
    "lra-retrieval": (_s4_setting(6, 256, True, 1e-2, 0.05, (2500, 50_000), (20, 64)), "aan"),
    "lra-pathfinder": (replace(_s4_setting(6, 256, True, 4e-3, 0.03, (2500, 500_000), (200, 64)), pool_last=1), "pathfinder"),
    "lra-pathx": (_s4_setting(6, 256, True, 5e-4, 0.05, (10_000, 500_000), (50, 16)), "pathx"),
}


def _s4_paper(benchmark: str, mixer: MixerSpec) -> Recipe:
    """S4, S4D and rows without a paper of their own: state-spaces/s4 v3.0.0, whose values are those of 2206.11893's appendix."""
    setting, config = S4_PAPER[benchmark]
    notes: tuple[str, ...] = ()
    if isinstance(mixer, (S4Spec, S4DSpec)):
        mixer = replace(mixer, n_ssm=None, lr_dt=None)
        if benchmark == "lra-pathx":
            mixer = mixer.with_time_scale(*LONG).with_rates(kernel=5e-4, dt=5e-4)
    else:
        notes = ("no published setting for this row: that of S4 and S4D",)
    if benchmark == "lra-pathfinder":
        notes = (*notes, "read from the last step, as the config has it")
    return setting.recipe(
        benchmark,
        "paper",
        OFFICIAL[benchmark],
        mixer,
        f"state-spaces/s4 v3.0.0, configs/experiment/lra/s4-lra-{config}.yaml; the same values as arXiv:2206.11893, appendix",
        (*notes, "the last training batch of an epoch is kept; the original drops it", *_data_notes(benchmark, "paper")),
    )


def _dss_setting(
    n_layers: int, d_model: int, prenorm: bool, lr: float, decay: float, run: tuple[int, int], patience: int, *, dropout: float = 0.0,
    last: bool = False,
) -> Setting:  # fmt: skip
    """What the settings of DSS have in common. `run`: epochs, and the size of a batch; `last`: read from the last step."""
    return Setting(
        n_layers=n_layers, d_model=d_model, norm="batch", prenorm=prenorm, dropout=dropout, mixing="linear", bidirectional=False,
        pool_last=1 if last else None, lr=lr, weight_decay=decay, schedule=Plateau(factor=0.2, patience=patience), epochs=run[0],
        batch_size=run[1],
    )  # fmt: skip


DSS_PAPER: Final = {
    "lra-listops": (_dss_setting(6, 128, False, 1e-2, 1e-2, (50, 50), 5), 2e-2),
    "lra-text": (_dss_setting(4, 128, True, 1e-2, 0.0, (40, 50), 10, last=True), 2e-2),
    "lra-retrieval": (_dss_setting(6, 256, True, 2e-3, 0.0, (25, 64), 20), 1e-3),
    "lra-pathfinder": (_dss_setting(6, 256, True, 4e-3, 0.0, (200, 100), 13, dropout=0.1, last=True), 1e-3),
    "lra-pathx": (_dss_setting(6, 256, True, 5e-4, 0.0, (35, 16), 40), 1e-4),
}
"""Setting, and the rate of dt."""


def _dss_paper(benchmark: str, mixer: DSSSpec) -> Recipe:
    """DSS: the authors' repository."""
    setting, lr_dt = DSS_PAPER[benchmark]
    mixer = replace(mixer, d_state=128, lr_W=1e-3, lr_dt=lr_dt)
    data, notes = OFFICIAL[benchmark], _data_notes(benchmark, "paper")
    if isinstance(data, IMDBSpec):
        data = replace(data, length=2048)
        notes = ("reviews cut at 2,048 characters, half of what the rows of S4 see, as in the authors' config", *notes)
    if not isinstance(data, PathfinderSpec):
        mixer = mixer.fixed_to(data.signature.length)
        if mixer.length is not None:
            notes = (f"softmax over {mixer.length:,} steps, so that padding changes nothing; over the padded batch there", *notes)
    if benchmark == "lra-pathx":
        mixer = mixer.with_time_scale(1e-4, 1e-2)
    return setting.recipe(
        benchmark,
        "paper",
        data,
        mixer,
        "ag1988/dss, README and configs/experiment, for arXiv:2203.14343",
        (
            "N = 64 modes without conjugates, which is d_state = 128 here",
            "W at 0.001 without decay, as in the authors' code, in every DSS row of this scale",
            *notes,
        ),
    )


@dataclass(frozen=True, kw_only=True)
class _Hope:
    """A script or config of the HOPE release: setting, the row's parameters (step sizes in HOPE's convention), and particular notes."""

    setting: Setting
    d_state: int
    dt: tuple[float, float]
    lr_h: float
    lr_dt: float | None
    train_dt: bool
    dt_link: str
    notes: tuple[str, ...]


def _hope_setting(n_layers: int, d_model: int, prenorm: bool, lr: float, decay: float, schedule: Cosine, run: tuple[int, int]) -> Setting:
    """What the LRA settings of HOPE have in common. `run`: epochs, and the size of a batch."""
    return Setting(
        n_layers=n_layers, d_model=d_model, norm="batch", prenorm=prenorm, bidirectional=True, lr=lr, weight_decay=decay,
        schedule=schedule, epochs=run[0], batch_size=run[1],
    )  # fmt: skip


_FROZEN: Final = (
    "h trained at 0.001 without decay, as the paper says h is trained; the release's config freezes it by a slip in an argument",
    "dt = softplus(theta), as in the config",
)
_CENTRED: Final = "pixels scaled to [-1, 1], as in the authors' script; the rows of S4 and DSS have them in [0, 1]"
HOPE_PAPER: Final = {
    "lra-listops": _Hope(
        setting=_hope_setting(8, 128, False, 2e-3, 0.03, Cosine(warmup_steps=5000, total_steps=800_000), (167, 20)),
        d_state=64, dt=(1e-4, 1.0), lr_h=1e-3, lr_dt=1e-3, train_dt=False, dt_link="softplus",
        notes=(*_FROZEN, "dt not trained", "167 epochs, the 800,000 steps of the config's cosine; the config goes on to 560"),
    ),
    "lra-text": _Hope(
        setting=_hope_setting(6, 256, True, 1e-2, 0.05, Cosine(warmup_steps=5000, total_steps=50_000), (32, 16)),
        d_state=64, dt=(1e-3, 0.1), lr_h=1e-3, lr_dt=None, train_dt=True, dt_link="softplus",
        notes=(*_FROZEN, "32 epochs, about the 50,000 steps of the config's cosine; the config goes on to 160"),
    ),
    "lra-retrieval": _Hope(
        setting=_hope_setting(6, 128, True, 8e-3, 0.03, Cosine(warmup_steps=5000, total_steps=100_000), (22, 32)),
        d_state=64, dt=(1e-3, 0.1), lr_h=1e-3, lr_dt=None, train_dt=True, dt_link="softplus",
        notes=(
            *_FROZEN,
            "one h per channel; the config shares one among all",
            "22 epochs, the 100,000 steps of the config's cosine; the config goes on to 160",
        ),
    ),
    "lra-pathfinder": _Hope(
        setting=_hope_setting(6, 128, True, 1e-3, 0.01, Cosine(warmup_steps=20 * 20_000), (250, 8)),
        d_state=128, dt=(1e-4, 0.1), lr_h=5e-4, lr_dt=None, train_dt=True, dt_link="exp",
        notes=(_CENTRED, "the cosine falls with every step; in the script with every epoch"),
    ),
    "lra-pathx": _Hope(
        setting=_hope_setting(6, 128, True, 1e-3, 0.03, Cosine(warmup_steps=20 * 10_000), (50, 16)),
        d_state=128, dt=(1e-3, 1.0), lr_h=5e-4, lr_dt=1e-3, train_dt=False, dt_link="exp",
        notes=(_CENTRED, "dt not trained", "the cosine falls with every step; in the script with every epoch"),
    ),
}  # fmt: skip


def _hope_paper(benchmark: str, mixer: HOPESpec) -> Recipe:
    """HOPE: the authors' release, with what is wrong in it put right."""
    own = HOPE_PAPER[benchmark]
    mixer = replace(
        mixer,
        d_state=own.d_state,
        dt_min=own.dt[0],
        dt_max=own.dt[1],
        dt_link=own.dt_link,
        lr_h=None if mixer.lr_h is None else own.lr_h,
        lr_dt=own.lr_dt,
        train_dt=own.train_dt,
    )
    data = OFFICIAL[benchmark]
    if isinstance(data, PathfinderSpec):
        data = replace(data, scaling="centred")
    return own.setting.recipe(
        benchmark,
        "paper",
        data,
        mixer,
        "AnnanYu/HOPE-SSM, config or script of this task, for arXiv:2405.13975; the paper's own table of settings was not reachable",
        (
            *own.notes,
            *(() if mixer.lr_h is not None else ("h at the network's rate: this row",)),
            "causal kernels in both directions (row hope) stand for the release's two-sided filter, which is the row hope-twosided",
            "read out from the mean over all steps",
            *_data_notes(benchmark, "paper"),
        ),
    )


def paper(benchmark: str, variant: str) -> Recipe:
    """The published setting of the row."""
    mixer = _fitted(benchmark, VARIANTS[variant].mixer)
    if isinstance(mixer, DSSSpec):
        return _dss_paper(benchmark, mixer)
    if isinstance(mixer, HOPESpec):
        return _hope_paper(benchmark, mixer)
    return _s4_paper(benchmark, mixer)


# ---------------------------------------------------------------- the tables

MAKERS: Final[Makers] = {"quick": quick, "small": small, "paper": paper}
MAKERS_HERE: Final[Makers] = {"quick": quick, "small": small}
"""Of tasks without a published setting."""


def _benchmark(name: str, title: str, about: str) -> Benchmark:
    makers = MAKERS if name in OFFICIAL else MAKERS_HERE
    return Benchmark(
        name=name,
        title=title,
        metric="accuracy",
        about=about,
        recipe=recipes(name, makers),
        scales=tuple(makers),
        published=PUBLISHED.get(name, ()),
    )


LRA_FILES: Final = "the official files are part of the Long Range Arena (Apache 2.0)"
REVIEWS: Final = "IMDB film reviews (Maas et al., 2011; no formal licence)"
PATHFINDER: Final = (
    "Grey images with two long dashed curves, shorter distractors, and two discs: do the discs lie on the ends of one curve? One pixel per "
    "step, row by row; the answer is read from the mean over all steps, or from the last step where a setting says so. {} "
    f"Generated here after Kim et al. (2020, arXiv:1906.01558) with 14 dashes a curve, 80 / 10 / 10 cut with a fixed seed; {LRA_FILES}. "
    "Two classes, equally frequent up to chance: 50 %."
)

BENCHMARKS: Final = (
    _benchmark(
        "lra-listops",
        "LRA ListOps",
        "Nested MIN, MAX, MEDIAN and SUM MODULO 10 of digits in prefix notation, one of 18 tokens per step, 501 to 2,000 steps, padded and "
        "masked; the value of the expression, a digit, is read from the mean over all steps. Generated here with the grammar of Nangia and "
        f"Bowman (2018) as in the Long Range Arena, 96,000 / 2,000 / 2,000; {LRA_FILES}. Answers are not equally frequent: always saying 0 "
        "or 9 scores 17 %, and the first operator alone allows for more.",
    ),
    _benchmark(
        "lra-text",
        "LRA Text",
        f"{REVIEWS}, one character per step, cut at 4,096 and masked; positive or negative is read from the mean over all steps, or from "
        "the last one where a setting says so. The official 25,000 test reviews; of the 25,000 for training a tenth is held out for the "
        "choice of the checkpoint, where the literature chooses on the test set (validation=test does so here). Chance is 50 %.",
    ),
    _benchmark(
        "lra-retrieval",
        "LRA Retrieval",
        "Pairs of papers of the ACL Anthology Network (Radev et al., 2013), each up to 4,000 characters and masked: does one cite the "
        "other? Both documents go through the same network, and the answer is read from the two means over all steps, their difference and "
        "their product. "
        f"147,086 / 18,090 / 17,437 pairs; {LRA_FILES}, and there is no generator: see retrieval-imdb. Chance is 50 %.",
    ),
    _benchmark(
        "retrieval-imdb",
        "Retrieval, film reviews",
        f"Pairs of {REVIEWS}, each up to 4,000 characters and masked: are both about the same film? The two-tower task of LRA Retrieval on "
        "texts that can be had, and a task of its own: its numbers say nothing about LRA's, and there is no published setting. Chance is "
        "50 %.",
    ),
    _benchmark("lra-pathfinder", "LRA Pathfinder", PATHFINDER.format("32 x 32 pixels, 1,024 steps.")),
    _benchmark("lra-pathx", "LRA Path-X", PATHFINDER.format("128 x 128 pixels, 16,384 steps; many models never leave chance.")),
    _benchmark("pathfinder64", "Pathfinder, 64 x 64", PATHFINDER.format("64 x 64 pixels, 4,096 steps; no published setting is known.")),
    _benchmark(
        "pathfinder256",
        "Pathfinder, 256 x 256",
        PATHFINDER.format("256 x 256 pixels, 65,536 steps; settings of the few published numbers could not be verified."),
    ),
)
