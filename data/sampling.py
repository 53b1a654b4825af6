"""Splits, orders and noise as pure functions of integers: nothing here depends on batch size, worker or call order.

The generator is Philox, which is counter-based: a stream is a key, a place in it is a counter. A stream is keyed by a few integers,
and each sample has its own stretch of the counter, so the noise of sample 17 is the same whoever asks and whatever was drawn before.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

Ids = NDArray[np.int64]

SPLIT: Final = 1
ORDER: Final = 2
NOISE: Final = 3
"""First integer of every key, so that the three uses never share a stream."""

EVERY_EVALUATION: Final = 2**32 - 1
"""Stands where training noise has its epoch; no run has that many."""


def philox_key(*integers: int) -> NDArray[np.uint64]:
    """Makes the 128-bit Philox key of a tuple of non-negative integers."""
    return np.random.SeedSequence(integers).generate_state(2, np.uint64).astype(np.uint64)


def permutation(seed: int, epoch: int, n: int) -> Ids:
    """(n,) The order in which epoch `epoch` visits the training samples: the same for every model trained with `seed`."""
    return np.random.Generator(np.random.Philox(key=philox_key(ORDER, seed, epoch))).permutation(n).astype(np.int64)


def uniform_noise(stream: Sequence[int], ids: Ids, shape: tuple[int, ...]) -> NDArray[np.float32]:
    """(B, *shape) i.i.d. uniform on [0, 1), a function of (stream, id) for each row. `stream` is e.g. (seed, epoch)."""
    philox = np.random.Philox(key=philox_key(NOISE, *stream))
    generator, at_start = np.random.Generator(philox), philox.state
    counter = at_start["state"]["counter"]
    out = np.empty((len(ids), *shape), dtype=np.float32)
    for row, i in zip(out, ids.tolist(), strict=True):
        counter[2] = i  # of four words: every sample owns 2^128 blocks
        philox.state = at_start  # set anew and not made anew, which takes longer than the numbers of a row
        generator.random(dtype=np.float32, out=row)
    return out


def stratified_split(labels: NDArray[np.integer], shares: Mapping[str, float], seed: int) -> dict[str, Ids]:
    """Sample ids per part, sorted; each class is cut in the same shares (rounded), after a shuffle that only `seed` decides."""
    if abs(sum(shares.values()) - 1) > 1e-9:
        raise ValueError(f"the shares of a split add up to 1, got {dict(shares)}")
    edges = np.cumsum([0.0, *shares.values()])
    parts: dict[str, list[Ids]] = {name: [] for name in shares}
    rng = np.random.Generator(np.random.Philox(key=philox_key(SPLIT, seed)))
    for label in np.unique(labels):
        members = rng.permutation(np.flatnonzero(labels == label)).astype(np.int64)
        cuts = np.rint(edges * len(members)).astype(int)
        for name, start, stop in zip(shares, cuts[:-1], cuts[1:], strict=True):
            parts[name].append(members[start:stop])
    return {name: np.sort(np.concatenate(ids)) for name, ids in parts.items()}


def torch_permutation(seed: int, n: int) -> Ids:
    """(n,) torch's permutation of a seeded generator: what torch.utils.data.random_split cuts, and so the splits of the literature."""
    import torch

    return torch.randperm(n, generator=torch.Generator().manual_seed(seed)).numpy()


def stratified_subset(ids: Ids, labels: NDArray[np.integer], k: int, seed: int) -> Ids:
    """(k,) of the samples `ids`, sorted, the classes as equal in number as they can be; a smaller k gives a part of a larger one's."""
    if not 0 < k <= len(ids):
        raise ValueError(f"a subset has between 1 and {len(ids)} samples, got {k}")
    rng = np.random.Generator(np.random.Philox(key=philox_key(SPLIT, seed)))
    shuffled = rng.permutation(ids).astype(np.int64)
    rank = np.empty(len(ids), dtype=np.int64)  # how many of the same class come before
    for label in np.unique(labels[ids]):
        members = np.flatnonzero(labels[shuffled] == label)
        rank[members] = np.arange(len(members))
    return np.sort(shuffled[np.argsort(rank, kind="stable")[:k]])


def require_split(splits: Mapping[str, Ids], n: int) -> None:
    """Raises ValueError unless every id lies in [0, n) and in at most one part, and no part is empty."""
    for name, ids in splits.items():
        if len(ids) == 0:
            raise ValueError(f"the {name} part of the split is empty")
    together = np.concatenate(list(splits.values()))
    if together.min() < 0 or together.max() >= n:
        raise ValueError(f"a split names samples outside 0..{n - 1}")
    if len(np.unique(together)) != len(together):
        raise ValueError("a sample lies in two parts of the split")
