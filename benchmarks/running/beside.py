"""What lies beside a record: StoredRecord, which reads and verifies it, and how those files are packed and called."""

from __future__ import annotations

import hashlib
import io
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.running.record import DamagedRecord, Record

Arrays = Mapping[str, np.ndarray]
Entry = dict[str, str]
"""How a record names a file: {"file", "sha256"}."""


@dataclass(frozen=True, kw_only=True)
class StoredRecord:
    """A record that was found whole, and where it lies."""

    record: Record
    path: Path
    name: str
    """How the file is called in a report: relative to its root, never a path of this machine."""

    @property
    def arrays_path(self) -> Path | None:
        """Where the arrays of the run lie; None where the record names none."""
        return None if self.record.arrays is None else self.path.with_name(self.record.arrays["file"])

    @property
    def weights_path(self) -> Path | None:
        """Where the weights of the run lie; None where the record names none."""
        entry = self.record.weights
        if entry is None:
            return None
        first = self.path.with_name(pending(entry["sha256"]))
        return first if first.is_file() else self.path.with_name(entry["file"])

    def arrays(self) -> dict[str, np.ndarray]:
        """Kernels, eigenvalues and Hankel singular values of the run; empty where the record has none, or is committed without them
        (arrays are committed for one seed of the default rows). Raises DamagedRecord if the file is not the one the record names."""
        return self._unpacked(self.record.arrays, self.arrays_path)

    def predictions(self) -> dict[str, np.ndarray]:
        """What the network answers on the test set, see `benchmarks.running.predictions`; empty where none was kept, or the record is
        committed without them. Raises DamagedRecord if the file is not the one the record names."""
        entry = self.record.predictions
        return self._unpacked(entry, None if entry is None else self.path.with_name(entry["file"]))

    def weights(self) -> bytes:
        """The file of weights; empty where none was kept, the record is committed without it, or somebody has removed it to save room.
        Raises DamagedRecord if the file is not the one the record names."""
        return self._verified(self.record.weights, self.weights_path)

    def _verified(self, entry: Mapping[str, str] | None, file: Path | None) -> bytes:
        """The content of a file beside the record, nothing where there is none. Raises DamagedRecord unless its sha256 is the record's."""
        if entry is None or file is None or not file.is_file():
            return b""
        try:
            blob = file.read_bytes()
        except OSError as error:
            raise DamagedRecord(f"{self.name}: {entry['file']} cannot be read ({type(error).__name__})") from error
        if hashlib.sha256(blob).hexdigest() != entry["sha256"]:
            raise DamagedRecord(f"{self.name}: {entry['file']} is not the file this record was written with (sha256 differs)")
        return blob

    def _unpacked(self, entry: Mapping[str, str] | None, file: Path | None) -> dict[str, np.ndarray]:
        blob = self._verified(entry, file)
        if entry is None or not blob:
            return {}
        try:
            with np.load(io.BytesIO(blob), allow_pickle=False) as npz:
                return {key: npz[key] for key in npz.files}
        except (ValueError, OSError, EOFError, AttributeError, zipfile.BadZipFile) as error:
            raise DamagedRecord(f"{self.name}: {entry['file']} holds no arrays") from error

    def require_arrays(self) -> None:
        """Raises DamagedRecord unless the arrays that the record names are here and are the ones it was written with."""
        file = self.arrays_path
        if file is not None and not file.is_file():
            raise DamagedRecord(f"{self.name}: {file.name}, which this record was written with, is not here")
        self.arrays()


def pending(digest: str) -> str:
    """What a file of weights is called until its record is written; whoever reads asks for this name first."""
    return f"model-{digest[:16]}.safetensors"


def named(blob: bytes, name: str, suffix: str) -> Entry:
    """The entry of a file that is called by its sha256."""
    digest = hashlib.sha256(blob).hexdigest()
    return {"file": f"{name}-{digest[:16]}{suffix}", "sha256": digest}


def packed(arrays: Arrays) -> bytes:
    """The arrays as a compressed .npz."""
    buffer = io.BytesIO()
    np.savez_compressed(buffer, allow_pickle=False, **dict(arrays))
    return buffer.getvalue()


def files_beside(folder: Path) -> list[Path]:
    """The files that a record in this folder may name."""
    return [file for pattern in ("arrays*.npz", "predictions-*.npz", "model*.safetensors") for file in folder.glob(pattern)]
