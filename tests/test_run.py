"""run(): repeatable, chosen on validation, tested once, and honest about runs that go wrong."""

from __future__ import annotations

import math
import os
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

import benchmarks.running.run as running
from benchmarks.evaluate import evaluate
from benchmarks.running import checkpoint
from benchmarks.running.environment import Runtime
from benchmarks.running.record import Record
from benchmarks.running.run import Epoch, run, snapshot
from benchmarks.running.store import Store, checkpoints
from benchmarks.running.trial import try_out
from benchmarks.running.weights import build_network
from benchmarks.spec import RunSpec
from benchmarks.speed import profiled
from data.base import DataError
from models import DEFAULT_VARIANTS, VARIANTS, Constant, DSSSpec, HOPESpec, ModelSpec, NoRecurrence, OptimSpec
from models.dss import DSSKernel
from tests.tiny import tiny

TIMES = {"seconds", "seconds_per_epoch", "wall_seconds", "peak_memory_mb", "date", "checksum"}


@pytest.fixture(autouse=True)
def keep_torch_threads() -> Any:
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


def once(spec: RunSpec, folder: Path, **options: Any) -> tuple[Record, dict[str, np.ndarray]]:
    store = Store.at(folder)
    record = run(spec, Runtime(), store, **options)
    stored = store.find(spec.benchmark, spec.id)
    return record, stored.arrays() if stored else {}


def without_times(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: without_times(v) for k, v in value.items() if k not in TIMES}
    return [without_times(v) for v in value] if isinstance(value, (list, tuple)) else value


def test_the_same_spec_gives_the_same_bits(tmp_path: Path) -> None:
    a, arrays_a = once(tiny(), tmp_path / "a")
    once(tiny(mixer=HOPESpec(d_state=4), seed=7), tmp_path / "between")  # leaves nothing behind that could matter
    b, arrays_b = once(tiny(), tmp_path / "b")
    assert a.status == "ok", a.reason
    assert without_times(vars(a)) == without_times(vars(b))
    assert a.arrays == b.arrays  # the same sha256
    assert set(arrays_a) == set(arrays_b)
    other, arrays_other = once(tiny(seed=1), tmp_path / "c")
    assert other.metrics != a.metrics
    assert not np.array_equal(arrays_other["layer0/start/kernel"], arrays_a["layer0/start/kernel"])


def test_a_record_holds_everything_it_should(tmp_path: Path) -> None:
    events: list[Epoch] = []
    spec = tiny(epochs=3)
    record, arrays = once(spec, tmp_path, progress=events.append)
    assert record.status == "ok", record.reason
    tests = {"test_accuracy", "test_accuracy_constant", "test_accuracy_best_constant", "test_loss"}
    assert set(record.metrics) == tests | {"val_accuracy", "val_loss", "best_epoch"}
    assert 0 < record.metrics["test_accuracy_constant"] < 1
    assert record.metrics["test_accuracy_best_constant"] >= record.metrics["test_accuracy_constant"] - 1e-6
    assert [row["epoch"] for row in record.history] == [event.epoch for event in events] == [0, 1, 2]
    assert all(math.isfinite(row[key]) for row in record.history for key in ("train_loss", "val_loss", "val_accuracy", "lr", "seconds"))
    assert record.history[0]["train_loss"] != record.history[1]["train_loss"]
    best = max(record.history, key=lambda row: (row["val_accuracy"], -row["val_loss"]))
    assert (record.metrics["best_epoch"], record.metrics["val_loss"]) == (best["epoch"], best["val_loss"])
    names = [name for group in record.rates for name in group["parameters"]]
    assert len(names) == len(set(names))
    assert sum(group["n"] for group in record.rates) == record.cost["parameters"]
    assert 0 < record.cost["kernel_parameters"] < record.cost["parameters"]
    rates = {name: (group["lr"], group["weight_decay"]) for group in record.rates for name in group["parameters"]}
    assert rates["model.blocks.0.layer.kernel.theta_dt"] == (1e-3, 0.0)
    assert rates["model.decoder.weight"] == (1e-2, 1e-2)
    assert record.data["counts"] == {"train": 1258, "val": 180, "test": 359}
    made = {"code", "dirty", "python", "torch", "pytorch_lightning", "numpy", "device", "matmul", "threads", "workers"}
    assert made <= set(record.environment)
    assert {key.split("/", 1)[1] for key in arrays} == {
        f"{moment}/{what}" for moment in ("start", "end") for what in ("kernel", "memory", "eigenvalues", "hsv")
    }
    assert not np.array_equal(arrays["layer0/start/kernel"], arrays["layer0/end/kernel"])


