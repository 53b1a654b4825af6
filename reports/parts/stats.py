"""Mean, spread and 95 % t interval of a few seeds; differences paired by seed; Holm's correction."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

LEVEL = 0.95
"""Of every interval; a difference counts as shown below 1 - LEVEL."""


@dataclass(frozen=True, kw_only=True)
class Summary:
    """Location and spread of n values. `std` is the sample one (n - 1); nan stands for "not defined with so few"."""

    n: int
    mean: float
    std: float
    low: float
    high: float


@dataclass(frozen=True, kw_only=True)
class Difference:
    """Mean of the differences a - b over the seeds that both have, its interval, and the two-sided p of the paired t test."""

    n: int
    mean: float
    low: float
    high: float
    p: float


def half_width(std: float, n: int) -> float:
    """t_{n-1} s / sqrt(n), half of the interval for a mean; nan for n < 2 (Student 1908)."""
    from scipy import stats  # one second to import: not at the top

    return float(stats.t.ppf(0.5 + LEVEL / 2, n - 1) * std / math.sqrt(n)) if n > 1 else math.nan


def summarize(values: Sequence[float]) -> Summary:
    """n, mean, sample standard deviation and t interval of the finite `values`."""
    x = np.asarray([v for v in values if v is not None and math.isfinite(v)], dtype=float)
    n = len(x)
    mean = float(x.mean()) if n else math.nan
    std = float(x.std(ddof=1)) if n > 1 else math.nan
    half = half_width(std, n)
    return Summary(n=n, mean=mean, std=std, low=mean - half, high=mean + half)


def paired(a: Mapping[int, float], b: Mapping[int, float]) -> Difference:
    """The paired t test of a - b over common seeds: t = mean(d) / (s_d / sqrt(n)), n - 1 degrees of freedom.

    Seeds are paired because one seed means one split and one order of the data for every row. p is nan where there is nothing to
    test: fewer than two common seeds, or differences without any spread.
    """
    from scipy import stats

    d = np.asarray([a[s] - b[s] for s in sorted(set(a) & set(b)) if math.isfinite(a[s]) and math.isfinite(b[s])], dtype=float)
    s = summarize(d.tolist())
    spread = s.n > 1 and s.std > 1e-12 * max(1.0, abs(s.mean))
    p = float(2 * stats.t.sf(abs(s.mean) / (s.std / math.sqrt(s.n)), s.n - 1)) if spread else math.nan
    return Difference(n=s.n, mean=s.mean, low=s.low, high=s.high, p=p)


def holm(p: Sequence[float]) -> list[float]:
    """Holm's step-down adjusted p values (Holm 1979): max over j <= i of (m - j + 1) p_(j), at most 1; nan stays nan and is not counted."""
    order = sorted((i for i, v in enumerate(p) if math.isfinite(v)), key=lambda i: p[i])
    out, running = [math.nan] * len(p), 0.0
    for rank, i in enumerate(order):
        running = max(running, min(1.0, (len(order) - rank) * p[i]))
        out[i] = running
    return out


def detectable(n: int, comparisons: int) -> float:
    """The smallest mean difference, in standard deviations of the paired differences, that a table of `comparisons` rows calls
    significant for its first (strictest) step: t_{n-1, 1 - alpha / (2 m)} / sqrt(n)."""
    from scipy import stats

    return float(stats.t.ppf(1 - (1 - LEVEL) / (2 * comparisons), n - 1) / math.sqrt(n)) if n > 1 and comparisons else math.nan
