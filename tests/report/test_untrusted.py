import pytest

from relearn_lite.report.untrusted import masked, names_and_numbers, visible


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\x00b", "a␀b"),
        ("\x1b[31m", "␛[31m"),
        ("\x7f", "␡"),
        ("a\u202eb", "a⟨U+202E⟩b"),
        ("zero\u200bwidth", "zero⟨U+200B⟩width"),
        ("half \ud83d", "half \ufffd"),
        ("line\r\nline\tend", "line\nline\tend"),
        ("她住 👩\u200d👧 é", "她住 👩\u200d👧 é"),
    ],
)
def test_what_hides_is_shown_and_the_rest_is_left_alone(text, shown):
    assert visible(text) == shown
    shown.encode()  # can be written to a file


def test_an_endless_word_is_cut_and_says_so():
    assert visible("a" * 10_000, longest=100) == "a" * 100 + " … (9,900 more characters)"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Ada lives at 12 Kelp Lane.", "A▒▒▒ lives at ▒▒▒ K▒▒▒ L▒▒▒."),
        ("She wrote to ada.f@kelp.example today.", "She wrote to a▒▒▒ today."),
        ("Call +44 20-7946, or 3 May 1961.", "Call ▒▒▒ ▒▒▒, or ▒▒▒ M▒▒▒ ▒▒▒."),
        ("see https://kelp.example/ada?x=1 now", "see h▒▒▒ now"),
        ("O'Brien-Smith is in the US, not us", "O▒▒▒ is in the U▒▒▒, not us"),
        ("她住在", "▒▒▒"),
    ],
)
def test_names_numbers_and_addresses_are_covered(text, shown):
    expected = shown.replace("Call", "C▒▒▒")
    assert masked(text) == expected


def test_a_known_name_is_covered_in_any_spelling():
    known = names_and_numbers(["Ada of Harrowby"])
    assert masked("it was ada, ADA, from harrowby", known) == "it was a▒▒▒, A▒▒▒, from h▒▒▒"


def test_blocks_do_not_tell_how_long_a_name_is():
    assert masked("Al") == masked("Alexandrina") == "A▒▒▒"


def test_a_masked_name_is_known_again_without_its_ending_and_in_parts():
    """`Verena's` in a question let `verena` through in an answer, and `Chur` there `chur's`."""
    known = names_and_numbers(["What was Verena's mother Anne-Marie O'Brien called in Chur?"])
    said = "verena, verena\u2019s aunt anne, marie or brien: chur's own, of anne-marie's, so it's well-known"
    told = masked(said, known)
    for word in ("verena", "anne", "marie", "brien", "chur"):
        assert word not in told
    assert told.endswith("so it's well-known") and "aunt" in told
