"""Loggers: what they write, where, and that they change no number."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest
import torch

from benchmarks import cli
from benchmarks.running import loggers
from benchmarks.running.environment import EnvironmentProblem, Runtime
from benchmarks.running.run import run
from benchmarks.running.store import Store
from tests.tiny import tiny


def test_none_needs_and_makes_nothing(tmp_path: Path) -> None:
    assert loggers.make("none", tiny(), tmp_path) is None
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", [name for name in cli.LOGGERS if name not in loggers.WITHOUT_PACKAGE])
def test_an_absent_package_names_its_extra(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(EnvironmentProblem, match=rf"pip install -e '\.\[{name}\]'"):
        loggers.make(name, tiny(), tmp_path)
    from benchmarks.doctor import ROOT

    assert f"\n{name} = [" in (ROOT / "pyproject.toml").read_text()


@pytest.mark.skipif(importlib.util.find_spec("tensorboard") is None, reason="tensorboard is not installed")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_tensorboard_is_told_everything_and_changes_nothing(tmp_path: Path) -> None:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    threads = torch.get_num_threads()
    silent = run(tiny(), Runtime(), Store.at(tmp_path / "silent"))
    store = Store.at(tmp_path / "told")
    told = run(tiny(), Runtime(logger="tensorboard"), store)
    torch.set_num_threads(threads)
    assert (told.status, told.id, told.metrics, told.arrays) == ("ok", silent.id, silent.metrics, silent.arrays)
    assert not (store.folder(tiny()).parent.parent / "lightning_logs").exists()
    events = EventAccumulator(str(store.folder(tiny()) / "logs" / "version_0"))
    events.Reload()
    assert [event.value for event in events.Scalars("train_loss")] == pytest.approx([row["train_loss"] for row in told.history])
    assert [event.value for event in events.Scalars("test_accuracy")] == pytest.approx([told.metrics["test_accuracy"]])


def test_csv_is_told_everything_without_a_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    logger = loggers.make("csv", tiny(), tmp_path)
    assert logger is not None
    logger.log_metrics({"train_loss": 0.5}, step=3)
    logger.save()
    assert (tmp_path / "logs" / "version_0" / "metrics.csv").read_text().splitlines() == ["step,train_loss", "3,0.5"]


def test_mlflow_gets_a_run_of_this_name_in_a_file_of_the_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A stand-in for Lightning's logger, whose package need not be here."""
    told: list[dict[str, str]] = []
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: object())
    monkeypatch.setattr("pytorch_lightning.loggers.MLFlowLogger", lambda **given: told.append(given))
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    loggers.make("mlflow", tiny(), tmp_path)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:1")
    loggers.make("mlflow", tiny(), tmp_path)
    name = f"digits-noise/{tiny().id}"
    assert [given["tracking_uri"] for given in told] == [f"sqlite:///{tmp_path}/logs/mlflow.db", "http://127.0.0.1:1"]
    assert {(given["experiment_name"], given["run_name"]) for given in told} == {(loggers.PROJECT, name)}
