"""Statistics of a few seeds against values worked out by hand or taken from printed tables."""

from __future__ import annotations

import math

import numpy as np
import pytest
import scipy.stats

from reports.parts import stats


def test_summary_of_three() -> None:
    s = stats.summarize([1.0, 2.0, 3.0])
    assert (s.n, s.mean, s.std) == (3, 2.0, 1.0)
    assert s.high - s.mean == pytest.approx(4.302653 / math.sqrt(3), rel=1e-6)  # t_{2, 0.975} = 4.303 in any table
    assert s.mean - s.low == pytest.approx(s.high - s.mean)


def test_one_value_has_no_spread_and_no_interval() -> None:
    s = stats.summarize([0.7])
    assert (s.n, s.mean) == (1, 0.7)
    assert all(math.isnan(v) for v in (s.std, s.low, s.high))


def test_nothing_and_what_is_not_finite() -> None:
    assert stats.summarize([]).n == 0
    assert math.isnan(stats.summarize([]).mean)
    assert stats.summarize([1.0, math.nan, math.inf, 3.0]).mean == 2.0


def test_paired_uses_common_seeds_only() -> None:
    # d = 1, 2, 3: t = 2 / (1 / sqrt 3) = 3.4641, and for 2 degrees of freedom P(|T| > t) = 1 - t / sqrt(t^2 + 2)
    d = stats.paired({0: 2.0, 1: 4.0, 2: 6.0, 7: 99.0}, {0: 1.0, 1: 2.0, 2: 3.0, 9: -99.0})
    t = 2 * math.sqrt(3)
    assert (d.n, d.mean) == (3, 2.0)
    assert d.p == pytest.approx(1 - t / math.sqrt(t * t + 2))
    assert d.low == pytest.approx(2 - 4.302653 / math.sqrt(3), rel=1e-5)


@pytest.mark.parametrize("a,b", [({0: 1.0}, {0: 2.0}), ({0: 1.0, 1: 2.0}, {0: 0.5, 1: 1.5}), ({0: 1.0}, {1: 1.0})])
def test_nothing_to_test_gives_nan(a: dict[int, float], b: dict[int, float]) -> None:
    assert math.isnan(stats.paired(a, b).p)


def test_holm_by_hand() -> None:
    # sorted .01 .02 .03 .04 times 4 3 2 1 = .04 .06 .06 .04, made monotone: .04 .06 .06 .06
    assert stats.holm([0.03, 0.01, 0.04, 0.02]) == pytest.approx([0.06, 0.04, 0.06, 0.06])
    assert stats.holm([0.5, 0.9]) == pytest.approx([1.0, 1.0])
    one, gap = stats.holm([0.02, math.nan])
    assert one == 0.02
    assert math.isnan(gap)
    assert stats.holm([]) == []


def test_behind_the_best_by_hand() -> None:
    a, b, c = np.array([3.0, 5.0, 4.0, 6.0, 8.0]), np.array([2.0, 3.0, 4.0, 4.0, 5.0]), np.array([2.9, 4.8, 4.1, 5.7, 7.6])
    p = stats.behind_the_best(np.stack([a, b, c]))
    assert math.isnan(p[0])
    for theirs, mine in ((b, p[1]), (c, p[2])):
        assert mine == pytest.approx(2 * scipy.stats.ttest_rel(a, theirs, alternative="greater").pvalue, abs=1e-12)


def test_seeds_that_are_hard_for_every_row_hide_nothing() -> None:
    hard = np.array([0.0, 30.0, -20.0, 10.0, 50.0])
    own = np.array([[0.1, -0.1, 0.2, 0.0, -0.2], [-0.1, 0.1, 0.0, -0.2, 0.2], [0.0, 0.2, -0.1, 0.1, -0.2]])
    p = stats.behind_the_best(hard + own + np.array([1.0, 1.0, 0.0])[:, None] + np.array([0.01, 0, 0])[:, None])
    assert p[1] > 0.5
    assert p[2] < 0.005
    assert stats.behind_the_best(np.array([[1.0, 2.0], [1.0, 2.0], [0.0, 1.0]])).tolist()[1:] == [1.0, 0.0]


def test_a_row_that_spreads_wide_hides_nothing_of_the_others() -> None:
    steady = np.array([[9.0, 9.1, 8.9, 9.0, 9.05], [8.0, 8.1, 7.95, 8.0, 8.0]])
    wide = np.array([[1.0, 9.0, 5.0, -3.0, 7.0]])
    assert stats.behind_the_best(np.concatenate([steady, wide]))[1] < 0.001


@pytest.mark.parametrize("spread", [[1, 1, 1, 1, 1, 1], [0.1, 1, 5, 0.3, 2, 5]])
def test_a_best_row_is_rarely_called_behind(spread: list[float]) -> None:
    rng = np.random.default_rng(1)
    called = np.array([stats.behind_the_best(rng.normal(size=(6, 5)) * np.array(spread)[:, None]) < 0.05 for _ in range(2000)])
    assert called.mean(0).max() <= 0.05  # all rows are equal, so that each of them is a best one


def test_equivalence_is_two_one_sided_tests() -> None:
    d = [0.1, 0.3, -0.1, 0.2]
    low = scipy.stats.ttest_1samp(d, -0.5, alternative="greater").pvalue
    high = scipy.stats.ttest_1samp(d, 0.5, alternative="less").pvalue
    assert stats.equivalence(d, 0.5) == pytest.approx(max(low, high))
    assert stats.equivalence(d, 0.01) > 0.5
    interval = scipy.stats.t.interval(0.9, 3, np.mean(d), scipy.stats.sem(d))
    edge = max(map(abs, interval))
    assert stats.equivalence(d, edge) == pytest.approx(0.05)  # the margin that the 90 % interval just fills
    assert stats.equivalence([0.2, 0.2], 0.5) == 0.0
    assert stats.equivalence([0.7, 0.7], 0.5) == 1.0
    assert math.isnan(stats.equivalence([0.1], 0.5))
