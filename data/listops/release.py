"""The official form of ListOps: tab-separated tables of bracketed expressions and their values (LRA's `basic_train.tsv` and so on).

An expression is written binarised to the left: an operator is paired with its first argument, the pair with the second, and so on, last
with the closing bracket, and every pair stands in parentheses. Only the brackets carry meaning, so parentheses are deleted when a row is
read; that each stands in its place is checked, and so is the value of every row.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from data.base import PARTS, DataError, Say, silent
from data.files.progress import Progress
from data.files.regular import opened_file, skip_mark
from data.files.root import places, root, tell_choice
from data.listops.generator import END, MIN, SYMBOLS, Codes, arities, evaluate, fault, parse
from data.ragged import Ragged

HEADER: Final = ("Source", "Target")
LARGEST: Final = 1 << 31
"""Bytes of the largest table that is read; the official one to train with has about 630 million."""
LINE: Final = 1 << 16
"""Bytes of the longest line that is read; 1,999 tokens take fewer than 16,000."""
CHUNK: Final = 1000
"""Rows that are evaluated together."""
SHOWN: Final = 3
"""Bad rows that an error message describes."""
FOLDERS: Final = ("lra_release/lra_release/listops-1000", "listops-1000", "listops", "lra_release/listops-1000")
"""Under the data root, in the order in which they are looked for. The release has the tables twice, and its outer copy is another one: it
comes last."""
FILES: Final = {part: f"basic_{part}.tsv" for part in PARTS}
BLANKS: Final = b" \t\n\r\x0b\x0c"
OPERATOR: Final = 16
"""More than there are symbols."""
CODES: Final = {symbol.encode(): code for code, symbol in enumerate((*SYMBOLS[:END], "]"))}


class _Bad(Exception):
    """What is wrong with one row."""


# ---------------------------------------------------------------- where the tables are


def folders() -> list[Path]:
    """Finds the known places that hold one of the official tables."""
    return places(FOLDERS, lambda folder: any((folder / file).is_file() for file in FILES.values()))


def folder() -> Path | None:
    """Finds where the official tables are read from, or None."""
    return next(iter(folders()), None)


def tables(say: Say = silent) -> dict[str, Path]:
    """Finds the official tables: part -> file; says so where there are several. Raises DataError that says where they belong."""
    place = folder()
    tell_choice(folders(), "ListOps", say)
    if place is None:
        raise DataError(
            f"the official ListOps tables are not here: put {', '.join(FILES.values())} into {root() / FOLDERS[0]} (or listops-1000 in "
            "the data root). They are in https://storage.googleapis.com/long-range-arena/lra_release.gz, about 7.7 GB, for which no "
            "checksum is published; every row is checked instead. Or generate the set: make data-listops (source=generated)."
        )
    missing = [file for file in FILES.values() if not (place / file).is_file()]
    if missing:
        raise DataError(f"{place} has no {', '.join(missing)}: unpack the official archive there again, or use source=generated")
    return {part: place / file for part, file in FILES.items()}


# ---------------------------------------------------------------- writing


def text_of(row: Codes) -> str:
    """Writes one expression in its official form, with parentheses."""
    words: list[str] = []
    open_operators: list[int] = []
    for code in row.tolist():
        if MIN <= code < END:
            open_operators.append(len(words))
            words.append(SYMBOLS[code])
            continue
        if code == END:
            at = open_operators.pop()
            words[at] = "( " + words[at]
            words.append("] )")
        else:
            words.append(SYMBOLS[code])
        if open_operators:  # an argument has ended, and with it a pair
            words[-1] += " )"
            at = open_operators[-1]
            words[at] = "( " + words[at]
    return " ".join(words)


def write_tsv(path: Path, rows: Ragged, values: Codes) -> None:
    """Writes a table as LRA's program does: a header, a row for each expression, lines that end in CR LF."""
    with path.open("w", encoding="ascii", newline="") as out:
        out.write("\t".join(HEADER) + "\r\n")
        for i, value in enumerate(values.tolist()):
            out.write(f"{text_of(rows.row(i))}\t{value}\r\n")


# ---------------------------------------------------------------- reading


def read_tsv(path: Path, say: Say = silent) -> tuple[Ragged, Codes]:
    """(rows of token codes, their values) of one official table; lines end in LF or CR LF, and a byte order mark is no harm.

    Raises DataError, with the number of bad rows and what is wrong with the first ones, for a row that is not an expression and its value.
    """
    rows: list[Codes] = []
    values: list[int] = []
    sources: list[bytes] = []
    bad: list[tuple[int, str]] = []
    count, checked = 0, 0
    progress = Progress(path.name, None, "rows read and evaluated", say)
    for count, line in enumerate(_lines(path), start=1):
        try:
            row, value, source = _row(line)
        except _Bad as problem:
            bad.append((count, str(problem)))
            row, value, source = _ZERO, 0, _ZERO_TEXT  # keeps the numbers of the rows after it
        rows.append(row)
        values.append(value)
        sources.append(source)
        if len(rows) == checked + CHUNK:
            bad += _wrong(rows, values, sources, checked)
            checked += CHUNK
            sources.clear()
        progress.at(count)
    bad += _wrong(rows, values, sources, checked)
    if count == 0:
        raise DataError(f"{path} has a header and no rows; it is cut short. Remove it and get it again.")
    if bad:
        shown = "; ".join(f"row {row} (line {row + 1}): {problem}" for row, problem in sorted(bad)[:SHOWN])
        more = f"; and {len(bad) - SHOWN:,} more" if len(bad) > SHOWN else ""
        raise DataError(f"{path}: {len(bad):,} of {count:,} rows are bad. {shown}{more}. Remove it and get it again.")
    return Ragged.from_rows(rows, np.uint8), np.array(values, dtype=np.uint8)


