"""Rows of different length: what is stored is what was given, and a padded batch holds each row whole, then zeros."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from data.files.prepared import Made, prepare
from data.ragged import Ragged

ROWS = [np.arange(1, n + 1) for n in (3, 0, 7, 1, 5)]


def rows() -> Ragged:
    return Ragged.from_rows(ROWS, np.uint8)


def test_rows_come_back() -> None:
    ragged = rows()
    assert len(ragged) == 5
    assert ragged.values.dtype == np.uint8
    assert ragged.offsets.tolist() == [0, 3, 3, 10, 11, 16]
    assert ragged.lengths.tolist() == [3, 0, 7, 1, 5]
    assert ragged.lengths.dtype == ragged.offsets.dtype == np.int64
    for i, row in enumerate(ROWS):
        np.testing.assert_array_equal(ragged.row(i), row)


def test_no_rows_are_no_rows() -> None:
    empty = Ragged.from_rows([], np.int16)
    assert (len(empty), len(empty.lengths), empty.values.dtype) == (0, 0, np.int16)


@pytest.mark.parametrize(
    "row, dtype", [([300], np.uint8), ([255, 256], np.uint8), ([-1], np.uint8), ([1 << 20], np.int16), ([1.5], np.int16)]
)
def test_values_that_do_not_fit_are_refused(row: list[float], dtype: type[np.integer]) -> None:
    """300 would become 44, silently."""
    with pytest.raises(ValueError, match="do not fit into"):
        Ragged.from_rows([np.array([1, 2]), np.array(row)], dtype)


def test_the_largest_values_fit() -> None:
    assert Ragged.from_rows([np.array([0, 255])], np.uint8).row(0).tolist() == [0, 255]
    assert Ragged.from_rows([np.array([-32768, 32767])], np.int16).row(0).tolist() == [-32768, 32767]


@pytest.mark.parametrize("multiple", [1, 4, 64])
def test_a_batch_holds_each_row_and_then_zeros(multiple: int) -> None:
    ids = np.array([4, 2, 0, 2])
    x, lengths = rows().padded(ids, multiple=multiple)
    assert x.dtype == lengths.dtype == np.int64
    assert lengths.tolist() == [5, 7, 3, 7]
    assert x.shape == (4, {1: 7, 4: 8, 64: 64}[multiple])
    for line, i, n in zip(x, ids, lengths, strict=True):
        np.testing.assert_array_equal(line[:n], ROWS[i])
        assert not line[n:].any()


def test_a_batch_is_as_long_as_its_own_longest_row() -> None:
    assert rows().padded(np.array([3, 0]))[0].shape == (2, 3)
    assert rows().padded(np.array([3, 0]), multiple=4)[0].shape == (2, 4)
    assert Ragged.from_rows([np.ones(8, int)], np.uint8).padded(np.array([0]), multiple=4)[0].shape == (1, 8)  # no further block


def test_the_limit_bounds_the_rounding_and_refuses_the_rows() -> None:
    assert rows().padded(np.array([2]), multiple=64, limit=7)[0].shape == (1, 7)
    assert rows().padded(np.array([2]), multiple=4, limit=100)[0].shape == (1, 8)
    with pytest.raises(ValueError, match="7 items, more than the 6"):
        rows().padded(np.array([0, 2]), multiple=4, limit=6)
    assert rows().padded(np.array([0]), limit=6)[0].shape == (1, 3)  # the long row is in another batch


def test_what_a_row_becomes_does_not_depend_on_its_batch() -> None:
    """But for the zeros after it."""
    rng = np.random.default_rng(0)
    ragged = Ragged.from_rows([rng.integers(1, 99, n) for n in rng.integers(1, 50, 30)], np.uint8)
    everything, _ = ragged.padded(np.arange(30), multiple=64)
    for ids in (np.array([7]), np.array([3, 7, 20]), rng.permutation(30)):
        x, lengths = ragged.padded(ids, multiple=16)
        for line, i, n in zip(x, ids, lengths, strict=True):
            np.testing.assert_array_equal(line[:n], everything[i, :n])
            assert not everything[i, n:].any()


def test_memory_mapped_rows_are_read_where_they_lie(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("SSM_DATA", str(tmp_path))
    ragged = rows()
    prepared = prepare("rows", "0", lambda: Made(arrays={"values": ragged.values, "offsets": ragged.offsets}))
    mapped = Ragged(prepared.array("values"), prepared.array("offsets"))
    x, lengths = mapped.padded(np.array([2, 0]))
    assert x.tolist() == [[1, 2, 3, 4, 5, 6, 7], [1, 2, 3, 0, 0, 0, 0]]
    assert lengths.tolist() == [7, 3]
    x[0, 0] = 9  # a batch is the caller's own
    assert mapped.row(2)[0] == 1
