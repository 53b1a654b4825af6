"""Records and their store: whole or not there, verified when read, never taken for done when damaged."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pytest

from benchmarks.running.environment import ROOT, EnvironmentProblem
from benchmarks.running.record import DamagedRecord, NewerRecord, Record, failed, identity, laid_out
from benchmarks.running.store import Store, StoredRecord, checkpoints, run_root
from benchmarks.spec import RunSpec, canonical, spec_id
from data.images.digits import DigitsSpec
from models import HOPESpec, OptimSpec
from tests.tiny import tiny

ARRAYS = {"layer0/start/kernel": np.arange(6, dtype=np.float32).reshape(1, 2, 3)}


def example(spec: RunSpec, **changes: object) -> Record:
    record = Record(**identity(spec), status="ok", metrics={"test_accuracy": 0.5}, history=({"epoch": 0, "val_loss": 1.0},))
    return replace(record, **changes)  # type: ignore[arg-type]


def found(store: Store, run: RunSpec | Record) -> StoredRecord:
    stored = store.find(run.benchmark, run.id)
    assert stored is not None
    return stored


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store.at(tmp_path / "runs")


def test_what_is_put_is_what_is_got(store: Store) -> None:
    spec = tiny()
    assert store.get(spec) is None
    assert store.status(spec) == "missing"
    written = store.put(spec, example(spec), ARRAYS)
    assert store.get(spec) == written
    assert store.status(spec) == "ok"
    np.testing.assert_array_equal(found(store, spec).arrays()["layer0/start/kernel"], ARRAYS["layer0/start/kernel"])
    assert (found(store, spec).record, found(store, spec).name) == (written, f"runs/digits-noise/{spec.id}/record.json")
    assert written.spec == canonical(spec)
    assert written.spec_full["model"]["mixer"]["discretization"] == "zoh"  # a default, written out


def test_what_is_not_finite_is_null(store: Store) -> None:
    spec = tiny()
    store.put(spec, example(spec, metrics={"test_accuracy": float("nan"), "test_loss": float("inf")}))
    text = (store.folder(spec) / "record.json").read_text()
    assert json.loads(text, parse_constant=lambda name: pytest.fail(f"{name} is not JSON"))["metrics"] == {
        "test_accuracy": None,
        "test_loss": None,
    }


def test_a_put_without_arrays_removes_old_ones(store: Store) -> None:
    spec = tiny()
    store.put(spec, example(spec), ARRAYS)
    store.put(spec, failed(spec, "no memory", {}))
    assert not list(store.folder(spec).glob("arrays*"))
    assert store.status(spec) == "failed"


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def flip(path: Path) -> None:
    blob = bytearray(path.read_bytes())
    blob[len(blob) // 2] ^= 1
    path.write_bytes(blob)


def edit(**changes: object) -> Callable[[Path], None]:
    return lambda path: path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


MALFORMED: list[dict[str, object]] = [
    {"history": None},
    {"history": {}},
    {"history": [None]},
    {"history": [{"epoch": "one"}]},
    {"rates": None},
    {"rates": [{"parameters": 5}]},
    {"metrics": None},
    {"metrics": {"test_accuracy": "0.9"}},
    {"metrics": {"test_accuracy": True}},
    {"metrics": {"test_accuracy": [0.9]}},
    {"cost": []},
    {"arrays": {}},
    {"arrays": "arrays.npz"},
    {"arrays": {"file": 5, "sha256": "0"}},
    {"arrays": {"file": "../../other/arrays.npz", "sha256": "0" * 64}},
    {"arrays": {"file": "/arrays.npz", "sha256": "0" * 64}},
    {"arrays": {"file": "other.npz", "sha256": "0" * 64}},
    {"environment": None},
    {"data": 5},
    {"spec": None},
    {"spec_full": []},
    {"seed": "0"},
    {"seed": True},
    {"id": 5},
    {"reason": None},
    {"schema": None},
    {"schema": True},
    {"schema": "2"},
]
"""Fields of a type that no store writes."""


@pytest.mark.parametrize(
    ("name", "damage"),
    [
        ("record.json", cut),
        ("record.json", lambda path: path.write_bytes(b"")),
        ("record.json", lambda path: path.write_bytes(b"\xff\xfe")),
        ("record.json", lambda path: path.write_text("[]")),
        ("record.json", lambda path: path.write_text("{}")),
        ("record.json", edit(schema=0)),
        ("record.json", edit(status="fine")),
        ("record.json", edit(id="0" * 12)),
        ("record.json", edit(spec=canonical(tiny(seed=9)))),
        ("record.json", edit(extra=1)),
        ("record.json", edit(metrics={"test_accuracy": 0.999})),  # a number edited by hand
        ("record.json", edit(reason="better")),
        ("record.json", edit(checksum="0" * 64)),
        ("record.json", lambda path: path.write_text(json.dumps({**json.loads(path.read_text()), "history": [[]]}))),
        ("record.json", lambda path: path.write_text("[" * 100_000)),
        ("record.json", lambda path: path.write_text('{"schema": 1, "spec": ' + '{"a":' * 5000 + "1" + "}" * 5001)),
        ("record.json", lambda path: path.write_text(path.read_text().replace("0.5", "NaN"))),
        *(("record.json", edit(checksum=None, **change)) for change in MALFORMED),
        ("arrays-*.npz", cut),
        ("arrays-*.npz", flip),
        ("arrays-*.npz", lambda path: path.unlink()),
    ],
)
def test_damage_is_found_and_set_aside(store: Store, name: str, damage: Callable[[Path], None]) -> None:
    spec = tiny()
    store.put(spec, example(spec), ARRAYS)
    (path,) = store.folder(spec).glob(name)
    damage(path)
    assert store.status(spec) == "damaged"
    with pytest.raises(DamagedRecord, match=spec.id):
        store.get(spec)
    store.set_aside(spec)
    assert store.status(spec) == "missing"
    assert (store.folder(spec) / "record.json.corrupt").exists()  # the evidence stays


def test_a_record_in_the_folder_of_another_run_is_foreign(store: Store) -> None:
    mine, other = tiny(seed=0), tiny(seed=1)
    store.put(other, example(other))
    store.folder(mine).mkdir(parents=True)
    os.rename(store.folder(other) / "record.json", store.folder(mine) / "record.json")
    assert store.status(mine) == "damaged"


def test_roots_are_asked_in_order_and_the_first_alone_is_written_to(tmp_path: Path) -> None:
    spec, other = tiny(), tiny(seed=1)
    mine, kept = Store.at(tmp_path / "a"), Store.at(tmp_path / "b")
    both = Store((("runs", tmp_path / "a"), ("kept", tmp_path / "b")))
    kept.put(spec, example(spec, reason="kept"), ARRAYS)
    assert (found(both, spec).record.reason, found(both, spec).name) == ("kept", f"kept/digits-noise/{spec.id}/record.json")
    assert both.status(spec) == "missing"  # what is kept elsewhere keeps no run from being made
    both.put(spec, example(spec, reason="mine"), ARRAYS)
    assert (found(both, spec).record.reason, found(mine, spec).record.reason) == ("mine", "mine")
    assert found(kept, spec).record.reason == "kept"
    cut(mine.folder(spec) / "record.json")
    with pytest.raises(DamagedRecord, match=f"runs/digits-noise/{spec.id}"):  # and nothing else takes its place
        both.find(spec.benchmark, spec.id)
    assert both.find(other.benchmark, other.id) is None


def test_arrays_may_be_left_out_where_a_record_is_read_and_not_where_a_run_is_judged(store: Store) -> None:
    spec = tiny()
    store.put(spec, example(spec), ARRAYS)
    for path in store.folder(spec).glob("arrays-*.npz"):
        path.unlink()
    assert found(store, spec).arrays() == {}
    assert store.status(spec) == "damaged"


@pytest.mark.parametrize("step", range(1, 9))
def test_an_error_at_any_step_of_writing_leaves_the_old_or_the_new_record(store: Store, step: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """The k-th fsync or replace fails, as on a full disk. A record that was not there before is never half there."""
    spec = tiny()
    calls = 0

    def counted(real: Callable[..., None]) -> Callable[..., None]:
        def call(*arguments: object) -> None:
            nonlocal calls
            calls += 1
            if calls == step:
                raise OSError(28, "No space left on device")
            real(*arguments)

        return call

    monkeypatch.setattr(os, "fsync", counted(os.fsync))
    monkeypatch.setattr(os, "replace", counted(os.replace))
    try:
        store.put(spec, example(spec), ARRAYS)
        failed_on_the_way = False
    except OSError:
        failed_on_the_way = True
    monkeypatch.undo()
    assert failed_on_the_way == (step <= 6)  # (fsync, replace, fsync of the folder), twice
    assert store.status(spec) == ("missing" if step < 6 else "ok")  # step 6 is after the replace: the record is whole
    assert not list(store.folder(spec).glob(".*.part-*"))


def test_the_record_is_written_last(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    spec, names, real = tiny(), [], os.replace

    def spy(source: Path, target: Path) -> None:
        names.append(Path(target).name)
        real(source, target)

    monkeypatch.setattr(os, "replace", spy)
    store.put(spec, example(spec), ARRAYS)
    assert [name[:7] for name in names] == ["arrays-", "record."]


def test_broken_off_between_arrays_and_record_the_old_record_is_whole(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    spec, real = tiny(), os.replace
    old = store.put(spec, example(spec), ARRAYS)

    def cut_off(source: Path, target: Path) -> None:
        if Path(target).name == "record.json":
            raise KeyboardInterrupt
        real(source, target)

    monkeypatch.setattr(os, "replace", cut_off)
    with pytest.raises(KeyboardInterrupt):
        store.put(spec, example(spec), {"layer0/start/kernel": np.zeros(3)})
    monkeypatch.undo()
    assert store.status(spec) == "ok"
    assert store.get(spec) == old
    np.testing.assert_array_equal(found(store, spec).arrays()["layer0/start/kernel"], ARRAYS["layer0/start/kernel"])
    new = store.put(spec, example(spec), {"layer0/start/kernel": np.zeros(3)})
    assert new.arrays is not None
    assert [path.name for path in store.folder(spec).glob("arrays*")] == [new.arrays["file"]]


def as_before_checksums(path: Path) -> None:
    """The file as the suite wrote it before records carried a checksum and arrays a hash in their name."""
    raw = json.loads(path.read_text())
    del raw["checksum"]
    if raw["arrays"]:
        os.rename(path.with_name(raw["arrays"]["file"]), path.with_name("arrays.npz"))
        raw["arrays"]["file"] = "arrays.npz"
    path.write_text(json.dumps(raw))


def test_a_record_of_before_checksums_is_read_and_marked_as_carrying_none(store: Store) -> None:
    spec = tiny()
    store.put(spec, example(spec), ARRAYS)
    as_before_checksums(store.folder(spec) / "record.json")
    assert store.status(spec) == "ok"
    stored = found(store, spec)
    assert stored.record.checksum is None
    assert stored.record.metrics == {"test_accuracy": 0.5}
    np.testing.assert_array_equal(stored.arrays()["layer0/start/kernel"], ARRAYS["layer0/start/kernel"])
    store.put(spec, example(spec), ARRAYS)
    assert found(store, spec).record.checksum is not None
    assert not (store.folder(spec) / "arrays.npz").exists()


def test_a_record_of_a_newer_schema_is_named_and_left_alone(store: Store) -> None:
    spec = tiny()
    store.put(spec, example(spec), ARRAYS)
    edit(schema=3, colour="red")(store.folder(spec) / "record.json")
    assert store.status(spec) == "newer"
    with pytest.raises(NewerRecord, match=f"{spec.id}.*newer"):
        store.get(spec)
    with pytest.raises(DamagedRecord, match="newer"):
        store.find(spec.benchmark, spec.id)


def test_arrays_that_are_no_arrays_are_damage(store: Store) -> None:
    spec = tiny()
    store.put(spec, example(spec), ARRAYS)
    (path,) = store.folder(spec).glob("arrays-*.npz")
    path.write_bytes(b"no zip")
    digest = hashlib.sha256(b"no zip").hexdigest()
    edit(checksum=None, arrays={"file": path.name, "sha256": digest})(store.folder(spec) / "record.json")
    assert store.status(spec) == "damaged"


def test_every_record_is_listed_whatever_it_is_of(tmp_path: Path) -> None:
    mine, kept = Store.at(tmp_path / "a"), Store.at(tmp_path / "b")
    both = Store((("runs", tmp_path / "a"), ("kept", tmp_path / "b")))
    runs = [tiny(seed=123456), tiny(scale="paper"), tiny(data=DigitsSpec(noise=3)), tiny(benchmark="elsewhere")]
    for spec in runs[:3]:
        mine.put(spec, example(spec))
    kept.put(runs[3], example(runs[3]))
    kept.put(runs[0], example(runs[0], reason="the second"))
    assert {stored.record.id for stored in both.every()} == {spec.id for spec in runs}
    assert [stored.record.reason for stored in both.every() if stored.record.id == runs[0].id] == [""]
    assert {stored.record.id for stored in both.every("elsewhere")} == {runs[3].id}
    cut(mine.folder(runs[1]) / "record.json")
    assert {stored.record.id for stored in both.every()} == {spec.id for spec in runs} - {runs[1].id}
    (trouble,) = both.troubles()
    assert runs[1].id in str(trouble)


def test_checkpoints_older_than_the_record_are_swept(store: Store) -> None:
    spec = tiny()
    folder = store.folder(spec)
    folder.mkdir(parents=True)
    for name in ("checkpoint-000001-0.ckpt", "checkpoint-000002-0.ckpt", "checkpoint-000000-0.ckpt.aside"):
        (folder / name).write_bytes(b"")
    store.sweep(spec)
    assert len(checkpoints(folder, "*")) == 3  # no record: the run is not over
    store.put(spec, example(spec))
    over = (folder / "record.json").stat().st_mtime_ns
    os.utime(folder / "checkpoint-000002-0.ckpt", ns=(over + 1, over + 1))  # of a repetition that was broken off
    store.sweep(spec)
    assert [path.name for path in checkpoints(folder, "*")] == ["checkpoint-000002-0.ckpt"]


def test_the_home_of_the_user_stands_behind_a_tilde(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("SSM_RUNS", "~/my runs")
    assert run_root() == tmp_path / "my runs"
    monkeypatch.setenv("SSM_RUNS", "~nosuchuser/runs")
    with pytest.raises(EnvironmentProblem, match="SSM_RUNS=~nosuchuser/runs"):
        run_root()


HOLDER = """
import sys, time
from pathlib import Path
from benchmarks.running.store import Store
from tests.tiny import tiny
store = Store.at(Path(sys.argv[1]))
with store.lock(tiny()) as mine:
    (store.folder(tiny()) / ".record.json.part-1").write_bytes(b"cut")
    print(mine, flush=True)
    time.sleep(60)
