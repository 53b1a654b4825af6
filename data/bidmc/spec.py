"""BIDMC: heart rate, respiratory rate or oxygen saturation of a patient from 32 s of photoplethysmogram and electrocardiogram.

53 recordings of 8 minutes from intensive care (M. Pimentel et al., IEEE Transactions on Biomedical Engineering 64(8), 2016; PhysioNet).
The TSER archive (C. W. Tan et al., arXiv 2006.10996) cut them into windows for regression; state-spaces/s4 shuffles these windows, and
the published numbers of state space models are on such a shuffle.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Final, Literal

import numpy as np
from numpy.typing import NDArray

from data.base import PARTS, DataError, Say, Signature, silent
from data.bidmc import release
from data.bidmc.release import LENGTH, RATE, SIGNALS, SUMS, TARGETS, ZENODO, Target
from data.bidmc.splits import DRAWS, PATIENT, RANDOM, SPLIT_SEED, describe, patient_parts, patient_split, random_split, usable
from data.bidmc.tsfile import LARGEST
from data.card import Card
from data.files.digests import file_digest, key_of, sha256
from data.files.prepared import Made, Prepared, opened, prepare
from data.files.root import root
from data.sampling import Ids
from data.subsets import SplitSpec

if TYPE_CHECKING:
    from data.module import SplitModule

Source = Literal["physionet", "official"]
Split = Literal["random", "patient"]
Normalisation = Literal["none", "channel"]
Offset = Literal["kept", "removed"]

CITATION: Final = (
    "M. Pimentel et al., Towards a Robust Estimation of Respiratory Rate from Pulse Oximeters, IEEE Trans. Biomed. Eng. 64(8):1914-1923, "
    "2016; A. Goldberger et al., PhysioBank, PhysioToolkit, and PhysioNet, Circulation 101(23):e215-e220, 2000"
)
LICENCE: Final = "Open Data Commons Attribution License 1.0. De-identified patients: no attempt may be made to find out who they are"
PUBLISHER: Final = "BIDMC PPG and Respiration Dataset 1.0.0, PhysioNet, https://physionet.org/content/bidmc/1.0.0/, doi 10.13026/C2208R"
TSER: Final = "BIDMC32RR, BIDMC32HR, BIDMC32SpO2 of the TSER archive (arXiv 2006.10996), Zenodo records 4001463, 4001456, 4001464"


def from_recordings(recordings: release.Recordings, digests: Mapping[str, str], say: Say) -> Made:
    """Makes arrays and manifest of all three targets from the publisher's recordings. Raises DataError."""
    arrays = release.windows(recordings, digests, say)
    recording, targets = arrays["recording"], arrays["targets"]
    arrays["part"] = parts = patient_parts(arrays["patient"], recording, targets)
    owners = [set(arrays["patient"][parts == part].tolist()) for part in range(len(PARTS))]
    assert not any(owners[i] & owners[j] for i in range(3) for j in range(i))
    splits = {}
    for c, target in enumerate(TARGETS):
        ids = usable(targets[:, c], target)
        splits[f"{target}, random"] = describe(random_split(ids), targets[:, c], RANDOM)
        splits[f"{target}, patient"] = describe(patient_split(parts, recording, ids), targets[:, c], PATIENT)
    facts = {"source": PUBLISHER, "licence": LICENCE, "version": "1.0.0", "patients": int(arrays["patient"].max()) + 1, "splits": splits}
    return Made(arrays=arrays, facts={**facts, "reader": release.READER_VERSION, "files": dict(digests)})


def from_archive(target: Target, pair: tuple[Path, Path], digests: Mapping[str, str], say: Say) -> Made:
    """Makes arrays and manifest of one target from the archive's two files. Raises DataError."""
    arrays = release.archive_cases(target, pair, say)
    splits = {f"{target}, random": describe(random_split(np.arange(len(arrays["y"]), dtype=np.int64)), arrays["y"], RANDOM)}
    facts = {"source": TSER, "licence": LICENCE, "version": f"Zenodo record {ZENODO[target]}", "splits": splits}
    return Made(arrays=arrays, facts={**facts, "reader": release.READER_VERSION, "files": dict(digests)})


# ---------------------------------------------------------------- the data set