def test_test_sees_the_best_weights_and_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """After the last validation the weights are spoilt; at test time the network is again the one that scored best."""
    seen: list[dict[str, float]] = []
    real_test, real_copy = running.Trainer.test, running.BestOnValidation.on_validation_end

    def spoil(best: running.BestOnValidation, trainer: Any, task: Any) -> None:
        real_copy(best, trainer, task)
        if trainer.state.fn == "fit" and trainer.current_epoch == 3:
            for parameter in task.parameters():
                parameter.data.normal_()

    def spy(trainer: Any, task: Any, datamodule: Any, verbose: bool) -> Any:
        seen.append(trainer.validate(task, datamodule=datamodule, verbose=False)[0])
        return real_test(trainer, task, datamodule=datamodule, verbose=verbose)

    monkeypatch.setattr(running.Trainer, "test", spy)
    monkeypatch.setattr(running.BestOnValidation, "on_validation_end", spoil)
    record, _ = once(tiny(epochs=4), tmp_path)
    assert record.status == "ok", record.reason
    assert len(seen) == 1
    assert seen[0]["val_accuracy"] == pytest.approx(record.metrics["val_accuracy"], abs=1e-7)
    assert seen[0]["val_loss"] == pytest.approx(record.metrics["val_loss"], rel=1e-5)


def test_every_variant_of_one_seed_sees_the_data_in_the_same_order(tmp_path: Path) -> None:
    a, _ = once(tiny(epochs=1), tmp_path)
    b, _ = once(tiny(mixer=HOPESpec(d_state=4), epochs=1), tmp_path)
    c, _ = once(tiny(epochs=1, seed=1), tmp_path)
    assert a.data == b.data
    assert a.data["order"] != c.data["order"]
    assert a.data["hash"] == c.data["hash"]


def test_a_run_that_diverges_is_a_result(tmp_path: Path) -> None:
    spec = tiny(optim=OptimSpec(lr=1e30, schedule=Constant()))
    record, arrays = once(spec, tmp_path)
    assert record.status == "diverged"
    assert "step" in record.reason
    assert set(record.metrics.values()) == {None}
    assert arrays == {}
    assert Store.at(tmp_path).status(spec) == "diverged"


