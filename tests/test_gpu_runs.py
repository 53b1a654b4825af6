"""Whole runs on a GPU: two epochs and a record, the same numbers again, a kill, memory that ends, several runs on one card."""

from __future__ import annotations

import io
import math
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from pytorch_lightning import Callback, LightningModule, Trainer

import benchmarks.running.run as running
from benchmarks.running.environment import ROOT, Runtime
from benchmarks.running.launch import launch
from benchmarks.running.record import Record
from benchmarks.running.run import run
from benchmarks.running.store import Store, checkpoints
from benchmarks.spec import Job, RunSpec
from data.images.digits import DigitsSpec
from data.probes.delay import DelaySpec
from models import DEFAULT_VARIANTS, VARIANTS, Constant, Cosine, OptimSpec
from tests.tiny import tiny

pytestmark = [pytest.mark.gpu, pytest.mark.slow]

TIMES = {"seconds", "seconds_per_epoch", "wall_seconds", "peak_memory_mb", "date", "sessions", "checksum"}
SPEC = tiny(epochs=6, optim=OptimSpec(lr=3e-2, schedule=Cosine(warmup_steps=3)))
SPEC = replace(SPEC, model=replace(SPEC.model, dropout=0.3))
HUGE = replace(tiny(epochs=1, batch_size=1257, data=DigitsSpec(noise=8000)), model=replace(SPEC.model, d_model=4096, mixing="linear"))
"""Its first tensor, 1257 x 8064 x 4096 numbers, is larger than any card."""


@pytest.fixture(autouse=True)
def own_threads() -> Iterator[None]:
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


def of(name: str, **changes: Any) -> RunSpec:
    """A tiny run of a row of the tables, with dropout."""
    spec = tiny(**changes)
    return replace(spec, model=replace(spec.model, mixer=VARIANTS[name].mixer, d_model=8, dropout=0.2))


def go(spec: RunSpec, folder: Path, device: str) -> Record:
    return run(spec, Runtime(device=device, threads=1), Store.at(folder))  # type: ignore[arg-type]


def plain(value: Any) -> Any:
    """All but the times."""
    if isinstance(value, dict):
        return {k: plain(v) for k, v in value.items() if k not in TIMES}
    return [plain(v) for v in value] if isinstance(value, (list, tuple)) else value


def same(a: Record, b: Record) -> None:
    assert (a.status, b.status) == ("ok", "ok"), (a.reason, b.reason)
    assert plain(vars(a)) == plain(vars(b))


@pytest.mark.parametrize("name", VARIANTS)
def test_two_epochs_become_a_record_and_the_same_one_again(device: str, tmp_path: Path, name: str) -> None:
    record = go(of(name), tmp_path / "once", device)
    assert record.status == "ok", record.reason
    assert record.environment["device"].startswith(device)
    assert record.cost["peak_memory_mb"] > 0
    assert len(record.history) == 2
    assert all(math.isfinite(row["train_loss"]) for row in record.history)
    assert record.arrays is not None or name in ("lstm", "transformer")
    same(record, go(of(name), tmp_path / "again", device))


@pytest.mark.parametrize("name", DEFAULT_VARIANTS)
def test_the_numbers_are_those_of_the_cpu(device: str, tmp_path: Path, name: str) -> None:
    """Without dropout, whose numbers each device draws for itself."""
    spec = of(name)
    spec = replace(spec, model=replace(spec.model, dropout=0.0))
    there, here = go(spec, tmp_path / "there", device), go(spec, tmp_path / "here", "cpu")
    assert there.metrics["test_loss"] == pytest.approx(here.metrics["test_loss"], rel=1e-3)
    assert [row["train_loss"] for row in there.history] == pytest.approx([row["train_loss"] for row in here.history], rel=1e-3)
    assert there.data == here.data


def test_mixed_precision_and_a_task_of_every_step(device: str, tmp_path: Path) -> None:
    record = go(of("s4d-lin", precision="bf16-mixed"), tmp_path, device)
    assert record.status == "ok", record.reason
    spec = tiny(benchmark="delay", data=DelaySpec(length=200, delay=50, n_train=256, n_val=64, n_test=64), batch_size=64, epochs=1)
    record = go(replace(spec, model=replace(spec.model, pool_last=None)), tmp_path, device)
    assert record.status == "ok", record.reason


