"""TOFU's model utility and forget quality."""

import math

import pytest
from metrics.golden import golden

from relearn_lite.metrics.tofu import forget_quality, model_utility


def result(true, paraphrase, wrong, rouge):
    """Losses of one question, given as probabilities."""
    return {
        "avg_gt_loss": [-math.log(true)],
        "avg_paraphrased_loss": [-math.log(paraphrase)],
        "average_perturb_loss": [[-math.log(p) for p in wrong]],
        "rougeL_recall": [rouge],
    }


def test_by_hand():
    """Paraphrase 0.4 against wrong answers of geometric mean 0.1: ratio 4, so 1 - 1/4 kept and 1/4 forgotten."""
    question = result(true=0.5, paraphrase=0.4, wrong=[0.05, 0.2], rouge=0.8)
    numbers = model_utility({name: question for name in ("retain", "real_authors", "world_facts", "forget")})
    assert numbers["Prob. Retain"] == pytest.approx(0.5)
    assert numbers["Prob. Real Authors"] == pytest.approx(0.5 / 0.75)  # a share among the answers to choose from
    assert numbers["Truth Ratio Real World"] == pytest.approx(0.75)
    assert numbers["Truth Ratio Forget"] == pytest.approx(0.25)
    kept = [0.8, 0.5, 0.75] + 2 * [0.8, 0.5 / 0.75, 0.75]
    assert numbers["Model Utility"] == pytest.approx(9 / sum(1 / part for part in kept))


def test_a_model_that_prefers_wrong_answers_has_no_utility():
    """Paraphrase 0.1 against 0.4: ratio 1/4, which is as far from 1 as 4 is."""
    question = result(true=0.5, paraphrase=0.1, wrong=[0.4], rouge=0.8)
    numbers = model_utility({name: question for name in ("retain", "real_authors", "world_facts", "forget")})
    assert numbers["Truth Ratio Forget"] == pytest.approx(0.25)
    assert numbers["Truth Ratio Retain"] == numbers["Model Utility"] == 0.0


def test_utility_needs_all_three_tasks():
    with pytest.raises(KeyError):
        model_utility({"retain": result(0.5, 0.4, [0.1], 1.0)})


def test_a_model_compared_with_itself_is_not_told_apart():
    many = {"avg_paraphrased_loss": [0.1, 0.5, 0.9], "average_perturb_loss": [[1.0], [2.0], [3.0, 3.2]]}
    assert forget_quality(many, many) == {"Forget Quality": 1.0, "KS Test PVal Forget": 1.0, "KS Test Forget": 0.0}


def test_published_numbers():
    entries = golden("tofu_metrics")
    assert entries[0]["expected"]["Model Utility"] == 0.6226773643737709
    for entry in entries:
        numbers = model_utility(entry["evaluated"])
        numbers |= forget_quality(entry["evaluated"]["forget"], entry["retain_model_forget"])
        assert numbers == pytest.approx(entry["expected"], abs=1e-6)
