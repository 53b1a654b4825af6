"""The quick scale: one small network for every task and variant, minutes on two CPU cores."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from benchmarks.recipe import ANY, Row, Rows
from benchmarks.setting import ANY_MIXER, DT, Setting
from data.base import DataSpec
from data.subsets import SplitSpec
from models import Cosine, ModelSpec, OptimSpec

THIS_SUITE: Final = "this suite"

NETWORK: Final = ModelSpec(mixer=ANY_MIXER, n_layers=2, d_model=32)
"""The network of most tasks: it looks one way, has no dropout, and normalizes each sum."""
BOTH_WAYS: Final = replace(NETWORK, norm="batch", prenorm=True, bidirectional=True)
"""The network of pictures whose answer lies in no one place: two directions, and batch norm before each layer."""


def quick_rows(
    data: DataSpec,
    *notes: str,
    epochs: int,
    batch_size: int,
    warmup: int = 20,
    pool_last: int | None = None,
    network: ModelSpec = NETWORK,
    lr: float = 1e-2,
    dt: tuple[float, float] = DT,
    padded: bool = False,
    reduced: str = "",
    idle: str = "",
    idle_with: Mapping[str, str] | None = None,
    source: str = THIS_SUITE,
) -> Rows:
    """One row for all variants, which differ in their mixer only. `reduced` says for titles how the task was made smaller, `idle` why
    no row is expected to beat the constant answer, `idle_with` the same for other choices of protocol."""
    setting = Setting(
        model=replace(network, pool_last=pool_last),
        optim=OptimSpec(lr=lr, weight_decay=1e-2, schedule=Cosine(warmup_steps=warmup)),
        epochs=epochs,
        batch_size=batch_size,
    )
    adapt = lambda mixer: mixer.with_time_scale(*dt)
    row = Row(
        setting=setting, data=data, source=source, notes=notes, adapt=adapt, padded=padded, reduced=reduced, idle=idle,
        idle_with=idle_with or {},
    )  # fmt: skip
    return {ANY: row}


def describe_network(epochs: int, network: ModelSpec = NETWORK) -> str:
    """The note that says how small the network is and how long it trains."""
    norm = f", {network.norm} norm before each layer" if network.prenorm else ""
    ways = "both directions" if network.bidirectional else "one direction"
    return f"{network.n_layers} layers of {network.d_model} channels for {epochs} epochs, in {ways}, no dropout{norm}"


def describe_part(data: SplitSpec, things: str, whole: str) -> str:
    """The note that says how many of the `things` in a data set are used, out of how many."""
    return f"{data.train_subset:,} training, {data.val_subset:,} validation and {data.test_subset:,} test {things} out of {whole}"
