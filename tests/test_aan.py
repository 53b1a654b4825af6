"""AAN: the official form in miniature, both ways of reading quotation marks, and damaged rows. The real files were never at hand."""

from __future__ import annotations

import csv
import os
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from data.base import DataError
from data.files.prepared import Prepared
from data.files.root import root
from data.ragged import Ragged
from data.sampling import permutation
from data.texts.aan import AANSpec
from data.texts.aan_release import DIGESTS, FILES, FOLDERS, URL, digests_of_files, remembered_digests, rows

Row = tuple[str, str, str, str, str]


def rows_of(seed: int, n: int) -> list[Row]:
    """Papers that stand in several pairs, some of them longer than 100 characters."""
    rng = np.random.default_rng(seed)
    papers = ["".join(rng.choice(list("abcde fé\U0001f600"), 20 + 17 * i % 190)) for i in range(12)]
    return [
        (f"{float(rng.integers(2))}", f"id{a}", f"id{b}", papers[a], papers[b])
        for a, b in (rng.choice(12, 2, replace=False) for _ in range(n))
    ]


class Miniature:
    """Three files; `write` puts them into the data root."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.rows = {part: rows_of(i, n) for i, (part, n) in enumerate({"train": 40, "val": 12, "test": 15}.items())}

    def write(self, **changed: bytes) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        for part, name in FILES.items():
            content = "".join("\t".join(row) + "\n" for row in self.rows[part]).encode()
            (self.folder / name).write_bytes(changed.get(part, content))

    def vocab(self, cut: int) -> list[str]:
        counts = Counter(c for row in self.rows["train"] for text in row[3:] for c in text[:cut])
        return sorted(counts, key=lambda c: (-counts[c], ord(c)))


@pytest.fixture
def mini(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Miniature:
    monkeypatch.setenv("SSM_DATA", str(tmp_path))
    return Miniature(tmp_path / "tsv_data")


def spec(mini: Miniature, **options: Any) -> AANSpec:
    length = options.pop("length", 100)
    if options.get("tokens") == "bytes":
        return AANSpec(length=length, **options)
    return AANSpec(length=length, vocab=len(mini.vocab(length - 1)) + 3, **options)


def texts(prepared: Prepared) -> list[tuple[int, list[int], list[int]]]:
    """(label, ids, ids) of every pair."""
    rows = Ragged(prepared.array("values"), prepared.array("offsets"))
    return [
        (int(label), *(rows.row(int(i)).tolist() for i in pair))  # type: ignore[misc]
        for label, pair in zip(prepared.array("labels"), prepared.array("pairs"), strict=True)
    ]


# ---------------------------------------------------------------- the good case


@pytest.mark.parametrize("length", [10, 100, 4000])
def test_characters_are_cut_ended_and_counted_over_both_texts_of_every_training_row(mini: Miniature, length: int) -> None:
    mini.write()
    prepared = spec(mini, length=length).load()
    ids = {c: i + 3 for i, c in enumerate(mini.vocab(length - 1))}
    expected = [
        (int(float(row[0])), *([*(ids.get(c, 1) for c in text[: length - 1]), 2] for text in row[3:]))
        for part in FILES
        for row in mini.rows[part]
    ]
    assert texts(prepared) == expected
    assert prepared.manifest["counts"] == {"train": 40, "val": 12, "test": 15}
    assert sum(prepared.manifest["classes"]["train"].values()) == 40
    assert prepared.manifest["texts"] <= 36
    prepared.verify()


def test_bytes_are_cut_and_have_no_end(mini: Miniature) -> None:
    mini.write()
    prepared = spec(mini, tokens="bytes", length=50).load()
    expected = [
        (int(float(row[0])), *([b + 1 for b in text.encode()[:50]] for text in row[3:])) for part in FILES for row in mini.rows[part]
    ]
    assert texts(prepared) == expected
    assert AANSpec(tokens="bytes").signature.vocab == 257


@pytest.mark.parametrize("folder", FOLDERS)
def test_every_place_of_the_release_is_found(mini: Miniature, tmp_path: Path, folder: str) -> None:
    mini.folder = tmp_path / folder
    mini.write()
    assert spec(mini).load().manifest["counts"]["train"] == 40


def test_batches_have_two_towers(mini: Miniature) -> None:
    mini.write()
    module = spec(mini).build(batch_size=8, seed=0)
    prepared = spec(mini).load()
    ids = module.order(0)[:8]
    batch = next(iter(module.train_dataloader()))
    x, lengths = batch["x"], batch["lengths"]
    assert x.shape[:2] == lengths.shape == (8, 2)
    assert x.shape[2] in (64, 100)
    assert torch.equal(x == 0, torch.arange(x.shape[2]) >= lengths[..., None])
    everything = texts(prepared)
    for row, n, y, i in zip(x, lengths, batch["y"], ids.tolist(), strict=True):
        assert [int(y), *(tower[:k].tolist() for tower, k in zip(row, n, strict=True))] == list(everything[i])
    assert module.counts() == {"train": 40, "val": 12, "test": 15}
    shuffled = replace(spec(mini), batches="shuffled").build(batch_size=8, seed=0)
    assert shuffled.order(0).tolist() == np.sort(module.order(0))[permutation(0, 0, 40)].tolist() != module.order(0).tolist()


def test_validation_on_the_test_file_has_to_be_asked_for(mini: Miniature) -> None:
    mini.write()
    module = spec(mini, validation="test").build(batch_size=8, seed=0)
    assert module.counts() == {"train": 40, "val": 15, "test": 15}
    assert module.content_hash() != spec(mini).build(batch_size=8, seed=0).content_hash()


# ---------------------------------------------------------------- quotation marks


QUOTED = b'1.0\ta\tb\t"one ""two""\tthree\n0.0\tc\td\tfour\tfive "six"\n'
"""Two rows; the first text begins with a mark, and the next lone mark is nowhere."""
BALANCED = b'1.0\ta\tb\t"one"\ttwo\n0.0\tc\td\t"four ""4"""\tfi"v"e\n'


