"""Official files: where their publishers offer them, how they are downloaded, and the checksum that has to pass before one is read.

Nothing of a released file is interpreted before its checksum has passed, and the bytes that were hashed are the bytes that are read.
"""

from __future__ import annotations

import hashlib
import os
import socket
import time
import urllib.error
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final

from data.base import DataError, Say, silent
from data.files.digests import file_digest
from data.files.progress import duration
from data.files.regular import content_of, opened_file
from data.files.request import Broken, Request
from data.files.root import megabytes, root, writing

CHUNK: Final = 1 << 20
TIMEOUT: Final = 8.0
"""Seconds without an answer from the network before an attempt is given up."""
PATIENCE: Final = 25.0
"""Seconds without `MINIMUM` new bytes, over all attempts and addresses, before a download is given up."""
MINIMUM: Final = 1 << 16
SLOWEST: Final = 1 << 16
"""Bytes per second below which a download is given up in the end, however steadily they come."""
BACK_OFF: Final = 1.0
"""Seconds before the second attempt; doubled for each further one."""


@dataclass(frozen=True, kw_only=True)
class Official:
    """One file as its publisher released it, known by its size and its checksum."""

    name: str
    """The path under the data root, with the publisher's own names."""
    bytes: int
    digest: str
    """"sha256:..." or, where nothing better was published, "md5:..."."""
    urls: tuple[str, ...] = ()
    """Where it can be had, in the order to try; none for files that come inside an archive."""

    def path(self) -> Path:
        """Where it is, or would be, in the data root."""
        return root() / self.name

    @property
    def algorithm(self) -> str:
        """sha256 or md5, before the colon of the digest."""
        return self.digest.partition(":")[0]


@dataclass(frozen=True, kw_only=True)
class Release:
    """What a publisher released in one archive; a data set adds the numbers by which a complete copy is known, packed or not."""

    archive: Official


# ---------------------------------------------------------------- checking


def _require_digest(digest: str, official: Official) -> None:
    if digest != official.digest:
        raise DataError(
            f"{official.path()} is not the official file: its checksum is {digest}, expected {official.digest}. Remove it and run the same "
            f"command again{'; it is then downloaded' if official.urls else ', after unpacking the official archive again'}."
        )


def _require_size(official: Official) -> None:
    path = official.path()
    if not os.path.lexists(path):
        raise DataError(f"{path} is missing: the official file of {official.bytes:,} bytes, {official.digest}")
    with opened_file(path) as handle:
        size = os.fstat(handle.fileno()).st_size
    if size != official.bytes:
        kind = "cut short" if size < official.bytes else "a different one"
        raise DataError(f"{path} is {kind}: {size:,} bytes, expected {official.bytes:,} ({official.digest}). Remove it and get it again.")


def read(official: Official) -> bytes:
    """The content of a file of the data root, after its size and checksum have passed. Raises DataError."""
    _require_size(official)
    content = content_of(official.path(), official.bytes)
    require_content(content, official)
    return content


def require_content(content: bytes, official: Official) -> None:
    """Raises DataError unless `content` is that of the official file."""
    _require_digest(f"{official.algorithm}:{hashlib.new(official.algorithm, content).hexdigest()}", official)


def verify(official: Official) -> None:
    """Raises DataError unless size and checksum of the file are right, without holding it in memory."""
    _require_size(official)
    _require_digest(file_digest(official.path(), official.algorithm, most=official.bytes), official)


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
    with writing(path.parent, official.bytes - _size(part)):
        for url in official.urls:
            try:
                _download(url, part, official, PATIENCE / len(official.urls), say)
            except _NotHad as problem:
                reasons.append(f"{url}: {problem}")
                continue
            digest = file_digest(part, official.algorithm)
            if digest == official.digest:
                os.replace(part, path)
                return path
            bad = path.with_name(f"{path.name}.bad")
            os.replace(part, bad)
            reasons.append(f"{url}: checksum {digest} instead of {official.digest}; what came is kept as {bad.name}")
    raise DataError(f"{path.name} could not be downloaded ({'; '.join(reasons)}). {by_hand(official)}")


