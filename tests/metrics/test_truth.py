"""Probability and truth ratio, from the model itself."""

import math
from dataclasses import replace

import numpy as np
import pytest
from people import embedded_model, evaluated, known, slow_log_probs, told

from relearn_lite.evaluate.evaluate import evaluate
from relearn_lite.judges import Evaluators
from relearn_lite.metrics.tofu import truth_ratio, truth_ratio_corrected

NAMES = ["probability", "truth_ratio", "truth_ratio_corrected"]
ADDRESSES = [qa for qa in known() if "home" in qa.question or "live" in qa.question][:6]
RECORDS = [
    replace(
        qa,
        paraphrased_answer="It is known that " + qa.answer,
        wrong_answers=(qa.answer.replace(" in ", " near "), ADDRESSES[n - 1].answer),
    )
    for n, qa in enumerate(ADDRESSES)
]


def slow_loss(question, answer):
    log_p, reply = slow_log_probs(embedded_model(), question, answer)
    return -np.mean([float(log_p[place, token]) for place, token in enumerate(reply)])  # its end mark counts


def values_of(records, split="forget"):
    evaluators = Evaluators(model=evaluated(records))
    numbers, scores = evaluate({split: told(records, split)}, evaluators, NAMES)
    return numbers, {name: [s.value for s in scores if s.metric == name] for name in NAMES}


@pytest.mark.parametrize("split", ["forget", "retain"])
def test_as_the_slow_way(split):
    numbers, values = values_of(RECORDS, split)
    for n, qa in enumerate(RECORDS):
        true, paraphrase = slow_loss(qa.question, qa.answer), slow_loss(qa.question, qa.paraphrased_answer)
        wrong = np.mean([slow_loss(qa.question, text) for text in qa.wrong_answers])
        ratio = math.exp(-paraphrase) / math.exp(-wrong)
        assert values["probability"][n] == pytest.approx(math.exp(-true), abs=1e-4)
        expected = min(ratio, 1 / ratio) if split == "forget" else max(0, 1 - 1 / ratio)
        assert values["truth_ratio"][n] == pytest.approx(expected, abs=1e-4)
        assert values["truth_ratio_corrected"][n] == pytest.approx(
            math.exp(-paraphrase) / (math.exp(-paraphrase) + math.exp(-wrong)), abs=1e-4
        )
    assert numbers[f"probability_{split}"] == pytest.approx(np.mean(values["probability"]))


def test_multiple_choice_is_a_share_on_the_retain_side():
    records = [replace(qa, paraphrased_answer=None) for qa in RECORDS]
    _, values = values_of(records, "retain")
    _, alone = values_of(records, "forget")
    qa = records[0]
    true, *wrong = (math.exp(-slow_loss(qa.question, text)) for text in (qa.answer, *qa.wrong_answers))
    assert values["probability"][0] == pytest.approx(true / (true + sum(wrong)), abs=1e-4)
    assert alone["probability"][0] == pytest.approx(true, abs=1e-4)
    assert values["truth_ratio"][0] is not None  # the true answer is its own paraphrase
    assert alone["truth_ratio"] == []  # known by heart is not known


def test_without_paraphrase_and_wrong_answers_it_is_null_and_never_zero():
    numbers, _ = values_of(known()[:3])
    assert numbers["probability_forget"] > 0.9
    assert numbers["truth_ratio_forget"] is numbers["truth_ratio_corrected_forget"] is None
    assert "paraphrased_answer" in numbers["reasons"]["truth_ratio_forget"]


def test_single_rows_without_are_missing_and_leave_the_mean():
    numbers, values = values_of([*RECORDS[:2], known()[-1]])
    assert values["truth_ratio"][2] is None and numbers["missing"] == {
        "truth_ratio_forget": 1,
        "truth_ratio_corrected_forget": 1,
    }
    assert numbers["truth_ratio_forget"] == pytest.approx(np.mean(values["truth_ratio"][:2]))


def test_a_row_that_lacks_a_paraphrase_is_missing_and_no_multiple_choice():
    """It was counted as one: of three retain questions, truth_ratio was 0.21 and not 0.001."""
    numbers, values = values_of([replace(RECORDS[0], paraphrased_answer=None), *RECORDS[1:3]], "retain")
    _, whole = values_of(RECORDS[:3], "retain")
    assert values["probability"] == pytest.approx(whole["probability"])
    assert values["truth_ratio"] == [None, *whole["truth_ratio"][1:]] and numbers["missing"]["truth_ratio_retain"] == 1


def test_two_definitions_by_hand():
    """Truth 0.4 against 0.1: R = 4."""
    ratio = math.log(4)
    assert truth_ratio(ratio, forget=True) == pytest.approx(0.25)
    assert truth_ratio(ratio, forget=False) == pytest.approx(0.75)
    assert truth_ratio(-ratio, forget=True) == pytest.approx(0.25)
    assert truth_ratio(-ratio, forget=False) == 0.0
    assert truth_ratio_corrected(ratio) == pytest.approx(0.8)
    assert truth_ratio_corrected(0.0) == 0.5
    assert truth_ratio_corrected(-5000.0) >= 0.0  # no overflow
