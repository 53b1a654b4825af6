"""What a data set is to the rest of the suite: a frozen `DataSpec` that builds a LightningDataModule and states its `Signature`."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Final

if TYPE_CHECKING:  # the import costs five seconds; listing and reports do without it
    from pytorch_lightning import LightningDataModule


PARTS: Final = ("train", "val", "test")
"""The parts of every data set: to train on, to choose by, and to score once."""

Say = Callable[[str], None]
"""A function that is told, line by line, what takes long."""


def silent(text: str) -> None:
    """Says nothing: the `Say` of whoever does not want to be told."""


def printable(text: object) -> str:
    """Writes what others wrote (names of files, answers of servers) so that it may be shown: what cannot be printed is escaped."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape", "surrogatepass").decode("ascii") for c in str(text))


class DataError(Exception):
    """Data are missing, damaged or foreign. The message is one printable paragraph that names the file and the remedy."""

    def __init__(self, message: object) -> None:
        super().__init__(printable(message))


class StorageError(DataError):
    """The data are not to blame: a folder cannot be written, or the disk is full. The message says which, and how much is needed."""


@dataclass(frozen=True, kw_only=True)
class Signature:
    """All that passes from data to models: plain numbers.

    Exactly one of `d_input` (real vectors per step) and `vocab` (token ids) is set. `d_output` is the number of classes, or of
    regression targets. `per_step`: one label per step (with a loss mask) instead of one per sequence.
    """

    length: int
    d_output: int
    d_input: int | None = None
    vocab: int | None = None
    per_step: bool = False
    regression: bool = False
    two_towers: bool = False

    def __post_init__(self) -> None:
        if (self.d_input is None) == (self.vocab is None):
            raise ValueError("a Signature has either d_input (vectors) or vocab (tokens), and not both")


@dataclass(frozen=True, kw_only=True)
class DataSpec(ABC):
    """Names one data set with everything that decides its numbers. `version` is raised when they change."""

    version: ClassVar[int] = 1
    task: ClassVar[tuple[str, ...]] = ()
    """Fields that say which task this is, or on which the recipes of a benchmark rest: no choices of protocol."""

    def require_at_least(self, least: int, *names: str) -> None:
        """Raises ValueError for a field of these names that is smaller than `least`."""
        for name in names:
            if (value := getattr(self, name)) < least:
                raise ValueError(f"{name} of {type(self).__name__} is {least} or more, got {value}")

    @property
    @abstractmethod
    def signature(self) -> Signature:
        """The lengths and widths of the batches, known without opening any file."""

    @property
    def zero_shot(self) -> tuple[str, ...]:
        """Names of the further tests that a network trained on these data is put to."""
        return ()

    def prepare(self, say: Say = silent) -> None:  # noqa: B027 data that come with a package have nothing to prepare
        """Makes `build` ready to be called by several processes, without the network. Raises DataError where the files are not here."""

    @abstractmethod
    def build(self, *, batch_size: int, seed: int) -> LightningDataModule:
        """The LightningDataModule. `seed` orders the training data and draws its noise; evaluation never depends on it.

        Every batch is a dict: "x" (B, L, d_input) float or (B, L) int, "y" labels, optional "lengths" (B,) of valid steps, "mask" (B, L)
        of scored steps, and "rate" (), by which the network multiplies its step sizes. Two towers: "x" (B, 2, L), "lengths" (B, 2).
        The module offers `content_hash() -> str` (sha256 of the arrays and of the split) and `counts() -> dict[str, int]`.
        """
