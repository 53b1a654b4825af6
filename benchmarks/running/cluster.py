"""ClusterPool, what all pools of other machines do: a run is sent there as an Order, its record comes back whole and is written here.

This process holds the lock of the run meanwhile, so that no launcher beside it makes the same run. What a machine had in hand when it was
lost is made again.
"""

from __future__ import annotations

import os
import time
from abc import ABC, abstractmethod
from collections.abc import Hashable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from benchmarks import plugins
from benchmarks.running.environment import Runtime, at_process_start, describe
from benchmarks.running.order import Order
from benchmarks.running.store import Store
from benchmarks.running.worker import Word
from benchmarks.spec import Job

FOLDER: Final = ".elsewhere"
"""In the folder of records: the runs that are being made on a cluster."""


class ClusterPool(ABC):
    """A Pool of other machines, but for `place` and `has_room`: how a run gets there, and what is heard of it."""

    def __init__(self, runtime: Runtime, store: Store, redo: bool) -> None:
        self.runtime, self.store, self.redo = runtime, store, redo
        self.held: dict[Hashable, tuple[Job, ExitStack]] = {}
        """The runs that are sent and not back, each with the lock that is held for it."""
        self.busy: list[Hashable] = []

    @abstractmethod
    def send(self, order: Order) -> Hashable:
        """Sends a run to be made, and returns what it is called from now on."""

    @abstractmethod
    def words(self, seconds: float) -> Iterator[tuple[Hashable, Word]]:
        """What `fill` said of the runs in `held` within so many seconds; ("lost", the cause) for one that will say nothing any more."""

    @abstractmethod
    def recall(self, run: Hashable) -> None:
        """Ends a run that was sent."""

    @property
    def folder(self) -> Path:
        """Where runs lie while they are made, on machines that share the folder of records."""
        return self.store.root.resolve() / FOLDER

    @property
    def variables(self) -> dict[str, str]:
        """The variables of the environment that a process there needs to find the suite, its plugins and the data."""
        ours = {name: os.environ[name] for name in ("SSM_DATA", plugins.VARIABLE) if os.environ.get(name)}
        return {**ours, "PYTHONPATH": at_process_start(self.runtime.threads)["PYTHONPATH"]}

    def start(self, job: Job) -> Hashable:
        """See Pool. A run that another launcher holds, here, is started nowhere."""
        with ExitStack() as lock:
            mine = lock.enter_context(self.store.lock(job.spec))
            if not mine:
                name = object()
                self.busy.append(name)
                return name
            run = self.send(Order.of(job, self.runtime, self.folder, self.redo))
            self.held[run] = job, lock.pop_all()
            return run

    def heard(self, seconds: float) -> Iterator[tuple[Hashable, Word]]:
        """See Pool."""
        while self.busy:
            name = self.busy.pop()
            yield name, ("busy", "")
            yield name, ("gone", "")
        if not self.held:
            time.sleep(seconds)
            return
        for run, (kind, content) in self.words(seconds):
            job, lock = self.held[run]
            if kind == "result":
                record, arrays, weights, predictions, trace = content
                self.store.put(job.spec, record, arrays, weights=weights, predictions=predictions)
                if trace:
                    (self.store.folder(job.spec) / "error.txt").write_text(trace, encoding="utf-8")
                continue
            if kind in ("gone", "lost"):
                del self.held[run]
                lock.close()
            yield run, (kind, content)

    def environment(self) -> Mapping[str, Any]:
        """See Pool: the code and the libraries of this machine, which those of the cluster share."""
        return {**describe(replace(self.runtime, device="cpu")), "device": self.runtime.device, "cpu": "", "platform": ""}

    def close(self) -> None:
        """See Pool."""
        for run, (_, lock) in self.held.items():
            self.recall(run)
            lock.close()
        self.held.clear()
