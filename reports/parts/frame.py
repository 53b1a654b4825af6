"""Records looked up by id, one row per expected run: a tidy frame in which a run that is missing is a row too."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from benchmarks.running.record import FINISHED, DamagedRecord
from benchmarks.running.store import COMMITTED, EVIDENCE, Store, StoredRecord
from benchmarks.spec import Scale


@dataclass(frozen=True, kw_only=True)
class Expected:
    """One run a report asks for. `labels` are the asker's words for it (variant, or the factors of a grid); the id is the run."""

    labels: Mapping[str, str]
    benchmark: str
    id: str
    seed: int
    scale: Scale
    command: str
    """The shell line that makes the record."""
    about: str = ""
    """What the row is, in half a sentence."""
    source: str = ""
    notes: tuple[str, ...] = ()


def all_records() -> Store:
    """Every record there is: those of the run store, and where it has none of a run those that are committed."""
    return Store((*Store().roots, *committed_records().roots))


def committed_records() -> Store:
    """The records that are part of the checkout, and no others."""
    return Store(((EVIDENCE, COMMITTED),))


def usable(store: Store, benchmark: str, id: str) -> bool:
    """Whether the store has a record of this run that a report can show."""
    try:
        return store.find(benchmark, id) is not None
    except DamagedRecord:
        return False


@dataclass(frozen=True, kw_only=True)
class Found:
    """A folder of the store that holds a record: the record, or why it cannot be used."""

    benchmark: str
    id: str
    stored: StoredRecord | None
    trouble: str = ""


def find_all(store: Store) -> dict[str, dict[str, Found]]:
    """benchmark -> id -> what is there, for every record of the store, each read once."""
    places = sorted({(path.parent.parent.name, path.parent.name) for _, root in store.roots for path in root.glob("*/*/record.json")})
    out: dict[str, dict[str, Found]] = {}
    for benchmark, id in places:
        try:
            stored, trouble = store.find(benchmark, id), ""
        except DamagedRecord as error:
            stored, trouble = None, str(error)
        out.setdefault(benchmark, {})[id] = Found(benchmark=benchmark, id=id, stored=stored, trouble=trouble)
    return out


def _number(value: Any) -> float:
    return float(value) if isinstance(value, (int, float)) and math.isfinite(value) else math.nan


def rates_of(groups: Sequence[Mapping[str, Any]], *, kernel: bool) -> str:
    """The distinct learning rates of the optimizer groups with (or without) kernel parameters, as they really were."""
    rates = {float(g["lr"]) for g in groups if any((".kernel." in f".{p}") == kernel for p in g["parameters"])}
    return ", ".join(f"{r:g}" for r in sorted(rates))


def _found(store: Store, e: Expected) -> tuple[StoredRecord | None, str]:
    """The record of one run, or why there is none: "" for a hole, one sentence for a file that cannot be used."""
    try:
        return store.find(e.benchmark, e.id), ""
    except DamagedRecord as error:
        return None, str(error)


Looked = tuple[Expected, StoredRecord | None, str]
"""A run that a report asks for, its record, and why it has none."""


def _of_one_place(looked: Sequence[Looked]) -> list[Looked]:
    """The same, but without committed evidence in rows of which other runs were made here: a mean, or a time, is not of both."""
    row_of = lambda e: (e.benchmark, e.scale, *sorted(e.labels.items()))
    here = {row_of(e) for e, found, _ in looked if found is not None and not _is_evidence(found)}
    apart = "committed evidence is not mixed with the runs of this row that were made here"
    return [(e, None, apart) if row_of(e) in here and _is_evidence(found) else (e, found, trouble) for e, found, trouble in looked]


def _is_evidence(found: StoredRecord | None) -> bool:
    return found is not None and found.name.startswith(f"{EVIDENCE}/")


