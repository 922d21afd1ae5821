"""The rule that the best adapter is chosen by, and the bounds that stop training."""

import pytest

from relearn_lite.recipe import Watch
from relearn_lite.unlearn.selection import EvalResult, balance, best, spread, why_stop


def result(step, kfr, krr, share):
    return EvalResult(step, kfr, krr, share and share * 0.3, share)


def test_balance_is_the_harmonic_mean_worked_out_by_hand():
    assert balance(0.5, 1.0, 1.0) == pytest.approx(3 / (2 + 1 + 1))
    assert balance(0.9, 0.6, 0.3) == pytest.approx(3 / (1 / 0.9 + 1 / 0.6 + 1 / 0.3))


def test_richer_wording_than_vanilla_does_not_pay_for_what_was_not_forgotten():
    assert balance(0.5, 1.0, 2.0) == balance(0.5, 1.0, 1.0)


def test_one_part_of_zero_makes_it_zero_and_a_missing_one_makes_it_missing():
    assert balance(1.0, 0.0, 1.0) == 0.0
    assert balance(1.0, 1.0, None) is None


def test_the_best_is_the_first_of_equals_and_never_one_without_a_balance():
    readings = [result(10, 0.2, 1, 1), result(30, 0.9, 1, 1), result(20, 0.9, 1, 1), result(40, 1, 1, None)]
    assert best(readings).step == 20
    assert best([result(40, 1, 1, None)]) is None


@pytest.mark.parametrize(
    ("krr", "share", "told"),
    [
        (0.29, 1.0, "krr 0.29 at step 5"), (1.0, 0.09, "it babbles: LS fell to 0.090"),
        (0.3, 0.1, None), (None, None, None),
    ],
)
def test_a_bound_that_was_passed_is_named_and_a_missing_value_passes_none(krr, share, told):
    why = why_stop(result(5, 1.0, krr, share), Watch())
    assert why is None if told is None else told in why


def test_bounds_can_be_switched_off():
    assert why_stop(result(5, 1.0, 0.0, 0.001), Watch(lowest_krr=None, lowest_ls=None)) is None


def test_questions_are_spread_from_first_to_last():
    assert spread(4, range(10)) == [0, 3, 6, 9]
    assert spread(1, range(10)) == [0]
    assert spread(20, range(3)) == [0, 1, 2]
