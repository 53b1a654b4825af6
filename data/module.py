"""The one LightningDataModule: a data set is a split of sample ids and a function that makes a batch of some of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

import numpy as np
from pytorch_lightning import LightningDataModule
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, Sampler

from data.sampling import Ids, check_split, permutation

MakeBatch = Callable[[str, Ids, int], dict[str, Tensor]]
"""make(split, ids, epoch) -> {"x": (B, L, d_input), "y": (B,), ...}; must not depend on which other ids share the batch."""

Request = tuple[Ids, int]


class _Requests(Sampler[Request]):
    """Yields (ids of a batch, epoch). Training is permuted anew each epoch; evaluation goes in order. The last batch may be short."""

    def __init__(self, ids: Ids, batch_size: int, seed: int | None) -> None:
        self.ids, self.batch_size, self.seed, self.epoch = ids, batch_size, seed, 0

    def set_epoch(self, epoch: int) -> None:
        """Called by the Trainer before every training epoch."""
        self.epoch = epoch

    def __len__(self) -> int:
        return -(-len(self.ids) // self.batch_size)

    def __iter__(self) -> Iterator[Request]:
        ids = self.ids if self.seed is None else self.ids[permutation(self.seed, self.epoch, len(self.ids))]
        for start in range(0, len(ids), self.batch_size):
            yield ids[start : start + self.batch_size], self.epoch


class _Batches(Dataset[dict[str, Tensor]]):
    """Indexed by a request, so that a whole batch is made by one vectorised call and no worker process is needed."""

    def __init__(self, split: str, make: MakeBatch) -> None:
        self.split, self.make = split, make

    def __getitem__(self, request: Request) -> dict[str, Tensor]:
        ids, epoch = request
        return self.make(self.split, ids, epoch)


class SplitModule(LightningDataModule):
    """Batches of `make` over the parts "train", "val" and "test" of `splits` (sample ids out of `n`).

    `seed` orders the training data; `content_hash` is the sha256 of everything the batches are made from.
    """

    def __init__(self, splits: Mapping[str, Ids], n: int, make: MakeBatch, *, batch_size: int, seed: int, content_hash: str) -> None:
        super().__init__()
        check_split(splits, n)
        self._splits, self._make = {name: np.asarray(ids, dtype=np.int64) for name, ids in splits.items()}, make
        self._batch_size, self._seed, self._hash = batch_size, seed, content_hash

    def content_hash(self) -> str:
        """sha256 of arrays and split."""
        return self._hash

    def counts(self) -> dict[str, int]:
        """Samples per part."""
        return {name: len(ids) for name, ids in self._splits.items()}

    def order(self, epoch: int) -> Ids:
        """(n_train,) Ids of the training samples in the order in which `epoch` visits them."""
        ids = self._splits["train"]
        return ids[permutation(self._seed, epoch, len(ids))]

    def train_dataloader(self) -> DataLoader[dict[str, Tensor]]:
        """Permuted by (seed, epoch)."""
        return self._loader("train", self._seed)

    def val_dataloader(self) -> DataLoader[dict[str, Tensor]]:
        """In fixed order, every sample once."""
        return self._loader("val", None)

    def test_dataloader(self) -> DataLoader[dict[str, Tensor]]:
        """In fixed order, every sample once."""
        return self._loader("test", None)

    def _loader(self, split: str, seed: int | None) -> DataLoader[dict[str, Tensor]]:
        requests = _Requests(self._splits[split], self._batch_size, seed)
        # batch_size=None switches collation off: the sampler already asks for whole batches
        return DataLoader(_Batches(split, self._make), sampler=requests, batch_size=None)