def test_a_divergence_that_only_the_test_shows_is_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The trained run is not lost: history, choice on validation and cost are in the record."""
    real = running.SequenceTask._step

    def poisoned(task: Any, batch: Any, stage: Any) -> torch.Tensor:
        return real(task, {**batch, "x": batch["x"] * (float("nan") if stage == "test" else 1.0)}, stage)

    monkeypatch.setattr(running.SequenceTask, "_step", poisoned)
    record, arrays = once(tiny(), tmp_path)
    assert record.status == "diverged"
    assert "test loss" in record.reason
    assert {record.metrics[name] for name in ("test_accuracy", "test_loss", "test_accuracy_constant")} == {None}
    assert record.metrics["val_accuracy"] is not None
    assert len(record.history) == 2
    assert arrays == {}


def test_an_error_while_kernels_are_photographed_costs_the_pictures_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole, _ = once(tiny(), tmp_path / "a")
    real = running.snapshot

    def broken(model: Any, moment: str, length: int) -> Any:
        if moment == "end":
            raise RuntimeError("no such eigenvalue")
        return real(model, moment, length)

    monkeypatch.setattr(running, "snapshot", broken)
    said: list[str] = []
    record, arrays = once(tiny(), tmp_path / "b", say=said.append)
    assert (record.status, record.reason) == ("ok", "without kernels of end: RuntimeError: no such eigenvalue")
    assert said == ["the record goes without kernels of end: RuntimeError: no such eigenvalue"]
    assert record.metrics == whole.metrics
    assert {name.split("/")[1] for name in arrays} == {"start"}


def test_a_full_disk_is_no_failure_of_the_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*arguments: Any, **options: Any) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(running, "SequenceTask", full)
        with pytest.raises(OSError, match="No space"):
            once(tiny(), tmp_path)
    assert Store.at(tmp_path).status(tiny()) == "missing"


def test_a_record_that_does_not_fit_takes_the_room_of_older_checkpoints(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store, spec = Store.at(tmp_path), tiny()
    real, left = Store.put, []

    def full_once(self: Store, *arguments: Any, **named: Any) -> Record:
        left.append(len(checkpoints(store.folder(spec))))
        if len(left) == 1:
            raise OSError(28, "No space left on device")
        return real(self, *arguments, **named)

    def with_checkpoints(epoch: Epoch) -> None:
        if epoch.epoch == 1:
            for number in (1, 2):
                (store.folder(spec) / f"checkpoint-00000{number}-0.ckpt").write_bytes(b"")

    store.folder(spec).mkdir(parents=True)
    monkeypatch.setattr(Store, "put", full_once)
    assert run(spec, Runtime(), store, with_checkpoints).status == "ok"
    assert left == [2, 1]
    assert checkpoints(store.folder(spec), "*") == []


def test_checkpoints_go_only_when_the_record_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store, spec = Store.at(tmp_path), tiny()
    monkeypatch.setattr(checkpoint, "EVERY", 0.0)
    real, left = Store.put, []

    def spy(self: Store, *arguments: Any, **named: Any) -> Record:
        left.append(len(checkpoints(store.folder(spec))))
        return real(self, *arguments, **named)

    monkeypatch.setattr(Store, "put", spy)
    run(spec, Runtime(), store)
    assert left == [1]
    assert checkpoints(store.folder(spec)) == []


def scored(metric: str, sign: float, epochs: list[tuple[float, float]]) -> running.BestOnValidation:
    """What is chosen from epochs of (validation metric, validation loss)."""
    best = running.BestOnValidation(metric, sign)
    task = torch.nn.Linear(1, 1)
    for number, (value, loss) in enumerate(epochs):
        with torch.no_grad():
            task.weight.fill_(number)
        best.on_validation_end(SimpleNamespace(callback_metrics={metric: value, "val_loss": loss}, current_epoch=number), task)  # type: ignore[arg-type]
    assert float(best.state["weight"]) == best.epoch
    return best


@pytest.mark.parametrize(
    ("metric", "sign", "epochs", "chosen"),
    [
        ("val_accuracy", 1.0, [(0.5, 1.0), (0.7, 2.0), (0.6, 0.5)], 1),  # the metric, not the loss
        ("val_rmse", -1.0, [(5.0, 1.0), (3.0, 2.0), (4.0, 0.5)], 1),  # the lower error
        ("val_accuracy", 1.0, [(0.7, 2.0), (0.7, 1.0), (0.7, 3.0)], 1),  # ties: the lower loss
        ("val_rmse", -1.0, [(3.0, 2.0), (3.0, 1.0), (3.0, 3.0)], 1),
        ("val_accuracy", 1.0, [(0.7, 1.0), (0.7, 1.0)], 0),  # nothing between them: the first
    ],
)
def test_which_epoch_is_chosen(metric: str, sign: float, epochs: list[tuple[float, float]], chosen: int) -> None:
    best = scored(metric, sign, epochs)
    assert best.epoch == chosen
    assert best.scores == {metric: epochs[chosen][0], "val_loss": epochs[chosen][1]}


@pytest.mark.parametrize("regression", [False, True])
def test_a_run_chooses_by_the_metric_of_its_task(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, regression: bool) -> None:
    seen = []
    real = running.BestOnValidation.__init__

    def spy(self: Any, metric: str, sign: float) -> None:
        seen.append((metric, sign))
        real(self, metric, sign)

    monkeypatch.setattr(running.BestOnValidation, "__init__", spy)
    spec = tiny(epochs=1)
    if regression:
        signature = replace(spec.data.signature, regression=True, d_output=1)
        monkeypatch.setattr(type(spec.data), "signature", property(lambda self: signature))
        real_step = running.SequenceTask._step
        monkeypatch.setattr(
            running.SequenceTask, "_step", lambda task, batch, stage: real_step(task, {**batch, "y": batch["y"].float()}, stage)
        )
    record, _ = once(spec, tmp_path)
    assert record.status == "ok", record.reason
    assert seen == [("val_rmse", -1.0) if regression else ("val_accuracy", 1.0)]


def test_a_run_is_one_process_whatever_the_environment_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Variables of Slurm and torchrun, and of Lightning's Trainer, change no number and silence no logger."""
    plain, _ = once(tiny(), tmp_path / "a")
    group = {"RANK": "1", "LOCAL_RANK": "1", "WORLD_SIZE": "4", "NODE_RANK": "1", "MASTER_ADDR": "nowhere", "MASTER_PORT": "no number"}
    cluster = {"SLURM_PROCID": "1", "SLURM_NTASKS": "4", "SLURM_JOB_NAME": "x", "SLURM_LOCALID": "1"}
    trainer = {"PL_TRAINER_FAST_DEV_RUN": "1", "PL_TRAINER_LIMIT_TRAIN_BATCHES": "1", "PL_TRAINER_GRADIENT_CLIP_VAL": "0.001"}
    for name, value in {**group, **cluster, **trainer}.items():
        monkeypatch.setenv(name, value)
    seen = []
    real = running.loggers.make
    monkeypatch.setattr(running.rank_zero_only, "rank", 1)
    monkeypatch.setattr(running.loggers, "make", lambda *a: seen.append(running.rank_zero_only.rank) or real(*a))
    record, _ = once(tiny(), tmp_path / "b")
    assert record.status == "ok", record.reason
    assert (record.metrics, record.arrays) == (plain.metrics, plain.arrays)
    assert seen == [0]
    assert running.rank_zero_only.rank == 1
    assert os.environ["PL_TRAINER_FAST_DEV_RUN"] == "1"


