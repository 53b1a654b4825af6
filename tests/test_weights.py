"""Trained networks that are kept: written whole, verified, loaded, scored again, exported."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import math
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from benchmarks import __main__ as command
from benchmarks import cli, evaluate, export, load
from benchmarks.running import store as storing
from benchmarks.running.beside import packed, pending
from benchmarks.running.environment import Runtime
from benchmarks.running.lookup import find_record
from benchmarks.running.record import DamagedRecord, Record, identity
from benchmarks.running.run import run
from benchmarks.running.store import Store
from benchmarks.running.weights import NoWeights, build_network, pack_weights, read_network
from benchmarks.spec import RunSpec
from data.base import DataError
from models import VARIANTS, Around, ModelSpec
from tests.tiny import tiny


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """A store with one run that kept its weights and predictions, to be left as it is."""
    threads = torch.get_num_threads()
    store = Store.at(tmp_path_factory.mktemp("trained"))
    run(tiny(), Runtime(predictions=True), store)
    yield store
    torch.set_num_threads(threads)


@pytest.fixture
def own(trained: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of it that is the run store; its only folder."""
    import shutil

    shutil.copytree(trained.root, tmp_path / "runs")
    monkeypatch.setenv("SSM_RUNS", str(tmp_path / "runs"))
    return Store().folder(tiny())


def example(spec: RunSpec, **changes: Any) -> Record:
    return Record(**{**identity(spec), "status": "ok", **changes})


# ---------------------------------------------------------------- kept


def test_the_chosen_network_and_its_answers_are_kept(trained: Store) -> None:
    stored = trained.find("digits-noise", tiny().id)
    assert stored is not None
    record = stored.record
    assert record.weights is not None
    assert record.weights["file"] == "model.safetensors"
    assert stored.weights_path is not None
    assert hashlib.sha256(stored.weights_path.read_bytes()).hexdigest() == record.weights["sha256"]
    answers = stored.predictions()
    assert set(answers) == {"output", "label", "correct"}
    assert answers["output"].shape == (359, 10)
    assert answers["correct"].mean() == pytest.approx(record.metrics["test_accuracy"])
    loss = torch.nn.functional.cross_entropy(torch.tensor(answers["output"]), torch.tensor(answers["label"]))
    assert float(loss) == pytest.approx(record.metrics["test_loss"], rel=1e-5)


def test_what_is_not_wanted_is_not_kept_and_changes_no_number(trained: Store, tmp_path: Path) -> None:
    threads = torch.get_num_threads()
    store = Store.at(tmp_path)
    record = run(tiny(), Runtime(weights=False), store)
    torch.set_num_threads(threads)
    other = trained.get(tiny())
    assert other is not None
    assert (record.weights, record.predictions) == (None, None)
    assert (record.metrics, record.arrays) == (other.metrics, other.arrays)
    assert not list(store.folder(tiny()).glob("model*")) + list(store.folder(tiny()).glob("predictions*"))
    with pytest.raises(NoWeights, match="--weights no"):
        load(store.folder(tiny()))


def test_a_record_without_the_new_fields_is_read_and_written_as_before() -> None:
    old = example(tiny(), schema=1)
    raw = json.loads(old.to_json())
    assert {"weights", "predictions"}.isdisjoint(raw)
    assert raw["schema"] == 1
    again = Record.from_json(json.dumps(raw))
    assert again.weights is None
    assert json.loads(again.to_json()) == raw
    assert again.to_json() == old.to_json()
    with pytest.raises(DamagedRecord, match="weights"):
        Record.from_json(json.dumps(raw | {"weights": None}))


@pytest.mark.parametrize(
    "entry",
    [
        {"file": "../model.safetensors", "sha256": "0"},
        {"file": "model.pt", "sha256": "0"},
        "model.safetensors",
        {"file": "model.safetensors"},
    ],
)
def test_an_entry_that_names_no_file_beside_the_record_is_refused(entry: Any) -> None:
    raw = json.loads(example(tiny()).to_json()) | {"weights": entry, "checksum": None}
    with pytest.raises(DamagedRecord, match="no file of weights beside it"):
        Record.from_json(json.dumps(raw))


