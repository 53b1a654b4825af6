"""Store, the folders that keep records: a record is written last and in one step, and verified whenever it is read.

<root>/<benchmark>/<id>/record.json    exists and is whole = the run is over
                        arrays-*.npz   kernels, eigenvalues, Hankel singular values, named by the sha256 that stands in the record
                        error.txt      traceback of a failed run
                        checkpoint-*   state of a run that is not over, see benchmarks.running.checkpoint
                        logs/          only with --logger
                        .lock          held (flock) by the process that works on this run; dies with it
"""

from __future__ import annotations

import hashlib
import io
import os
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final, Literal, NamedTuple

import numpy as np

from benchmarks.running.environment import ROOT, EnvironmentProblem, of_other_code
from benchmarks.running.record import DamagedRecord, NewerRecord, Record, Status
from benchmarks.spec import RunSpec

COMMITTED: Final = ROOT / "reports" / "records"
"""The folder of the evidence that is committed."""
Arrays = Mapping[str, np.ndarray]
Root = tuple[str, Path]
"""A folder of records, and what it is called in reports: "runs", "reports/records"."""


def run_root() -> Path:
    """The folder that runs write their records to: $SSM_RUNS, else runs/ in the checkout, or in the working folder where the suite is
    installed without one. Raises EnvironmentProblem for the home of a user that there is not."""
    place = ROOT if (ROOT / "pyproject.toml").is_file() else Path.cwd()
    try:
        return Path(os.environ.get("SSM_RUNS") or place / "runs").expanduser()
    except RuntimeError as error:
        raise EnvironmentProblem(f"SSM_RUNS={os.environ['SSM_RUNS']}: there is no such user, or no home; write the folder out.") from error


@dataclass(frozen=True, kw_only=True)
class StoredRecord:
    """A record that was found whole, and where it lies."""

    record: Record
    path: Path
    name: str
    """How the file is called in a report: relative to its root, never a path of this machine."""

    @property
    def arrays_path(self) -> Path | None:
        """Where the arrays of the run lie; None where the record names none."""
        return None if self.record.arrays is None else self.path.with_name(self.record.arrays["file"])

    def arrays(self) -> dict[str, np.ndarray]:
        """Kernels, eigenvalues and Hankel singular values of the run; empty where the record has none, or is committed without them
        (arrays are committed for one seed of the default rows). Raises DamagedRecord if the file is not the one the record names."""
        entry, file = self.record.arrays, self.arrays_path
        if entry is None or file is None or not file.is_file():
            return {}
        try:
            blob = file.read_bytes()
        except OSError as error:
            raise DamagedRecord(f"{self.name}: {entry['file']} cannot be read ({type(error).__name__})") from error
        if hashlib.sha256(blob).hexdigest() != entry["sha256"]:
            raise DamagedRecord(f"{self.name}: {entry['file']} is not the file this record was written with (sha256 differs)")
        try:
            with np.load(io.BytesIO(blob), allow_pickle=False) as npz:
                return {key: npz[key] for key in npz.files}
        except (ValueError, OSError, EOFError, AttributeError, zipfile.BadZipFile) as error:
            raise DamagedRecord(f"{self.name}: {entry['file']} holds no arrays") from error

    def require_arrays(self) -> None:
        """Raises DamagedRecord unless the arrays that the record names are here and are the ones it was written with."""
        file = self.arrays_path
        if file is not None and not file.is_file():
            raise DamagedRecord(f"{self.name}: {file.name}, which this record was written with, is not here")
        self.arrays()


class State(NamedTuple):
    """How a run ended; missing and damaged are not over, and what is newer than this version of the suite is not for it to judge."""

    status: Status | Literal["missing", "damaged", "newer"]
    other_code: str = ""
    """The content of the code that made the record, where that is known and is not the code here."""
    trouble: str = ""
    """What is wrong with a record that cannot be used."""


