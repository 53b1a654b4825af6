"""What is kept of a session: one JSON file, whole or not there."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Literal

from benchmarks.running.store import run_root, write_atomically

SCHEMA: Final = 1
FOLDER: Final = "speed"
"""In the run store, and in the committed evidence."""


class DamagedSession(Exception):
    """A file that is no record of a session."""


@dataclass(kw_only=True)
class Session:
    """Everything that was measured in one session, on one device."""

    plan: Literal["full", "part", "base"]
    """Everything; a part of it; or what an older commit was compared in."""
    environment: Mapping[str, Any]
    """As in the record of a run; and the allocation, the load of the machine, its memory, the minutes that were allowed."""
    anchors: list[Mapping[str, Any]] = field(default_factory=list)
    results: list[Mapping[str, Any]] = field(default_factory=list)
    """{"case": ..., "ms": ..., "min": ..., "max": ..., "cpu_ms": ..., "runs": ..., "peak_mb": ...}."""
    left_out: list[Mapping[str, Any]] = field(default_factory=list)
    """{"title" or "case": ..., "why": ...}."""
    targets: list[Mapping[str, Any]] = field(default_factory=list)
    earlier: list[Mapping[str, Any]] = field(default_factory=list)
    """With an older commit beside: {"case": ..., "now": {...}, "then": {...}, "ratio": ...}."""
    schema: int = SCHEMA

    @property
    def name(self) -> str:
        """The name of its file: device, and the second it began in."""
        device = re.sub(r"[^a-z0-9]+", "-", str(self.environment.get("device", "")).lower()).strip("-")
        return f"{device}-{self.plan}-{re.sub(r'[^0-9]', '', str(self.environment.get('date', ''))[:19])}"

    def to_json(self) -> str:
        """Strict JSON, a case a line."""
        head = {key: value for key, value in vars(self).items() if not isinstance(value, list)}
        lines = [f" {json.dumps(key)}: {json.dumps(value, allow_nan=False)}" for key, value in head.items()]
        for key, rows in ((k, v) for k, v in vars(self).items() if isinstance(v, list)):
            body = ",\n  ".join(json.dumps(row, allow_nan=False) for row in rows)
            lines.append(f" {json.dumps(key)}: [\n  {body}\n ]" if rows else f" {json.dumps(key)}: []")
        return "{\n" + ",\n".join(lines) + "\n}\n"

    def write(self, folder: Path | None = None) -> Path:
        """Into a folder, by default that of the run store; the path."""
        folder = folder or run_root() / FOLDER
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"{self.name}.json"
        write_atomically(path, self.to_json().encode())
        return path


def read(path: Path) -> Session:
    """The session of a file. Raises DamagedSession."""
    try:
        raw = json.loads(path.read_text(encoding="utf-8"))
        session = Session(**raw)
    except (OSError, ValueError, TypeError) as error:
        raise DamagedSession(f"{path.name} is no record of a session of speed") from error
    if session.schema != SCHEMA:
        raise DamagedSession(f"{path.name} is of schema {session.schema}; this version of the suite reads {SCHEMA}")
    return session


def newest(folders: Sequence[Path]) -> list[tuple[Path, Session]]:
    """Of each device in these folders the newest full session, the newest part of one where there is none that is full, and the newest
    comparison with an older commit; whatever the names of their files. Files that are none are passed over."""
    found: dict[tuple[str, bool], tuple[bool, str, Path, Session]] = {}
    for path in (p for folder in folders for p in sorted(folder.glob("*.json"))):
        try:
            session = read(path)
        except DamagedSession:
            continue
        key = (str(session.environment.get("device", "")), session.plan == "base")
        rank = (session.plan == "full", str(session.environment.get("date", "")))
        if key not in found or rank > found[key][:2]:
            found[key] = (*rank, path, session)
    return [found[key][2:] for key in sorted(found)]
