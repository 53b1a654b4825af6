"""Speech Commands as a task: which of 10 or 35 words is said, from the wave itself or from its cepstral coefficients, at 16 and at 8 kHz.

The 35-word task is that of S4 (arXiv 2111.00396) and its successors, the 10-word task that of Neural CDEs (arXiv 2005.08926) and CKConv
(arXiv 2102.02611). Networks are trained at 16 kHz and tested a second time, without further training, on every second sample.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Final, Literal

import numpy as np
from numpy.typing import NDArray

from data.base import PARTS, DataError, Say, Signature, silent
from data.card import Card
from data.files.digests import key_of, sha256
from data.files.prepared import Made, Prepared, opened, prepare
from data.files.progress import Progress
from data.files.root import root, scratch
from data.sampling import Ids
from data.speech import mfcc, release
from data.speech.mfcc import COEFFICIENTS, FRAMES, LENGTH, RATE, Resampling
from data.speech.release import TEN, WORDS, Source
from data.subsets import SplitSpec

if TYPE_CHECKING:
    from data.module import SplitModule

Words = Literal[10, 35]
Features = Literal["raw", "mfcc"]
Split = Literal["usual", "speakers"]
Scaling = Literal["unit", "s4-quirk"]
Normalisation = Literal["per-step", "channel"]
Sampling = Literal[16000, 8000, 4000, 2000]
TASK_VERSION: Final = 1
FULL_SCALE: Final = 2.0**15
EPSILON: Final = 1e-5
"""Added to every standard deviation, by everybody since Neural CDEs."""
BLOCK: Final = 256
"""Clips at a time."""

CARD: Final = Card(
    name="speech",
    title="Speech Commands",
    what="One second of somebody saying one word into a phone or a laptop, 16,000 samples; the question is which word of 35, or of ten. "
    "As a wave (16,000 steps of one number) or as cepstral coefficients (161 steps of 20); at 8 kHz half as many.",
    size="105,829 clips: 84,843 to train, 9,981 to validate, 11,005 to test. Ten words: 34,975 whole clips, 24,482 / 5,246 / 5,247 (or by "
    "speaker). 2.4 GB to download, 3.4 GB prepared; coefficients of ten words 0.5 GB more.",
    licence=release.LICENCE,
    source="Pete Warden, Google: speech_commands_v0.02.tar.gz, or its unpacked folder where torchaudio or state-spaces/s4 put it",
    citation="P. Warden, Speech Commands: A Dataset for Limited-Vocabulary Speech Recognition, arXiv:1804.03209",
    splits="35 words: the official lists, which are a hash of the speaker; that they agree is checked. Ten words: stratified at random, "
    "70 / 15 / 15, as in the literature; speakers are shared between its parts, and split=speakers takes the official lists instead. "
    "mini: a hash of the speaker, 80 / 10 / 10.",
    issues=(
        "ten words: clips that do not have exactly 16,000 samples are dropped; 35 words: they are filled up with zeros at the end",
        "the literature's random split was drawn over the order in which a file system lists its files, so nobody has the very same one; "
        "here clips are sorted by name within a word",
        "waves are normalised with a mean and a standard deviation of their own for each of the 16,000 places, as in state-spaces/s4, for "
        "ten and for 35 words; normalisation=channel uses one mean and one deviation",
        "state-spaces/s4 divides by 2^15 what newer versions of torchaudio have divided already: waves end up several times too small, "
        "coefficients at the floor of their logarithm; scaling=s4-quirk does the same",
        "8 kHz is every second sample, unfiltered, as in the literature, so what lies above 4 kHz folds back; resampling=filtered does not",
        "coefficients at 8 kHz are ours: the literature has none",
        "the mini set has few clips of 25 of the 35 words, and none from outside the official test set",
        "chance, the most frequent word of the test set: 4 % of 35 words, 10 to 11 % of ten",
    ),
)


def stratified(labels: NDArray[np.integer]) -> NDArray[np.uint8]:
    """(n,) 0 train, 1 val, 2 test: scikit-learn's 70 % by seed 0, the others halved by seed 1, classes in proportion."""
    from sklearn.model_selection import train_test_split

    ids = np.arange(len(labels))
    _, others = train_test_split(ids, train_size=0.7, random_state=0, shuffle=True, stratify=labels)
    val, test = train_test_split(others, train_size=0.5, random_state=1, shuffle=True, stratify=labels[others])
    parts = np.zeros(len(labels), dtype=np.uint8)
    parts[val], parts[test] = 1, 2
    return parts


