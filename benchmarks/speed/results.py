"""Results: the timings of a session by their case, and the ratios between them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Self

from benchmarks.speed.case import TEXTBOOK, Case
from benchmarks.speed.sizes import compared

Numbers = Mapping[str, Any]
"""ms, min, max, cpu_ms, runs, peak_mb of one case, as `Timing.to_json` gives them."""


@dataclass(frozen=True)
class Results:
    """What was measured of each case; nan for what was not."""

    found: Mapping[Case, Numbers]

    @classmethod
    def from_json(cls, rows: Sequence[Mapping[str, Any]]) -> Self:
        """From rows of {"case": ..., "ms": ..., ...}. Raises TypeError for a case of other fields."""
        return cls({Case.from_json(row["case"]): {k: v for k, v in row.items() if k != "case"} for row in rows})

    def get(self, case: Case, what: str = "ms") -> float:
        """One number of a case."""
        value = self.found.get(case, {}).get(what)
        return math.nan if value is None else float(value)

    def ratio(self, case: Case, what: str = "ms") -> float:
        """Of the textbook code to ours, at the same size: of time, more than 1 is faster; of "peak_mb", more than 1 is less memory."""
        mine = self.get(case, what)
        return self.get(textbook(case), what) / mine if mine else math.nan


def floor_bytes(case: Case) -> int:
    """What a layer, forward and backward, has to move through memory if each of u, y, dy, du and the kernel with its gradient passes
    once: activations of 4 bytes, or of 2 where the layer runs in bf16. No layer is faster than this over the bandwidth of the device."""
    return 4 * case.B * case.L * case.H * (2 if case.precision == "bf16" else 4) + 2 * case.H * case.L * 4


def textbook(case: Case) -> Case:
    """The case that this one is compared with."""
    return replace(case, by=TEXTBOOK, row=compared(case.row), engine=None)
