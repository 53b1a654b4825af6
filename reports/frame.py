"""Every record as a tidy pandas frame, for notebooks and for `python -m reports export`.

    from reports import frame
    runs = frame.all()          # one row a run
    epochs = frame.epochs()     # one row a run and epoch

What a column holds is said in RUNS and EPOCHS; whoever wants one benchmark filters: runs[runs["benchmark"] == "digits-noise"].
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import pandas as pd

from benchmarks.registry import BENCHMARKS
from benchmarks.running.beside import StoredRecord
from benchmarks.running.store import Store
from benchmarks.running.tally import of_all_seeds
from benchmarks.spec import canonical
from models import VARIANTS
from reports.parts.frame import EVIDENCE, all_records, rates_of

RUNS: Final[Mapping[str, str]] = {
    "benchmark": "name of the benchmark",
    "variant": "the row of the suite that this run is of, by its recipe of today; empty where it is of none, as most cells of grids",
    "scale": "quick, small or paper",
    "seed": "seeds weights, order of the data and noise; runs of one benchmark and seed are paired",
    "id": "identity of the run: the hash of everything that can change its numbers",
    "status": "ok; diverged, which is a result; failed, which is none",
    "reason": "why a run diverged or failed, in a sentence",
    "test_accuracy": "share of right answers on the test set, of the epoch that was best on validation; empty for regression",
    "test_rmse": "root of the mean squared error on the test set, in the unit of the target; empty for classification",
    "test_*": "further numbers of the test set: the loss, what constant answers score, tests at other sampling rates",
    "val_*": "the same of the validation set at the chosen epoch",
    "best_epoch": "the epoch that was chosen on validation, counted from 0",
    "parameters": "trained numbers",
    "kernel_parameters": "those inside the linear systems",
    "seconds_per_epoch": "median time of the training part of an epoch",
    "wall_seconds": "time of the whole run, earlier sessions included",
    "sessions": "how often the run was started until it was done",
    "peak_memory_mb": "memory above that of the loaded data, in MB of 10^6 bytes",
    "data.*": "fields of the DataSpec, its type among them; data.hash: sha256 of the content; data.counts.*: samples of each part",
    "model.*": "fields of the ModelSpec; model.mixer.*: of the parameterization, model.mixer.type is its class",
    "optim.*": "fields of the OptimSpec; optim.schedule.*: of the schedule",
    "epochs, batch_size, precision": "the rest of the RunSpec",
    "kernel_lr, rest_lr": "the distinct learning rates of groups with and without parameters of a kernel, as they really were",
    "environment.*": "where the run was made: code, libraries, device, threads, date; environment.plugins.*: sha256 of plugins",
    "weights, predictions": "name of the file beside the record, empty where there is none",
    "evidence": "whether this is a committed record, and not one of the run store",
    "file": "the record, from the run store or the checkout on",
}
"""Columns of `all`; a star stands for as many as the records have. What a run does not have is missing (pandas.NA)."""
EPOCHS: Final[Mapping[str, str]] = {
    "benchmark, variant, scale, seed, id": "as in the frame of runs",
    "epoch": "counted from 0",
    "train_loss": "mean over the samples of the epoch, in training mode",
    "val_loss": "of the validation set after the epoch",
    "val_accuracy, val_rmse": "likewise; one of them",
    "lr": "largest learning rate of any group at the first step of the epoch",
    "seconds": "time of the training part",
}
"""Columns of `epochs`."""
KEYS: Final = ("benchmark", "variant", "scale", "seed", "id")
FIRST: Final = (*KEYS, "status", "reason", "test_accuracy", "test_rmse", "test_loss", "val_accuracy", "val_rmse", "val_loss", "best_epoch")
TYPES: Final = (({bool}, "boolean"), ({int}, "Int64"), ({int, float}, "Float64"))


def all(store: Store | None = None) -> pd.DataFrame:
    """One row a run, of every record that can be used: those of the run store, and the committed ones it has none of."""
    return _table([_row(found, variant) for found, variant in _found(store)], FIRST)


def epochs(store: Store | None = None) -> pd.DataFrame:
    """One row a run and epoch, of the same records; a run that was ended by a loss that is not finite has the epochs before."""
    rows = [
        {**{key: getattr(found.record, key) for key in KEYS if key != "variant"}, "variant": variant, **point}
        for found, variant in _found(store)
        for point in found.record.history
    ]
    return _table(rows, (*KEYS, "epoch", "train_loss", "val_loss", "val_accuracy", "val_rmse"))


def _found(store: Store | None) -> Iterator[tuple[StoredRecord, str]]:
    """Every usable record with the name of its row."""
    names = _variants()
    for found in (store or all_records()).every():
        yield found, names.get(of_all_seeds(found.record.spec), "")


def _variants() -> dict[str, str]:
    """The runs of all recipes, whatever their seed -> the name of the row."""
    out: dict[str, str] = {}
    for benchmark in BENCHMARKS.values():
        for scale in benchmark.scales:
            for name in VARIANTS:
                if benchmark.has_recipe(name, scale):
                    out.setdefault(of_all_seeds(canonical(benchmark.recipe(name, scale).run)), name)
    return out


def _row(found: StoredRecord, variant: str) -> dict[str, Any]:
    record = found.record
    rest = {name: value for name, value in record.spec_full.items() if name not in ("type", "version", "benchmark", "scale", "seed")}
    flat = dict(_flat("", {**rest, "data": {**rest.get("data", {}), **record.data}, "environment": record.environment}))
    return {
        "benchmark": record.benchmark, "variant": variant, "scale": record.scale, "seed": record.seed, "id": record.id,
        "status": record.status, "reason": record.reason, **record.metrics, **record.cost, **flat,
        "kernel_lr": rates_of(record.rates, kernel=True), "rest_lr": rates_of(record.rates, kernel=False),
        "weights": (record.weights or {}).get("file"), "predictions": (record.predictions or {}).get("file"),
        "evidence": found.name.startswith(f"{EVIDENCE}/"), "file": found.name,
    }  # fmt: skip


def _flat(name: str, value: Any) -> Iterator[tuple[str, Any]]:
    """Nested tables with dotted names; a list is written as JSON."""
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _flat(f"{name}.{key}" if name else str(key), inner)
    else:
        yield name, json.dumps(value) if isinstance(value, (list, tuple)) else value


def _table(rows: Sequence[Mapping[str, Any]], first: Sequence[str]) -> pd.DataFrame:
    """The rows as a frame with columns of one type each, so that every format can hold them; the `first` are there without rows too."""
    names = dict.fromkeys([*first, *(name for row in rows for name in row)])
    return pd.DataFrame({name: _column([row.get(name) for row in rows]) for name in names})


def _column(values: Sequence[Any]) -> pd.Series:
    """Flags, whole numbers, numbers or text, the first that all of the values are; None is missing in any of them."""
    kinds = {type(value) for value in values if value is not None}
    dtype = next((word for fits, word in TYPES if kinds and kinds <= fits), "string")
    return pd.Series([value if value is None or dtype != "string" else str(value) for value in values], dtype=dtype)