@pytest.mark.parametrize("switch", ["none", "tf32"])
def test_what_is_worked_with_rounds_as_its_record_says_and_cudnn_is_left_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, switch: str
) -> None:
    """In a run, in its evaluation, in a trial and in a profile; the record names a switch of a single backend too."""
    seen = []
    real = running.SequenceTask.outputs
    monkeypatch.setattr(running.SequenceTask, "outputs", lambda task, batch: seen.append(of_cudnn()) or real(task, batch))
    of_cudnn = lambda: (torch.backends.cudnn.conv.fp32_precision, torch.backends.cudnn.rnn.fp32_precision)
    monkeypatch.setattr(profiled, "WARM", 1)
    monkeypatch.setattr(profiled, "STEPS", 1)
    cuda, cudnn, spec, store = torch.backends.cuda.matmul, torch.backends.cudnn, tiny(epochs=1), Store.at(tmp_path)
    before = cudnn.allow_tf32, cuda.fp32_precision
    cudnn.allow_tf32, cuda.fp32_precision = switch == "none", switch
    told = of_cudnn()
    try:
        record = run(spec, Runtime(), store)
        stored = store.find(spec.benchmark, spec.id)
        assert stored is not None, record.reason
        works = [
            lambda: evaluate(stored, build_network(spec), spec, Runtime()),
            lambda: try_out(spec, Runtime()),
            lambda: profiled.profile(tiny(batch_size=64), "s4d-lin", Runtime()),
        ]
        for work in (lambda: None, *works):
            work()
            assert set(seen) == {("ieee", "ieee") if switch == "none" else ("tf32", "tf32")}
            assert of_cudnn() == told
            assert cudnn.allow_tf32 is (switch == "none")
            seen.clear()
    finally:
        cudnn.allow_tf32, cuda.fp32_precision = before
    assert record.environment["matmul"].startswith("highest" if switch == "none" else "cuda tf32, cpu ")


def test_a_record_carries_every_constant_answer_that_the_task_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = running.Trainer.test

    def more(trainer: Any, *arguments: Any, **options: Any) -> Any:
        return [{**real(trainer, *arguments, **options)[0], "test_accuracy_best_constant": 0.25}]

    monkeypatch.setattr(running.Trainer, "test", more)
    record, _ = once(tiny(epochs=1), tmp_path)
    assert record.metrics["test_accuracy_best_constant"] == 0.25


