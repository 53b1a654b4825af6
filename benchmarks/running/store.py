"""Store, the folders that keep records: a record is written last and in one step, and verified whenever it is read.

<root>/<benchmark>/<id>/record.json    exists and is whole = the run is over
                        arrays-*.npz   kernels, eigenvalues, Hankel singular values, named by the sha256 that stands in the record
                        model.safetensors    the weights of the chosen epoch, unless --weights no
                        predictions-*.npz    what the network answers on the test set, only with --predictions
                        error.txt      traceback of a failed run
                        checkpoint-*   state of a run that is not over, see benchmarks.running.checkpoint
                        logs/          only with --logger
                        .lock          held (flock) by the process that works on this run; dies with it
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final, Literal, NamedTuple

from benchmarks.running.beside import Arrays, Entry, StoredRecord, files_beside, named, packed, pending
from benchmarks.running.environment import ROOT, EnvironmentProblem, other_code
from benchmarks.running.record import SCHEMA, DamagedRecord, NewerRecord, Record, Status
from benchmarks.spec import RunSpec

COMMITTED: Final = ROOT / "reports" / "records"
"""The folder of the evidence that is committed."""
EVIDENCE: Final = "reports/records"
"""What that folder is called in messages and reports."""
Root = tuple[str, Path]
"""A folder of records, and what it is called in messages and reports: "runs", "reports/records", or its path."""


def run_root() -> Path:
    """The folder that runs write their records to: $SSM_RUNS, else runs/ in the checkout, or in the working folder where the suite is
    installed without one. Raises EnvironmentProblem for the home of a user that there is not."""
    place = ROOT if (ROOT / "pyproject.toml").is_file() else Path.cwd()
    try:
        return Path(os.environ.get("SSM_RUNS") or place / "runs").expanduser()
    except RuntimeError as error:
        raise EnvironmentProblem(f"SSM_RUNS={os.environ['SSM_RUNS']}: there is no such user, or no home; write the folder out.") from error


def _called(root: Path) -> str:
    """ "runs" for the folder of that name in the checkout, and any other by its path, so that what is said of a file names the file."""
    return "runs" if root == ROOT / "runs" else str(root)


class State(NamedTuple):
    """How a run ended; missing and damaged are not over, and what is newer than this version of the suite is not for it to judge."""

    status: Status | Literal["missing", "damaged", "newer"]
    other_code: str = ""
    """The code that made the record, where that is known and is not the code here."""
    trouble: str = ""
    """What is wrong with a record that cannot be used."""


@dataclass(frozen=True)
class Store:
    """Records by the benchmark and id of their run, in a list of roots: the first is written to, and all are asked in order.

    Nothing is kept beside the folders, so there is no second truth that could disagree.
    """

    roots: tuple[Root, ...] = field(default_factory=lambda: ((_called(run_root()), run_root()),))

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
        """The record of a run from the first root that has one, None where no root has any.

        Its arrays are read and verified when they are asked for. Raises DamagedRecord where it cannot be used: the number of another run,
        from a later root, is not put in its place.
        """
        return next((stored for root in self.roots if (stored := _read(root, benchmark, id)) is not None), None)

    def every(self, benchmark: str = "*") -> Iterator[StoredRecord]:
        """Every run that there is a good record of, of one benchmark or of all, whatever its seed, protocol or scale; each once, in the
        order of benchmarks and ids. Records that cannot be used are left out, see `troubles`."""
        yield from (found for found in self.look(benchmark) if isinstance(found, StoredRecord))

    def troubles(self, benchmark: str = "*") -> Iterator[DamagedRecord]:
        """What is wrong with every record that cannot be used."""
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
        return State(record.status, other_code(record.environment))

    def stamp(self, spec: RunSpec) -> int:
        """When the record of `spec` was written, in nanoseconds; 0 where there is none."""
        try:
            return (self.folder(spec) / "record.json").stat().st_mtime_ns
        except OSError:
            return 0

    def put(
        self, spec: RunSpec, record: Record, arrays: Arrays | None = None, *, weights: bytes = b"", predictions: Arrays | None = None
    ) -> Record:
        """Writes what lies beside the record, then record.json with the names, each in one atomic step. Returns the record as written.

        What belongs to the record that was there before has other names and goes last: broken off anywhere, one of the two is whole. The
        weights come to their own name, which is always the same, when the record names them.
        """
        folder = self.folder(spec)
        folder.mkdir(parents=True, exist_ok=True)
        network: Entry | None = None
        if weights:
            network = {"file": "model.safetensors", "sha256": hashlib.sha256(weights).hexdigest()}
            write_atomically(folder / pending(network["sha256"]), weights)
        record = replace(
            record,
            arrays=_write_arrays(folder, "arrays", arrays),
            weights=network,
            predictions=_write_arrays(folder, "predictions", predictions),
        )
        written = replace(record, checksum=record.content_checksum())
        write_atomically(folder / "record.json", written.to_json().encode())
        if network is not None:
            os.replace(folder / pending(network["sha256"]), folder / network["file"])
        kept = {entry["file"] for entry in (written.arrays, written.weights, written.predictions) if entry is not None}
        for file in files_beside(folder):
            if file.name not in kept:
                file.unlink(missing_ok=True)
        return written

    def add_predictions(self, stored: StoredRecord, predictions: Arrays) -> Record:
        """Writes predictions beside a record that had none, or others, and the record with their name. Returns the record as written."""
        before = stored.record.predictions
        record = replace(stored.record, predictions=_write_arrays(stored.path.parent, "predictions", predictions), schema=SCHEMA)
        written = replace(record, checksum=record.content_checksum())
        write_atomically(stored.path, written.to_json().encode())
        if before is not None and written.predictions is not None and before["file"] != written.predictions["file"]:
            stored.path.with_name(before["file"]).unlink(missing_ok=True)
        return written

    def set_aside(self, spec: RunSpec) -> None:
        """Renames a damaged record and what lies beside it to `.corrupt`, so that the run counts as not done and the evidence stays."""
        for path in (self.folder(spec) / "record.json", *files_beside(self.folder(spec))):
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


def _write_arrays(folder: Path, name: str, arrays: Arrays | None) -> Entry | None:
    """Writes arrays as one file that is called by its sha256, and returns how a record names it; nothing where there are none."""
    if not arrays:
        return None
    blob = packed(arrays)
    entry = named(blob, name, ".npz")
    write_atomically(folder / entry["file"], blob)
    return entry


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
