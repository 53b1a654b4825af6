"""Checksums: of arrays, of files, and the short keys after which prepared folders are named."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from data.files.regular import opened_file


def sha256(*arrays: NDArray[np.generic]) -> str:
    """Hashes types, shapes and bytes (little-endian) of the arrays, in the order given: 64 hexadecimal digits."""
    digest = hashlib.sha256()
    for array in arrays:
        plain = np.ascontiguousarray(array).astype(array.dtype.newbyteorder("<"), copy=False)
        digest.update(f"{plain.dtype.str}{plain.shape}".encode())
        digest.update(plain.reshape(-1).view(np.uint8).data)  # the buffer itself: some arrays are larger than memory
    return digest.hexdigest()


def file_digest(path: Path, algorithm: str = "sha256", *, most: int | None = None) -> str:
    """Hashes a file: "sha256:..." or another algorithm before the colon.

    Raises DataError where it cannot be read, is no regular file, or has more than `most` bytes.
    """
    with opened_file(path, most) as handle:
        return f"{algorithm}:{hashlib.file_digest(handle, algorithm).hexdigest()}"


def key_of(*lines: object) -> str:
    """Hashes lines of text into twelve hexadecimal digits: the key of what these lines decide."""
    return hashlib.sha256("\n".join(map(str, lines)).encode()).hexdigest()[:12]
