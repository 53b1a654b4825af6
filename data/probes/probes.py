"""Probes of memory and capacity: delay, copying, selective copying, induction, and associative recall with many queries.

A convolution has all of its memory at fixed distances. Delay and copying ask for just that; the answers of the other three lie at
distances that depend on what is read, which a linear time-invariant layer alone cannot follow.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Final

import numpy as np

from data.base import Signature
from data.card import Card
from data.probes.base import ProbeSpec, Sample, Uniform, distinct, whole

LICENCE: Final = "that of this suite: the samples are made here"
SOURCE: Final = "made here from the definition in the paper; no file, nothing to download"
SPLITS: Final = (
    "Training samples are drawn anew in every epoch (8,192 by default), 1,024 to validate and 1,024 to test are fixed; the parts have "
    "streams of random numbers of their own."
)
SIZE: Final = "As large as asked for; {} by default."


# ---------------------------------------------------------------- delay


@dataclass(frozen=True, kw_only=True)
class DelaySpec(ProbeSpec):
    """Continuous delay: white noise below a cut-off comes in, the same signal `delay` steps later is to come out (arXiv 2206.12037)."""

    name: ClassVar[str] = "delay"
    version: ClassVar[int] = 1
    card: ClassVar[Card] = Card(
        name="delay",
        title="Continuous delay",
        what="A signal of 4,000 steps, white noise below half the Nyquist frequency that begins at 0; at every step the question is the "
        "signal 1,000 steps before.",
        size=SIZE.format("4,000 steps, one real number each"),
        licence=LICENCE,
        source=SOURCE,
        citation="A. Gu et al., How to Train Your HiPPO, arXiv:2206.12037",
        splits=SPLITS,
        issues=(
            "the first `delay` steps, whose answer would be 0 whatever the signal, are not scored; the paper's code scores them",
            "rms of the signal 0.5 around an offset that makes its first value 0: always answering 0 scores an rmse of 0.71, knowing the "
            "offset and nothing else 0.5, and the best memoryless answer, half the present value, 0.61",
        ),
    )

    length: int = 4000
    delay: int = 1000
    band: float = 0.5
    """Highest frequency, as a share of the Nyquist frequency."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self._at_least(4, "length")
        self._at_least(1, "delay")
        if self.length % 2:
            raise ValueError(f"length of delay is even, got {self.length}")
        if self.delay >= self.length:
            raise ValueError(f"delay is shorter than the sequence, got {self.delay} of {self.length} steps")
        if not 2 / self.length <= self.band < 1:
            raise ValueError(f"band is a share of the Nyquist frequency, {2 / self.length:.2g} (one period) to below 1, got {self.band}")

    @property
    def signature(self) -> Signature:
        """A real number in, a real number out, at every step."""
        return Signature(length=self.length, d_input=1, d_output=1, per_step=True, regression=True)

    @property
    def _frequencies(self) -> int:
        return int(self.band * self.length / 2 + 1e-9)

    @property
    def uniforms(self) -> int:
        return 2 * self._frequencies

    @property
    def chance(self) -> float:
        """rmse of answering 0."""
        return 0.5**0.5

    def sample(self, u: Uniform) -> Sample:
        """Complex normal coefficients for the frequencies in the band, in polar form; and the inverse Fourier transform."""
        m, n = self._frequencies, self.length
        spectrum = np.zeros((len(u), n // 2 + 1), dtype=np.complex128)
        spectrum[:, 1 : m + 1] = np.sqrt(-np.log1p(-u[:, :m])) * np.exp(2j * np.pi * u[:, m:])
        signal = np.fft.irfft(spectrum, n, axis=1) * (0.5 * n / np.sqrt(2 * m))  # rms 0.5
        signal = (signal - signal[:, :1]).astype(np.float32)
        y = np.zeros_like(signal)
        y[:, self.delay :] = signal[:, : -self.delay]
        mask = np.broadcast_to(np.arange(n) >= self.delay, y.shape).copy()
        return Sample(signal[..., None], y, mask)


# ---------------------------------------------------------------- copying


@dataclass(frozen=True, kw_only=True)
class CopyingSpec(ProbeSpec):
    """Copying: tokens, a gap of blanks, a marker, and then the tokens are to be told in order (arXiv 1511.06464).

    Ids: 0 blank, 1 to `symbols` the symbols, then the marker.
    """

    name: ClassVar[str] = "copying"
    version: ClassVar[int] = 1
    card: ClassVar[Card] = Card(
        name="copying",
        title="Copying",
        what="Ten tokens of eight kinds, 99 blanks, a marker and ten blanks; at the last ten steps the question is which the tokens were.",
        size=SIZE.format("120 steps, ten symbols"),
        licence=LICENCE,
        source=SOURCE,
        citation="M. Arjovsky, A. Shah and Y. Bengio, Unitary Evolution Recurrent Neural Networks, arXiv:1511.06464",
        splits=SPLITS,
        issues=(
            "only the ten answers are scored; the paper also scores the blanks before them, which lifts chance to 93 %",
            "state-spaces/s4 puts a marker at each of the answers instead of one before them",
            "chance is 1 in 8",
        ),
    )

    tokens: int = 10
    """To remember."""
    gap: int = 100
    """Steps from the last token to the marker."""
    symbols: int = 8
    """Kinds of tokens."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self._at_least(1, "tokens", "gap")
        self._at_least(2, "symbols")

    @property
    def signature(self) -> Signature:
        return Signature(length=self.gap + 2 * self.tokens, vocab=self.symbols + 2, d_output=self.symbols, per_step=True)

    @property
    def uniforms(self) -> int:
        return self.tokens

    @property
    def chance(self) -> float:
        return 1 / self.symbols

    def sample(self, u: Uniform) -> Sample:
        found = whole(u, self.symbols)
        x = np.zeros((len(u), self.signature.length), dtype=np.int64)
        y, mask = np.zeros_like(x), np.zeros(x.shape, dtype=np.bool_)
        x[:, : self.tokens] = 1 + found
        x[:, -self.tokens - 1] = self.symbols + 1
        y[:, -self.tokens :] = found
        mask[:, -self.tokens :] = True
        return Sample(x, y, mask)


# ---------------------------------------------------------------- selective copying


@dataclass(frozen=True, kw_only=True)
class SelectiveCopyingSpec(ProbeSpec):
    """Selective copying: tokens at random places among noise, then as many markers, at which they are to be told (arXiv 2312.00752).

    Ids: 0 noise, 1 to `symbols` the symbols, then the marker.
    """

    name: ClassVar[str] = "selective-copying"
    version: ClassVar[int] = 1
    card: ClassVar[Card] = Card(
        name="selective-copying",
        title="Selective copying",
        what="Sixteen tokens of 14 kinds at random places among 4,080 steps of noise, then 16 markers; at the markers the question is the "
        "sixteen tokens in order.",
        size=SIZE.format("4,112 steps, 16 symbols"),
        licence=LICENCE,
        source=SOURCE,
        citation="A. Gu and T. Dao, Mamba, arXiv:2312.00752 (section 4.1.1, appendix E.1); L. Jing et al., arXiv:1706.02761",
        splits=SPLITS,
        issues=(
            "Mamba's 4,096 steps and 16 symbols, noise and marker among the symbols; whether its 4,096 count the markers is not said, here "
            "they come after them",
            "the noise is one symbol, as in the code of state-spaces/s4",
            "chance is 1 in 14",
        ),
    )

    length: int = 4096
    """Steps before the markers, tokens and noise together."""
    tokens: int = 16
    symbols: int = 14

    def __post_init__(self) -> None:
        super().__post_init__()
        self._at_least(1, "tokens")
        self._at_least(2, "symbols")
        if self.tokens > self.length:
            raise ValueError(f"{self.tokens} tokens have no place in {self.length} steps")

    @property
    def signature(self) -> Signature:
        return Signature(length=self.length + self.tokens, vocab=self.symbols + 2, d_output=self.symbols, per_step=True)

    @property
    def uniforms(self) -> int:
        return 2 * self.tokens

    @property
    def chance(self) -> float:
        return 1 / self.symbols

    def sample(self, u: Uniform) -> Sample:
        found = whole(u[:, : self.tokens], self.symbols)
        places = np.sort(distinct(u[:, self.tokens :], self.length), axis=1)
        x = np.zeros((len(u), self.signature.length), dtype=np.int64)
        y, mask = np.zeros_like(x), np.zeros(x.shape, dtype=np.bool_)
        np.put_along_axis(x, places, 1 + found, axis=1)
        x[:, self.length :] = self.symbols + 1
        y[:, self.length :] = found
        mask[:, self.length :] = True
        return Sample(x, y, mask)


# ---------------------------------------------------------------- induction


@dataclass(frozen=True, kw_only=True)
class InductionSpec(ProbeSpec):
    """Induction heads: a trigger somewhere among random tokens, and again at the end, where its first follower is to be told.

    arXiv 2212.14052 and 2312.00752. Ids: 0 to `vocab` - 2 the tokens, the last is the trigger.
    """

    name: ClassVar[str] = "induction"
    version: ClassVar[int] = 1
    card: ClassVar[Card] = Card(
        name="induction",
        title="Induction heads",
        what="Random tokens of 15 kinds with a trigger at a random place and another at the last step, where the question is which token "
        "followed the first.",
        size=SIZE.format("256 steps, 16 symbols"),
        licence=LICENCE,
        source=SOURCE,
        citation="D. Fu et al., Hungry Hungry Hippos, arXiv:2212.14052; A. Gu and T. Dao, Mamba, arXiv:2312.00752 (appendix E.1)",
        splits=SPLITS,
        issues=(
            "Mamba trains at 256 steps and tests up to 2^20; here one length is trained and tested",
            "one answer a sequence; chance is 1 in 15",
        ),
    )

    length: int = 256
    vocab: int = 16
    """Tokens and trigger."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self._at_least(3, "length", "vocab")

    @property
    def signature(self) -> Signature:
        return Signature(length=self.length, vocab=self.vocab, d_output=self.vocab - 1, per_step=True)

    @property
    def uniforms(self) -> int:
        return self.length

    @property
    def chance(self) -> float:
        return 1 / (self.vocab - 1)

    def sample(self, u: Uniform) -> Sample:
        x = whole(u, self.vocab - 1)
        rows, place = np.arange(len(u)), whole(u[:, -1], self.length - 2)  # the last token is no random one: its number is free
        y, mask = np.zeros_like(x), np.zeros(x.shape, dtype=np.bool_)
        y[:, -1] = x[rows, place + 1]
        x[rows, place] = x[:, -1] = self.vocab - 1
        mask[:, -1] = True
        return Sample(x, y, mask)


# ---------------------------------------------------------------- associative recall


@dataclass(frozen=True, kw_only=True)
class MQARSpec(ProbeSpec):
    """Multi-query associative recall: pairs of key and value, then every key once more, at which its value is to be told.

    arXiv 2312.04927. Ids: keys lie in 1 .. vocab/2 - 1, values in vocab/2 .. vocab - 1, and class c is the value vocab/2 + c. The second
    places of the keys are drawn from a power law: with `power` small, queries come soon after the pairs.
    """

    name: ClassVar[str] = "mqar"
    version: ClassVar[int] = 1
    card: ClassVar[Card] = Card(
        name="mqar",
        title="Multi-query associative recall",
        what="Four pairs of a key and its value, then each key once more among random tokens; there the question is its value.",
        size=SIZE.format("64 steps, 8,192 symbols"),
        licence=LICENCE,
        source=SOURCE,
        citation="S. Arora et al., Zoology, arXiv:2312.04927",
        splits=SPLITS,
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
        self._at_least(1, "pairs")
        if self.length % 2 or self.length < 4 * self.pairs:
            raise ValueError(f"length of mqar is even and at least 4 for each of the {self.pairs} pairs, got {self.length}")
        if self.vocab % 2 or self.vocab // 2 <= self.pairs:
            raise ValueError(f"vocab of mqar is even, and its half exceeds the {self.pairs} pairs, got {self.vocab}")
        if self.power <= 0:
            raise ValueError(f"power is positive, got {self.power}")

    @property
    def signature(self) -> Signature:
        return Signature(length=self.length, vocab=self.vocab, d_output=self.vocab // 2, per_step=True)

    @property
    def places(self) -> int:
        """Where a query may stand: every second step after the pairs."""
        return self.length // 2 - self.pairs

    @property
    def uniforms(self) -> int:
        return 2 * self.pairs + self.places + self.length

    @property
    def chance(self) -> float:
        return 2 / self.vocab

    def sample(self, u: Uniform) -> Sample:
        half, pairs = self.vocab // 2, self.pairs
        of_keys, of_values, of_places, of_filler = np.split(u, np.cumsum([pairs, pairs, self.places]), axis=1)
        keys, values = 1 + distinct(of_keys, half - 1), distinct(of_values, half)
        weights = np.arange(1, self.places + 1) ** (self.power - 1.0)
        # alarm clocks that ring at their weights' rates: the first to ring are a weighted draw without replacement
        rings = np.argsort(-np.log1p(-of_places) / weights, axis=1, kind="stable")[:, :pairs]
        at = 2 * pairs + 2 * rings
        x = whole(of_filler, self.vocab)
        y, mask = np.zeros_like(x), np.zeros(x.shape, dtype=np.bool_)
        x[:, 0 : 2 * pairs : 2], x[:, 1 : 2 * pairs : 2] = keys, half + values
        np.put_along_axis(x, at, keys, axis=1)
        np.put_along_axis(y, at, values, axis=1)
        np.put_along_axis(mask, at, True, axis=1)
        return Sample(x, y, mask)


PROBES: Final = (DelaySpec, CopyingSpec, SelectiveCopyingSpec, InductionSpec, MQARSpec)
