"""Pairs of reviews: that nothing but both texts together tells the answer, on made-up reviews and on the real ones."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from data.base import DataError
from data.files.prepared import Made, prepare
from data.ragged import Ragged
from data.texts import imdb_pairs
from data.texts.imdb_pairs import IMDBPairsSpec, Reviews, draw, drawn, exchanged, pools, same_film
from data.texts.towers import consecutive

N = 3000
PARTS = ("train", "val", "test")


def reviews(n: int = N, films: int = 150, seed: int = 0) -> Reviews:
    """Two parts with films of their own and one in common; the class hangs on the film, and so does the length; a few copies."""
    rng = np.random.default_rng(seed)
    film = np.concatenate([rng.integers(0, films, n // 2), rng.integers(films - 1, 2 * films - 1, n // 2)])
    good = rng.random(2 * films)
    label = (rng.random(n) < good[film]).astype(np.int64)
    rows = [np.append(rng.integers(3, 90, 5 + 40 * f % 300 + rng.integers(0, 60)), 2) for f in film]
    for copy, original in ((3, 7), (11, n - 2), (n - 5, n - 9)):
        rows[copy] = rows[original]
    return Reviews(film, label, Ragged.from_rows(rows, np.uint8))


def parts(made: Made) -> dict[str, tuple[Any, Any]]:
    return {part: (made.arrays["pairs"][ids], made.arrays["same"][ids]) for part, ids in consecutive(made.facts["counts"]).items()}


def check(found: Reviews, made: Made) -> None:
    """What holds of every drawing."""
    texts: dict[str, set[bytes]] = {}
    films: dict[str, set[int]] = {}
    for part, (pairs, same) in parts(made).items():
        assert made.facts["counts"][part] == len(pairs)
        assert 2 * same.sum() == len(same)
        np.testing.assert_array_equal(found.film[pairs[:, 0]] == found.film[pairs[:, 1]], same == 1)
        yes, no = pairs[same == 1], pairs[same == 0]
        for place in (0, 1):  # the same reviews in the same places
            np.testing.assert_array_equal(np.sort(yes[:, place]), np.sort(no[:, place]))
        both = found.label[pairs] @ [2, 1]
        np.testing.assert_array_equal(np.bincount(both[same == 1], minlength=4), np.bincount(both[same == 0], minlength=4))
        texts[part] = {found.tokens.row(i).tobytes() for i in np.unique(pairs).tolist()}
        assert len(texts[part]) == len(np.unique(pairs))  # no text twice, so no pair of a text with itself
        assert (pairs[:, 0] != pairs[:, 1]).all()
        assert len(np.unique(np.sort(yes, axis=1), axis=0)) == len(yes)
        films[part] = set(found.film[pairs].ravel().tolist())
    for a, b in (("train", "val"), ("train", "test"), ("val", "test")):
        assert not films[a] & films[b]
        assert not texts[a] & texts[b]


@pytest.mark.parametrize("seed", range(3))
def test_only_both_texts_together_tell(seed: int) -> None:
    found = reviews(seed=seed)
    check(found, drawn(found, 2000))


def test_lengths_go_together_alike_in_both_answers() -> None:
    """Films have lengths of their own here: with second reviews exchanged at random the correlations would differ by more than 0.5."""
    found = reviews()
    pairs, same = parts(drawn(found, 2000))["train"]
    length = found.tokens.lengths[pairs]
    together, apart = (np.corrcoef(length[same == answer].T)[0, 1] for answer in (1, 0))
    assert together > 0.6
    assert abs(together - apart) < 0.12
    shuffled = length[same == 1].copy()
    np.random.default_rng(0).shuffle(shuffled[:, 1])
    assert abs(np.corrcoef(shuffled.T)[0, 1]) < 0.2


def test_drawing_is_repeatable_and_more_pairs_are_other_pairs() -> None:
    found = reviews()
    first, second = drawn(found, 1000), drawn(found, 1000)
    for name in ("pairs", "same"):
        np.testing.assert_array_equal(first.arrays[name], second.arrays[name])
    assert first.facts["counts"] == {"train": 800, "val": 100, "test": 100}
    assert first.facts == second.facts


def test_the_film_of_both_official_parts_stays_in_the_test_part() -> None:
    found = reviews()
    pool = pools(found, np.random.default_rng(0))
    common = set(found.film[: N // 2].tolist()) & set(found.film[N // 2 :].tolist())
    assert len(common) == 1
    assert not common & set(found.film[np.concatenate([pool["train"], pool["val"]])].tolist())
    assert common <= set(found.film[pool["test"]].tolist())
    assert N - 2 in pool["test"]  # its copy is a training review, which is left out
    assert 11 not in pool["train"]
    assert 11 not in pool["val"]
    assert pool["test"].min() >= N // 2 > max(pool["train"].max(), pool["val"].max())


def test_every_pair_of_a_film_comes_once_and_every_review_early() -> None:
    film = np.array([0] * 6 + [1] * 5 + [2] * 2 + [3])
    found = same_film(film, np.arange(len(film)), np.random.default_rng(0))
    assert len(found) == 15 + 10 + 1
    assert len({frozenset(pair) for pair in found.tolist()}) == len(found)
    assert (film[found[:, 0]] == film[found[:, 1]]).all()
    assert set(found[:12].ravel().tolist()) == set(range(13))


@pytest.mark.parametrize("seed", range(20))
def test_exchanging_finds_other_films_even_where_kinds_are_narrow(seed: int) -> None:
    film = np.array([0, 0, 0, 1, 1, 1, 2, 2])
    fine = np.array([0, 0, 0, 0, 1, 1, 1, 2])  # one kind has one film too many, one has one pair
    out = exchanged(film, fine, np.zeros(8, np.int64), np.random.default_rng(seed))
    assert sorted(out.tolist()) == list(range(8))
    assert (film[out] != film).all()


def test_too_few_films_or_pairs_are_told() -> None:
    found = reviews(n=60, films=2)
    with pytest.raises(DataError, match="too few films"):
        draw(found, np.flatnonzero(found.film == 0), 20, "train", np.random.default_rng(0))
    with pytest.raises(DataError, match=r"train has .* pairs of reviews of one film; 40,000 are asked for: choose fewer pairs"):
        drawn(reviews(), 100_000)


def test_batches_have_two_towers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSM_DATA", str(tmp_path))
    found = reviews()
    texts = prepare("texts", "key", lambda: Made(arrays={"values": found.tokens.values, "offsets": found.tokens.offsets}))
    monkeypatch.setattr(imdb_pairs, "tokenised", lambda *_, **__: texts)
    monkeypatch.setattr(imdb_pairs, "load", lambda length, n, **__: prepare("pairs", str(n), lambda: drawn(found, n)))
    spec = IMDBPairsSpec(length=400, pairs=1000, test_subset=50)
    module = spec.build(batch_size=16, seed=0)
    assert module.counts() == {"train": 800, "val": 100, "test": 50}
    seen = 0
    for batch in module.train_dataloader():
        x, lengths = batch["x"], batch["lengths"]
        assert x.shape[1] == lengths.shape[1] == 2
        assert x.shape[2] in (64, 128, 192, 256, 320, 384, 400)
        assert torch.equal(x == 0, torch.arange(x.shape[2]) >= lengths[..., None])
        seen += len(x)
    assert seen == 800
    ids = module.order(0)[:16]
    batch = next(iter(module.train_dataloader()))
    prepared = imdb_pairs.load(400, 1000)
    for row, i in zip(batch["x"], ids, strict=True):
        for tower, review in zip(row, prepared.array("pairs")[i], strict=True):
            expected = found.tokens.row(int(review))
            np.testing.assert_array_equal(tower[: len(expected)], expected)
    np.testing.assert_array_equal(batch["y"], prepared.array("same")[ids])
    assert spec.signature.two_towers
    assert IMDBPairsSpec().signature.vocab == 134


def test_parts_lie_one_after_another() -> None:
    found = consecutive({"test": 1, "train": 3, "val": 2})
    assert {part: ids.tolist() for part, ids in found.items()} == {"train": [0, 1, 2], "val": [3, 4], "test": [5]}


@pytest.mark.parametrize(("options", "message"), [({"length": 1}, "2 or more"), ({"pairs": 3}, "20 or more")])
def test_bad_options_are_named(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        IMDBPairsSpec(**options)


def test_the_real_pairs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    given = os.environ.get("SSM_TEST_DATA")
    if not given or not (Path(given) / "aclImdb").is_dir():
        pytest.skip("SSM_TEST_DATA names no folder with aclImdb")
    monkeypatch.setenv("SSM_DATA", str(tmp_path))
    (tmp_path / "aclImdb").symlink_to(Path(given).absolute() / "aclImdb")
    spec = IMDBPairsSpec()
    prepared = spec.load()
    assert spec.opened() is not None
    texts = imdb_pairs.tokenised("characters", 4000)
    film = np.asarray(prepared.array("film"))
    found = Reviews(film, texts.array("labels").astype(np.int64), Ragged(np.asarray(texts.array("values")), texts.array("offsets")))
    made = Made(arrays={name: np.asarray(prepared.array(name)) for name in ("pairs", "same")}, facts=prepared.manifest)
    check(found, made)
    assert prepared.manifest["counts"] == {"train": 40_000, "val": 5_000, "test": 5_000}
    assert len(np.unique(film)) == 7_036
    for pairs, same in parts(made).values():
        length = found.tokens.lengths[pairs]
        together, apart = (np.corrcoef(length[same == answer].T)[0, 1] for answer in (1, 0))
        assert abs(together - apart) < 0.03
