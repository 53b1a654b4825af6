"""Records made up for the tests of the reports: seeded, and marked as synthetic in every field that a reader could mistake."""

from __future__ import annotations

import hashlib
import io
import json
import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.spec import spec_id
from reports.parts.frame import Expected

VARIANTS = ("s4", "dss-exp", "dss-softmax", "s4d-legs", "s4d-inv", "s4d-lin", "hope", "lstm", "transformer")
LEVEL = {"s4": 0.93, "dss-exp": 0.9, "dss-softmax": 0.88, "s4d-legs": 0.925, "s4d-inv": 0.915, "s4d-lin": 0.94, "hope": 0.955}
LEVEL |= {"lstm": 0.62, "transformer": 0.81}


def expected(labels: Mapping[str, str], seed: int, *, benchmark: str = "synthetic", scale: str = "quick") -> Expected:
    """An entry of the list that a report asks for; its id is the hash of a spec that only holds the labels and the seed."""
    spec = _spec(labels, seed, benchmark, scale)
    return Expected(
        labels=labels, benchmark=benchmark, id=spec_id(spec), seed=seed, scale=scale, source="synthetic <source> & co",
        command=f"python -m benchmarks {benchmark} --variant {labels.get('variant', 'x')} --seeds {seed}", notes=("made up",),
    )  # fmt: skip


def _spec(labels: Mapping[str, str], seed: int, benchmark: str, scale: str) -> dict[str, Any]:
    return {"type": "Synthetic", "version": 1, "labels": dict(labels), "seed": seed, "benchmark": benchmark, "scale": scale}


def write(root: Path, e: Expected, *, level: float | None = None, status: str = "ok", arrays: bool = True, source: str = "") -> None:
    """A record of `e` with this test accuracy (drawn around the row's usual level if None)."""
    name = e.labels.get("variant", "-".join(e.labels.values()))
    rng = np.random.default_rng([zlib.crc32(name.encode()), e.seed])
    score = LEVEL.get(name, 0.85) + 0.012 * rng.standard_normal() if level is None else level
    score = round(score * 360) / 360 if level is None else score
    ok = status == "ok"
    epochs = 12
    curve = score - 0.75 * np.exp(-np.arange(epochs) / 2.5) + 0.006 * rng.standard_normal(epochs)
    history = [
        {"epoch": i, "train_loss": 2.3 * 0.8**i, "val_loss": 2.3 * 0.82**i, "val_accuracy": float(v), "lr": 0.01, "seconds": 0.6}
        for i, v in enumerate(curve)
    ]  # fmt: skip
    spec = _spec(e.labels, e.seed, e.benchmark, e.scale)
    record = {
        "schema": 1, "id": e.id, "benchmark": e.benchmark, "scale": e.scale, "seed": e.seed, "spec": spec,
        "spec_full": spec | {"data": {"type": "SyntheticSpec", "source": source}}, "status": status,
        "reason": "" if ok else "the loss was not finite in epoch 2" if status == "diverged" else "made to fail",
        "metrics": {"test_accuracy": score if ok else None, "test_loss": 0.3, "val_accuracy": score if ok else None, "best_epoch": 7},
        "cost": {"parameters": 12345 + len(name), "kernel_parameters": 2345, "seconds_per_epoch": 0.6 + 0.01 * len(name),
                 "wall_seconds": 8.1, "peak_memory_mb": 151.0},
        "history": history if status != "failed" else [],
        "rates": [{"lr": 0.001, "weight_decay": 0.0, "parameters": ["layers.0.kernel.log_dt"], "n": 32},
                  {"lr": 0.01, "weight_decay": 0.01, "parameters": ["layers.0.kernel.C", "encoder.weight"], "n": 900}],
        "data": {"hash": "5" * 64, "counts": {"train": 1257, "val": 180, "test": 360}, "order": f"order-of-seed-{e.seed}"},
        "environment": {"code": "synthetic-0000", "dirty": False, "python": "3", "torch": "none", "pytorch_lightning": "none",
                        "numpy": "none", "platform": "synthetic", "cpu": "synthetic", "device": "cpu", "threads": 1, "workers": 1,
                        "date": "2000-01-01T00:00:00+00:00"},
        "arrays": None,
    }  # fmt: skip
    folder = root / e.benchmark / e.id
    folder.mkdir(parents=True, exist_ok=True)
    if arrays and ok and name not in ("lstm", "transformer"):
        buffer = io.BytesIO()
        np.savez_compressed(buffer, allow_pickle=False, **_arrays(name, rng))
        (folder / "arrays.npz").write_bytes(buffer.getvalue())
        record["arrays"] = {"file": "arrays.npz", "sha256": hashlib.sha256(buffer.getvalue()).hexdigest()}
    (folder / "record.json").write_text(json.dumps(record))


def _arrays(name: str, rng: np.random.Generator, H: int = 32, N: int = 16, L: int = 256) -> dict[str, np.ndarray]:
    out, t = {}, np.arange(L)
    for layer in range(2):
        dt = np.exp(rng.uniform(np.log(1e-3), np.log(1e-1), (H, 1)))
        n = np.arange(N)
        imag = {"hope": 0 * n, "s4d-lin": np.pi * n, "dss-exp": np.pi * n}.get(name, (N / np.pi) * (N / (2 * n + 1) - 1))
        C = rng.standard_normal((H, N)) / N
        for moment, drift in (("start", 0.0), ("end", 0.5)):
            A = (-0.5 * np.exp(drift * rng.standard_normal((H, N))) + 1j * imag * np.exp(0.1 * drift * rng.standard_normal((H, N)))) * dt
            A = A.real.mean(1, keepdims=True) + 0 * A if name == "hope" else A
            K = np.einsum("hn,hnl->hl", C, np.exp(A[:, :, None] * t)).real
            size = np.abs(K)
            out |= {
                f"layer{layer}/{moment}/kernel": K[None, :: H // 8].astype(np.float32),
                f"layer{layer}/{moment}/memory": np.quantile(size, [0, 0.25, 0.5, 0.75, 1], axis=0).astype(np.float32),
                f"layer{layer}/{moment}/eigenvalues": np.exp(A).astype(np.complex64),
                f"layer{layer}/{moment}/hsv": np.sort(rng.random((H, N)), axis=1)[:, ::-1].astype(np.float32),
            }
    return out


def library_of(root: Path, variants: Sequence[str] = VARIANTS, seeds: Sequence[int] = (0, 1, 2), **how: Any) -> list[Expected]:
    """Writes a record for each variant and seed and returns the list to ask for."""
    asked = [expected({"variant": v}, s) for v in variants for s in seeds]
    for e in asked:
        write(root, e, **how)
    return asked
