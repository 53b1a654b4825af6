"""How the number of a benchmark is read from a record and printed."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from benchmarks.benchmark import Benchmark
from benchmarks.spec import Scale
from models import VARIANTS
from reports.parts.stats import Difference, Summary
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
    """What the best answer on the training labels is that does not look at the input."""
    constant_key: str
    """What the keys of the constant answers begin with: those of the ordinary test, for a zero-shot test of the same labels too."""
    classes: int | None = None
    """How many answers there are; None where the answer is a number, or unknown."""

    def show(self, value: float) -> str:
        """A value in the unit; a hole where it is not finite."""
        return f"{self.factor * value:.{self.decimals}f}" if math.isfinite(value) else HOLE

    def signed(self, value: float) -> str:
        """A difference, with a sign and a true minus."""
        return f"{self.factor * value:+.{self.decimals}f}".replace("-", "−") if math.isfinite(value) else HOLE

    def minus(self, value: float) -> str:
        """A value in the unit, with a true minus where it is below zero and no plus."""
        return self.show(value).replace("-", "−")

    def lead(self, d: Difference) -> str:
        """mean [low, high] of a difference; the mean alone where one seed has no interval."""
        return f"{self.minus(d.mean)} [{self.minus(d.low)}, {self.minus(d.high)}]" if d.n > 1 else self.minus(d.mean)

    def change(self, d: Difference) -> str:
        """mean [low, high] of a difference with its signs; the mean alone where one seed has no interval."""
        return self.signed(d.mean) + (f" {self.range_of(d)}" if d.n > 1 else "")

    def range_of(self, d: Difference) -> str:
        """[low, high] of a difference with its signs."""
        return f"[{self.signed(d.low)}, {self.signed(d.high)}]"

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
        key="test_accuracy", constant_key="test_accuracy", val_key="val_accuracy", label="accuracy", unit="%",
        unit_of_differences="points", factor=100, decimals=2, higher=True, constant_answer="commonest class",
    ),
    "rmse": Metric(
        key="test_rmse", constant_key="test_rmse", val_key="val_rmse", label="RMSE", unit="units of the target",
        unit_of_differences="units of the target", factor=1, decimals=4, higher=False, constant_answer="mean",
    ),
}  # fmt: skip

UNITS = {"bidmc-rr": "breaths per minute", "bidmc-hr": "beats per minute", "bidmc-spo2": "percent of saturation"}
"""The unit of the target of a regression, in words; of a benchmark that is not here it has none."""


def metric_of(benchmark: Benchmark, scale: Scale) -> Metric:
    """How the scores of this benchmark are printed, with the unit of its target and the number of its classes."""
    metric = METRICS[benchmark.metric]
    if benchmark.metric == "rmse":
        unit = UNITS.get(benchmark.name, metric.unit)
        return replace(metric, unit=unit, unit_of_differences=unit)
    some_row = next(v for v in VARIANTS if benchmark.has_recipe(v, scale))
    return replace(metric, classes=benchmark.recipe(some_row, scale).run.data.signature.d_output)