CARD: Final = Card(
    name="bidmc",
    title="BIDMC vital signs",
    what=(
        "32 s of photoplethysmogram (PLETH) and electrocardiogram (lead II) at 125 Hz, 4000 x 2 real numbers. Asked is the mean heart rate "
        "(beats/min), respiratory rate (breaths/min) or oxygen saturation (%) that the monitor showed in these 32 s."
    ),
    size=(
        "7,949 windows, 7,870 of them with a respiratory rate, of 53 recordings of 46 patients; prepared arrays 26 MB, or 254 MB for "
        "each target read from .ts files."
    ),
    licence=LICENCE,
    source=f"{PUBLISHER}: bidmc_csv/bidmc_NN_Signals.csv, _Numerics.csv, _Fix.txt. Or the .ts files {TSER}.",
    citation=CITATION,
    splits=(
        "random: 70/15/15 over windows, the literature's (state-spaces/s4). Windows advance by 3 s, so every test window overlaps a "
        "training window, nine in ten by 29 s: it measures how well a patient is remembered. patient: 37/8/8 recordings, no patient in two."
    ),
    issues=(
        "Chance level, the RMSE of predicting the mean of the training targets, on test: random HR 13.46, RR 3.12, SpO2 3.29; patient HR "
        "15.26, RR 2.97, SpO2 2.88. Published errors of models exist for the random split only.",
        "The 53 recordings are of 46 patients: 6-9, 20-23 and 38-39 are of one patient each (Fix.txt). A split by recording, such as the "
        "TSER archive's own into training and test file, still shares patients.",
        "How the archive cut is inferred: 32 s every 3 s, mean of the seconds that are not missing, RR without windows of mean 0 (79, all "
        "of recording 13). One window of recording 23 is missing there; that it is the first is likely, not certain.",
        "The random split of windows cut here follows the literature's rule, but the order of the archive's cases is unknown, so its parts "
        "are not the very windows behind published numbers; with source=official they are.",
        "Targets are far from 0 (means 89, 17.6 and 97) and by the published protocol not centred: a network first spends steps on the "
        "offset, in a short run all of them. offset=removed spares it that and leaves the unit of the RMSE as it is.",
        "Missing input values: the archive lists none, state-spaces/s4 would pass them on as nan; here they are an error.",
    ),
)


