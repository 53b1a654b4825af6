"""Where data sets lie: the data root, and writing there with errors that say what is wrong and what helps."""

from __future__ import annotations

import contextlib
import errno
import math
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from data.base import Say, StorageError
from data.files.regular import reading


def root() -> Path:
    """The folder of all data sets: $SSM_DATA, or a folder in the user's cache."""
    given = os.environ.get("SSM_DATA")
    if given:
        try:
            return Path(given).expanduser().absolute()
        except RuntimeError as error:
            raise StorageError(f"{given!r} is no place for data sets: no home folder is known for {given.split('/')[0]!r}") from error
    if sys.platform == "darwin":
        cache = "~/Library/Caches"
    else:
        cache = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    try:
        return Path(cache).expanduser().absolute() / "ssm-suite"
    except RuntimeError as error:
        raise StorageError("no home folder is known, so there is no place for data sets: set SSM_DATA (or DATA=) to a folder") from error


def places(names: Sequence[str], holds: Callable[[Path], bool]) -> list[Path]:
    """Finds the folders of the data root with these names that hold a set, in this order; "" is the data root itself.

    After them those that hold it in a folder of the same name, as where an archive was unpacked into a folder that is called like it.
    """
    outer = [root() / name for name in names]
    doubled = [folder / folder.name for folder, name in zip(outer, names, strict=True) if name]
    with reading(root()):
        found = {folder.resolve(): folder for folder in reversed([*outer, *doubled]) if holds(folder)}
    return list(found.values())[::-1]


def tell_choice(found: Sequence[Path], what: str, say: Say) -> None:
    """Says which of several places is read: their contents may differ, as the two copies in the release of Long Range Arena do."""
    if len(found) > 1:
        say(f"{what}: there are {len(found)} copies; {found[0]} is read, and not {', '.join(map(str, found[1:]))}")


@contextlib.contextmanager
def writing(folder: Path, needed: int) -> Iterator[None]:
    """Makes `folder`, refuses early where `needed` bytes do not fit, and turns errors of the file system into StorageError."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        free = shutil.disk_usage(folder).free
        if free < needed:
            raise StorageError(
                f"{folder} has {megabytes(free)} free and {megabytes(needed)} are needed: free some space, or set SSM_DATA (or DATA=)"
            )
        yield
    except BrokenPipeError:  # nobody hears what is said; the disk is not to blame
        raise
    except OSError as error:
        full = f" ({megabytes(needed)} are needed)" if error.errno in (errno.ENOSPC, errno.EDQUOT, None) else ""
        raise StorageError(
            f"cannot write to {folder}: {error.strerror or error}{full}. Set SSM_DATA (or DATA=) to a folder that can"
        ) from error


def megabytes(n: int) -> str:
    """Writes a number of bytes as text."""
    return f"{n / 1e6:,.1f} MB"


def reserve(handle: IO[bytes], size: int) -> None:
    """Takes the room of the first `size` bytes of a file. Raises OSError where the disk has less.

    A file that is only as long as its last byte has holes, and a mapping that meets a full disk in one of them is a SIGBUS, a kill.
    """
    if size and hasattr(os, "posix_fallocate"):  # not on every system
        try:
            os.posix_fallocate(handle.fileno(), 0, size)
        except OSError as error:
            if error.errno not in (errno.EOPNOTSUPP, errno.EINVAL, errno.ENOSYS):  # a file system that cannot promise room
                raise


def scratch(shape: tuple[int, ...], dtype: str) -> NDArray[Any]:
    """Makes an array of zeros in a nameless file of the data root, for what is too large for memory; it is gone when nobody holds it."""
    size = math.prod(shape) * np.dtype(dtype).itemsize
    with writing(root(), size):
        with tempfile.TemporaryFile(dir=root()) as handle:  # closing it leaves the mapping, which holds the file
            reserve(handle, size)
            array: NDArray[Any] = np.memmap(handle, dtype=dtype, mode="w+", shape=shape)
        return array