"""


def test_a_lock_dies_with_its_owner(store: Store) -> None:
    spec = tiny()
    holder = subprocess.Popen([sys.executable, "-c", HOLDER, str(store.root)], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    try:
        assert holder.stdout is not None
        assert holder.stdout.readline().strip() == "True"
        with store.lock(spec) as mine:
            assert not mine
        holder.send_signal(signal.SIGKILL)
        holder.wait()
        with store.lock(spec) as mine:
            assert mine
            assert not list(store.folder(spec).glob(".*.part-*"))  # what the dead writer left is swept
    finally:
        holder.kill()
        holder.communicate()


def test_many_records_are_all_found(store: Store) -> None:
    written = [store.put(spec, example(spec)) for spec in (tiny(seed=seed) for seed in range(50))]
    assert [found(store, record).record for record in written] == written


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(EnvironmentProblem, match="cannot be written"):
        Store.at(tmp_path / "file" / "runs").check_writable()
    Store.at(tmp_path / "new folder é").check_writable()
    assert not list((tmp_path / "new folder é").iterdir())


CHANGES = {
    "benchmark": "other",
    "scale": "paper",
    "data": DigitsSpec(noise=9),
    "model": tiny(mixer=HOPESpec(d_state=4)).model,
    "optim": OptimSpec(lr=2e-2),
    "epochs": 3,
    "batch_size": 255,
    "precision": "bf16-mixed",
    "seed": 1,
}


def test_every_field_of_a_run_changes_its_id() -> None:
    assert set(CHANGES) == {field.name for field in fields(RunSpec)}
    ids = [replace(tiny(), **{name: value}).id for name, value in CHANGES.items()]  # type: ignore[arg-type]
    assert len({tiny().id, *ids}) == len(ids) + 1
    assert spec_id(canonical(tiny())) == tiny().id == tiny().id


def test_a_default_written_out_is_the_same_run() -> None:
    assert tiny(optim=OptimSpec(lr=1e-2)).id == tiny(optim=OptimSpec()).id


def test_without_a_checkout_runs_are_kept_in_the_working_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An installed suite lies in site-packages, where no record belongs."""
    monkeypatch.delenv("SSM_RUNS")
    assert run_root() == ROOT / "runs"
    monkeypatch.setattr("benchmarks.running.store.ROOT", tmp_path / "site-packages")
    monkeypatch.chdir(tmp_path)
    assert run_root() == tmp_path / "runs"


def test_a_record_is_a_line_a_field_and_a_line_an_entry_of_a_list() -> None:
    lines = laid_out({"id": "x", "metrics": {"a": 1.0, "b": None}, "history": [{"epoch": 0}, {"epoch": 1}], "rates": []}).splitlines()
    assert lines == [
        "{", '"id": "x",', '"metrics": {"a":1.0,"b":null},', '"history": [', '{"epoch":0},', '{"epoch":1}', "],", '"rates": []', "}",
    ]  # fmt: skip
    with pytest.raises(ValueError, match="not JSON compliant"):
        laid_out({"metrics": {"a": float("nan")}})
