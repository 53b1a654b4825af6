"""Samples as training gets them: the batches of a loader, the first samples of each class, and which form of a set is here."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from benchmarks.registry import BENCHMARKS
from data.subsets import SplitSpec
from models import DEFAULT_VARIANTS

if TYPE_CHECKING:
    from data.base import DataSpec
    from data.files.prepared import Prepared

SEED: Final = 0
"""Orders the training samples and draws their noise."""
Spec = TypeVar("Spec", bound=SplitSpec)


@dataclass(frozen=True)
class Found(Generic[Spec]):
    """A form of a data set whose arrays are prepared, with these arrays."""

    spec: Spec
    prepared: Prepared


def first_here(forms: Sequence[Spec]) -> Found[Spec] | None:
    """The first of several forms of a set whose arrays are prepared, or None. Raises DataError where they are damaged."""
    for spec in forms:
        prepared = spec.opened()
        if prepared is not None:
            return Found(spec, prepared)
    return None


def used(kind: type[Spec]) -> list[Spec]:
    """The specs of a kind that the recipes train on, without their subsets; a quick recipe may use a smaller set than the full one."""
    found = [b.recipe(DEFAULT_VARIANTS[0], scale).run.data for b in BENCHMARKS.values() for scale in b.scales]
    return list(dict.fromkeys(replace(s, train_subset=None, val_subset=None, test_subset=None) for s in found if isinstance(s, kind)))


def batches(spec: DataSpec, part: str, batch_size: int) -> Iterator[dict[str, NDArray[Any]]]:
    """The batches of a part as arrays, those of training in the order of its first epoch."""
    module: Any = spec.build(batch_size=batch_size, seed=SEED)
    for batch in getattr(module, f"{part}_dataloader")():
        yield {name: tensor.numpy() for name, tensor in batch.items()}


def every(spec: DataSpec, part: str, field: str) -> NDArray[Any]:
    """One field ("y", "lengths") of all samples of a part, as a vector."""
    return np.concatenate([batch[field].reshape(-1) for batch in batches(spec, part, 256)])


def of_each_class(spec: DataSpec, classes: int, count: int) -> NDArray[np.floating[Any]]:
    """The first `count` training samples of every class, (classes, count, L, d); zeros where a class has fewer."""
    found: list[list[NDArray[Any]]] = [[] for _ in range(classes)]
    x: NDArray[Any] = np.zeros(0)
    for batch in batches(spec, "train", 64):
        for x, y in zip(batch["x"], batch["y"].tolist()):
            if len(found[y]) < count:
                found[y].append(x)
        if all(len(rows) == count for rows in found):
            break
    return np.array([rows + [np.zeros_like(x)] * (count - len(rows)) for rows in found])


def first(spec: DataSpec, n: int) -> list[dict[str, NDArray[Any]]]:
    """The first `n` training samples with all their fields, drawn one to a batch, so that they are of all lengths."""
    return [{name: array[0] for name, array in batch.items()} for batch in islice(batches(spec, "train", 1), n)]
