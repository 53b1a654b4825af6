"""A prepared data set in one compressed file, for a machine that no network reaches: `pack` here, `unpack` there.

The file is a .tar.xz of the prepared folder, with the arrays that are needed there and the whole manifest. So the arrays are checked on
arrival against the checksums they were prepared with, and a run knows its data by the same hash as everywhere.
"""

from __future__ import annotations

import io
import json
import lzma
import os
import re
import shutil
import tarfile
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from data.base import DataError
from data.files.archives import members
from data.files.prepared import Prepared, opened
from data.files.root import root, writing

FILTERS: Final = ({"id": lzma.FILTER_DELTA, "dist": 1}, {"id": lzma.FILTER_LZMA2, "preset": 6})
"""Neighbouring pixels are alike; every reader of .xz undoes both."""
LARGEST: Final = 1 << 28
"""Bytes of an array in a packed file, at most."""
ENTRIES: Final = 64


def pack(prepared: Prepared, arrays: Sequence[str], file: Path) -> None:
    """Writes the manifest and these arrays of a prepared data set into `file`. Raises DataError for an array that it has not."""
    there = prepared.manifest["arrays"]
    for name in arrays:
        prepared.array(name)
    manifest = {**prepared.manifest, "left_out": sorted(set(there) - set(arrays))}
    text = json.dumps(manifest, indent=1).encode()
    with lzma.open(file, "wb", filters=list(FILTERS)) as stream, tarfile.open(fileobj=stream, mode="w") as tar:
        head = tarfile.TarInfo("manifest.json")
        head.size = len(text)
        tar.addfile(head, io.BytesIO(text))
        for name in sorted(arrays):
            entry = tarfile.TarInfo(there[name]["file"])
            entry.size = there[name]["bytes"]
            with (prepared.folder / there[name]["file"]).open("rb") as content:
                tar.addfile(entry, content)


def unpack(file: Path) -> Prepared:
    """The prepared data set of a packed file, in the data root; one that is there already is left as it is. Raises DataError where the
    file is no packed data set, or an array has not the checksum of the manifest."""
    found = members(file, lambda name: "/" not in name, max_bytes=LARGEST, max_members=ENTRIES)
    first, content = next(found, ("", b""))
    try:
        manifest = json.loads(content)
        name, key, arrays = manifest["name"], manifest["key"], manifest["arrays"]
        fits = first == "manifest.json" and all(re.fullmatch(r"[a-z0-9][a-z0-9_.-]*", word) for word in (name, key))
        files = {entry["file"] for label, entry in arrays.items() if label not in manifest["left_out"]}
    except (ValueError, KeyError, TypeError, AttributeError):
        fits = False
    if not fits:
        raise DataError(f"{file} is no packed data set: it does not begin with the manifest of one")
    there = opened(name, key)
    if there is not None:
        return there
    folder = root() / "prepared" / f"{name}-{key}"
    temporary = folder.parent / f".{folder.name}.{os.getpid()}.tmp"
    with writing(folder.parent, sum(entry["bytes"] for entry in arrays.values() if entry["file"] in files)):
        temporary.mkdir()
        try:
            (temporary / "manifest.json").write_bytes(content)
            for member, content in found:
                if member not in files:
                    raise DataError(f"{file} holds {member}, which its manifest does not name")
                (temporary / member).write_bytes(content)
            Prepared(folder=temporary, manifest=manifest).verify()
            os.replace(temporary, folder)
        finally:
            shutil.rmtree(temporary, ignore_errors=True)
    there = opened(name, key)
    assert there is not None
    return there
