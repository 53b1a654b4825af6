"""How long runs will take, from what records of this machine took; and a plan, which says all that a launch would do and starts nothing."""

from __future__ import annotations

import statistics
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

from benchmarks.running.environment import Runtime, describe
from benchmarks.running.screen import clock
from benchmarks.running.store import Store
from benchmarks.running.tally import of_all_seeds
from benchmarks.running.todo import sort_jobs
from benchmarks.spec import Job, canonical
from data.base import DataError

LIKE = ("cpu", "device", "threads")
"""What the environment of a record has to share with here, for its time to say something."""
PATIENCE: Final = 60.0
"""Seconds that the trials of a plan may take together; runs that are left then are taken to be like those that were tried."""


@dataclass
class Known:
    """What the records of this machine say, of runs that differ in nothing but the seed, and of a benchmark and scale."""

    seconds: dict[str, list[float]] = field(default_factory=dict)
    memory: dict[str, list[float]] = field(default_factory=dict)
    per_epoch: dict[tuple[str, str], list[float]] = field(default_factory=dict)


def read_known(todo: Sequence[Job], runtime: Runtime, store: Store) -> Known:
    """From the records of the benchmarks of these jobs."""
    here = {name: value for name, value in describe(runtime).items() if name in LIKE}
    known = Known()
    for benchmark in dict.fromkeys(job.spec.benchmark for job in todo):
        for stored in store.every(benchmark):
            record = stored.record
            seconds, memory = record.cost.get("wall_seconds"), record.cost.get("peak_memory_mb")
            if record.status != "ok" or not seconds or any(record.environment.get(name) != value for name, value in here.items()):
                continue
            run = of_all_seeds(record.spec)
            known.seconds.setdefault(run, []).append(seconds)
            known.memory.setdefault(run, []).extend([memory] if memory else [])
            known.per_epoch.setdefault((record.benchmark, record.scale), []).append(seconds / max(1, len(record.history)))
    return known


def estimate(todo: Sequence[Job], runtime: Runtime, store: Store) -> str:
    """The sentence, empty where no record of this machine says anything: a run takes what its other seeds took, else what the others of
    its benchmark and scale took, by the number of epochs."""
    known = read_known(todo, runtime, store)
    durations = []
    for job in todo:
        own = known.seconds.get(of_all_seeds(canonical(job.spec)))
        others = known.per_epoch.get((job.spec.benchmark, job.spec.scale))
        if own is None and others is None:
            return ""
        durations.append(statistics.median(own) if own else statistics.median(others or [0]) * job.spec.epochs)
    return f"about {clock(_makespan(durations, runtime.workers))} by what records of this machine took" if durations else ""


def describe_plan(jobs: Sequence[Job], runtime: Runtime, store: Store, command: str, *, rerun: str = "missing") -> str:
    """What a launch of these jobs would do: how many runs are done and how many are not, their time and memory, and the command.

    A run takes what its other seeds took by the records of this machine, and else what a trial of a few steps says.
    """
    asked = sort_jobs(jobs, store, rerun)
    todo = asked.jobs
    cells = len({of_all_seeds(canonical(job.spec)) for job in jobs})
    lines = [
        f"cells    {cells}, {len(asked.state)} runs with all seeds",
        f"done     {len(asked.done)}",
        f"to do    {len(todo)}, {min(runtime.workers, max(1, len(todo)))} at a time on {runtime.device}",
    ]
    if asked.newer:
        lines.append(f"left     {len(asked.newer)} with records of a newer version of the suite: use that one, or point SSM_RUNS elsewhere")
    if todo:
        lines += _costs(todo, runtime, store)
    return "\n".join([*lines, f"command  $ {command}", "Nothing was started."])


def _costs(todo: Sequence[Job], runtime: Runtime, store: Store) -> list[str]:
    """The lines on time and memory."""
    known = read_known(todo, runtime, store)
    runs: dict[str, Job] = {}
    for job in todo:
        runs.setdefault(of_all_seeds(canonical(job.spec)), job)
    seconds = {run: statistics.median(known.seconds[run]) for run in runs if run in known.seconds}
    memory = {run: max(known.memory[run]) for run in runs if known.memory.get(run)}
    recorded, absent, begun = len(seconds), set(), time.monotonic()
    tried: dict[str, float] = {}
    for run, job in runs.items():
        if run in seconds or time.monotonic() - begun > PATIENCE:
            continue
        from benchmarks.running.trial import try_out  # torch and Lightning, which a plan from records does without

        try:
            trial = try_out(job.spec, runtime)
        except DataError:
            trial = None
        if trial is None:
            absent.add(job.spec.benchmark)
        else:
            tried[run], memory[run] = trial.seconds / job.spec.epochs, trial.memory
            seconds[run] = trial.seconds
    guessed = [run for run in runs if run not in seconds and runs[run].spec.benchmark not in absent and tried]
    seconds |= {run: statistics.median(tried.values()) * runs[run].spec.epochs for run in guessed}
    lines = []
    if seconds:
        every = [seconds[run] for run in (of_all_seeds(canonical(job.spec)) for job in todo) if run in seconds]
        sources = {"records of this machine": recorded, "short trials": len(tried), "what those that were tried take": len(guessed)}
        words = ", ".join(f"{n} by {source}" for source, n in sources.items() if n)
        lines.append(f"time     about {clock(_makespan(every, runtime.workers))} (cells: {words})")
    if memory:
        lines.append(f"memory   about {max(memory.values()):.0f} MB a run, besides the libraries and the data")
    if absent:
        lines.append(f"time     of {', '.join(sorted(absent))} unknown: its data are not prepared here, and a plan fetches and makes none")
    return lines


def _makespan(seconds: Iterable[float], workers: int) -> float:
    """When the last of these runs ends, each begun by the first worker that is free."""
    free = [0.0] * max(1, workers)
    for duration in seconds:
        first = free.index(min(free))
        free[first] += duration
    return max(free)
