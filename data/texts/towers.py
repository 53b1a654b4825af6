"""Two towers: a sample is two texts, read by the same network side by side. Texts are stored once, a sample is a pair of numbers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from data.base import PARTS
from data.ragged import Ragged
from data.sampling import Ids

if TYPE_CHECKING:
    from data.module import SplitModule


def consecutive(counts: Mapping[str, int]) -> dict[str, Ids]:
    """Gives the ids of each part, where train, val and test lie one after another."""
    starts = np.cumsum([0, *(counts[part] for part in PARTS)])
    return {part: np.arange(starts[i], starts[i + 1]) for i, part in enumerate(PARTS)}


def module(
    texts: Ragged,
    pairs: Ids,
    labels: Ids,
    splits: Mapping[str, Ids],
    *,
    limit: int,
    batch_size: int,
    seed: int,
    content_hash: str,
    sorting: Callable[[Ids], Ids | None],
    shared_validation: bool = False,
) -> SplitModule:
    """The data module; batches are {"x": (B, 2, L) int64, "y": (B,) int64, "lengths": (B, 2)}, L a multiple of 64 or `limit`.

    `pairs` (n, 2) are numbers of texts. `sorting` makes of the length of the longer text of each pair that by which batches are sorted.
    """
    from data.module import SplitModule

    def make(split: str, ids: Ids, epoch: int) -> dict[str, NDArray[Any]]:
        x, lengths = texts.padded(pairs[ids].reshape(-1), multiple=64, limit=limit)
        return {"x": x.reshape(len(ids), 2, -1), "y": labels[ids], "lengths": lengths.reshape(len(ids), 2)}

    return SplitModule(
        splits,
        len(pairs),
        make,
        batch_size=batch_size,
        seed=seed,
        content_hash=content_hash,
        lengths=sorting(texts.lengths[pairs].max(axis=1)),
        shared_validation=shared_validation,
    )
