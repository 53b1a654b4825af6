"""A run that is killed and started again ends as if nothing had happened, and continues from nothing that is not its own."""

from __future__ import annotations

import hashlib
import io
import os
import pickle
import random
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import benchmarks.running.run as running
from benchmarks.running import checkpoint, environment
from benchmarks.running.environment import ROOT, Runtime
from benchmarks.running.record import Record
from benchmarks.running.run import Epoch, run
from benchmarks.running.store import Store, checkpoints
from benchmarks.spec import RunSpec
from models import Constant, Cosine, MultiStep, OptimSpec, Plateau
from tests.tiny import tiny

TIMES = {"seconds", "seconds_per_epoch", "wall_seconds", "peak_memory_mb", "date", "sessions", "checksum"}


def spec_of(schedule: Any = None, **changes: Any) -> RunSpec:
    """Six epochs of five steps, with dropout, so that every random number counts."""
    spec = tiny(epochs=6, optim=OptimSpec(lr=3e-2, schedule=schedule or Cosine(warmup_steps=3)), **changes)
    return replace(spec, model=replace(spec.model, dropout=0.3))


SPEC = spec_of()


class Killed(BaseException):
    """Not an Exception: run() writes no record for it, as for a kill."""


@pytest.fixture(autouse=True)
def own_threads() -> Any:
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


@pytest.fixture
def always(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checkpoint, "EVERY", 0.0)


def broken_off(spec: RunSpec, store: Store, after: int) -> None:
    """Trains until the epoch `after` is over and the next has begun, then dies without a word."""

    def die(epoch: Epoch) -> None:
        if epoch.epoch == after:
            raise Killed

    with pytest.raises(Killed):
        run(spec, Runtime(), store, die)
    assert store.status(spec) == "missing"


def go(spec: RunSpec, store: Store) -> tuple[Record, list[str], list[int]]:
    """(record, what was said, the epochs that were trained now)."""
    said: list[str] = []
    epochs: list[int] = []
    record = run(spec, Runtime(), store, lambda epoch: epochs.append(epoch.epoch), said.append)
    assert record.status == "ok", record.reason
    return record, said, epochs


def same(a: Record, b: Record) -> None:
    """All but the times; the arrays, kernels before and after training, through their sha256."""

    def plain(value: Any) -> Any:
        if isinstance(value, dict):
            return {k: plain(v) for k, v in value.items() if k not in TIMES}
        return [plain(v) for v in value] if isinstance(value, (list, tuple)) else value

    assert plain(vars(a)) == plain(vars(b))


def arrays_of(record: Record) -> str:
    assert record.arrays is not None
    return record.arrays["file"]


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Record:
    store = Store.at(tmp_path_factory.mktemp("undisturbed"))
    record, said, epochs = go(SPEC, store)
    assert (said, epochs, record.cost["sessions"]) == ([], [0, 1, 2, 3, 4, 5], 1)
    return record


@pytest.mark.parametrize("after", [1, 4])
def test_a_resumed_run_ends_bit_equal(always: None, tmp_path: Path, undisturbed: Record, after: int) -> None:
    store = Store.at(tmp_path)
    broken_off(SPEC, store, after)
    torch.manual_seed(99)  # what another process has in its generators
    np.random.seed(99)
    random.seed(99)
    record, said, epochs = go(SPEC, store)
    # the epoch whose end was reported is saved just after: the last save is of the one before
    assert epochs == list(range(after, 6))
    assert said == [f"continues after {after} epochs"]
    same(record, undisturbed)
    assert record.cost["sessions"] == 2


def test_it_may_be_broken_off_again_and_again(always: None, tmp_path: Path, undisturbed: Record) -> None:
    store = Store.at(tmp_path)
    for after in (1, 2, 4):
        broken_off(SPEC, store, after)
    record, _, _ = go(SPEC, store)
    same(record, undisturbed)
    assert record.cost["sessions"] == 4


def test_writing_checkpoints_changes_nothing_and_none_is_left(always: None, tmp_path: Path, undisturbed: Record) -> None:
    seen: list[int] = []
    store = Store.at(tmp_path)
    record = run(SPEC, Runtime(), store, lambda epoch: seen.append(len(checkpoints(store.folder(SPEC)))))
    same(record, undisturbed)
    assert seen == [0, 1, 2, 2, 2, 2]  # an epoch is reported just before it is saved
    assert {path.name for path in store.folder(SPEC).iterdir()} == {"record.json", arrays_of(record), "model.safetensors"}


