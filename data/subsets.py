"""What data sets with files or a generator share: fixed parts of their splits, and one way to make, find and describe them."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Final, Literal

import numpy as np
from numpy.typing import NDArray

from data.base import PARTS, DataError, DataSpec, Say, silent
from data.card import Card
from data.protocol import require_choices
from data.sampling import Ids, stratified_subset

if TYPE_CHECKING:
    from data.files.prepared import Prepared

VERBS: Final = {"train": "train", "val": "validate", "test": "test"}
SUBSET_SEED: Final = 1010


@dataclass(frozen=True, kw_only=True)
class SplitSpec(DataSpec):
    """A data set that is prepared once into arrays and split into train, val and test, or a fixed part of it."""

    card: ClassVar[Card]

    train_subset: int | None = None
    """Only so many training samples, the same for every run and the classes as equal in number as can be; None is all."""
    val_subset: int | None = None
    test_subset: int | None = None

    def __post_init__(self) -> None:
        require_choices(self)
        for part, k in self._subsets().items():
            if k is not None and k < 1:
                raise ValueError(f"{part}_subset is a number of samples, 1 or more, or None for all; got {k}")

    def _subsets(self) -> dict[str, int | None]:
        return {"train": self.train_subset, "val": self.val_subset, "test": self.test_subset}

    def take(self, splits: Mapping[str, Ids], labels: NDArray[np.integer] | None) -> dict[str, Ids]:
        """Ids per part, subsets taken; without labels (regression) at random. Raises ValueError where a subset is larger than its part."""
        wanted = self._subsets()
        out = {}
        for name, ids in splits.items():
            k = wanted[name]
            if k is None:
                out[name] = ids
            else:
                classes = np.zeros(int(ids.max()) + 1, dtype=np.int64) if labels is None else labels
                try:
                    out[name] = stratified_subset(ids, classes, k, SUBSET_SEED)
                except ValueError as error:
                    raise ValueError(f"{name}_subset: {error}") from error
        return out

    @abstractmethod
    def load(self, *, download: bool = False, say: Say = silent) -> Prepared:
        """The prepared arrays: from the cache, else from official files or the generator; from the network only where asked.

        Raises DataError, which says what is missing, where to put it, and which command gets it.
        """

    @abstractmethod
    def opened(self) -> Prepared | None:
        """The prepared arrays where they are there; nothing is made. Raises DataError where they are damaged."""

    @abstractmethod
    def plan(self) -> str:
        """What `load` would fetch or generate, how large, where to, and about how long it takes: one or two sentences."""

    def sizes(self, prepared: Prepared) -> dict[str, int]:
        """Reads how many samples each part has before a subset is taken. Raises DataError where the manifest does not say."""
        return prepared.counts()

    def prepare(self, say: Say = silent) -> None:
        """Makes the prepared arrays where they are not there, without the network.

        Raises DataError where files are missing, or a part has fewer samples than are asked for: before anything is trained.
        """
        sizes, wanted = self.sizes(self.load(say=say)), self._subsets()
        if any(sizes[part] < (wanted[part] or 1) for part in PARTS):
            there = ", ".join(f"{sizes[part]:,} to {VERBS[part]}" for part in PARTS)
            needed = ", ".join(f"{wanted[part] or 1:,} to {VERBS[part]}" for part in PARTS)
            choice = ",".join(f"{part}_subset=all" for part in PARTS if wanted[part] is not None and sizes[part])
            raise DataError(
                f"{self.card.title} has {there} here, and {needed} are needed: more data"
                + (f", or PROTOCOL={choice} (all that is there, a run of its own)" if choice and all(sizes.values()) else "")
            )


@dataclass(frozen=True, kw_only=True)
class RaggedSpec(SplitSpec):
    """A data set whose rows differ in length, so that batches are padded."""

    batches: Literal["sorted", "shuffled"] = "sorted"
    """sorted: a batch holds rows of like length, which pads little and is faster; shuffled: rows as they come, as in the literature."""

    def sorting(self, lengths: Ids) -> Ids | None:
        """The lengths (n,) by which batches are to be sorted; None where they are not."""
        return lengths if self.batches == "sorted" else None
