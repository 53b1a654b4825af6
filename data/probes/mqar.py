"""Multi-query associative recall: pairs of key and value, then each key again, where its value is asked (arXiv:2312.04927).

How far back an answer lies depends on what is read, which a linear time-invariant layer alone cannot follow.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from data.base import Signature
from data.card import Card
from data.probes.base import ProbeSpec, Sample, Uniform, distinct, probe_card, whole


@dataclass(frozen=True, kw_only=True)
class MQARSpec(ProbeSpec):
    """Multi-query associative recall: pairs of key and value, then every key once more, at which its value is to be told.

    arXiv 2312.04927. Ids: keys lie in 1 .. vocab/2 - 1, values in vocab/2 .. vocab - 1, and class c is the value vocab/2 + c. The second
    places of the keys are drawn from a power law: with `power` small, queries come soon after the pairs.
    """

    name: ClassVar[str] = "mqar"
    version: ClassVar[int] = 1
    card: ClassVar[Card] = probe_card(
        name="mqar",
        title="Multi-query associative recall",
        what="Four pairs of a key and its value, then each key once more among random tokens; there the question is its value.",
        size="64 steps, 8,192 symbols",
        citation="S. Arora et al., Zoology, arXiv:2312.04927",
        issues=(
            "the paper's figure has 64 to 512 steps with 4 to 64 pairs; its training set is finite (100,000), ours is drawn anew",
            "the tokens between queries are random, as in the paper's code; one of them may be a key, and is not scored",
            "answers are classes of the 4,096 values; the paper's are of all 8,192 symbols",
            "chance is 1 in 4,096; who knows which values were there, and not whose they are, scores 1 in 4",
        ),
    )

    length: int = 64
    pairs: int = 4
    vocab: int = 8192
    power: float = 0.01
    """Exponent a of the law k^(a - 1) of the k-th place after the pairs; 1 is uniform."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.require_at_least(1, "pairs")
        if self.length % 2 or self.length < 4 * self.pairs:
            raise ValueError(f"length of mqar is even and at least 4 for each of the {self.pairs} pairs, got {self.length}")
        if self.vocab % 2 or self.vocab // 2 <= self.pairs:
            raise ValueError(f"vocab of mqar is even, and its half exceeds the {self.pairs} pairs, got {self.vocab}")
        if not 0 < self.power < math.inf:
            raise ValueError(f"power is a positive number, got {self.power}")

    @property
    def signature(self) -> Signature:
        """Each step is a key or a value; the answer of a step is a value."""
        return Signature(length=self.length, vocab=self.vocab, d_output=self.vocab // 2, per_step=True)

    @property
    def places(self) -> int:
        """Where a query may stand: every second step after the pairs."""
        return self.length // 2 - self.pairs

    @property
    def uniforms(self) -> int:
        """A sample takes numbers for keys, values, the places of the queries, and the tokens between."""
        return 2 * self.pairs + self.places + self.length

    def sample(self, u: Uniform) -> Sample:
        """The pairs, then random tokens among which each key comes once more, and there its value as the answer."""
        half, pairs = self.vocab // 2, self.pairs
        of_keys, of_values, of_places, of_filler = np.split(u, np.cumsum([pairs, pairs, self.places]), axis=1)
        keys, values = 1 + distinct(of_keys, half - 1), distinct(of_values, half)
        weights = np.arange(1, self.places + 1) ** (self.power - 1.0)
        # alarm clocks that ring at their weights' rates: the first to ring are a weighted draw without replacement
        rings = np.argsort(-np.log1p(-of_places) / weights, axis=1, kind="stable")[:, :pairs]
        at = 2 * pairs + 2 * rings
        x = whole(of_filler, self.vocab)
        x[:, 0 : 2 * pairs : 2], x[:, 1 : 2 * pairs : 2] = keys, half + values
        np.put_along_axis(x, at, keys, axis=1)
        return Sample.asked(x, at, values)
