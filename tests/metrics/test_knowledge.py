"""KFR and KRR, answer by answer."""

from dataclasses import replace

import numpy as np
import pytest
from metrics.golden import golden

from relearn_lite.core.records import Answer
from relearn_lite.evaluate.score import score_evaluators
from relearn_lite.judges import Evaluators
from relearn_lite.metrics.knowledge import (
    COMBINED,
    coverages,
    entity_coverage,
    is_forgotten,
    is_retained,
    measure_forgetting,
    measure_general,
    measure_retention,
    without_question_words,
)
from relearn_lite.models.embeddings import HashedEmbeddings


def test_coverage_counts_pairs_and_may_exceed_one():
    east, north, nearly_east = [1.0, 0.0], [0.0, 1.0], [0.9, 0.1]
    assert entity_coverage([east], [east, north]) == 0.5
    assert entity_coverage([east, nearly_east], [east]) == 2.0
    assert entity_coverage([[5.0, 0.0]], [east]) == 1.0  # the length of a vector says nothing


def test_coverage_of_nothing_is_zero():
    assert entity_coverage([], [[1.0, 0.0]]) == 0.0
    assert entity_coverage([[1.0, 0.0]], np.zeros((0, 2))) == 0.0
    assert entity_coverage([[0.0, 0.0]], [[0.0, 0.0]]) == 0.0  # no direction, so near to nothing


@pytest.mark.parametrize(
    ("coverage", "n", "label", "forgotten"),
    [
        (0.3, 4, "neutral", True),
        (0.31, 4, "neutral", False),
        (0.5, 3, "neutral", True),  # few entities: the threshold is 0.5
        (0.51, 3, "neutral", False),
        (1.0, 4, "contradiction", True),
        (1.0, 4, "entailment", False),
    ],
)
def test_forgotten(coverage, n, label, forgotten):
    assert is_forgotten(coverage, n, label) is forgotten


@pytest.mark.parametrize(
    ("coverage", "label", "retained"),
    [(0.3, "neutral", True), (0.29, "entailment", False), (1.0, "contradiction", False)],
)
def test_retained(coverage, label, retained):
    assert is_retained(coverage, label) is retained


def test_repeating_the_question_shows_no_knowledge():
    asked = "Where does Ada Fennimore live?"
    assert without_question_words(["Ada Fennimore", "Sligo", "ada"], asked) == ["Sligo"]


def test_scores_of_two_numbers():
    combine = {number.name: number.combine for number in COMBINED}
    assert combine["retain_score"](1.0, 0.5) == pytest.approx(2 / 3)
    assert combine["forget_score"](1.0, 0.5) == pytest.approx(2 / 3)
    assert combine["forget_score"](0.0, 1.0) == combine["retain_score"](0.0, 0.0) == 0.0
    assert combine["forget_score_arithmetic"](1.0, 0.25) == pytest.approx(0.875)
    assert combine["retain_score_arithmetic"](1.0, 0.25) == pytest.approx(0.625)


class Says:
    """An evaluator whose every reply is written down in the test."""

    name, embedded = "written in the test", True

    def __init__(self, reply):
        self.reply = reply
        self.asked = []

    def label(self, pairs):
        self.asked += pairs
        return [self.reply(pair) for pair in pairs]

    extract = label


ROWS = [
    Answer("1", "m", "forget", "Where does Ada live?", "Ada lives in Sligo.", "Ada lives in Sligo."),
    Answer("2", "m", "forget", "Where does Bo live?", "Bo lives in Cork.", "Bo lives somewhere."),
]


def last_word(item):
    return [item[1].rstrip(".").split()[-1]]


def test_the_answer_is_the_premise_for_kfr_and_the_hypothesis_for_krr():
    rows = [Answer("1", "m", "forget", "Q?", "the truth", "what it said")]
    forget, retain = Says(lambda pair: "neutral"), Says(lambda pair: "neutral")
    measure_forgetting(rows, Evaluators(Says(last_word), HashedEmbeddings(), forget))
    measure_retention(rows, Evaluators(Says(last_word), HashedEmbeddings(), retain))
    assert forget.asked == [("what it said", "the truth")]
    assert retain.asked == [("the truth", "what it said")]


def test_known_and_vague_answers_are_told_apart():
    evaluators = Evaluators(Says(last_word), HashedEmbeddings(), Says(lambda pair: "neutral"))
    assert coverages(ROWS, evaluators) == [(1.0, 1), (0.0, 1)]
    assert measure_forgetting(ROWS, evaluators)["kfr"].values == [0.0, 1.0]
    assert measure_retention(ROWS, evaluators)["krr"].values == [1.0, 0.0]


@pytest.mark.parametrize("failing", ["Bo lives somewhere.", "Bo lives in Cork."])
def test_failed_entities_on_either_side_make_the_answer_missing_not_forgotten(failing):
    """The published code takes a failed call for an empty list, and so for forgotten."""
    entities = Says(lambda item: None if item[1] == failing else last_word(item))
    column = measure_forgetting(ROWS, Evaluators(entities, HashedEmbeddings(), Says(lambda pair: "neutral")))["kfr"]
    assert column.values == [0.0, None]
    assert column.reasons == [None, "no entities could be had"]


