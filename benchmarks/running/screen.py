"""What a launch shows while it works: on a terminal one live line, elsewhere one plain line per finished run."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final, TextIO

from benchmarks.spec import Job

if TYPE_CHECKING:
    from benchmarks.running.run import Epoch

REFRESH: Final = 0.5
"""Seconds between two drawings."""


class Screen:
    """Progress: on a terminal one line that is redrawn, above it one line per finished run; elsewhere only the latter."""

    def __init__(self, todo: Sequence[Job], out: TextIO) -> None:
        self.out, self.live = out, out.isatty()
        self.total = len(todo)
        self.epochs = sum(job.spec.epochs for job in todo)
        self.over = 0
        self.epochs_over = 0
        self.begun = self.drawn = time.monotonic()
        self.running: Sequence[tuple[Job, Epoch | None]] = ()
        self.first: dict[str, int] = {}
        """Per run the epoch that was its first here; not 0 for one that was resumed."""

    def say(self, text: str) -> None:
        """A line that stays."""
        self._wipe()
        print(text, file=self.out, flush=True)

    def finished(self, job: Job, status: str, line: str) -> None:
        """A run is over, however it ended."""
        self.over += 1
        self.epochs_over += job.spec.epochs
        self.running = [(other, epoch) for other, epoch in self.running if other is not job]
        self.say(f"{job.label}: {status}{f', {line}' if line else ''}   [{self.state()}]")

    def show(self, running: Sequence[tuple[Job, Epoch | None]]) -> None:
        """Redraws the live line, at most twice a second."""
        self.running = running
        for job, epoch in running:
            if epoch:
                self.first.setdefault(job.spec.id, epoch.epoch)
        if not self.live or time.monotonic() - self.drawn < REFRESH:
            return
        self.drawn = time.monotonic()
        parts = [self.state()]
        for job, e in running:
            state = f"{e.epoch + 1}/{e.epochs} loss {e.train_loss:.3g} val {e.metric:.3g}" if e else "starting"
            parts.append(f"{job.label} {state}")
        width = os.get_terminal_size(self.out.fileno()).columns or 80
        self.out.write("\r\x1b[K" + "  |  ".join(parts)[: width - 1])
        self.out.flush()

    def state(self) -> str:
        """k/n runs, elapsed, estimate left from the epochs done so far."""
        elapsed = time.monotonic() - self.begun
        done = self.epochs_over + sum(epoch.epoch + 1 for _, epoch in self.running if epoch)
        here = done - sum(self.first.values())
        left = f"about {_clock(elapsed * (self.epochs - done) / here)} left" if here else "estimating"
        return f"{self.over}/{self.total} runs, {_clock(elapsed)} elapsed, {left}"

    def close(self) -> None:
        """Takes the live line away."""
        self._wipe()

    def _wipe(self) -> None:
        if self.live:
            self.out.write("\r\x1b[K")
            self.out.flush()


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"
