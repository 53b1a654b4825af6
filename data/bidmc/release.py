"""The files of BIDMC: PhysioNet's recordings cut into windows, or the cases of the TSER archive (arXiv 2006.10996).

The archive made regression tasks of the recordings and did not publish how it cut them. It can be recovered: see ABSENT.
"""

from __future__ import annotations

import hashlib
import os
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from data.base import DataError, Say, silent
from data.bidmc.tsfile import cases
from data.files.regular import content_of, opened_file
from data.files.root import places, root, scratch, tell_choice
from data.sampling import Ids

Target = Literal["RR", "HR", "SpO2"]
TARGETS: Final[tuple[Target, ...]] = get_args(Target)

RATE: Final = 125
"""Samples per second of the signals; the numerics have one per second."""
WINDOW: Final = 32
STEP: Final = 3
"""Seconds per window, and from one to the next."""
LENGTH: Final = WINDOW * RATE
SIGNALS: Final = ("PLETH", "II")
NUMERICS: Final = ("RESP", "HR", "SpO2")
"""Columns of the targets, in the order of TARGETS."""


@dataclass(frozen=True, kw_only=True)
class Extent:
    """How much the publishers released: there is no archive whose checksum was known before it came."""

    recordings: int
    seconds: int
    absent: tuple[int, int]
    """(recording, second of the start) of the window that the archive does not have."""
    windows: Mapping[str, tuple[int, int]]
    """Cases of the archive's training and test file."""


# 53 recordings have 150 windows each, 7,950, of which 79 have a respiratory rate of 0. The archive has 7,949, and 7,870 for RR: its test
# files hold 2,399, one less than 16 recordings do, its training files for HR and SpO2 5,550, which are 37 recordings. Somebody published
# what the mean of the training targets scores on the archive's test files: RMSE 14.1101, 3.4967 and 4.8029 for HR, RR and SpO2. With the
# first 16 of numpy's RandomState(1234).permutation(53) as test recordings it scores 14.1171, 3.4962 and 4.8019 here, which no other of
# thousands of seeds comes near; once a window of recording 23, the last of the 16, is left out, 14.1102, 3.4968 and 4.8029. Of its windows
# the first is the only one at an end of the recording that gives this; thirty in its middle would do as well.
ABSENT: Final = (23, 0)
RELEASE: Extent = Extent(
    recordings=53, seconds=480, absent=ABSENT, windows={"RR": (5_471, 2_399), "HR": (5_550, 2_399), "SpO2": (5_550, 2_399)}
)
READER_VERSION: Final = 1

FOLDERS: Final = ("", "bidmc-ppg-and-respiration-dataset-1.0.0", "bidmc/1.0.0", "physionet.org/files/bidmc/1.0.0", "bidmc_csv")
"""Of the data root, where the folder bidmc_csv may be; the last one where it was unpacked into a folder of its own name."""
ARCHIVE: Final = "bidmc-ppg-and-respiration-dataset-1.0.0.zip"
SUMS: Final = "SHA256SUMS.txt"
LARGEST: Final = 8_000_000
"""Bytes of any one file of the release that is read; the real ones have up to about 4 MB."""
CASES_PER_SECOND: Final = 300
ZENODO: Final = {"RR": 4001463, "HR": 4001456, "SpO2": 4001464}

# ---------------------------------------------------------------- the recordings


@dataclass(frozen=True)
class Recordings:
    """The publisher's CSV files, read from a folder or straight from the publisher's zip."""

    place: Path

    def read(self, name: str) -> bytes | None:
        """Reads a file by its path in the release; None where it is not there. Raises DataError where it is damaged."""
        return _from_folder(self.place / name) if self.place.is_dir() else _from_zip(self.place, name)

    def file(self, name: str) -> bytes:
        """Reads a file that has to be there. Raises DataError where it is not."""
        content = self.read(name)
        if content is None:
            raise DataError(
                f"{self.place} has no {name}. Each of the {RELEASE.recordings} recordings needs its Signals.csv, Numerics.csv and Fix.txt; "
                "get what is missing, or all of it again."
            )
        return content

    def digests(self) -> dict[str, str]:
        """Hashes every file that is used (sha256). Raises DataError where the publisher's list of checksums is there and disagrees."""
        digests = {name: hashlib.sha256(self.file(name)).hexdigest() for name in names()}
        listed = self.read(SUMS)
        if listed is not None:
            lines = (line.split(maxsplit=1) for line in listed.decode("utf-8-sig", "replace").splitlines())
            sums = {pair[1].strip().lstrip("*").removeprefix("./"): pair[0].lower() for pair in lines if len(pair) == 2}
            for name, digest in digests.items():
                if sums.get(name) != digest:
                    expected = sums.get(name, "no checksum for it")
                    raise DataError(f"{self.place}: {name} has sha256 {digest}, and {SUMS} lists {expected}. Get the file again.")
        return digests


