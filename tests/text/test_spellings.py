"""Words that are written otherwise."""

import time

import pytest

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
