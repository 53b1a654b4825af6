"""Sequences of tokens, padded and masked: ListOps, Text and Retrieval of the Long Range Arena, and pairs of film reviews."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from benchmarks.benchmark import Benchmark
from benchmarks.quick import NETWORK, describe_network, quick_rows
from benchmarks.recipe import SIZE, Row, Rows
from benchmarks.setting import Setting
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
from data.listops.spec import ListOpsSpec
from data.subsets import RaggedSpec
from data.texts.aan import AANSpec
from data.texts.imdb import IMDBSpec
from data.texts.imdb_pairs import IMDBPairsSpec
from models import Constant, Cosine, ModelSpec, OptimSpec, Plateau

REVIEWS: Final = "IMDB film reviews (Maas et al., 2011; no formal licence)"
HELD_OUT: Final = (
    "chosen on a tenth of the training reviews, held out; with validation=test, as in the original, none is, and the test set chooses"
)
SORTED: Final = "a batch holds rows of like length; batches=shuffled, as at the other scales and in the literature, holds them as they come"

LITERATURE: Final = {"source": "official", "batches": "shuffled"}
"""Choices of protocol behind all published numbers of these tasks."""


def _quick(
    data: RaggedSpec,
    whole: str,
    *notes: str,
    epochs: int,
    batch_size: int,
    network: ModelSpec = NETWORK,
    lr: float = 1e-2,
    reduced: str = "",
    idle: str = "",
) -> Rows:
    """What one core does in a minute or two for S4D: a part of the data, `whole`."""
    notes = (f"a small part of the data: {whole}", describe_network(epochs, network), *notes, SORTED)
    return quick_rows(data, *notes, epochs=epochs, batch_size=batch_size, network=network, lr=lr, padded=True, reduced=reduced, idle=idle)


SMALL_TEXT: Final = Setting(
    model=replace(SMALL_NETWORK, pool_last=1),
    optim=OptimSpec(lr=1e-2, weight_decay=0.0, schedule=Cosine(warmup_steps=1000, total_steps=25_000)),
    epochs=50,
    batch_size=50,
)


def _small_retrieval(data: RaggedSpec, *notes: str, epochs: int, batch_size: int) -> Rows:
    """The small setting of Text for pairs: read from the mean over all steps, with a cosine over the whole run."""
    optim = replace(SMALL_TEXT.optim, schedule=Cosine(warmup_steps=1000))
    setting = Setting(model=SMALL_NETWORK, optim=optim, epochs=epochs, batch_size=batch_size)
    return small_rows("imdb", setting, data, BORROWED.format("Text"), *notes, padded=True)


def _hope_config(
    setting: Setting,
    data: RaggedSpec,
    *notes: str,
    dt: tuple[float, float] = (1e-3, 0.1),
    lr_dt: float | None = None,
    train_dt: bool = True,
    data_notes: tuple[str, ...] = (),
) -> Row:
    """A config of HOPE's release: n = 64, and h frozen there by a slip."""
    return hope_row(
        setting,
        data,
        "h trained at 0.001 without decay, the rate of the authors' scripts; the paper has one rate for all but dt (row hope-paper-rates), "
        "and the release's config freezes h by a slip in an argument",
        "h begins with sum E|h|^2 = 1/8 in each channel, as everywhere here; in the release's layer for this task with 1/4",
        "dt = softplus(theta), as in the config",
        *notes,
        d_state=64,
        dt=dt,
        dt_link="softplus",
        lr_h=1e-3,
        lr_dt=lr_dt,
        train_dt=train_dt,
        data_notes=data_notes,
        padded=True,
    )


