"""Numbers of a text."""

from relearn_lite.text.number_words import numbers


def test_a_name_is_no_number():
    assert [number.shown for number in numbers("Milo Tanaka lives at 47 Sakura Street in Kyoto.")] == ["47"]


def test_no_and_none_are_no_number():
    """text2num takes "non" for the Portuguese nine, and "none" for the Italian ninth: None told an original of nine."""
    for text in ("None.", "Non.", "NONE", "Non, pas ici."):
        assert numbers(text) == [], text
    assert [number.readings for number in numbers("Non, il a neuf chats.")] == [{"9"}]
