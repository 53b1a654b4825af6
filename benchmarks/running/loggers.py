"""Loggers of Lightning on request: how a run is watched, never what it computes. All but csv need a package, an extra."""

from __future__ import annotations

import importlib.util
import os
from pathlib import Path
from typing import TYPE_CHECKING, Final

from benchmarks.running.environment import EnvironmentProblem
from benchmarks.spec import RunSpec

if TYPE_CHECKING:
    from pytorch_lightning.loggers import Logger

PROJECT: Final = "ssm-ablation-suite"
WITHOUT_PACKAGE: Final = ("none", "csv")


def check(name: str) -> None:
    """Raises EnvironmentProblem where the package of this logger is not installed."""
    if name not in WITHOUT_PACKAGE and importlib.util.find_spec(name) is None:
        raise EnvironmentProblem(
            f"--logger {name}: the package {name} is not installed here. `python -m pip install -e '.[{name}]'` in the checkout brings it "
            f"(the environment of make: `.venv/bin/python -m pip install -e '.[{name}]'`); or leave --logger out."
        )


def make(name: str, spec: RunSpec, folder: Path) -> Logger | None:
    """The logger of this name writing under <run folder>/logs; None for "none"."""
    check(name)
    logs = folder / "logs"
    if name == "tensorboard":
        from pytorch_lightning.loggers import TensorBoardLogger

        return TensorBoardLogger(logs, name="", default_hp_metric=False)  # version_0, version_1, ...: one for each start
    if name == "wandb":
        from pytorch_lightning.loggers import WandbLogger

        logs.mkdir(parents=True, exist_ok=True)
        return WandbLogger(name=f"{spec.benchmark}/{spec.id}", save_dir=logs, project=PROJECT)
    if name == "csv":
        from pytorch_lightning.loggers import CSVLogger

        return CSVLogger(logs, name="")  # version_0/metrics.csv, version_1/..., likewise
    if name == "mlflow":
        from pytorch_lightning.loggers import MLFlowLogger

        place = os.environ.get("MLFLOW_TRACKING_URI") or f"sqlite:///{logs.resolve() / 'mlflow.db'}"
        logs.mkdir(parents=True, exist_ok=True)
        return MLFlowLogger(experiment_name=PROJECT, run_name=f"{spec.benchmark}/{spec.id}", tracking_uri=place)
    return None
