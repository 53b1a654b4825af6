"""Record, what a run leaves behind, and Store, the folder that keeps records: written last and atomically, verified when read.

<root>/<benchmark>/<id>/record.json    exists and is whole = the run is over
                        arrays.npz     kernels, eigenvalues, Hankel singular values; its sha256 stands in the record
                        error.txt      traceback of a failed run
                        checkpoint-*   state of a run that is not over, see benchmarks.running.checkpoint
                        logs/          only with --logger
                        .lock          held (flock) by the process that works on this run; dies with it
"""

from __future__ import annotations

import hashlib
import io
import json
import math
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, fields, is_dataclass
from pathlib import Path
from typing import Any, Final, Literal

import numpy as np

from benchmarks.running.environment import ROOT, EnvironmentProblem
from benchmarks.spec import RunSpec, canonical

SCHEMA: Final = 1
Status = Literal["ok", "diverged", "failed"]
STATUSES: Final = ("ok", "diverged", "failed")
Arrays = Mapping[str, np.ndarray]


class DamagedRecord(Exception):
    """A record.json or arrays.npz that is not what `Store.put` wrote. The message says which file and why."""


@dataclass(frozen=True, kw_only=True)
class Record:
    """Everything known about one finished run; `to_json` is its file. A run that diverged is a result, one that failed is not."""

    id: str
    benchmark: str
    scale: str
    seed: int
    spec: Mapping[str, Any]
    """canonical(spec): what the id is the hash of."""
    spec_full: Mapping[str, Any]
    """The same with every default written out, for people."""
    status: Status
    reason: str = ""
    metrics: Mapping[str, Any] = field(default_factory=dict)
    cost: Mapping[str, Any] = field(default_factory=dict)
    history: tuple[Mapping[str, Any], ...] = ()
    rates: tuple[Mapping[str, Any], ...] = ()
    data: Mapping[str, Any] = field(default_factory=dict)
    environment: Mapping[str, Any] = field(default_factory=dict)
    arrays: Mapping[str, str] | None = None
    schema: int = SCHEMA

    def to_json(self) -> str:
        """Strict JSON: what is not finite is null."""
        return json.dumps(_finite({f.name: getattr(self, f.name) for f in fields(self)}), indent=1, allow_nan=False) + "\n"

    @staticmethod
    def from_json(text: str) -> Record:
        """Raises DamagedRecord unless `text` is a whole record of this schema whose spec hashes to its id."""
        try:
            raw = json.loads(text)
        except ValueError as error:
            raise DamagedRecord("is not JSON") from error
        if not isinstance(raw, dict) or raw.get("schema") != SCHEMA:
            raise DamagedRecord(f"is not a record of schema {SCHEMA}")
        if set(raw) != {f.name for f in fields(Record)}:
            odd = sorted(set(raw) ^ {f.name for f in fields(Record)})
            raise DamagedRecord(f"lacks or adds the fields {', '.join(odd)}")
        if raw["status"] not in STATUSES:
            raise DamagedRecord(f"has the unknown status {raw['status']!r}")
        if spec_id(raw["spec"]) != raw["id"]:
            raise DamagedRecord("has an id that is not the hash of its spec")
        return Record(**{**raw, "history": tuple(raw["history"]), "rates": tuple(raw["rates"])})


def spec_id(spec: Mapping[str, Any]) -> str:
    """The id of a canonical spec; equals `RunSpec.id`."""
    return hashlib.sha256(json.dumps(spec, sort_keys=True, separators=(",", ":")).encode()).hexdigest()[:12]


def every_field(value: Any) -> Any:
    """`value` as JSON like `canonical`, with the defaults written out."""
    if is_dataclass(value) and not isinstance(value, type):
        head = {"type": type(value).__name__, "version": getattr(type(value), "version", 1)}
        return head | {f.name: every_field(getattr(value, f.name)) for f in fields(value)}
    return [every_field(v) for v in value] if isinstance(value, (tuple, list)) else value


def failed(spec: RunSpec, reason: str, environment: Mapping[str, Any]) -> Record:
    """The record of a run that ended with an error: no number in it."""
    return Record(**identity(spec), status="failed", reason=reason, environment=environment)


def identity(spec: RunSpec) -> dict[str, Any]:
    """The fields of a record that its spec decides."""
    return {
        "id": spec.id,
        "benchmark": spec.benchmark,
        "scale": spec.scale,
        "seed": spec.seed,
        "spec": canonical(spec),
        "spec_full": every_field(spec),
    }


