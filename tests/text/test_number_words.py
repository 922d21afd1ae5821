"""Numbers of a text."""

from relearn_lite.text.leaks import leaks
from relearn_lite.text.number_words import numbers


def test_a_name_is_no_number():
    assert [number.shown for number in numbers("Milo Tanaka lives at 47 Sakura Street in Kyoto.")] == ["47"]


def test_no_and_none_are_no_number():
    """text2num takes "non" for the Portuguese nine, and "none" for the Italian ninth: None told an original of nine."""
    for text in ("None.", "Non.", "NONE", "Non, pas ici."):
        assert numbers(text) == [], text
    assert [number.readings for number in numbers("Non, il a neuf chats.")] == [{"9"}]


def test_long_rows_of_digits_before_a_unit_are_numbers():
    """A model that babbled noughts, or a long decimal with a comma, ended the run in a ValueError of float."""
    assert numbers(f"{'0' * 15} kg")[0].readings == {"0"}
    assert numbers("1234567890,1234 m")[0].readings == {"1234567890.1234", "1234567890"}


def test_an_answer_of_thousands_of_digits_is_searched():
    """Python reads no integer of more than 4300 digits."""
    assert leaks("It is 3.", "What is it?", "9" * 5000) == []
