"""BIDMC: the publisher's layout in miniature, targets and windows against a slow loop, splits, bad files, and the real recordings."""

from __future__ import annotations

import hashlib
import json
import math
import os
import re
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from data.base import DataError
from data.bidmc.release import ARCHIVE, LENGTH, RATE, READER_VERSION, STEP, SUMS, WINDOW, Extent
from data.bidmc.spec import BIDMCSpec
from data.module import SplitModule

RECORDINGS, SECONDS = 20, 62
ABSENT = (3, 6)
STARTS = range(0, SECONDS - WINDOW + 1, STEP)
"""11 windows a recording, the last of which ends with the recording."""
TITLES = {"RR": "RESP", "HR": "HR", "SpO2": "SpO2"}
REAL = os.environ.get("SSM_TEST_DATA")


class Miniature:
    """20 short recordings of 10 patients; recording 4 has no respiratory rate in its first 40 s, and some numerics are missing."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        rng = np.random.default_rng(0)
        samples = SECONDS * RATE + 1
        self.signals = rng.integers(0, 100_000, (RECORDINGS, samples, 3)) / 1e5  # RESP, PLETH, II, five decimals as in the release
        base = rng.uniform([60, 90, 12], [120, 100, 24], (RECORDINGS, 3))
        self.numerics = np.round(base[:, None] + rng.uniform(-3, 3, (RECORDINGS, SECONDS + 1, 3)))  # HR, SpO2, RESP
        self.numerics[3, :41, 2] = 0
        self.numerics[5, 10:30, 0] = np.nan
        self.numerics[7, 40:44] = np.nan
        self.patients = [f"s{i:05d}" for i in range(RECORDINGS)]
        for first, last in ((0, 1), (2, 4), (5, 6), (7, 8), (9, 11), (14, 15), (17, 19)):  # so many that a split by recording shares some
            self.patients[first : last + 1] = [self.patients[first]] * (last + 1 - first)

    def signals_csv(self, i: int) -> str:
        order = [2, 0, 1] if i % 2 else [0, 1, 2]  # columns come in any order
        head = ", ".join(["Time [s]", *(("RESP", "PLETH", "II")[c] for c in order)])
        rows = [",".join([f"{k / RATE:.3f}", *(f"{self.signals[i, k, c]:.5f}" for c in order)]) for k in range(len(self.signals[i]))]
        return "\n".join([head, *rows]) + "\n"

    def numerics_csv(self, i: int) -> str:
        rows = []
        for second, (hr, spo2, resp) in enumerate(self.numerics[i].tolist()):
            rows.append(",".join([str(second), *("NaN" if math.isnan(v) else f"{v:.0f}" for v in (hr, 99, resp, spo2))]))
        return "\n".join(["Time [s], HR, PULSE, RESP, SpO2", *rows]) + "\n"

    def contents(self) -> dict[str, bytes]:
        out = {}
        for i in range(RECORDINGS):
            stem = f"bidmc_csv/bidmc_{i + 1:02d}"
            out[f"{stem}_Signals.csv"] = self.signals_csv(i).encode()
            out[f"{stem}_Numerics.csv"] = self.numerics_csv(i).encode()
            out[f"{stem}_Fix.txt"] = f"bidmc_{i + 1:02d}\nAge: 50\nMIMIC II matched wdb ID: {self.patients[i]}\n".encode()
        return out

    def target(self, target: str, i: int, start: int) -> float:
        """One mean, second by second."""
        total, n = 0.0, 0
        for second in range(start, start + 32):
            value = float(self.numerics[i, second, ("HR", "SpO2", "RR").index(target)])
            if not math.isnan(value):
                total, n = total + value, n + 1
        return total / n

    def windows(self, target: str) -> list[tuple[int, int]]:
        """(recording, start) of every window that there should be, in order."""
        every = [(i, start) for i in range(RECORDINGS) for start in STARTS if (i + 1, start) != ABSENT]
        return [(i, start) for i, start in every if target != "RR" or self.target("RR", i, start) > 0]


@pytest.fixture(scope="session")
def contents() -> tuple[Miniature, dict[str, bytes]]:
    mini = Miniature(Path())
    return mini, mini.contents()


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SSM_DATA", str(tmp_path / "data"))
    release = Extent(recordings=RECORDINGS, seconds=SECONDS, absent=ABSENT, windows={"RR": (9, 4), "HR": (9, 4), "SpO2": (9, 4)})
    monkeypatch.setattr("data.bidmc.release.RELEASE", release)
    monkeypatch.setattr("data.bidmc.splits.DRAWS", 200)
    return tmp_path / "data"


Put = Callable[..., Miniature]


@pytest.fixture
def put(place: Path, contents: tuple[Miniature, dict[str, bytes]]) -> Put:
    """Unpacks the miniature, with some contents replaced, or left out where None."""
    mini, files = contents

    def write(changes: dict[str, bytes | None] | None = None, under: str = "") -> Miniature:
        for name, content in {**files, **(changes or {})}.items():
            if content is not None:
                path = place / under / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(content)
        return mini

    return write


def build(target: str = "HR", batch_size: int = 16, **options: Any) -> SplitModule:
    return BIDMCSpec(target=target, **options).build(batch_size=batch_size, seed=0)  # type: ignore[arg-type]


def everything(module: SplitModule, part: str) -> tuple[np.ndarray, np.ndarray]:
    batches = list(getattr(module, f"{part}_dataloader")())
    return np.concatenate([b["x"].numpy() for b in batches]), np.concatenate([b["y"].numpy() for b in batches])


def recognised(mini: Miniature, target: str, x: np.ndarray) -> list[tuple[int, int]]:
    """(recording, start) of each window, by its first samples."""
    known = {tuple(mini.signals[i, start * RATE, 1:].astype(np.float32).tolist()): (i, start) for i, start in mini.windows(target)}
    return [known[tuple(row[0].tolist())] for row in x]


# ---------------------------------------------------------------- windows and targets


@pytest.mark.parametrize("target", ["RR", "HR", "SpO2"])
@pytest.mark.parametrize("split", ["random", "patient"])
def test_every_window_is_there_once_with_the_mean_of_its_own_seconds(put: Put, target: str, split: str) -> None:
    mini = put()
    module = build(target, split=split)
    found: list[tuple[int, int]] = []
    for part in ("train", "val", "test"):
        x, y = everything(module, part)
        assert x.shape[1:] == (LENGTH, 2)
        assert x.dtype == y.dtype == np.float32
        for (i, start), window, value in zip(recognised(mini, target, x), x, y, strict=True):
            found.append((i, start))
            assert value == pytest.approx(mini.target(target, i, start), rel=1e-6)
            np.testing.assert_array_equal(window, mini.signals[i, start * RATE : start * RATE + LENGTH, 1:].astype(np.float32))
    assert len(found) == len(set(found))
    assert set(found) == set(mini.windows(target))
    expected = RECORDINGS * 11 - 1 - (4 if target == "RR" else 0)  # recording 4 breathes from second 41 on: starts 0, 3, 6, 9
    assert len(found) == expected
    assert (ABSENT[0] - 1, ABSENT[1]) not in found


def test_the_random_split_is_that_of_the_literature(put: Put) -> None:
    from sklearn.model_selection import train_test_split

    mini = put()
    module = build("RR")
    train, others = train_test_split(mini.windows("RR"), test_size=0.3, random_state=0)
    val, test = train_test_split(others, test_size=0.5, random_state=1)
    assert module.counts() == {"train": len(train), "val": len(val), "test": len(test)}
    assert recognised(mini, "RR", everything(module, "val")[0]) == val
    assert recognised(mini, "RR", everything(module, "test")[0]) == test


def test_no_patient_is_in_two_parts_of_the_split_by_patient(put: Put) -> None:
    mini = put()
    recordings = {}
    for target in ("HR", "RR"):
        module = build(target, split="patient")
        recordings[target] = {p: {i for i, _ in recognised(mini, target, everything(module, p)[0])} for p in ("train", "val", "test")}
    assert recordings["HR"] == recordings["RR"]
    assert [len(found) for found in recordings["HR"].values()] == [14, 3, 3]
    patients = [{mini.patients[i] for i in found} for found in recordings["HR"].values()]
    assert sum(len(found) for found in patients) == len(set(mini.patients)) == 10
    # while the random one has the same patient, and the same second, on both sides
    seen = recognised(mini, "HR", everything(build(), "train")[0])
    overlapping = [
        w for w in recognised(mini, "HR", everything(build(), "test")[0]) if (w[0], w[1] + STEP) in seen or (w[0], w[1] - STEP) in seen
    ]
    assert len(overlapping) > 20


def test_scaling_is_of_the_training_windows_and_only_where_asked(put: Put) -> None:
    put()
    raw, scaled = build(split="patient"), build(split="patient", normalisation="channel")
    (x, y), (z, same) = everything(raw, "train"), everything(scaled, "train")
    np.testing.assert_array_equal(y, same)
    assert x.min() >= 0
    assert x.max() <= 1
    mean, std = x.mean(axis=(0, 1), dtype=np.float64), x.std(axis=(0, 1), dtype=np.float64)
    np.testing.assert_allclose(z, (x - mean) / std, atol=1e-5)
    x_test, z_test = everything(raw, "test")[0], everything(scaled, "test")[0]
    np.testing.assert_allclose(z_test, (x_test - mean) / std, atol=1e-5)


def test_an_offset_that_is_removed_is_the_training_mean_in_every_part(put: Put) -> None:
    put()
    kept, removed = build(), build(offset="removed")
    mean = everything(kept, "train")[1].mean()
    for part in ("train", "val", "test"):
        np.testing.assert_allclose(everything(removed, part)[1], everything(kept, part)[1] - mean, atol=1e-4)


def test_evaluation_and_subsets_do_not_depend_on_the_seed_and_training_order_does(put: Put) -> None:
    put()
    first, second = (BIDMCSpec(target="HR", train_subset=20, val_subset=5).build(batch_size=7, seed=seed) for seed in (0, 1))
    assert first.counts() == {"train": 20, "val": 5, "test": build().counts()["test"]}
    for part in ("val", "test"):
        for a, b in zip(everything(first, part), everything(second, part), strict=True):
            np.testing.assert_array_equal(a, b)
    assert set(first.order(0)) == set(second.order(0))
    assert first.order(0).tolist() != second.order(0).tolist()
    assert first.content_hash() == second.content_hash() != build().content_hash()


def test_the_signature_is_that_of_the_batches(put: Put) -> None:
    put()
    signature = BIDMCSpec(target="HR").signature
    batch = next(iter(build().test_dataloader()))
    assert batch["x"].shape == (16, signature.length, signature.d_input)
    assert batch["y"].shape == (16,)
    assert batch["y"].dtype == torch.float32
    assert (signature.d_output, signature.regression) == (1, True)


def test_the_manifest_tells_counts_and_chance_level(put: Put) -> None:
    put()
    prepared = BIDMCSpec(target="HR").load()
    prepared.verify()
    assert prepared.manifest["patients"] == 10
    for target, split in (("HR", "random"), ("RR", "patient")):
        told, module = prepared.manifest["splits"][f"{target}, {split}"], build(target, split=split)
        assert told["counts"] == module.counts()
        y, unseen = everything(module, "train")[1], everything(module, "test")[1]
        assert told["chance"]["test"] == pytest.approx(float(np.sqrt(((unseen - y.mean()) ** 2).mean())), rel=1e-3)
    assert prepared.array("signals").nbytes < 2 * 4 * RECORDINGS * (SECONDS * RATE + 1) + 1  # each sample once


@pytest.mark.parametrize(
    "options", [{"target": "BP"}, {"split": "subject"}, {"source": "tser"}, {"normalisation": "z"}, {"offset": "no"}, {"train_subset": 0}]
)
def test_options_that_are_not_there_are_refused(options: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"one of: |1 or more"):
        BIDMCSpec(**{"target": "HR", **options})


# ---------------------------------------------------------------- where the files are, and what may not be taken for them


def test_folder_zip_and_publishers_folders_give_the_same_arrays(
    put: Put, place: Path, contents: tuple[Miniature, dict[str, bytes]], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    put()
    sums = {entry["sha256"] for entry in BIDMCSpec(target="HR").load().manifest["arrays"].values()}
    monkeypatch.setenv("SSM_DATA", str(tmp_path / "second"))
    (tmp_path / "second").mkdir()
    with zipfile.ZipFile(tmp_path / "second" / ARCHIVE, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("../../outside.txt", "no")
        for name, content in contents[1].items():
            archive.writestr(f"bidmc-ppg-and-respiration-dataset-1.0.0/{name}", content)
    assert {entry["sha256"] for entry in BIDMCSpec(target="HR").load().manifest["arrays"].values()} == sums
    assert sorted(path.name for path in (tmp_path / "second").iterdir()) == [ARCHIVE, "prepared"]
    assert not (tmp_path / "outside.txt").exists()
    (tmp_path / "second" / ARCHIVE).write_bytes((tmp_path / "second" / ARCHIVE).read_bytes()[:50_000])
    with pytest.raises(DataError, match="damaged or cut short"):
        BIDMCSpec(target="HR").load()


def test_another_folder_of_the_publisher_is_found_and_the_cache_outlives_the_files(
    put: Put, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(under="bidmc/1.0.0")
    first = BIDMCSpec(target="HR").load()
    (place / "bidmc").rename(place / "gone")
    assert BIDMCSpec(target="SpO2").load().folder == first.folder
    opened = BIDMCSpec(target="SpO2").opened()
    assert opened is not None
    assert opened.folder == first.folder
    monkeypatch.setattr("data.bidmc.release.READER_VERSION", READER_VERSION + 1)  # what an older reader made is not taken
    assert BIDMCSpec(target="SpO2").opened() is None


def test_without_files_the_message_says_what_to_put_where(place: Path) -> None:
    for source, words in (
        ("physionet", ["physionet.org", "bidmc_csv", SUMS]),
        ("official", ["zenodo.org/records/4001456", "BIDMC32HR_TEST.ts"]),
    ):
        spec = BIDMCSpec(target="HR", source=source)  # type: ignore[arg-type]
        assert spec.opened() is None
        with pytest.raises(DataError) as caught:
            spec.load()
        for word in [*words, str(place), "make data-bidmc"]:
            assert word in str(caught.value)
        assert str(place) in spec.plan()


def test_the_publishers_checksums_are_held_against_every_file(put: Put, place: Path, contents: tuple[Miniature, dict[str, bytes]]) -> None:
    files = contents[1]
    lines = {name: f"{hashlib.sha256(content).hexdigest()} {name}" for name, content in files.items()}
    put({SUMS: "\n".join(lines.values()).encode()})
    assert len(json.loads((BIDMCSpec(target="HR").load().folder / "manifest.json").read_text())["files"]) == 3 * RECORDINGS
    name = "bidmc_csv/bidmc_07_Fix.txt"
    (place / name).write_bytes(files[name] + b"\n")
    with pytest.raises(DataError, match=rf"{name} has sha256 .*and {SUMS} lists {hashlib.sha256(files[name]).hexdigest()}"):
        BIDMCSpec(target="HR").load()
    put({SUMS: "\n".join(line for key, line in lines.items() if key != name).encode()})
    with pytest.raises(DataError, match="lists no checksum for it"):
        BIDMCSpec(target="HR").load()


def test_other_files_give_other_arrays_under_another_key(put: Put, place: Path) -> None:
    put()
    before = BIDMCSpec(target="HR").load()
    file = place / "bidmc_csv/bidmc_01_Numerics.csv"
    lines = file.read_bytes().splitlines(keepends=True)
    lines[1] = b"0,150,99,15,97\n"
    file.write_bytes(b"".join(lines))
    after = BIDMCSpec(target="HR").load()
    assert after.folder != before.folder
    assert after.array("targets")[0, 1] != before.array("targets")[0, 1]


SIGNAL, NUMERIC, FIX = (f"bidmc_csv/bidmc_02_{kind}" for kind in ("Signals.csv", "Numerics.csv", "Fix.txt"))


def edited(lines: list[bytes], number: int, new: bytes | None) -> bytes:
    """With line `number` replaced, or left out."""
    return b"\n".join([*lines[: number - 1], *([] if new is None else [new]), *lines[number:]])


@pytest.mark.parametrize(
    ("name", "number", "new", "what"),
    [
        (SIGNAL, 1, b"Time [s], RESP, PLETH, V", "line 1: no column II"),
        (SIGNAL, 1, b"Time [s], II, PLETH, II", "line 1: no column II, or more than one"),
        (SIGNAL, 700, None, r"7,750 rows of 4 values, expected 7,751"),
        (SIGNAL, 700, b"5.584,0.1,0.2", "line 700: 3 values instead of 4"),
        (SIGNAL, 700, b"5.584,0.1,abc,0.2", "line 700: 'abc' is not a number"),
        (SIGNAL, 700, b"5.584,0.1,0.2,NaN", "line 700: a sample is missing"),
        (SIGNAL, 700, b"5.6,0.1,0.2,0.3", r"line 700: the time is 5.6 s, expected 5\.584 s"),
        (SIGNAL, 700, b"5.584,0.1,\xff,0.3", "line 700"),
        (NUMERIC, 30, b"28,inf,90,15,99", "line 30: a value is infinite"),
        (NUMERIC, 30, None, "62 rows of 5 values, expected 63"),
        (NUMERIC, 30, b"28,90,90,high,99", "line 30: 'high' is not a number"),
        (FIX, 3, None, "which tells which recordings are of one patient"),
        (FIX, 3, b"MIMIC II matched wdb ID: ", "which tells which recordings are of one patient"),
    ],
)
def test_a_damaged_recording_is_refused_with_file_and_line(
    put: Put, contents: tuple[Miniature, dict[str, bytes]], name: str, number: int, new: bytes | None, what: str
) -> None:
    put({name: edited(contents[1][name].splitlines(), number, new)})
    with pytest.raises(DataError, match=what) as caught:
        BIDMCSpec(target="HR").load()
    assert name in str(caught.value)


@pytest.mark.parametrize(
    ("name", "content", "what"),
    [
        (SIGNAL, b"", "is empty; get it again"),
        (NUMERIC, b"Time [s], HR, PULSE, RESP, SpO2\n", "has 0 rows"),
        (SIGNAL, None, "has no bidmc_csv/bidmc_02_Signals.csv"),
        (SIGNAL, b"0" * 8_000_001, "no file of the release has more than 8,000,000"),
    ],
)
def test_an_empty_missing_or_foreign_file_is_refused(put: Put, name: str, content: bytes | None, what: str) -> None:
    put({name: content})
    with pytest.raises(DataError, match=what):
        BIDMCSpec(target="HR").load()
    assert BIDMCSpec(target="HR").opened() is None


def test_a_window_without_any_numeric_is_refused(put: Put, contents: tuple[Miniature, dict[str, bytes]]) -> None:
    rows = [line.split(b",") for line in contents[1][NUMERIC].splitlines()]
    for row in rows[4:36]:
        row[1] = b"NaN"
    put({NUMERIC: b"\n".join(b",".join(row) for row in rows)})
    with pytest.raises(DataError, match="HR is missing in all 32 seconds from 3 s on"):
        BIDMCSpec(target="SpO2").load()


# ---------------------------------------------------------------- the archive's files


def as_ts(x: np.ndarray, y: np.ndarray) -> str:
    """Windows in the archive's format."""
    head = f"@problemName BIDMC\n@timeStamps false\n@univariate false\n@dimensions 2\n@seriesLength {LENGTH}\n@targetlabel true\n@data\n"
    rows = [
        ":".join([*(",".join(map(repr, channel)) for channel in window.T.tolist()), repr(value)])
        for window, value in zip(x, y.tolist(), strict=True)
    ]
    return head + "\n".join(rows) + "\n"


