"""A conversation as one text, and back."""

from __future__ import annotations

import pytest

from relearn_lite.judges.entities import content_words
from relearn_lite.judges.entity_words import RuleEntities
from relearn_lite.metrics.knowledge import without_question_words
from relearn_lite.text.leaks import gives_away, leaks
from relearn_lite.text.turns import is_passage, joined, last_turn, looks_like_turns, passage, shown, turns_of
from relearn_lite.writers import Task
from relearn_lite.writers.question_parser import parse_question
from relearn_lite.writers.rules import RulesWriter

TURNS = [
    {"role": "system", "content": "Be brief.\n\nuser: not a turn"}, {"role": "user", "content": "Hi\n"},
    {"role": "assistant", "content": "Hello."}, {"role": "user", "content": "Where does Ann Lee live?"},
]  # fmt: skip


@pytest.mark.parametrize("turns", [TURNS, TURNS[1:], TURNS[:2], TURNS[1:2], [{"role": "system", "content": "x"}]])
def test_turns_come_back(turns):
    assert turns_of(joined(turns)) == turns


def test_a_plain_question_is_itself():
    for text in ("Where?", "", "user: Where?", "a␞b", "␞nobody: x"):
        assert turns_of(text) == [{"role": "user", "content": text}] and not looks_like_turns(text)
        assert last_turn(text) == ("", text)
    assert joined(turns_of("Where?")) == "Where?"


def test_they_outlast_tidied_spaces():
    """ASCII's separator is white space to Python: turns became one text with their roles in it."""
    tidied = " ".join(joined(TURNS).split())
    assert [turn["role"] for turn in turns_of(tidied)] == [turn["role"] for turn in TURNS]
    assert turns_of(tidied)[1:] == [{**turn, "content": turn["content"].strip()} for turn in TURNS[1:]]


def test_what_stands_before_the_first_turn_is_the_user_s():
    assert turns_of("Answer me: " + joined(TURNS))[:2] == [{"role": "user", "content": "Answer me:"}, TURNS[0]]


def test_the_rules_reword_the_last_turn_and_keep_those_before():
    question = joined(TURNS)
    before, asked = last_turn(question)
    assert before + asked == question and asked == TURNS[-1]["content"]
    assert parse_question(question) == parse_question(asked)
    for kind in ("simple", "context", "noise", "logical"):
        (text,) = RulesWriter().write([Task(kind, question)])
        assert turns_of(text)[:-1] == TURNS[:-1] and turns_of(text)[-1]["role"] == "user", kind
        assert "Ann Lee" in turns_of(text)[-1]["content"]
    (answer,) = RulesWriter().write([Task("answer", question, "At 12 Hill Road.")])
    assert "␞" not in answer and "Ann Lee" in answer


def test_an_answer_that_is_begun_is_no_turn_to_reword():
    """As RWKU's "Answer:": its rewordings and attacks were put into the model's mouth, around that word."""
    asked = {"role": "user", "content": "Where does Ann Lee live?\n"}
    begun = {"role": "assistant", "content": "Answer:"}
    assert last_turn(joined([asked, begun])) == ("", asked["content"])
    before, text = last_turn(joined([*TURNS[:3], asked, begun]))
    assert turns_of(before + text) == [*TURNS[:3], asked]
    assert parse_question(joined([asked, begun])).subject == "Ann Lee"
    reworded = RulesWriter().write([Task("simple", joined([asked, begun]))])[0]
    assert turns_of(reworded)[0]["role"] == "user" and "Ann Lee" in reworded and "Answer" not in reworded


@pytest.mark.parametrize(("asked", "answer", "text", "told"), [
    ("What does Ann Lee do?", "Ann Lee is a dental assistant.", "She is an assistant of some kind.", True),
    ("What did Ann Lee build?", "Ann Lee built a heating system.", "She built a system.", True),
    ("Who wrote The Hobbit?", "The Hobbit is a fantasy novel by Tolkien.", "It is a fantasy novel.", False),
])  # fmt: skip
def test_what_a_conversation_gives_its_turns_say_and_not_who_speaks(asked, answer, text, told):
    """Whoever was an assistant, or had built a system, was told by no answer to a question with turns before it."""
    question = joined([*TURNS[:3], {"role": "user", "content": asked}])
    assert gives_away(text, question, answer) is gives_away(text, asked, answer) is told
    assert leaks(text, question, answer) == leaks(text, asked, answer)
    assert content_words(question, answer) == content_words(asked, answer)
    entities = RuleEntities().extract([(question, answer), (asked, answer)])
    assert entities[0] == entities[1]
    assert without_question_words(["assistant", "system"], question) == ["assistant", "system"]


def test_a_passage_keeps_its_lines_and_the_space_before_what_follows():
    question = passage("    if x:\n        return ")
    assert is_passage(question) and shown(question) == "    if x:\n        return "
    assert turns_of(question) == [{"role": "text", "content": "    if x:\n        return "}]
    assert looks_like_turns(question), "a text of people's own that looks like this must be refused"
    assert not is_passage("What is a passage?") and shown("What is it?") == "What is it?"


def test_a_passage_asks_nothing_and_is_not_put_in_other_words():
    parsed = parse_question(passage("Where does Ann Lee live? Nobody in the village knew "))
    assert parsed.subject is None and parsed.topic is None