@dataclass(frozen=True, kw_only=True)
class BIDMCSpec(SplitSpec):
    """4000 steps of two signals; the target is one real number in its own unit, scored by RMSE. Neither is scaled unless asked."""

    version: ClassVar[int] = 1
    task: ClassVar[tuple[str, ...]] = ("target",)
    card: ClassVar[Card] = CARD

    target: Target
    """Respiratory rate, heart rate or oxygen saturation."""
    source: Source = "physionet"
    """Windows cut from the publisher's recordings, or the archive's .ts files."""
    split: Split = "random"
    """The literature's, in which patients and even seconds are shared between the parts, or by patient."""
    normalisation: Normalisation = "none"
    """As published; "channel" takes off the mean of each signal over the training windows and divides by its standard deviation."""
    offset: Offset = "kept"
    """As published; "removed" takes the mean of the training targets off every target, so that a network need not learn it first. The unit,
    and so the meaning of an RMSE, stays the same."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.source == "official" and self.split == "patient":
            raise ValueError("the .ts files do not say which patient a window is of, so split='patient' needs source='physionet'")

    @property
    def signature(self) -> Signature:
        """Each of the 4,000 steps is two real numbers; the target is one."""
        return Signature(length=LENGTH, d_input=len(SIGNALS), d_output=1, regression=True)

    @property
    def _name(self) -> str:
        return "bidmc" if self.source == "physionet" else f"bidmc-{self.target.lower()}-official"

    def sizes(self, prepared: Prepared) -> dict[str, int]:
        """Windows of each part, which depend on target and split."""
        splits = prepared.manifest["splits"]
        entry = splits.get(f"{self.target}, {self.split}") if isinstance(splits, dict) else None
        return replace(prepared, manifest=entry if isinstance(entry, dict) else {}).counts()

    def plan(self) -> str:
        """Nothing is downloaded, as no checksum of these files is known before they are there."""
        if self.source == "official":
            return (
                f"downloads nothing; reads BIDMC32{self.target}_TRAIN.ts and _TEST.ts, about 0.5 GB of text, from {root()} "
                f"and writes 254 MB to {root() / 'prepared'}, twice that meanwhile: about half a minute"
            )
        return (
            f"downloads nothing; reads the 53 recordings (bidmc_csv or {release.ARCHIVE}, 0.1 to 0.2 GB) from {root()}, checks "
            f"them against {SUMS} where that is beside them, and writes 26 MB to {root() / 'prepared'}: a few seconds"
        )

    def load(self, *, download: bool = False, say: Say = silent) -> Prepared:
        """The prepared arrays, from the files in the data root or, where these are gone, from the cache. Raises DataError."""
        if self.source == "official":
            pair = release.find_official(self.target)
            if pair is None:
                return self._without_files()
            digests = {path.name: file_digest(path, most=LARGEST).removeprefix("sha256:") for path in pair}
            needed = 2 * sum(release.RELEASE.windows[self.target]) * LENGTH * len(SIGNALS) * 4  # once until it is written
            return prepare(self._name, _key(digests), lambda: from_archive(self.target, pair, digests, say), needed=needed)
        recordings = release.find(say)
        if recordings is None:
            return self._without_files()
        digests = recordings.digests()
        needed = release.RELEASE.recordings * (release.RELEASE.seconds * RATE + 1) * len(SIGNALS) * 4
        return prepare(self._name, _key(digests), lambda: from_recordings(recordings, digests, say), needed=needed)

    def opened(self) -> Prepared | None:
        """The prepared arrays of this source that were made last by this version of the reader."""
        manifests = [file for file in (root() / "prepared").glob(f"{self._name}-*/manifest.json") if len(_key_in(file, self._name)) == 12]
        for file in sorted(manifests, key=lambda file: file.stat().st_mtime_ns, reverse=True):
            prepared = opened(self._name, _key_in(file, self._name))
            if prepared is not None and prepared.manifest.get("reader") == release.READER_VERSION:
                return prepared
        return None

    def _without_files(self) -> Prepared:
        prepared = self.opened()
        if prepared is not None:
            return prepared
        if self.source == "official":
            raise DataError(
                f"BIDMC32{self.target} is not here. Get BIDMC32{self.target}_TRAIN.ts and BIDMC32{self.target}_TEST.ts from "
                f"https://zenodo.org/records/{ZENODO[self.target]} (no checksum of them is known) and put them into {root()}; then run "
                "make data-bidmc."
            )
        raise DataError(
            f"BIDMC is not here. Get https://physionet.org/static/published-projects/bidmc/{release.ARCHIVE} and put it into "
            f"{root()}, "
            f"or put the folder bidmc_csv of https://physionet.org/files/bidmc/1.0.0/ there, with {SUMS} beside it, which every file is "
            "then checked against; then run make data-bidmc."
        )

    def build(self, *, batch_size: int, seed: int) -> SplitModule:
        """The data module; batches are {"x": (B, 4000, 2) float32, "y": (B,) float32}. Raises DataError."""
        from data.module import SplitModule

        prepared = self.load()
        flat, begin, y, splits = self._opened_windows(prepared)
        splits = self.take(splits, None)

        def cut(ids: Ids) -> NDArray[np.float32]:
            x = np.empty((len(ids), LENGTH, len(SIGNALS)), dtype=np.float32)
            for row, first in zip(x, begin[ids].tolist(), strict=True):
                row[:] = flat[first : first + LENGTH]
            return x

        scale = None if self.normalisation == "none" else moments(cut, splits["train"])
        if self.offset == "removed":
            y = y - y[splits["train"]].mean(dtype=np.float64).astype(np.float32)

        def make(split: str, ids: Ids, epoch: int) -> dict[str, NDArray[Any]]:
            x = cut(ids)
            if scale is not None:
                x -= scale[0]
                x /= scale[1]
            return {"x": x, "y": y[ids]}

        digest = sha256(prepared.digests(), *splits.values())
        return SplitModule(splits, len(y), make, batch_size=batch_size, seed=seed, content_hash=digest)

    def _opened_windows(self, prepared: Prepared) -> tuple[NDArray[np.float32], Ids, NDArray[np.float32], dict[str, Ids]]:
        """(all samples (total, 2), first sample of each window (n,), target (n,), ids per part)."""
        if self.source == "official":
            y, x = np.asarray(prepared.array("y")), prepared.array("x")
            ids = np.arange(len(y), dtype=np.int64)
            return x.reshape(-1, len(SIGNALS)), ids * LENGTH, y, random_split(ids)
        signals, recording = prepared.array("signals"), prepared.array("recording").astype(np.int64)
        y = np.array(prepared.array("targets")[:, TARGETS.index(self.target)])
        begin = recording * signals.shape[1] + prepared.array("start").astype(np.int64) * RATE
        ids = usable(y, self.target)
        splits = random_split(ids) if self.split == "random" else patient_split(prepared.array("part"), recording, ids)
        return signals.reshape(-1, len(SIGNALS)), begin, y, splits


def moments(cut: Callable[[Ids], NDArray[np.float32]], ids: Ids) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """(channels,) Mean and standard deviation over all samples of the windows `ids`."""
    total, square = np.zeros(len(SIGNALS)), np.zeros(len(SIGNALS))
    for i in range(0, len(ids), 64):
        x = cut(ids[i : i + 64]).astype(np.float64)
        total += x.sum(axis=(0, 1))
        square += (x**2).sum(axis=(0, 1))
    mean = total / (len(ids) * LENGTH)
    return mean.astype(np.float32), np.sqrt(square / (len(ids) * LENGTH) - mean**2).astype(np.float32)


def _key(digests: Mapping[str, str]) -> str:
    reader = f"reader {release.READER_VERSION}, split {SPLIT_SEED} of {DRAWS}"
    return key_of(reader, *(f"{name} {digest}" for name, digest in sorted(digests.items())))


def _key_in(manifest: Path, name: str) -> str:
    """Takes the key from the end of the name of a prepared folder."""
    return manifest.parent.name.removeprefix(f"{name}-")
