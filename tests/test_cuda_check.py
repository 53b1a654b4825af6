"""The check of a card: data that are packed and unpacked, steps under a clock, a parcel of few files and the way back from it."""

from __future__ import annotations

import io
import json
import os
import sys
import tarfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ablations.registry import ABLATIONS
from benchmarks import cli
from benchmarks.cuda import check as checking
from benchmarks.cuda import parcel
from benchmarks.cuda.__main__ import main
from benchmarks.cuda.bandwidth import copy_rate, layer_bytes, layer_rows
from benchmarks.cuda.check import Check, Clock, results_of_tests, supervise
from benchmarks.running.environment import EnvironmentProblem, Runtime
from benchmarks.running.record import failed
from benchmarks.running.run import run
from benchmarks.running.store import Store, run_root
from data.base import DataError
from data.files.packed import pack, unpack
from data.files.prepared import Made, Prepared, opened, prepare
from models import DEFAULT_VARIANTS
from tests.tiny import tiny

KEY = "abcdef123456"

# ---------------------------------------------------------------- data that travel


@pytest.fixture
def prepared(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Prepared:
    """A data set of three arrays at one place; SSM_DATA then names another."""
    rng = np.random.default_rng(0)
    arrays = {"grey": rng.integers(0, 256, (50, 64), dtype=np.uint8), "colour": np.zeros((50, 64, 3), np.uint8), "labels": np.arange(50)}
    monkeypatch.setenv("SSM_DATA", str(tmp_path / "here"))
    made = prepare("pictures", KEY, lambda: Made(arrays=arrays, facts={"counts": {"train": 40, "val": 5, "test": 5}}))
    monkeypatch.setenv("SSM_DATA", str(tmp_path / "there"))
    return made


def test_what_was_packed_is_the_same_data_elsewhere(prepared: Prepared, tmp_path: Path) -> None:
    file = tmp_path / "pictures.tar.xz"
    pack(prepared, ("grey", "labels"), file)
    there = unpack(file)
    assert there.folder.parent.parent == tmp_path / "there"
    assert np.array_equal(there.array("grey"), prepared.array("grey"))
    assert np.array_equal(there.digests(), prepared.digests())  # so that a run knows its data by the same hash
    assert there.counts() == prepared.counts()
    there.verify()
    with pytest.raises(DataError, match="packed without the array 'colour'"):
        there.array("colour")
    again = unpack(file)
    assert again.folder == there.folder
    assert sorted(path.name for path in there.folder.iterdir()) == ["grey.npy", "labels.npy", "manifest.json"]


def test_an_array_that_was_changed_on_the_way_is_refused(prepared: Prepared, tmp_path: Path) -> None:
    file = tmp_path / "pictures.tar.xz"
    manifest = json.loads((prepared.folder / "manifest.json").read_text())
    manifest["arrays"]["grey"]["sha256"] = "0" * 64
    pack(Prepared(folder=prepared.folder, manifest=manifest), ("grey",), file)
    with pytest.raises(DataError, match=r"grey\.npy was changed"):
        unpack(file)
    assert opened("pictures", KEY) is None
    assert [path.name for path in (tmp_path / "there" / "prepared").iterdir()] == [".pictures.lock"]


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda manifest: manifest["arrays"]["grey"].pop("bytes"), "no packed data set"),
        (lambda manifest: manifest["arrays"]["grey"].update(file="../grey.npy"), "no packed data set"),
        (lambda manifest: manifest.update(name=7), "no packed data set"),
        (lambda manifest: manifest.update(left_out="colour, labels"), "no packed data set"),
        (lambda manifest: manifest.update(schema=0), "no packed data set"),
        (lambda manifest: manifest.update(schema=2), "packed by a newer version of this suite"),
    ],
)
def test_a_manifest_that_cannot_be_read_is_refused_and_nothing_installed(
    prepared: Prepared, tmp_path: Path, change: Callable[[dict[str, Any]], object], says: str
) -> None:
    file = tmp_path / "pictures.tar.xz"
    pack(prepared, ("grey",), file)
    with tarfile.open(file) as tar:
        contents = {member.name: tar.extractfile(member).read() for member in tar}  # type: ignore[union-attr]
    manifest = json.loads(contents["manifest.json"])
    change(manifest)
    contents["manifest.json"] = json.dumps(manifest).encode()
    with tarfile.open(file, "w:xz") as tar:
        for name, content in contents.items():
            head = tarfile.TarInfo(name)
            head.size = len(content)
            tar.addfile(head, io.BytesIO(content))
    with pytest.raises(DataError, match=says):
        unpack(file)
    assert not (tmp_path / "there").exists()


