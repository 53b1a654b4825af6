"""What the image data sets share: the literature's split of the official training images, and fixed subsets of its parts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, Literal

import numpy as np
from numpy.typing import NDArray

from data.files.digests import sha256
from data.sampling import Ids, torch_permutation
from data.subsets import SplitSpec

SPLIT_SEED: Final = 42
"""The seed of torch.utils.data.random_split in state-spaces/s4."""


def cut(order: Ids, n: int) -> dict[str, Ids]:
    """Ids per part: the first 90 % of the permuted official training images, the others, and the official test images up to n."""
    train = int(len(order) * 0.9)
    return {"train": np.asarray(order[:train]), "val": np.asarray(order[train:]), "test": np.arange(len(order), n, dtype=np.int64)}


def split_facts(train: int, labels: NDArray[np.uint8], classes: tuple[str, ...]) -> tuple[Ids, dict[str, Any]]:
    """Draws the order of the `train` official training images, and writes what the manifest says of the split: (order, facts)."""
    order = torch_permutation(SPLIT_SEED, train)
    splits = cut(order, len(labels))
    balance = {name: np.bincount(labels[ids], minlength=len(classes)).tolist() for name, ids in splits.items()}
    return order, {
        "counts": {name: len(ids) for name, ids in splits.items()},
        "classes": {name: dict(zip(classes, counts, strict=True)) for name, counts in balance.items()},
        "split": {"rule": f"torch.randperm of seed {SPLIT_SEED}, the first 90 % to train", "sha256": sha256(*splits.values())},
    }


@dataclass(frozen=True, kw_only=True)
class ImageSpec(SplitSpec):
    """A data set of pictures with the literature's split, or a fixed part of it."""

    source: Literal["official"] = "official"
    """Where the images come from; published numbers stand beside official ones only."""

    def splits(self, order: Ids, labels: NDArray[np.int64]) -> dict[str, Ids]:
        """Ids per part, subsets taken. Raises ValueError where a subset is larger than its part."""
        return self.take(cut(order, len(labels)), labels)
