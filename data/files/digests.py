"""Checksums: of arrays, of files, and the short keys after which prepared folders are named."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from data.files.root import reading


def sha256(*arrays: NDArray[np.generic]) -> str:
    """The hexadecimal sha256 over types, shapes and bytes (little-endian) of the arrays, in the order given."""
    digest = hashlib.sha256()
    for array in arrays:
        plain = np.ascontiguousarray(array).astype(array.dtype.newbyteorder("<"), copy=False)
        digest.update(f"{plain.dtype.str}{plain.shape}".encode())
        digest.update(plain.reshape(-1).view(np.uint8).data)  # the buffer itself: some arrays are larger than memory
    return digest.hexdigest()


def file_digest(path: Path, algorithm: str = "sha256") -> str:
    """The checksum of a file of any size, as "sha256:..." or with another algorithm before the colon. Raises DataError."""
    with reading(path), path.open("rb") as handle:
        return f"{algorithm}:{hashlib.file_digest(handle, algorithm).hexdigest()}"


def key_of(*lines: object) -> str:
    """The twelve hexadecimal digits that stand for these lines of text: the key of what they decide."""
    return hashlib.sha256("\n".join(map(str, lines)).encode()).hexdigest()[:12]
