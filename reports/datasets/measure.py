"""What goes into the record: counts of the sets that are here, statistics of generators beside their references, contact sheets."""

from __future__ import annotations

import hashlib
import platform
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

import numpy as np

from reports.datasets.dataset import DataSet, Measurable
from reports.datasets.record import Record, read, today, write
from reports.datasets.samples import Found

FACTS: Final = ("source", "licence", "version", "counts", "classes", "split", "splits", "speakers", "excluded", "duplicates", "films")
"""What is copied from a manifest."""


def measure(folder: Path, datasets: Sequence[DataSet]) -> Record:
    """The record in a folder with these sets measured anew, as far as they are here; their sheets are written beside it.

    Generators draw what they need for their statistics. Of a set that is not here the record keeps what it has.
    """
    record = read(folder)
    for dataset in datasets:
        _measure_set(record, dataset)
    for dataset in datasets:
        _measure_generator(record, dataset)
    for dataset in datasets:
        _measure_sheet(record, dataset, folder)
    return record


def _measure_set(record: Record, dataset: DataSet) -> None:
    if dataset.forms is None:
        return
    found = dataset.found()
    if found is None:
        print(f"{dataset.name:<12} not here, as it was in the record; {dataset.command} gets it", flush=True)
        return
    record["sets"][dataset.name] = facts_of(found)
    print(f"{dataset.name:<12} {found.prepared.folder}", flush=True)


def facts_of(found: Found[Any]) -> Record:
    """What the page says of a prepared set: facts of its manifest, size, signature, choices."""
    manifest = found.prepared.manifest
    facts: Record = {name: manifest[name] for name in FACTS if name in manifest}
    facts["key"] = manifest["key"]
    facts["bytes"] = sum(entry["bytes"] for entry in manifest["arrays"].values())
    facts["signature"] = asdict(found.spec.signature)
    facts["choices"] = {name: value for name, value in asdict(found.spec).items() if value is not None}
    facts["date"] = today()
    return facts


def _measure_generator(record: Record, dataset: DataSet) -> None:
    if dataset.generator is None:
        return
    record["statistics"][dataset.name] = found = statistics_of(dataset.generator.spec)
    print(f"{dataset.name:<12} {len(found['lines'])} statistics of {found['n']:,} samples", flush=True)


def statistics_of(spec: Measurable) -> Record:
    """The statistics of a generator beside its reference, and how they were obtained; draws the samples where they are not here."""
    if spec.opened() is None:
        print(spec.plan(), flush=True)
    manifest = spec.load(say=lambda text: print(text, flush=True)).manifest
    return {
        "version": manifest["version"],
        "n": sum(manifest["counts"].values()),
        "date": today(),
        "numpy": np.__version__,
        "python": platform.python_version(),
        "lines": [
            [line.quantity, *map(_rounded, (line.reference, line.ours, line.tolerance)), bool(line.agrees)] for line in spec.statistics()
        ],
    }


def _rounded(value: float) -> float:
    """Six digits: enough to see a change, few enough to be the same on the next machine."""
    return float(f"{float(value):.6g}")


def _measure_sheet(record: Record, dataset: DataSet, folder: Path) -> None:
    drawn = dataset.draw()
    if drawn is None:
        return
    plot, content = drawn
    file = f"{dataset.name}.png"
    write(folder, {file: content})
    digest = hashlib.sha256(content).hexdigest()
    record["sheets"][dataset.name] = {"title": plot.title, "alt": plot.alt, "caption": plot.caption, "sha256": digest, "date": today()}
    print(f"{dataset.name:<12} {folder / file}, {len(content) / 1e3:.0f} KB", flush=True)