LISTOPS: Final = Benchmark(
    name="lra-listops",
    brief="nested lists of digits, up to 2,000 tokens; generated here, or the official files",
    title="LRA ListOps",
    kind="tokens",
    metric="accuracy",
    about=(
        "Nested MIN, MAX, MEDIAN and SUM MODULO 10 of digits in prefix notation, one of 18 tokens per step, 501 to 2,000 steps, padded and "
        "masked; the value of the expression, a digit, is read from the mean over all steps. Generated here with the grammar of Nangia and "
        f"Bowman (2018) as in the Long Range Arena, 96,000 / 2,000 / 2,000; {OFFICIAL_FILES}. Answers are not equally frequent: always "
        "saying 0 or 9 scores 17 %, and the first operator alone allows for more."
    ),
    rows={
        "quick": _quick(
            ListOpsSpec(rows=12_000, shortest=50, longest=200),
            "12,000 rows generated for training",
            "expressions of 50 to 200 tokens, drawn with the same grammar; the task has 501 to 1,999",
            epochs=6,
            batch_size=64,
            network=replace(NETWORK, prenorm=True),
            lr=5e-3,
            reduced="at most 200 tokens",
        ),
        "small": small_rows(
            "listops",
            Setting(
                model=replace(SMALL_NETWORK, prenorm=False),
                optim=OptimSpec(lr=1e-2, weight_decay=5e-2, schedule=Constant(warmup_steps=40 * 96_000 // 50)),
                epochs=40,
                batch_size=50,
            ),
            ListOpsSpec(batches="shuffled"),
            SIZE.format(269),
            "the rate rises over the whole run: the config's warm-up of timm's cosine has all of its 40 epochs",
            GENERATED,
            warm_up="it rises from step to step; there from epoch to epoch",
            padded=True,
        ),
        "paper": {
            **s4_rows(
                "listops",
                Setting(
                    model=replace(S4_NETWORK, n_layers=8, d_model=128, prenorm=False),
                    optim=OptimSpec(lr=1e-2, weight_decay=0.05, schedule=Cosine(warmup_steps=1000, total_steps=80_000)),
                    epochs=40,
                    batch_size=50,
                ),
                ListOpsSpec(source="official", batches="shuffled"),
                padded=True,
            ),
            "DSS": dss_row(
                Setting(
                    model=replace(DSS_NETWORK, d_model=128, prenorm=False),
                    optim=OptimSpec(lr=1e-2, weight_decay=1e-2, schedule=Plateau(factor=0.2, patience=5)),
                    epochs=50,
                    batch_size=50,
                ),
                ListOpsSpec(source="official", batches="shuffled"),
                lr_dt=2e-2,
                padded=True,
            ),
            "HOPE": _hope_config(
                Setting(
                    model=replace(HOPE_NETWORK, n_layers=8, prenorm=False),
                    optim=OptimSpec(lr=2e-3, weight_decay=0.03, schedule=Cosine(warmup_steps=5000, total_steps=800_000)),
                    epochs=167,
                    batch_size=20,
                ),
                ListOpsSpec(source="official", batches="shuffled"),
                "dt not trained",
                "167 epochs, the 800,000 steps of the config's cosine; the config goes on to 560",
                dt=(1e-4, 1.0),
                lr_dt=1e-3,
                train_dt=False,
            ),
        },
    },
    literature=LITERATURE,
)

TEXT: Final = Benchmark(
    name="lra-text",
    brief="film reviews as characters, up to 4,096: liked or not",
    title="LRA Text",
    kind="tokens",
    metric="accuracy",
    about=(
        f"{REVIEWS}, one character per step, cut at 4,096 and masked; positive or negative is read from the mean over all steps, or from "
        "the last one where a setting says so. The official 25,000 test reviews; of the 25,000 for training a tenth is held out for the "
        "choice of the checkpoint, where the literature chooses on the test set (validation=test does so here). Chance is 50 %."
    ),
    rows={
        "quick": _quick(
            IMDBSpec(train_subset=2000, val_subset=400, test_subset=1000),
            "2,000, 400 and 1,000 of 22,500, 2,500 and 25,000 reviews",
            epochs=3,
            batch_size=16,
        ),
        "small": small_rows(
            "imdb",
            SMALL_TEXT,
            IMDBSpec(batches="shuffled"),
            SIZE.format(283),
            HELD_OUT,
            "with a tenth held out the 50 epochs end after 22,500 of the cosine's 25,000 steps; with validation=test after all of them",
            padded=True,
        ),
        "paper": {
            **s4_rows(
                "imdb",
                Setting(
                    model=S4_NETWORK,
                    optim=OptimSpec(lr=1e-2, weight_decay=0.05, schedule=Cosine(warmup_steps=1000, total_steps=50_000)),
                    epochs=32,
                    batch_size=16,
                ),
                IMDBSpec(batches="shuffled"),
                data_notes=(
                    HELD_OUT,
                    "with a tenth held out the 32 epochs end after about 45,000 of the cosine's 50,000 steps; with validation=test after "
                    "all of them",
                ),
                padded=True,
            ),
            "DSS": dss_row(
                Setting(
                    model=replace(DSS_NETWORK, n_layers=4, d_model=128, pool_last=1),
                    optim=OptimSpec(lr=1e-2, weight_decay=0.0, schedule=Plateau(factor=0.2, patience=10)),
                    epochs=40,
                    batch_size=50,
                ),
                IMDBSpec(length=2048, batches="shuffled"),
                "reviews cut at 2,048 characters, half of what the rows of S4 see, as in the authors' config",
                HELD_OUT,
                lr_dt=2e-2,
                padded=True,
            ),
            "HOPE": _hope_config(
                Setting(
                    model=replace(HOPE_NETWORK, d_model=256),
                    optim=OptimSpec(lr=1e-2, weight_decay=0.05, schedule=Cosine(warmup_steps=5000, total_steps=50_000)),
                    epochs=32,
                    batch_size=16,
                ),
                IMDBSpec(batches="shuffled"),
                "32 epochs, with validation=test the 50,000 steps of the config's cosine, with a tenth held out about 45,000 of them; the "
                "config goes on to 160",
                data_notes=(HELD_OUT,),
            ),
        },
    },
    literature={**LITERATURE, "tokens": "characters", "validation": "test"},
)

AAN: Final = AANSpec(quoting="csv", batches="shuffled")
"""The pairs as state-spaces/s4 reads them, on which the code of DSS and of HOPE is built: with CSV quotation marks."""

RETRIEVAL: Final = Benchmark(
    name="lra-retrieval",
    brief="pairs of papers as characters, up to 4,000: does one cite the other; official files",
    title="LRA Retrieval",
    kind="tokens",
    metric="accuracy",
    about=(
        "Pairs of papers of the ACL Anthology Network (Radev et al., 2013), each up to 4,000 characters and masked: does one cite the "
        "other? Both documents go through the same network, and the answer is read from the two means over all steps, their difference and "
        "their product. "
        f"147,086 / 18,090 / 17,437 pairs; {OFFICIAL_FILES}, and there is no generator: see retrieval-imdb. Chance is 50 %."
    ),
    rows={
        "quick": _quick(
            AANSpec(train_subset=600, val_subset=200, test_subset=400),
            "600, 200 and 400 of 147,086, 18,090 and 17,437 pairs",
            epochs=2,
            batch_size=8,
            idle="as in retrieval-imdb, minutes are too short for what two documents have in common: this shows that it runs",
        ),
        "small": _small_retrieval(
            AANSpec(batches="shuffled"),
            SIZE.format(344),
            "but mean pooling, 20 epochs and batches of 64, as the full setting of Retrieval has them",
            epochs=20,
            batch_size=64,
        ),
        "paper": {
            **s4_rows(
                "aan",
                Setting(
                    model=S4_NETWORK,
                    optim=OptimSpec(lr=1e-2, weight_decay=0.05, schedule=Cosine(warmup_steps=2500, total_steps=50_000)),
                    epochs=20,
                    batch_size=64,
                ),
                AAN,
                padded=True,
            ),
            "DSS": dss_row(
                Setting(
                    model=DSS_NETWORK,
                    optim=OptimSpec(lr=2e-3, weight_decay=0.0, schedule=Plateau(factor=0.2, patience=20)),
                    epochs=25,
                    batch_size=64,
                ),
                AAN,
                lr_dt=1e-3,
                padded=True,
            ),
            "HOPE": _hope_config(
                Setting(
                    model=HOPE_NETWORK,
                    optim=OptimSpec(lr=8e-3, weight_decay=0.03, schedule=Cosine(warmup_steps=5000, total_steps=100_000)),
                    epochs=22,
                    batch_size=32,
                ),
                AAN,
                "one h per channel; the config shares one among all",
                "22 epochs, the 100,000 steps of the config's cosine; the config goes on to 160",
            ),
        },
    },
    literature={**LITERATURE, "tokens": "characters", "quoting": "csv", "validation": "given"},
)

REVIEW_PAIRS: Final = Benchmark(
    name="retrieval-imdb",
    brief="pairs of film reviews, up to 4,000: of one film or of two",
    title="Retrieval, film reviews",
    kind="tokens",
    metric="accuracy",
    about=(
        f"Pairs of {REVIEWS}, each up to 4,000 characters and masked: are both about the same film? The two-tower task of LRA Retrieval on "
        "texts that can be had, and a task of its own: its numbers say nothing about LRA's, and there is no published setting. Chance is "
        "50 %."
    ),
    rows={
        "quick": _quick(
            IMDBPairsSpec(train_subset=1500, val_subset=300, test_subset=600),
            "1,500, 300 and 600 of 40,000, 5,000 and 5,000 pairs",
            epochs=2,
            batch_size=8,
            idle="one film is told by names, spelled letter by letter in both: no row learns that in minutes, and this shows that it runs",
        ),
        "small": _small_retrieval(
            IMDBPairsSpec(batches="shuffled"),
            SIZE.format(349),
            "but mean pooling, and a cosine over the whole run",
            epochs=50,
            batch_size=50,
        ),
    },
)

BENCHMARKS: Final = (LISTOPS, TEXT, RETRIEVAL, REVIEW_PAIRS)
