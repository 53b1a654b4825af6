"""Many reports as pages: side by side where there are cores for it, and those that would come out as they are left alone."""

from __future__ import annotations

import hashlib
import importlib.metadata
import multiprocessing
import signal
import warnings
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Final

from benchmarks.running.environment import ROOT, usable_cores
from benchmarks.running.store import write_atomically
from reports.parts.files import write
from reports.parts.report import Report

SOURCES: Final = ("models", "data", "benchmarks", "ablations", "reports")
DRAWN_WITH: Final = ("matplotlib", "numpy", "pandas", "pillow", "jinja2", "scipy")
MADE_OF: Final = ".made-of"
"""Beside a page: the digest of all that it was made of."""


def write_pages(reports: Sequence[Report], folder: Path, formats: Sequence[str], index: str) -> Iterator[Report]:
    """Writes each report into a folder of its name, and yields it. A page is not drawn again where all that it is made of is as it was."""
    todo = [report for report in reports if not _is_as_it_was(report, folder / report.name, formats)]
    workers = min(usable_cores(), len(todo))
    if workers < 2 or "fork" not in multiprocessing.get_all_start_methods():
        for report in reports:
            if report in todo:
                _write(report, folder, formats, index)
            yield report
        return
    # forked, because figures that are drawn already cannot be sent; nothing here has begun a thread that could hold a lock
    global _todo
    _todo = [(report, folder, formats, index) for report in todo]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of the threads that numpy's libraries keep, which know of forks
        pool = multiprocessing.get_context("fork").Pool(workers, _leave_signals_to_the_parent)
    with pool:
        written = pool.imap(_write_numbered, range(len(todo)))
        for report in reports:
            if report in todo:
                next(written)
            yield report


_todo: Sequence[tuple[Report, Path, Sequence[str], str]] = ()
"""What the forked processes find to do."""


def _leave_signals_to_the_parent() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole terminal group
    signal.signal(signal.SIGTERM, signal.SIG_DFL)  # by which the parent ends its pool


def _write_numbered(i: int) -> None:
    _write(*_todo[i])


def _write(report: Report, folder: Path, formats: Sequence[str], index: str) -> None:
    place = folder / report.name
    (place / MADE_OF).unlink(missing_ok=True)
    write(report, place, formats, index=index)
    write_atomically(place / MADE_OF, made_of(report, formats).encode())


def _is_as_it_was(report: Report, place: Path, formats: Sequence[str]) -> bool:
    try:
        return (place / MADE_OF).read_text(encoding="utf-8") == made_of(report, formats) and (place / "index.html").is_file()
    except (OSError, UnicodeDecodeError):
        return False


def made_of(report: Report, formats: Sequence[str]) -> str:
    """The sha256 of all that decides the bytes of a report: its runs and tables, the records behind them, the code and the libraries."""
    digest = hashlib.sha256(_code().encode())
    runs = report.runs.drop(columns="found", errors="ignore")  # a report of no runs has no columns
    words = [
        *formats,
        report.name,
        report.title,
        report.scale,
        report.about,
        *report.summary,
        runs.to_json(default_handler=str),
        report.environment.to_json(),
    ]
    words += [text for section in report.sections for text in (section.name, section.title, *section.text)]
    words += [plot.name + plot.title + plot.alt + plot.caption for plot in report.plots()]
    words += [table.name + table.csv() + table.markdown() for table in report.tables()]
    for word in words:
        digest.update(word.encode() + b"\0")
    for found in report.runs.get("found", ()):  # not the files, which a run that is made again may have moved meanwhile
        digest.update(b"\0" if found is None else (found.record.checksum or found.record.content_checksum()).encode())
    return digest.hexdigest()


@cache
def _code() -> str:
    """A digest of the sources of the suite, and the versions of what draws."""
    digest = hashlib.sha256()
    for file in sorted(f for package in SOURCES for kind in ("py", "j2") for f in (ROOT / package).rglob(f"*.{kind}")):
        digest.update(file.relative_to(ROOT).as_posix().encode() + b"\0" + file.read_bytes() + b"\0")
    for name in DRAWN_WITH:
        digest.update(f"{name} {importlib.metadata.version(name)}".encode())
    return digest.hexdigest()
