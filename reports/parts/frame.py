"""Records looked up by id, one row per expected run: a tidy frame in which a run that is missing is a row too."""

from __future__ import annotations

import hashlib
import io
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.running.record import DamagedRecord, Record, run_root

COMMITTED = Path(__file__).resolve().parents[1] / "records"
"""Committed evidence: what the published tables are rendered from."""


@dataclass(frozen=True, kw_only=True)
class Expected:
    """One run a report asks for. `labels` are the asker's words for it (variant, or the factors of a grid); the id is the run."""

    labels: Mapping[str, str]
    benchmark: str
    id: str
    seed: int
    scale: str
    command: str
    """The shell line that makes the record."""
    about: str = ""
    """What the row is, in half a sentence."""
    source: str = ""
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Found:
    """A record, where it lies, and its arrays (read when asked for)."""

    record: Record
    path: Path
    name: str
    """How the file is called in a report: relative to its store, never a path of this machine."""

    def arrays(self) -> dict[str, np.ndarray]:
        """Kernels, eigenvalues and Hankel singular values of the run; empty where the record has none, or is committed without them
        (arrays are committed for one seed of the default rows). Raises DamagedRecord if the file is not the one the record names."""
        entry = self.record.arrays
        if entry is None or not (file := self.path.parent / entry["file"]).is_file():
            return {}
        blob = file.read_bytes()
        if hashlib.sha256(blob).hexdigest() != entry["sha256"]:
            raise DamagedRecord(f"{self.name}: {entry['file']} is not the file this record was written with (sha256 differs)")
        with np.load(io.BytesIO(blob), allow_pickle=False) as npz:
            return {k: npz[k] for k in npz.files}


@dataclass(frozen=True)
class Library:
    """Folders of records, asked in order: the run store first, then what is committed."""

    roots: tuple[tuple[str, Path], ...] = field(default_factory=lambda: (("runs", run_root()), ("reports/records", COMMITTED)))

    def find(self, benchmark: str, id: str) -> Found | str:
        """The record of one run, or why there is none: "" for a hole, one sentence for a file that cannot be used."""
        trouble = ""
        for name, root in self.roots:
            path = root / benchmark / id / "record.json"
            if not path.is_file():
                continue
            label = f"{name}/{benchmark}/{id}/record.json"
            try:
                record = Record.from_json(path.read_text(encoding="utf-8"))
            except (OSError, UnicodeDecodeError, DamagedRecord) as error:
                trouble = f"{label} cannot be used: {error}"
                continue
            return Found(record=record, path=path, name=label)
        return trouble

    def has(self, benchmark: str, id: str) -> bool:
        """Whether there is a record of this run that can be used."""
        return isinstance(self.find(benchmark, id), Found)

    def seeds(self, benchmark: str) -> list[int]:
        """The seeds of which a benchmark has any usable record, in order."""
        ids = {path.parent.name for _, root in self.roots for path in root.glob(f"{benchmark}/*/record.json")}
        found = (self.find(benchmark, id) for id in ids)
        return sorted({f.record.seed for f in found if isinstance(f, Found)})


def _number(value: Any) -> float:
    return float(value) if isinstance(value, (int, float)) and math.isfinite(value) else math.nan


def _rates(groups: Sequence[Mapping[str, Any]], kernel: bool) -> str:
    """The distinct learning rates of the optimizer groups with (or without) kernel parameters, as they really were."""
    rates = {float(g["lr"]) for g in groups if any((".kernel." in f".{p}") == kernel for p in g["parameters"])}
    return ", ".join(f"{r:g}" for r in sorted(rates))


def tidy(expected: Iterable[Expected], library: Library) -> pd.DataFrame:
    """One row per expected run, in the order asked. `status` is ok, diverged, failed or missing; `file` names the record."""
    rows = []
    for e in expected:
        found = library.find(e.benchmark, e.id)
        row: dict[str, Any] = {**e.labels, "benchmark": e.benchmark, "scale": e.scale, "seed": e.seed, "id": e.id}
        record = found.record if isinstance(found, Found) else None
        metrics, cost, environment, data = (record.metrics, record.cost, record.environment, record.data) if record else ({},) * 4
        row |= {"status": record.status if record else "missing", "reason": record.reason if record else str(found)}
        further = [key for key in metrics if key.startswith("test_")]  # zero-shot tests, by the names the data module gives them
        for key in dict.fromkeys(["test_accuracy", "test_rmse", "test_loss", *further, "val_accuracy", "val_rmse", "best_epoch"]):
            row[key] = _number(metrics.get(key))
        for key in ("parameters", "kernel_parameters", "seconds_per_epoch", "wall_seconds", "peak_memory_mb"):
            row[key] = _number(cost.get(key))
        groups = record.rates if record else ()
        row |= {"kernel_lr": _rates(groups, True), "rest_lr": _rates(groups, False)}
        row |= {"data": str(data.get("hash", "")), "order": str(data.get("order", ""))}
        row |= {"code": str(environment.get("code", "")), "dirty": bool(environment.get("dirty", False))}
        row |= {"device": str(environment.get("device", "")), "file": found.name if isinstance(found, Found) else ""}
        rows.append(row | {"command": e.command, "about": e.about, "source": e.source, "notes": e.notes, "found": found})
    return pd.DataFrame(rows)


def histories(runs: pd.DataFrame, keys: Sequence[str]) -> pd.DataFrame:
    """The learning curves of the runs that have one: `keys`, seed, epoch, and every series of the record's history."""
    rows = [
        {**{k: run[k] for k in keys}, "seed": run["seed"], **{k: _number(v) for k, v in point.items()}}
        for _, run in runs.iterrows()
        if isinstance(run["found"], Found)
        for point in run["found"].record.history
    ]
    return pd.DataFrame(rows, columns=None if rows else [*keys, "seed", "epoch"])


def environments(runs: pd.DataFrame) -> pd.DataFrame:
    """The distinct environments behind the records, with how many runs each made; threads, versions and device included."""
    shown = ["code", "dirty", "python", "torch", "pytorch_lightning", "numpy", "platform", "cpu", "device", "threads", "workers"]
    rows = [{k: str(f.record.environment.get(k, "")) for k in shown} for f in runs.get("found", []) if isinstance(f, Found)]
    if not rows:
        return pd.DataFrame(columns=["runs", *shown])
    counted = pd.DataFrame(rows).value_counts(sort=False).rename("runs").reset_index()
    return counted[["runs", *shown]]


def data_disagreements(runs: pd.DataFrame) -> list[str]:
    """Sentences for what must not be mixed in one table: several contents of the data, or seeds whose data order differs by row."""
    out = []
    done = runs[runs["status"].isin(["ok", "diverged"])] if len(runs) else runs
    for benchmark, part in done.groupby("benchmark", sort=False) if len(done) else []:
        hashes = sorted({h for h in part["data"] if h})
        if len(hashes) > 1:
            out.append(f"{benchmark}: the records saw {len(hashes)} different data sets ({', '.join(h[:8] for h in hashes)}).")
        for seed, same in part.groupby("seed", sort=True):
            if len({o for o in same["order"] if o}) > 1:
                out.append(f"{benchmark}, seed {seed}: rows saw the training data in different orders, so they are not paired.")
    return out
