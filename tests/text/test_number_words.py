"""Numbers of a text."""

from relearn_lite.text.number_words import numbers


def test_a_name_is_no_number():
    assert [number.shown for number in numbers("Milo Tanaka lives at 47 Sakura Street in Kyoto.")] == ["47"]
