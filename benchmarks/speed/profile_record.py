"""What is kept of a profile of a training step: one JSON file for a row of a benchmark at a scale, on a kind of device."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from benchmarks.running.store import run_root, write_atomically

FOLDER: Final = "profiles"
"""In the run store; with a folder for each benchmark."""
SCHEMA: Final = 1


@dataclass(frozen=True, kw_only=True)
class Profile:
    """Seconds of a training step, and of each of its parts."""

    benchmark: str
    scale: str
    variant: str
    batch: int
    length: int
    seconds: float
    parts: Mapping[str, float]
    environment: Mapping[str, Any]
    schema: int = SCHEMA

    def write(self) -> Path:
        """Into the run store; the path."""
        folder = run_root() / FOLDER / self.benchmark
        folder.mkdir(parents=True, exist_ok=True)
        device = str(self.environment["device"]).split(" ")[0]
        path = folder / f"{self.variant}-{self.scale}-{device}.json"
        write_atomically(path, (json.dumps(vars(self), indent=1) + "\n").encode())
        return path


def read_profiles(folder: Path) -> list[Profile]:
    """The profiles that lie in a folder, by the names of their files; those that cannot be read are passed over."""
    out = []
    for path in sorted(folder.glob("*.json")):
        try:
            found = Profile(**json.loads(path.read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError):
            continue
        out += [found] if found.schema == SCHEMA else []
    return out
