"""ROUGE recall: by hand, as published, and on text that is not Latin."""

import unicodedata

import pytest
from metrics.golden import golden
from rouge_score.tokenizers import DefaultTokenizer

from relearn_lite.metrics.rouge import rouge_recall, tokens


def test_by_hand():
    """Reference: 5 words. `dog`, `the`, `chased` return, but only `the dog` or `chased the` in order (stem: chase)."""
    assert rouge_recall("the dog chases", "a cat chased the dog") == pytest.approx({"rouge1": 3 / 5, "rougeL": 2 / 5})


def test_an_empty_answer_recalls_nothing_and_an_empty_reference_is_undefined():
    assert rouge_recall("", "a cat") == {"rouge1": 0.0, "rougeL": 0.0}
    assert rouge_recall("a cat", "") == {"rouge1": None, "rougeL": None}
    assert rouge_recall("a cat", "?! 🙂") == {"rouge1": None, "rougeL": None}


@pytest.mark.parametrize(
    "text",
    [
        "Beltrán’s naïve café, 1,200 £",
        "O'Neil-Smith wrote “Ends” in 1999…",
        "Ünïted <b>bold</b>\x00\x07",
        "",
        "ﬁne ½ ²",
    ],
)
def test_latin_text_has_the_tokens_of_rouge_score(text):
    latin = DefaultTokenizer(use_stemmer=True)
    assert tokens(text) == latin.tokenize(text)


@pytest.mark.parametrize(
    ("response", "reference", "rouge1"),
    [
        ("она родилась в Минске", "Она родилась в Киеве", 3 / 4),
        ("她出生在北京", "她出生在上海", 4 / 6),
        ("ولدت في القاهرة", "ولدت في دمشق", 2 / 3),
        ("वह दिल्ली में रहती है", "वह मुंबई में रहती है", 4 / 5),
        ("서울에서 태어났다", "부산에서 태어났다", 1 / 2),
        ("Она живёт в Berlin", "Она живёт в Paris", 3 / 4),
    ],
)
def test_other_scripts_are_scored_by_their_own_words(response, reference, rouge1):
    assert rouge_recall(response, reference)["rouge1"] == pytest.approx(rouge1)
    assert rouge_recall(reference, reference) == {"rouge1": 1.0, "rougeL": 1.0}


@pytest.mark.parametrize("text", ["Ada lives in São Tomé", "서울에서 태어났다", "Йозеф живёт в Киеве"])
def test_letters_in_several_signs_are_those_in_one(text):
    """As files from a Mac have them: two of five words were lost, and all of a Korean answer."""
    assert rouge_recall(unicodedata.normalize("NFD", text), text) == {"rouge1": 1.0, "rougeL": 1.0}


def test_published_numbers():
    for row in golden("rouge"):
        recall = rouge_recall(row["response"], row["reference"])
        assert recall["rouge1"] == pytest.approx(row["rouge1_recall"], abs=1e-6)
        assert recall["rougeL"] == pytest.approx(row["rougeL_recall"], abs=1e-6)