class Watched(Callback):
    """Every training step of a real run is an error where it waits for the device, from the third on."""

    def __init__(self) -> None:
        self.steps = 0

    def on_train_batch_start(self, trainer: Trainer, task: LightningModule, batch: Any, batch_idx: int) -> None:
        self.steps += 1
        if self.steps > 2 and torch.cuda.is_available():
            torch.cuda.set_sync_debug_mode("error")

    def on_train_batch_end(self, trainer: Trainer, task: LightningModule, outputs: Any, batch: Any, batch_idx: int) -> None:
        if torch.cuda.is_available():
            torch.cuda.set_sync_debug_mode("default")


@pytest.mark.parametrize("precision", ["32-true", "bf16-mixed"])
def test_no_step_of_a_run_waits_for_the_device(device: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, precision: Any) -> None:
    watched = Watched()

    class Watching(Trainer):
        def __init__(self, **options: Any) -> None:
            super().__init__(**options | {"callbacks": [watched, *options["callbacks"]]})

    monkeypatch.setattr(running, "Trainer", Watching)
    record = go(of("s4d-lin", precision=precision), tmp_path, device)
    assert record.status == "ok", record.reason
    assert watched.steps == 10


# ------------------------------------------------------------------------------------------------- kills

SCRIPT = """
import os, signal, sys
from pathlib import Path
from benchmarks.running import checkpoint
from benchmarks.running.environment import Runtime
from benchmarks.running.run import run
from benchmarks.running.store import Store
from tests.test_gpu_runs import SPEC
checkpoint.EVERY = 0.0
def die(epoch):
    if epoch.epoch == 2:
        os.kill(os.getpid(), signal.SIGKILL)
run(SPEC, Runtime(device=sys.argv[2], threads=1), Store.at(Path(sys.argv[1])), die)
"""


def test_a_killed_run_goes_on_bit_equal(device: str, tmp_path: Path) -> None:
    undisturbed = go(SPEC, tmp_path / "undisturbed", device)
    store = Store.at(tmp_path / "killed")
    variables = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])}
    command = [sys.executable, "-W", "ignore", "-c", SCRIPT, str(tmp_path / "killed"), device]
    done = subprocess.run(command, cwd=ROOT, env=variables, capture_output=True, text=True, check=False)
    assert done.returncode == -signal.SIGKILL, done.stderr
    assert len(checkpoints(store.folder(SPEC))) == 2
    torch.manual_seed(99)
    record = go(SPEC, tmp_path / "killed", device)
    assert record.cost["sessions"] == 2
    same(record, undisturbed)


# ------------------------------------------------------------------------------------------------- memory


def test_memory_that_ends_is_a_failed_run_and_the_next_one_has_it_all(device: str, tmp_path: Path) -> None:
    if device != "cuda":
        pytest.skip("the memory of a CPU ends with the process")
    before = go(SPEC, tmp_path / "before", device)
    record = go(HUGE, tmp_path, device)
    assert record.status == "failed"
    assert record.reason.startswith("OutOfMemoryError: CUDA out of memory")
    torch.cuda.set_per_process_memory_fraction(0.002)  # the other way in which it ends: piece by piece
    try:
        spec = replace(tiny(epochs=1, batch_size=1257, data=DigitsSpec(noise=500)), model=replace(SPEC.model, d_model=64))
        record = go(spec, tmp_path, device)
    finally:
        torch.cuda.set_per_process_memory_fraction(1.0)
    assert record.status == "failed"
    assert "memory" in record.reason.lower()
    same(go(SPEC, tmp_path, device), before)


def test_several_runs_on_one_card_of_which_one_finds_no_memory(device: str, tmp_path: Path) -> None:
    small = [of("s4d-lin", seed=seed, optim=OptimSpec(lr=1e-2, schedule=Constant())) for seed in range(3)]
    specs = [small[0], *([HUGE] if device == "cuda" else []), *small[1:]]
    out, store = io.StringIO(), Store.at(tmp_path)
    jobs = [Job(f"run {i}", spec) for i, spec in enumerate(specs)]
    outcome = launch(jobs, Runtime(device=device, workers=3, threads=1), store, out=out)  # type: ignore[arg-type]
    assert len(outcome.finished) == 3, out.getvalue()
    assert [job.spec for job, _ in outcome.failed] == specs[1:2] * (device == "cuda")
    for spec in small:
        record = store.get(spec)
        assert record is not None
        assert record.environment["device"].startswith(device)
    if device == "cuda":
        lost = store.get(HUGE)
        assert lost is not None
        assert lost.reason.startswith("OutOfMemoryError")
