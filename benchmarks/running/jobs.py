"""From the flags of a command to a launch: which device, how many runs side by side, and the equivalent command, printed once."""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Sequence
from typing import Final

from benchmarks import cli, plugins
from benchmarks.buildable import require_buildable
from benchmarks.running import loggers
from benchmarks.running.environment import Runtime, choose_device, usable_cores
from benchmarks.running.estimate import describe_plan
from benchmarks.running.launch import launch
from benchmarks.running.store import Store, run_root
from benchmarks.spec import Job

IN_THE_QUEUE: Final = 64
"""Jobs of Slurm at a time."""


def run_jobs(jobs: Sequence[Job], options: cli.Launch, program: Sequence[str], report: Sequence[str], page: str) -> int:
    """Launches `jobs` as the parsed `options` say, after printing the equivalent command with every choice written out; the exit code.

    What comes next is said at the end: the command `report` that makes their table, and where its page, of this name, will be. Raises
    UsageError for a run whose network cannot be built.
    """
    loggers.check(options.logger)
    for job in jobs:
        try:
            require_buildable(job.spec)
        except ValueError as error:
            raise cli.UsageError(f"{job.label}: {error}") from error
    if options.engine != "auto":
        with cli.as_usage():
            for network in dict.fromkeys(job.spec.model for job in jobs):
                network.require_engine(options.engine)
    if options.data is not None:
        os.environ["SSM_DATA"] = options.data  # read by data.files.root, here and in the workers, whose server inherits it
    if options.launcher != "local":
        require_fit_for_a_cluster(options)
    elsewhere = options.launcher == "slurm" or (options.launcher == "ray" and bool(os.environ.get("RAY_ADDRESS")))
    # a GPU of the cluster, which this machine may be without
    device = "cuda" if elsewhere and options.device == "cuda" else choose_device(options.device)
    workers, threads = side_by_side(options, device)
    flags = ["--seeds", cli.in_words(options.seeds), "--device", device, "--workers", str(workers), "--threads", str(threads)]
    if options.rerun != "missing":
        flags += ["--rerun", options.rerun]
    if options.launcher != "local":
        flags += ["--launcher", options.launcher]
    if options.logger != "none":
        flags += ["--logger", options.logger]
    if options.weights != "yes":
        flags += ["--weights", options.weights]
    if options.predictions == "yes":
        flags += ["--predictions"]
    if options.engine != "auto":
        flags += ["--engine", options.engine]
    if options.data is not None:
        flags += ["--data", options.data]
    flags += plugins.flags()
    command = shlex.join(["python", "-m", *program, *flags])
    runtime = Runtime(
        device=device,
        threads=threads,
        workers=workers,
        logger=options.logger,
        engine=options.engine,
        weights=options.weights == "yes",
        predictions=options.predictions == "yes",
    )
    store = Store()
    if options.plan:
        print(describe_plan(jobs, runtime, store, command, rerun=options.rerun))
        return cli.DONE
    print("$", command, flush=True)
    outcome = launch(jobs, runtime, store, rerun=options.rerun, launcher=options.launcher)
    print(outcome.summary(), file=sys.stdout if outcome.exit_code == cli.DONE else sys.stderr)
    if options.predictions == "yes" and (ids := without_predictions(jobs, store)):
        print(
            f"{len(ids)} of these runs were made before and keep no predictions; their weights give them:\n"
            f"$ python -m benchmarks evaluate {ids[0]} --predictions" + (f"    and likewise {', '.join(ids[1:])}" if ids[1:] else "")
        )
    if outcome.already + len(outcome.finished):
        table = shlex.join(["python", "-m", *report, "--seeds", cli.in_words(options.seeds), *plugins.flags()])
        print(f"Their table, into {run_root() / 'reports' / page}:\n$ {table}")
    return outcome.exit_code


def side_by_side(options: cli.Launch, device: str) -> tuple[int, int]:
    """How many runs side by side, and the threads of each, where the flags do not say."""
    if options.launcher == "slurm":
        return options.workers or IN_THE_QUEUE, options.threads or 1
    cores = usable_cores()
    threads = options.threads or (max(1, cores // (options.workers or 1)) if device == "cuda" else 1)
    return options.workers or (1 if device == "cuda" else max(1, cores // threads)), threads


def require_fit_for_a_cluster(options: cli.Launch) -> None:
    """Raises UsageError for a flag that says nothing there, and EnvironmentProblem where the extra is not installed."""
    if options.logger != "none":
        raise cli.UsageError(
            f"--logger {options.logger} writes beside a run while it is made, which on a cluster is elsewhere; leave it out"
        )
    if options.launcher == "slurm":
        from benchmarks.running.slurm_pool import import_submitit

        import_submitit()
        return
    if options.workers is not None and options.device != "cuda" and os.environ.get("RAY_ADDRESS"):
        raise cli.UsageError("how many runs a cluster makes at a time is up to its cores, --threads for each; leave --workers out")
    from benchmarks.running.ray_pool import import_ray  # an extra, and slow

    import_ray()


def without_predictions(jobs: Sequence[Job], store: Store) -> list[str]:
    """The ids of the runs that ended well and keep no predictions."""
    records = (store.get(job.spec) for job in jobs if store.status(job.spec) == "ok")
    return list(dict.fromkeys(record.id for record in records if record is not None and record.predictions is None))
