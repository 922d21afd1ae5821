"""What of a passage's rest comes back, word by word."""

import pytest

from relearn_lite.text.recall import as_long_as, continues, longest_match, shares_ngram

REST = "We carried the green chairs down the hill in the rain. Nobody cried except the cat."


def test_the_longest_match_is_counted_in_words_whatever_their_form():
    assert longest_match("She carried the GREEN chairs away", REST) == 4
    assert longest_match("", REST) == longest_match("Xylophone", REST) == 0
    assert longest_match("天气很好", "今天天气很好吗") == 4


@pytest.mark.parametrize(
    ("text", "known"),
    [
        (REST, True),
        (REST.lower().replace("chairs", "tables"), True),  # most of it in its order
        ("Well, down the hill in the rain. Nobody cried over it for a week.", True),  # eight in a row
        ("We went down to the shore, and nobody there had a chair that was green.", False),
        ("And so it went on, a little at a time.", False),
        ("", False),
    ],
)
def test_a_passage_is_continued_where_half_or_eight_in_a_row_come_back(text, known):
    assert continues(text, REST) is known


def test_what_follows_after_the_length_of_the_rest_does_not_count():
    """A model that goes on and on would else hit half of any rest at some time."""
    assert not continues("One more day went by before they all had enough of it, and what now? They sat. " + REST, REST)


def test_a_short_rest_is_known_by_fewer_words_and_one_without_words_never():
    assert shares_ngram("the cat sat", "The cat", 8) and not shares_ngram("a cat sat", "The cat", 8)
    assert not continues("- - -", "- - -")


def test_a_text_is_cut_at_a_whole_word():
    assert as_long_as("one two three", "1234567") == "one two"
    assert as_long_as("one twofold", "1234567") == "one"
    assert as_long_as("one", "1234567") == "one"
    assert as_long_as("天气很好吗", "123") == "天气很"