@dataclass(frozen=True)
class Store:
    """Records by the benchmark and id of their run, in a list of roots: the first is written to, and all are asked in order.

    Nothing is kept beside the folders, so there is no second truth that could disagree.
    """

    roots: tuple[Root, ...] = field(default_factory=lambda: (("runs", run_root()),))

    @staticmethod
    def at(folder: Path) -> Store:
        """The store of one folder."""
        return Store((("runs", folder),))

    @property
    def root(self) -> Path:
        """The folder that is written to."""
        return self.roots[0][1]

    def folder(self, spec: RunSpec) -> Path:
        """Where the record of `spec` is written."""
        return self.root / spec.benchmark / spec.id

    def find(self, benchmark: str, id: str) -> StoredRecord | None:
        """The record of a run from the first root that has a good one, None where no root has any.

        Its arrays are read and verified when they are asked for. Raises DamagedRecord where there are records and none can be used.
        """
        trouble: DamagedRecord | None = None
        for root in self.roots:
            try:
                stored = _read(root, benchmark, id)
            except DamagedRecord as error:
                trouble = error
                continue
            if stored is not None:
                return stored
        if trouble is not None:
            raise trouble
        return None

    def every(self, benchmark: str = "*") -> Iterator[StoredRecord]:
        """Every run that there is a good record of, of one benchmark or of all, whatever its seed, protocol or scale; each once, in the
        order of benchmarks and ids. Records that cannot be used are left out, see `troubles`."""
        yield from (found for found in self.look(benchmark) if isinstance(found, StoredRecord))

    def troubles(self, benchmark: str = "*") -> Iterator[DamagedRecord]:
        """What is wrong with every run that there are records of and none can be used."""
        yield from (found for found in self.look(benchmark) if isinstance(found, DamagedRecord))

    def look(self, benchmark: str = "*") -> Iterator[StoredRecord | DamagedRecord]:
        """Both: for every run that there are records of, the one that can be used, or what is wrong."""
        for family, id in sorted({path.parts[-3:-1] for _, root in self.roots for path in root.glob(f"{benchmark}/*/record.json")}):
            try:
                found: StoredRecord | DamagedRecord | None = self.find(family, id)
            except DamagedRecord as error:
                found = error
            if found is not None:
                yield found

    def get(self, spec: RunSpec) -> Record | None:
        """The record of `spec` in the root that is written to, its arrays verified too; None if there is none. Raises DamagedRecord."""
        stored = _read(self.roots[0], spec.benchmark, spec.id)
        if stored is None:
            return None
        stored.require_arrays()
        return stored.record

    def status(self, spec: RunSpec) -> Status | Literal["missing", "damaged", "newer"]:
        """How the run of `spec` ended, from the root that is written to."""
        return self.state(spec).status

    def state(self, spec: RunSpec) -> State:
        """How the run of `spec` ended, and by which code, from the root that is written to."""
        try:
            record = self.get(spec)
        except NewerRecord as error:
            return State("newer", trouble=str(error))
        except DamagedRecord as error:
            return State("damaged", trouble=str(error))
        if record is None:
            return State("missing")
        return State(record.status, str(record.environment["content"]) if of_other_code(record.environment) else "")

    def stamp(self, spec: RunSpec) -> int:
        """When the record of `spec` was written, in nanoseconds; 0 where there is none."""
        try:
            return (self.folder(spec) / "record.json").stat().st_mtime_ns
        except OSError:
            return 0

    def put(self, spec: RunSpec, record: Record, arrays: Arrays | None = None) -> Record:
        """Writes the arrays, then record.json with their name, each in one atomic step. Returns the record as written.

        The arrays of the record that was there before have another name and go last: broken off anywhere, one of the two is whole.
        """
        folder = self.folder(spec)
        folder.mkdir(parents=True, exist_ok=True)
        entry: dict[str, str] | None = None
        if arrays:
            buffer = io.BytesIO()
            np.savez_compressed(buffer, allow_pickle=False, **dict(arrays))
            blob = buffer.getvalue()
            digest = hashlib.sha256(blob).hexdigest()
            entry = {"file": f"arrays-{digest[:16]}.npz", "sha256": digest}
            write_atomically(folder / entry["file"], blob)
        record = replace(record, arrays=entry)
        written = replace(record, checksum=record.content_checksum())
        write_atomically(folder / "record.json", written.to_json().encode())
        for file in folder.glob("arrays*.npz"):
            if entry is None or file.name != entry["file"]:
                file.unlink(missing_ok=True)
        return written

    def set_aside(self, spec: RunSpec) -> None:
        """Renames a damaged record and its arrays to `.corrupt`, so that the run counts as not done and the evidence stays."""
        for path in (self.folder(spec) / "record.json", *self.folder(spec).glob("arrays*.npz")):
            if path.exists():
                os.replace(path, path.with_name(f"{path.name}.corrupt"))

    def sweep(self, spec: RunSpec) -> None:
        """Removes the checkpoints of a run that are older than its record: they are of the run that is over. For whoever has its lock."""
        over = self.stamp(spec)
        for path in checkpoints(self.folder(spec), "*"):
            if path.stat().st_mtime_ns <= over:
                path.unlink(missing_ok=True)

    @contextmanager
    def lock(self, spec: RunSpec) -> Iterator[bool]:
        """Yields whether this process now owns the run. Never waits; released by the kernel when the process ends, however it ends."""
        import fcntl  # not on every system; only a launch needs it

        folder = self.folder(spec)
        folder.mkdir(parents=True, exist_ok=True)
        with (folder / ".lock").open("a") as handle:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                yield False
                return
            for stale in folder.glob(".*.part-*"):  # nobody else writes here now: these are from a process that was killed
                stale.unlink(missing_ok=True)
            yield True

    def check_writable(self) -> None:
        """Raises EnvironmentProblem unless files can be made and renamed in the root that is written to."""
        try:
            self.root.mkdir(parents=True, exist_ok=True)
            write_atomically(self.root / f".writable-{os.getpid()}", b"ok")
            (self.root / f".writable-{os.getpid()}").unlink()
        except OSError as error:
            raise EnvironmentProblem(
                f"the run folder {self.root} cannot be written ({error.strerror or error}). Make it writable, free some space, or "
                "point the environment variable SSM_RUNS at another folder."
            ) from error


def _read(root: Root, benchmark: str, id: str) -> StoredRecord | None:
    """The record of this run under one root, None if there is none. Raises DamagedRecord for a file that cannot be used."""
    name = f"{root[0]}/{benchmark}/{id}/record.json"
    path = root[1] / benchmark / id / "record.json"
    try:
        record = Record.from_json(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise DamagedRecord(f"{name} cannot be read ({type(error).__name__})") from error
    except DamagedRecord as error:
        raise type(error)(f"{name} cannot be used: {error}") from error
    if (record.benchmark, record.id) != (benchmark, id):
        raise DamagedRecord(f"{name} cannot be used: it belongs to the run {record.benchmark}/{record.id}")
    return StoredRecord(record=record, path=path, name=name)


def checkpoints(folder: Path, suffix: str = "") -> list[Path]:
    """The checkpoints of a run, newest first; with the suffix "*" also those that were set aside."""
    return sorted(folder.glob(f"checkpoint-*.ckpt{suffix}"), reverse=True)


def write_atomically(path: Path, content: bytes) -> None:
    """`path` holds either what it held before or all of `content`, also after a kill or a power cut at any moment."""
    part = path.with_name(f".{path.name}.part-{os.getpid()}")
    try:
        with part.open("wb") as handle:
            handle.write(content)
            handle.flush()
            os.fsync(handle.fileno())
        os.replace(part, path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