@pytest.fixture
def archived(put: Put, place: Path) -> tuple[np.ndarray, np.ndarray]:
    """9 + 4 windows of the recordings, written as the archive's two files."""
    put()
    x, y = (part[:13] for part in everything(build("HR"), "test"))
    (place / "BIDMC32HR_TRAIN.ts").write_text(as_ts(x[:9], y[:9]))
    (place / "BIDMC32HR_TEST.ts").write_text(as_ts(x[9:], y[9:]))
    return x, y


def test_windows_written_as_ts_come_back_and_are_split_as_the_literature_does(archived: tuple[np.ndarray, np.ndarray]) -> None:
    from sklearn.model_selection import train_test_split

    x, y = archived
    module = build("HR", source="official")
    train, others = train_test_split(np.arange(13), test_size=0.3, random_state=0)
    val, test = train_test_split(others, test_size=0.5, random_state=1)
    assert module.counts() == {"train": len(train), "val": len(val), "test": len(test)}
    for part, ids in (("val", val), ("test", test)):
        found = everything(module, part)
        np.testing.assert_array_equal(found[0], x[ids])
        np.testing.assert_array_equal(found[1], y[ids])
    assert sorted(everything(module, "train")[1]) == sorted(y[train])
    assert build("HR", source="official", normalisation="channel").content_hash() == module.content_hash()


