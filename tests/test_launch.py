"""The launcher: skips what is done, loses at most the run in hand, shares work with another launcher, ends when told to."""

from __future__ import annotations

import io
import multiprocessing
import os
import platform
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import benchmarks.running.launch as launching
import benchmarks.running.pool as pooling
from benchmarks.running.environment import ALLOCATION, ROOT, EnvironmentProblem, Runtime, at_process_start, code_content, describe
from benchmarks.running.estimate import estimate
from benchmarks.running.launch import Outcome, launch
from benchmarks.running.pool import LocalPool
from benchmarks.running.record import Record, identity
from benchmarks.running.run import Epoch
from benchmarks.running.screen import Screen
from benchmarks.running.store import Store, checkpoints
from benchmarks.spec import Job, RunSpec
from models import Constant, OptimSpec
from tests.tiny import tiny

pytestmark = pytest.mark.slow

SHORT, OTHER = tiny(epochs=1), tiny(epochs=1, seed=1)
ENDLESS = tiny(epochs=100_000)


def go(specs: list[RunSpec], store: Store, *, workers: int = 2, rerun: str = "missing") -> tuple[Outcome, str]:
    out = io.StringIO()
    jobs = [Job(f"run {spec.seed} of {spec.epochs}", spec) for spec in specs]
    return launch(jobs, Runtime(workers=workers), store, rerun=rerun, out=out), out.getvalue()


def until(true: Callable[[], bool], seconds: float = 180) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.05)


def free(store: Store, spec: RunSpec) -> bool:
    """Nobody works on this run."""
    with store.lock(spec) as mine:
        return mine


def test_runs_once_and_then_never_again(tmp_path: Path) -> None:
    store = Store.at(tmp_path)
    outcome, text = go([SHORT, OTHER, SHORT], store)
    assert (outcome.asked, outcome.already, len(outcome.finished), outcome.failed, outcome.exit_code) == (2, 0, 2, [], 0)
    assert "2/2 runs" in text
    assert "elapsed" in text
    before = (store.folder(SHORT) / "record.json").stat().st_mtime_ns
    outcome, text = go([SHORT, OTHER], store)
    assert (outcome.already, outcome.finished, text) == (2, [], "")
    assert (store.folder(SHORT) / "record.json").stat().st_mtime_ns == before
    outcome, _ = go([SHORT], store, rerun="all")
    assert len(outcome.finished) == 1
    assert (store.folder(SHORT) / "record.json").stat().st_mtime_ns > before


@pytest.mark.parametrize(
    ("status", "rerun", "started"),
    [("failed", "missing", True), ("diverged", "missing", False), ("diverged", "failed", True), ("ok", "failed", False)],
)
def test_what_counts_as_done(tmp_path: Path, status: str, rerun: str, started: bool) -> None:
    store = Store.at(tmp_path)
    store.put(SHORT, Record(**identity(SHORT), status=status))  # type: ignore[arg-type]
    outcome, _ = go([SHORT], store, rerun=rerun)
    assert len(outcome.finished) == int(started)


def test_a_damaged_record_is_done_again_and_said_so(tmp_path: Path) -> None:
    store = Store.at(tmp_path)
    go([SHORT], store)
    (arrays,) = store.folder(SHORT).glob("arrays-*.npz")
    arrays.write_bytes(b"x")
    outcome, text = go([SHORT], store)
    assert len(outcome.finished) == 1
    assert "damaged" in text
    assert store.status(SHORT) == "ok"
    assert arrays.with_name(f"{arrays.name}.corrupt").read_bytes() == b"x"


def test_a_run_that_diverges_does_not_stop_the_others(tmp_path: Path) -> None:
    diverging = tiny(epochs=1, optim=OptimSpec(lr=1e30, schedule=Constant()))
    outcome, _ = go([diverging, OTHER], Store.at(tmp_path))
    assert (len(outcome.finished), outcome.exit_code) == (2, 0)


