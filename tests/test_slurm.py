"""Runs as jobs of Slurm: by the real submitit, on a Slurm of four small scripts that start a job as a process of this machine."""

from __future__ import annotations

import io
import os
import stat
import sys
import threading
from pathlib import Path

import pytest

from benchmarks import cli
from benchmarks.running import jobs
from benchmarks.running.cluster import FOLDER
from benchmarks.running.environment import EnvironmentProblem, Runtime
from benchmarks.running.launch import launch
from benchmarks.running.store import Store
from benchmarks.spec import Job
from tests.test_cluster import what_counts_of
from tests.test_launch import go, until
from tests.tiny import tiny

SCRIPTS = {
    # takes the next number, and starts the script in a session of its own, as a node would
    "sbatch": """
        number=$(($(ls "$SLURM_OF_THE_TEST" | grep -c '^job-') + 1))
        touch "$SLURM_OF_THE_TEST/job-$number"
        SLURM_JOB_ID=$number SLURM_NTASKS=1 SLURM_JOB_NUM_NODES=1 SLURM_NODEID=0 SLURM_PROCID=0 SLURM_LOCALID=0 \\
            setsid bash "$1" >/dev/null 2>&1 </dev/null &
        echo $! > "$SLURM_OF_THE_TEST/job-$number"
        echo "Submitted batch job $number"
        """,
    # runs what stands behind the flags, its output where the first flag says, with the number of the job in it
    "srun": """
        while [ "${1#--}" != "$1" ]; do
            if [ "$1" = --output ]; then shift; out=$(echo "$1" | sed "s/%j/$SLURM_JOB_ID/; s/%t/0/"); fi
            shift
        done
        exec "$@" >"$out" 2>&1
        """,
    # a job is running as long as its process is
    "sacct": """
        echo "JobID|State|NodeList"
        for job in "$SLURM_OF_THE_TEST"/job-*; do
            state=FAILED
            kill -0 "$(cat "$job")" 2>/dev/null && state=RUNNING
            echo "${job##*-}|$state|here"
        done
        """,
    "scancel": """
        kill -9 -- "-$(cat "$SLURM_OF_THE_TEST/job-$1")"
        """,
}


@pytest.fixture
def slurm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of a Slurm that has a file for each job, with the number of its process."""
    pytest.importorskip("submitit", reason="submitit is an extra: pip install -e '.[slurm]'")
    programs, state = tmp_path / "bin", tmp_path / "slurm"
    programs.mkdir()
    state.mkdir()
    for name, script in SCRIPTS.items():
        program = programs / name
        program.write_text(f"#!/bin/bash\n{script}")
        program.chmod(program.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", f"{programs}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("SLURM_OF_THE_TEST", str(state))
    return state


def test_without_submitit_the_line_that_installs_it_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "submitit", None)
    with pytest.raises(EnvironmentProblem, match=r"pip install -e '\.\[slurm\]'"):
        jobs.require_fit_for_a_cluster(cli.Launch(launcher="slurm"))


def test_a_machine_without_slurm_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("submitit", reason="submitit is an extra: pip install -e '.[slurm]'")
    from benchmarks.running.slurm_pool import SlurmPool

    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(EnvironmentProblem, match="no sbatch or no srun here"):
        SlurmPool(Runtime(), Store.at(tmp_path / "runs"), redo=False)


def test_jobs_in_the_queue_and_their_threads() -> None:
    assert jobs.side_by_side(cli.Launch(launcher="slurm"), "cuda") == (jobs.IN_THE_QUEUE, 1)
    assert jobs.side_by_side(cli.Launch(launcher="slurm", workers=3, threads=8), "cpu") == (3, 8)


def test_a_queue_that_takes_no_job_is_a_sentence(tmp_path: Path, slurm: Path) -> None:
    sbatch = tmp_path / "bin" / "sbatch"
    sbatch.write_text("#!/bin/bash\necho 'sbatch: error: invalid partition specified: fast' >&2\nexit 1\n")
    with pytest.raises(EnvironmentProblem, match=r"Slurm takes no job: .*invalid partition"):
        launch([Job("x", tiny(epochs=1))], Runtime(), Store.at(tmp_path / "runs"), launcher="slurm", out=io.StringIO())


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_jobs_of_slurm_give_the_same_numbers_and_a_killed_one_is_made_again(
    tmp_path: Path, slurm: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from benchmarks.running import slurm_pool

    monkeypatch.setattr(slurm_pool, "ASK", 1.0)
    specs = [tiny(epochs=3, seed=seed) for seed in range(2)]
    here, there = Store.at(tmp_path / "here"), Store.at(tmp_path / "there")
    go(specs, here)
    out = io.StringIO()

    def kill_one() -> None:
        until(lambda: len(list((there.root / FOLDER).glob("*/*/.lock"))) >= 1, 120)
        os.killpg(int((slurm / "job-1").read_text()), 9)

    killer = threading.Thread(target=kill_one)
    killer.start()
    outcome = launch([Job(f"seed {spec.seed}", spec) for spec in specs], Runtime(workers=2), there, launcher="slurm", out=out)
    killer.join()
    text = out.getvalue()
    assert (len(outcome.finished), outcome.failed, outcome.exit_code) == (2, [], 0), text
    assert "2 jobs at a time in the queue of Slurm, on cpu, 1 thread each" in text
    assert "its job 1 of Slurm ended without a result (FAILED)" in text
    assert "it is made again" in text
    assert len(list(slurm.iterdir())) == 3
    assert what_counts_of(there, specs) == what_counts_of(here, specs)
    assert sorted(path.name for path in (there.root / FOLDER / "slurm").iterdir() if not path.name.startswith("1_")) == [], (
        "a job leaves files"
    )
