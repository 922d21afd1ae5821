"""The paired difference of two models, and its interval."""

from statistics import harmonic_mean

import numpy as np
import pytest

from relearn_lite.core.records import Score
from relearn_lite.evaluate.differences import combined_intervals, differences
from relearn_lite.metrics.intervals import mean_interval
from relearn_lite.metrics.linguistic import linguistic_score


def scores(metric, values, split="forget"):
    return [Score(id, metric, value, None, split) for id, value in values.items()]


def test_only_answers_with_a_value_from_both_count_and_are_paired_by_id_not_by_place():
    before = scores("kfr", {"a": 0.0, "b": None, "c": 1.0, "d": 0.0})
    after = scores("kfr", {"d": 1.0, "c": 0.0, "b": 1.0, "a": 1.0, "e": 1.0})
    found = differences(before, after)
    assert set(found) == {"kfr"} and found["kfr"]["n"] == 3
    assert found["kfr"]["mean"] == pytest.approx((1 - 1 + 1) / 3)  # a rises, c falls, d rises


def test_the_interval_is_the_bootstrap_of_the_paired_differences():
    rng = np.random.default_rng(1)
    old = rng.normal(5, 3, 60)
    new = old + rng.normal(0.5, 0.2, 60)
    before, after = ({str(i): v for i, v in enumerate(values)} for values in (old, new))
    found = differences(scores("rttr", before), scores("rttr", after))["rttr_forget"]
    low, high = mean_interval(new - old, share=False)
    assert (found["low"], found["high"]) == pytest.approx((low, high), abs=0.02)
    assert found["mean"] == pytest.approx(float((new - old).mean()))
    # Unpaired, hard and easy questions would drown the change: the spread of the answers is ten times as wide.
    assert 0 < found["low"] and found["high"] - found["low"] < 0.2


def test_splits_and_sides_have_keys_of_their_own():
    before = scores("rougeL", {"a": 1.0}) + scores("rougeL", {"a": 0.5}, "retain_paraphrase")
    after = scores("rougeL", {"a": 0.25}) + scores("rougeL", {"a": 0.5}, "retain_paraphrase")
    found = differences(before, after)
    assert found["rougeL_forget"]["mean"] == -0.75
    change = found["rougeL_retain_paraphrase"]
    assert (change["mean"], change["low"], change["high"], change["n"]) == (0.0, None, None, 1) and change["reason"]


def test_numbers_made_of_others_are_combined_before_they_are_compared():
    """The difference of two harmonic means is not the harmonic mean of differences."""
    old = {"kfr": {"a": 0.0, "b": 1.0}, "rougeL": {"a": 1.0, "b": 0.5}}
    new = {"kfr": {"a": 1.0, "b": 1.0}, "rougeL": {"a": 0.25, "b": 0.25}}
    before, after = ([s for metric, values in model.items() for s in scores(metric, values)] for model in (old, new))
    found = differences(before, after)["forget_score"]
    assert found["n"] == 2
    assert found["mean"] == pytest.approx(harmonic_mean([1, 0.75]) - harmonic_mean([0.5, 0.25]))
    assert found["low"] <= found["mean"] <= found["high"]


def test_ls_is_that_of_the_means_of_questions_with_all_parts():
    parts = {"ppl": {"a": 2.0, "b": 4.0, "c": None}, "brunet": {"a": 9.0, "b": 11.0, "c": 10.0},
             "honore": {"a": 900.0, "b": 1100.0, "c": 5.0}}  # fmt: skip
    before = [s for metric, values in parts.items() for s in scores(metric, values)]
    after = [Score(s.id, s.metric, s.value and s.value * 2, None, s.split) for s in before]
    found = differences(before, after)["ls_forget"]
    assert found["n"] == 2
    assert found["mean"] == pytest.approx(linguistic_score(6, 20, 2000)[0] - linguistic_score(3, 10, 1000)[0])


def test_nothing_in_common_is_no_difference():
    assert differences(scores("kfr", {"a": 1.0}), scores("kfr", {"b": 1.0})) == {}
    assert differences(scores("kfr", {"a": None}), scores("krr", {"a": 1.0}, "retain")) == {}


def test_combined_numbers_have_intervals_of_questions_drawn_with_all_their_parts():
    rng = np.random.default_rng(2)
    kfr = {str(i): float(v) for i, v in enumerate(rng.integers(0, 2, 40))}
    rouge = {id: 1.0 - value for id, value in kfr.items()}  # exactly opposed: KFR and 1 - ROUGE-L are the same number
    low, high = combined_intervals(scores("kfr", kfr) + scores("rougeL", rouge))["forget_score"]
    assert (low, high) == pytest.approx(mean_interval(list(kfr.values()), share=False), abs=0.03)
    assert "ls_forget" not in combined_intervals(scores("kfr", kfr))
