"""Intervals: never of width 0, and those of the textbooks."""

import numpy as np
import pytest

from relearn_lite.core.records import Score
from relearn_lite.evaluate.differences import differences
from relearn_lite.evaluate.evaluate import summarize
from relearn_lite.metrics.declaration import MetricValues
from relearn_lite.metrics.intervals import difference_interval, interval_of, mean_interval


def test_a_share_of_all_or_none_has_a_width():
    """A bootstrap drew 24 of 24 every time and said "1.000 to 1.000"; Wilson's lower end is n / (n + z^2)."""
    z2 = 1.959964**2
    assert mean_interval([1.0] * 24, share=True) == pytest.approx((24 / (24 + z2), 1.0), abs=1e-5)
    assert mean_interval([0.0] * 24, share=True) == pytest.approx((0.0, z2 / (24 + z2)), abs=1e-5)


def test_a_share_has_wilsons_interval():
    n, p, z2 = 50, 0.3, 1.959964**2
    middle, half = (p + z2 / (2 * n)) / (1 + z2 / n), (z2 * (p * (1 - p) / n + z2 / (4 * n * n))) ** 0.5 / (1 + z2 / n)
    assert mean_interval([1.0] * 15 + [0.0] * 35, share=True) == pytest.approx((middle - half, middle + half), abs=1e-5)


def test_a_mean_is_bootstrapped_and_repeatable_whatever_lies_beside_it():
    values = np.random.default_rng(3).normal(5, 2, 200)
    found = mean_interval(values, share=False)
    error = 1.96 * values.std() / 200**0.5
    assert found == pytest.approx((values.mean() - error, values.mean() + error), abs=0.05)
    assert mean_interval(values, share=False) == found


@pytest.mark.parametrize("values", [[0.5] * 9, [1.0] * 9, [3.0]])
def test_what_cannot_be_known_is_missing_and_says_why(values):
    """Ratings, all 1 of 1 to 5, are no share; equal values tell nothing of the spread."""
    assert mean_interval(values, share=False) is None
    result = {"missing": {}, "reasons": {}, "intervals": {}, "notes": {}}
    summarize("fluency_forget", MetricValues.of(values, ""), result)
    assert result["intervals"] == {}
    assert ("no interval" in result["notes"].get("fluency_forget", "")) == (len(values) > 1)


def test_paired_shares_have_newcombes_interval():
    """Newcombe 1998, method 10, by hand: of 50, both 43, lost 2, gained 0, neither 5; Wilson's bounds are 0.7864 to
    0.9565 before and 0.7381 to 0.9305 after, phi is (43 * 5 - 25) / sqrt(45 * 5 * 43 * 7). And no width of 0 where
    nothing or everything changed."""
    before = [1.0] * 45 + [0.0] * 5
    after = [1.0] * 43 + [0.0] * 7
    phi, one, other = 190 / (45 * 5 * 43 * 7) ** 0.5, 0.86 - 0.7381, 0.9565 - 0.9
    low = -0.04 - (one**2 - 2 * phi * one * other + other**2) ** 0.5
    one, other = 0.9305 - 0.86, 0.9 - 0.7864
    high = -0.04 + (one**2 - 2 * phi * one * other + other**2) ** 0.5
    assert difference_interval(before, after, share=True) == pytest.approx((low, high), abs=2e-4)
    assert difference_interval([0.0] * 24, [1.0] * 24, share=True) == pytest.approx((0.8049, 1.0), abs=1e-3)
    low, high = difference_interval([1.0] * 24, [1.0] * 24, share=True)
    assert low == pytest.approx(-high) and high == pytest.approx(0.138, abs=1e-3)
    half = [1.0] * 12 + [0.0] * 12
    low, high = difference_interval(half, half, share=True)
    assert low < -0.02 and high > 0.02


def test_newcombes_interval_covers_what_it_should():
    rng, truth, held = np.random.default_rng(0), 0.2, 0
    for _ in range(400):
        before = rng.random(30) < 0.7
        after = np.where(before, rng.random(30) < 0.95, rng.random(30) < 0.7833333)
        low, high = difference_interval(before.astype(float), after.astype(float), share=True)
        held += low <= 0.7 * 0.95 + 0.3 * 0.7833333 - 0.7 <= high
    assert truth == pytest.approx(0.7 * 0.95 + 0.3 * 0.7833333 - 0.7, abs=1e-6)
    assert held / 400 > 0.93


def test_rows_of_groups_are_drawn_whole_and_an_auc_of_1_has_no_interval():
    rows = np.column_stack([np.arange(30.0), -np.arange(30.0)])
    assert interval_of(lambda drawn: float(np.abs(drawn.sum(axis=1)).max()) + drawn[:, 0].mean(), [rows])[0] > 5
    assert interval_of(lambda a, b: float((a[:, None] > b).mean()), [np.arange(9) + 50.0, np.arange(9.0)]) is None


def test_a_difference_without_spread_has_no_interval_and_says_so():
    """It was 0.000, from 0.000 to 0.000."""
    same = [Score(str(n), "rougeL", 0.5, None, "forget") for n in range(8)]
    found = differences(same, same)["rougeL_forget"]
    assert (found["mean"], found["low"], found["high"]) == (0.0, None, None) and "no interval" in found["reason"]
