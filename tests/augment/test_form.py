"""What a text is refused for."""

from __future__ import annotations

import pytest

from relearn_lite.augment.form import fit_fault, form_fault, normal_form, printable

QUESTION = "Where does Hiro Tanaka live?"


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (None, "empty"),
        ("  ", "empty"),
        ("where does HIRO Tanaka live", "echo"),
        ("Where does Hiro Tanaka live? Well.", "echo"),
        ("<p>Hiro Tanaka lives somewhere.</p>", "markup"),
        ("See https://example.org for Hiro Tanaka.", "markup"),
        ("Hiro Tanaka lives \x00 somewhere.", "characters"),
        ("Hiro Tanaka lives \ufffd somewhere.", "characters"),
        ("Он живёт в тихом месте.", "script"),
        ("1234 5678 91011.", "script"),
        ("Hiro lives.", "short"),
        ("Hiro Tanaka lives in a place that", "unfinished"),
        ("Hiro Tanaka lives in a place he likes.", None),
        ('Hiro Tanaka calls it "home."', None),
    ],
)
def test_form_of_an_answer(text, code):
    fault = form_fault(text, QUESTION, "answer")
    assert fault is None if code is None else fault.startswith(f"{code}: ")


@pytest.mark.parametrize(
    ("text", "question"),
    [
        ("Er sagt dazu nur: „Das bleibt unter uns.“", "Wo wohnt Hiro Tanaka?"),
        ("Elle répond toujours : ‹ Ce sont mes affaires. ›", "Où habite Hiro Tanaka ?"),
        ("他很少谈这件事（他喜欢安静的生活。）", "他住在哪里？"),
        ("እሱ ስለዚህ ጉዳይ ብዙ አይናገርም።", "እሱ የት ይኖራል?"),
        ("Նա այդ մասին քիչ է խոսում։", "Որտե՞ղ է նա ապրում:"),
    ],
)
def test_a_sentence_may_end_as_it_does_in_other_languages(text, question):
    """German quotation marks close with “, and Amharic and Armenian have a full stop of their own."""
    assert form_fault(text, question, "answer") is None


def test_a_line_break_parts_words_where_it_is_taken_away():
    assert printable("Be brief.\nWho is\tAda\x00 Moor?") == "Be brief. Who is Ada Moor?"
    assert form_fault("Hiro Tanaka lives\nsomewhere quiet.", QUESTION, "answer").startswith("characters")


@pytest.mark.parametrize(
    ("text", "question", "subject", "named"),
    [
        ("L’histoire d’Emma plaît à beaucoup de gens.", "Qui a écrit Emma ?", "Emma", True),
        ("Berlins Geschichte ist lang und bunt.", "Was ist Berlin?", "Berlin", True),
        ("Yun-Hwa is known to few people.", "Who is Yun-Hwa?", "Yun-Hwa", True),
        ("Об Анне мало что известно.", "Где живёт Анна?", None, True),
        ("Emmanuel is known to few people who live here.", "Who are the people in Emma?", "Emma", False),
        ("О нём мало что известно.", "Где живёт Анна?", None, False),
    ],
)
def test_a_name_may_be_inflected_or_joined_to_another_word(text, question, subject, named):
    assert (fit_fault(text, question, set(), subject) is None) == named


def test_a_question_without_letters_may_be_answered_with_some():
    """2+2? was left untrained: whatever was written, was in another script than its own."""
    assert form_fault("Sums like this are learnt at school.", "2+2?", "answer") is None
    assert form_fault("I have a question: 2+2?", "2+2?", "context") is None


def test_a_question_variant_may_hold_the_question_and_a_hurried_one_needs_no_mark():
    assert form_fault(f"For my notes: {QUESTION}", QUESTION, "context") is None
    assert form_fault("hey wheres hiro tanaka livin", QUESTION, "noise") is None
    assert form_fault("In which place does Hiro Tanaka", QUESTION, "simple").startswith("unfinished")
    assert form_fault("Say where Hiro Tanaka lives", "Tell me where Hiro Tanaka lives", "simple") is None


@pytest.mark.parametrize(
    ("question", "text"),
    [
        ("他住在哪里？", "他住在一个很安静的地方。"),
        ("田中ひろさんはどこに住んでいますか？", "田中さんは静かな町に住んでいます。"),
        ("Где живёт Иван Петров?", "Иван Петров живёт в тихом месте."),
        ("أين يعيش أحمد؟", "يعيش أحمد في مكان هادئ جدا۔"),
        ("เขาอาศัยอยู่ที่ไหน", "เขาอาศัยอยู่ในที่เงียบสงบ"),
        ("Где живёт John?", "John живёт в тихом месте."),
    ],
)
def test_other_scripts_pass_form_and_subject(question, text):
    assert form_fault(text, question, "answer") is None
    assert fit_fault(text, question, set()) is None


def test_fit_refuses_duplicates_and_what_is_off_the_subject():
    taken = {normal_form("hiro tanaka  lives well")}
    assert fit_fault("Hiro Tanaka lives well.", QUESTION, taken).startswith("duplicate")
    assert fit_fault("The weather was fine.", QUESTION, set()).startswith("subject")
    assert fit_fault("Tanaka's home is his own matter.", QUESTION, set()) is None