def by_hand(official: Official) -> str:
    """A sentence for an error message: where to get the file, and where to put it."""
    return f"Get it from {' or '.join(official.urls)} ({official.bytes:,} bytes, {official.digest}) and put it at {official.path()}."


class _NotHad(Exception):
    """A URL did not give the file; the message says why."""


def _download(url: str, part: Path, official: Official, patience: float, say: Say) -> None:
    """Fills `part` to its full length, over several attempts with growing pauses, as long as it grows. Raises _NotHad.

    What counts as growth is measured against the largest size so far: a server that always begins anew and always ends early gives nothing.
    However slowly and often bytes come, there is an end to it: the clock of the whole file.
    """
    begun = moved = time.monotonic()
    end = begun + patience + official.bytes / SLOWEST
    largest, pause, reason = _size(part), BACK_OFF, "no answer"
    while time.monotonic() - moved < patience:
        try:
            _attempt(url, part, official, end, say)
        except urllib.error.HTTPError as error:
            error.close()
            reason = f"the server answers {error.code} {_short(error.reason)}"
            if error.code == 416:  # what is there is no beginning of the file on the server
                part.unlink(missing_ok=True)
            elif error.code < 500 and error.code not in (408, 429):
                raise _NotHad(reason) from error
        except urllib.error.URLError as error:
            reason = f"no connection ({_short(error.reason)})"
            if isinstance(error.reason, socket.gaierror):  # the name will not be known a second later either
                raise _NotHad(reason) from error
        except Broken as error:
            reason = f"the connection broke ({_short(error)})"
        size = _size(part)
        if size == official.bytes:
            return
        if size - largest >= MINIMUM:
            moved, pause = time.monotonic(), BACK_OFF
        largest = max(largest, size)
        if time.monotonic() >= end:
            raise _NotHad(
                f"after {duration(time.monotonic() - begun)} {size:,} of {official.bytes:,} bytes are here; the same command goes on"
            )
        if time.monotonic() + pause - moved >= patience:
            break
        time.sleep(pause)
        pause *= 2
    raise _NotHad(reason)


def _size(part: Path) -> int:
    return part.stat().st_size if part.exists() else 0


def _short(text: object) -> str:
    """What a stranger wrote, cut to a length that a message can hold; a DataError makes it printable."""
    return str(text)[:120]


def _attempt(url: str, part: Path, official: Official, end: float, say: Say) -> None:
    """One request, continuing `part` where the server can. Raises URLError and Broken."""
    start = _size(part)
    if start > official.bytes:
        part.unlink()
        start = 0
    if start == official.bytes:
        return
    with Request(url, start, timeout=TIMEOUT, patience=PATIENCE) as request:
        continued = request.status == 206 and request.header("Content-Range").startswith(f"bytes {start}-")
        start = start if continued else 0
        announced = request.header("Content-Length")
        if announced.isascii() and announced.isdigit() and int(announced[:20]) + start != official.bytes:
            offered = f"{int(announced[:20]) + start:,} bytes of {_short(request.kind)}"
            raise _NotHad(f"it offers {offered} instead of {official.bytes:,}; that is not this file")
        say(f"{'continuing' if start else 'downloading'} {url} ({megabytes(official.bytes - start)})")
        with part.open("ab" if start else "wb") as out:
            _copy(request, out, official.bytes - start, end)


def _copy(request: Request, out: IO[bytes], length: int, end: float) -> None:
    """At most `length` + 1 bytes; gives up on a connection that trickles, and when the time of the whole file is over."""
    since = 0
    left = length + 1  # one more than announced shows that the file is longer
    request.wait_until(min(end, time.monotonic() + PATIENCE), f"fewer than {MINIMUM} bytes in {PATIENCE:.0f} s")
    while left > 0 and time.monotonic() < end:
        block = request.read(min(CHUNK, left))
        if not block:
            return
        out.write(block)
        left -= len(block)
        since += len(block)
        if since >= MINIMUM:
            request.wait_until(min(end, time.monotonic() + PATIENCE), f"fewer than {MINIMUM} bytes in {PATIENCE:.0f} s")
            since = 0
