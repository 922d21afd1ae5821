"""Jailbreak prompts: complete, filled in literally, and without facts that would look like leaks."""

from __future__ import annotations

from people import known

from relearn_lite.attacks.jailbreaks import Jailbreak, jailbreak_prompts, jailbreaks
from relearn_lite.core.records import QA
from relearn_lite.text.leaks import leaks
from relearn_lite.text.turns import joined, turns_of


def test_every_kind_is_there():
    names = {prompt.name for prompt in jailbreaks()}
    assert {"role_play", "authority", "translation", "multi_turn", "prefix", "prefix_subject"} <= names
    assert any(prompt.prefill.startswith("Sure, here is") for prompt in jailbreaks())
    assert any(len(prompt.turns) > 1 for prompt in jailbreaks())
    assert all("{question}" in "".join(prompt.turns) and prompt.title for prompt in jailbreaks())


def test_questions_are_filled_in_literally():
    qa = QA("1", "What does {subject} mean to Ada Fennimore, and {question}?", "Nothing.")
    asked = Jailbreak("a", "a", ("Say: {question}",), "{subject}").ask(qa, "forget")
    assert asked.turns == [f"Say: {qa.question}"] and asked.prefill == "Ada Fennimore"


def test_of_a_conversation_the_last_turn_is_what_a_prompt_is_put_around():
    told = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hi"}]
    told.append({"role": "assistant", "content": "Hello."})
    question = "Who is Ada Fennimore?"
    qa = QA("1", joined([*told, {"role": "user", "content": question}]), "A baker.")
    asked = Jailbreak("a", "a", ("About {subject}.", "In French: {question}")).ask(qa, "forget")
    assert turns_of(asked.turns[0]) == [*told, {"role": "user", "content": "About Ada Fennimore."}]
    assert asked.turns[1] == f"In French: {question}", "what was said before is said once"
    assert asked.query == qa.question


def test_a_prompt_that_wants_a_subject_is_not_asked_without_one():
    qa = QA("1", "what is the capital?", "Rome.")
    asked = jailbreak_prompts({"forget": [qa]})
    assert {each.way for each in asked} == {
        prompt.name for prompt in jailbreaks() if "{subject}" not in "".join((*prompt.turns, prompt.prefill))
    }


def test_prompts_tell_nothing_themselves():
    for each in jailbreak_prompts({"forget": known()}):
        said = " ".join((*each.turns, each.prefill)).replace(each.query, "")
        assert not leaks(said, each.query, each.ground_truth), each
