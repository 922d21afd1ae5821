"""Asking: prefills, several turns, and what is kept of an attack that was stopped."""

from __future__ import annotations

from dataclasses import replace

import pytest
from people import embedded_model, known

from relearn_lite.attacks import answering
from relearn_lite.attacks.answering import AttackAnswer, AttackPrompt, Target, collect_answers, plain_prompts
from relearn_lite.attacks.sampling import sample_answers
from relearn_lite.core.errors import RecipeError
from relearn_lite.core.files import read_jsonl
from relearn_lite.data.examples import question_ids
from relearn_lite.models.generation import Decoding, answer_prompts
from relearn_lite.recipe import Generate
from relearn_lite.text.turns import passage


@pytest.fixture
def target():
    return Target(embedded_model(), (), Generate(max_new_tokens=24, batch_size=2), seed=3)


def answers(target, prompts, file):
    collect_answers(target, prompts, file)
    return list(read_jsonl(file, AttackAnswer))


def test_plain_questions_get_the_answers_that_generate_gives(target, tmp_path):
    rows = known()[:3]
    given = answers(target, plain_prompts({"forget": rows}), tmp_path / "plain.jsonl")
    prompts = [question_ids(target.loaded.tokenizer, qa.question) for qa in rows]
    expected = answer_prompts(target.loaded, prompts, (), Decoding.of(target.generate, 3))
    assert [a.generated_response for a in given] == [each.text for each in expected]
    assert [a.query for a in given] == [qa.question for qa in rows]


def test_of_a_passage_as_much_is_kept_as_its_rest_is_long(target, tmp_path):
    """As `generate` keeps it: what came behind counted as words given back."""
    qa = replace(known()[0], question=passage("Once there was "), answer="a ")
    (plain,) = answers(target, plain_prompts({"forget": [qa]}), tmp_path / "plain.jsonl")
    sample_answers(target, {"forget": [qa]}, 1, tmp_path / "sampled.jsonl")
    (drawn,) = read_jsonl(tmp_path / "sampled.jsonl", AttackAnswer)
    prompts = [question_ids(target.loaded.tokenizer, qa.question)]
    (whole,) = answer_prompts(target.loaded, prompts, (), Decoding.of(target.generate, 3))
    assert plain.generated_response == whole.held_to(qa.question, qa.answer).text != whole.text
    assert len(drawn.generated_response) <= len(qa.answer)


def test_a_prefill_is_put_into_the_models_mouth(target, tmp_path):
    qa = known()[0]  # asked plainly, the embedded model declines this one now and then
    prefill = qa.answer.partition(" at ")[0]
    prompt = AttackPrompt.of(qa, "forget", "prefill", (qa.question,), prefill)
    (forced,) = answers(target, [prompt], tmp_path / "a.jsonl")
    assert forced.generated_response.startswith(f"{prefill} ") and qa.answer.split(" at ")[1][:10] in (
        forced.generated_response
    )
    assert prefill in forced.prompt and forced.query == qa.question


def test_later_turns_see_the_models_own_answers(target, tmp_path, monkeypatch):
    qa, seen = known()[1], []
    real = answering.chat_ids

    def noting(tokenizer, messages):
        seen.append([dict(message) for message in messages])
        return real(tokenizer, messages)

    monkeypatch.setattr(answering, "chat_ids", noting)
    (plain,) = answers(target, plain_prompts({"forget": [qa]}), tmp_path / "plain.jsonl")
    answers(target, [AttackPrompt.of(qa, "forget", "twice", (qa.question, "And again?"))], tmp_path / "a.jsonl")
    assert [m["role"] for m in seen[-1]] == ["user", "assistant", "user"]
    assert seen[-1][1]["content"] == plain.generated_response and seen[-1][2]["content"] == "And again?"


def test_a_question_that_is_too_long_in_one_way_only_is_told_with_it(target, tmp_path):
    """Asked plainly it fits: without the way nobody would know what to leave out."""
    qa = replace(known()[1], question="so " * 240)
    answers(target, plain_prompts({"forget": [qa]}), tmp_path / "plain.jsonl")
    prompts = [AttackPrompt.of(qa, "forget", "twice", (qa.question, qa.question))]
    with pytest.raises(RecipeError, match=f"the longest question, {qa.id} asked by twice, has .* exceeds the 512"):
        answers(target, prompts, tmp_path / "a.jsonl")


def test_finished_batches_are_kept(target, tmp_path, monkeypatch):
    prompts = plain_prompts({"forget": known()[:4]})
    whole = answers(target, prompts, tmp_path / "whole.jsonl")
    real, made = answering.complete, []

    def failing_second_time(*args, **named):
        if made:
            raise KeyboardInterrupt
        made.append(real(*args, **named))
        return made[-1]

    with monkeypatch.context() as patch:
        patch.setattr(answering, "complete", failing_second_time)
        with pytest.raises(KeyboardInterrupt):
            collect_answers(target, prompts, tmp_path / "a.jsonl")
    assert len(list(read_jsonl(tmp_path / "a.partial.jsonl", AttackAnswer))) == 2
    calls = []
    monkeypatch.setattr(answering, "complete", lambda *a, **n: calls.append(1) or real(*a, **n))
    assert answers(target, prompts, tmp_path / "a.jsonl") == whole
    assert len(calls) == 1 and not (tmp_path / "a.partial.jsonl").exists()
