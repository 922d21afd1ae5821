from __future__ import annotations

import pytest

from relearn_lite.augment.chunks import completion
from relearn_lite.core.records import Variant


def pair(target: str) -> Variant:
    return Variant("7/simple", "7", "simple", "Where?", target, {"form": "ok"})


@pytest.mark.parametrize(
    ("target", "fraction", "prompt", "rest"),
    [
        ("one two three four five six seven eight.", 0.25, "one two", "three four five six seven eight."),
        ("one two three four five six seven.", 0.25, "one", "two three four five six seven."),
        ("one two.", 0.25, "one", "two."),
        ("one two.", 0.99, "one", "two."),
        ("他住在一个很安静的地方。", 0.25, "他住在", "一个很安静的地方。"),
    ],
)
def test_the_first_words_are_the_prompt_and_the_rest_the_target(target, fraction, prompt, rest):
    made = completion(pair(target), fraction)
    assert (made.prompt, made.target) == (prompt, rest)
    assert (made.id, made.parent_id, made.kind) == ("7/simple/completion", "7", "completion")
    assert made.verdicts == {"form": "ok"}


def test_one_word_cannot_be_cut():
    assert completion(pair("Somewhere."), 0.25) is None
