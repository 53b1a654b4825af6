"""Texts as ids: the counted vocabulary against a slow count, bytes, and what happens at the edges."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from data.texts.vocabulary import BYTE_IDS, EOS, PAD, UNK, Vocabulary, encode_bytes

TEXTS = ["abab\U0001f600", "", "bé" * 3, "zéa", "\U0001f600" * 4, "a" * 30]
RAW = [t.encode() for t in TEXTS]


def slow(texts: list[str], cut: int, min_freq: int) -> list[str]:
    counts = Counter(character for t in texts for character in t[:cut])
    return sorted((c for c, n in counts.items() if n >= min_freq), key=lambda c: (-counts[c], ord(c)))


@pytest.mark.parametrize("chunk", [1, 2, 1000])
@pytest.mark.parametrize("cut", [1, 3, 100])
@pytest.mark.parametrize("min_freq", [1, 2, 5])
def test_the_vocabulary_is_that_of_a_slow_count(monkeypatch: pytest.MonkeyPatch, chunk: int, cut: int, min_freq: int) -> None:
    monkeypatch.setattr("data.texts.vocabulary.CHUNK", chunk)
    vocabulary = Vocabulary.counted(RAW, cut=cut, min_freq=min_freq)
    expected = slow(TEXTS, cut, min_freq)
    assert list(vocabulary.characters) == expected
    assert len(vocabulary) == len(expected) + 3
    rows = vocabulary.encode(RAW, cut=cut)
    for i, t in enumerate(TEXTS):
        ids = [expected.index(c) + 3 if c in expected else UNK for c in t[:cut]]
        assert rows.row(i).tolist() == [*ids, EOS]


def test_equally_frequent_characters_come_by_code_point_and_the_least_frequency_is_inclusive() -> None:
    assert Vocabulary.counted([b"zzyyxxx", b"w"], cut=9, min_freq=2).characters == "xyz"


def test_a_text_counts_as_often_as_it_is_told() -> None:
    times = np.array([1, 5, 0])
    assert Vocabulary.counted([b"aaa", b"b", b"c"], cut=9, times=times).characters == "ba"


def test_ids_are_as_small_as_they_can_be() -> None:
    many = "".join(map(chr, range(0x4E00, 0x4E00 + 300)))
    assert Vocabulary.counted([b"ab"], cut=9).encode([b"ab"], cut=9).values.dtype == np.uint8
    wide = Vocabulary.counted([many.encode()], cut=999).encode([many.encode()], cut=999)
    assert wide.values.dtype == np.uint16
    assert sorted(wide.values.tolist()) == [EOS, *range(3, 303)]


def test_every_byte_has_an_id_of_its_own_and_none_is_padding() -> None:
    row = encode_bytes([bytes(range(256))], cut=1000).row(0)
    assert row.tolist() == list(range(1, BYTE_IDS))


def test_bytes_are_cut_without_an_end_and_an_empty_text_is_one_step_of_padding() -> None:
    rows = encode_bytes(["\U0001f600é".encode(), b"", b"\0", b""], cut=5)
    assert rows.lengths.tolist() == [5, 1, 1, 1]
    assert rows.row(0).tolist() == [b + 1 for b in "\U0001f600é".encode()[:5]]
    assert [rows.row(i).tolist() for i in (1, 2, 3)] == [[PAD], [1], [PAD]]
