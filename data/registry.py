"""SETS: every data set that has files or a generator, by the name `python -m data` and `make data-NAME` know it by."""

from __future__ import annotations

import importlib
from typing import Final

from data.subsets import SplitSpec

SETS: Final[dict[str, tuple[str, str, dict[str, int]]]] = {
    "cifar10": ("data.cifar", "CIFARSpec", {}),
    "mnist": ("data.mnist", "MNISTSpec", {}),
    "listops": ("data.listops", "ListOpsSpec", {}),
    "imdb": ("data.imdb", "IMDBSpec", {}),
    "imdb-pairs": ("data.imdb_pairs", "IMDBPairsSpec", {}),
    "aan": ("data.aan", "AANSpec", {}),
    "pathfinder": ("data.pathfinder", "PathfinderSpec", {}),
    "pathfinder64": ("data.pathfinder", "PathfinderSpec", {"resolution": 64}),
    "pathx": ("data.pathfinder", "PathfinderSpec", {"resolution": 128}),
    "pathfinder256": ("data.pathfinder", "PathfinderSpec", {"resolution": 256}),
    "speech": ("data.speech", "SpeechSpec", {}),
    "bidmc": ("data.bidmc", "BIDMCSpec", {"target": "RR"}),  # type: ignore[dict-item]
}


def spec_of(name: str) -> SplitSpec:
    """The default spec of a data set."""
    module, kind, options = SETS[name]
    found: SplitSpec = getattr(importlib.import_module(module), kind)(**options)
    return found