def moments(samples: NDArray[np.int16], rows: Ids, say: Say) -> NDArray[np.int64]:
    """(2, 16000) Sums of the samples and of their squares at each place, over `rows`: whole numbers, so the order does not matter."""
    out = np.zeros((2, samples.shape[1]), dtype=np.int64)
    progress = Progress("measuring", len(rows), "clips", say)
    for start in range(0, len(rows), BLOCK):
        block = samples[rows[start : start + BLOCK]].astype(np.int64)
        out[0] += block.sum(0)
        out[1] += np.square(block).sum(0)
        progress.at(start + len(block))
    return out


def mean_and_std(sums: NDArray[np.int64], n: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Mean and standard deviation (n - 1 in the denominator, as torch has it) from `moments` over n clips."""
    total, squares = sums.astype(np.float64)
    return total / n, np.sqrt(np.maximum(squares - total**2 / n, 0) / max(n - 1, 1))


@dataclass(frozen=True, kw_only=True)
class SpeechSpec(SplitSpec):
    """One second of speech, which of `words` words it is; trained at 16 kHz, tested at 16 kHz and, as "8khz", at half the rate.

    Everything that is fitted (means, deviations) is fitted on all training clips at 16 kHz, whatever part of them is trained on.
    """

    version: ClassVar[int] = 1
    task: ClassVar[tuple[str, ...]] = ("words", "features", "sampling")
    card: ClassVar[Card] = CARD

    words: Words = 35
    features: Features = "raw"
    """The wave, 16000 x 1; or cepstral coefficients, 161 x 20, each normalised by its own mean and deviation."""
    source: Source = "official"
    """mini is a part of the clips that somebody put there: a task of its own."""
    split: Split = "usual"
    """usual: for 35 words the official lists, for ten the literature's random one, which shares speakers between its parts; for mini by
    speaker. speakers: the official lists for ten words too."""
    scaling: Scaling = "unit"
    """unit: samples in [-1, 1). s4-quirk: divided by 2^15 a second time, before the 1e-5 that is added to deviations and the 1e-6 that is
    added to energies: what state-spaces/s4 comes to with a newer torchaudio."""
    normalisation: Normalisation = "per-step"
    """How waves are standardised. per-step: a mean and a deviation for each of the 16,000 places, as in state-spaces/s4; channel: one of
    each."""
    resampling: Resampling = "decimated"
    """To 8 kHz. decimated: every second sample, as in the literature. filtered: without aliasing."""
    sampling: Sampling = RATE
    """Samples a second of the waves, from which whatever is too high for them is filtered first; the test at half of that is named so."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.split == "speakers" and (self.words == 35 or self.source == "mini"):
            raise ValueError("split=speakers is for the ten words of source=official; 35 words and mini are split by speaker anyway")
        if self.normalisation == "channel" and self.features == "mfcc":
            raise ValueError("normalisation=channel is for waves; each coefficient has its own mean and deviation anyway")
        if self.sampling != RATE and self.features == "mfcc":
            raise ValueError(f"sampling is that of waves; coefficients are made of {RATE:,} samples a second")

    @property
    def signature(self) -> Signature:
        """A wave is 16,000 steps of one number (fewer at a lower `sampling`), coefficients are 161 of 20; the classes are the words."""
        length, width = (LENGTH // self._lower, 1) if self.features == "raw" else (FRAMES, COEFFICIENTS)
        return Signature(length=length, d_input=width, d_output=self.words)

    @property
    def zero_shot(self) -> tuple[str, ...]:
        """The test at half the rate."""
        return (f"{self.sampling // 2000}khz",)

    @property
    def _lower(self) -> int:
        """By how much the rate of the waves is lowered."""
        return RATE // self.sampling

    # ------------------------------------------------------------ prepared once

    def load(self, *, download: bool = False, say: Say = silent) -> Prepared:
        """Opens which clips are in the task, their labels and parts, and what was fitted on them; the clips are prepared beside."""
        return self._task(release.load_clips(self.source, download=download, say=say), say)

    def opened(self) -> Prepared | None:
        """Opens what `load` makes; None where it or the clips are not there."""
        clips = release.opened_clips(self.source)
        return None if clips is None else opened(self._name(), self._key(clips))

    def plan(self) -> str:
        """Says what would be fetched, read and, for coefficients, transformed."""
        folder, archive = root(), release.RELEASE.archive
        if self.source == "mini":
            return f"reads the clips of {folder / release.MINI}, which somebody put there (nothing is downloaded), in seconds"
        coefficients = (
            "; then their coefficients (0.5 GB for ten words, 1.4 GB for 35), one to two minutes" if self.features == "mfcc" else ""
        )
        return (
            f"{archive.name} ({archive.bytes / 1e6:,.0f} MB) into {folder}, unless it or its unpacked folder is there; "
            f"{release.RELEASE.clips:,} clips as prepared arrays (3.4 GB; twice that while they are made), about two minutes{coefficients}"
        )

    def _task(self, clips: Prepared, say: Say) -> Prepared:
        per_clip = 64 + (8 * FRAMES * COEFFICIENTS if self.features == "mfcc" else 0)  # coefficients twice, until they are written
        needed = per_clip * len(clips.array("labels"))
        return prepare(self._name(), self._key(clips), lambda: self._made(clips, say), needed=needed)

    def _name(self) -> str:
        return f"speech-{self.features}"

    def _key(self, clips: Prepared) -> str:
        """Makes the key from what decides the content: the clips, and the fields that act before a batch is made."""
        scaling = self.scaling if self.features == "mfcc" else ""
        return key_of(f"{TASK_VERSION} {clips.manifest['key']} {self.words} {self.split} {self.features} {scaling}")

    def _made(self, clips: Prepared, say: Say) -> Made:
        rows, labels, excluded = self._chosen(clips)
        by_speaker = self.words == 35 or self.source == "mini" or self.split == "speakers"
        parts = clips.array("parts")[rows] if by_speaker else stratified(labels)
        sizes = np.bincount(parts, minlength=len(PARTS))
        if not sizes.all():
            raise DataError(
                f"{clips.manifest['clips']:,} clips, {len(rows):,} of them of the {self.words} words, are {sizes[0]:,} to train, "
                f"{sizes[1]:,} to validate and {sizes[2]:,} to test, split by speaker: each part needs one at least, so more clips of more "
                "speakers"
            )
        arrays: dict[str, NDArray[Any]] = {"rows": rows, "labels": labels, "parts": parts}
        samples, train = clips.array("samples"), np.flatnonzero(parts == 0)
        if self.features == "raw":
            arrays["sums"] = moments(samples, rows[train], say)
        else:
            arrays["features"], arrays["fitted"] = self._coefficients(samples, rows, train, say)
        facts = {key: clips.manifest[key] for key in ("source", "licence", "files")}
        return Made(arrays=arrays, facts={**facts, **self._facts(clips, rows, labels, parts, excluded, by_speaker)})

    def _chosen(self, clips: Prepared) -> tuple[Ids, NDArray[np.uint8], list[str]]:
        """(rows of the clips, by label and then by name; labels; names of what the ten-word task drops). Raises DataError."""
        names, lengths = clips.array("names"), clips.array("lengths")
        vocabulary = TEN if self.words == 10 else WORDS
        place = np.array([vocabulary.index(word) if word in vocabulary else -1 for word in WORDS])
        labels = place[clips.array("labels")]
        of_task = labels >= 0
        keep = of_task & (lengths == LENGTH) if self.words == 10 else of_task
        rows = np.flatnonzero(keep)
        rows = rows[np.argsort(labels[rows], kind="stable")].astype(np.int64)
        expected = release.RELEASE.whole
        if self.source == "official" and self.words == 10 and len(rows) != expected:
            raise DataError(
                f"{len(rows):,} clips of the ten words have exactly {LENGTH:,} samples; in the official release {expected:,} have. The "
                "unpacked folder is not that of the release: unpack the official archive again, and remove the prepared folder "
                f"{clips.folder}"
            )
        return rows, labels[rows].astype(np.uint8), [name.decode() for name in names[of_task & ~keep].tolist()]

    def _coefficients(self, samples: NDArray[np.int16], rows: Ids, train: Ids, say: Say) -> tuple[NDArray[Any], NDArray[np.float64]]:
        """(features (n, 161, 20), their mean and deviation over the training clips and all frames (2, 20))."""
        import torch

        features = scratch((len(rows), FRAMES, COEFFICIENTS), "float32")
        progress = Progress("transforming", len(rows), "clips", say)
        for start in range(0, len(rows), BLOCK):
            block = rows[start : start + BLOCK]
            features[start : start + len(block)] = mfcc.mfcc(torch.from_numpy(self._scaled(samples[block]))).numpy()
            progress.at(start + len(block))
        mean, squares = np.zeros(COEFFICIENTS), np.zeros(COEFFICIENTS)
        for start in range(0, len(train), BLOCK):
            mean += features[train[start : start + BLOCK]].sum((0, 1), dtype=np.float64)
        mean /= len(train) * FRAMES
        # a second pass, because with the quirk all values are equal but for their last digits
        for start in range(0, len(train), BLOCK):
            squares += np.square(features[train[start : start + BLOCK]] - mean).sum((0, 1))
        return features, np.stack([mean, np.sqrt(squares / (len(train) * FRAMES - 1))])

    def _facts(
        self, clips: Prepared, rows: Ids, labels: NDArray[np.uint8], parts: NDArray[np.uint8], excluded: list[str], by_speaker: bool
    ) -> dict[str, Any]:
        names = clips.array("names")[rows]
        vocabulary = TEN if self.words == 10 else WORDS
        speakers, counts, classes = {}, {}, {}
        for i, part in enumerate(PARTS):
            chosen = parts == i
            counts[part] = int(chosen.sum())
            classes[part] = dict(zip(vocabulary, np.bincount(labels[chosen], minlength=self.words).tolist(), strict=True))
            speakers[part] = {release.speaker_of(name.decode()) for name in names[chosen].tolist()}
        heard = Counter(speaker for voices in speakers.values() for speaker in voices)
        shared = sum(times > 1 for times in heard.values())
        if by_speaker and shared:
            raise DataError(f"{shared:,} speakers are heard in two parts of a split by speaker; remove {clips.folder} and prepare it again")
        rule = "stratified at random, 70/15/15, scikit-learn seeds 0 and 1, clips sorted by word and name"
        if by_speaker:
            rule = "by speaker: " + ("SHA-1 of speaker + _mini, tenths 8/1/1" if self.source == "mini" else "the official lists")
        return {
            "version": "0.02" if self.source == "official" else "0.02, mini",
            "counts": counts,
            "classes": classes,
            "split": {"rule": rule, "sha256": sha256(*(np.flatnonzero(parts == i) for i in range(3)))},
            "speakers": {**{part: len(voices) for part, voices in speakers.items()}, "in more than one part": shared},
            "excluded": {
                "rule": "not exactly 16,000 samples" if self.words == 10 else "none; short clips are filled up",
                "clips": len(excluded),
                "sha256 of the names": hashlib.sha256("\n".join(excluded).encode()).hexdigest(),
            },
        }

    # ------------------------------------------------------------ batches

    def _scale(self) -> float:
        return 1 / FULL_SCALE if self.scaling == "unit" else 1 / FULL_SCALE**2

    def _scaled(self, block: NDArray[np.int16]) -> NDArray[np.float32]:
        return block.astype(np.float32) * np.float32(self._scale())

    def _affine(self, prepared: Prepared) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """(gain, offset), per step or of one element (raw), or per coefficient: x = gain * value - offset is normalised.

        Values are 16-bit samples for waves, coefficients for mfcc.
        """
        if self.features == "mfcc":
            mean, std = prepared.array("fitted")
            scale = 1.0
        else:
            sums, n = prepared.array("sums"), int((prepared.array("parts") == 0).sum())
            if self.normalisation == "channel":
                sums, n = sums.sum(1, keepdims=True), n * LENGTH
            mean, std = mean_and_std(sums, n)
            scale = self._scale()
        gain = 1 / (std * scale + EPSILON)
        return (gain * scale).astype(np.float32), (gain * mean * scale).astype(np.float32)

    def build(self, *, batch_size: int, seed: int) -> SplitModule:
        """Batches {"x": (B, 16000, 1) or (B, 161, 20) float32, "y": (B,) int64}; test batches once more as "8khz", with "rate" 2.

        At 8 kHz x is (B, 8000, 1) or (B, 81, 20), normalised with what was fitted at 16 kHz. With another `sampling` waves have so many
        steps, and half as many in the further test, which is named after its rate. Raises DataError.
        """
        import torch

        from data.module import SplitModule

        clips = release.load_clips(self.source)
        prepared = self._task(clips, silent)
        samples, rows, labels = clips.array("samples"), np.array(prepared.array("rows")), prepared.array("labels").astype(np.int64)
        parts, (gain, offset) = prepared.array("parts"), self._affine(prepared)
        splits = self.take({name: np.flatnonzero(parts == i) for i, name in enumerate(PARTS)}, labels)
        features = prepared.array("features") if self.features == "mfcc" else None
        if features is None:
            gain, offset = gain[:: self._lower], offset[:: self._lower]

        def waves(ids: Ids) -> torch.Tensor:
            return mfcc.lowered(torch.from_numpy(samples[rows[ids]].astype(np.float32)), self._lower)

        def make(split: str, ids: Ids, epoch: int) -> dict[str, NDArray[Any]]:
            values = waves(ids).numpy() if features is None else features[ids]
            values *= gain
            values -= offset
            return {"x": values[..., None] if features is None else values, "y": labels[ids]}

        def make_half(split: str, ids: Ids, epoch: int) -> dict[str, NDArray[Any]]:
            if features is None:
                values = mfcc.halved(waves(ids), self.resampling).numpy()
                values = (values * gain[::2] - offset[::2])[..., None]
            else:
                scaled = torch.from_numpy(self._scaled(samples[rows[ids]]))
                values = mfcc.mfcc_8khz(mfcc.halved(scaled, self.resampling)).numpy() * gain - offset
            return {"x": values, "y": labels[ids], "rate": np.array(2, dtype=np.float32)}

        content = sha256(clips.digests(), np.frombuffer(self._key(clips).encode(), np.uint8), *(splits[name] for name in PARTS))
        further = {self.zero_shot[0]: make_half}
        return SplitModule(splits, len(labels), make, batch_size=batch_size, seed=seed, content_hash=content, zero_shot=further)
