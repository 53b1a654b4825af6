"""How long runs will take, from what records of this machine took; said before long work begins."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Sequence

from benchmarks.running.environment import Runtime, describe
from benchmarks.running.screen import clock
from benchmarks.running.store import Store
from benchmarks.running.tally import of_all_seeds
from benchmarks.spec import Job, canonical

LIKE = ("cpu", "device", "threads")
"""What the environment of a record has to share with here, for its time to say something."""


def estimate(todo: Sequence[Job], runtime: Runtime, store: Store) -> str:
    """The sentence, empty where no record of this machine says anything: a run takes what its other seeds took, else what the others of
    its benchmark and scale took, by the number of epochs."""
    here = {name: value for name, value in describe(runtime).items() if name in LIKE}
    exact: dict[str, list[float]] = {}
    alike: dict[tuple[str, str], list[float]] = {}
    for benchmark in dict.fromkeys(job.spec.benchmark for job in todo):
        for stored in store.every(benchmark):
            record = stored.record
            seconds = record.cost.get("wall_seconds")
            if record.status != "ok" or not seconds or any(record.environment.get(name) != value for name, value in here.items()):
                continue
            exact.setdefault(of_all_seeds(record.spec), []).append(seconds)
            alike.setdefault((record.benchmark, record.scale), []).append(seconds / max(1, len(record.history)))
    known, used = [], 0
    for job in todo:
        own = exact.get(of_all_seeds(canonical(job.spec)))
        others = alike.get((job.spec.benchmark, job.spec.scale))
        if own is None and others is None:
            return ""
        known.append(statistics.median(own) if own else statistics.median(others or [0]) * job.spec.epochs)
        used += 1
    return f"about {clock(_makespan(known, runtime.workers))} by what records of this machine took" if used else ""


def _makespan(seconds: Iterable[float], workers: int) -> float:
    """When the last of these runs ends, each begun by the first worker that is free."""
    free = [0.0] * max(1, workers)
    for duration in seconds:
        first = free.index(min(free))
        free[first] += duration
    return max(free)