def names() -> list[str]:
    """Gives the paths in the release of the files that are used, three for each recording."""
    stems = [f"bidmc_csv/bidmc_{i:02d}" for i in range(1, RELEASE.recordings + 1)]
    return [f"{stem}_{kind}" for stem in stems for kind in ("Signals.csv", "Numerics.csv", "Fix.txt")]


def find(say: Say = silent) -> Recordings | None:
    """Finds the recordings in the data root: a folder bidmc_csv, or the zip; None where neither is. Says so where there are several."""
    found = places(FOLDERS, lambda folder: any((folder / "bidmc_csv").glob("bidmc_[0-9]*")))
    found += [root() / ARCHIVE] if os.path.lexists(root() / ARCHIVE) else []
    tell_choice(found, "BIDMC", say)
    return Recordings(found[0]) if found else None


def _from_folder(path: Path) -> bytes | None:
    return content_of(path, LARGEST) if os.path.lexists(path) else None


def _from_zip(archive: Path, name: str) -> bytes | None:
    """The one member with this path, whatever the folder that the zip wraps it in; read into memory, never unpacked."""
    try:
        with opened_file(archive) as handle, zipfile.ZipFile(handle) as opened:
            members = [m for m in opened.infolist() if f"/{m.filename}".endswith(f"/{name}")]
            if not members:
                return None
            if len(members) > 1 or members[0].file_size > LARGEST:
                raise DataError(f"{archive}: {name} is there twice, or larger than {LARGEST:,} bytes; this is another archive")
            return opened.read(members[0])
    except DataError:
        raise
    except Exception as error:  # the names, sizes and dates in a zip are parsed by many hands, and each raises what it likes
        raise DataError(f"{archive} is damaged or cut short ({type(error).__name__}: {error}). Remove it and get it again.") from error


def table(content: bytes, name: str, columns: tuple[str, ...], rate: int) -> NDArray[np.float64]:
    """(seconds * rate + 1, columns) of a CSV file, found by the names in its first line. Raises DataError that names the line."""
    head, _, body = content.partition(b"\n")
    titles = [title.strip() for title in head.decode("utf-8-sig", "replace").split(",")]
    wanted = ("Time [s]", *columns)
    if missing := [title for title in wanted if titles.count(title) != 1]:
        if not any(titles):
            raise DataError(f"{name} is empty; get it again, or name another --data")
        raise DataError(f"{name}, line 1: no column {', '.join(missing)}, or more than one; the columns are {', '.join(titles)[:200]}")
    lines = body.decode("ascii", "replace").splitlines()
    try:
        values = np.loadtxt(lines, delimiter=",", comments=None, ndmin=2) if lines else np.empty((0, len(titles)))
    except ValueError as error:
        number, what = next(_faults(lines, len(titles)), (2, str(error)))
        raise DataError(f"{name}, line {number}: {what}. Get the file again.") from error
    rows = RELEASE.seconds * rate + 1
    if values.shape != (rows, len(titles)):
        raise DataError(
            f"{name} has {len(values):,} rows of {values.shape[1]} values, expected {rows:,} of {len(titles)}; get the file again"
        )
    chosen = values[:, [titles.index(title) for title in wanted]]
    wrong = np.flatnonzero(~(np.abs(chosen[:, 0] - np.arange(rows) / rate) < 1e-6))
    if len(wrong):
        raise DataError(f"{name}, line {wrong[0] + 2}: the time is {chosen[wrong[0], 0]} s, expected {wrong[0] / rate} s")
    return chosen[:, 1:]


def _faults(lines: list[str], columns: int) -> Iterator[tuple[int, str]]:
    """(line number in the file, what is wrong) of the rows that are not as many numbers as there are columns."""
    for number, line in enumerate(lines, start=2):
        fields = line.split(",")
        if len(fields) != columns:
            yield number, f"{len(fields)} values instead of {columns}"
        for field in fields:
            try:
                float(field)
            except ValueError:
                yield number, f"{field[:40]!r} is not a number"


def patient_of(content: bytes, name: str) -> str:
    """The publisher's pseudonym for the patient of a recording: some patients have several."""
    for line in content.decode("utf-8-sig", "replace").splitlines():
        title, _, value = line.partition(":")
        if title.strip() == "MIMIC II matched wdb ID" and value.strip():
            return value.strip()
    raise DataError(f"{name} has no line 'MIMIC II matched wdb ID', which tells which recordings are of one patient")