def _finite(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(k): _finite(v) for k, v in value.items()}
    if isinstance(value, (tuple, list)):
        return [_finite(v) for v in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def run_root() -> Path:
    """The run store: $SSM_RUNS, else runs/ in the checkout."""
    return Path(os.environ.get("SSM_RUNS") or ROOT / "runs")


class Store:
    """Records by the id of their run. Nothing is kept beside the folders, so there is no second truth that could disagree."""

    def __init__(self, root: Path | None = None) -> None:
        self.root = run_root() if root is None else root

    def folder(self, spec: RunSpec) -> Path:
        """Where the record of `spec` lies."""
        return self.root / spec.benchmark / spec.id

    def get(self, id: str) -> Record | None:
        """The verified record of this id, None if there is none. Raises DamagedRecord for a file that cannot be trusted."""
        for path in sorted(self.root.glob(f"*/{id}/record.json")):
            return self._read(path, with_arrays=True)
        return None

    def status(self, id: str) -> Status | Literal["missing", "damaged"]:
        """ok and diverged are done; failed, missing and damaged are not."""
        try:
            record = self.get(id)
        except DamagedRecord:
            return "damaged"
        return "missing" if record is None else record.status

    def all(self) -> Iterator[Record]:
        """Every readable record, in the order of their paths; arrays are not read. Damaged files are left out."""
        for path in sorted(self.root.glob("*/*/record.json")):
            try:
                yield self._read(path, with_arrays=False)
            except DamagedRecord:
                continue

    def arrays(self, record: Record) -> dict[str, np.ndarray]:
        """The arrays of a record, verified; empty if it has none."""
        if record.arrays is None:
            return {}
        blob = self._verified_arrays(self.root / record.benchmark / record.id, record)
        with np.load(io.BytesIO(blob), allow_pickle=False) as npz:
            return {key: npz[key] for key in npz.files}

    def put(self, spec: RunSpec, record: Record, arrays: Arrays | None = None) -> Record:
        """Writes arrays.npz, then record.json with its sha256, each in one atomic step. Returns the record as written."""
        folder = self.folder(spec)
        folder.mkdir(parents=True, exist_ok=True)
        if arrays:
            buffer = io.BytesIO()
            np.savez_compressed(buffer, allow_pickle=False, **dict(arrays))
            blob = buffer.getvalue()
            write_atomically(folder / "arrays.npz", blob)
            entry: dict[str, str] | None = {"file": "arrays.npz", "sha256": hashlib.sha256(blob).hexdigest()}
        else:
            entry = None
        written = Record(**{f.name: getattr(record, f.name) for f in fields(record)} | {"arrays": entry})
        write_atomically(folder / "record.json", written.to_json().encode())
        if entry is None:
            (folder / "arrays.npz").unlink(missing_ok=True)
        return written

    def set_aside(self, spec: RunSpec) -> None:
        """Renames a damaged record and its arrays to `.corrupt`, so that the run counts as not done and the evidence stays."""
        for name in ("record.json", "arrays.npz"):
            path = self.folder(spec) / name
            if path.exists():
                os.replace(path, path.with_name(f"{name}.corrupt"))

    @contextmanager
    def lock(self, spec: RunSpec) -> Iterator[bool]:
        """Yields whether this process now owns the run. Never waits; released by the kernel when the process ends, however it ends."""
        import fcntl

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
        """Raises EnvironmentProblem unless files can be made and renamed under the root."""
        try:
            self.root.mkdir(parents=True, exist_ok=True)
            write_atomically(self.root / f".writable-{os.getpid()}", b"ok")
            (self.root / f".writable-{os.getpid()}").unlink()
        except OSError as error:
            raise EnvironmentProblem(
                f"the run folder {self.root} cannot be written ({error.strerror or error}). Make it writable, free some space, or "
                "point the environment variable SSM_RUNS at another folder."
            ) from error

    def _read(self, path: Path, *, with_arrays: bool) -> Record:
        name = f"{path.parent.parent.name}/{path.parent.name}/record.json"
        try:
            record = Record.from_json(path.read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError) as error:
            raise DamagedRecord(f"{name} cannot be read ({type(error).__name__})") from error
        except DamagedRecord as error:
            raise DamagedRecord(f"{name} {error}") from error
        if (record.benchmark, record.id) != (path.parent.parent.name, path.parent.name):
            raise DamagedRecord(f"{name} belongs to the run {record.benchmark}/{record.id}")
        if with_arrays and record.arrays is not None:
            self._verified_arrays(path.parent, record)
        return record

    @staticmethod
    def _verified_arrays(folder: Path, record: Record) -> bytes:
        assert record.arrays is not None
        name = f"{record.benchmark}/{record.id}/arrays.npz"
        try:
            blob = (folder / "arrays.npz").read_bytes()
        except OSError as error:
            raise DamagedRecord(f"{name} cannot be read ({type(error).__name__})") from error
        if hashlib.sha256(blob).hexdigest() != record.arrays["sha256"]:
            raise DamagedRecord(f"{name} is not the file its record was written with (sha256 differs)")
        return blob


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
