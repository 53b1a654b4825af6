"""How the number of a benchmark is read from a record and printed."""

from __future__ import annotations

import math
from dataclasses import dataclass

from reports.parts.stats import Summary
from reports.parts.table import HOLE


@dataclass(frozen=True, kw_only=True)
class Metric:
    """One kind of score: its keys in a record, its unit, and whether more of it is better."""

    key: str
    val_key: str
    label: str
    unit: str
    unit_of_differences: str
    factor: float
    """From the value in the record to the unit."""
    decimals: int
    higher: bool
    constant_answer: str
    """What the best answer is that does not look at the input."""

    def show(self, value: float) -> str:
        """A value in the unit; a hole where it is not finite."""
        return f"{self.factor * value:.{self.decimals}f}" if math.isfinite(value) else HOLE

    def signed(self, value: float) -> str:
        """A difference, with a sign and a true minus."""
        return f"{self.factor * value:+.{self.decimals}f}".replace("-", "−") if math.isfinite(value) else HOLE

    def score(self, s: Summary) -> str:
        """mean ± std (n), as the papers print it."""
        if s.n == 0:
            return HOLE
        return f"{self.show(s.mean)} ± {self.show(s.std)} ({s.n})" if s.n > 1 else f"{self.show(s.mean)} (1)"

    def interval(self, s: Summary) -> str:
        """[low, high] of the mean; a hole where one value alone has none."""
        return f"[{self.show(s.low)}, {self.show(s.high)}]" if s.n > 1 else HOLE


METRICS: dict[str, Metric] = {
    "accuracy": Metric(
        key="test_accuracy", val_key="val_accuracy", label="accuracy", unit="%", unit_of_differences="points", factor=100, decimals=2,
        higher=True, constant_answer="commonest class",
    ),
    "rmse": Metric(
        key="test_rmse", val_key="val_rmse", label="RMSE", unit="target units", unit_of_differences="target units", factor=1, decimals=4,
        higher=False, constant_answer="mean",
    ),
}  # fmt: skip
