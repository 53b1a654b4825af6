"""Statistics of a few seeds against values worked out by hand or taken from printed tables."""

from __future__ import annotations

import math

import pytest

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


def test_power_of_three_seeds() -> None:
    assert stats.detectable(3, 1) == pytest.approx(4.302653 / math.sqrt(3), rel=1e-6)
    assert stats.detectable(3, 6) > stats.detectable(3, 1) > stats.detectable(10, 1)
    assert math.isnan(stats.detectable(1, 3))
