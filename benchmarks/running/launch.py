"""A list of runs, each made once: what is done is skipped, what is asked for is started where there is room, and every end is booked.

What is done is read from the store and nowhere else, so the same command continues after any interruption. A run is owned by the process
that holds the lock of its folder; two launchers on the same list share the work. Where the processes are is the business of a Pool.
"""

from __future__ import annotations

import sys
import time
from collections import Counter, deque
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final, TextIO

from benchmarks import cli
from benchmarks.running.environment import EnvironmentProblem, Runtime
from benchmarks.running.estimate import estimate
from benchmarks.running.pool import LocalPool, Pool
from benchmarks.running.record import FINISHED, failed
from benchmarks.running.screen import REFRESH, Screen
from benchmarks.running.store import Store, checkpoints
from benchmarks.running.tally import stale_line
from benchmarks.running.todo import sort_jobs
from benchmarks.running.worker import Word
from benchmarks.spec import Job
from data.command import interruptible

if TYPE_CHECKING:
    from benchmarks.running.callbacks import Epoch

TRIES: Final = 3
"""How often a run is begun whose machine is lost each time."""
BUSY_WAIT: Final = 2.0
"""Seconds before a run that another launcher works on is looked at again."""


@dataclass
class Outcome:
    """What became of the jobs of one launch."""

    asked: int
    already: int
    finished: list[Job] = field(default_factory=list)
    """Ended here with a record that counts: ok or diverged."""
    failed: list[tuple[Job, str]] = field(default_factory=list)
    data_trouble: bool = False
    interrupted: bool = False

    @property
    def exit_code(self) -> int:
        if self.interrupted:
            return cli.INTERRUPTED
        if self.data_trouble:
            return cli.DATA
        return cli.SOME_FAILED if self.failed else cli.DONE

    def summary(self) -> str:
        """One paragraph."""
        done = self.already + len(self.finished)
        text = f"{done} of {self.asked} runs are done ({self.already} before, {len(self.finished)} now)."
        if self.failed:
            reasons = "; ".join(f"{job.label}: {reason}" for job, reason in self.failed[:5])
            more = f"; and {len(self.failed) - 5} more" if len(self.failed) > 5 else ""
            text += f" {len(self.failed)} failed: {reasons}{more}. The same command tries them again."
        if self.interrupted:
            text += " Interrupted: finished runs and saved epochs are kept, and the same command continues with the rest."
        return text


@dataclass
class _Run:
    """A run at work."""

    job: Job
    before: int
    """When the record that was there before was written; 0 if there was none."""
    epoch: Epoch | None = None
    said: Word = ("nothing", "")
    """The last word of the worker besides its epochs and notes."""


def launch(
    jobs: Sequence[Job], runtime: Runtime, store: Store, *, rerun: str = "missing", launcher: str = "local", out: TextIO | None = None
) -> Outcome:
    """Runs what has no finished record, `runtime.workers` at a time, in the order given; equal specs are run once.

    rerun: see `sort_jobs`. A record of a newer version of the suite is left alone, and its run counts as failed.
    launcher: "local" is processes of this machine, "ray" those of a Ray cluster, "slurm" jobs of Slurm.
    Raises EnvironmentProblem where the run folder cannot be written (any more), and DataError where the data are not here.
    """
    store.check_writable()
    asked = sort_jobs(jobs, store, rerun)
    todo, state = asked.jobs, asked.state
    outcome = Outcome(asked=len(state), already=len(asked.done))
    screen = Screen(todo, out or sys.stderr)
    for job in asked.newer:
        reason = f"{state[job.spec.id].trouble}; it is left alone: use that version, or point SSM_RUNS at another folder"
        outcome.failed.append((job, reason))
    for job in todo:
        if state[job.spec.id].status == "damaged":
            trouble = state[job.spec.id].trouble
            screen.say(f"{job.label}: its record is damaged ({trouble}); it is moved aside as .corrupt and the run is done again")
    left = [state[job.spec.id].other_code for job in asked.done if state[job.spec.id].other_code]
    if left:
        screen.say(stale_line(len(left), left))
    for job in asked.done:
        _sweep(store, job)
    if not todo:
        return outcome
    for data in dict.fromkeys(job.spec.data for job in todo):
        data.prepare(screen.say)
    runtime = replace(runtime, workers=min(runtime.workers, len(todo)))
    pool = make_pool(launcher, runtime, store, rerun != "missing")
    screen.say(f"{outcome.asked} runs asked, {outcome.already} done before, {len(todo)} to do: {pool.place}")
    duration = estimate(todo, runtime, store)
    if duration:
        screen.say(duration)
    running: dict[Hashable, _Run] = {}
    with interruptible():
        try:
            _schedule(todo, pool, store, running, outcome, screen)
        except KeyboardInterrupt:
            outcome.interrupted = True
        finally:
            pool.close()
            screen.close()
    # a worker may have written its record and not been heard any more
    outcome.finished += [r.job for r in running.values() if store.stamp(r.job.spec) != r.before and store.status(r.job.spec) in FINISHED]
    return outcome