@pytest.mark.parametrize("schedule", [Plateau(patience=0, factor=0.5), MultiStep(milestones=(1, 3, 4)), Constant(warmup_steps=7)])
def test_every_schedule_goes_on_where_it_was(always: None, tmp_path: Path, schedule: Any) -> None:
    spec = spec_of(schedule, precision="bf16-mixed")
    whole, _, _ = go(spec, Store.at(tmp_path / "whole"))
    rates = [row["lr"] for row in whole.history]
    assert isinstance(schedule, Constant) or len(set(rates)) > 1
    store = Store.at(tmp_path / "cut")
    broken_off(spec, store, 3)
    record, said, _ = go(spec, store)
    assert said == ["continues after 3 epochs"]
    same(record, whole)


def test_a_diverged_run_names_the_same_step(always: None, tmp_path: Path) -> None:
    spec = spec_of()
    store, whole = Store.at(tmp_path / "cut"), Store.at(tmp_path / "whole")

    def poisoned(task: Any, batch: Any, batch_idx: int) -> torch.Tensor:
        return task._step(batch, "train") * (float("nan") if (task.trainer.current_epoch, batch_idx) == (4, 2) else 1.0)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(running.SequenceTask, "training_step", poisoned)
        expected = run(spec, Runtime(), whole)
        broken_off(spec, store, 2)
        record = run(spec, Runtime(), store, say=lambda text: None)
    assert (expected.status, expected.reason) == ("diverged", "the training loss of step 22 is nan")
    same(record, expected)
    assert checkpoints(store.folder(spec)) == []


def test_seconds_add_up_over_sessions(always: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = Store.at(tmp_path)
    broken_off(SPEC, store, 2)
    (newest, _) = checkpoints(store.folder(SPEC))
    saved = checkpoint.HashedFiles().load_checkpoint(newest)["callbacks"]["Checkpoints"]["seconds"]
    assert saved > 0
    keeper = checkpoint.Checkpoints(tmp_path, {}, checkpoint.time.monotonic() - 10, print)
    keeper.load_state_dict({"seconds": 1000.0, "sessions": 3, "codes": [], "generators": checkpoint.generators()})
    assert (round(keeper.seconds), keeper.sessions) == (1010, 4)
    record, _, _ = go(SPEC, store)
    assert record.cost["wall_seconds"] > saved


def test_a_short_run_writes_none_and_the_interval_counts_from_the_last(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert checkpoint.EVERY == 60
    store = Store.at(tmp_path)
    broken_off(SPEC, store, 4)
    assert list(store.folder(SPEC).glob("checkpoint*")) == []
    clock = [0.0]
    monkeypatch.setattr(checkpoint.time, "monotonic", lambda: clock[0])
    keeper = checkpoint.Checkpoints(tmp_path, {}, 0.0, print)
    saved: list[float] = []

    class Trainer:
        current_epoch = 3

        def save_checkpoint(self, path: Path) -> None:
            saved.append(clock[0])

    for clock[0] in (30.0, 59.0, 61.0, 119.0, 122.0):
        keeper.on_train_epoch_start(Trainer(), None)  # type: ignore[arg-type]
    assert saved == [61.0, 122.0]


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:1000])


def empty(path: Path) -> None:
    path.write_bytes(b"")


def flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


@pytest.mark.parametrize("damage", [cut, empty, flip])
@pytest.mark.parametrize("how_many", [1, 2])
def test_damage_falls_back(always: None, tmp_path: Path, undisturbed: Record, damage: Callable[[Path], None], how_many: int) -> None:
    store = Store.at(tmp_path)
    broken_off(SPEC, store, 3)
    newest, older = checkpoints(store.folder(SPEC))
    for path in (newest, older)[:how_many]:
        damage(path)
    record, said, epochs = go(SPEC, store)
    assert newest.name in said[0]
    assert "damaged" in said[0]
    if how_many == 1:
        assert said[1:] == ["continues after 2 epochs"]
        assert epochs == [2, 3, 4, 5]
    else:
        assert "starts from scratch" in said[1]
        assert epochs == [0, 1, 2, 3, 4, 5]
    same(record, undisturbed)
    assert list(store.folder(SPEC).glob("checkpoint*")) == []


def saved(content: dict[str, Any], *, formed: bool = True) -> bytes:
    """The bytes of a checkpoint with this content; not formed: somebody has taken something out of it."""
    if formed:
        content["form"] = checkpoint.form({key: value for key, value in content.items() if key != "form"})
    buffer = io.BytesIO()
    torch.save(content, buffer)
    return buffer.getvalue()


def put(folder: Path, content: bytes, epochs: int = 3) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"checkpoint-{epochs:06d}-{hashlib.sha256(content).hexdigest()}.ckpt"
    path.write_bytes(content)
    return path


@pytest.mark.parametrize("other", [{"seed": 1}, {"batch_size": 128}])
def test_the_checkpoint_of_another_run_is_refused(always: None, tmp_path: Path, undisturbed: Record, other: dict[str, Any]) -> None:
    store, foreign = Store.at(tmp_path), replace(SPEC, **other)
    broken_off(foreign, store, 3)
    content = checkpoints(store.folder(foreign))[0].read_bytes()
    put(store.folder(SPEC), content)
    record, said, epochs = go(SPEC, store)
    assert len(said) == 1
    assert f"belongs to another run (spec {foreign.id}, here {SPEC.id})" in said[0]
    assert epochs == [0, 1, 2, 3, 4, 5]
    same(record, undisturbed)


@pytest.mark.parametrize("key", ["data", "code", "device", "threads", "engine", "torch", "lightning", "layout"])
def test_every_part_of_the_owner_counts(always: None, tmp_path: Path, key: str) -> None:
    store = Store.at(tmp_path)
    broken_off(SPEC, store, 2)
    path = checkpoints(store.folder(SPEC))[0]
    content = torch.load(path, weights_only=True)
    assert set(content["owner"]) == {"spec", "data", "code", "device", "threads", "engine", "torch", "lightning", "layout"}
    network = torch.nn.Linear(1, 1)
    content["state_dict"] = content["callbacks"]["BestOnValidation"]["state"] = network.state_dict()
    good = put(tmp_path / "x", saved(content))
    said: list[str] = []
    assert checkpoint.usable(tmp_path / "x", content["owner"], network, said.append) == good
    assert checkpoint.usable(tmp_path / "x", content["owner"], torch.nn.Linear(2, 1), said.append) is None
    assert "another network" in said[-1]
    put(tmp_path / "x", saved(content))
    assert checkpoint.usable(tmp_path / "x", content["owner"] | {key: "other"}, network, said.append) is None
    assert f"({key} " in said[-1]


def lose(*place: str) -> Callable[[dict[str, Any]], None]:
    """Takes away what stands at this place of nested tables and lists."""

    def damage(content: Any) -> None:
        for key in place[:-1]:
            content = content[int(key)] if isinstance(content, list) else content[key]
        del content[place[-1]]

    return damage


def swap(*place: str, to: Any) -> Callable[[dict[str, Any]], None]:
    """Puts something else there."""

    def damage(content: Any) -> None:
        for key in place[:-1]:
            content = content[int(key)] if isinstance(content, list) else content[key]
        content[place[-1]] = to

    return damage


DAMAGES = {
    **{f"without {name}": lose(name) for name in ("state_dict", "loops", "callbacks", "optimizer_states", "lr_schedulers", "epoch")},
    **{f"without global_step or {name}": lose("callbacks", name) for name in checkpoint.NEEDED},
    **{f"without {a}.{b}": lose("callbacks", a, b) for a, names in checkpoint.NEEDED.items() for b in names},
    "without the progress of epochs": lose("loops", "fit_loop", "epoch_progress"),
    "without the progress of batches": lose("loops", "fit_loop", "epoch_loop.batch_progress"),
    "without a generator": lose("callbacks", "Checkpoints", "generators", "python"),
    "a generator of other words": swap("callbacks", "Checkpoints", "generators", "torch", to=torch.zeros(3, dtype=torch.uint8)),
    "a generator of numpy that is none": swap("callbacks", "Checkpoints", "generators", "numpy", to=("MT19937", [1, 2], 0, 0, 0.0)),
    "an empty optimizer": swap("optimizer_states", to=[]),
    "an optimizer without moments": lose("optimizer_states", "0", "state"),
    "an optimizer of other groups": swap("optimizer_states", to=[{"state": {0: {}}, "param_groups": [{"params": [0]}]}]),
    "no schedules": swap("lr_schedulers", to=None),
    "a schedule of another kind": swap("lr_schedulers", to=[{"colour": "red"}]),
    "an epoch of the future": swap("epoch", to=5),
    "a history that is shorter": swap("callbacks", "History", "rows", to=[]),
    "a best epoch of the future": swap("callbacks", "BestOnValidation", "epoch", to=77),
    "the best weights of another network": swap("callbacks", "BestOnValidation", "state", to={}),
    "loops of another kind": swap("loops", "fit_loop", to={"colour": "red"}),
    "another callback's table": swap("callbacks", "History", to=5),
}
"""What a checkpoint may have lost whose hash is right: its file is what its name says."""


