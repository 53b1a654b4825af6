"""SlurmPool: the runs of a launch as jobs of Slurm, by submitit. The machines share the file system: the checkout, its environment, the
data and the folder of records.

A job makes one run; what was said of it comes back when it has ended. Partition, account, memory and time are those of the variables that
sbatch itself reads: SBATCH_PARTITION, SBATCH_ACCOUNT, SBATCH_MEM_PER_NODE, SBATCH_TIMELIMIT.
"""

from __future__ import annotations

import shlex
import shutil
import time
from collections.abc import Hashable, Iterator
from dataclasses import replace
from types import ModuleType
from typing import Any, Final

from benchmarks.running.cluster import ClusterPool
from benchmarks.running.environment import EnvironmentProblem, Runtime
from benchmarks.running.order import Order, fill
from benchmarks.running.store import Store
from benchmarks.running.worker import Word

INSTALL: Final = "`python -m pip install -e '.[slurm]' -c constraints.txt` in the checkout brings it"
MINUTES: Final = 24 * 60
"""Of a job, where SBATCH_TIMELIMIT does not say. A run that meets its limit is begun again where its last epoch ended."""
LOOK: Final = 1.0
"""Seconds between two looks at the files of results."""
ASK: Final = 60.0
"""Seconds between two questions to Slurm, which alone knows of a job that ended without a result."""


class SlurmPool(ClusterPool):
    """`runtime.workers` jobs in the queue at a time; each has `runtime.threads` cores, and on cuda one GPU."""

    def __init__(self, runtime: Runtime, store: Store, redo: bool) -> None:
        super().__init__(runtime, store, redo)
        self.submitit = import_submitit()
        if shutil.which("sbatch") is None or shutil.which("srun") is None:
            raise EnvironmentProblem("--launcher slurm needs a machine that submits jobs to Slurm: there is no sbatch or no srun here.")
        self.executor = self.submitit.SlurmExecutor(self.folder / "slurm")
        self.executor.update_parameters(
            job_name="ssm-suite",
            time=MINUTES,
            cpus_per_task=runtime.threads,
            gpus_per_node=1 if runtime.device == "cuda" else None,
            setup=[f"export {name}={shlex.quote(value)}" for name, value in self.variables.items()],
            stderr_to_stdout=True,
        )
        self.asked = time.monotonic()

    @property
    def place(self) -> str:
        """See Pool."""
        threads = self.runtime.threads
        jobs = f"{self.runtime.workers} job{'s' if self.runtime.workers > 1 else ''}"
        return f"{jobs} at a time in the queue of Slurm, on {self.runtime.device}, {threads} thread{'s' if threads > 1 else ''} each"

    def has_room(self) -> bool:
        """See Pool."""
        return len(self.held) < self.runtime.workers

    def send(self, order: Order) -> Hashable:
        """See ClusterPool. Raises EnvironmentProblem where sbatch takes no job."""
        try:
            job: Hashable = self.executor.submit(fill_whole, replace(order, runtime=replace(self.runtime, workers=1)))
        except (self.submitit.core.utils.FailedJobError, self.submitit.core.utils.FailedSubmissionError) as error:
            raise EnvironmentProblem(f"Slurm takes no job: {str(error).strip().splitlines()[-1]}") from error
        return job

    def words(self, seconds: float) -> Iterator[tuple[Hashable, Word]]:
        """See ClusterPool."""
        until = time.monotonic() + seconds
        while True:
            ask = time.monotonic() >= self.asked + ASK
            if ask:
                self.asked = time.monotonic()
            over: list[Any] = [job for job in self.held if job.done(force_check=ask)]  # type: ignore[attr-defined]
            if over or time.monotonic() >= until:
                break
            time.sleep(LOOK)
        for job in over:
            yield from ((job, word) for word in self._said_of(job))

    def _said_of(self, job: Any) -> list[Word]:
        """Everything that was said of a run whose job has ended. Its files go, unless it ended without a result."""
        try:
            said: list[Word] = job.result()
        except self.submitit.core.utils.FailedJobError as error:
            if "ImportError" in str(error) or "ModuleNotFoundError" in str(error):
                raise EnvironmentProblem(
                    "a machine of Slurm cannot import the suite: the checkout and its environment have to be at the same path there "
                    f"(see {job.paths.stdout})."
                ) from error
            return [("gone", f"its job {job.job_id} of Slurm failed, see {job.paths.stdout}")]
        except self.submitit.core.utils.UncompletedJobError:
            return [("lost", f"its job {job.job_id} of Slurm ended without a result ({job.state}), see {job.paths.stdout}")]
        for path in self.executor.folder.glob(f"{job.job_id}_*"):
            path.unlink(missing_ok=True)
        return said

    def recall(self, run: Any) -> None:
        """See ClusterPool."""
        run.cancel(check=False)

    def close(self) -> None:
        """See Pool. The scripts of the jobs go too: Slurm has read them."""
        super().close()
        for script in self.executor.folder.glob(".submission_file_*.sh"):
            script.unlink(missing_ok=True)


def fill_whole(order: Order) -> list[Word]:
    """`fill`, as one list for the end; without the epochs, which nobody hears then."""
    return [(kind, content) for kind, content in fill(order) if kind != "epoch"]


def import_submitit() -> ModuleType:
    """submitit, which is an extra. Raises EnvironmentProblem with the line that installs it."""
    try:
        import submitit
        import submitit.core.utils
    except ImportError as error:
        raise EnvironmentProblem(f"--launcher slurm needs submitit, which is not installed here. {INSTALL}.") from error
    return submitit
