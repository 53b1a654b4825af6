"""Rows of different length in one flat array: how texts and expressions are stored, and how a batch of them is padded."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from data.sampling import Ids


@dataclass(frozen=True)
class Ragged:
    """Row i is values[offsets[i] : offsets[i + 1]]; both arrays may be memory-mapped."""

    values: NDArray[Any]
    """(total,) integers."""
    offsets: Ids
    """(n + 1,), from 0, never falling."""

    @classmethod
    def from_rows(cls, rows: Sequence[NDArray[Any]], dtype: type[np.integer]) -> Ragged:
        """Puts the rows one after another. Raises ValueError for a value that `dtype` does not hold."""
        offsets = np.zeros(len(rows) + 1, dtype=np.int64)
        np.cumsum([len(row) for row in rows], out=offsets[1:])
        flat = np.concatenate([np.zeros(0, dtype), *rows])
        values = flat.astype(dtype, copy=False)
        if not np.array_equal(values, flat):
            raise ValueError(f"values from {flat.min()} to {flat.max()} do not fit into {np.dtype(dtype)}")
        return cls(values, offsets)

    def __len__(self) -> int:
        return len(self.offsets) - 1

    @property
    def lengths(self) -> Ids:
        """The number of items of each row, (n,)."""
        return np.diff(self.offsets)

    def row(self, i: int) -> NDArray[Any]:
        """The items of row i."""
        return self.values[self.offsets[i] : self.offsets[i + 1]]

    def padded(self, ids: Ids, *, multiple: int = 1, limit: int | None = None) -> tuple[Ids, Ids]:
        """Fills the rows `ids` up with 0 to one length: (x (B, L), lengths (B,)).

        L is the longest of these rows rounded up to `multiple`, but no more than `limit`, which no row may exceed (ValueError).
        """
        lengths = self.offsets[ids + 1] - self.offsets[ids]
        longest = int(lengths.max())
        if limit is not None and longest > limit:
            raise ValueError(f"a row has {longest} items, more than the {limit} a batch may have")
        L = -(-longest // multiple) * multiple
        x = np.zeros((len(ids), L if limit is None else min(L, limit)), dtype=np.int64)
        for line, i in zip(x, ids.tolist(), strict=True):
            row = self.row(i)
            line[: len(row)] = row
        return x, lengths
