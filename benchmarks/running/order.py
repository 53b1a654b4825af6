"""Order, a run that is made on another machine of a cluster: all that is sent there, and what happens to it there."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks import plugins
from benchmarks.rebuild import CannotRebuild
from benchmarks.running.environment import EnvironmentProblem, Runtime, code_content
from benchmarks.running.pool import LocalPool
from benchmarks.running.record import DamagedRecord
from benchmarks.running.screen import REFRESH
from benchmarks.running.store import Store
from benchmarks.running.worker import Word
from benchmarks.spec import Job, RunSpec, canonical
from data.base import DataError


@dataclass(frozen=True, kw_only=True)
class Order:
    """What goes to the other machine: the spec as JSON with the id it has to have, and the code and plugins it was asked for with."""

    label: str
    spec: Mapping[str, Any]
    id: str
    content: str
    plugins: Mapping[str, str]
    runtime: Runtime
    folder: Path
    """Where the run lies while it is made. Checkpoints of one that was broken off are found there: by whichever machine makes it next
    where the folder is shared by all of them, else by the same machine."""
    redo: bool

    @staticmethod
    def of(job: Job, runtime: Runtime, folder: Path, redo: bool) -> Order:
        """The order of a job."""
        return Order(
            label=job.label,
            spec=canonical(job.spec),
            id=job.spec.id,
            content=code_content(),
            plugins=plugins.hashes(),
            runtime=runtime,
            folder=folder,
            redo=redo,
        )

    def job(self) -> Job:
        """The job again. Raises EnvironmentProblem where the code here is not the code there, which might give another number."""
        plugins.load()
        other = "the code on a machine of the cluster is not the code here: bring the checkout to the same state on all of them"
        if self.content != code_content() or self.plugins != plugins.hashes():
            raise EnvironmentProblem(other)
        try:
            spec = RunSpec.from_record(self.spec)
        except CannotRebuild as error:
            raise EnvironmentProblem(f"{other} ({error})") from error
        if spec.id != self.id:
            raise EnvironmentProblem(f"{other} (the run {self.id} has the id {spec.id} there)")
        return Job(self.label, spec)


def fill(order: Order) -> Iterator[Word]:
    """Makes the run in a process of its own and passes on what is said of it; before the last word the record, and what lies beside it,
    whole: ("result", (record, arrays, weights, predictions, traceback))."""
    # a forked process would run the file that this one was started with once more, and that imports Ray
    vars(sys.modules["__main__"]).pop("__file__", None)
    try:
        job = order.job()
        store = _store(order.folder)
        job.spec.data.prepare()
    except EnvironmentProblem as problem:
        yield "refused", str(problem)
        yield "gone", ""
        return
    except DataError as error:
        yield "data", str(error)
        yield "gone", ""
        return
    redo = order.redo or bool(store.state(job.spec).other_code)
    pool = LocalPool(order.runtime, store, redo)
    try:
        pool.start(job)
        while not pool.has_room():
            for _, (kind, content) in pool.heard(REFRESH):
                if kind == "gone" and (left := _result(store, job.spec)) is not None:
                    yield "result", left
                yield kind, content
    finally:
        pool.close()


def _store(folder: Path) -> Store:
    """The folder where the run is made, or one for temporary files on a machine that cannot have it."""
    store = Store.at(folder)
    try:
        store.check_writable()
    except EnvironmentProblem:
        store = Store.at(Path(tempfile.gettempdir()) / f"ssm-runs-{os.getuid()}")
        store.check_writable()
    return store


def _result(store: Store, spec: RunSpec) -> tuple[Any, ...] | None:
    """The record that was written and what lies beside it, which then are here no more; None where there is no good one."""
    try:
        stored = store.find(spec.benchmark, spec.id)
        if stored is None:
            return None
        trace = store.folder(spec) / "error.txt"
        error = trace.read_text(encoding="utf-8") if stored.record.status == "failed" and trace.is_file() else ""
        result = stored.record, stored.arrays(), stored.weights(), stored.predictions(), error
    except DamagedRecord:
        return None
    with store.lock(spec) as mine:
        if mine:
            shutil.rmtree(store.folder(spec))
    return result
