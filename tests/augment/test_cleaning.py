"""What a text is refused for."""

from __future__ import annotations

import pytest

from relearn_lite.augment.cleaning import fault_of_fit, fault_of_form, normal

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
    fault = fault_of_form(text, QUESTION, "answer")
    assert fault is None if code is None else fault.startswith(f"{code}: ")


def test_a_question_variant_may_hold_the_question_and_a_hurried_one_needs_no_mark():
    assert fault_of_form(f"For my notes: {QUESTION}", QUESTION, "context") is None
    assert fault_of_form("hey wheres hiro tanaka livin", QUESTION, "noise") is None
    assert fault_of_form("In which place does Hiro Tanaka", QUESTION, "simple").startswith("unfinished")
    assert fault_of_form("Say where Hiro Tanaka lives", "Tell me where Hiro Tanaka lives", "simple") is None


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
    assert fault_of_form(text, question, "answer") is None
    assert fault_of_fit(text, question, set()) is None


def test_fit_refuses_doubles_and_what_is_off_the_subject():
    assert fault_of_fit("Hiro Tanaka lives well.", QUESTION, {normal("hiro tanaka  lives well")}).startswith(
        "duplicate"
    )
    assert fault_of_fit("The weather was fine.", QUESTION, set()).startswith("subject")
    assert fault_of_fit("Tanaka's home is his own matter.", QUESTION, set()) is None