def tidy(expected: Iterable[Expected], store: Store) -> pd.DataFrame:
    """One row per expected run, in the order asked. `status` is ok, diverged, failed or missing; `file` names the record."""
    rows = []
    for e, found, trouble in _of_one_place([(e, *_found(store, e)) for e in expected]):
        row: dict[str, Any] = {**e.labels, "benchmark": e.benchmark, "scale": e.scale, "seed": e.seed, "id": e.id}
        record = found.record if found else None
        metrics, cost, environment, data = (record.metrics, record.cost, record.environment, record.data) if record else ({},) * 4
        row |= {"status": record.status if record else "missing", "reason": record.reason if record else trouble}
        further = [key for key in metrics if key.startswith("test_")]  # zero-shot tests, by the names the data module gives them
        for key in dict.fromkeys(["test_accuracy", "test_rmse", "test_loss", *further, "val_accuracy", "val_rmse", "best_epoch"]):
            row[key] = _number(metrics.get(key))
        for key in ("parameters", "kernel_parameters", "seconds_per_epoch", "wall_seconds", "peak_memory_mb"):
            row[key] = _number(cost.get(key))
        groups = record.rates if record else ()
        row |= {"kernel_lr": rates_of(groups, kernel=True), "rest_lr": rates_of(groups, kernel=False)}
        row |= {"data": str(data.get("hash", "")), "order": str(data.get("order", ""))}
        row |= {"code": str(environment.get("code", "")), "dirty": bool(environment.get("dirty", False))}
        row |= {"device": str(environment.get("device", "")), "file": found.name if found else ""}
        row |= {"machine": machine_of(environment), "date": str(environment.get("date", ""))[:10]}
        row |= {"evidence": _is_evidence(found), "tests": _number(dict(data.get("counts", {})).get("test"))}
        rows.append(row | {"command": e.command, "about": e.about, "source": e.source, "notes": e.notes, "found": found})
    return pd.DataFrame(rows)


def machine_of(environment: Mapping[str, Any]) -> str:
    """The machine of a record in words, as far as it decides how long a run takes; empty where nothing is known."""
    cpu, device, threads = (str(environment.get(k, "")) for k in ("cpu", "device", "threads"))
    if not cpu and not device:
        return ""
    return f"{cpu or 'an unknown CPU'}, {device or 'cpu'}, {threads} thread{'' if threads == '1' else 's'}"


def made_on(runs: pd.DataFrame) -> str:
    """Where and when the finished runs were made: "AMD EPYC, cpu, 1 thread, on 2026-11-23"; empty where there is none."""
    done = runs[runs["status"].isin(FINISHED)] if len(runs) else runs
    if not len(done):
        return ""
    places = []
    for machine, part in done.groupby("machine", sort=False):
        days = sorted({d for d in part["date"] if d})
        span = days[0] if len(days) == 1 else f"{days[0]} to {days[-1]}" if days else ""
        places.append(f"{machine or 'an unknown machine'}{f', {span}' if span else ''}")
    return "; ".join(places)


def histories(runs: pd.DataFrame, keys: Sequence[str]) -> pd.DataFrame:
    """The learning curves of the runs that have one: `keys`, seed, epoch, and every series of the record's history."""
    rows = [
        {**{k: run[k] for k in keys}, "seed": run["seed"], **{k: _number(v) for k, v in point.items()}}
        for _, run in runs.iterrows()
        if run["found"] is not None
        for point in run["found"].record.history
    ]
    return pd.DataFrame(rows, columns=None if rows else [*keys, "seed", "epoch"])


def environments(runs: pd.DataFrame) -> pd.DataFrame:
    """The distinct environments behind the records, with how many runs each made; threads, versions and device included."""
    shown = ["code", "dirty", "python", "torch", "pytorch_lightning", "numpy", "platform", "cpu", "device", "threads", "workers"]
    rows = [{k: str(f.record.environment.get(k, "")) for k in shown} for f in runs.get("found", []) if f is not None]
    if not rows:
        return pd.DataFrame(columns=["runs", *shown])
    counted = pd.DataFrame(rows).value_counts(sort=False).rename("runs").reset_index()
    return counted[["runs", *shown]]


def data_disagreements(runs: pd.DataFrame) -> list[str]:
    """Sentences for what must not be mixed in one table: several contents of the data, or seeds whose data order differs by row."""
    out = []
    done = runs[runs["status"].isin(FINISHED)] if len(runs) else runs
    for benchmark, part in done.groupby("benchmark", sort=False) if len(done) else []:
        hashes = sorted({h for h in part["data"] if h})
        if len(hashes) > 1:
            out.append(f"{benchmark}: the records saw {len(hashes)} different data sets ({', '.join(h[:8] for h in hashes)}).")
        for seed, same in part.groupby("seed", sort=True):
            if len({o for o in same["order"] if o}) > 1:
                out.append(f"{benchmark}, seed {seed}: rows saw the training data in different orders, so they are not paired.")
    return out