def windows(recordings: Recordings, digests: Mapping[str, str], say: Say) -> dict[str, NDArray[Any]]:
    """Signals (recordings, samples, 2), patient (recordings,), and of each window its recording, start in seconds, and targets (n, 3).

    The signals are stored once; windows are places in them. Raises DataError.
    """
    count = RELEASE.recordings
    starts = np.arange(0, RELEASE.seconds - WINDOW + 1, STEP)
    signals = np.empty((count, RELEASE.seconds * RATE + 1, len(SIGNALS)), dtype=np.float32)
    targets = np.empty((count, len(starts), len(TARGETS)))
    patients: list[str] = []
    say(f"reading {count} recordings of {RELEASE.seconds} s from {recordings.place}, a few seconds")
    for i in range(count):
        contents = {}
        for name in names()[3 * i : 3 * i + 3]:
            contents[name] = content = recordings.file(name)
            if hashlib.sha256(content).hexdigest() != digests[name]:
                raise DataError(f"{recordings.place}: {name} changed while it was read; run the same command again")
        (signal_file, wave), (numeric_file, rates), (fix_file, fix) = contents.items()
        signal = table(wave, signal_file, SIGNALS, RATE)
        if not np.isfinite(signal).all():
            row = int(np.flatnonzero(~np.isfinite(signal).all(axis=1))[0])
            raise DataError(f"{signal_file}, line {row + 2}: a sample is missing; the official recordings have no gaps")
        signals[i] = signal
        targets[i] = window_means(table(rates, numeric_file, NUMERICS, 1), starts, numeric_file)
        patients.append(patient_of(fix, fix_file))
    number, second = np.meshgrid(np.arange(count), starts, indexing="ij")
    kept = (number + 1 != RELEASE.absent[0]) | (second != RELEASE.absent[1])
    order = list(dict.fromkeys(patients))  # the pseudonyms themselves are not kept
    return {
        "signals": signals,
        "patient": np.array([order.index(patient) for patient in patients], dtype=np.int16),
        "recording": number[kept].astype(np.int16),
        "start": second[kept].astype(np.int16),
        "targets": targets[kept].astype(np.float32),
    }


def window_means(numerics: NDArray[np.float64], starts: Ids, name: str) -> NDArray[np.float64]:
    """Averages the seconds start .. start + 31 that are not missing: (windows, targets). Raises DataError where all of them are."""
    cut = np.lib.stride_tricks.sliding_window_view(numerics, WINDOW, axis=0)[starts]  # (windows, targets, seconds)
    if np.isinf(numerics).any():
        row = int(np.flatnonzero(np.isinf(numerics).any(axis=1))[0])
        raise DataError(f"{name}, line {row + 2}: a value is infinite; in the official recordings it is a number or missing")
    there = np.isfinite(cut)
    counts = there.sum(axis=2)
    if not counts.all():
        window, column = (int(index) for index in np.argwhere(counts == 0)[0])
        raise DataError(f"{name}: {NUMERICS[column]} is missing in all {WINDOW} seconds from {starts[window]} s on")
    return np.asarray(np.where(there, cut, 0).sum(axis=2) / counts)


# ---------------------------------------------------------------- the archive's files


def find_official(target: Target) -> tuple[Path, Path] | None:
    """Finds the training and the test file of the archive, in the data root or in a folder of their own there."""
    for folder in (root(), root() / f"BIDMC32{target}", root() / "bidmc" / target):
        pair = folder / f"BIDMC32{target}_TRAIN.ts", folder / f"BIDMC32{target}_TEST.ts"
        if all(path.is_file() for path in pair):
            return pair
    return None


def archive_cases(target: Target, pair: tuple[Path, Path], say: Say) -> dict[str, NDArray[Any]]:
    """Reads the archive's cases: x (n, 4000, 2) and y (n,), those of the training file first. Raises DataError."""
    expected = RELEASE.windows[target]
    x = scratch((sum(expected), LENGTH, len(SIGNALS)), "float32")
    y = np.empty(sum(expected), dtype=np.float32)
    i = 0
    for path, n in zip(pair, expected, strict=True):
        say(f"reading {path}, {n:,} cases, about {max(1, n // CASES_PER_SECOND)} s")
        before = i
        for line, values, value in cases(path, channels=len(SIGNALS), length=LENGTH):
            if i - before == n:
                raise DataError(f"{path} has more than the {n:,} cases of the official file; it is another one")
            if not (np.isfinite(values).all() and np.isfinite(value)):
                raise DataError(f"{path}, line {line}: a value is missing or infinite; the official files have no gaps")
            x[i], y[i] = values, value
            i += 1
        if i - before != n:
            raise DataError(f"{path} has {i - before:,} cases instead of {n:,}; it is cut short. Get it again.")
    return {"x": x, "y": y}
