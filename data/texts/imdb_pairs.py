"""Two IMDB reviews: are they about the same film? A task of its own, on data that anybody can have, of the kind of LRA Retrieval.

Pairs are drawn so that nothing but the content of both reviews together tells the answer. The pairs of different films are those of the
same film with the second reviews exchanged among pairs of like class and like length. So each review is the first (or second) of as many
pairs with answer 1 as with answer 0, and in both answers the classes of the two reviews (positive or negative) go together equally often,
and so do their lengths up to a quartile. A film, and a text, is in one part only.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Final, Literal

import numpy as np
from numpy.typing import NDArray

from data.base import PARTS, DataError, Say, Signature, silent
from data.card import Card
from data.files.digests import sha256
from data.files.prepared import Made, Prepared, opened, prepare
from data.ragged import Ragged
from data.sampling import SPLIT, Ids, philox_key
from data.subsets import RaggedSpec
from data.texts.imdb import LICENCE, SOURCE, films, ids_at, plan_of_release, tokenised, tokenised_opened
from data.texts.imdb_release import key
from data.texts.towers import consecutive, module

if TYPE_CHECKING:
    from data.module import SplitModule

NAME: Final = "imdb-pairs"
VERSION: Final = 1
SEED: Final = 2011
SHARES: Final = {"train": 0.8, "val": 0.1, "test": 0.1}
"""Shares of the pairs, about those of LRA Retrieval."""
HELD_OUT: Final = 0.1
"""Share of the training films that is kept for validation."""
QUARTILES: Final = (0.25, 0.5, 0.75)

# ---------------------------------------------------------------- drawing pairs


@dataclass(frozen=True)
class Reviews:
    """Film, class and tokens of each review; the first half is the official training part."""

    film: NDArray[np.int64]
    label: NDArray[np.int64]
    tokens: Ragged


def pools(reviews: Reviews, rng: np.random.Generator) -> dict[str, Ids]:
    """Ids of the reviews that each part draws from: no film in two parts, no text twice. The test part has the first choice of both."""
    n = len(reviews.film)
    texts: dict[bytes, int] = {}
    for i in [*range(n // 2, n), *range(n // 2)]:
        texts.setdefault(reviews.tokens.row(i).tobytes(), i)
    once = np.sort(np.fromiter(texts.values(), dtype=np.int64))
    test = once[once >= n // 2]
    train = once[once < n // 2]
    train = train[~np.isin(reviews.film[train], reviews.film[n // 2 :])]
    known = np.unique(reviews.film[train])
    kept_out = np.isin(reviews.film[train], rng.permutation(known)[: int(np.ceil(HELD_OUT * len(known)))])
    return {"train": train[~kept_out], "val": train[kept_out], "test": test}


def same_film(film: NDArray[np.int64], pool: Ids, rng: np.random.Generator) -> Ids:
    """(m, 2) Every pair of reviews of one film, in an order that uses all about equally often: neighbours on a circle first."""
    shuffled = rng.permutation(pool)
    shuffled = shuffled[np.argsort(film[shuffled], kind="stable")]
    _, start, size = np.unique(film[shuffled], return_index=True, return_counts=True)
    start, size = (np.repeat(values, size) for values in (start, size))
    place = np.arange(len(shuffled)) - start
    rounds = []
    for step in range(1, int(size.max(initial=0)) // 2 + 1):
        first = np.flatnonzero((2 * step < size) | ((2 * step == size) & (place < step)))
        partner = start[first] + (place[first] + step) % size[first]
        rounds.append(rng.permutation(np.stack([shuffled[first], shuffled[partner]], axis=1)))
    return np.concatenate([np.zeros((0, 2), np.int64), *rounds])


def exchanged(film: NDArray[np.int64], fine: NDArray[np.int64], coarse: NDArray[np.int64], rng: np.random.Generator) -> Ids:
    """A permutation of the pairs: pair i gets the second review of pair out[i], which is about another film and of the same kind.

    `film` (m,) of each pair; the kind is `fine`, or `coarse` where nothing fits otherwise. Raises DataError where that does not help.
    """
    out = np.arange(len(film))
    for kind in np.unique(fine):
        members = np.flatnonzero(fine == kind)
        out[members] = rng.permutation(members)
    for kinds in (fine, coarse):
        for i in np.flatnonzero(film[out] == film):
            others = np.flatnonzero((kinds == kinds[i]) & (film[out] != film[i]) & (film != film[out[i]]))
            if len(others):  # always but in small data
                j = rng.choice(others)
                out[i], out[j] = out[j], out[i]
    if (film[out] == film).any():
        raise DataError("the reviews are about too few films to make pairs of different ones")
    return out


def draw(reviews: Reviews, pool: Ids, n: int, part: str, rng: np.random.Generator) -> tuple[Ids, NDArray[np.uint8]]:
    """(n, 2) reviews and (n,) answers: n / 2 pairs of one film, and n / 2 of two. Raises DataError where there are not so many."""
    candidates = same_film(reviews.film, pool, rng)
    if len(candidates) < n // 2:
        raise DataError(f"{part} has {len(candidates):,} pairs of reviews of one film; {n // 2:,} are asked for: choose fewer pairs")
    same = rng.permuted(candidates[: n // 2], axis=1)
    label, length = reviews.label[same], reviews.tokens.lengths[same]
    bins = np.searchsorted(np.quantile(length, QUARTILES), length)
    coarse = label @ [2, 1]
    fine = 100 * coarse + bins @ [10, 1]
    other = np.stack([same[:, 0], same[exchanged(reviews.film[same[:, 0]], fine, coarse, rng), 1]], axis=1)
    order = rng.permutation(2 * len(same))
    answers = np.repeat(np.array([1, 0], dtype=np.uint8), len(same))
    return np.concatenate([same, other])[order], answers[order]


# ---------------------------------------------------------------- prepared once


def load(length: int, n: int, *, download: bool = False, say: Say = silent) -> Prepared:
    """ "pairs" (n, 2) of reviews in the order of `tokenised`, "same" (n,), "film" of each review; the parts one after another."""

    def make() -> Made:
        film = films(download=download, say=say).array("film")
        texts = tokenised("characters", length, download=download, say=say)
        tokens = Ragged(np.asarray(texts.array("values")), np.asarray(texts.array("offsets")))
        return drawn(Reviews(np.asarray(film), texts.array("labels").astype(np.int64), tokens), n)

    return prepare(f"{NAME}-{n}-{length}", _key(length, n), make)


def _key(length: int, n: int) -> str:
    return key(VERSION, "pairs", length, n)


def drawn(reviews: Reviews, n: int) -> Made:
    """Draws the pairs of all parts. Raises DataError where a film or a text is in two parts."""
    rng = np.random.Generator(np.random.Philox(key=philox_key(SPLIT, SEED)))
    pool = pools(reviews, rng)
    sizes = {part: 2 * round(SHARES[part] * n / 2) for part in PARTS}
    made = {part: draw(reviews, pool[part], sizes[part], part, rng) for part in PARTS}
    used = {part: set(reviews.film[pairs].ravel().tolist()) for part, (pairs, _) in made.items()}
    if used["train"] & used["val"] or used["test"] & (used["train"] | used["val"]):
        raise DataError("a film is in two parts of the pairs")
    pairs, same = (np.concatenate(arrays) for arrays in zip(*made.values(), strict=True))
    facts = {
        "source": SOURCE,
        "licence": LICENCE,
        "counts": sizes,
        "classes": {
            part: {"different films": int((answers == 0).sum()), "same film": int(answers.sum())} for part, (_, answers) in made.items()
        },
        "films": {part: len(own) for part, own in used.items()},
        "split": {
            "rule": f"the official parts, and {HELD_OUT:.0%} of the training films for validation",
            "sha256": sha256(*consecutive(sizes).values()),
        },
    }
    return Made(arrays={"pairs": pairs.astype(np.int32), "same": same, "film": reviews.film}, facts=facts)


# ---------------------------------------------------------------- the data set

CARD: Final = Card(
    name=NAME,
    title="Same film? (pairs of IMDB reviews)",
    what="Two reviews, read character by character by the same network; the question is whether they are about the same film. Not LRA "
    "Retrieval and never compared with its published numbers: it is here because AAN cannot be downloaded on its own.",
    size="50,000 pairs (the field pairs): 40,000 / 5,000 / 5,000, half of each about one film. Reviews of lra-text, cut to 4,000 steps.",
    licence=LICENCE,
    source="Made here from aclImdb_v1.tar.gz or its unpacked folder, whose lists urls_pos.txt and urls_neg.txt say the film of each review",
    citation="The reviews: A. L. Maas et al., Learning Word Vectors for Sentiment Analysis, ACL 2011",
    splits="Test pairs of official test reviews; training pairs of official training reviews but for a tenth of their films, of which the "
    "validation pairs are. The one film that the publishers have in both parts is left to the test part. A text that occurs more than once "
    "is used once.",
    issues=(
        "neither sentiment nor length tells the answer: pairs of different films are those of one film with the second reviews exchanged "
        "among pairs of the same two classes and of like lengths (quartiles)",
        "no review alone tells it either: each stands in as many pairs with answer 1 as with answer 0",
        "names of actors and of the film in both reviews do tell it, which is the task; such names may lie beyond the 3,999th character",
        "the vocabulary is that of lra-text at the same length, counted on all official training reviews",
        "chance is 50 %",
    ),
)


@dataclass(frozen=True, kw_only=True)
class IMDBPairsSpec(RaggedSpec):
    """Two reviews as character ids, each cut to `length` steps with <eos>; the label is 1 where they are about the same film."""

    version: ClassVar[int] = 1
    task: ClassVar[tuple[str, ...]] = ("length",)
    card: ClassVar[Card] = CARD

    length: int = 4000
    """Longest sequence of either review, as in LRA Retrieval."""
    pairs: int = 50_000
    """Pairs in all: 80 % to train, 10 % each to validate and to test."""
    source: Literal["official"] = "official"
    """The reviews are the publisher's."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.require_at_least(2, "length")
        self.require_at_least(20, "pairs")

    @property
    def signature(self) -> Signature:
        """Both reviews have one token per step; there are two classes."""
        return Signature(length=self.length, vocab=ids_at(self.length), d_output=2, two_towers=True)

    def load(self, *, download: bool = False, say: Say = silent) -> Prepared:
        """Opens the pairs; they and the reviews are prepared where they are not there."""
        tokenised("characters", self.length, download=download, say=say)
        return load(self.length, self.pairs, download=download, say=say)

    def opened(self) -> Prepared | None:
        """Opens the pairs; None where they or the reviews are not there."""
        if tokenised_opened("characters", self.length) is None:
            return None
        return opened(f"{NAME}-{self.pairs}-{self.length}", _key(self.length, self.pairs))

    def plan(self) -> str:
        """Says where the reviews would come from, and how many pairs would be drawn."""
        return f"{plan_of_release()}, 131 MB of prepared arrays, and {self.pairs:,} pairs drawn from them; half a minute"

    def build(self, *, batch_size: int, seed: int) -> SplitModule:
        """The data module; batches are {"x": (B, 2, L) int64, "y": (B,) int64, "lengths": (B, 2)}, L a multiple of 64. Raises DataError."""
        drawn, texts = self.load(), tokenised("characters", self.length)
        same = drawn.array("same").astype(np.int64)
        splits = self.take(consecutive(drawn.counts()), same)
        return module(
            Ragged(np.asarray(texts.array("values")), np.asarray(texts.array("offsets"))),
            drawn.array("pairs").astype(np.int64),
            same,
            splits,
            limit=self.length,
            batch_size=batch_size,
            seed=seed,
            content_hash=sha256(texts.digests(), drawn.digests(), *(splits[part] for part in PARTS)),
            sorting=self.sorting,
        )
