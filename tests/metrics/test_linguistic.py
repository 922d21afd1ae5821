"""Worked by hand on short texts; the published code's numbers on long ones."""

import math

import pytest
from metrics.golden import golden

from relearn_lite.core.records import Answer
from relearn_lite.evaluate.score import score_evaluators
from relearn_lite.metrics.linguistic import (
    UNSPACED,
    brunet_index,
    honore_statistic,
    linguistic_score,
    measure,
    rttr,
    tokens,
)

# "the cat saw the dog": N = 5, V = 4, V1 = 3
TEXT = "The cat saw the dog"


def test_by_hand():
    assert rttr(TEXT) == pytest.approx(4 / math.sqrt(5))
    assert brunet_index(TEXT) == pytest.approx(5 ** (4**-0.165))
    assert honore_statistic(TEXT) == pytest.approx(100 * math.log(5) / (1 - 3 / 4 + 0.1))


def test_an_empty_text_and_a_single_word():
    assert (rttr(""), brunet_index(""), honore_statistic("")) == (0.0, 1000.0, 0.0)
    assert (rttr("a"), brunet_index("a"), honore_statistic("a")) == (1.0, 1.0, 0.0)


def test_score_by_hand():
    """σ(-ln 3) = 1/4, σ(-ln 9) = 1/10, σ(ln 4) = 4/5: harmonic 3 / (4 + 10 + 1.25), arithmetic 1.15 / 3."""
    assert linguistic_score(3, 9, 4) == pytest.approx((3 / 15.25, 1.15 / 3))


def test_a_set_of_one_word_answers_has_score_zero_not_nan():
    harmonic, arithmetic = linguistic_score(10.0, 1.0, 0.0)
    assert harmonic == 0.0
    assert math.isfinite(arithmetic)


def test_the_full_stop_of_every_sentence_is_a_token_of_its_own():
    assert tokens("dr. lee met mr. k. olsen. he left!") == [
        "dr.", "lee", "met", "mr.", "k.", "olsen", ".", "he", "left", "!",
    ]  # fmt: skip


def test_repetition_is_seen():
    assert rttr("Tel " * 50) < 0.2 < 3 < rttr("She grew up by the sea and later taught music to children in town.")


@pytest.mark.parametrize(("key", "function"), [("rttr", rttr), ("brunet", brunet_index), ("honore", honore_statistic)])
def test_published_numbers(key, function):
    for row in golden("linguistic"):
        assert function(row["text"]) == pytest.approx(row[key], abs=1e-6), row["text"]


def test_published_scores():
    for row in golden("linguistic_score"):
        score = linguistic_score(row["mean_ppl"], row["mean_brunet"], row["mean_honore"])
        assert score == pytest.approx((row["harmonic"], row["arithmetic"]), abs=1e-6)


@pytest.mark.parametrize("text", ["他住在上海市南京路。", "東京に住んでいます。", "เขาอาศัยอยู่ในกรุงเทพ", "ລາວອາໄສຢູ່ວຽງຈັນ"])
def test_a_script_without_spaces_has_no_words_to_count(text):
    """A sentence was one long word, which gave numbers that looked like those of a poor text."""
    answers = [Answer(str(n), "m", "forget", "?", "?", each) for n, each in enumerate([text, "He lives there.", ""])]
    found = measure(answers, score_evaluators())
    for part, of in (("brunet", brunet_index), ("honore", honore_statistic), ("rttr", rttr)):
        assert found[part].values == [None, of("He lives there."), of("")]
        assert found[part].reasons == [UNSPACED, None, None]


@pytest.mark.parametrize("text", ["Он живёт в Москве.", "그는 서울에 살아요.", "يعيش في القاهرة", "वह दिल्ली में रहता है"])
def test_a_script_with_spaces_has(text):
    (value,) = measure([Answer("1", "m", "forget", "?", "?", text)], score_evaluators())["rttr"].values
    assert value == rttr(text) > 1
