"""What of a record is the same wherever a run was made and however often it was broken off."""

from __future__ import annotations

from typing import Any

from benchmarks.running.store import Store


def what_counts(store: Store, benchmark: str, run_id: str) -> tuple[Any, ...]:
    """All of a record that a machine or a clock does not decide, with the bytes of its arrays and weights."""
    stored = store.find(benchmark, run_id)
    assert stored is not None, f"{store.root} has no record {run_id}"
    record = stored.record
    history = [{name: value for name, value in row.items() if name != "seconds"} for row in record.history]
    files = {file.name: file.read_bytes() for file in stored.path.parent.iterdir() if file.suffix in (".npz", ".safetensors")}
    return record.status, record.metrics, history, record.arrays, record.weights, record.data, files
