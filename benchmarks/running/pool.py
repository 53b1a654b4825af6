"""Where the runs of a launch are made: Pool, what every such place can do, and LocalPool, the processes of this machine.

Each run has a process of its own, forked from a server that has already imported everything: a worker that dies costs its own run and no
other, and nothing of one run is left for the next.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import tempfile
import time
from collections.abc import Hashable, Iterator, Mapping
from contextlib import contextmanager
from multiprocessing import connection
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerProcess
from typing import Any, Final, Protocol

from benchmarks.running.environment import EnvironmentProblem, Runtime, at_process_start, describe, of_a_group
from benchmarks.running.store import Store
from benchmarks.running.worker import Word, work
from benchmarks.spec import Job

SOCKET_PATH: Final = 70
"""Bytes of a temporary folder beyond which the socket of the fork server, some thirty letters further down, would have no place."""


class Pool(Protocol):
    """Processes that make runs, here or on other machines."""

    @property
    def place(self) -> str:
        """What a launch says of it: how many runs at a time, and on what."""

    def has_room(self) -> bool:
        """Whether one more run can be started now."""

    def start(self, job: Job) -> Hashable:
        """Starts a run, and returns what it is called from now on."""

    def heard(self, seconds: float) -> Iterator[tuple[Hashable, Word]]:
        """What was said within so many seconds and by which run: the words of `work`, and as the last of each ("gone", the cause of its
        death, should it have said nothing else), or ("lost", ...) where it is not the run's own doing."""

    def environment(self) -> Mapping[str, Any]:
        """The environment block for the record of a run that died without a word."""

    def close(self) -> None:
        """Ends what still runs. Only those runs are lost by it: every file appears whole or not at all."""


class LocalPool:
    """`runtime.workers` processes of this machine."""

    def __init__(self, runtime: Runtime, store: Store, redo: bool) -> None:
        self.runtime, self.store, self.redo = runtime, store, redo
        self.context = multiprocessing.get_context("forkserver")
        self.context.set_forkserver_preload(["benchmarks.running.undisturbed", "benchmarks.running.warm"])
        self.processes: dict[Connection, ForkServerProcess] = {}

    @property
    def place(self) -> str:
        """See Pool."""
        threads = self.runtime.threads
        return f"{self.runtime.workers} at a time on {self.runtime.device}, {threads} thread{'s' if threads > 1 else ''} each"

    def has_room(self) -> bool:
        """See Pool."""
        return len(self.processes) < self.runtime.workers

    def start(self, job: Job) -> Hashable:
        """See Pool."""
        mine, theirs = self.context.Pipe(duplex=False)
        process = self.context.Process(target=work, args=(job.spec, self.runtime, self.store, self.redo, theirs), daemon=True)
        with _server_environment(self.runtime.threads), _room_for_a_socket():
            process.start()
        theirs.close()
        self.processes[mine] = process
        return mine

    def heard(self, seconds: float) -> Iterator[tuple[Hashable, Word]]:
        """See Pool."""
        if not self.processes:
            time.sleep(seconds)
            return
        for pipe in connection.wait(list(self.processes), seconds):
            assert isinstance(pipe, Connection)
            try:
                word: Word = pipe.recv()
            except (EOFError, OSError):
                process = self.processes.pop(pipe)
                pipe.close()
                process.join()
                word = ("gone", _cause_of_death(process.exitcode))
            yield pipe, word

    def environment(self) -> Mapping[str, Any]:
        """See Pool."""
        return describe(self.runtime)

    def close(self) -> None:
        """See Pool."""
        for process in self.processes.values():
            process.kill()
        for pipe, process in self.processes.items():
            process.join(5)
            pipe.close()
        self.processes.clear()


def _cause_of_death(exitcode: int | None) -> str:
    if exitcode is not None and exitcode < 0:
        name = signal.Signals(-exitcode).name if -exitcode in set(signal.Signals) else f"signal {-exitcode}"
        hint = " (the system does that when memory runs out)" if name == "SIGKILL" else ""
        return f"the worker process was ended by {name}{hint}"
    return f"the worker process ended without a result (exit code {exitcode})"


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
