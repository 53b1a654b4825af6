"""What an answer that does not look at the input scores: the best constant on the test set at hand, or the most that is known of it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from reports.parts.metric import Metric

ONE_SIDED = 1.645
"""Standard errors above chance from which a score counts as better than it (5 %, one-sided)."""


@dataclass(frozen=True, kw_only=True)
class Chance:
    """The score of the best constant answer. Where `exact` is false it is only a bound: the best constant is at least as good."""

    value: float
    exact: bool
    learned: float | None
    """What the constant answer of the training labels scores; None where no record says."""
    margin: float
    """How much better than `value` a mean has to be: the sampling error of a test set of this size."""

    def beaten_by(self, mean: float, higher: bool) -> bool:
        """Whether this mean is better than the best constant answer, beyond what a test set of this size leaves to luck."""
        return (mean - self.value if higher else self.value - mean) > self.margin

    def show(self, metric: Metric) -> str:
        """Its score, with a sign where the best constant may be better than that."""
        return ("" if self.exact else "≥ " if metric.higher else "≤ ") + metric.show(self.value)

    def describe(self, metric: Metric) -> str:
        """What is known of the constant answer, in a sentence or two."""
        said = []
        if self.exact:
            said.append(f"The best constant answer on this test set scores {metric.show(self.value)} {metric.unit}.")
        if self.learned is not None and (not self.exact or abs(self.learned - self.value) > 1e-9):
            said.append(
                f"Always answering the {metric.constant_answer} of the training labels scores {metric.show(self.learned)} {metric.unit}."
            )
        if not self.exact and metric.classes and (self.learned is None or self.learned < self.value):
            said.append(f"With {metric.classes} classes the best constant answer scores at least {metric.show(self.value)} {metric.unit}.")
        if self.margin:
            said.append(f"Beating it takes {metric.show(self.margin)} {metric.unit_of_differences} more, for a test set of this size.")
        return " ".join(said)


def read_chance(parts: Sequence[pd.DataFrame], metric: Metric) -> Chance | None:
    """From the records of a table.

    Newer ones hold the score of the best constant. Of older ones that of the training labels' constant is known; with two classes the
    best constant answers one or the other, max(c, 1 - c), and with K classes some constant scores 1 / K or more. None where nothing is.
    """
    best, learned = (_mean(parts, f"{metric.constant_key}_{name}") for name in ("best_constant", "constant"))
    known = [v for v in (best, learned) if v is not None]
    if best is not None:
        value, exact = best, True
    elif metric.classes == 2 and learned is not None:
        value, exact = max(learned, 1 - learned), True
    elif metric.classes and any(len(p) and (p["status"] == "ok").any() for p in parts):
        value, exact = max([1 / metric.classes, *known]), False
    elif learned is not None:
        value, exact = learned, False
    else:
        return None
    tests = _mean(parts, "tests")
    return Chance(value=value, exact=exact, learned=learned, margin=_sampling_error(value, tests) if metric.classes else 0.0)


def _sampling_error(p: float, n: float | None) -> float:
    """The 95 % quantile of a share of n answers whose expectation is p, above p."""
    return ONE_SIDED * math.sqrt(max(0.0, p * (1 - p)) / n) if n else 0.0


def _mean(parts: Sequence[pd.DataFrame], key: str) -> float | None:
    values = [float(v) for p in parts if key in p for v in p.loc[p["status"] == "ok", key] if math.isfinite(v)]
    return sum(values) / len(values) if values else None
