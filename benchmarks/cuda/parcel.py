"""What travels: records and logs in at most eight files, and how they become records of this checkout again."""

from __future__ import annotations

import json
import shutil
import tarfile
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from benchmarks.running.environment import EnvironmentProblem
from benchmarks.running.record import FINISHED
from benchmarks.running.store import Store, run_root, write_atomically

SUMMARY: Final = "summary.json"
RECORDS: Final = "records.tar.xz"
SPEED: Final = "speed.json"
FILES: Final = (SUMMARY, RECORDS, SPEED, "tests.xml", "tests.log", "speed.log", "runs.log")
"""Everything that a check leaves behind."""
LARGEST: Final = 16 << 20
"""Bytes of a file, at most."""


def write_summary(folder: Path, summary: Mapping[str, Any]) -> None:
    """What is known so far."""
    write_atomically(folder / SUMMARY, (json.dumps(summary, indent=1) + "\n").encode())


def pack_records(runs: Path, folder: Path) -> int:
    """The records under `runs`, with their arrays where all of that is no larger than a file may be; their number."""
    records = sorted(path for path in runs.glob("*/*/record.json"))
    for with_arrays in (True, False):
        part = folder / f".{RECORDS}.part"
        with tarfile.open(part, "w:xz", preset=1) as tar:
            for record in records:
                arrays = sorted(record.parent.glob("arrays*.npz")) if with_arrays else []
                for file in (record, *arrays):
                    tar.add(file, file.relative_to(runs).as_posix())
        if part.stat().st_size <= LARGEST or not with_arrays:
            part.replace(folder / RECORDS)
            break
    return len(records)


def shorten_logs(folder: Path) -> None:
    """The end of every log that would be too large."""
    for name in FILES:
        file = folder / name
        if name.endswith(".log") and file.is_file() and file.stat().st_size > LARGEST // 4:
            file.write_bytes(file.read_bytes()[-LARGEST // 4 :])


def take(folder: Path) -> list[str]:
    """Copies the records of a parcel into the run store, each verified first, and the record of speed; lines on what was taken.
    A record that is here already stays. Raises EnvironmentProblem where the folder is no parcel."""
    if not (folder / SUMMARY).is_file():
        raise EnvironmentProblem(f"{folder} is not what `make cuda-check` leaves behind: it has no {SUMMARY}")
    lines = []
    if (folder / RECORDS).is_file():
        with tempfile.TemporaryDirectory() as temporary:
            with tarfile.open(folder / RECORDS, "r:xz") as tar:
                tar.extractall(temporary, filter="data")
            taken = there = 0
            for found in Store.at(Path(temporary)).every():
                target = run_root() / found.record.benchmark / found.record.id
                if found.record.status not in FINISHED:
                    lines.append(f"{found.name} is left out: {found.record.reason}")
                elif (target / "record.json").exists():
                    there += 1
                else:
                    found.arrays()  # verified before it is evidence
                    shutil.copytree(found.path.parent, target, dirs_exist_ok=True)
                    taken += 1
        lines.append(f"{taken} records taken into {run_root()}" + (f"; {there} were there already" if there else ""))
    if (folder / SPEED).is_file():
        (run_root() / "speed").mkdir(parents=True, exist_ok=True)
        shutil.copyfile(folder / SPEED, run_root() / "speed" / f"{folder.name}.json")
        lines.append(f"speed: {run_root() / 'speed' / f'{folder.name}.json'}")
    return lines