def test_the_two_ways_of_reading_differ_where_a_text_begins_with_a_mark(tmp_path: Path) -> None:
    path = tmp_path / "x.tsv"
    path.write_bytes(BALANCED)
    assert list(rows(path, "none")) == [(1, b'"one"', b"two"), (0, b'"four ""4"""', b'fi"v"e')]
    assert list(rows(path, "csv")) == [(1, b"one", b"two"), (0, b'four "4"', b'fi"v"e')]


def test_a_lone_mark_swallows_what_follows_only_where_marks_are_read(tmp_path: Path) -> None:
    path = tmp_path / "x.tsv"
    path.write_bytes(QUOTED)
    assert list(rows(path, "none")) == [(1, b'"one ""two""', b"three"), (0, b"four", b'five "six"')]
    with pytest.raises(DataError, match=r"row 1 is damaged: it has 4 fields instead of 5; 1 of 1 rows are"):
        list(rows(path, "csv"))


def test_csv_is_that_of_pandas(tmp_path: Path) -> None:
    """What state-spaces/s4 uses, by way of the datasets library."""
    pandas = pytest.importorskip("pandas")
    path = tmp_path / "x.tsv"
    path.write_bytes(BALANCED + '1.0\te\tf\t"a\tb\nc"\té\U0001f600\r\n0.0\tg\th\tx"\ty\n'.encode())
    table = pandas.read_csv(path, sep="\t", header=None)
    expected = [(int(label), a.encode(), b.encode()) for label, a, b in zip(table[0], table[3], table[4], strict=True)]
    assert list(rows(path, "csv")) == expected
    assert len(expected) == 4


def test_quoting_is_part_of_what_is_prepared(mini: Miniature) -> None:
    mini.rows["train"][0] = ("1.0", "x", "y", '"abc"', "bcd")
    mini.write()
    plain = spec(mini).load()
    marks = AANSpec(length=100, quoting="csv", vocab=len(mini.vocab(99)) + 2).load()
    assert plain.folder != marks.folder
    assert '"' in plain.manifest["vocabulary"]
    assert '"' not in marks.manifest["vocabulary"]
    limit = csv.field_size_limit()
    assert limit < 1 << 30  # put back


# ---------------------------------------------------------------- bad input


def damaged(mini: Miniature, at: int, row: bytes) -> bytes:
    good = ["\t".join(r).encode() for r in mini.rows["train"]]
    good[at] = row
    return b"\n".join(good) + b"\n"


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (b"1.0\ta\tb\tone", "has 4 fields instead of 5"),
        (b"1.0\ta\tb\tone\ttwo\tthree", "has 6 fields instead of 5"),
        (b"", "has 1 fields instead of 5"),
        (b"2.0\ta\tb\tone\ttwo", "label is 2.0, and labels are 0.0 and 1.0"),
        (b"nan\ta\tb\tone\ttwo", "label is nan"),
        (b"1e0\ta\tb\tone\ttwo", "label is 1e0, and labels are 0.0 and 1.0"),
        (b"-0.0\ta\tb\tone\ttwo", "label is -0.0"),
        (b" 1.0\ta\tb\tone\ttwo", "label is  1.0"),
        (b"0_0\ta\tb\tone\ttwo", "label is 0_0"),
        (b"cites\ta\tb\tone\ttwo", "label 'cites' is no number"),
        (b"1.0\ta\tb\tone\tcaf\xe9", "a text is not UTF-8"),
        (b"1.0\ta\tb\t\xed\xa0\x80\tx", "a text is not UTF-8"),
    ],
)
@pytest.mark.parametrize("quoting", ["none", "csv"])
def test_damaged_rows_are_told_by_number_and_count(mini: Miniature, row: bytes, message: str, quoting: str) -> None:
    mini.write(train=damaged(mini, 6, row) + row + b"\n")
    if row == b"" and quoting == "csv":
        message = "has 0 fields"
    with pytest.raises(DataError, match=rf"new_aan_pairs\.train\.tsv: row 7 is damaged: .*{message}.*; 2 of 41 rows are"):
        spec(mini, quoting=quoting).load()
    assert spec(mini, quoting=quoting).opened() is None


