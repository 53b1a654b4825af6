"""SETS: every data set that has files or a generator, by the name that `python -m data` and `make data-NAME` know it by."""

from __future__ import annotations

from typing import Final

from data.cifar import CIFARSpec
from data.mnist import MNISTSpec
from data.subsets import SplitSpec

SETS: Final[dict[str, SplitSpec]] = {
    "cifar10": CIFARSpec(),
    "mnist": MNISTSpec(),
}
