"""The data card: what a reader must know of a data set before believing a number measured on it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Card:
    """What is told of one data set in prose: each field is a sentence or a few."""

    name: str
    """The name that `python -m data NAME` knows it by."""
    title: str
    what: str
    """What one sample is, and the question asked of it."""
    size: str
    """Samples per part, lengths, bytes."""
    licence: str
    source: str
    """The publisher, and the file names it released."""
    citation: str
    splits: str
    """The rule, and what the literature does where that is something else."""
    issues: tuple[str, ...] = ()
    """Known faults, deviations, choices of protocol, chance level."""
