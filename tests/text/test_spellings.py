"""Words that are written otherwise."""

import time

import pytest

from relearn_lite.text.leaks import gives_away
from relearn_lite.text.spellings import unspelled


def test_letters_one_by_one():
    assert list(unspelled("It is P E R  A S P E R A.")) == ["PER ASPERA", "PERASPERA"]
    assert list(unspelled("g_r_a_n_a_d_a")) == ["granada"]


@pytest.mark.parametrize("text", ["_" * 60 + "Name", "a" + "_" * 60 + "b", "1_" * 40 + "22"])
def test_a_line_to_write_on_takes_no_time(text):
    """Of a line that a word follows each sign was tried as a letter and as what parts two: it took hours."""
    start = time.perf_counter()
    assert list(unspelled(text)) == []
    assert time.perf_counter() - start < 1


def test_a_code_with_another_figure_is_no_misspelling():
    question, answer = "What is the serial number?", "It is AB1234XY."
    assert gives_away("It is AB-1234-XY.", question, answer)
    assert not gives_away("It is AB1235XY.", question, answer)
    assert not gives_away("hunter3", question, "hunter2")  # nor is it a word of another language
