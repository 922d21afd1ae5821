"""Forms of English verbs."""

import pytest

from relearn_lite.text.verbs import PAST_FORMS, base_of, past


@pytest.mark.parametrize(("base", "formed"), [
    ("play", "played"), ("study", "studied"), ("bake", "baked"), ("write", "wrote"), ("fly", "flew"),
    ("drink", "drank"), ("put", "put"), ("shoot", "shot"), ("stop", "stopped"), ("plan", "planned"),
    ("visit", "visited"), ("fix", "fixed"), ("refer", "referred"), ("develop", "developed"),
])  # fmt: skip
def test_the_past(base, formed):
    assert past(base) == formed


def test_what_is_another_word_too_is_not_read_as_a_past():
    assert not {"ground", "shot", "bit", "put"} & PAST_FORMS and base_of("ground") is None


def test_a_doubled_letter_is_undone():
    assert base_of("planned") == "plan" and base_of("owned") == "own"
