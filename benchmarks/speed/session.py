"""A session: the groups of a plan, one after the other, each of its cases in turn, until all are measured or the minutes are over."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Protocol

from benchmarks.speed.case import Case, Timing
from benchmarks.speed.measure import Unable
from benchmarks.speed.plan import Group, expected_mb

RUNS: Final = 5
"""Of each case after the warm-up, at the least."""
MOST_RUNS: Final = 15
ENOUGH: Final = 0.3
"""Seconds of one case after which no more than RUNS are made."""
MEMORY: Final = 0.7
"""The part of the free memory that a case may be expected to take."""


class Measurer(Protocol):
    """`Here`, or a process elsewhere; with a name where there are several."""

    name: str

    def prepare(self, case: Case) -> float: ...
    def time(self, case: Case) -> tuple[float, float]: ...
    def drop(self) -> None: ...


Entry = tuple[Measurer, Case]


@dataclass
class Measured:
    """Of a group: the timings, and why others have none."""

    timings: dict[int, Timing] = field(default_factory=dict)
    """By the place of the entry."""
    unable: dict[int, str] = field(default_factory=dict)


def measure_in_turn(entries: Sequence[Entry]) -> Measured:
    """Prepares every entry, then runs each in turn, round after round: medians of at least RUNS runs, more where they are short."""
    out, peaks = Measured(), {}
    for i, (measurer, case) in enumerate(entries):
        try:
            peaks[i] = measurer.prepare(case)
        except Unable as error:
            out.unable[i] = str(error)
    walls: dict[int, list[float]] = {i: [] for i in peaks}
    cpus: dict[int, list[float]] = {i: [] for i in peaks}
    for turn in range(MOST_RUNS):
        for i in peaks:
            if turn >= RUNS and sum(walls[i]) > ENOUGH:
                continue
            wall, cpu = entries[i][0].time(entries[i][1])
            walls[i].append(wall)
            cpus[i].append(cpu)
    for measurer in {id(m): m for m, _ in entries}.values():
        measurer.drop()
    out.timings = {i: Timing(wall=tuple(walls[i]), cpu=tuple(cpus[i]), peak_mb=peaks[i]) for i in peaks}
    return out


def free_memory_mb() -> float | None:
    """What the system says could be had without swapping, None where it says nothing."""
    try:
        lines = Path("/proc/meminfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return None
    kb = next((int(line.split()[1]) for line in lines if line.startswith("MemAvailable:")), None)
    return None if kb is None else kb * 1024 / 1e6


@dataclass
class Clock:
    """How much of the allowed time is gone, and what is likely to be left to do; `now` tells the time."""

    allowed: float
    """Seconds."""
    now: Callable[[], float] = time.monotonic
    expected: float = 0.0
    """Seconds that were expected of what is done."""

    def __post_init__(self) -> None:
        self.begun = self.now()
        self.busy = 0.0

    @property
    def gone(self) -> float:
        """Seconds since the beginning."""
        return self.now() - self.begun

    @property
    def pace(self) -> float:
        """How much longer things take than expected; at the beginning as expected."""
        return (self.busy + 10) / (self.expected + 10)

    def fits(self, seconds: float) -> bool:
        """Whether what is expected to take so long would end in time."""
        return self.gone + seconds * self.pace <= self.allowed

    def done(self, expected: float, took: float) -> None:
        """Takes note of what something took."""
        self.expected, self.busy = self.expected + expected, self.busy + took


@dataclass(frozen=True)
class LeftOut:
    """A group or a case without numbers, and why."""

    what: str
    why: str


Seen = Callable[[Group, Sequence[Mapping[Case, Timing]]], None]
"""Is told what each measurer found of a group."""


def run_groups(
    groups: Sequence[Group],
    measurers: Sequence[Measurer],
    clock: Clock,
    *,
    seen: Seen,
    say: Callable[[str], None],
    limit_mb: float | None,
) -> list[LeftOut]:
    """Measures one group after the other, each case by every measurer in turn, and tells `seen` of each group; returns what was left out.
    `limit_mb`: the most memory that a case may be expected to need."""
    left_out: list[LeftOut] = []
    for i, group in enumerate(groups):
        expected = group.seconds * len(measurers)
        rest = sum(g.seconds for g in groups[i:] if not g.last) * len(measurers) * clock.pace
        head = f"[{i + 1}/{len(groups)}, {clock.gone / 60:.1f} min, about {rest / 60:.0f} more] {group.title}"
        if not clock.fits(expected):
            why = f"it would have taken about {expected * clock.pace:.0f} s, and the {clock.allowed / 60:g} minutes were nearly over"
            left_out.append(LeftOut(group.title, why))
            say(f"{head}: left out, {why}")
            continue
        cases = [case for case in group.cases if limit_mb is None or expected_mb(case) <= limit_mb]
        for case in (c for c in group.cases if c not in cases):
            why = f"expected to need {expected_mb(case) / 1e3:.1f} GB, and {(limit_mb or 0) / 1e3:.1f} may be used"
            left_out.append(LeftOut(str(case), why))
        begun = clock.now()
        entries = [(measurer, case) for case in cases for measurer in measurers]
        measured = measure_in_turn(entries)
        clock.done(expected, clock.now() - begun)
        holes = [LeftOut(str(entries[k][1]), f"{entries[k][0].name} {why}".strip()) for k, why in measured.unable.items()]
        left_out += holes
        say("\n".join([f"{head}: {clock.now() - begun:.0f} s", *(f"    {hole.what}: {hole.why}" for hole in holes)]))
        seen(
            group, [{c: measured.timings[k] for k, (m, c) in enumerate(entries) if m is who and k in measured.timings} for who in measurers]
        )
    return left_out


def load() -> float | None:
    """What else the machine has been doing for the last minute, in cores; None where the system does not say."""
    return round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else None