_ZERO: Final = np.array([MIN, 0, END], dtype=np.uint8)
"""Stands in for a row that cannot be read: [MIN 0 ], which is 0."""
_ZERO_TEXT: Final = b"( ( [MIN 0 ) ] )"


def _lines(path: Path) -> Iterator[bytes]:
    """The lines after the header, without their ends; of a line that is too long only its beginning."""
    with opened_file(path, LARGEST) as handle:
        skip_mark(handle)
        header = handle.readline(LINE).rstrip(b"\r\n")
        _require_header(path, header)
        while line := handle.readline(LINE):
            rest = line
            while not rest.endswith(b"\n") and (rest := handle.readline(LINE)):
                pass
            yield line.removesuffix(b"\n").removesuffix(b"\r")


def _require_header(path: Path, header: bytes) -> None:
    if not header:
        raise DataError(f"{path} is empty, or its first line is; it begins with the line {HEADER[0]}, tab, {HEADER[1]}. Get it again.")
    columns = tuple(header.decode("ascii", "backslashreplace").split("\t"))
    if columns != HEADER:
        missing = [name for name in HEADER if name not in columns]
        what = f"has no column {' and no column '.join(missing)}" if missing else "has other columns"
        raise DataError(f"{path} {what}: its first line is {str(columns)[:200]} instead of {HEADER}. Get it again.")


def _row(line: bytes) -> tuple[Codes, int, bytes]:
    """(token codes, stated value, the expression as it is written). Raises _Bad."""
    if len(line) >= LINE:
        raise _Bad(f"it has {LINE:,} bytes or more; an expression of 1,999 tokens has fewer than 16,000")
    fields = line.split(b"\t")
    if len(fields) != 2:
        raise _Bad("it is empty" if not line else f"it has {len(fields)} column{'s' * (len(fields) > 1)} instead of 2")
    source, target = fields
    if len(target) != 1 or not target.isdigit():
        raise _Bad(f"its value is {_quoted(target)}, and values are 0 to 9")
    try:
        row = np.frombuffer(bytes(map(CODES.__getitem__, source.translate(None, b"()").split())), dtype=np.uint8)
    except KeyError as unknown:
        raise _Bad(f"unknown token {_quoted(unknown.args[0])}") from unknown
    problem = fault(row)
    if problem is not None:
        raise _Bad(problem)
    pairs = np.count_nonzero(row < END) - 1 + np.count_nonzero(row == END)  # one for each argument, one for each bracket
    if not source.count(b"(") == source.count(b")") == pairs:
        raise _Bad(f"its parentheses do not fit: {source.count(b'(')} and {source.count(b')')} where its brackets ask for {pairs}")
    return row, int(target), source


def _quoted(word: bytes) -> str:
    return repr(word[:20].decode("ascii", "backslashreplace")) + ("..." if len(word) > 20 else "")


def _wrong(rows: list[Codes], values: list[int], sources: list[bytes], start: int) -> list[tuple[int, str]]:
    """The rows from `start` on, written as `sources`, whose stated value is not their value, or whose parentheses are in wrong places."""
    if len(rows) == start:
        return []
    flat = Ragged.from_rows(rows[start:], np.uint8)
    actual, fits = evaluate(parse(flat)), parentheses_fit(flat, sources)
    wrong = [
        (start + i + 1, f"its value is given as {values[start + i]} and is {int(actual[i])}")
        for i in np.flatnonzero(actual != np.array(values[start:], dtype=np.uint8)).tolist()
    ]
    misplaced = "its parentheses do not fit: as many as its brackets ask for, but not where the official form has them"
    return wrong + [(start + i + 1, misplaced) for i in np.flatnonzero(~fits).tolist()]


def parentheses_fit(rows: Ragged, sources: list[bytes]) -> NDArray[np.bool_]:
    """(n,) Whether each expression is written as `text_of` writes it, but for blanks; several at once, as a table has 100 million tokens.

    Before an operator stands a "(" for each of its arguments and one for its bracket, behind an argument a ")", behind a bracket one more.
    """
    tokens, last = rows.values.astype(np.int64), rows.offsets[1:] - 1
    pieces = np.where(tokens == END, -1, tokens + OPERATOR * arities(rows))
    pieces[last] = -2  # nothing takes the whole expression for its argument
    written = {-1: b"]))", -2: b"])"}
    for piece in np.unique(pieces[pieces >= 0]).tolist():
        count, code = divmod(piece, OPERATOR)
        written[piece] = b"(" * (count + 1) + SYMBOLS[code].encode() if code >= MIN else SYMBOLS[code].encode() + b")"
    words, edges = list(map(written.__getitem__, pieces.tolist())), rows.offsets.tolist()
    return np.array(
        [b"".join(words[i:j]) == source.translate(None, BLANKS) for (i, j), source in zip(pairwise(edges), sources, strict=True)]
    )
