"""Arrays that are prepared once and memory-mapped from then on, in the folder `prepared` of the data root.

A prepared folder is named after its data set and its key, and the key stands for everything that decides the content: files, versions,
choices. It appears under that name in one step and only when it is complete, and its manifest says what is in it.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from data.base import PARTS, DataError
from data.files.digests import key_of, sha256
from data.files.official import Official
from data.files.regular import content_of, opened_file
from data.files.root import reserve, root, writing

SCHEMA: Final = 1
LARGEST: Final = 1 << 24
"""Bytes of a manifest, at most."""


def key_of_files(version: int, *files: Official) -> str:
    """Makes the key of what `version` of a reader makes from official files."""
    return key_of(f"reader {version}", *(f"{file.name} {file.digest}" for file in files))


@dataclass(frozen=True, kw_only=True)
class Made:
    """What preparing a data set makes: arrays to store, and facts for the manifest."""

    arrays: Mapping[str, NDArray[Any]]
    facts: Mapping[str, Any] = field(default_factory=dict)
    """Source, licence, counts, class balance: whatever a reader of the manifest should know."""


@dataclass(frozen=True, kw_only=True)
class Prepared:
    """A complete prepared folder: its manifest, and the arrays that the manifest names."""

    folder: Path
    manifest: Mapping[str, Any]

    @property
    def left_out(self) -> Sequence[str]:
        """The arrays that the manifest names and that were left out when the folder was packed, see `data.files.packed`."""
        names = self.manifest.get("left_out", [])
        if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
            raise self.damaged("its manifest does not say what was left out of it")
        return names

    def _present(self) -> Mapping[str, Any]:
        return {name: entry for name, entry in self.manifest["arrays"].items() if name not in self.left_out}

    def array(self, name: str) -> NDArray[Any]:
        """Opens an array of the folder, memory-mapped and read-only. Raises DataError where it is not as the manifest says."""
        if name not in self.manifest["arrays"]:
            raise self.damaged(f"its manifest names no array {name!r}")
        if name in self.left_out:
            raise DataError(f"{self.folder} was packed without the array {name!r}, which is needed here. Pack it again with that array.")
        entry = self.manifest["arrays"][name]
        file = self.folder / entry["file"]
        with opened_file(file):
            try:
                array = np.load(file, mmap_mode="r", allow_pickle=False)
            except Exception as error:  # the header is a line of Python, and its parser raises what it likes
                raise self.damaged(f"{entry['file']} cannot be read") from error
        if not isinstance(array, np.ndarray):  # of a zip numpy makes a file of arrays
            raise self.damaged(f"{entry['file']} holds no array")
        if [str(array.dtype), list(array.shape)] != [entry["dtype"], entry["shape"]]:
            raise self.damaged(f"{entry['file']} holds {array.dtype} {array.shape}, the manifest says {entry['dtype']} {entry['shape']}")
        return array

    def digests(self) -> NDArray[np.uint8]:
        """Joins the checksums of all arrays into one array, which stands for their content in a hash over data and split."""
        text = "".join(f"{name}:{entry['sha256']};" for name, entry in sorted(self.manifest["arrays"].items()))
        return np.frombuffer(text.encode(), dtype=np.uint8)

    def counts(self) -> dict[str, int]:
        """Reads how many samples each part has. Raises DataError where the manifest does not say."""
        counts = self.manifest.get("counts")
        if not isinstance(counts, dict) or set(counts) != set(PARTS) or not all(type(n) is int and n >= 0 for n in counts.values()):
            raise self.damaged("its manifest does not say how many samples each part has")
        return {part: counts[part] for part in PARTS}

    def require_files(self) -> None:
        """Raises DataError unless all files are there and of the right size: the quick look of every opening."""
        for entry in self._present().values():
            file = self.folder / entry["file"]
            size = file.stat().st_size if file.is_file() else None
            if size != entry["bytes"]:
                raise self.damaged(
                    f"{entry['file']} " + ("is missing" if size is None else f"has {size:,} bytes instead of {entry['bytes']:,}")
                )

    def verify(self) -> None:
        """Raises DataError unless every array has its checksum: the thorough look, which reads everything."""
        self.require_files()
        for name, entry in self._present().items():
            digest = sha256(self.array(name))
            if digest != entry["sha256"]:
                raise self.damaged(f"{entry['file']} was changed: its checksum is {digest}, the manifest says {entry['sha256']}")

    def damaged(self, what: str) -> DataError:
        """Gives the error to raise where something in the folder is not as it was written."""
        return DataError(f"the prepared data in {self.folder} are damaged: {what}. Remove that folder and run the same command again.")


def opened(name: str, key: str) -> Prepared | None:
    """Opens the prepared data set of this name and key; None where there is none. Raises DataError where it is damaged."""
    folder = _folder(name, key)
    file = folder / "manifest.json"
    if not os.path.lexists(file):
        return None
    content = content_of(file, LARGEST)
    try:
        manifest = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise DataError(f"{file} cannot be read ({error}). Remove {folder} and run the same command again.") from error
    prepared = Prepared(folder=folder, manifest=_Manifest(manifest, folder) if isinstance(manifest, dict) else {})
    if is_newer(prepared.manifest):
        raise DataError(f"{folder} is of a newer version of this suite: use that one, or set SSM_DATA (or DATA=) to another folder")
    if prepared.manifest.get("key") != key or not is_manifest(prepared.manifest):
        raise prepared.damaged("its manifest is of another kind")
    prepared.require_files()
    return prepared


class _Manifest(dict[str, Any]):
    """The facts of a manifest; one that is asked for and not there is damage, and no error in the program."""

    def __init__(self, facts: Mapping[str, Any], folder: Path) -> None:
        super().__init__(facts)
        self.folder = folder

    def __missing__(self, name: str) -> Any:
        raise Prepared(folder=self.folder, manifest={}).damaged(f"its manifest does not say {name!r}")


def is_newer(manifest: Mapping[str, Any]) -> bool:
    """Whether a newer version of this suite wrote the manifest."""
    schema = manifest.get("schema")
    return type(schema) is int and schema > SCHEMA


def is_manifest(manifest: Mapping[str, Any]) -> bool:
    """Whether the manifest is of the kind that is read here: every array has its entry, which names a file of its folder and no other."""
    arrays = manifest.get("arrays")
    if manifest.get("schema") != SCHEMA or not isinstance(arrays, dict):
        return False
    fields = {"file": str, "bytes": int, "dtype": str, "shape": list, "sha256": str}
    return all(
        isinstance(entry, dict) and entry.get("file") == f"{name}.npy" and all(type(entry.get(f)) is kind for f, kind in fields.items())
        for name, entry in arrays.items()
    ) and not any("/" in name or "\\" in name for name in arrays)


def prepare(name: str, key: str, make: Callable[[], Made], *, needed: int = 0) -> Prepared:
    """Opens the prepared data set `name` of content `key`, which `make()` makes where it is not there yet, see `install`."""
    return install(name, key, lambda folder: _write(folder, name, key, make()), needed=needed)


def install(name: str, key: str, fill: Callable[[Path], None], *, needed: int = 0) -> Prepared:
    """Opens the prepared data set `name` of content `key`; where it is not there yet, `fill` first writes its arrays and its manifest into
    an empty folder.

    One process does so, under a lock that dies with it; others wait and take the result. `needed` bytes are asked of the disk first.
    """
    prepared = opened(name, key)
    if prepared is not None:
        return prepared
    folder = _folder(name, key)
    with writing(folder.parent, needed), _locked(folder.parent / f".{name}.lock", name):
        prepared = opened(name, key)  # somebody else was making it
        if prepared is not None:
            return prepared
        for left in folder.parent.glob(f".{name}-{'[0-9a-f]' * len(key)}.*.tmp"):  # of this set under any key, and of no other set
            shutil.rmtree(left)
        temporary = folder.parent / f".{folder.name}.{os.getpid()}.tmp"
        temporary.mkdir()
        try:
            fill(temporary)
            if folder.exists():  # without a manifest, or it would have been opened
                shutil.rmtree(folder)
            os.replace(temporary, folder)
        finally:
            shutil.rmtree(temporary, ignore_errors=True)
    prepared = opened(name, key)
    assert prepared is not None
    return prepared


def _folder(name: str, key: str) -> Path:
    return root() / "prepared" / f"{name}-{key}"


def _write(folder: Path, name: str, key: str, made: Made) -> None:
    """Arrays first, the manifest last."""
    entries = {}
    for label, array in made.arrays.items():
        with (folder / f"{label}.npy").open("wb") as handle:
            reserve(handle, array.nbytes)  # numpy says of a full disk only that less was written
            np.save(handle, np.ascontiguousarray(array), allow_pickle=False)
            handle.flush()
            os.fsync(handle.fileno())
            size = handle.tell()
        entries[label] = {
            "file": f"{label}.npy",
            "bytes": size,
            "dtype": str(array.dtype),
            "shape": list(array.shape),
            "sha256": sha256(array),
        }
    manifest = {"schema": SCHEMA, "name": name, "key": key, **made.facts, "arrays": entries}
    with (folder / "manifest.json").open("w", encoding="utf-8") as text:
        json.dump(manifest, text, indent=1)
        text.flush()
        os.fsync(text.fileno())


@contextlib.contextmanager
def _locked(path: Path, name: str) -> Iterator[None]:
    import fcntl

    with path.open("a") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            with contextlib.suppress(OSError, AttributeError):  # who does not listen need not stop the work
                print(f"{name} is being prepared by another process; waiting for it", file=sys.stderr, flush=True)
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield
