"""Fixed parts of a split: the same for every run, even over the classes, nested, and of the right part."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, ClassVar

import numpy as np
import pytest

from data.base import PARTS, DataError, Say, Signature, silent
from data.card import Card
from data.files.prepared import Prepared
from data.sampling import Ids, require_split, stratified_subset
from data.subsets import SplitSpec

CARD = Card(name="toy", title="Toy", what="x", size="x", licence="x", source="x", citation="x", splits="x")


@dataclass(frozen=True, kw_only=True)
class ToySpec(SplitSpec):
    """A split without data."""

    card: ClassVar[Card] = CARD
    loads: ClassVar[list[tuple[bool, Say]]] = []

    @property
    def signature(self) -> Signature:
        return Signature(length=1, d_output=2, d_input=1)

    def load(self, *, download: bool = False, say: Say = silent) -> Prepared:
        self.loads.append((download, say))
        return Prepared(folder=None, manifest={"counts": {"train": 700, "val": 100, "test": 200}})  # type: ignore[arg-type]

    def opened(self) -> Prepared | None:
        return None

    def plan(self) -> str:
        return "nothing"

    def build(self, *, batch_size: int, seed: int) -> Any:
        raise NotImplementedError


SHUFFLED = np.random.default_rng(0).permutation(1000).astype(np.int64)
SPLITS = {"train": SHUFFLED[:700], "val": SHUFFLED[700:800], "test": SHUFFLED[800:]}
LABELS = np.random.default_rng(1).choice(4, 1000, p=[0.7, 0.2, 0.08, 0.02]).astype(np.uint8)


def taken(labels: Any = LABELS, **subsets: int | None) -> dict[str, Ids]:
    return ToySpec(**subsets).take(SPLITS, labels)  # type: ignore[arg-type]


def test_without_subsets_the_split_is_itself() -> None:
    found = taken()
    assert tuple(found) == PARTS
    for part in PARTS:
        np.testing.assert_array_equal(found[part], SPLITS[part])  # in the order it came in


@pytest.mark.parametrize("labels", [LABELS, None, LABELS.astype(np.int64)])
def test_a_subset_is_of_its_own_part_and_leaves_the_others_alone(labels: Any) -> None:
    for part, k in (("train", 50), ("val", 7), ("test", 200)):
        found = taken(labels, **{f"{part}_subset": k})
        assert len(set(found[part].tolist())) == k
        assert set(found[part].tolist()) <= set(SPLITS[part].tolist())
        for other in set(PARTS) - {part}:
            np.testing.assert_array_equal(found[other], SPLITS[other])
    both = taken(labels, train_subset=10, val_subset=20, test_subset=30)
    assert [len(both[part]) for part in PARTS] == [10, 20, 30]
    require_split(both, 1000)


def test_the_same_subset_whoever_asks() -> None:
    """A golden value as well: if it changes, every number on a subset does."""
    first = taken(train_subset=6)["train"]
    np.random.seed(3)
    np.testing.assert_array_equal(first, taken(train_subset=6, val_subset=5)["train"])
    assert first.dtype == np.int64
    assert first.tolist() == sorted(first.tolist())
    assert first.tolist() == GOLDEN


GOLDEN = [325, 400, 423, 582, 585, 828]


@pytest.mark.parametrize("k", [1, 4, 8, 40, 300])
def test_classes_are_as_equal_in_number_as_can_be(k: int) -> None:
    available = np.bincount(LABELS[SPLITS["train"]], minlength=4)
    found = np.bincount(LABELS[taken(train_subset=k)["train"]], minlength=4)
    assert found.sum() == k
    short = found < available  # a class that has some left has no fewer than any other, but for one
    assert found[short].min() >= found.max() - 1
    assert (found[~short] <= found.max()).all()


@pytest.mark.parametrize("labels", [LABELS, None])
def test_smaller_subsets_are_parts_of_larger_ones(labels: Any) -> None:
    found = [set(taken(labels, train_subset=k)["train"].tolist()) for k in (5, 17, 80, 350, 700)]
    assert all(a < b for a, b in pairwise(found))
    assert found[-1] == set(SPLITS["train"].tolist())


def test_without_labels_the_draw_is_at_random() -> None:
    """Neither the first nor the smallest ids."""
    found = taken(None, train_subset=100)["train"]
    assert set(found.tolist()) != set(SPLITS["train"][:100].tolist())
    assert set(found.tolist()) != set(np.sort(SPLITS["train"])[:100].tolist())
    assert abs(found.mean() - 500) < 120


def test_which_labels_decide_and_not_their_names() -> None:
    renamed = (LABELS.astype(np.int64) * 7 + 3)[:]
    assert np.bincount(LABELS[taken(renamed, train_subset=8)["train"]]).tolist() == [2, 2, 2, 2]


@pytest.mark.parametrize("part, size", [("train", 700), ("val", 100), ("test", 200)])
@pytest.mark.parametrize("labels", [LABELS, None])
def test_a_subset_larger_than_its_part_is_refused(part: str, size: int, labels: Any) -> None:
    assert len(taken(labels, **{f"{part}_subset": size})[part]) == size
    with pytest.raises(ValueError, match=rf"{part}_subset.*between 1 and {size}.*got {size + 1}"):
        taken(labels, **{f"{part}_subset": size + 1})


@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize("k", [0, -3])
def test_no_samples_are_no_subset(part: str, k: int) -> None:
    with pytest.raises(ValueError, match=f"{part}_subset is a number of samples, 1 or more, or None for all; got {k}"):
        ToySpec(**{f"{part}_subset": k})


def test_a_stratified_subset_takes_from_the_ids_only() -> None:
    ids = np.array([900, 3, 17, 501])
    for k in (1, 2, 3, 4):
        assert set(stratified_subset(ids, LABELS, k, 0).tolist()) <= set(ids.tolist())


def test_preparing_never_uses_the_network_and_passes_on_whom_to_tell() -> None:
    told: list[str] = []
    ToySpec.loads.clear()
    ToySpec().prepare(told.append)
    assert ToySpec.loads == [(False, told.append)]
    ToySpec().prepare()
    assert ToySpec.loads[-1] == (False, silent)


def test_the_mapping_that_was_given_is_left_as_it_was() -> None:
    before: Mapping[str, Ids] = {part: ids.copy() for part, ids in SPLITS.items()}
    taken(train_subset=3)
    for part in PARTS:
        np.testing.assert_array_equal(before[part], SPLITS[part])


@pytest.mark.parametrize("part, verb, size", [("train", "train", 700), ("val", "validate", 100), ("test", "test", 200)])
def test_a_part_that_is_too_small_is_told_while_preparing(part: str, verb: str, size: int) -> None:
    """Not by the run, hours later: the data are to blame, and the sentence says how many there are."""
    ToySpec(**{f"{part}_subset": size}).prepare()
    with pytest.raises(DataError, match=rf"has 700 to train, 100 to validate, 200 to test here, and .*{size + 1} to {verb}") as caught:
        ToySpec(**{f"{part}_subset": size + 1}).prepare()
    assert f"PROTOCOL={part}_subset=all" in str(caught.value)