def test_a_killed_worker_costs_its_own_run_only(tmp_path: Path) -> None:
    store = Store.at(tmp_path)

    def kill() -> None:
        until(lambda: store.folder(ENDLESS).exists() and not free(store, ENDLESS))
        (victim,) = multiprocessing.active_children()
        assert victim.pid is not None
        os.kill(victim.pid, signal.SIGKILL)

    killer = threading.Thread(target=kill)
    killer.start()
    outcome, text = go([ENDLESS, SHORT], store, workers=1)  # one at a time: the only child is the endless run
    killer.join()
    assert [job.spec.id for job in outcome.finished] == [SHORT.id]
    assert [job.spec.id for job, _ in outcome.failed] == [ENDLESS.id]
    assert "SIGKILL" in outcome.failed[0][1]
    assert outcome.exit_code == 1
    assert store.status(ENDLESS) == "failed"
    assert "SIGKILL" in text


def test_a_run_that_another_launcher_holds_is_waited_for_and_not_repeated(tmp_path: Path) -> None:
    store = Store.at(tmp_path)
    result = Record(**identity(SHORT), status="ok", reason="made elsewhere")
    held, over = threading.Event(), threading.Event()

    def elsewhere() -> None:
        with store.lock(SHORT) as mine:
            assert mine
            held.set()
            until(lambda: store.status(OTHER) == "ok")
            store.put(SHORT, result)
        over.set()

    holder = threading.Thread(target=elsewhere)
    holder.start()
    assert held.wait(10)
    outcome, text = go([SHORT, OTHER], store, workers=1)
    holder.join()
    assert over.is_set()
    assert text.count("another process is making it; waiting for that one") == 1
    assert (len(outcome.finished), outcome.failed) == (2, [])
    written = store.get(SHORT)
    assert written is not None
    assert written.reason == "made elsewhere"


def test_a_process_that_reads_torch_is_not_disturbed_by_an_interrupt() -> None:
    """The fork server reads this first: what Ctrl-C sends to the whole terminal would end it with a traceback."""
    code = "import benchmarks.running.undisturbed, os, signal, sys; os.kill(os.getpid(), signal.SIGINT); print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("False\n", "")