def test_two_at_once_unpack_once_also_where_a_folder_without_a_manifest_was_left(
    prepared: Prepared, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "pictures.tar.xz"
    pack(prepared, ("grey",), file)
    left = tmp_path / "there" / "prepared" / f"pictures-{KEY}"
    left.mkdir(parents=True)
    (left / "grey.npy").write_bytes(b"half")
    verified: list[Path] = []
    real = Prepared.verify

    def slowly(self: Prepared) -> None:
        verified.append(self.folder)
        time.sleep(0.5)
        real(self)

    monkeypatch.setattr(Prepared, "verify", slowly)
    with ThreadPoolExecutor(2) as pool:
        first, second = pool.map(unpack, [file, file])
    assert first.folder == second.folder == left
    assert len(verified) == 1
    assert np.array_equal(first.array("grey"), prepared.array("grey"))


def test_another_file_is_no_packed_data_set(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSM_DATA", str(tmp_path / "there"))
    (tmp_path / "x.txt").write_text("x")
    with tarfile.open(tmp_path / "x.tar.xz", "w:xz") as tar:
        tar.add(tmp_path / "x.txt", "x.txt")
    with pytest.raises(DataError, match="no packed data set"):
        unpack(tmp_path / "x.tar.xz")


# ---------------------------------------------------------------- steps under a clock


def test_a_step_is_asked_to_end_and_then_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checking, "PATIENCE", 0.5)
    log = tmp_path / "log"
    assert supervise([sys.executable, "-c", "print('x')"], log, 60, {}) == "code 0"
    assert log.read_text() == "x\n"
    polite = "import time\ntry: time.sleep(60)\nexcept KeyboardInterrupt: raise SystemExit(7)"
    assert supervise([sys.executable, "-c", polite], log, 1.5, {}) == "ended by the clock, code 7"
    deaf = "import signal, time\nsignal.signal(signal.SIGINT, signal.SIG_IGN)\ntime.sleep(60)"
    assert supervise([sys.executable, "-c", deaf], log, 1.5, {}) == "ended by the clock, code -9"


def test_a_step_ends_with_a_check_that_is_interrupted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checking, "EVERY", 0.2)
    log = tmp_path / "log"

    def interrupt() -> None:
        if log.read_text().endswith("\n"):
            raise KeyboardInterrupt

    command = [sys.executable, "-c", "import os, time\nprint(os.getpid(), flush=True)\ntime.sleep(60)"]
    with pytest.raises(KeyboardInterrupt):
        supervise(command, log, 60, {}, interrupt)
    with pytest.raises(ProcessLookupError):
        os.kill(int(log.read_text()), 0)


def checker(tmp_path: Path, minutes: float = 5) -> Check:
    check = Check("cpu", minutes, tmp_path / "out", None, 1)
    check.out.mkdir()
    return check


def test_a_step_that_fails_costs_itself_only(tmp_path: Path) -> None:
    check = checker(tmp_path)

    def fail() -> str:
        raise RuntimeError("no such card\nand more")

    check.step("first", fail)
    check.step("second", lambda: "code 0")
    check.clock = Clock(0)
    check.step("third", fail)
    summary = json.loads((check.out / parcel.SUMMARY).read_text())
    ended = {name: step["ended"] for name, step in summary["steps"].items()}
    assert ended == {"first": "RuntimeError: no such card", "second": "code 0", "third": "left out: no time was left"}


def test_runs_need_their_data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSM_DATA", str(tmp_path / "empty"))
    check = checker(tmp_path)
    check.plan = replace(check.plan, needs="cifar10")
    with pytest.raises(DataError, match="pack makes what can be carried"):
        check.evidence()