@pytest.mark.parametrize("broken_at", ["record.json", "rename"])
def test_broken_off_anywhere_one_record_is_whole_with_its_weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, broken_at: str) -> None:
    store, spec = Store.at(tmp_path), tiny()
    blobs = [pack_weights(build_network(spec), spec) for _ in range(2)]
    assert blobs[0] != blobs[1]
    store.put(spec, example(spec, reason="old"), weights=blobs[0])
    real_write, real_replace = storing.write_atomically, storing.os.replace

    def write(path: Path, content: bytes) -> None:
        if path.name == broken_at:
            raise KeyboardInterrupt
        real_write(path, content)

    def rename(source: Any, target: Any) -> None:
        if broken_at == "rename" and Path(target).name == "model.safetensors":
            raise KeyboardInterrupt
        real_replace(source, target)

    with monkeypatch.context() as patch:
        patch.setattr(storing, "write_atomically", write)
        patch.setattr(storing.os, "replace", rename)
        with pytest.raises(KeyboardInterrupt):
            store.put(spec, example(spec, reason="new"), weights=blobs[1])
    stored = store.find(spec.benchmark, spec.id)
    assert stored is not None
    assert (stored.record.reason, stored.weights()) == (("new", blobs[1]) if broken_at == "rename" else ("old", blobs[0]))
    store.put(spec, example(spec), weights=blobs[1])
    assert [file.name for file in store.folder(spec).glob("model*")] == ["model.safetensors"]


def test_a_run_again_without_weights_leaves_none(own: Path) -> None:
    Store().put(tiny(), example(tiny()))
    assert sorted(file.name for file in own.iterdir()) == ["record.json"]


def test_what_is_set_aside_takes_its_weights_along(own: Path) -> None:
    Store().set_aside(tiny())
    assert {file.suffix for file in own.iterdir()} == {".corrupt"}
    assert (own / "model.safetensors.corrupt").is_file()


@pytest.mark.parametrize("name", VARIANTS)
def test_every_network_is_packed_and_read_back_to_the_bit(name: str, tmp_path: Path) -> None:
    """Everything that a network computes with is in its state: nothing that is drawn when it is built stays behind."""
    spec = replace(tiny(), model=ModelSpec(mixer=VARIANTS[name].mixer.with_states(8), d_model=8, n_layers=2, norm="batch"))
    model = build_network(spec).train()
    x = torch.randn(4, 72, 1)
    model(x).sum().backward()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter += 0.01 * torch.randn_like(parameter)
    store = Store.at(tmp_path)
    blob = pack_weights(model, spec)
    assert blob == pack_weights(model, spec)
    store.put(spec, example(spec), weights=blob)
    before = torch.get_rng_state()
    stored = store.find(spec.benchmark, spec.id)
    assert stored is not None
    read, again = read_network(stored)
    assert again == spec
    assert torch.equal(torch.get_rng_state(), before)
    assert not read.training
    assert torch.equal(read(x), model.eval()(x))


# ---------------------------------------------------------------- found


