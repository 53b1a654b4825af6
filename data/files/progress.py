"""How far something that takes long has come, told in plain lines with an estimate."""

from __future__ import annotations

import time
from typing import Final

from data.base import Say

EVERY: Final = 2.0
"""Seconds between two lines."""


class Progress:
    """Says at most every two seconds how much of `total` is done, and about how long the rest takes."""

    def __init__(self, what: str, total: int, unit: str, say: Say) -> None:
        """A line reads e.g. "reading: 1,200 of 3,008 clips, about 4 s to go"."""
        self.what, self.total, self.unit, self.say = what, total, unit, say
        self.begun = self.last = time.monotonic()

    def at(self, done: int) -> None:
        """So much is done."""
        now = time.monotonic()
        if now - self.last >= EVERY:
            self.last = now
            left = (now - self.begun) * (self.total / max(done, 1) - 1)
            self.say(f"{self.what}: {done:,} of {self.total:,} {self.unit}, about {left:.0f} s to go")
