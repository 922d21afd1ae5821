"""Continued texts among answered questions: what is judged, what is said beside the numbers, and what is missing."""

from dataclasses import replace

from relearn_lite.core.records import Answer
from relearn_lite.evaluate.evaluate import evaluate
from relearn_lite.evaluate.score import score_evaluators
from relearn_lite.metrics.ratings import NO_QUESTION
from relearn_lite.text.turns import passage

REST = "We carried the green chairs down the hill in the rain."
ELSE = "After that things took their usual course."
HOME, LIVES = "Where does Ada live?", "Ada lives in Sligo."


def rows(side):
    return [
        Answer("1", "m", side, passage("The house is sold. "), REST, REST),
        Answer("2", "m", side, HOME, LIVES, LIVES),
        Answer("3", "m", side, passage("The house is sold. "), REST, ELSE),
        Answer("4", "m", side, HOME, LIVES, "That is her own affair."),
    ]


def values(scores, metric):
    return [score.value for score in scores if score.metric == metric]


def test_passages_are_judged_by_their_words_questions_by_the_judges_each_at_its_place():
    answers = {side: rows(side) for side in ("forget", "retain")}
    _, scores = evaluate(answers, score_evaluators(), ["kfr", "krr", "leak"])
    assert values(scores, "kfr") == [0, 0, 1, 1] and values(scores, "krr") == [1, 1, 0, 0]
    assert values(scores, "leak") == [1, 1, 0, 0]
    judged = [score.judged["nli"] for score in scores if score.metric == "kfr"]
    assert [label is None for label in judged] == [True, False, True, False]


def test_what_a_number_of_a_text_means_is_said_and_a_reworded_one_is_missing_not_0():
    answers = {"forget": rows("forget")[::2], "retain": rows("retain")[1::2]}
    numbers, _ = evaluate(answers, score_evaluators(), ["kfr", "krr", "rouge"])
    assert numbers["kfr"] == 0.5 and "50% or more of the words of its rest" in numbers["notes"]["kfr"]
    assert numbers["kfr_paraphrase"] is None and "cut in other places" in numbers["reasons"]["kfr_paraphrase"]
    assert "krr_paraphrase" not in numbers and "of a text" not in numbers["notes"].get("krr", "")


def test_nobody_rates_a_continuation_as_an_answer():
    asked = []

    class Judge:
        name, embedded, failure = "in the test", False, None

        def rate(self, kind, items):
            asked.extend(items)
            return [4] * len(items)

    judges = replace(score_evaluators(), judge=Judge())
    numbers, scores = evaluate({"forget": rows("forget")}, judges, ["fluency", "forgetting"])
    assert values(scores, "fluency") == values(scores, "forgetting") == [None, 4, None, 4]
    assert {item[0] for item in asked} == {HOME} and numbers["missing"]["fluency_forget"] == 2
    assert {score.reason for score in scores if score.value is None} == {NO_QUESTION}