def test_a_file_of_windows_is_read_too(mini: Miniature) -> None:
    mini.write()
    expected = texts(spec(mini).load())
    for name in FILES.values():
        path = mini.folder / name
        path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    assert texts(spec(mini).load()) == expected


def test_an_empty_file_is_told(mini: Miniature) -> None:
    mini.write(val=b"")
    with pytest.raises(DataError, match=r"new_aan_pairs\.eval\.tsv is empty"):
        spec(mini).load()


def test_empty_texts_are_kept_and_counted(mini: Miniature) -> None:
    mini.rows["train"][3] = ("1.0", "x", "y", "", "bcd")
    mini.write()
    prepared = spec(mini).load()
    assert prepared.manifest["empty texts"] == 1
    assert texts(prepared)[3][1] == [2]
    assert texts(spec(mini, tokens="bytes").load())[3][1] == [0]


def test_another_vocabulary_than_announced_names_both_and_the_way_out(mini: Miniature) -> None:
    mini.write()
    found = len(mini.vocab(99)) + 3
    with pytest.raises(DataError, match=rf"have {found} ids .* 98 were announced .*vocab={found}"):
        AANSpec(length=100).load()
    assert AANSpec(length=100, vocab=found).load().manifest["ids"] == found
    assert AANSpec().signature.vocab == 98


def test_nothing_there_says_where_to_get_what(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSM_DATA", str(tmp_path))
    for download in (False, True):
        with pytest.raises(DataError) as caught:
            AANSpec().load(download=download)
        for part in (URL, "7.7 GB", "no checksum", *FILES.values(), str(tmp_path / "tsv_data"), "retrieval-imdb"):
            assert part in str(caught.value)
    assert AANSpec().opened() is None
    assert "by hand" in AANSpec().plan()


def test_a_missing_file_is_named(mini: Miniature) -> None:
    mini.write()
    (mini.folder / FILES["val"]).unlink()
    with pytest.raises(DataError, match=r"has no new_aan_pairs\.eval\.tsv; all three"):
        spec(mini).load()


# ---------------------------------------------------------------- content


def test_files_are_hashed_once_and_again_when_they_change(mini: Miniature) -> None:
    mini.write()
    said: list[str] = []
    first = spec(mini).load(say=said.append)
    assert sum("hashing" in line for line in said) == 3
    said.clear()
    assert spec(mini).load(say=said.append).folder == first.folder
    assert said == []
    path = mini.folder / FILES["test"]
    content = path.read_bytes()
    path.write_bytes((b"0" if content.startswith(b"1") else b"1") + content[1:])  # another label: same size
    stat = path.stat()
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns + 1_000_000_000))
    assert spec(mini).opened() is None
    assert spec(mini).load().folder != first.folder


def test_nothing_but_the_cache_is_needed_afterwards(mini: Miniature) -> None:
    mini.write()
    first = spec(mini).load()
    for name in FILES.values():
        (mini.folder / name).unlink()
    assert spec(mini).load().folder == first.folder
    with pytest.raises(DataError, match="is not here"):
        spec(mini, length=50).load()


def test_pairs_in_two_parts_are_counted(mini: Miniature) -> None:
    a, b = mini.rows["train"][0], mini.rows["train"][1]
    mini.rows["val"][0] = (a[0], a[2], a[1], a[4], a[3])  # the other way round
    mini.rows["test"][5] = b
    mini.write()
    assert spec(mini).load().manifest["pairs in two parts"] == 2


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"tokens": "words"}, "characters, bytes"),
        ({"validation": "held-out"}, "given, test"),
        ({"quoting": "all"}, "none, csv"),
        ({"length": 1}, "2 or more"),
        ({"tokens": "bytes", "vocab": 99}, "257"),
    ],
)
def test_bad_options_are_named(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        AANSpec(**options)


def test_damaged_memory_is_no_memory(mini: Miniature) -> None:
    mini.write()
    first = digests_of_files()
    memory = root() / "prepared" / DIGESTS
    for text in ("{}", "5", "null", "[]", '{"marks": 1, "digests": []}', "[" * 100_000, '{"marks": [], "digests": {"x": 1}}'):
        memory.write_text(text)
        assert remembered_digests() is None
        assert digests_of_files() == first


def test_a_line_without_an_end_is_refused(mini: Miniature, monkeypatch: pytest.MonkeyPatch) -> None:
    mini.write()
    monkeypatch.setattr("data.texts.aan_release.LONGEST", 10_000)
    for quoting in ("none", "csv"):
        mini.write(train=b"1.0\ta\tb\tone\t" + b"x" * 20_000 + b"\n")
        with pytest.raises(DataError, match=r"new_aan_pairs\.train\.tsv, line 1: 10,000 characters or more"):
            spec(mini, quoting=quoting).load()


def test_a_byte_order_mark_is_no_harm(mini: Miniature) -> None:
    mini.write()
    expected = texts(spec(mini).load())
    for name in FILES.values():
        path = next(mini.folder.rglob(name))
        path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    assert texts(spec(mini).load()) == expected
