"""How far something that takes long has come, told in plain lines with an estimate of what is left."""

from __future__ import annotations

import time
from typing import Final

from data.base import Say

EVERY: Final = 2.0
"""Seconds between two lines."""


def duration(seconds: float) -> str:
    """Writes a number of seconds as a reader says it: 45 s, 12 min, 1.5 h."""
    return f"{seconds:.0f} s" if seconds < 90 else f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


class Progress:
    """Says at most every two seconds how much of `total` is done and about how long the rest takes; without a total, how much is done."""

    def __init__(self, what: str, total: int | None, unit: str, say: Say) -> None:
        """A line reads e.g. "reading: 1,200 of 3,008 clips, about 4 s to go", or "train.tsv: 1,200 rows"."""
        self.what, self.total, self.unit, self.say = what, total, unit, say
        self.begun = self.last = time.monotonic()

    def at(self, done: int) -> None:
        """Is told how much is done so far, as often as one likes; says it when it is time for another line."""
        now = time.monotonic()
        if now - self.last < EVERY:
            return
        self.last = now
        if self.total is None:
            self.say(f"{self.what}: {done:,} {self.unit}")
        else:
            left = (now - self.begun) * (self.total / max(done, 1) - 1)
            self.say(f"{self.what}: {done:,} of {self.total:,} {self.unit}, about {duration(left)} to go")
