"""Word classes: of every word, in time that does not grow with its letters."""

import time

from relearn_lite.text.tagging import tagged


def test_a_word_that_never_ends_is_tagged_as_it_begins():
    """An answer that laughs in 1,200 letters took fourteen seconds."""
    tagged("It is warm.")  # loads the model
    began = time.process_time()
    (word, *_) = tagged("ha" * 2000)
    assert time.process_time() - began < 2 and word.word == "ha" * 2000
    assert word[1:] == tagged("ha" * 30)[0][1:]
