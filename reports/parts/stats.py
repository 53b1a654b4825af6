"""Mean, spread and t interval of a few seeds; differences paired by seed; equivalence; McNemar's test; Dunnett's against the best; Holm's
correction."""

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


def dunnett_tail(t: np.ndarray, comparisons: int, df: int) -> np.ndarray:
    """P(max_i T_i >= t) of m = `comparisons` differences to one common row, all rows alike (Dunnett 1955, one-sided).

    T_i = (Z_i - Z_0) / (sqrt(2) s), s^2 ~ chi^2_df / df, so that given Z_0 = z and s the T_i are independent:
    P(max_i T_i < t) = E_s E_z [Phi(sqrt(2) s t + z)^m], here by Gauss-Hermite in z and Gauss-Legendre in the quantiles of s.
    """
    from scipy import special, stats

    z, wz = np.polynomial.hermite_e.hermegauss(80)
    u, wu = np.polynomial.legendre.leggauss(160)
    s = np.sqrt(stats.chi2.ppf((u + 1) / 2, df) / df)
    inner = special.ndtr(math.sqrt(2) * s[None, :, None] * np.asarray(t, dtype=float)[:, None, None] + z) ** comparisons
    return np.clip(1 - np.einsum("tsz,s,z->t", inner, wu / 2, wz / math.sqrt(2 * math.pi)), 0, 1)


def behind_the_best(blocks: np.ndarray) -> np.ndarray:
    """p of each row: how often equal rows would have one so far behind the best as this (R x n, larger is better; nan for the best).

    The model is row + seed: y_rs = m_r + b_s + e_rs. Its residuals give one s with (R - 1)(n - 1) degrees of freedom from all rows, and
    t_r = (mean of the best - mean of r) / (s sqrt(2 / n)) is held against Dunnett's one-sided distribution for R - 1 comparisons: Hsu's
    comparison with the best (1981), which allows for the best having been picked by the same numbers. Signs of n = 5 paired
    differences permuted would give no p under 1 / 32 one-sided for a single comparison and none below 5 % for several, which is why
    seeds are not permuted.
    """
    rows, n = blocks.shape
    means = blocks.mean(1)
    residuals = blocks - means[:, None] - blocks.mean(0)[None, :] + blocks.mean()
    df = (rows - 1) * (n - 1)
    s = math.sqrt(float((residuals**2).sum()) / df)
    best = int(means.argmax())
    gap = means[best] - means
    if s <= 1e-12 * max(1.0, float(np.abs(blocks).max())):  # no spread at all: what is behind is behind
        p = np.where(gap > 0, 0.0, 1.0)
    else:
        p = dunnett_tail(gap / (s * math.sqrt(2 / n)), rows - 1, df)
    p[best] = math.nan
    return p
