"""ABLATIONS: every grid of the suite by name, found in the files of this folder: a grid is registered by being written."""

from __future__ import annotations

import importlib
import pkgutil
from typing import Final

import ablations
from ablations.grid import Ablation
from benchmarks import plugins


def _grids() -> dict[str, Ablation]:
    """The grids in the order of their files. Raises ValueError where two have one name."""
    found: dict[str, Ablation] = {}
    files = sorted(info.name for info in pkgutil.iter_modules(ablations.__path__))
    for file in files:
        if file in ("__main__", "grid", "registry"):
            continue
        for grid in vars(importlib.import_module(f"ablations.{file}")).values():
            if isinstance(grid, Ablation):
                if grid.name in found:
                    raise ValueError(f"two grids are called {grid.name!r}; the second stands in ablations/{file}.py")
                found[grid.name] = grid
    return found


ABLATIONS: Final[dict[str, Ablation]] = _grids()
plugins.admit(Ablation, "grid", ABLATIONS)
