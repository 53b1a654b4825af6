"""The life of one worker process: it takes the lock of a run, makes the run, and tells the launcher through a pipe how it goes."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Mapping
from multiprocessing import connection
from multiprocessing.connection import Connection
from typing import TYPE_CHECKING, Any

from benchmarks.running.environment import Runtime
from benchmarks.running.record import FINISHED
from benchmarks.running.store import Store
from benchmarks.spec import RunSpec
from data.base import DataError, StorageError

if TYPE_CHECKING:
    from benchmarks.running.callbacks import Epoch

Word = tuple[str, Any]
"""What a worker says: its kind and its content."""


def work(spec: RunSpec, runtime: Runtime, store: Store, redo: bool, pipe: Connection) -> None:
    """Makes the run of `spec` unless somebody else has it or has made it; with `redo` also again.

    Sends ("epoch", Epoch) and ("note", text), then at most one of over, busy, data, environment. A process that was killed sends nothing.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole terminal group; the launcher decides
    threading.Thread(target=_end_with_the_launcher, daemon=True).start()
    from benchmarks.running.run import run  # torch and Lightning, which the launcher does without

    try:
        with store.lock(spec) as mine:
            if not mine:
                pipe.send(("busy", ""))
                return
            store.sweep(spec)
            status, _, trouble = store.state(spec)
            if status == "damaged":
                store.set_aside(spec)
            elif status == "newer":
                pipe.send(("over", ("failed", trouble)))
                return
            elif status in FINISHED and not redo:  # another launcher was faster
                pipe.send(("over", (status, "made by another launcher")))
                return
            record = run(spec, runtime, store, lambda epoch: _tell(pipe, "epoch", epoch), lambda text: _tell(pipe, "note", text))
            pipe.send(("over", (record.status, _line(record.status, record.reason, record.metrics))))
    except StorageError as error:
        pipe.send(("environment", str(error)))
    except DataError as error:
        pipe.send(("data", str(error)))
    except OSError as error:
        pipe.send(("environment", f"the record of {spec.benchmark}/{spec.id} cannot be written: {error.strerror or error}"))


def _tell(pipe: Connection, kind: str, content: Epoch | str) -> None:
    try:
        pipe.send((kind, content))
    except OSError:  # the launcher is gone; that is no failure of the run
        os._exit(1)


def _end_with_the_launcher() -> None:
    """A launcher killed with -9 cannot end its workers; the pipe it held closes, and they end themselves."""
    launcher = multiprocessing.parent_process()
    if launcher is not None:
        connection.wait([launcher.sentinel])
        os._exit(1)


def _line(status: str, reason: str, metrics: Mapping[str, Any]) -> str:
    if status != "ok":
        return reason
    return ", ".join(f"{name} {metrics[name]:.4f}" for name in ("test_accuracy", "test_rmse") if metrics.get(name) is not None)
