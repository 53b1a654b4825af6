"""Reads members of tar archives from strangers: streamed in order, checked one by one, and nothing is ever unpacked to disk."""

from __future__ import annotations

import lzma
import tarfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

from data.base import DataError


def members(path: Path, wanted: Callable[[str], bool], *, max_bytes: int, max_members: int) -> Iterator[tuple[str, bytes]]:
    """(name, content) of the regular files of a .tar, .tar.gz, .tar.xz or .tar.bz2 for whose name `wanted` says yes, in archive order.

    Names are relative, with /, without a leading "./". As contents are read into memory and go nowhere else, a hostile name can reach no
    file; it is refused all the same, because an official archive has none. Raises DataError, which names archive and member, for a wanted
    member that is no regular file, comes twice, has more than `max_bytes`, or has a name that is absolute or climbs; for more than
    `max_members` entries; and where the archive is cut short or damaged.
    """
    seen: set[str] = set()
    try:
        with tarfile.open(path, "r|*") as tar:
            for count, member in enumerate(tar, start=1):
                if count > max_members:
                    raise DataError(f"{path} has more than the {max_members:,} entries of the official archive; it is another one")
                name = member.name.removeprefix("./")
                if name.startswith("/") or ".." in name.split("/") or "\\" in name or not name.isprintable():
                    raise DataError(f"{path} has an entry named {member.name!r}, which no official archive has; it was not read")
                if member.isdir() or not wanted(name):
                    continue
                if not member.isreg():
                    raise DataError(f"{path}: {name} is a link or a device where the official archive has a file; it was not read")
                if name in seen:
                    raise DataError(f"{path} has {name} twice")
                if member.size > max_bytes:
                    raise DataError(f"{path}: {name} announces {member.size:,} bytes; the official file has no more than {max_bytes:,}")
                seen.add(name)
                handle = tar.extractfile(member)
                content = b"" if handle is None else handle.read()
                if len(content) != member.size:
                    raise DataError(f"{path} is cut short inside {name}. Remove it and get it again.")
                yield name, content
    except (tarfile.TarError, EOFError, OSError, zlib.error, lzma.LZMAError) as error:
        raise DataError(f"{path} is damaged or cut short ({type(error).__name__}: {error}). Remove it and get it again.") from error
