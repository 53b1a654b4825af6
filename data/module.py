"""The one LightningDataModule: a data set is a split of sample ids and a function that makes arrays of some of them, a batch at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

import numpy as np
import torch
from numpy.typing import NDArray
from pytorch_lightning import LightningDataModule
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, Sampler

from data.sampling import Ids, permutation, require_split

MakeBatch = Callable[[str, Ids, int], Mapping[str, NDArray[Any]]]
"""make(split, ids, epoch) -> {"x": (B, L, d_input), "y": (B,), ...}; must not depend on which other ids share the batch."""

BatchOf = tuple[Ids, int]
"""What is asked for: the ids of one batch, and the epoch."""

POOL: Final = 50
"""Batches that are sorted by length together: long enough for little padding, short enough to mix lengths over an epoch."""


def batches(ids: Ids, batch_size: int, lengths: Ids | None = None, seed: int | None = None, epoch: int = 0) -> list[Ids]:
    """The ids of each batch; the last may be short.

    With a seed, in the order that (seed, epoch) draws. With lengths, a batch holds rows of like length: in training within a pool of 50
    batches, which come in an order drawn as well; in evaluation over everything, longest first.
    """
    if seed is not None:
        ids = ids[permutation(seed, epoch, len(ids))]
    pool = batch_size * (POOL if seed is not None else len(ids))
    out = []
    for start in range(0, len(ids), pool):
        part = ids[start : start + pool]
        if lengths is not None:
            part = part[np.argsort(-lengths[part], kind="stable")]
        out += [part[i : i + batch_size] for i in range(0, len(part), batch_size)]
    if lengths is not None and seed is not None:
        out = [out[i] for i in permutation(seed, epoch, len(out))]
    return out


class _Batched(Sampler[BatchOf]):
    """Yields (ids of a batch, epoch). Training is permuted anew each epoch; evaluation is the same every time."""

    def __init__(self, ids: Ids, batch_size: int, lengths: Ids | None, seed: int | None) -> None:
        self.ids, self.batch_size, self.lengths, self.seed, self.epoch = ids, batch_size, lengths, seed, 0

    def set_epoch(self, epoch: int) -> None:
        """Called by the Trainer before every training epoch."""
        self.epoch = epoch

    def __len__(self) -> int:
        return -(-len(self.ids) // self.batch_size)

    def __iter__(self) -> Iterator[BatchOf]:
        for ids in batches(self.ids, self.batch_size, self.lengths, self.seed, self.epoch):
            yield ids, self.epoch


class _Batches(Dataset[dict[str, Tensor]]):
    """Indexed by ids and epoch, so that a whole batch is made by one vectorised call and no worker process is needed."""

    def __init__(self, split: str, make: MakeBatch) -> None:
        self.split, self.make = split, make

    def __getitem__(self, wanted: BatchOf) -> dict[str, Tensor]:
        ids, epoch = wanted
        return {name: torch.from_numpy(array) for name, array in self.make(self.split, ids, epoch).items()}


class SplitModule(LightningDataModule):
    """Batches of `make` over the parts "train", "val" and "test" of `splits` (sample ids out of `n`).

    `seed` orders the training data; `content_hash` is the sha256 of everything the batches are made from. `lengths` (n,) makes batches of
    rows of like length. `zero_shot` names further ways to make the test batches, for which nothing is trained: e.g. "8khz".
    `shared_validation` is the literature's protocol of choosing on the test set: only then may "val" and "test" have samples in common.
    """

    def __init__(
        self,
        splits: Mapping[str, Ids],
        n: int,
        make: MakeBatch,
        *,
        batch_size: int,
        seed: int,
        content_hash: str,
        lengths: Ids | None = None,
        zero_shot: Mapping[str, MakeBatch] | None = None,
        shared_validation: bool = False,
    ) -> None:
        super().__init__()
        for left_out in ("test", "val") if shared_validation else (None,):
            require_split({name: ids for name, ids in splits.items() if name != left_out}, n)
        self._splits, self._make = {name: np.asarray(ids, dtype=np.int64) for name, ids in splits.items()}, make
        self._batch_size, self._seed, self._hash, self._lengths = batch_size, seed, content_hash, lengths
        self._zero_shot = dict(zero_shot or {})

    def content_hash(self) -> str:
        """The sha256 of everything the batches are made from."""
        return self._hash

    def counts(self) -> dict[str, int]:
        """Part -> number of samples."""
        return {name: len(ids) for name, ids in self._splits.items()}

    def order(self, epoch: int) -> Ids:
        """(n_train,) Ids of the training samples in the order in which `epoch` visits them."""
        return np.concatenate(batches(self._splits["train"], self._batch_size, self._lengths, self._seed, epoch))

    def train_dataloader(self) -> DataLoader[dict[str, Tensor]]:
        """The training batches, in an order that (seed, epoch) decide."""
        return self._loader("train", self._make, self._seed)

    def val_dataloader(self) -> DataLoader[dict[str, Tensor]]:
        """The validation batches in fixed order, every sample once."""
        return self._loader("val", self._make)

    def test_dataloader(self) -> DataLoader[dict[str, Tensor]]:
        """The test batches in fixed order, every sample once."""
        return self._loader("test", self._make)

    def zero_shot_dataloaders(self) -> dict[str, DataLoader[dict[str, Tensor]]]:
        """The test set made in each of the further ways."""
        return {name: self._loader("test", make) for name, make in self._zero_shot.items()}

    def _loader(self, split: str, make: MakeBatch, seed: int | None = None) -> DataLoader[dict[str, Tensor]]:
        ids_of_batches = _Batched(self._splits[split], self._batch_size, self._lengths, seed)
        # batch_size=None switches collation off: the sampler already asks for whole batches
        return DataLoader(_Batches(split, make), sampler=ids_of_batches, batch_size=None)
