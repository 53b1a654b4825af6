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
    "cifar10": CIFARSpec(),  # get, check and prepare CIFAR-10 (170 MB) for lra-image and scifar*
    "mnist": MNISTSpec(),  # get, check and prepare MNIST (12 MB) for smnist and psmnist
    "listops": ListOpsSpec(),  # generate ListOps (seconds), or read the official files with PROTOCOL=source=official
    "imdb": IMDBSpec(),  # get, check and prepare IMDB (84 MB) for lra-text
    "imdb-pairs": IMDBPairsSpec(),  # the same, and pairs of reviews for retrieval-imdb
    "aan": AANSpec(),  # check and prepare the official pairs of papers for lra-retrieval
    "pathfinder": PathfinderSpec(),  # draw 200,000 images of 32 x 32 (minutes), or read the official ones
    "pathfinder64": PathfinderSpec(resolution=64),  # the same at 64 x 64 pixels
    "pathx": PathfinderSpec(resolution=128),  # the same at 128 x 128 (an hour)
    "pathfinder256": PathfinderSpec(resolution=256),  # the same at 256 x 256
    "speech": SpeechSpec(),  # get, check and prepare Speech Commands v0.02 (2.4 GB) for sc10, sc10-mfcc and sc35
    "bidmc": BIDMCSpec(target="RR"),  # check and prepare the recordings of BIDMC for bidmc-*
}
"""The words after each row are what `make` prints beside data-NAME; it reads them from here."""
