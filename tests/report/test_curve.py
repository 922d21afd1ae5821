import math
import re

import pytest

from relearn_lite.report.curve import HEIGHT, WIDTH, loss_curve, ticks


def test_no_losses_no_curve():
    assert loss_curve([]) is None
    assert loss_curve([{"step": 1, "lr": 0.1}, {"step": 2, "lr": 0.1}]) is None


def test_all_that_is_a_loss_is_drawn_inside_the_picture(results):
    curve = loss_curve(results.losses)
    assert [line.term for line in curve.lines] == ["loss", "forget", "retain_ce", "retain_kl"]
    for line in curve.lines:
        for x, y in re.findall(r"[ML]([\d.-]+) ([\d.-]+)", line.path):
            assert 0 <= float(x) <= WIDTH and 0 <= float(y) <= HEIGHT


def test_a_missing_or_infinite_value_lifts_the_pen():
    values = [1.0, 2.0, None, 3.0, math.nan, 2.0, math.inf, 1.0]
    curve = loss_curve([{"step": n, "loss": value} for n, value in enumerate(values)])
    assert curve.lines[0].path.count("M") == 4
    assert (curve.lines[0].first, curve.lines[0].last) == (1.0, 1.0)


@pytest.mark.parametrize("values", [[2.0, 2.0], [0.0, 0.0], [-1e6, -2e6], [1e-9, 2e-9]])
def test_any_range_has_ticks(values):
    curve = loss_curve([{"step": n, "loss": value} for n, value in enumerate(values)])
    assert 2 <= len(curve.y_ticks) <= 12


def test_ticks_are_round_and_enclose_the_values():
    assert ticks(0.3, 4.9) == [0, 1, 2, 3, 4, 5]
    assert ticks(1, 3, whole=True) == [1, 2, 3]


def test_a_long_run_is_thinned():
    curve = loss_curve([{"step": n, "loss": 1.0 + n % 2} for n in range(5000)])
    assert curve.every == 9
    assert curve.lines[0].path.count("L") < 600
