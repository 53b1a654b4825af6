"""A prepared data set in one compressed file, for a machine that no network reaches: `pack` here, `unpack` there.

The file is a .tar.xz of the prepared folder, with the arrays that are needed there and the whole manifest. So the arrays are checked on
arrival against the checksums they were prepared with, and a run knows its data by the same hash as everywhere.
"""

from __future__ import annotations

import io
import json
import lzma
import re
import tarfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from data.base import DataError
from data.files.archives import members
from data.files.prepared import Prepared, install, is_manifest, is_newer

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
        manifest = json.loads(content) if first == "manifest.json" else {}
    except (ValueError, RecursionError):
        manifest = {}
    if isinstance(manifest, dict) and is_newer(manifest):
        raise DataError(f"{file} was packed by a newer version of this suite: use that one here, or pack it again with this one")
    if not _is_packed(manifest):
        raise DataError(f"{file} is no packed data set: it does not begin with the manifest of one")
    sizes = {entry["file"]: entry["bytes"] for label, entry in manifest["arrays"].items() if label not in manifest["left_out"]}

    def fill(folder: Path) -> None:
        (folder / "manifest.json").write_bytes(content)
        for member, array in found:
            if member not in sizes:
                raise DataError(f"{file} holds {member}, which its manifest does not name")
            (folder / member).write_bytes(array)
        Prepared(folder=folder, manifest=manifest).verify()

    return install(manifest["name"], manifest["key"], fill, needed=sum(sizes.values()))


def _is_packed(manifest: Any) -> bool:
    """Whether this is the manifest of a packed data set, which has a name and a key and says what was left out."""
    if not isinstance(manifest, dict) or not is_manifest(manifest):
        return False
    words, left_out = (manifest.get("name"), manifest.get("key")), manifest.get("left_out")
    named = all(isinstance(word, str) and re.fullmatch(r"[a-z0-9][a-z0-9_.-]*", word) for word in words)
    return named and isinstance(left_out, list) and all(isinstance(label, str) for label in left_out)
