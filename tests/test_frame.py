"""Records as frames and as files for other programs; rows compared example by example."""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats as scipy_stats

from benchmarks.registry import BENCHMARKS
from benchmarks.running.beside import named, packed
from benchmarks.running.record import Record, identity
from benchmarks.running.store import Store
from reports import frame
from reports.__main__ import main
from reports.parts import stats
from reports.parts.frame import tidy
from reports.parts.judge import judge_variants
from reports.parts.metric import METRICS
from reports.sections.examples import compose_examples
from tests import synthetic_records as synthetic
from tests.tiny import tiny


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """Two runs: one of a recipe, one of none that diverged."""
    store = Store.at(tmp_path)
    spec = BENCHMARKS["digits-noise"].recipe("s4d-lin", "quick").with_seed(3)
    point = {"epoch": 0, "train_loss": 2.0, "val_loss": 1.5, "val_accuracy": 0.5, "lr": 0.01, "seconds": 1.0}
    store.put(
        spec,
        Record(
            **identity(spec),
            status="ok",
            metrics={"test_accuracy": 0.75, "test_loss": 1.0, "best_epoch": 1},
            cost={"parameters": 10},
            history=(point, {**point, "epoch": 1}),
            data={"hash": "ab", "counts": {"train": 4}},
            environment={"device": "cpu", "dirty": False, "earlier_code": ["x"]},
        ),
        weights=b"weights",
    )
    store.put(tiny(), Record(**identity(tiny()), status="diverged", reason="nan"))
    return store


def test_one_row_a_run_with_every_field_of_its_spec(store: Store) -> None:
    runs = frame.all(store).set_index("seed")
    assert list(runs["variant"]) in (["s4d-lin", ""], ["", "s4d-lin"])
    run = runs.loc[3]
    assert (run["test_accuracy"], run["best_epoch"], run["parameters"]) == (0.75, 1, 10)
    assert (run["model.mixer.type"], run["model.mixer.init"], run["data.noise"], run["data.counts.train"]) == ("S4DSpec", "lin", 192, 4)
    assert (run["weights"], run["evidence"], run["environment.earlier_code"]) == ("model.safetensors", False, '["x"]')
    other = runs.loc[0]
    assert other["status"] == "diverged"
    assert pd.isna(other["test_accuracy"])
    assert pd.isna(other["best_epoch"])
    assert {str(dtype) for dtype in runs.dtypes} <= {"string", "Int64", "Float64", "boolean"}


def test_one_row_a_run_and_epoch(store: Store) -> None:
    epochs = frame.epochs(store)
    assert list(epochs["epoch"]) == [0, 1]
    assert set(epochs["variant"]) == {"s4d-lin"}
    assert list(epochs["val_accuracy"]) == [0.5, 0.5]


def test_a_store_without_records_has_the_columns_without_rows(tmp_path: Path) -> None:
    assert {"benchmark", "id", "test_accuracy"} <= set(frame.all(Store.at(tmp_path)).columns)
    assert len(frame.all(Store.at(tmp_path))) == len(frame.epochs(Store.at(tmp_path))) == 0


def test_every_column_is_documented(store: Store) -> None:
    for table, words in ((frame.all(store), frame.RUNS), (frame.epochs(store), frame.EPOCHS)):
        known = [name.strip() for names in words for name in names.split(",")]
        patterns = [re.compile(re.escape(name).replace(r"\*", ".*")) for name in known]
        assert [name for name in table.columns if not any(pattern.fullmatch(name) for pattern in patterns)] == []


def test_files_hold_what_the_frames_hold(store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("reports.frame.all_records", lambda: store)
    assert main(["export", "--format", "csv,parquet", "--out", str(tmp_path / "out")]) == 0
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        "columns.txt", "epochs.csv", "epochs.parquet", "runs.csv", "runs.parquet"
    ]  # fmt: skip
    for name, table in (("runs", frame.all(store)), ("epochs", frame.epochs(store))):
        again = pd.read_parquet(tmp_path / "out" / f"{name}.parquet")
        assert list(again["id"]) == list(table["id"]) == list(pd.read_csv(tmp_path / "out" / f"{name}.csv")["id"])
        assert list(again.columns) == list(table.columns)
    assert "sha256 of plugins" in (tmp_path / "out" / "columns.txt").read_text()


# ---------------------------------------------------------------- example by example


@pytest.mark.parametrize(("b", "c"), [(0, 0), (1, 0), (3, 9), (9, 3), (40, 60), (0, 20)])
def test_mcnemar_is_the_sign_test_of_the_discordant_pairs(b: int, c: int) -> None:
    wanted = scipy_stats.binomtest(b, b + c, 0.5).pvalue if b + c else 1.0
    assert stats.mcnemar(b, c) == pytest.approx(wanted)


def keep(root: Path, e: synthetic.Expected, correct: np.ndarray) -> None:
    folder = root / e.benchmark / e.id
    blob = packed({"correct": correct, "label": np.zeros(len(correct), dtype=int), "output": np.zeros((len(correct), 2))})
    entry = named(blob, "predictions", ".npz")
    (folder / entry["file"]).write_bytes(blob)
    record = json.loads((folder / "record.json").read_text())
    (folder / "record.json").write_text(json.dumps(record | {"schema": 2, "weights": None, "predictions": entry}))
    assert hashlib.sha256(blob).hexdigest() == entry["sha256"]


def test_rows_that_kept_predictions_are_compared_with_the_best(tmp_path: Path) -> None:
    wanted = [synthetic.expected({"variant": v}, seed) for v in ("s4d-lin", "hope", "s4") for seed in (0, 1)]
    for e in wanted:
        synthetic.write(tmp_path, e, level={"s4d-lin": 0.9, "hope": 0.8, "s4": 0.7}[e.labels["variant"]])
    answers = {"s4d-lin": [1] * 90 + [0] * 10, "hope": [0] * 20 + [1] * 75 + [0] * 5}
    for e in wanted:
        if e.labels["variant"] in answers and e.seed == 0:
            keep(tmp_path, e, np.array(answers[e.labels["variant"]], dtype=bool))
    runs = tidy(wanted, Store.at(tmp_path))
    section = compose_examples(judge_variants(runs, METRICS["accuracy"]), name="x")
    assert section is not None
    (table,) = section.parts
    assert list(table.cells["variant"]) == ["hope"]
    (row,) = table.numbers.to_dict("records")
    assert (row["best"], row["seed"], row["items"], row["only_best"], row["only_row"]) == ("s4d-lin", 0, 100, 20, 5)
    assert row["p"] == row["p_holm"] == pytest.approx(scipy_stats.binomtest(5, 25, 0.5).pvalue)
    assert "McNemar" in table.text()


def test_without_predictions_there_is_no_such_section(tmp_path: Path) -> None:
    wanted = [synthetic.expected({"variant": v}, 0) for v in ("s4d-lin", "hope")]
    for e in wanted:
        synthetic.write(tmp_path, e)
    assert compose_examples(judge_variants(tidy(wanted, Store.at(tmp_path)), METRICS["accuracy"]), name="x") is None
