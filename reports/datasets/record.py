"""The record behind the page, statistics.json: what was counted of each set, measured of each generator, drawn, and looked at."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from benchmarks.running.environment import EnvironmentProblem
from benchmarks.running.store import write_atomically

FOLDER: Final = Path(__file__).resolve().parents[1] / "data"
"""The committed record, its page and its pictures."""
RECORD: Final = "statistics.json"
SCHEMA: Final = 1
Record = dict[str, Any]


def empty() -> Record:
    """A record of nothing, with all its parts."""
    return {"schema": SCHEMA, "sets": {}, "statistics": {}, "sheets": {}, "looked": {}}


def read(folder: Path) -> Record:
    """The record in a folder, or an empty one where there is none. Raises EnvironmentProblem where it is damaged."""
    path = folder / RECORD
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return empty()
    except (OSError, ValueError) as error:
        raise EnvironmentProblem(f"{path} cannot be read ({error}). Restore it from git, or remove it and measure again.") from error
    if not isinstance(found, dict) or found.get("schema") != SCHEMA or set(found) != set(empty()):
        raise EnvironmentProblem(f"{path} is not a record of schema {SCHEMA}. Restore it from git, or remove it and measure again.")
    return found


def as_json(record: Record) -> bytes:
    """The bytes of a record, names in one order, so that what did not change does not move."""
    ordered = {part: dict(sorted(found.items())) if isinstance(found, dict) else found for part, found in record.items()}
    return (json.dumps(ordered, indent=1, ensure_ascii=False) + "\n").encode()


def write(folder: Path, files: Mapping[str, bytes]) -> None:
    """Writes every file whole or not at all. Raises EnvironmentProblem where the folder cannot be written."""
    try:
        for name, content in files.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            write_atomically(folder / name, content)
    except OSError as error:
        raise EnvironmentProblem(
            f"the page cannot be written to {folder} ({error.strerror or error}). Make the folder writable, free some space, or name "
            "another one with --out."
        ) from error


def today() -> str:
    """The date, UTC."""
    return datetime.now(UTC).date().isoformat()


def note(record: Record, name: str, seen: str) -> None:
    """Notes that somebody has looked at the sheet `name`; the note holds for that picture only. Raises ValueError where there is none."""
    sheets = record["sheets"]
    if name not in sheets:
        raise ValueError(f"there is no sheet {name!r} in the record; one of: {', '.join(sheets) or 'none'}")
    record["looked"][name] = {"sha256": sheets[name]["sha256"], "date": today(), "seen": seen}
