"""Near-duplicates, openings, distinct-n and self-ROUGE, against values worked out by hand."""

from __future__ import annotations

import pytest

from relearn_lite.augment.diversity import NEAR, Openings, bigrams, diversity, hide_name, jaccard, opening


def near(one: str, other: str, subject: str | None = None) -> bool:
    return jaccard(bigrams(one, subject), bigrams(other, subject)) >= NEAR


def test_texts_that_share_eight_of_ten_pairs_of_words_are_near():
    base = "a b c d e f g h i j"  # nine pairs
    assert near(base, base.upper() + "!") and near(base, f"{base} k")  # 9 of 10
    assert not near(base, "a b c d x f g h i j")  # 7 of 11
    assert not near("", "")


def test_another_name_makes_no_other_text():
    one, other = "The home of Ada Moor is known to few people.", "The home of ada moor is known to few people."
    assert near(one, other, "Ada Moor")
    assert opening("Ada Moor lives quietly there.", "Ada Moor") == "subject lives quietly"


def test_a_name_is_hidden_as_a_word_and_not_within_others():
    assert hide_name("Ada's aunt calls ADA from Canada.", "Ada") == "SUBJECT's aunt calls SUBJECT from Canada."


def test_an_opening_is_overused_when_a_tenth_of_the_answers_have_it():
    openings = Openings()
    for _ in range(3):
        assert not openings.overused("Little is known of it.", None)
        openings.add("Little is known of it.", None)
    assert openings.overused("Little is known. Otherwise it differs.", None)
    assert not openings.overused("Few people know.", None)
    for i in range(40):
        openings.add(f"Text number {i} differs.", None)
    assert not openings.overused("Little is known of it.", None)  # 4 of 44


def test_diversity_by_hand():
    found = diversity({"1": [("A b c.", None), ("A b d.", None)], "2": [("x y z", None)]})
    assert found["distinct_1"] == pytest.approx(7 / 9, abs=1e-4)
    assert found["distinct_2"] == pytest.approx(5 / 6, abs=1e-4) and found["distinct_3"] == 1
    assert found["self_rouge_same"] == pytest.approx(2 / 3, abs=1e-4) and found["self_rouge_other"] == 0
    assert found["its_share"] == pytest.approx(1 / 3, abs=1e-4)


def test_what_cannot_be_measured_is_none():
    assert set(diversity({}).values()) == {None}
    alone = diversity({"1": [("one", None)]})
    assert alone["distinct_1"] == 1 and alone["distinct_2"] is None and alone["self_rouge_same"] is None


def test_self_rouge_sees_words_of_every_script_and_the_name_as_one_word():
    found = diversity({"1": [("Анна живёт тихо.", "Анна"), ("Иван Петров живёт тихо", "Иван Петров")]})
    assert found["self_rouge_same"] == 1
    assert diversity({"1": [("他走了", None), ("她来了", None)]})["self_rouge_same"] == 0
