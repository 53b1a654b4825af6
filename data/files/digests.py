"""Checksums: of arrays, of files, and the short keys after which prepared folders are named."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from data.files.root import reading


def sha256(*arrays: NDArray[np.generic]) -> str:
    """Hashes types, shapes and bytes (little-endian) of the arrays, in the order given: 64 hexadecimal digits."""
    digest = hashlib.sha256()
    for array in arrays:
        plain = np.ascontiguousarray(array).astype(array.dtype.newbyteorder("<"), copy=False)
        digest.update(f"{plain.dtype.str}{plain.shape}".encode())
        digest.update(plain.reshape(-1).view(np.uint8).data)  # the buffer itself: some arrays are larger than memory
    return digest.hexdigest()


def file_digest(path: Path, algorithm: str = "sha256") -> str:
    """Hashes a file of any size: "sha256:..." or another algorithm before the colon. Raises DataError where it cannot be read."""
    with reading(path), path.open("rb") as handle:
        return f"{algorithm}:{hashlib.file_digest(handle, algorithm).hexdigest()}"


def key_of(*lines: object) -> str:
    """Hashes lines of text into twelve hexadecimal digits: the key of what these lines decide."""
    return hashlib.sha256("\n".join(map(str, lines)).encode()).hexdigest()[:12]
