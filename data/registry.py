"""SETS: every data set that has files or a generator, by the name that `python -m data` and `make data-NAME` know it by."""

from __future__ import annotations

from typing import Final

from data.bidmc.spec import BIDMCSpec
from data.images.cifar import CIFARSpec
from data.images.mnist import MNISTSpec
from data.listops.spec import ListOpsSpec
from data.pathfinder.spec import PathfinderSpec
from data.speech.spec import SpeechSpec
from data.subsets import SplitSpec
from data.texts.aan import AANSpec
from data.texts.imdb import IMDBSpec
from data.texts.imdb_pairs import IMDBPairsSpec

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
