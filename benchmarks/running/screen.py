"""What a launch shows while it works: one plain line per finished run, and on a terminal a live line for each run at work."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final, TextIO

from rich.console import Console, Group
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from benchmarks.spec import Job

if TYPE_CHECKING:
    from benchmarks.running.callbacks import Epoch

REFRESH: Final = 0.5
"""Seconds between two drawings."""
SILENCE: Final = 10.0
"""Seconds without a line, at the most, where there is no terminal."""


class Screen:
    """The progress of a launch: one line that stays per finished run, and on a terminal below them what is at work just now."""

    def __init__(self, todo: Sequence[Job], out: TextIO) -> None:
        self.out = out
        self.console = Console(file=out, force_terminal=out.isatty(), highlight=False)
        # no thread of its own, and nobody's stdout is touched: it is drawn when `show` is called and at no other time
        self.live = Live(console=self.console, auto_refresh=False, transient=True, redirect_stdout=False, redirect_stderr=False)
        self.total = len(todo)
        self.epochs = sum(job.spec.epochs for job in todo)
        self.over = 0
        self.epochs_over = 0
        self.begun = self.drawn = self.said = time.monotonic()
        self.running: Sequence[tuple[Job, Epoch | None]] = ()
        self.first: dict[str, int] = {}
        """Per run the epoch that was its first here; not 0 for one that was resumed."""

    def say(self, text: str) -> None:
        """A line that stays."""
        self.said = time.monotonic()
        if self.live.is_started:
            self.console.print(Text(text), soft_wrap=True)
        else:
            print(text, file=self.out, flush=True)

    def finished(self, job: Job, status: str, line: str) -> None:
        """A run is over, however it ended."""
        self.over += 1
        self.epochs_over += job.spec.epochs
        self.running = [(other, epoch) for other, epoch in self.running if other is not job]
        self.say(f"{job.label}: {status}{f', {line}' if line else ''}   [{self.state()}]")

    def show(self, running: Sequence[tuple[Job, Epoch | None]]) -> None:
        """Draws what is at work, at most twice a second."""
        self.running = running
        for job, epoch in running:
            if epoch:
                self.first.setdefault(job.spec.id, epoch.epoch)
        if not self.console.is_terminal and time.monotonic() - self.said >= SILENCE:
            at_work = (f"{job.label} {f'{epoch.epoch + 1}/{epoch.epochs}' if epoch else 'starting'}" for job, epoch in running)
            self.say(f"[{self.state()}] {', '.join(at_work)}".rstrip())
        if not self.console.is_terminal or time.monotonic() - self.drawn < REFRESH:
            return
        self.drawn = time.monotonic()
        if not self.live.is_started:
            self.live.start()
        self.live.update(self.picture(), refresh=True)

    def picture(self) -> Group:
        """The state of the launch, and below it a line for each run at work: its epochs as a bar, its last loss and validation score."""
        lines = Table.grid(padding=(0, 2))
        for job, epoch in self.running:
            if epoch is None:
                lines.add_row(Text(job.label), "starting")
                continue
            bar = ProgressBar(total=epoch.epochs, completed=epoch.epoch + 1, width=20)
            words = f"{epoch.epoch + 1}/{epoch.epochs}", f"loss {epoch.train_loss:.3g}", f"val {epoch.metric:.3g}"
            lines.add_row(Text(job.label), bar, *words)
        return Group(Text(self.state()), lines)

    def state(self) -> str:
        """k/n runs, elapsed, estimate left from the epochs done so far."""
        elapsed = time.monotonic() - self.begun
        done = self.epochs_over + sum(epoch.epoch + 1 for _, epoch in self.running if epoch)
        here = done - sum(self.first.values())
        left = f"about {clock(elapsed * (self.epochs - done) / here)} left" if here else "estimating"
        return f"{self.over}/{self.total} runs, {clock(elapsed)} elapsed, {left}"

    def close(self) -> None:
        """Takes the live lines away."""
        self.live.stop()


def clock(seconds: float) -> str:
    """Seconds as 1:02 or 1:02:03."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"