SEEN_ON_RESTORING = (
    "a generator of other words",
    "a generator of numpy that is none",
    "without a generator",
    "an optimizer of other groups",
    "a schedule of another kind",
)
"""Those that look right until Lightning, torch or numpy take them up."""


@pytest.fixture(scope="module")
def after_three(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """The checkpoint of SPEC after three epochs."""
    store = Store.at(tmp_path_factory.mktemp("three"))
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(checkpoint, "EVERY", 0.0)
        broken_off(SPEC, store, 3)
    return checkpoints(store.folder(SPEC))[0].read_bytes()


@pytest.mark.parametrize("name", [name for name in DAMAGES if name not in SEEN_ON_RESTORING])
def test_what_is_missing_in_a_checkpoint_is_seen(tmp_path: Path, after_three: bytes, name: str) -> None:
    whole = torch.load(io.BytesIO(after_three), weights_only=True)
    network = torch.nn.Module()
    network.state_dict = lambda: whole["state_dict"]  # type: ignore[method-assign, assignment]
    said: list[str] = []
    assert checkpoint.usable(put(tmp_path / "whole", after_three).parent, whole["owner"], network, said.append) is not None
    for formed in (True, False):
        content = torch.load(io.BytesIO(after_three), weights_only=True)
        DAMAGES[name](content)
        folder = put(tmp_path / str(formed), saved(content, formed=formed)).parent
        assert checkpoint.usable(folder, whole["owner"], network, said.append) is None
        assert "it is set aside, and the run starts from scratch" in said[-1]
        assert [path.suffix for path in folder.iterdir()] == [".aside"]


@pytest.mark.parametrize("name", SEEN_ON_RESTORING)
def test_what_cannot_be_restored_costs_epochs_and_no_number(
    always: None, tmp_path: Path, undisturbed: Record, after_three: bytes, name: str
) -> None:
    store = Store.at(tmp_path)
    content = torch.load(io.BytesIO(after_three), weights_only=True)
    DAMAGES[name](content)
    put(store.folder(SPEC), saved(content))
    record, said, epochs = go(SPEC, store)
    assert "it is set aside, and the run starts from scratch" in said[-1]
    assert epochs == [0, 1, 2, 3, 4, 5]
    same(record, undisturbed)
    assert record.cost["sessions"] == 1


def test_a_run_is_not_continued_by_other_code(always: None, tmp_path: Path, undisturbed: Record, monkeypatch: pytest.MonkeyPatch) -> None:
    store = Store.at(tmp_path)
    broken_off(SPEC, store, 3)
    monkeypatch.setattr(environment, "code_content", lambda: "0123456789ab")
    monkeypatch.setattr(checkpoint, "code_content", lambda: "0123456789ab")
    record, said, epochs = go(SPEC, store)
    assert "belongs to other code" in said[0]
    assert "here 0123456789ab" in said[0]
    assert epochs == [0, 1, 2, 3, 4, 5]
    assert record.environment["content"] == "0123456789ab"


def test_a_record_names_the_commits_of_all_its_sessions(
    always: None, tmp_path: Path, undisturbed: Record, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the sources that decide numbers are the same, another commit may go on; the record says so."""
    store = Store.at(tmp_path)
    for commit, dirty, after in (("a" * 40, True, 2), ("b" * 40, False, 4)):
        monkeypatch.setattr(environment, "code_version", lambda commit=commit, dirty=dirty: (commit, dirty))
        broken_off(SPEC, store, after)
    monkeypatch.setattr(environment, "code_version", lambda: ("c" * 40, False))
    record, said, _ = go(SPEC, store)
    assert said == ["continues after 4 epochs"]
    assert (record.environment["code"], record.environment["earlier_code"]) == ("c" * 40, ["a" * 40 + "+changes", "b" * 40])
    assert record.metrics == undisturbed.metrics
    assert "earlier_code" not in undisturbed.environment


def test_a_checkpoint_leaves_room_for_the_record(
    always: None, tmp_path: Path, undisturbed: Record, monkeypatch: pytest.MonkeyPatch
) -> None:
    free = checkpoint.shutil.disk_usage(tmp_path)._replace(free=checkpoint.ROOM)
    monkeypatch.setattr(checkpoint.shutil, "disk_usage", lambda path: free)
    record, said, _ = go(SPEC, Store.at(tmp_path))
    assert said[0].startswith("no checkpoint after epoch 0: No space left on device")
    same(record, undisturbed)


def test_no_code_in_a_file_is_run(tmp_path: Path) -> None:
    class Trap:
        def __reduce__(self) -> Any:
            return os.mkdir, (str(tmp_path / "sprung"),)

    buffer = io.BytesIO()
    torch.save({"owner": {}, "state_dict": Trap()}, buffer)
    said: list[str] = []
    for content in (buffer.getvalue(), pickle.dumps(Trap(), protocol=2), b"no such thing"):
        path = put(tmp_path / "x", content)
        assert checkpoint.usable(tmp_path / "x", {}, torch.nn.Linear(1, 1), said.append) is None
        assert "plain values" in said[-1]
        assert not path.exists()
    assert not (tmp_path / "sprung").exists()


def test_a_full_disk_costs_the_checkpoint_and_not_the_run(
    always: None, tmp_path: Path, undisturbed: Record, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(path: Path, content: bytes) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(checkpoint, "write_atomically", full)
    record, said, _ = go(SPEC, Store.at(tmp_path))
    assert said[0] == "no checkpoint after epoch 0: No space left on device; the run goes on without"
    same(record, undisturbed)


def test_a_failed_run_keeps_its_checkpoint(always: None, tmp_path: Path, undisturbed: Record) -> None:
    store = Store.at(tmp_path)

    def fail(epoch: Epoch) -> None:
        if epoch.epoch == 3:
            raise RuntimeError("out of memory, say")

    assert run(SPEC, Runtime(), store, fail).status == "failed"
    record, said, _ = go(SPEC, store)
    assert said == ["continues after 3 epochs"]
    same(record, undisturbed)


SCRIPT = """
import os, signal, sys
from pathlib import Path
from benchmarks.running import checkpoint
from benchmarks.running.environment import Runtime
from benchmarks.running.store import Store
from benchmarks.running.run import run
from tests.test_checkpoint import SPEC
checkpoint.EVERY = 0.0
real = checkpoint.write_atomically
def die(epoch):
    if sys.argv[2] == "epoch" and epoch.epoch == 2:
        os.kill(os.getpid(), signal.SIGKILL)
def half(path, content):
    if sys.argv[2] == "writing" and "-000003-" in path.name:
        path.with_name(f".{path.name}.part-1").write_bytes(content[: len(content) // 2])
        os.kill(os.getpid(), signal.SIGKILL)
    real(path, content)
checkpoint.write_atomically = half
run(SPEC, Runtime(), Store.at(Path(sys.argv[1])), die)
"""


@pytest.mark.slow
@pytest.mark.parametrize("when", ["epoch", "writing"])
def test_sigkill_at_an_epoch_or_in_the_middle_of_a_file(always: None, tmp_path: Path, undisturbed: Record, when: str) -> None:
    """Also that nothing outside the folder, such as the state of the first process, is needed to go on."""
    variables = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-W", "ignore", "-c", SCRIPT, str(tmp_path), when]
    done = subprocess.run(command, cwd=ROOT, env=variables, capture_output=True, text=True, check=False)
    assert done.returncode == -signal.SIGKILL, done.stderr
    store = Store.at(tmp_path)
    assert [int(path.name.split("-")[1]) for path in checkpoints(store.folder(SPEC))] == [2, 1]
    with store.lock(SPEC) as mine:
        assert mine
        record, said, epochs = go(SPEC, store)
    assert (said, epochs) == (["continues after 2 epochs"], [2, 3, 4, 5])
    same(record, undisturbed)
    assert {path.name for path in store.folder(SPEC).iterdir()} == {"record.json", "model.safetensors", arrays_of(record), ".lock"}
