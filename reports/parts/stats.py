"""Mean, spread and t interval of a few seeds; differences paired by seed; equivalence; McNemar's test; the rows of a table against the
best of them; Holm's correction."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

LEVEL = 0.95
"""Confidence level of every interval; a difference counts as shown where its p is below 1 - LEVEL."""


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

    @property
    def above_zero(self) -> bool:
        """Whether the interval, of two seeds or more, lies above zero."""
        return self.n > 1 and self.low > 0


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


def equivalence(differences: Sequence[float], margin: float) -> float:
    """p of two one-sided t tests (Schuirmann 1987): how often differences whose mean is `margin` or more from zero would look as near to it
    as these; the larger of both sides' p. Below 1 - LEVEL the mean is shown to be within the margin, whose 90 % t interval then is too.

    nan with fewer than two differences; without any spread 0 or 1.
    """
    from scipy import stats

    s = summarize(differences)
    if s.n < 2:
        return math.nan
    room = margin - abs(s.mean)
    if s.std <= 1e-12 * max(1.0, abs(s.mean)):
        return 0.0 if room > 0 else 1.0
    return float(stats.t.sf(room / (s.std / math.sqrt(s.n)), s.n - 1))


def holm(p: Sequence[float]) -> list[float]:
    """Holm's step-down adjusted p values (Holm 1979): max over j <= i of (m - j + 1) p_(j), at most 1; nan stays nan and is not counted."""
    order = sorted((i for i, v in enumerate(p) if math.isfinite(v)), key=lambda i: p[i])
    out, running = [math.nan] * len(p), 0.0
    for rank, i in enumerate(order):
        running = max(running, min(1.0, (len(order) - rank) * p[i]))
        out[i] = running
    return out


def mcnemar(only_first: int, only_second: int) -> float:
    """Two-sided p of b against c discordant pairs: min(1, 2 P(X <= min(b, c))) with X ~ Binomial(b + c, 1/2) (McNemar 1947, exact form);
    1 where there is none."""
    from scipy import stats

    n = only_first + only_second
    return min(1.0, 2 * float(stats.binom.cdf(min(only_first, only_second), n, 0.5))) if n else 1.0


def behind_the_best(blocks: np.ndarray) -> np.ndarray:
    """p of each row of being behind the best mean (R x n, larger is better; nan for the best): paired t tests against it, one-sided, times
    the R - 1 other rows.

    A row that truly is the best falls below 1 - LEVEL in that share of tables at most, although the best was picked by the same numbers:
    it would have to lose one of its R - 1 tests, and by Bonferroni's inequality those lose together no more often (Hsu's comparison with
    the best, 1981). Nothing is pooled, because rows differ much in how far their seeds spread. Signs of n = 5 paired differences
    permuted would give no p under 1 / 32 for a single comparison and none below 5 % for several, which is why seeds are not permuted.
    """
    from scipy import stats

    rows, n = blocks.shape
    best = int(blocks.mean(1).argmax())
    d = blocks[best] - blocks
    mean, std = d.mean(1), d.std(1, ddof=1)
    even = std <= 1e-12 * np.maximum(1.0, np.abs(mean))  # no spread at all: what is behind is behind
    single = np.where(even, np.where(mean > 0, 0.0, 1.0), stats.t.sf(mean / np.where(even, 1.0, std / math.sqrt(n)), n - 1))
    p = np.minimum(1.0, (rows - 1) * single)
    p[best] = math.nan
    return p
