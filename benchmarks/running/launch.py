"""A list of runs over a local pool: each run in a process of its own, forked from a server that has already imported everything.

What is done is read from the store and nowhere else, so the same command continues after any interruption. A run is owned by the process
that holds the lock of its folder; two launchers on the same list share the work. A worker that dies costs its own run and no other.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import tempfile
import time
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from multiprocessing import connection
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerProcess
from typing import TYPE_CHECKING, Any, Final, TextIO

from benchmarks import cli
from benchmarks.running.environment import EnvironmentProblem, Runtime, at_process_start, describe, of_a_group
from benchmarks.running.estimate import estimate
from benchmarks.running.record import FINISHED, failed
from benchmarks.running.screen import REFRESH, Screen
from benchmarks.running.store import Store, checkpoints
from benchmarks.running.tally import stale_line
from benchmarks.running.worker import work
from benchmarks.spec import Job
from data.command import interruptible

if TYPE_CHECKING:
    from benchmarks.running.callbacks import Epoch

BUSY_WAIT: Final = 2.0
"""Seconds before a run that another launcher works on is looked at again."""
SOCKET_PATH: Final = 70
"""Bytes of a temporary folder beyond which the socket of the fork server, some thirty letters further down, would have no place."""


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
class _Worker:
    job: Job
    process: ForkServerProcess
    epoch: Epoch | None = None
    before: int = 0
    """When the record that was there before was written; 0 if there was none."""
    said: tuple[str, Any] = ("nothing", "")
    """The last word of the worker besides its epochs and notes."""


def launch(jobs: Sequence[Job], runtime: Runtime, store: Store, *, rerun: str = "missing", out: TextIO | None = None) -> Outcome:
    """Runs what has no finished record, `runtime.workers` at a time, in the order given; equal specs are run once.

    rerun: "missing" runs what is missing, failed or damaged; "failed" also what diverged; "stale" also what other code made; "all"
    everything again. A record of a newer version of the suite is left alone, and its run counts as failed.
    Raises EnvironmentProblem where the run folder cannot be written (any more), and DataError where the data are not here.
    """
    store.check_writable()
    unique = _first_of_each(jobs)
    skipped = {"missing": FINISHED, "failed": ("ok",), "stale": FINISHED, "all": ()}[rerun]
    state = {job.spec.id: store.state(job.spec) for job in unique}
    status = {id: known.status for id, known in state.items()}
    stale = {id: known.other_code for id, known in state.items() if known.other_code and known.status in FINISHED}
    newer = [job for job in unique if status[job.spec.id] == "newer"]
    again = stale if rerun == "stale" else ()
    todo = [job for job in unique if (status[job.spec.id] not in skipped or job.spec.id in again) and job not in newer]
    outcome = Outcome(asked=len(unique), already=len(unique) - len(todo) - len(newer))
    screen = Screen(todo, out or sys.stderr)
    for job in newer:
        reason = f"{state[job.spec.id].trouble}; it is left alone: use that version, or point SSM_RUNS at another folder"
        outcome.failed.append((job, reason))
    for job in todo:
        if status[job.spec.id] == "damaged":
            trouble = state[job.spec.id].trouble
            screen.say(f"{job.label}: its record is damaged ({trouble}); it is moved aside as .corrupt and the run is done again")
    left = [code for id, code in stale.items() if id not in {job.spec.id for job in todo}]
    if left:
        screen.say(stale_line(len(left), left))
    for job in unique:
        if status[job.spec.id] in FINISHED and job not in todo:
            _sweep(store, job)
    if not todo:
        return outcome
    for data in dict.fromkeys(job.spec.data for job in todo):
        data.prepare(screen.say)
    runtime = replace(runtime, workers=min(runtime.workers, len(todo)))
    screen.say(
        f"{len(unique)} runs asked, {outcome.already} done before, {len(todo)} to do: "
        f"{runtime.workers} at a time on {runtime.device}, {runtime.threads} thread{'s' if runtime.threads > 1 else ''} each"
    )
    duration = estimate(todo, runtime, store)
    if duration:
        screen.say(duration)
    running: dict[Connection, _Worker] = {}
    with interruptible():
        try:
            _schedule(todo, runtime, store, rerun, running, outcome, screen)
        except KeyboardInterrupt:
            outcome.interrupted = True
        finally:
            cut = _end(running)
            screen.close()
    # a worker may have written its record and not been heard any more
    outcome.finished += [w.job for w in cut if store.stamp(w.job.spec) != w.before and store.status(w.job.spec) in FINISHED]
    return outcome


def _sweep(store: Store, job: Job) -> None:
    """Checkpoints that a finished run has left, as when its process was ended just after its record was written."""
    if checkpoints(store.folder(job.spec), "*"):
        with store.lock(job.spec) as mine:
            if mine:
                store.sweep(job.spec)


def _first_of_each(jobs: Sequence[Job]) -> list[Job]:
    first: dict[str, Job] = {}
    for job in jobs:
        first.setdefault(job.spec.id, job)
    return list(first.values())


def _schedule(
    todo: Sequence[Job],
    runtime: Runtime,
    store: Store,
    rerun: str,
    running: dict[Connection, _Worker],
    outcome: Outcome,
    screen: Screen,
) -> None:
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["benchmarks.running.warm"])
    waiting = deque((job, 0.0) for job in todo)
    while waiting or running:
        for _ in range(len(waiting)):
            if len(running) >= runtime.workers:
                break
            job, not_before = waiting.popleft()
            if time.monotonic() < not_before:
                waiting.append((job, not_before))
                continue
            mine, theirs = context.Pipe(duplex=False)
            process = context.Process(target=work, args=(job.spec, runtime, store, rerun != "missing", theirs), daemon=True)
            before = store.stamp(job.spec)
            with _server_environment(runtime.threads), _room_for_a_socket():
                process.start()
            theirs.close()
            running[mine] = _Worker(job, process, before=before)
        if not running:
            time.sleep(REFRESH)
        for pipe in connection.wait(list(running), REFRESH) if running else ():
            assert isinstance(pipe, Connection)
            worker = running[pipe]
            try:
                kind, content = pipe.recv()
            except (EOFError, OSError):
                del running[pipe]
                pipe.close()
                worker.process.join()
                if worker.said[0] == "busy":
                    waiting.append((worker.job, time.monotonic() + BUSY_WAIT))
                else:
                    _conclude(worker, runtime, store, outcome, screen)
                continue
            if kind == "epoch":
                worker.epoch = content
            elif kind == "note":
                screen.say(f"{worker.job.label}: {content}")
            else:
                worker.said = (kind, content)
        screen.show([(worker.job, worker.epoch) for worker in running.values() if worker.said[0] == "nothing"])


def _conclude(worker: _Worker, runtime: Runtime, store: Store, outcome: Outcome, screen: Screen) -> None:
    """Books one ended worker. A death without a word becomes a failed record that names the signal."""
    job = worker.job
    kind, content = worker.said
    if kind == "environment":
        raise EnvironmentProblem(f"{content}. Free some space or mend the permissions; finished runs are kept, the same command continues.")
    if kind == "data":
        outcome.data_trouble = True
        status, line = "failed", content
    elif kind == "over":
        status, line = content
    else:
        status, line = "failed", _cause_of_death(worker.process.exitcode)
        with store.lock(job.spec) as mine:
            known = store.status(job.spec)
            if known in FINISHED and store.stamp(job.spec) != worker.before:
                status, line = known, f"its record is written; {line} after that"
                store.sweep(job.spec)
            elif mine and known not in (*FINISHED, "newer"):
                store.put(job.spec, failed(job.spec, line, describe(runtime)))
    if status == "failed":
        outcome.failed.append((job, line))
    else:
        outcome.finished.append(job)
    screen.finished(job, status, line)


def _cause_of_death(exitcode: int | None) -> str:
    if exitcode is not None and exitcode < 0:
        name = signal.Signals(-exitcode).name if -exitcode in set(signal.Signals) else f"signal {-exitcode}"
        hint = " (the system does that when memory runs out)" if name == "SIGKILL" else ""
        return f"the worker process was ended by {name}{hint}"
    return f"the worker process ended without a result (exit code {exitcode})"


def _end(running: dict[Connection, _Worker]) -> list[_Worker]:
    """Kills what still runs, and says what that was. Only those runs are lost by it: every file appears whole or not at all."""
    cut = list(running.values())
    for worker in cut:
        worker.process.kill()
    for pipe, worker in running.items():
        worker.process.join(5)
        pipe.close()
    running.clear()
    return cut


@contextmanager
def _server_environment(threads: int) -> Iterator[None]:
    """What the fork server must find when it starts, `at_process_start`; and what it must not: variables of a cluster or of torchrun."""
    wanted = at_process_start(threads)
    names = [*wanted, *(name for name in os.environ if of_a_group(name))]
    before = {name: os.environ.pop(name, None) for name in names}
    os.environ.update(wanted)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


@contextmanager
def _room_for_a_socket() -> Iterator[None]:
    """The fork server listens at a path in the temporary folder, and the kernel takes some hundred bytes of one: a long TMPDIR is passed
    over for that. Raises EnvironmentProblem where there is no shorter one."""
    before = tempfile.tempdir
    if len(os.fsencode(tempfile.gettempdir())) > SOCKET_PATH:
        short = next((name for name in ("/tmp", "/var/tmp", "/dev/shm") if os.access(name, os.W_OK | os.X_OK)), None)
        if short is None:
            raise EnvironmentProblem(
                f"TMPDIR={tempfile.gettempdir()} is too long for a socket, and /tmp cannot be written: name a shorter one."
            )
        tempfile.tempdir = short
    try:
        yield
    finally:
        tempfile.tempdir = before
