"""Files of data sets: where they live, verified downloads, and arrays that are prepared once and memory-mapped from then on.

The data root holds what the publisher released, under the publisher's own names, and `prepared/`, which is ours. Nothing of a released
file is interpreted before its checksum has passed, and the bytes that were hashed are the bytes that are read. A prepared folder appears
under its final name in one step and only when it is complete.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import json
import os
import shutil
import socket
import ssl
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from http.client import HTTPException, HTTPResponse
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from data.base import DataError, Say, StorageError, silent
from data.sampling import sha256

SCHEMA: Final = 1
CHUNK: Final = 1 << 20
TIMEOUT: Final = 8.0
"""Seconds without an answer from the network before an attempt is given up."""
PATIENCE: Final = 25.0
"""Seconds without `MINIMUM` new bytes, over all attempts and addresses, before a download is given up."""
MINIMUM: Final = 1 << 16
BACK_OFF: Final = 1.0
"""Seconds before the second attempt; doubled for each further one."""


@dataclass(frozen=True, kw_only=True)
class Official:
    """One file as its publisher released it."""

    name: str
    """Path under the data root, with the publisher's own names."""
    bytes: int
    digest: str
    """"sha256:..." or, where nothing better was published, "md5:..."."""
    urls: tuple[str, ...] = ()
    """Where it can be had, in the order to try; none for files that come inside an archive."""

    def path(self) -> Path:
        return root() / self.name


# ---------------------------------------------------------------- the data root


def root() -> Path:
    """$SSM_DATA, or a folder in the user's cache."""
    given = os.environ.get("SSM_DATA")
    if given:
        return Path(given).expanduser().absolute()
    if sys.platform == "darwin":
        cache = "~/Library/Caches"
    else:
        cache = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    try:
        return Path(cache).expanduser().absolute() / "ssm-suite"
    except RuntimeError as error:
        raise StorageError("no home folder is known, so there is no place for data sets: set SSM_DATA (or DATA=) to a folder") from error


