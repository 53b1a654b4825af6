"""Reads members of tar archives from strangers: streamed in order, checked one by one, and nothing is ever unpacked to disk."""

from __future__ import annotations

import bz2
import gzip
import lzma
import tarfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any, BinaryIO, Final, cast

from data.base import DataError
from data.files.regular import opened_file

LONGEST_HEADER: Final = 1 << 16
"""Bytes of an extended header, which holds a long name or a few attributes."""
PADDING: Final = 1 << 26
"""Bytes after the end mark, which writers fill up to their block size."""

_EXTENDED: Final = (tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_LONGLINK, tarfile.XHDTYPE, tarfile.XGLTYPE, tarfile.SOLARIS_XHDTYPE)
_OPEN: Final[dict[bytes, Callable[[BinaryIO], Any]]] = {b"\x1f\x8b": gzip.open, b"\xfd7zXZ\x00": lzma.open, b"BZh": bz2.open}


def members(path: Path, wanted: Callable[[str], bool], *, max_bytes: int, max_members: int) -> Iterator[tuple[str, bytes]]:
    """(name, content) of the regular files of a .tar, .tar.gz, .tar.xz or .tar.bz2 for whose name `wanted` says yes, in archive order.

    Names are relative, with /, without a leading "./". As contents are read into memory and go nowhere else, a hostile name can reach no
    file; an entry whose name is absolute, climbs or cannot be printed is refused all the same, wanted or not, because an official archive
    has none. Raises DataError, which names archive and member, for a wanted member that is a link or a device, comes twice, or has more
    than `max_bytes`; for more than `max_members` entries; and where the archive is cut short or damaged, which for the checksum of a
    compressed one is known only at its end, after the last member. A folder is no member, and unwanted links are passed over.
    """
    seen: set[str] = set()
    name = ""
    try:
        with (
            opened_file(path) as raw,
            _unpacked(raw) as handle,
            tarfile.open(fileobj=cast("IO[bytes]", _Whole(handle)), mode="r|", tarinfo=_Header) as tar,
        ):
            for count, member in enumerate(tar, start=1):
                if count > max_members:
                    raise DataError(f"{path} has more than the {max_members:,} entries of the official archive; it is another one")
                name = member.name.removeprefix("./")
                if name.startswith("/") or ".." in name.split("/") or "\\" in name or not name.isprintable():
                    raise DataError(f"{path} has an entry named {member.name!r}, which no official archive has; it was not read")
                if member.isdir() or not wanted(name):
                    continue
                if not member.isreg() or member.issparse():
                    raise DataError(f"{path}: {name} is a link or a device where the official archive has a file; it was not read")
                if name in seen:
                    raise DataError(f"{path} has {name} twice")
                if not 0 <= member.size <= max_bytes:
                    raise DataError(f"{path}: {name} announces {member.size:,} bytes; the official file has no more than {max_bytes:,}")
                seen.add(name)
                content = tar.extractfile(member)
                yield name, b"" if content is None else content.read()
            _to_the_end(handle, path)
    except (tarfile.TarError, EOFError, OSError, ValueError, RecursionError, zlib.error, lzma.LZMAError) as error:
        after = f" after {name}" if name else ""
        raise DataError(f"{path} is damaged or cut short{after} ({type(error).__name__}: {error}). Remove it and get it again.") from error


def _unpacked(raw: BinaryIO) -> IO[bytes]:
    """The plain tar stream. The readers of the standard library check the length and the checksum of what is compressed."""
    head = raw.read(6)
    raw.seek(0)
    opener = next((opener for magic, opener in _OPEN.items() if head.startswith(magic)), None)
    return raw if opener is None else opener(raw)


def _to_the_end(handle: IO[bytes], path: Path) -> None:
    """Reads what follows the end mark: there stands the checksum of a compressed archive, and nothing else that would be left out."""
    left = PADDING
    while block := handle.read(1 << 16):
        left -= len(block)
        if left < 0:
            raise DataError(f"{path} goes on for more than {PADDING:,} bytes after its end; it is not the official archive")
        if block.count(0) != len(block):
            raise DataError(
                f"{path} has something after its end, as where archives were put one behind the other; it is not the official one"
            )


class _Whole:
    """A stream whose end is an error. A whole archive has an end mark, after which tarfile reads no further; without one, tarfile takes
    the end of the file for the end of the archive, and for some headers never stops reading."""

    def __init__(self, handle: IO[bytes]) -> None:
        self.handle = handle

    def read(self, n: int) -> bytes:
        block = self.handle.read(n)
        if not block:
            raise EOFError("there is no end mark")
        return block


class _Header(tarfile.TarInfo):
    """A header of a tar file that is read strictly: tarfile takes a damaged one for the end of the archive, and reads an extended one into
    memory whatever its size."""

    @classmethod
    def frombuf(cls, buf: bytes | bytearray, encoding: str, errors: str) -> _Header:
        header = super().frombuf(buf, encoding, errors)
        if header.type in _EXTENDED and header.size > LONGEST_HEADER:
            raise tarfile.ReadError(f"an extended header of {header.size:,} bytes")
        return header

    @classmethod
    def fromtarfile(cls, tarfile_: tarfile.TarFile) -> _Header:
        try:
            return super().fromtarfile(tarfile_)
        except tarfile.EOFHeaderError:  # type: ignore[attr-defined]  # the end mark; the type stubs do not know its name
            raise
        except tarfile.HeaderError as error:
            raise tarfile.ReadError(f"a damaged header: {error}") from error
