"""Reads .ts files of time series regression: the text format of the TSER archive (arXiv 2006.10996) and of sktime and aeon.

Header lines begin with @, comments with #; after a line @data comes one case per line: the channels separated by colons, the values of a
channel by commas, ? for a missing one, and the target as the last field. Cases are read one at a time; a byte order mark before the first
line is no harm.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from data.base import DataError
from data.files.regular import opened_file, skip_mark

NUMERALS: Final = b"0123456789+-.eE"
LARGEST: Final = 1 << 31
"""Bytes of the largest file that is read; those of BIDMC have about 350 million."""
WIDEST: Final = 40
"""Characters of the longest number that is taken for one, with its separator."""


def cases(path: Path, *, channels: int, length: int) -> Iterator[tuple[int, NDArray[np.float64], float]]:
    """(line number, x (length, channels) with nan for a missing value, target) of every case, in the order of the file.

    Raises DataError, which names file and line, for anything but cases of exactly this shape under a header that agrees with it.
    """
    limit = WIDEST * (channels * length + 1)
    expected = {"timestamps": "false", "targetlabel": "true", "univariate": "true" if channels == 1 else "false"}
    expected |= {"dimensions": str(channels), "equallength": "true", "serieslength": str(length), "classlabel": "false"}
    inside = False
    with opened_file(path, LARGEST) as handle:
        skip_mark(handle)
        number = 0
        while line := handle.readline(limit + 1):
            number += 1
            where = f"{path}, line {number}"
            if len(line) > limit:
                raise DataError(f"{where} is longer than any case of {channels} x {length} values; this is another file")
            text = line.strip()
            if not text or text.startswith(b"#"):
                continue
            if text.startswith(b"@"):
                if inside:
                    raise DataError(f"{where}: a header line comes after @data; the file is damaged")
                tag, value = [*text[1:].decode("ascii", "replace").lower().split(None, 1), "", ""][:2]
                inside = tag == "data"
                if tag in expected and value.strip() != expected[tag]:
                    raise DataError(f"{where} says {tag} {value.strip() or '(nothing)'}; expected {tag} {expected[tag]}")
            elif not inside:
                raise DataError(f"{where}: a case comes before the line @data; the file is damaged, or no .ts file")
            else:
                yield number, *_case(text, where, channels, length)
    if not inside:
        raise DataError(f"{path} has no line @data; it is cut short, or no .ts file. Get it again.")


def _case(text: bytes, where: str, channels: int, length: int) -> tuple[NDArray[np.float64], float]:
    *series, last = text.split(b":")
    if len(series) != channels:
        raise DataError(f"{where} has {len(series)} channels and a target, expected {channels}; the file is cut short, or another one")
    x = np.empty((length, channels))
    for c, channel in enumerate(series):
        values = channel.split(b",")
        if len(values) != length:
            raise DataError(
                f"{where}: channel {c + 1} has {len(values):,} values, expected {length:,}; the file is cut short, or another one"
            )
        if channel.translate(None, NUMERALS + b","):  # holds more than plain numbers: blanks, missing values, or nonsense
            values = [b"nan" if value.strip() == b"?" else _plain(value, where) for value in values]
        x[:, c] = _floats(values, where)
    if last.strip() == b"?":
        raise DataError(f"{where} has no target")
    return x, float(_floats([_plain(last, where)], where)[0])


def _plain(value: bytes, where: str) -> bytes:
    """The value without blanks, if only a number can be written with its characters: Python would also take nan, inf and 1_000."""
    stripped = value.strip()
    if stripped.translate(None, NUMERALS):
        raise _nonsense(value, where)
    return stripped


def _floats(values: list[bytes], where: str) -> NDArray[Any]:
    try:
        return np.array(values).astype(np.float64)
    except ValueError as error:
        raise _nonsense(next(value for value in values if not _is_number(value)), where) from error


def _is_number(value: bytes) -> bool:
    try:
        float(value)
    except ValueError:
        return False
    return True


def _nonsense(value: bytes, where: str) -> DataError:
    return DataError(f"{where}: {value[:40].decode('ascii', 'replace')!r} is not a number")
