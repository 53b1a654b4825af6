"""The quick scale: one small network for every task and variant, minutes on two CPU cores."""

from __future__ import annotations

from typing import Final

from benchmarks.recipe import ANY, Row, Rows
from benchmarks.setting import ANY_MIXER, DT, Setting
from data.base import DataSpec
from data.subsets import SplitSpec
from models import Cosine, ModelSpec, OptimSpec

THIS_SUITE: Final = "this suite"

TOO_SHORT: Final = "so few steps may leave a row at chance: they show that it runs, and what it costs"
"""The note of tasks that are too short at this scale to rank the rows by."""


def quick_rows(
    data: DataSpec,
    *notes: str,
    epochs: int,
    batch_size: int,
    warmup: int = 20,
    pool_last: int | None = None,
    dt: tuple[float, float] = DT,
    padded: bool = False,
    source: str = THIS_SUITE,
) -> Rows:
    """One row for all variants: 2 layers of 32 channels, in one direction and without dropout; variants differ in their mixer only."""
    setting = Setting(
        model=ModelSpec(mixer=ANY_MIXER, n_layers=2, d_model=32, pool_last=pool_last),
        optim=OptimSpec(lr=1e-2, weight_decay=1e-2, schedule=Cosine(warmup_steps=warmup)),
        epochs=epochs,
        batch_size=batch_size,
    )
    adapt = lambda mixer: mixer.with_time_scale(*dt)
    return {ANY: Row(setting=setting, data=data, source=source, notes=notes, adapt=adapt, padded=padded)}


def describe_network(epochs: int) -> str:
    """The note that says how small the network is and how long it trains."""
    return f"2 layers of 32 channels for {epochs} epochs, in one direction, no dropout"


def describe_part(data: SplitSpec, things: str, whole: str) -> str:
    """The note that says how many of the `things` in a data set are used, out of how many."""
    return f"{data.train_subset:,} training, {data.val_subset:,} validation and {data.test_subset:,} test {things} out of {whole}"
