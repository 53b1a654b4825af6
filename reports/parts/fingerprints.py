"""What the arrays of the records hold, row by row: kernels, eigenvalues, impulse responses and singular values at start and end."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.running.record import DamagedRecord

Pair = tuple[np.ndarray, np.ndarray]
"""The same array before and after training."""


@dataclass(frozen=True, kw_only=True)
class Fingerprints:
    """Per row the arrays of its lowest seed that has any."""

    arrays: Mapping[str, Mapping[str, np.ndarray]] = field(default_factory=dict)
    seed: int | None = None
    """Which seed that was, where it is the same for every row."""
    ill_conditioned: frozenset[str] = frozenset()
    """Rows whose state matrix is S4's of LegS: so far from normal that rounding moves its eigenvalues over most of the unit disk."""
    trouble: tuple[str, ...] = ()
    """A sentence for each file that could not be read."""

    def pairs(self, what: str, *, every_layer: bool) -> dict[str, Pair]:
        """variant -> (before, after) of one kind of array, of the first layer or of all layers stacked; what is not finite is left out."""
        out = {}
        for variant, a in self.arrays.items():
            layers = sorted({int(k.split("/")[0].removeprefix("layer")) for k in a if k.endswith(f"/{what}")})
            if not layers:
                continue
            chosen = layers if every_layer else layers[:1]
            start, end = (np.concatenate([a[f"layer{i}/{m}/{what}"] for i in chosen]) for m in ("start", "end"))
            if np.isfinite(start).all() and np.isfinite(end).all():
                out[variant] = (start, end)
        return out


def read_fingerprints(runs: pd.DataFrame) -> Fingerprints:
    """The fingerprints of the finished runs of a benchmark, rows in the order asked."""
    out, seeds, ill_conditioned, trouble = {}, set(), set(), []
    for _, run in runs.sort_values("seed", kind="stable").iterrows() if len(runs) else ():
        if run["variant"] in out or run["found"] is None or run["status"] != "ok":
            continue
        try:
            arrays = run["found"].arrays()
        except DamagedRecord as error:
            trouble.append(str(error))
            continue
        if arrays:
            out[run["variant"]] = arrays
            seeds.add(int(run["seed"]))
            if is_legs_of_s4(run["found"].record.spec_full):
                ill_conditioned.add(run["variant"])
    order = list(dict.fromkeys(runs["variant"])) if len(runs) else []
    return Fingerprints(
        arrays={v: out[v] for v in order if v in out}, seed=seeds.pop() if len(seeds) == 1 else None,
        ill_conditioned=frozenset(ill_conditioned), trouble=tuple(trouble),
    )  # fmt: skip


def is_legs_of_s4(spec: Mapping[str, Any]) -> bool:
    """Whether the layers of a run, as its record spells them out, have the dense matrix of S4-LegS."""
    mixer = spec.get("model", {}).get("mixer", {})
    return (mixer.get("type"), mixer.get("init")) == ("S4Spec", "legs")
