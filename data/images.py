"""What the image data sets share: the literature's split of the official training images, and fixed subsets of its parts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, Literal

import numpy as np
from numpy.typing import NDArray

from data.base import DataSpec
from data.sampling import Ids, sha256, stratified_subset, torch_permutation

SPLIT_SEED: Final = 42
"""Of torch.utils.data.random_split in state-spaces/s4."""
SUBSET_SEED: Final = 1010
PARTS: Final = ("train", "val", "test")


def cut(order: Ids, n: int) -> dict[str, Ids]:
    """Ids per part: the first 90 % of the permuted official training images, the others, and the official test images up to n."""
    train = int(len(order) * 0.9)
    return {"train": np.asarray(order[:train]), "val": np.asarray(order[train:]), "test": np.arange(len(order), n, dtype=np.int64)}


def split_facts(train: int, labels: NDArray[np.uint8], classes: tuple[str, ...]) -> tuple[Ids, dict[str, Any]]:
    """(order of the `train` official training images, what the manifest says of the split)."""
    order = torch_permutation(SPLIT_SEED, train)
    splits = cut(order, len(labels))
    balance = {name: np.bincount(labels[ids], minlength=len(classes)).tolist() for name, ids in splits.items()}
    return order, {
        "counts": {name: len(ids) for name, ids in splits.items()},
        "classes": {name: dict(zip(classes, found, strict=True)) for name, found in balance.items()},
        "split": {"rule": f"torch.randperm of seed {SPLIT_SEED}, the first 90 % to train", "sha256": sha256(*splits.values())},
    }


@dataclass(frozen=True, kw_only=True)
class ImageSpec(DataSpec):
    """Images with the literature's split, or a fixed part of it."""

    train_subset: int | None = None
    """Only so many training images, the same for every run and the classes as equal in number as can be; None is all."""
    val_subset: int | None = None
    test_subset: int | None = None
    source: Literal["official"] = "official"
    """Where the images come from; published numbers stand beside official ones only."""

    def __post_init__(self) -> None:
        for part, k in self._subsets().items():
            if k is not None and k < 1:
                raise ValueError(f"{part}_subset is a number of images, 1 or more, or None for all; got {k}")

    def _subsets(self) -> dict[str, int | None]:
        return {"train": self.train_subset, "val": self.val_subset, "test": self.test_subset}

    def splits(self, order: Ids, labels: NDArray[np.int64]) -> dict[str, Ids]:
        """Ids per part, subsets taken. Raises ValueError where a subset is larger than its part."""
        wanted = self._subsets()
        return {
            name: ids if (k := wanted[name]) is None else stratified_subset(ids, labels, k, SUBSET_SEED)
            for name, ids in cut(order, len(labels)).items()
        }