@pytest.mark.parametrize("bad_step", [0, 3])
def test_divergence_names_the_first_bad_step(bad_step: int) -> None:
    watch = running.NonFinite()
    for step in range(5):
        watch.pending.append(torch.tensor(float("nan") if step >= bad_step else 1.0))
    with pytest.raises(running.Diverged, match=f"step {bad_step} is nan"):
        watch.look()


def test_an_error_is_a_record_that_is_not_done(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    spec = tiny(epochs=1)

    def broken(*arguments: Any, **options: Any) -> None:
        raise RuntimeError("the roof is on fire\nand more")

    with monkeypatch.context() as patched:
        patched.setattr(running, "SequenceTask", broken)
        record, _ = once(spec, tmp_path)
    assert (record.status, record.reason, dict(record.metrics)) == ("failed", "RuntimeError: the roof is on fire", {})
    trace = Store.at(tmp_path).folder(spec) / "error.txt"
    assert "RuntimeError" in trace.read_text()
    assert once(spec, tmp_path)[0].status == "ok"
    assert not trace.exists()


def test_missing_data_are_no_result_of_the_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(*arguments: Any, **options: Any) -> None:
        raise DataError("no such archive")

    monkeypatch.setattr(type(tiny().data), "build", missing)
    with pytest.raises(DataError):
        once(tiny(), tmp_path)
    assert Store.at(tmp_path).status(tiny()) == "missing"


def test_a_run_leaves_global_switches_as_they_were(tmp_path: Path) -> None:
    once(tiny(epochs=1), tmp_path)
    assert not torch.are_deterministic_algorithms_enabled()


def test_bf16_mixed_is_taken_seriously(tmp_path: Path) -> None:
    full, _ = once(tiny(epochs=1), tmp_path)
    mixed, _ = once(tiny(epochs=1, precision="bf16-mixed"), tmp_path)
    assert mixed.status == "ok", mixed.reason
    assert mixed.metrics["test_loss"] != full.metrics["test_loss"]


@pytest.mark.parametrize("name", [*DEFAULT_VARIANTS, "s4d-real", "hope-circular", "fir", "lru", "lstm"])
def test_snapshots_have_the_promised_arrays(name: str) -> None:
    L, H = 16, 12
    arrays = snapshot(ModelSpec(mixer=VARIANTS[name].mixer, d_model=H, n_layers=2).build(d_input=1, d_output=3), "start", L)
    if name == "lstm":
        assert arrays == {}
        return
    for i in range(2):
        assert arrays[f"layer{i}/start/kernel"].shape == (1, 8, L)
        memory = arrays[f"layer{i}/start/memory"]
        assert memory.shape == (5, L)
        assert (np.diff(memory, axis=0) >= 0).all()
        if name == "hope-circular":
            assert f"layer{i}/start/hsv" not in arrays
            continue
        eigenvalues, hsv = arrays[f"layer{i}/start/eigenvalues"], arrays[f"layer{i}/start/hsv"]
        systems = 1 if name == "lru" else H
        assert (eigenvalues.shape[0], eigenvalues.dtype) == (systems, np.complex64)
        assert (np.abs(eigenvalues) <= 1 + 1e-6).all()
        assert (hsv.shape[0], hsv.dtype) == (systems, np.float32)
        assert np.allclose(hsv[:, 0], 1)
        assert (np.diff(hsv, axis=1) <= 1e-6).all()


def test_a_kernel_that_lost_its_recurrence_in_training_does_not_lose_the_run() -> None:
    """A DSS-softmax mode that grows beyond float64 over the length: the snapshot has the kernel and goes without the eigenvalues."""
    mixer = DSSSpec(kernel="softmax", d_state=4, dt_min=0.1, dt_max=0.1)
    model = ModelSpec(mixer=mixer, d_model=2, n_layers=1).build(d_input=1, d_output=3)
    kernel = model.layers[0].system
    assert isinstance(kernel, DSSKernel)
    with torch.no_grad():
        kernel.A.re.fill_(-100.0)  # the link is "none": Re(lambda) = 100
    with pytest.raises(NoRecurrence):
        kernel.recurrence(256)
    arrays = snapshot(model, "end", 256)
    assert set(arrays) == {"layer0/end/kernel", "layer0/end/memory"}
    assert np.isfinite(arrays["layer0/end/kernel"]).all()