@contextlib.contextmanager
def writing(folder: Path, needed: int) -> Iterator[None]:
    """Makes `folder`, refuses early where `needed` bytes do not fit, and turns errors of the file system into StorageError."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        free = shutil.disk_usage(folder).free
        if free < needed:
            raise StorageError(f"{folder} has {_mb(free)} free and {_mb(needed)} are needed: free some space, or set SSM_DATA (or DATA=)")
        yield
    except OSError as error:
        full = f" ({_mb(needed)} are needed)" if error.errno in (errno.ENOSPC, errno.EDQUOT) else ""
        raise StorageError(
            f"cannot write to {folder}: {error.strerror or error}{full}. Set SSM_DATA (or DATA=) to a folder that can"
        ) from error


def _mb(n: int) -> str:
    return f"{n / 1e6:,.1f} MB"


# ---------------------------------------------------------------- checking


def _same(found: str, official: Official) -> None:
    if found != official.digest:
        raise DataError(
            f"{official.path()} is not the official file: its checksum is {found}, expected {official.digest}. Remove it and run the same "
            f"command again{'; it is then downloaded' if official.urls else ', after unpacking the official archive again'}."
        )


def _size(official: Official) -> None:
    path = official.path()
    try:
        size = path.stat().st_size if path.is_file() else None
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror}") from error
    if size is None:
        raise DataError(f"{path} is missing: the official file of {official.bytes:,} bytes, {official.digest}")
    if size != official.bytes:
        kind = "cut short" if size < official.bytes else "a different one"
        raise DataError(f"{path} is {kind}: {size:,} bytes, expected {official.bytes:,} ({official.digest}). Remove it and get it again.")


def read(official: Official) -> bytes:
    """The content of a file of the data root, after its size and checksum have passed. Raises DataError."""
    _size(official)
    try:
        content = official.path().read_bytes()
    except OSError as error:
        raise DataError(f"{official.path()} cannot be read: {error.strerror}") from error
    check(content, official)
    return content


def check(content: bytes, official: Official) -> None:
    """Raises DataError unless `content` is that of the official file."""
    algorithm = official.digest.partition(":")[0]
    _same(f"{algorithm}:{hashlib.new(algorithm, content).hexdigest()}", official)


def verify(official: Official) -> None:
    """As `read`, for files too large to hold in memory. Raises DataError."""
    _size(official)
    with official.path().open("rb") as handle:
        _same(f"{official.digest.partition(':')[0]}:{_hash(handle, official)}", official)


def _hash(handle: Any, official: Official) -> str:
    return hashlib.file_digest(handle, official.digest.partition(":")[0]).hexdigest()


# ---------------------------------------------------------------- downloading


def fetch(official: Official, say: Say = silent) -> Path:
    """The path of the verified file in the data root, downloaded where it is missing.

    The download goes to `NAME.part`, is continued there after an interruption, and takes its name when size and checksum are right; with a
    wrong checksum it is kept as `NAME.bad`. Raises DataError that names URL, checksum and place where it cannot be had.
    """
    path = official.path()
    if path.exists():
        verify(official)
        return path
    part = path.with_name(f"{path.name}.part")
    reasons = []
    with writing(path.parent, official.bytes - (part.stat().st_size if part.exists() else 0)):
        for url in official.urls:
            try:
                _download(url, part, official, PATIENCE / len(official.urls), say)
            except _NotHad as problem:
                reasons.append(f"{url}: {problem}")
                continue
            with part.open("rb") as handle:
                found = f"{official.digest.partition(':')[0]}:{_hash(handle, official)}"
            if found == official.digest:
                os.replace(part, path)
                return path
            bad = path.with_name(f"{path.name}.bad")
            os.replace(part, bad)
            reasons.append(f"{url}: checksum {found} instead of {official.digest}; what came is kept as {bad.name}")
    raise DataError(f"{path.name} could not be downloaded ({'; '.join(reasons)}). {manual(official)}")


def manual(official: Official) -> str:
    """How to put a file there by hand."""
    return f"Get it from {' or '.join(official.urls)} ({official.bytes:,} bytes, {official.digest}) and put it at {official.path()}."


class _NotHad(Exception):
    """A URL did not give the file; the message says why."""


def _download(url: str, part: Path, official: Official, patience: float, say: Say) -> None:
    """Fills `part` to its full length, over several attempts with growing pauses, as long as bytes keep coming. Raises _NotHad."""
    moved, pause, reason = time.monotonic(), BACK_OFF, "no answer"
    while time.monotonic() - moved < patience:
        before = part.stat().st_size if part.exists() else 0
        try:
            _attempt(url, part, official, say)
        except urllib.error.HTTPError as error:
            reason = f"the server answers {error.code} {error.reason}"
            if error.code == 416:  # what is there is no beginning of the file on the server
                part.unlink(missing_ok=True)
            elif error.code < 500 and error.code not in (408, 429):
                raise _NotHad(reason) from error
        except urllib.error.URLError as error:
            reason = f"no connection ({error.reason})"
            if isinstance(error.reason, socket.gaierror):  # the name will not be known a second later either
                raise _NotHad(reason) from error
        except (HTTPException, ConnectionError, TimeoutError, ssl.SSLError) as error:
            reason = f"the connection broke ({error or type(error).__name__})"
        size = part.stat().st_size if part.exists() else 0
        if size == official.bytes:
            return
        if size - before >= MINIMUM:
            moved, pause = time.monotonic(), BACK_OFF
        if time.monotonic() + pause - moved >= patience:
            break
        time.sleep(pause)
        pause *= 2
    raise _NotHad(reason)


def _attempt(url: str, part: Path, official: Official, say: Say) -> None:
    """One request, continuing `part` where the server can."""
    start = part.stat().st_size if part.exists() else 0
    if start > official.bytes:
        part.unlink()
        start = 0
    if start == official.bytes:
        return
    request = urllib.request.Request(url, headers={"User-Agent": "ssm-suite", **({"Range": f"bytes={start}-"} if start else {})})
    with urllib.request.urlopen(request, timeout=TIMEOUT) as answer:
        continued = answer.status == 206 and answer.headers.get("Content-Range", "").startswith(f"bytes {start}-")
        start = start if continued else 0
        announced = answer.headers.get("Content-Length")
        if announced is not None and announced.isdigit() and int(announced) + start != official.bytes:
            kind = answer.headers.get_content_type()
            raise _NotHad(f"it offers {int(announced) + start:,} bytes of {kind} instead of {official.bytes:,}; that is not this file")
        say(f"{'continuing' if start else 'downloading'} {url} ({_mb(official.bytes - start)})")
        with part.open("ab" if start else "wb") as out:
            _copy(answer, out, official.bytes - start)


def _copy(answer: HTTPResponse, out: Any, length: int) -> None:
    """At most `length` + 1 bytes; gives up on a connection that trickles."""
    begun, since = time.monotonic(), 0
    left = length + 1  # one more than announced shows that the file is longer
    while left > 0:
        block = answer.read1(min(CHUNK, left))
        if not block:
            return
        out.write(block)
        left -= len(block)
        since += len(block)
        if since >= MINIMUM:
            begun, since = time.monotonic(), 0
        elif time.monotonic() - begun > PATIENCE:
            raise TimeoutError(f"fewer than {MINIMUM} bytes in {PATIENCE:.0f} s")


# ---------------------------------------------------------------- preparing


@dataclass(frozen=True, kw_only=True)
class Made:
    """What preparing a data set gives."""

    arrays: Mapping[str, NDArray[Any]]
    facts: Mapping[str, Any] = field(default_factory=dict)
    """Source, licence, counts, class balance: whatever a reader of the manifest should know."""


@dataclass(frozen=True, kw_only=True)
class Prepared:
    """A complete prepared folder."""

    folder: Path
    manifest: Mapping[str, Any]

    def array(self, name: str) -> NDArray[Any]:
        """The array, memory-mapped and read-only."""
        entry = self.manifest["arrays"][name]
        try:
            found: NDArray[Any] = np.load(self.folder / entry["file"], mmap_mode="r", allow_pickle=False)
        except (OSError, ValueError) as error:
            raise self.damaged(f"{entry['file']} cannot be read") from error
        if [str(found.dtype), list(found.shape)] != [entry["dtype"], entry["shape"]]:
            raise self.damaged(f"{entry['file']} holds {found.dtype} {found.shape}, the manifest says {entry['dtype']} {entry['shape']}")
        return found

    def digests(self) -> NDArray[np.uint8]:
        """The checksums of all arrays as one array: stands for their content in a hash over data and split."""
        text = "".join(f"{name}:{entry['sha256']};" for name, entry in sorted(self.manifest["arrays"].items()))
        return np.frombuffer(text.encode(), dtype=np.uint8)

    def check(self) -> None:
        """The quick look of every opening: all files there, of the right size. Raises DataError."""
        for entry in self.manifest["arrays"].values():
            file = self.folder / entry["file"]
            size = file.stat().st_size if file.is_file() else None
            if size != entry["bytes"]:
                raise self.damaged(
                    f"{entry['file']} " + ("is missing" if size is None else f"has {size:,} bytes instead of {entry['bytes']:,}")
                )

    def verify(self) -> None:
        """The thorough look: the checksum of every array. Raises DataError."""
        self.check()
        for name, entry in self.manifest["arrays"].items():
            found = sha256(self.array(name))
            if found != entry["sha256"]:
                raise self.damaged(f"{entry['file']} was changed: its checksum is {found}, the manifest says {entry['sha256']}")

    def damaged(self, what: str) -> DataError:
        return DataError(f"the prepared data in {self.folder} are damaged: {what}. Remove that folder and run the same command again.")


def opened(name: str, key: str) -> Prepared | None:
    """The prepared data set, or None where there is none under this name and key. Raises DataError where it is damaged."""
    folder = _folder(name, key)
    file = folder / "manifest.json"
    try:
        manifest = json.loads(file.read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, ValueError) as error:
        raise DataError(f"{file} cannot be read ({error}). Remove {folder} and run the same command again.") from error
    prepared = Prepared(folder=folder, manifest=manifest)
    if manifest.get("schema") != SCHEMA or manifest.get("key") != key:
        raise prepared.damaged("its manifest is of another kind")
    prepared.check()
    return prepared


def prepare(name: str, key: str, make: Callable[[], Made], *, needed: int = 0) -> Prepared:
    """The prepared data set `name` of content `key`, made by `make()` where it is not there yet.

    One process makes it, under a lock that dies with it; others wait and take the result. `needed` bytes are asked of the disk first.
    """
    found = opened(name, key)
    if found is not None:
        return found
    folder = _folder(name, key)
    with writing(folder.parent, needed), _locked(folder.parent / f".{name}.lock", name):
        found = opened(name, key)  # somebody else was making it
        if found is not None:
            return found
        for left in folder.parent.glob(f".{name}-{'[0-9a-f]' * len(key)}.*.tmp"):  # of this set under any key, and of no other set
            shutil.rmtree(left)
        temporary = folder.parent / f".{folder.name}.{os.getpid()}.tmp"
        temporary.mkdir()
        try:
            _write(temporary, name, key, make())
            if folder.exists():  # without a manifest, or it would have been opened
                shutil.rmtree(folder)
            os.replace(temporary, folder)
        finally:
            shutil.rmtree(temporary, ignore_errors=True)
    found = opened(name, key)
    assert found is not None
    return found


def scratch(shape: tuple[int, ...], dtype: str) -> NDArray[Any]:
    """An array of zeros in a nameless file of the data root, for what is too large for memory; it is gone when nobody holds it."""
    with writing(root(), int(np.prod(shape)) * np.dtype(dtype).itemsize):
        with tempfile.TemporaryFile(dir=root()) as handle:  # closing it leaves the mapping, which holds the file
            found: NDArray[Any] = np.memmap(handle, dtype=dtype, mode="w+", shape=shape)
        return found


def key_of(version: int, *files: Official) -> str:
    """The key of what is made from official files by `version` of a reader."""
    return hashlib.sha256("\n".join([f"reader {version}", *(f"{f.name} {f.digest}" for f in files)]).encode()).hexdigest()[:12]


def _folder(name: str, key: str) -> Path:
    return root() / "prepared" / f"{name}-{key}"


def _write(folder: Path, name: str, key: str, made: Made) -> None:
    """Arrays first, the manifest last."""
    entries = {}
    for label, array in made.arrays.items():
        with (folder / f"{label}.npy").open("wb") as handle:
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
            print(f"{name} is being prepared by another process; waiting for it", file=sys.stderr, flush=True)
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield
