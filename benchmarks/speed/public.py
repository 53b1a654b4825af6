"""Implementations that a user would pick instead, where they are installed: one row each, and nothing is imported that is not there."""

from __future__ import annotations

import importlib.metadata
import importlib.util
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from benchmarks.speed.case import Case


@dataclass(frozen=True, kw_only=True)
class Package:
    """A package: which of our rows it stands beside, on which devices, and how its work is built."""

    module: str
    rows: tuple[str, ...]
    kinds: tuple[str, ...]
    devices: tuple[str, ...]
    build: Callable[[Case], Callable[[], object]]

    def version(self, name: str) -> str | None:
        """Its version, None where it is not installed."""
        if importlib.util.find_spec(self.module) is None:
            return None
        try:
            return importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            return None


PACKAGES: Final[Mapping[str, Package]] = {}
