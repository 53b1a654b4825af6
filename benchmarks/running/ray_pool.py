"""RayPool: the runs of a launch on the machines of a Ray cluster, that of RAY_ADDRESS, or one on this machine for as long as the launch.

A task of Ray makes one run and streams what is said of it.
"""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Hashable, Iterator
from contextlib import suppress
from dataclasses import replace
from types import ModuleType
from typing import Any, Final

from benchmarks.running.cluster import ClusterPool
from benchmarks.running.environment import EnvironmentProblem, Runtime
from benchmarks.running.order import Order, fill
from benchmarks.running.store import Store
from benchmarks.running.worker import Word

INSTALL: Final = "`python -m pip install -e '.[ray]' -c constraints.txt` in the checkout brings it"


class RayPool(ClusterPool):
    """As many runs at a time as the cluster has cores for, `runtime.threads` a run; on cuda `runtime.workers` to a GPU."""

    def __init__(self, runtime: Runtime, store: Store, redo: bool) -> None:
        super().__init__(runtime, store, redo)
        self.ray = import_ray()
        self.address = os.environ.get("RAY_ADDRESS")
        here = {} if self.address else {"num_cpus": runtime.workers * runtime.threads}
        with _signals_left_alone():
            try:
                self.ray.init(
                    address=self.address or "local",
                    include_dashboard=None if self.address else False,
                    configure_logging=False,
                    log_to_driver=False,
                    runtime_env={"env_vars": self.variables},
                    **here,
                )
            except (ConnectionError, RuntimeError, ValueError) as error:
                where = f"no Ray cluster answers at RAY_ADDRESS={self.address}" if self.address else "Ray does not start on this machine"
                raise EnvironmentProblem(f"{where}: {str(error).splitlines()[0]}") from error
        gpu = runtime.device == "cuda"
        needs = {"num_gpus": 1 / runtime.workers, "num_cpus": 0} if gpu else {"num_cpus": runtime.threads}
        self.task = self.ray.remote(**needs, max_retries=0)(fill)
        try:
            self.room()
        except EnvironmentProblem:
            self.ray.shutdown()
            raise

    def room(self) -> list[int]:
        """How many runs each machine of the cluster has room for. Raises EnvironmentProblem where that is nothing anywhere."""
        gpu = self.runtime.device == "cuda"
        offers = [node["Resources"] for node in self.ray.nodes() if node["Alive"]]
        rooms = [int(o.get("GPU", 0) * self.runtime.workers) if gpu else int(o.get("CPU", 0) // self.runtime.threads) for o in offers]
        if not any(rooms):
            needs = "a GPU" if gpu else f"{self.runtime.threads} cores, which --threads asks for"
            raise EnvironmentProblem(f"no machine of the Ray cluster has {needs}.")
        return [room for room in rooms if room]

    @property
    def place(self) -> str:
        """See Pool."""
        rooms, threads = self.room(), self.runtime.threads
        machines = f"{len(rooms)} machine{'s' if len(rooms) > 1 else ''}"
        return f"{sum(rooms)} at a time on {self.runtime.device} of {machines} by Ray, {threads} thread{'s' if threads > 1 else ''} each"

    def has_room(self) -> bool:
        """See Pool."""
        return len(self.held) < sum(self.room())

    def send(self, order: Order) -> Hashable:
        """See ClusterPool."""
        if self.address and self.runtime.device == "cpu":
            order = replace(order, runtime=replace(self.runtime, workers=max(self.room())))
        run: Hashable = self.task.remote(order)
        return run

    def words(self, seconds: float) -> Iterator[tuple[Hashable, Word]]:
        """See ClusterPool."""
        self.ray.wait(list(self.held), num_returns=1, timeout=seconds, fetch_local=False)
        ready, _ = self.ray.wait(list(self.held), num_returns=len(self.held), timeout=0, fetch_local=False)
        for run in ready:
            yield run, self._next(run)

    def _next(self, run: Any) -> Word:
        try:
            word: Word = self.ray.get(next(run))
        except StopIteration:
            return "lost", "its task has ended without a result"
        except self.ray.exceptions.RayTaskError as error:
            if isinstance(error.cause, ImportError) or "failed to import" in str(error):
                raise EnvironmentProblem(
                    "a machine of the cluster cannot import the suite: it has to be at the same path there, or installed, in the same "
                    f"version ({str(error.cause).splitlines()[0]})."
                ) from error
            raise
        except self.ray.exceptions.RayError as error:
            return "lost", f"its machine or the process there was lost ({type(error).__name__})"
        return word

    def recall(self, run: Any) -> None:
        """See ClusterPool."""
        with suppress(self.ray.exceptions.RayError):
            self.ray.cancel(run, force=True)

    def close(self) -> None:
        """See Pool."""
        super().close()
        self.ray.shutdown()


def import_ray() -> ModuleType:
    """Ray, which is an extra and slow to import. Raises EnvironmentProblem with the line that installs it."""
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # nobody is told what is run here
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")  # a task without a GPU changes no variable of CUDA
    try:
        import ray
        import ray.exceptions
    except ImportError as error:
        raise EnvironmentProblem(f"--launcher ray needs Ray, which is not installed here. {INSTALL}.") from error
    return ray


class _signals_left_alone:
    """Ray takes SIGTERM for itself when it starts; here it is the launch that ends in order."""

    def __enter__(self) -> None:
        self.main = threading.current_thread() is threading.main_thread()
        self.before = signal.getsignal(signal.SIGTERM) if self.main else None

    def __exit__(self, *_: object) -> None:
        if self.main:
            signal.signal(signal.SIGTERM, self.before)
