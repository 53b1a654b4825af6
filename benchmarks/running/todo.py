"""What of a list of runs there is to do, read from the store and nowhere else: for a launch that does it, and for a plan that says it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from benchmarks.running.record import FINISHED
from benchmarks.running.store import State, Store
from benchmarks.spec import Job

SKIPPED: Final[Mapping[str, tuple[str, ...]]] = {"missing": FINISHED, "failed": ("ok",), "stale": FINISHED, "all": ()}
"""Word of --rerun -> how the runs ended that it leaves as they are; stale makes those again that other code made."""


@dataclass(frozen=True, kw_only=True)
class Todo:
    """Jobs by what is to become of them, each run once, in the order given."""

    jobs: Sequence[Job]
    """To be made."""
    done: Sequence[Job]
    """Left as they are, with a record that counts."""
    newer: Sequence[Job]
    """Left alone, since a newer version of the suite made their record; they do not count as done."""
    state: Mapping[str, State]
    """Of each run, by its id."""


def sort_jobs(jobs: Sequence[Job], store: Store, rerun: str = "missing") -> Todo:
    """rerun: "missing" makes what is missing, failed or damaged; "failed" also what diverged; "stale" also what other code made; "all"
    everything again."""
    unique: dict[str, Job] = {}
    for job in jobs:
        unique.setdefault(job.spec.id, job)
    state = {id: store.state(job.spec) for id, job in unique.items()}
    newer = {id for id, known in state.items() if known.status == "newer"}
    left = {id for id, known in state.items() if known.status in SKIPPED[rerun] and not (rerun == "stale" and known.other_code)}
    return Todo(
        jobs=[job for id, job in unique.items() if id not in newer | left],
        done=[job for id, job in unique.items() if id in left],
        newer=[job for id, job in unique.items() if id in newer],
        state=state,
    )
