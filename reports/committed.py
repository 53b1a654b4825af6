"""Which reports are committed: committed.txt has a line for each, with the words after `python -m reports` that ask for it.

`--commit` adds the line of a report, or replaces the one that asked for it with other seeds or rows; the order is that of the page.
"""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path

from benchmarks.running.store import write_atomically
from reports.request import Request

FILE = "committed.txt"


def read(folder: Path) -> list[list[str]]:
    """The words of every committed report; none where the file is not there."""
    path = folder / FILE
    return [shlex.split(line) for line in path.read_text(encoding="utf-8").splitlines()] if path.is_file() else []


def with_report(requests: Sequence[Request], new: Request) -> list[Request]:
    """The requests with `new` in the place of the one of its name, or at the end."""
    if all(r.name != new.name for r in requests):
        return [*requests, new]
    return [new if r.name == new.name else r for r in requests]


def write(requests: Sequence[Request], folder: Path) -> None:
    """A line for each request."""
    folder.mkdir(parents=True, exist_ok=True)
    write_atomically(folder / FILE, "".join(f"{shlex.join(r.words)}\n" for r in requests).encode())