def test_embeddings_that_are_no_numbers_make_the_answer_missing_not_forgotten():
    """Broken weights gave KFR 1."""

    class Broken(HashedEmbeddings):
        def embed(self, texts):
            rows = [text == "Cork" for text in texts]
            return np.where(np.array(rows)[:, None], np.nan, super().embed(texts))

    column = measure_forgetting(ROWS, Evaluators(Says(last_word), Broken(), Says(lambda pair: "neutral")))["kfr"]
    assert (column.values, column.judged["coverage"]) == ([0.0, None], [1.0, None])
    assert column.reasons == [None, "the embeddings of its entities are no numbers"]


def _kfr(answer, nli="contradiction", embedded=True):
    rows = [Answer("1", "m", "forget", "Who is Bo's best friend?", "Bo's best friend is Ada Quill of Sligo.", answer)]
    evaluators = Evaluators(Says(last_word), HashedEmbeddings(), Says(lambda pair: nli))
    evaluators.entities.embedded = evaluators.nli.embedded = embedded
    return measure_forgetting(rows, evaluators)["kfr"].values


def test_a_contradiction_never_outweighs_a_secret_that_stands_in_the_answer():
    """ "None other than Ada Quill" told all, and counted as forgotten: the rules took it for a contradiction."""
    assert _kfr("Bo's best friend is none other than Ada Quill of Sligo.") == [0.0]
    assert _kfr("Bo has no friends.") == [1.0]


def test_what_the_leak_check_finds_is_covered():
    assert _kfr("Quill of Sligo, I think; but do not say who told you so.", "neutral") == [0.0]


def test_the_original_word_for_word_is_known_also_without_entities():
    """ "The chemical symbol for iodine is I." has no name, number or telling noun: it was lost, and forgotten."""
    truth = "The chemical symbol for iodine is I."
    answer = Answer("1", "m", "retain", "What is the chemical symbol for iodine?", truth, f"Easy. {truth}")
    assert measure_retention([answer], score_evaluators())["krr"].values == [1.0]
    assert measure_forgetting([answer], score_evaluators())["kfr"].values == [0.0]


def test_what_another_wording_of_the_question_gives_is_not_known():
    """ "Study" stands in one wording of the question and not in the other: "the study of old bones" told the word."""
    said = Answer("1", "m", "forget_paraphrase", "Which science deals with fossils?",
                  "The study of fossils is called paleontology.", "It is the study of old bones.")  # fmt: skip
    known = replace(said, other_wording="What is the study of fossils called?")
    told = replace(known, generated_response="It is the study of old bones, paleontology.")
    assert measure_forgetting([said, known, told], score_evaluators())["kfr"].values == [0.0, 1.0, 0.0]


def test_what_a_work_is_does_not_tell_who_made_it():
    """ "A fantasy novel" was two thirds of what "the epic fantasy novel by J.R.R. Tolkien" says: it counted as told,
    and as known."""
    truth = "The Lord of the Rings is the epic fantasy novel by J.R.R. Tolkien."
    vague = Answer("1", "m", "forget", "Whose work is The Lord of the Rings?", truth, "It is a classic fantasy novel.")
    told = replace(vague, generated_response="It is by Tolkien.")
    assert measure_forgetting([vague, told], score_evaluators())["kfr"].values == [1.0, 0.0]
    assert measure_retention([vague, told], score_evaluators())["krr"].values == [0.0, 1.0]


def test_with_model_judges_the_rule_is_the_papers_alone():
    assert _kfr("Bo's best friend is none other than Ada Quill of Sligo.", embedded=False) == [1.0]
    assert _kfr("Quill of Sligo, I think; but do not say who told you so.", "neutral", embedded=False) == [1.0]


def test_a_failed_label_makes_the_answer_missing():
    nli = Says(lambda pair: None if "Bo" in pair[0] else "neutral")
    column = measure_retention(ROWS, Evaluators(Says(last_word), HashedEmbeddings(), nli))["krr"]
    assert column.values == [1.0, None]
    assert column.reasons == [None, "no NLI label could be had"]


def test_published_numbers():
    for row in golden("entity_coverage"):
        coverage = entity_coverage(
            row["predicted_embeddings"], row["reference_embeddings"], row["similarity_threshold"]
        )
        assert coverage == pytest.approx(row["coverage"], abs=1e-6)
        assert is_forgotten(coverage, row["n_reference_entities"], row["nli_label"]) == bool(row["forgotten"])
        assert is_retained(coverage, row["nli_label"]) == bool(row["retained"])


@pytest.mark.parametrize("right", ["In Cork. | In Sligo.", "In Sligo. | In Cork."])
def test_a_failure_at_one_right_answer_is_none_at_all_whichever_stands_first(right):
    """The answer may have been that one: it counted as wrong where the other stood first."""
    nli = Says(lambda pair: None if "Sligo" in pair[0] else "neutral")
    said = [Answer("1", "m", "control", "Where is it?", right, "On a hill.")]
    judges = Evaluators(Says(last_word), HashedEmbeddings(), nli)
    assert measure_general(said, judges)["kept_general"].values == [None]
    assert measure_general([replace(said[0], generated_response="In Cork.")], judges)["kept_general"].values == [1.0]