def test_pytests_report_is_read(tmp_path: Path) -> None:
    file = tmp_path / "tests.xml"
    file.write_text(
        '<testsuites><testsuite tests="3" failures="1" errors="0" skipped="1"><testcase classname="tests.test_a" name="one">'
        '<properties><property name="ms" value="2"/></properties></testcase><testcase classname="tests.test_a" name="two">'
        '<failure message="assert 1&#10;more">x</failure></testcase><testcase classname="tests.test_a" name="three">'
        '<skipped message="no card"/></testcase></testsuite></testsuites>'
    )
    assert results_of_tests(file) == {
        "tests": 3, "failures": 1, "errors": 0, "skipped": 1, "passed": 1,
        "failed": {"test_a::two": ["assert 1"]}, "why_skipped": {"test_a::three": ["no card"]}, "found": {"test_a::one": {"ms": "2"}},
    }  # fmt: skip
    assert results_of_tests(tmp_path / "none.xml") == {}


def test_bandwidth(tmp_path: Path) -> None:
    rate = copy_rate("cpu")
    rows = layer_rows("cpu", rate, ((1, 16),))
    assert [row["row"] for row in rows] == list(DEFAULT_VARIANTS)
    assert all(row["ms"] > 0 and row["of_floor"] > 0 for row in rows)
    assert layer_bytes(2, 10, 4) == 16 * 80


# ---------------------------------------------------------------- the way back


def test_records_come_back_and_are_taken_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    there = Store.at(tmp_path / "runs-there")
    record = run(tiny(), Runtime(), there)
    there.put(tiny(seed=1), failed(tiny(seed=1), "OutOfMemoryError: CUDA out of memory", {}))
    folder = tmp_path / "parcel"
    folder.mkdir()
    assert parcel.pack_records(there.root, folder) == 2
    with pytest.raises(EnvironmentProblem, match=r"no summary\.json"):
        parcel.take(folder)
    parcel.write_summary(folder, {})
    assert main(["take", "--folder", str(folder)]) == cli.DONE
    said = capsys.readouterr().out
    assert "1 records taken" in said
    assert "OutOfMemoryError" in said
    here = Store()
    assert here.get(tiny()) == record
    assert here.get(tiny(seed=1)) is None
    assert "1 were there already" in "".join(parcel.take(folder))


def test_a_parcel_leaves_arrays_out_where_they_are_too_large(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    there = Store.at(tmp_path / "runs-there")
    run(tiny(), Runtime(), there)
    parcel.pack_records(there.root, tmp_path)
    whole = (tmp_path / parcel.RECORDS).stat().st_size
    monkeypatch.setattr(parcel, "LARGEST", whole - 1)
    parcel.pack_records(there.root, tmp_path)
    assert (tmp_path / parcel.RECORDS).stat().st_size < whole
    parcel.write_summary(tmp_path, {})
    parcel.take(tmp_path)
    assert [path.name for path in (run_root() / "digits-noise" / tiny().id).iterdir()] == ["record.json"]


def test_the_short_grid_is_of_changed_runs() -> None:
    cells = ABLATIONS["image-short"].cells()
    assert [cell.spec.epochs for cell in cells] == sorted(cell.spec.epochs for cell in cells)
    assert all(cell.spec.epochs < 100 and cell.spec.scale == "small" for cell in cells)


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_dry_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Every step on the CPU, in a folder of at most eight files."""
    before = time.monotonic()
    main(["check", "--device", "cpu", "--minutes", "3", "--folder", str(tmp_path / "out")])
    assert time.monotonic() - before < 300
    summary = json.loads((tmp_path / "out" / parcel.SUMMARY).read_text())
    assert list(summary["steps"]) == ["tests", "bandwidth", "speed", "runs"]
    assert summary["bandwidth"]["copy_gb_s"] > 0
    files = [path for path in (tmp_path / "out").iterdir() if not path.name.startswith(".")]
    assert {path.name for path in files} <= set(parcel.FILES)
    assert len(parcel.FILES) <= 8
