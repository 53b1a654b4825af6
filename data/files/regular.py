"""Reads regular files and nothing else, and of them no more than was asked for: the one way in for the files of others.

Under the name of a file there may be a pipe, which never has an end, a device such as /dev/zero, or a terabyte of zeros that takes no room.
"""

from __future__ import annotations

import codecs
import contextlib
import os
import stat
from collections.abc import Iterator
from io import BufferedReader
from pathlib import Path
from typing import BinaryIO, Final

from data.base import DataError

MARK: Final = codecs.BOM_UTF8
KINDS: Final = {
    stat.S_IFIFO: "a pipe",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
    stat.S_IFSOCK: "a socket",
    stat.S_IFDIR: "a folder",
}


@contextlib.contextmanager
def reading(path: Path) -> Iterator[None]:
    """Turns errors of the file system into a DataError that names `path`."""
    try:
        yield
    except BrokenPipeError:  # nobody hears what is said; the file is not to blame
        raise
    except OSError as error:
        if error.errno is None:  # of a library, which found the content wrong
            raise
        raise DataError(f"{path} cannot be read: {error.strerror}") from error


@contextlib.contextmanager
def opened_file(path: Path, most: int | None = None) -> Iterator[BufferedReader]:
    """Opens a regular file of no more than `most` bytes. Raises DataError for any other, and where it cannot be read."""
    with reading(path):
        # without waiting: a pipe that nobody writes to would be waited for
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
        found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode):
            os.close(descriptor)
            raise DataError(f"{path} is {KINDS.get(stat.S_IFMT(found.st_mode), 'something else')} and no file; it was not read")
        with open(descriptor, "rb") as handle:
            if most is not None and found.st_size > most:
                raise DataError(f"{path} has {found.st_size:,} bytes; no file of the release has more than {most:,}")
            yield handle


def skip_mark(handle: BinaryIO) -> None:
    """Passes over the byte order mark that Windows editors put before a text."""
    if handle.read(len(MARK)) != MARK:
        handle.seek(0)


def content_of(path: Path, most: int) -> bytes:
    """The content of a regular file of no more than `most` bytes. Raises DataError for any other, and where it cannot be read."""
    with opened_file(path, most) as handle:
        size = os.fstat(handle.fileno()).st_size
        content = handle.read(size + 1)
    if len(content) != size:
        raise DataError(f"{path} changed while it was read; run the same command again")
    return content