def make_pool(launcher: str, runtime: Runtime, store: Store, redo: bool) -> Pool:
    """The pool of this name. Raises EnvironmentProblem where it cannot be had."""
    if launcher == "local":
        return LocalPool(runtime, store, redo)
    if launcher == "ray":
        from benchmarks.running.ray_pool import RayPool  # with it comes what reads specs, and so torch

        return RayPool(runtime, store, redo)
    from benchmarks.running.slurm_pool import SlurmPool

    return SlurmPool(runtime, store, redo)


def _sweep(store: Store, job: Job) -> None:
    """Checkpoints that a finished run has left, as when its process was ended just after its record was written."""
    if checkpoints(store.folder(job.spec), "*"):
        with store.lock(job.spec) as mine:
            if mine:
                store.sweep(job.spec)


def _schedule(todo: Sequence[Job], pool: Pool, store: Store, running: dict[Hashable, _Run], outcome: Outcome, screen: Screen) -> None:
    waiting = deque((job, 0.0) for job in todo)
    tries: Counter[str] = Counter()
    awaited: set[str] = set()
    while waiting or running:
        for _ in range(len(waiting)):
            if not pool.has_room():
                break
            job, not_before = waiting.popleft()
            if time.monotonic() < not_before:
                waiting.append((job, not_before))
                continue
            before = store.stamp(job.spec)
            running[pool.start(job)] = _Run(job, before)
        for name, (kind, content) in pool.heard(REFRESH):
            run = running[name]
            if kind == "epoch":
                run.epoch = content
            elif kind == "note":
                screen.say(f"{run.job.label}: {content}")
            elif kind in ("gone", "lost"):
                del running[name]
                tries[run.job.spec.id] += 1
                if kind == "lost" and tries[run.job.spec.id] < TRIES:
                    screen.say(f"{run.job.label}: {content}; it is made again")
                    waiting.append((run.job, 0.0))
                elif run.said[0] == "busy":
                    if run.job.spec.id not in awaited:
                        screen.say(f"{run.job.label}: another process is making it; waiting for that one")
                        awaited.add(run.job.spec.id)
                    waiting.append((run.job, time.monotonic() + BUSY_WAIT))
                else:
                    _conclude(run, content, pool, store, outcome, screen)
            else:
                run.said = (kind, content)
        screen.show([(run.job, run.epoch) for run in running.values() if run.said[0] == "nothing"])


def _conclude(run: _Run, cause: str, pool: Pool, store: Store, outcome: Outcome, screen: Screen) -> None:
    """Books one run whose worker has ended. A death without a word becomes a failed record that names the cause."""
    job = run.job
    kind, content = run.said
    if kind == "refused":
        raise EnvironmentProblem(content)
    if kind == "environment":
        raise EnvironmentProblem(f"{content}. Free some space or mend the permissions; finished runs are kept, the same command continues.")
    if kind == "data":
        outcome.data_trouble = True
        status, line = "failed", content
    elif kind == "over":
        status, line = content
    else:
        status, line = "failed", cause
        with store.lock(job.spec) as mine:
            known = store.status(job.spec)
            if known in FINISHED and store.stamp(job.spec) != run.before:
                status, line = known, f"its record is written; {line} after that"
                store.sweep(job.spec)
            elif mine and known not in (*FINISHED, "newer"):
                store.put(job.spec, failed(job.spec, line, pool.environment()))
    if status == "failed":
        outcome.failed.append((job, line))
    else:
        outcome.finished.append(job)
    screen.finished(job, status, line)
