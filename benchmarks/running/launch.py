"""A list of runs over a local pool: each run in a process of its own, forked from a server that has already imported everything.

What is done is read from the store and nowhere else, so the same command continues after any interruption. A run is owned by the process
that holds the lock of its folder; two launchers on the same list share the work. A worker that dies costs its own run and no other.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import threading
import time
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from multiprocessing import connection
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerProcess
from types import FrameType
from typing import TYPE_CHECKING, Any, Final, TextIO

from benchmarks import cli
from benchmarks.running.environment import ROOT, EnvironmentProblem, Runtime, describe
from benchmarks.running.record import FINISHED, failed
from benchmarks.running.screen import REFRESH, Screen
from benchmarks.running.store import Store
from benchmarks.running.worker import work
from benchmarks.spec import Job

if TYPE_CHECKING:
    from benchmarks.running.run import Epoch

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
class _Worker:
    job: Job
    process: ForkServerProcess
    epoch: Epoch | None = None
    said: tuple[str, Any] = ("nothing", "")
    """The last word of the worker besides its epochs and notes."""


def launch(jobs: Sequence[Job], runtime: Runtime, store: Store, *, rerun: str = "missing", out: TextIO | None = None) -> Outcome:
    """Runs what has no finished record, `runtime.workers` at a time, in the order given; equal specs are run once.

    rerun: "missing" runs what is missing, failed or damaged; "failed" also what diverged; "all" everything again.
    Raises EnvironmentProblem where the run folder cannot be written (any more), and DataError where the data are not here.
    """
    store.check_writable()
    unique = _first_of_each(jobs)
    skipped = {"missing": FINISHED, "failed": ("ok",), "all": ()}[rerun]
    status = {job.spec.id: store.status(job.spec) for job in unique}
    todo = [job for job in unique if status[job.spec.id] not in skipped]
    outcome = Outcome(asked=len(unique), already=len(unique) - len(todo))
    screen = Screen(todo, out or sys.stderr)
    for job in todo:
        if status[job.spec.id] == "damaged":
            screen.say(f"{job.label}: its record is damaged; it is moved aside as .corrupt and the run is done again")
    if not todo:
        return outcome
    for data in dict.fromkeys(job.spec.data for job in todo):
        data.prepare(screen.say)
    runtime = replace(runtime, workers=min(runtime.workers, len(todo)))
    screen.say(
        f"{len(unique)} runs asked, {outcome.already} done before, {len(todo)} to do: "
        f"{runtime.workers} at a time on {runtime.device}, {runtime.threads} thread{'s' if runtime.threads > 1 else ''} each"
    )
    running: dict[Connection, _Worker] = {}
    with _interruptible():
        try:
            _schedule(todo, runtime, store, rerun, running, outcome, screen)
        except KeyboardInterrupt:
            outcome.interrupted = True
        finally:
            cut = _end(running)
            screen.close()
    # a worker may have written its record and not been heard any more
    outcome.finished += [job for job in cut if status[job.spec.id] not in FINISHED and store.status(job.spec) in FINISHED]
    return outcome


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
    context.set_forkserver_preload(["benchmarks.running.run", "sklearn.datasets"])
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
            with _server_environment(runtime.threads):
                process.start()
            theirs.close()
            running[mine] = _Worker(job, process)
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
            if mine and store.status(job.spec) not in FINISHED:
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


def _end(running: dict[Connection, _Worker]) -> list[Job]:
    """Kills what still runs, and says what that was. Only those runs are lost by it: every file appears whole or not at all."""
    jobs = [worker.job for worker in running.values()]
    for worker in running.values():
        worker.process.kill()
    for pipe, worker in running.items():
        worker.process.join(5)
        pipe.close()
    running.clear()
    return jobs


@contextmanager
def _interruptible() -> Iterator[None]:
    """SIGTERM and SIGHUP end a launch the way Ctrl-C does; a second signal during the clean-up changes nothing."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    names = [signal.SIGINT, signal.SIGTERM, *([signal.SIGHUP] if hasattr(signal, "SIGHUP") else [])]

    def stop(number: int, frame: FrameType | None) -> None:
        for name in names:
            signal.signal(name, signal.SIG_IGN)
        raise KeyboardInterrupt

    before = {name: signal.signal(name, stop) for name in names}
    try:
        yield
    finally:
        for name, handler in before.items():
            signal.signal(name, handler)


@contextmanager
def _server_environment(threads: int) -> Iterator[None]:
    """What the fork server must find when it starts: the path of the checkout (its parent's sys.path is not handed on), and the number
    of threads that the numerical libraries read when they are imported."""
    path = os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])])
    wanted = {"PYTHONPATH": path, "OMP_NUM_THREADS": str(threads), "OPENBLAS_NUM_THREADS": str(threads), "MKL_NUM_THREADS": str(threads)}
    before = {name: os.environ.get(name) for name in wanted}
    os.environ.update(wanted)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
