"""What all probes share: samples made of uniform numbers, fresh in every training epoch and fixed in evaluation, with a label per step."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Final

import numpy as np
from numpy.typing import NDArray

from data.base import PARTS, DataSpec
from data.card import Card
from data.files.digests import sha256
from data.sampling import EVERY_EVALUATION, Ids, uniform_noise

if TYPE_CHECKING:
    from data.module import SplitModule

STREAM: Final = int.from_bytes(b"probe", "big")
"""No other stream of the suite begins with it."""
HASHED: Final = 64
"""Samples of a part that stand for it in the content hash."""

Uniform = NDArray[np.float64]
Tokens = NDArray[np.int64]


@dataclass(frozen=True)
class Sample:
    """A few sequences with the answers that are asked of them."""

    x: NDArray[Any]
    """(B, L) token ids, or (B, L, d_input) real numbers."""
    y: NDArray[Any]
    """(B, L) The answer at every step: a class, or a real number; 0 where nothing is asked."""
    mask: NDArray[np.bool_]
    """(B, L) The steps at which the answer is scored."""

    @classmethod
    def asked(cls, x: Tokens, places: Tokens, answers: Tokens) -> Sample:
        """The sequences x (B, L), whose `answers` (B, k) are asked at the steps `places` (B, k), or (k,) for all rows, and only there."""
        y, mask = np.zeros_like(x), np.zeros(x.shape, dtype=np.bool_)
        places = np.broadcast_to(places, answers.shape)
        np.put_along_axis(y, places, answers, axis=1)
        np.put_along_axis(mask, places, True, axis=1)
        return cls(x, y, mask)


def whole(u: Uniform, n: int) -> Tokens:
    """Whole numbers from 0 to n - 1, of the shape of the numbers `u` in [0, 1), and uniform where these are."""
    return (u * n).astype(np.int64)


def distinct(u: Uniform, n: int) -> Tokens:
    """(B, k) In each row, k different whole numbers below `n`, every ordered choice as likely as any other, of uniform u (B, k)."""
    out = np.empty(u.shape, dtype=np.int64)
    taken = np.empty((len(u), 0), dtype=np.int64)
    for i in range(u.shape[1]):
        value = whole(u[:, i], n - i)
        for j in range(i):  # the i taken ones are left out: step over each that is not larger
            value += value >= taken[:, j]
        out[:, i] = value
        taken = np.sort(np.column_stack([taken, value]), axis=1)
    return out


def probe_card(*, name: str, title: str, what: str, size: str, citation: str, issues: tuple[str, ...]) -> Card:
    """The data card of a probe, whose source, licence and split are those of all probes; `size` is that of a sample by default."""
    return Card(
        name=name,
        title=title,
        what=what,
        size=f"As large as asked for; {size} by default.",
        licence="that of this suite: the samples are made here",
        source="made here from the definition in the paper; no file, nothing to download",
        citation=citation,
        splits="Training samples are drawn anew in every epoch (8,192 by default), 1,024 to validate and 1,024 to test are fixed; the "
        "parts have streams of random numbers of their own.",
        issues=issues,
    )


@dataclass(frozen=True, kw_only=True)
class ProbeSpec(DataSpec):
    """A synthetic task that no file is needed for.

    A probe asks what a network can hold and look up. With a finite training set it would also ask how much of that set the network can
    learn by heart, so the training samples are drawn anew in every epoch; those of epoch e, of validation and of test are functions of
    (part, e, place in the part) and of nothing else. All runs see the same ones, in an order of their own.
    """

    name: ClassVar[str]
    card: ClassVar[Card]

    n_train: int = 8192
    """Samples an epoch."""
    n_val: int = 1024
    n_test: int = 1024

    def __post_init__(self) -> None:
        self.require_at_least(1, "n_train", "n_val", "n_test")

    @property
    @abstractmethod
    def uniforms(self) -> int:
        """How many uniform numbers a sample is made of."""

    @property
    def chance(self) -> float:
        """What a network without memory scores: the accuracy of guessing, or, where answers are real numbers, the rmse of answering 0."""
        return 1 / self.signature.d_output

    @abstractmethod
    def sample(self, u: Uniform) -> Sample:
        """Makes the sequences that the numbers u (B, uniforms) in [0, 1) stand for."""

    def draw(self, part: str, places: Ids, epoch: int = 0) -> Sample:
        """Draws the samples at these places of a part; only those of training depend on the epoch."""
        return self.sample(self._numbers(part, places, epoch))

    def _numbers(self, part: str, places: Ids, epoch: int) -> Uniform:
        name = int.from_bytes(self.name.encode(), "big")
        stream = (STREAM, name, self.version, PARTS.index(part), epoch if part == "train" else EVERY_EVALUATION)
        return uniform_noise(stream, places, (self.uniforms,)).astype(np.float64)  # in float32, u * n may round up to n

    def build(self, *, batch_size: int, seed: int) -> SplitModule:
        """The data module; batches are {"x", "y", "mask"} as in `Sample`, whole numbers int64, real ones float32."""
        from data.module import SplitModule

        sizes = {"train": self.n_train, "val": self.n_val, "test": self.n_test}
        edges = np.cumsum([0, *sizes.values()])
        start = dict(zip(sizes, edges[:-1].tolist(), strict=True))
        splits = {part: np.arange(start[part], start[part] + n, dtype=np.int64) for part, n in sizes.items()}

        def make(part: str, ids: Ids, epoch: int) -> dict[str, NDArray[Any]]:
            sample = self.draw(part, ids - start[part], epoch)
            return {"x": sample.x, "y": sample.y, "mask": sample.mask}

        # the numbers and not what is made of them: a logarithm may differ in its last bit from machine to machine
        numbers = [self._numbers(part, np.arange(min(n, HASHED), dtype=np.int64), 0) for part, n in sizes.items()]
        content = sha256(np.frombuffer(f"{self!r} version {self.version}".encode(), dtype=np.uint8), *numbers)
        return SplitModule(splits, int(edges[-1]), make, batch_size=batch_size, seed=seed, content_hash=content)