def test_a_run_is_found_by_as_much_as_names_it_alone(own: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    id = tiny().id
    monkeypatch.chdir(own.parent.parent.parent)
    for word in (id, id[:6], f"digits-noise/{id}", f"digits-noise/{id[:6]}", str(own), f"runs/digits-noise/{id}/", f"{own}/record.json"):
        assert find_record(word).record.id == id, word
    model, record = load(f"runs/digits-noise/{id}")
    assert (record.id, model.training) == (id, False)


def test_an_unknown_run_is_answered_with_the_nearest(tmp_path: Path) -> None:
    store = Store.at(tmp_path)
    for seed in range(12):
        store.put(tiny(seed=seed), example(tiny(seed=seed)))
    id = tiny(seed=3).id
    with pytest.raises(ValueError, match=f"did you mean digits-noise/{id}"):
        find_record(id[:-1] + ("0" if id[-1] != "0" else "1"), store)
    with pytest.raises(ValueError, match="write more of the id"):
        find_record(_ambiguous(store), store)
    with pytest.raises(ValueError, match="there is no record"):
        find_record("nothing", Store.at(tmp_path / "empty"))


def _ambiguous(store: Store) -> str:
    starts = [found.record.id[0] for found in store.every()]
    return next(start for start in starts if starts.count(start) > 1)


@pytest.mark.parametrize("damage", ["one byte", "cut", "other network"])
def test_damaged_weights_are_noticed(own: Path, damage: str, capsys: pytest.CaptureFixture[str]) -> None:
    file = own / "model.safetensors"
    blob = bytearray(file.read_bytes())
    if damage == "one byte":
        blob[-1] ^= 1
    elif damage == "cut":
        del blob[100:]
    else:
        other = tiny(model=replace(tiny().model, d_model=6))
        blob = bytearray(pack_weights(build_network(other), tiny()))
        record = Record.from_json((own / "record.json").read_text())
        Store().put(tiny(), dataclasses.replace(record), weights=bytes(blob))
    file.write_bytes(blob)
    with pytest.raises(DamagedRecord, match="does not fit" if damage == "other network" else "sha256 differs"):
        load(own)
    with pytest.raises(DataError, match="--rerun all"):
        command.main(["evaluate", tiny().id])


def test_weights_that_were_removed_cost_nothing_but_themselves(own: Path) -> None:
    (own / "model.safetensors").unlink()
    assert Store().status(tiny()) == "ok"
    with pytest.raises(cli.UsageError, match="not here"):
        command.main(["evaluate", tiny().id])


# ---------------------------------------------------------------- scored again


@pytest.mark.slow
def test_the_kept_network_scores_what_its_record_says(own: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main(["evaluate", tiny().id[:8], "--threads", str(torch.get_num_threads())]) == 0
    out = capsys.readouterr().out
    assert "equal: the record's numbers, to the last digit" in out
    assert "test_loss" in out


@pytest.mark.slow
def test_a_record_that_says_otherwise_is_found_out(own: Path, capsys: pytest.CaptureFixture[str]) -> None:
    record = Record.from_json((own / "record.json").read_text())
    weights = (own / "model.safetensors").read_bytes()
    Store().put(tiny(), dataclasses.replace(record, metrics={**record.metrics, "test_accuracy": 0.99}), weights=weights)
    assert command.main(["evaluate", str(own)]) == 1
    out = capsys.readouterr().out
    assert "recorded 0.99" in out
    assert "differs: not the record's numbers" in out


@pytest.mark.slow
def test_other_data_are_not_scored(own: Path) -> None:
    record = Record.from_json((own / "record.json").read_text())
    weights = (own / "model.safetensors").read_bytes()
    Store().put(tiny(), dataclasses.replace(record, data={**record.data, "hash": "0" * 64}), weights=weights)
    with pytest.raises(DataError, match="not those that this run saw"):
        command.main(["evaluate", str(own)])


@pytest.mark.slow
def test_predictions_are_made_afterwards_too(own: Path, capsys: pytest.CaptureFixture[str]) -> None:
    stored = find_record(str(own))
    before = stored.predictions()
    weights = (own / "model.safetensors").read_bytes()
    Store().put(tiny(), stored.record, weights=weights)
    assert find_record(str(own)).predictions() == {}
    assert command.main(["evaluate", str(own), "--predictions"]) == 0
    after = find_record(str(own))
    assert after.weights() == weights
    assert all(np.array_equal(before[name], array) for name, array in after.predictions().items())
    (own / str((after.record.predictions or {})["file"])).write_bytes(packed({"output": np.zeros(3)}))
    with pytest.raises(DamagedRecord, match="sha256 differs"):
        after.predictions()


@pytest.mark.parametrize(
    ("recorded", "found", "equal", "close"),
    [
        (0.5, 0.5, True, True),
        (0.5, 0.5 + 1e-7, False, True),
        (0.5, 0.51, False, False),
        (None, None, True, True),
        (None, 0.5, False, False),
    ],
)
def test_numbers_are_equal_close_or_neither(recorded: float | None, found: float | None, equal: bool, close: bool) -> None:
    number = evaluate.Compared(name="test_loss", recorded=recorded, found=found)
    assert (number.equal, number.close) == (equal, close)
    assert str(number)


def test_pending_names_are_those_of_the_files_that_are_swept() -> None:
    assert pending("0" * 64) == "model-0000000000000000.safetensors"


# ---------------------------------------------------------------- exported


@pytest.mark.parametrize("name", [*VARIANTS, "s4d-lin both ways"])
def test_an_exported_recurrence_is_the_layer(name: str) -> None:
    """Stepped with A, B, C, D in float64, every layer gives its own activations; a layer that has none says why."""
    both = name.endswith("both ways")
    mixer = VARIANTS[name.split()[0]].mixer.with_states(8)
    torch.manual_seed(0)
    layer = mixer.build_layer(8, Around(directions=2 if both else 1)).double().eval()
    model: Any = type("Model", (), {"layers": [layer]})()
    arrays, without = export.state_spaces(model, 24)
    if without:
        assert name in ("lstm", "transformer", "hope-circular", "hope-twosided")
        assert len(without[0]) > 20
        return
    A, B, C, D = (arrays[f"layer0/{letter}"] for letter in "ABCD")
    u = np.random.default_rng(0).standard_normal((24, 8))
    x = np.zeros(B.shape[:1] if name == "lru" else B.shape, dtype=complex)
    y = []
    for step in u:
        if name == "lru":
            y.append((C @ x).real + D @ step)
            x = A * x + B @ step
        else:
            y.append(np.einsum("hn,hn->h", C, x).real + D * step)
            x = (A * x if A.ndim == 2 else np.einsum("hmn,hn->hm", A, x)) + B * step[:, None]
    wanted = torch.nn.functional.gelu(torch.tensor(np.array(y))[None])
    heard: list[torch.Tensor] = []
    layer.dropout.register_forward_hook(lambda module, given, output: heard.append(output))
    layer(torch.tensor(u)[None])
    if both:
        return  # of two directions the causal one is written; the layer adds the other
    assert torch.allclose(heard[0].double(), wanted, atol=1e-8)


@pytest.mark.slow
def test_both_files_are_written_and_the_program_answers_as_the_network(own: Path) -> None:
    """In a process without the checks of shapes that tests have, which a batch of open size does not pass."""
    root = Path(__file__).resolve().parent.parent
    done = subprocess.run([sys.executable, "-m", "benchmarks", "export", str(own)], cwd=root, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "layer0/A (4, 2)" in done.stdout
    assert "program.pt2: x (batch, 72, 1) -> outputs" in done.stdout
    with np.load(own / "export" / "recurrence.npz") as arrays:
        assert {"layer0/A", "layer0/B", "layer0/C", "layer0/D"} == set(arrays.files)
    program = torch.export.load(own / "export" / "program.pt2").module()
    x = torch.randn(5, 72, 1)
    assert torch.allclose(program(x), load(own)[0](x), atol=1e-5)


def test_a_network_that_torch_cannot_export_says_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*given: Any, **named: Any) -> None:
        raise RuntimeError("no such operator\nand much more")

    monkeypatch.setattr("torch.export.export", refuse)
    said = export.write_export(tmp_path, build_network(tiny()).eval(), tiny())
    assert said["program.pt2"] == "none: torch.export: RuntimeError: no such operator"
    assert (tmp_path / "recurrence.npz").is_file()
    assert math.isfinite(float(np.load(tmp_path / "recurrence.npz")["layer0/D"].sum()))
