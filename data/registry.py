"""SETS: every data set that has files or a generator, by the name that `python -m data` and `make data-NAME` know it by."""

from __future__ import annotations

from typing import Final

from data.aan import AANSpec
from data.bidmc import BIDMCSpec
from data.cifar import CIFARSpec
from data.imdb import IMDBSpec
from data.imdb_pairs import IMDBPairsSpec
from data.listops import ListOpsSpec
from data.mnist import MNISTSpec
from data.pathfinder import PathfinderSpec
from data.speech import SpeechSpec
from data.subsets import SplitSpec

SETS: Final[dict[str, SplitSpec]] = {
    "cifar10": CIFARSpec(),
    "mnist": MNISTSpec(),
    "listops": ListOpsSpec(),
    "imdb": IMDBSpec(),
    "imdb-pairs": IMDBPairsSpec(),
    "aan": AANSpec(),
    "pathfinder": PathfinderSpec(),
    "pathfinder64": PathfinderSpec(resolution=64),
    "pathx": PathfinderSpec(resolution=128),
    "pathfinder256": PathfinderSpec(resolution=256),
    "speech": SpeechSpec(),
    "bidmc": BIDMCSpec(target="RR"),
}
