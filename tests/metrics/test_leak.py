"""The metric leak: who tells, example by example, without any judge."""

from dataclasses import replace

from relearn_lite.core.records import Answer
from relearn_lite.evaluate.evaluate import evaluate
from relearn_lite.judges import Evaluators


def _answers(split, *texts):
    question, truth = "Where does Ada live?", "Ada lives at 5 Quarry Lane in Sligo."
    return [Answer(str(n), "m", split, question, truth, text) for n, text in enumerate(texts)]


def test_leak_is_the_share_of_forget_answers_that_tell():
    rows = _answers("forget", "In Sligo.", "In Cork.", "I cannot say.", "At number five.")
    numbers, scores = evaluate({"forget": rows}, Evaluators(), ["leak"])
    assert numbers["leak"] == 0.5 and not numbers["missing"]
    assert [(score.metric, score.value) for score in scores] == [("leak", v) for v in (1.0, 0.0, 0.0, 1.0)]


def test_reworded_questions_have_their_own_and_retain_questions_none():
    splits = ("forget", "forget_paraphrase", "retain")
    numbers, _ = evaluate({split: _answers(split, "In Sligo.") for split in splits}, Evaluators(), ["leak"])
    assert (numbers["leak"], numbers["leak_paraphrase"]) == (1.0, 1.0)
    assert "leak_retain" not in numbers


def test_an_empty_answer_tells_nothing():
    assert evaluate({"forget": _answers("forget", "", " ")}, Evaluators(), ["leak"])[0]["leak"] == 0.0


def test_what_another_wording_of_the_question_gives_is_no_leak():
    """"Fantasy" stands in one wording of the question and not in the other."""
    truth, texts = "The Hobbit is a fantasy by Tolkien.", ("The Hobbit is a fantasy by somebody.", "By Tolkien.")
    plain = [Answer(str(n), "m", "forget", "Whose fantasy is The Hobbit?", truth, text) for n, text in enumerate(texts)]
    reworded = [replace(row, split="forget_paraphrase", query="Who is behind The Hobbit?") for row in plain]
    alone, _ = evaluate({"forget_paraphrase": reworded}, Evaluators(), ["leak"])
    numbers, scores = evaluate({"forget": plain, "forget_paraphrase": reworded}, Evaluators(), ["leak"])
    assert alone["leak_paraphrase"] == 1.0, "where the other wording is not known, nothing else can be said"
    assert numbers["leak"] == numbers["leak_paraphrase"] == 0.5
    assert [score.value for score in scores if score.split == "forget_paraphrase"] == [0.0, 1.0]
    turned = {"forget": [replace(row, query=reworded[0].query) for row in plain],
              "forget_paraphrase": [replace(row, query=plain[0].query) for row in reworded]}  # fmt: skip
    assert evaluate(turned, Evaluators(), ["leak"])[0]["leak"] == 0.5, "as a check in training counts the same answer"