def test_an_unwritable_folder_is_said_before_anything_starts(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(EnvironmentProblem, match="SSM_RUNS"):
        go([SHORT], Store.at(tmp_path / "file"))


SCRIPT = """
import sys
from pathlib import Path
from benchmarks import cli
from benchmarks.running.environment import Runtime
from benchmarks.running.launch import launch
from benchmarks.spec import Job
from benchmarks.running.store import Store
from tests.tiny import tiny
def main():
    jobs = [Job("short", tiny(epochs=1)), Job("endless", tiny(epochs=100_000))]
    outcome = launch(jobs, Runtime(workers=2), Store.at(Path(sys.argv[1])))
    print(outcome.summary())
    return outcome.exit_code
if __name__ == "__main__":
    sys.exit(cli.guarded(main))
"""


def started(tmp_path: Path, store: Store) -> subprocess.Popen[str]:
    """A launcher in a session of its own, when its short run is done and its endless one under way."""
    script = tmp_path / "launcher.py"
    script.write_text(SCRIPT)
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    process = subprocess.Popen(
        [sys.executable, str(script), str(store.root)],
        cwd=tmp_path,
        env=environment,
        start_new_session=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    until(lambda: store.status(SHORT) == "ok" and store.folder(ENDLESS).exists() and not free(store, ENDLESS))
    return process


@pytest.mark.parametrize("how", ["ctrl-c", "sigterm", "sigkill"])
def test_a_launcher_that_is_told_to_end_keeps_what_is_done_and_leaves_nobody_behind(tmp_path: Path, how: str) -> None:
    store = Store.at(tmp_path / "runs")
    process = started(tmp_path, store)
    try:
        if how == "ctrl-c":
            os.killpg(process.pid, signal.SIGINT)  # what a terminal does: the whole group
        else:
            process.send_signal(signal.SIGTERM if how == "sigterm" else signal.SIGKILL)
        text, _ = process.communicate(timeout=20)
    finally:
        process.kill()
    until(lambda: free(store, ENDLESS), 10)
    assert store.status(SHORT) == "ok"
    assert store.status(ENDLESS) == "missing"
    if how == "sigkill":
        assert process.returncode == -signal.SIGKILL
        return
    assert process.returncode == 4
    assert "the same command continues" in text
    assert "1 of 2 runs are done" in text
    assert "Traceback" not in text


SILENT = """
import multiprocessing, sys, time
from pathlib import Path
import benchmarks.running.run as running
from benchmarks.running.environment import Runtime
from benchmarks.running.store import Store
from benchmarks.running.worker import work
from tests.tiny import tiny
def silent(*arguments):
    print("at work", flush=True)
    time.sleep(120)
running.run = silent
context = multiprocessing.get_context("fork")
mine, theirs = context.Pipe(duplex=False)
context.Process(target=work, args=(tiny(epochs=1), Runtime(), Store.at(Path(sys.argv[1])), False, theirs), daemon=True).start()
time.sleep(120)
"""


def test_a_worker_in_the_middle_of_an_epoch_does_not_outlive_a_killed_launcher(tmp_path: Path) -> None:
    """It says nothing for two minutes, so that a broken pipe does not end it either."""
    store = Store.at(tmp_path)
    command = [sys.executable, "-W", "ignore", "-c", SILENT, str(store.root)]
    with subprocess.Popen(command, cwd=ROOT, start_new_session=True, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "at work\n"
            assert not free(store, SHORT)
            process.kill()
            process.wait()
            until(lambda: free(store, SHORT), 20)
        finally:
            os.killpg(process.pid, signal.SIGKILL) if not free(store, SHORT) else None


def put(store: Store, spec: RunSpec, **changes: Any) -> Record:
    return store.put(spec, Record(**{**identity(spec), "status": "ok", **changes}))


def test_records_of_other_code_are_named_and_made_again_on_request(tmp_path: Path) -> None:
    store = Store.at(tmp_path)
    put(store, SHORT, environment={"content": "0123456789ab"})
    put(store, OTHER, environment={"code": "of before"})  # unknown: nobody is nagged about it
    outcome, text = go([SHORT, OTHER], store)
    assert (outcome.already, outcome.finished) == (2, [])
    assert text == "1 of these records were made by other code (0123456789ab); --rerun stale makes them again\n"
    outcome, text = go([SHORT, OTHER], store, rerun="stale")
    assert [job.spec.id for job in outcome.finished] == [SHORT.id]
    assert "other code" not in text
    made = store.get(SHORT)
    assert made is not None
    assert made.environment["content"] == code_content()
    assert go([SHORT, OTHER], store)[1] == ""


def test_a_record_of_a_newer_version_is_left_alone_and_its_run_not_done(tmp_path: Path) -> None:
    store = Store.at(tmp_path)
    put(store, SHORT)
    path = store.folder(SHORT) / "record.json"
    path.write_text(path.read_text().replace('"schema": 2', '"schema": 3'))
    before = path.read_bytes()
    for rerun in ("missing", "failed", "stale", "all"):
        outcome, _ = go([SHORT, SHORT], store, rerun=rerun)
        assert outcome.exit_code == 1
        assert "newer" in outcome.summary()
        assert path.read_bytes() == before
    assert {file.name for file in path.parent.iterdir()} <= {"record.json", ".lock"}


def test_a_malformed_record_stops_no_launch(tmp_path: Path) -> None:
    store = Store.at(tmp_path)
    put(store, SHORT)
    path = store.folder(SHORT) / "record.json"
    path.write_text(path.read_text().replace('"history": []', '"history": null'))
    outcome, text = go([SHORT], store)
    assert (len(outcome.finished), outcome.exit_code) == (1, 0)
    assert f"{SHORT.id}/record.json cannot be used: has no list of tables of numbers as its history" in text
    assert store.status(SHORT) == "ok"


def test_checkpoints_that_a_finished_run_has_left_are_swept(tmp_path: Path) -> None:
    store = Store.at(tmp_path)
    store.folder(SHORT).mkdir(parents=True)
    (store.folder(SHORT) / "checkpoint-000001-0.ckpt").write_bytes(b"")
    put(store, SHORT)
    go([SHORT], store)
    assert checkpoints(store.folder(SHORT), "*") == []


def concluded(store: Store, spec: RunSpec, before: int) -> Outcome:
    """What is booked for a worker that died without a word."""
    outcome = Outcome(asked=1, already=0)
    job = Job("x", spec)
    pool = LocalPool(Runtime(), store, redo=False)
    cause = pooling._cause_of_death(-9)
    assert "SIGKILL" in cause
    launching._conclude(launching._Run(job, before), cause, pool, store, outcome, Screen([job], io.StringIO()))
    return outcome


def test_a_finished_run_whose_worker_died_is_what_its_record_says(tmp_path: Path) -> None:
    store = Store.at(tmp_path)
    written = put(store, SHORT, status="diverged", reason="step 3")
    outcome = concluded(store, SHORT, before=0)
    assert (len(outcome.finished), outcome.failed) == (1, [])
    assert store.get(SHORT) == written
    outcome = concluded(store, SHORT, before=store.stamp(SHORT))  # a repetition that came to nothing
    assert (outcome.finished, len(outcome.failed)) == ([], 1)
    assert store.get(SHORT) == written
    outcome = concluded(store, OTHER, before=0)
    assert len(outcome.failed) == 1
    assert store.status(OTHER) == "failed"


def test_a_long_temporary_folder_is_no_obstacle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    long = tmp_path / ("t" * 120)
    long.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(long))
    with pooling._room_for_a_socket():
        assert len(tempfile.gettempdir()) < pooling.SOCKET_PATH
    assert tempfile.gettempdir() == str(long)
    monkeypatch.setattr(os, "access", lambda *arguments: False)
    with pytest.raises(EnvironmentProblem, match="TMPDIR"), pooling._room_for_a_socket():
        pass


def test_a_worker_begins_with_all_that_a_run_reads_and_imports() -> None:
    """The server whose copy it is runs in one thread (pyarrow has its own), holds the hash of the sources, and what a run would import."""
    lines = (
        "import benchmarks.running.warm, sys",
        "from pathlib import Path",
        "from benchmarks.running.environment import code_content, code_version",
        "threads = [(task / 'comm').read_text().strip() for task in Path('/proc/self/task').iterdir()]",
        "print(len(threads) - threads.count('jemalloc_bg_thd'), code_content.cache_info().currsize, code_version.cache_info().currsize)",
        "from tests.tiny import tiny",  # names the data set, which a spec brings along
        "before = set(sys.modules)",
        "from benchmarks.running.weights import build_network",
        "build_network(tiny())",
        "print(sorted(set(sys.modules) - before))",
    )
    environment = {**os.environ, **at_process_start(1)}
    done = subprocess.run([sys.executable, "-c", "\n".join(lines)], cwd=ROOT, env=environment, capture_output=True, text=True, check=True)
    assert done.stdout == "1 1 1\n[]\n"


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="these are variables of glibc")
def test_a_run_is_started_with_its_allocation_and_its_record_says_so(tmp_path: Path) -> None:
    store = Store.at(tmp_path)
    launch([Job("one", tiny())], Runtime(), store, out=io.StringIO())
    made = store.get(tiny())
    assert made is not None
    assert made.environment["allocation"] == " ".join(sorted(f"{name}={value}" for name, value in ALLOCATION.items()))
    assert not set(ALLOCATION) & set(os.environ)


def test_workers_know_nothing_of_a_cluster(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("RANK", "LOCAL_RANK", "SLURM_PROCID", "PL_TRAINER_FAST_DEV_RUN"):
        monkeypatch.setenv(name, "3")
    with pooling._server_environment(1):
        assert not [name for name in os.environ if name.startswith("SLURM_") or name in ("RANK", "LOCAL_RANK", "PL_TRAINER_FAST_DEV_RUN")]
    assert os.environ["SLURM_PROCID"] == os.environ["RANK"] == os.environ["PL_TRAINER_FAST_DEV_RUN"] == "3"


def test_a_full_disk_in_a_worker_is_code_5_and_a_sentence(tmp_path: Path) -> None:
    job = Job("x", SHORT)
    run, store = launching._Run(job, 0, said=("environment", "the record cannot be written: No space left")), Store.at(tmp_path)
    pool = LocalPool(Runtime(), store, redo=False)
    with pytest.raises(EnvironmentProblem, match=r"No space left\. Free some space"):
        launching._conclude(run, "", pool, store, Outcome(asked=1, already=0), Screen([job], io.StringIO()))


def test_an_estimate_comes_from_records_of_this_machine(tmp_path: Path) -> None:
    store, runtime = Store.at(tmp_path), Runtime(workers=2)
    jobs = [Job(f"seed {seed}", tiny(epochs=1, seed=seed)) for seed in range(3)]
    assert estimate(jobs, runtime, store) == ""
    put(store, tiny(epochs=1, seed=9), environment={**describe(runtime), "cpu": "another"}, cost={"wall_seconds": 5.0})
    assert estimate(jobs, runtime, store) == ""
    put(store, tiny(epochs=1, seed=10), environment=describe(runtime), cost={"wall_seconds": 60.0}, history=({"epoch": 0},))
    assert estimate(jobs, runtime, store).startswith("about 2:00 ")  # three runs of a minute, two at a time
    other = Job("longer", tiny(epochs=10, batch_size=7))
    assert estimate([other], runtime, store).startswith("about 10:00 ")  # by its epochs
    assert estimate([other, Job("unknown", tiny(benchmark="elsewhere"))], runtime, store) == ""


def test_without_a_terminal_there_is_a_line_every_ten_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    out = io.StringIO()
    screen = Screen([Job("a", SHORT)], out)
    for ago, lines in ((9.0, 0), (10.1, 1), (0.0, 1)):
        screen.said = time.monotonic() - ago if ago else screen.said
        screen.show([(Job("a", SHORT), None)])
        assert out.getvalue().count("\n") == lines
    assert "0/1 runs" in out.getvalue()
    assert out.getvalue().endswith("a starting\n")


def test_the_live_line_says_how_far_everything_is() -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    out = Terminal()
    screen = Screen([Job("a", SHORT), Job("b", ENDLESS)], out)
    screen.begun -= 61
    screen.finished(Job("a", SHORT), "ok", "test_accuracy 0.5")
    assert "a: ok, test_accuracy 0.5" in out.getvalue()
    assert "1/2 runs, 1:01 elapsed, about" in out.getvalue()
    assert "\x1b" not in out.getvalue()
    screen.drawn -= 1
    job = Job("b [1]", ENDLESS)  # brackets are no markup
    screen.show([(job, Epoch(id=job.spec.id, epoch=9, epochs=100_000, train_loss=1.25, val_loss=1.0, metric=0.5)), (Job("c", OTHER), None)])
    drawn = out.getvalue()
    for words in ("b [1]", "10/100000", "loss 1.25", "val 0.5", "starting"):
        assert words in drawn
    screen.say("a line that stays")
    screen.close()
    assert "a line that stays" in out.getvalue()[len(drawn) :]
    assert "\x1b[?25h" in out.getvalue()[len(drawn) :]  # the cursor is back


def test_without_a_terminal_there_are_plain_lines_only() -> None:
    out = io.StringIO()
    screen = Screen([Job("a", SHORT)], out)
    screen.drawn -= 1
    screen.show([(Job("a", SHORT), None)])
    screen.say("[bold]as it is[/bold] " + "x" * 300)
    screen.close()
    assert out.getvalue() == "[bold]as it is[/bold] " + "x" * 300 + "\n"


def test_the_estimate_does_not_count_epochs_of_an_earlier_session() -> None:
    job = Job("a", tiny(epochs=100))
    screen = Screen([job], io.StringIO())
    screen.begun -= 60
    for last in (50, 59):
        screen.show([(job, Epoch(id=job.spec.id, epoch=last, epochs=100, train_loss=1.0, val_loss=1.0, metric=0.5))])
    assert "about 4:00 left" in screen.state()  # 40 of 100 epochs are left; the 10 of this session took a minute


def test_a_note_of_a_worker_is_shown_with_its_run(tmp_path: Path) -> None:
    """What a checkpoint has to say reaches the screen: here of one that is damaged."""
    store = Store.at(tmp_path)
    store.folder(SHORT).mkdir(parents=True)
    (store.folder(SHORT) / "checkpoint-000001-0.ckpt").write_bytes(b"")
    outcome, text = go([SHORT], store)
    assert outcome.exit_code == 0
    assert "run 0 of 1: checkpoint-000001-0.ckpt is damaged" in text
    assert "starts from scratch" in text
