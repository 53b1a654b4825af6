"""The files of LRA Retrieval: where they lie, what they are known by, and how their rows are read.

Three tab-separated files without a header: label (0.0 or 1.0), two ids, two texts. No checksum was ever published, so the files are known
by the sha256 of what was found, which is remembered for as long as they do not change.
"""

from __future__ import annotations

import csv
import io
import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO, Final, Literal, TypeVar

from data.base import DataError, Say, silent
from data.files.digests import file_digest
from data.files.progress import Progress
from data.files.regular import content_of, opened_file, skip_mark
from data.files.root import places, root, tell_choice, writing

FOLDERS: Final = ("lra_release/lra_release/tsv_data", "tsv_data", "aan", "lra_release/tsv_data")
"""Folders of the data root: the release as it is, its folder alone, the name that state-spaces/s4 uses, and the release less a level."""
PLAIN: Final = FOLDERS[1]
FILES: Final = {"train": "new_aan_pairs.train.tsv", "val": "new_aan_pairs.eval.tsv", "test": "new_aan_pairs.test.tsv"}
ROWS: Final = {"train": 147_086, "val": 18_090, "test": 17_437}
"""As the literature gives them; nobody here could count."""
URL: Final = "https://storage.googleapis.com/long-range-arena/lra_release.gz"
DIGESTS: Final = "aan-files.json"
"""File of the folder `prepared` in which the checksums are remembered."""
SMALL: Final = 1 << 16
"""Bytes of that file, at most."""
LARGEST: Final = 1 << 36
"""Bytes of the largest of the three files that is read."""
LONGEST: Final = 1 << 26
"""Bytes of the longest line."""
LABELS: Final = {b"0.0": 0, b"1.0": 1, b"0": 0, b"1": 1}
Quoting = Literal["none", "csv"]


def folder_of_files(say: Say = silent) -> Path:
    """Finds the folder with the three files; says so where there are several. Raises DataError: what is missing and how to get it."""
    found = places(FOLDERS, lambda folder: any((folder / file).is_file() for file in FILES.values()))
    if not found:
        raise DataError(f"LRA Retrieval (AAN) is not here. {how_to_get()}")
    tell_choice(found, "LRA Retrieval", say)
    if missing := [file for file in FILES.values() if not (found[0] / file).is_file()]:
        raise DataError(f"{found[0]} has no {' and no '.join(missing)}; all three files of LRA Retrieval are needed. {how_to_get()}")
    return found[0]


def how_to_get() -> str:
    """Says where to get the files, and where to put them."""
    return (
        f"They are only to be had inside {URL} (about 7.7 GB, a tar.gz, no checksum published), which this program does not download for "
        f"them: take the folder lra_release/lra_release/tsv_data out of it and put {', '.join(FILES.values())} into "
        f"{root() / PLAIN}. A task of the same kind that needs no such download is retrieval-imdb (make retrieval-imdb)."
    )


def remembered_digests() -> dict[str, str] | None:
    """Recalls file name -> "sha256:...": of the files that lie there, or of those that did where none do now; None where not remembered."""
    try:
        remembered = json.loads(content_of(root() / "prepared" / DIGESTS, SMALL))
    except (DataError, ValueError, RecursionError):  # not there, or damaged: then the files are hashed again
        return None
    kept = remembered if isinstance(remembered, dict) else {}
    marks, digests = kept.get("marks"), kept.get("digests")
    if not isinstance(digests, dict) or set(digests) != set(FILES.values()) or not all(isinstance(d, str) for d in digests.values()):
        return None
    try:
        return digests if marks == _marks(folder_of_files()) else None
    except DataError:
        return digests


def _marks(folder: Path) -> list[list[int]]:
    """Gives size, time and number of each file, by which a change is noticed without reading it."""
    stats = [(folder / name).stat() for name in FILES.values()]
    return [[stat.st_size, stat.st_mtime_ns, stat.st_ino] for stat in stats]


