"""The four ratings as metrics: on which answers, in which range, and null where nobody judges."""

from dataclasses import replace

import pytest

from relearn_lite.core.records import Answer
from relearn_lite.evaluate.evaluate import evaluate
from relearn_lite.evaluate.score import score_evaluators
from relearn_lite.metrics import METRICS, keys
from relearn_lite.recipe.names import DEFAULT_METRICS, RATING_KINDS

KEYS_OF = {
    "fluency": ["fluency_forget", "fluency_retain"],
    "relevance": ["relevance_forget", "relevance_retain"],
    "forgetting": ["forgetting"],
    "retention": ["retention"],
}
ANSWERS = {
    side: [Answer(text, "m", side, "Where?", "In Sligo.", text) for text in ("By the sea.", "In Sligo.")]
    for side in ("forget", "retain")
}


class Rates:
    name, embedded = "written in the test", False
    failure = None

    def __init__(self, *scores):
        self.scores, self.asked = scores, []

    def rate(self, kind, items):
        self.asked.append((kind, items))
        return list(self.scores)


@pytest.mark.parametrize("name", RATING_KINDS)
def test_a_rating_is_the_mean_over_the_answers_of_its_side(name):
    judge = Rates(2, 5)
    numbers, scores = evaluate(ANSWERS, replace(score_evaluators(), judge=judge), [name])
    assert {key: value for key, value in numbers.items() if key in keys()} == dict.fromkeys(KEYS_OF[name], 3.5)
    assert [score.value for score in scores] == [2, 5] * len(KEYS_OF[name])
    assert judge.asked[0] == (name, [("Where?", "In Sligo.", "By the sea."), ("Where?", "In Sligo.", "In Sligo.")])


@pytest.mark.parametrize("name", RATING_KINDS)
def test_without_a_judge_it_is_null_with_the_reason_and_nothing_counts_as_missing(name):
    numbers, _ = evaluate(ANSWERS, score_evaluators(), [name])
    for key in KEYS_OF[name]:
        assert numbers[key] is None
        assert numbers["reasons"][key] == "nobody was named for evaluate.evaluators.judge"
    assert numbers["missing"] == {}


def test_what_cannot_be_read_leaves_the_mean_and_is_counted():
    judge = Rates(None, 4)
    numbers, scores = evaluate(ANSWERS, replace(score_evaluators(), judge=judge), ["forgetting"])
    assert (numbers["forgetting"], numbers["missing"]) == (4, {"forgetting": 1})
    assert scores[0].reason == "the judge gave no rating that can be read"
    judge.scores, judge.failure = (None, None), "nothing answers at http://127.0.0.1:1"
    numbers, _ = evaluate(ANSWERS, replace(score_evaluators(), judge=judge), ["forgetting"])
    assert numbers["forgetting"] is None and numbers["missing"] == {"forgetting": 2}
    assert numbers["reasons"]["forgetting"].endswith("nothing answers at http://127.0.0.1:1")


def test_ratings_are_off_by_default_and_run_from_one_to_five():
    assert not set(RATING_KINDS) & set(DEFAULT_METRICS) and set(RATING_KINDS) <= set(METRICS)
    for name in RATING_KINDS:
        for side in METRICS[name].sides:
            key = keys()[METRICS[name].key(name, side)]
            assert (key.low, key.high, key.ideal, key.good) == (1, 5, 5, "higher")
