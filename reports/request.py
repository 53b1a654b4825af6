"""A report that was asked for: which runs it wants, how it is built from those that were found, and the words that ask for it."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from benchmarks import plugins
from benchmarks.cli import in_words
from benchmarks.running.store import Store
from reports.parts.frame import Expected, tidy
from reports.parts.report import Report

Seeds = tuple[int, ...]
DEFAULT_SEEDS: Seeds = (0, 1, 2)


@dataclass(frozen=True, kw_only=True)
class Request:
    """One report, before any record has been read."""

    name: str
    """The name of its files."""
    words: tuple[str, ...]
    """What follows `python -m reports` to ask for the same again."""
    expected: Sequence[Expected]
    build: Callable[[pd.DataFrame], Report]
    """From one row per expected run, found or not."""
    arrays: bool = True
    """Whether the report draws kernels, so that arrays are committed too."""

    def answer(self, store: Store) -> Report:
        """The report from the records in `store`."""
        return self.build(tidy(self.expected, store))

    def documents(self, store: Store) -> Mapping[str, Path]:
        """What the report is made from besides records of runs: the place of each file in the committed evidence, and the file."""
        return {}


def seed_flags(seeds: Seeds) -> tuple[str, ...]:
    """The flag that asks for these seeds; none for the default."""
    return ("--seeds", in_words(seeds)) if seeds != DEFAULT_SEEDS else ()


def row_flags(seeds: Seeds, variants: Sequence[str], scale: str | None) -> tuple[str, ...]:
    """The flags that ask for these rows; none where it is the default."""
    chosen = ("--variant", ",".join(variants)) if tuple(variants) != ("default",) else ()
    return (*seed_flags(seeds), *chosen, *(("--scale", scale) if scale is not None else ()))


def command(words: Sequence[str]) -> str:
    """The shell line of these words, with the plugins that are loaded."""
    return f"python -m reports {shlex.join((*words, *plugins.flags()))}"