def digests_of_files(say: Say = silent) -> dict[str, str]:
    """As `remembered_digests`; where nothing is, the files are hashed and remembered. Raises DataError where they are not here."""
    if (known := remembered_digests()) is not None:
        return known
    folder = folder_of_files()
    marks, hashed = _marks(folder), {}
    for name in FILES.values():
        say(f"hashing {folder / name} ({(folder / name).stat().st_size / 1e6:,.0f} MB)")
        hashed[name] = file_digest(folder / name, most=LARGEST)
    memory = root() / "prepared" / DIGESTS
    with writing(memory.parent, 0):
        part = memory.with_name(f".{DIGESTS}.{os.getpid()}")
        part.write_text(json.dumps({"marks": marks, "digests": hashed}), encoding="utf-8")
        os.replace(part, memory)
    return hashed


Fields = list[bytes]
Line = TypeVar("Line", str, bytes)


class _TooLong(Exception):
    """A line that no two papers fill."""


def _lines(readline: Callable[[int], Line], end: Line) -> Iterator[Line]:
    """The lines of a file. Raises _TooLong before all of such a line is read."""
    for number, line in enumerate(iter(lambda: readline(LONGEST), end), start=1):
        if len(line) >= LONGEST:
            raise _TooLong(f"line {number:,}: {LONGEST:,} characters or more, which no two papers have")
        yield line


def plain(handle: BinaryIO) -> Iterator[Fields]:
    """Rows as Long Range Arena reads them: a line is a row, a tab ends a field, and a quotation mark is a character like any other."""
    for line in _lines(handle.readline, b""):
        yield line.removesuffix(b"\n").removesuffix(b"\r").split(b"\t")


def quoted(handle: BinaryIO) -> Iterator[Fields]:
    """Rows as state-spaces/s4 reads them: a field that begins with a quotation mark goes to the next one, over tabs and lines."""
    before = csv.field_size_limit(1 << 30)  # one stray mark can make a field of half the file
    try:
        with io.TextIOWrapper(handle, encoding="utf-8", errors="surrogateescape", newline="") as text:
            for row in csv.reader(_lines(text.readline, ""), delimiter="\t"):
                yield [field.encode("utf-8", "surrogateescape") for field in row]
    finally:
        csv.field_size_limit(before)


READERS: Final[dict[str, Callable[[BinaryIO], Iterator[Fields]]]] = {"none": plain, "csv": quoted}


def fault(row: Fields) -> str | None:
    """Says what is wrong with a row; None where it is right."""
    if len(row) != 5:
        return f"it has {len(row)} fields instead of 5"
    try:
        if row[0] not in LABELS:
            float(row[0])
            return f"its label is {row[0][:40].decode(errors='replace')}, and labels are 0.0 and 1.0"
        for text in row[3:]:
            text.decode()
    except UnicodeDecodeError as error:
        return f"a text is not UTF-8 ({error.reason})"
    except ValueError:
        return f"its label {row[0][:40].decode(errors='replace')!r} is no number"
    return None


def rows(path: Path, quoting: Quoting, say: Say = silent) -> Iterator[tuple[int, bytes, bytes]]:
    """Yields (label, text, text) of each row of one file. Raises DataError after the last one where rows were bad."""
    bad, first, row = 0, "", 0
    progress = Progress(path.name, None, "rows", say)
    try:
        with opened_file(path, LARGEST) as handle:
            skip_mark(handle)
            for row, fields in enumerate(READERS[quoting](handle), start=1):
                if what := fault(fields):
                    first = first or f"row {row} is damaged: {what}"
                    bad += 1
                else:
                    yield LABELS[fields[0]], fields[3], fields[4]
                progress.at(row)
    except _TooLong as error:
        raise DataError(f"{path}, {error}") from error
    except csv.Error as error:
        raise DataError(f"{path} is no CSV after row {row:,}: {error}. quoting=none reads it as Long Range Arena does") from error
    if bad:
        remedy = "Remove the file and get it again." if quoting == "none" else "quoting=none reads rows as Long Range Arena does."
        raise DataError(f"{path}: {first}; {bad:,} of {row:,} rows are bad. {remedy}")
    if not row:
        raise DataError(f"{path} is empty. Remove the file and get it again.")
