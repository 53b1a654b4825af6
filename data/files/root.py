"""Where data sets lie: the data root, and reading and writing there with errors that say what is wrong and what helps."""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from data.base import DataError, StorageError


def root() -> Path:
    """The folder of all data sets: $SSM_DATA, or a folder in the user's cache."""
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
def reading(path: Path) -> Iterator[None]:
    """Turns errors of the file system into a DataError that names `path`."""
    try:
        yield
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror}") from error


def content_of(path: Path, most: int) -> bytes:
    """The content of a file of no more than `most` bytes. Raises DataError for a larger one, and where it cannot be read."""
    with reading(path):
        size = path.stat().st_size
        if size > most:
            raise DataError(f"{path} has {size:,} bytes; no file of the release has more than {most:,}")
        return path.read_bytes()


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
    except OSError as error:
        full = f" ({megabytes(needed)} are needed)" if error.errno in (errno.ENOSPC, errno.EDQUOT) else ""
        raise StorageError(
            f"cannot write to {folder}: {error.strerror or error}{full}. Set SSM_DATA (or DATA=) to a folder that can"
        ) from error


def megabytes(n: int) -> str:
    """Writes a number of bytes as text."""
    return f"{n / 1e6:,.1f} MB"


def scratch(shape: tuple[int, ...], dtype: str) -> NDArray[Any]:
    """Makes an array of zeros in a nameless file of the data root, for what is too large for memory; it is gone when nobody holds it."""
    with writing(root(), int(np.prod(shape)) * np.dtype(dtype).itemsize):
        with tempfile.TemporaryFile(dir=root()) as handle:  # closing it leaves the mapping, which holds the file
            array: NDArray[Any] = np.memmap(handle, dtype=dtype, mode="w+", shape=shape)
        return array