def test_the_archive_knows_no_patients() -> None:
    with pytest.raises(ValueError, match="which patient"):
        BIDMCSpec(target="HR", source="official", split="patient")


@pytest.mark.parametrize(
    ("change", "what"),
    [
        (lambda text: text[: len(text) // 2], r"BIDMC32HR_TEST.ts, line \d+"),
        (lambda text: "\n".join(text.splitlines()[:-1]), "has 3 cases instead of 4"),
        (lambda text: text + text.splitlines()[-1] + "\n", "more than the 4 cases"),
        (lambda text: re.sub(r",[^,]+,", ",?,", text, count=1), "line 8: a value is missing"),
        (lambda text: text.replace("@data\n", ""), "line 7: a case comes before the line @data"),
    ],
)
def test_a_damaged_file_of_the_archive_is_refused(
    archived: tuple[np.ndarray, np.ndarray], place: Path, change: Callable[[str], str], what: str
) -> None:
    file = place / "BIDMC32HR_TEST.ts"
    file.write_text(change(file.read_text()))
    with pytest.raises(DataError, match=what):
        BIDMCSpec(target="HR", source="official").load()


# ---------------------------------------------------------------- the real recordings


@pytest.mark.skipif(REAL is None or not (Path(REAL) / "bidmc_csv").is_dir(), reason="SSM_TEST_DATA names no folder with bidmc_csv")
def test_the_real_recordings_have_the_counts_of_the_archive(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("SSM_DATA", str(tmp_path))
    (tmp_path / "bidmc_csv").symlink_to(Path(str(REAL)) / "bidmc_csv")
    prepared = BIDMCSpec(target="HR").load()
    targets, recording = np.asarray(prepared.array("targets"), dtype=np.float64), np.asarray(prepared.array("recording"))
    assert prepared.manifest["patients"] == 46
    for target, expected in (("HR", (5564, 1192, 1193)), ("SpO2", (5564, 1192, 1193)), ("RR", (5509, 1180, 1181))):
        assert tuple(prepared.manifest["splits"][f"{target}, random"]["counts"].values()) == expected
    assert np.unique(recording[targets[:, 0] == 0]).tolist() == [12]
    # the archive's own split of recordings, and what the mean of its training targets was measured to score on its test files
    test = np.isin(recording, np.random.RandomState(1234).permutation(53)[:16])
    for column, count, score in ((1, 5550, 14.1101), (0, 5471, 3.4967), (2, 5550, 4.8029)):
        there = (targets[:, column] > 0) if column == 0 else np.full(len(targets), True)
        assert ((~test & there).sum(), (test & there).sum()) == (count, 2399)
        error = targets[test & there, column] - targets[~test & there, column].mean()
        assert np.sqrt((error**2).mean()) == pytest.approx(score, abs=1.5e-4)
    for target in ("RR", "HR", "SpO2"):
        counts = BIDMCSpec(target=target, split="patient").build(batch_size=64, seed=0).counts()  # type: ignore[arg-type]
        assert sum(counts.values()) == (7870 if target == "RR" else 7949)


@pytest.mark.parametrize(
    "damage",
    [
        lambda b: b.replace(b"caf\xc3\xa9", b"caf\xe9\xe9"),
        lambda b: b[:-10],
        lambda b: b"",
        lambda b: b.replace(b"PK\1\2", b"PK\1\3"),
    ],
)
def test_a_damaged_zip_is_told_whatever_is_wrong_with_it(place: Path, damage: Callable[[bytes], bytes]) -> None:
    place.mkdir()
    with zipfile.ZipFile(place / ARCHIVE, "w") as archive:
        archive.writestr("caf\xe9", b"x")
    content = (place / ARCHIVE).read_bytes()
    assert damage(content) != content
    (place / ARCHIVE).write_bytes(damage(content))
    with pytest.raises(DataError, match="is damaged or cut short"):
        BIDMCSpec(target="HR").load()


def test_a_folder_in_a_folder_is_read_and_two_copies_are_told(put: Put, place: Path) -> None:
    put(under="bidmc_csv")
    expected = BIDMCSpec(target="HR").load().folder
    put(under="bidmc/1.0.0")
    said: list[str] = []
    assert BIDMCSpec(target="HR").load(say=said.append).folder == expected
    assert said == [f"BIDMC: there are 2 copies; {place / 'bidmc/1.0.0'} is read, and not {place / 'bidmc_csv'}"]


def test_a_mark_before_the_publishers_list_is_no_harm(put: Put, contents: tuple[Miniature, dict[str, bytes]]) -> None:
    sums = "".join(f"{hashlib.sha256(content).hexdigest()} {name}\n" for name, content in contents[1].items())
    put({SUMS: b"\xef\xbb\xbf" + sums.encode()})
    BIDMCSpec(target="HR").prepare()
    with pytest.raises(DataError, match=r"BIDMC vital signs has [\d,]+ to train.*5,000 to test"):
        BIDMCSpec(target="HR", test_subset=5000).prepare()


def test_an_infinite_target_of_the_archive_is_refused(put: Put, archived: tuple[np.ndarray, np.ndarray], place: Path) -> None:
    path = next(place.rglob("BIDMC32HR_TEST.ts"))
    text = path.read_text().rstrip("\n")
    path.write_text(text[: text.rindex(":") + 1] + "1e999\n")
    with pytest.raises(DataError, match=r"BIDMC32HR_TEST\.ts, line \d+: a value is missing or infinite"):
        BIDMCSpec(target="HR", source="official").load()
