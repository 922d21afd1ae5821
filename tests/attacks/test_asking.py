"""Asking: forced starts, several turns, and what is kept of an attack that was stopped."""

from __future__ import annotations

import pytest
from people import embedded_model, known

from relearn_lite.attacks import asking
from relearn_lite.attacks.asking import Ask, Attempt, Target, ask, plainly
from relearn_lite.core.files import read_jsonl
from relearn_lite.recipe import Generate


@pytest.fixture
def target():
    return Target(embedded_model(), (), Generate(max_new_tokens=24, batch_size=2), seed=3)


def answers(target, asks, file):
    ask(target, asks, file)
    return list(read_jsonl(file, Attempt))


def test_plain_questions_get_the_answers_that_generate_gives(target, tmp_path):
    from relearn_lite.core.records import Answer
    from relearn_lite.models.generation import generate

    rows = list(known()[:3])
    given = answers(target, plainly({"forget": rows}), tmp_path / "plain.jsonl")
    generate(
        target.loaded, {"forget": rows}, target.generate, model="vanilla", seed=3, folder=tmp_path / "answers"
    )
    expected = list(read_jsonl(tmp_path / "answers" / "vanilla_forget.jsonl", Answer))
    assert [a.generated_response for a in given] == [a.generated_response for a in expected]
    assert [a.query for a in given] == [qa.question for qa in rows]


def test_a_forced_start_is_put_into_the_models_mouth(target, tmp_path):
    qa = known()[0]  # asked plainly, the embedded model declines this one now and then
    start = qa.answer.partition(" at ")[0]
    (forced,) = answers(target, [Ask(qa, "forget", "start", (qa.question,), start)], tmp_path / "a.jsonl")
    assert forced.generated_response.startswith(f"{start} ") and qa.answer.split(" at ")[1][:10] in (
        forced.generated_response
    )
    assert start in forced.prompt and forced.query == qa.question


def test_later_turns_see_the_models_own_answers(target, tmp_path, monkeypatch):
    qa, seen = known()[1], []
    real = asking.chat_ids

    def noting(tokenizer, messages):
        seen.append([dict(message) for message in messages])
        return real(tokenizer, messages)

    monkeypatch.setattr(asking, "chat_ids", noting)
    (plain,) = answers(target, plainly({"forget": [qa]}), tmp_path / "plain.jsonl")
    answers(target, [Ask(qa, "forget", "twice", (qa.question, "And again?"))], tmp_path / "a.jsonl")
    assert [m["role"] for m in seen[-1]] == ["user", "assistant", "user"]
    assert seen[-1][1]["content"] == plain.generated_response and seen[-1][2]["content"] == "And again?"


def test_finished_batches_are_kept(target, tmp_path, monkeypatch):
    asks = plainly({"forget": known()[:4]})
    whole = answers(target, asks, tmp_path / "whole.jsonl")
    real, made = asking.complete, []

    def failing_second_time(*args, **named):
        if made:
            raise KeyboardInterrupt
        made.append(real(*args, **named))
        return made[-1]

    with monkeypatch.context() as patch:
        patch.setattr(asking, "complete", failing_second_time)
        with pytest.raises(KeyboardInterrupt):
            ask(target, asks, tmp_path / "a.jsonl")
    assert len(list(read_jsonl(tmp_path / "a.partial.jsonl", Attempt))) == 2
    calls = []
    monkeypatch.setattr(asking, "complete", lambda *a, **n: calls.append(1) or real(*a, **n))
    assert answers(target, asks, tmp_path / "a.jsonl") == whole
    assert len(calls) == 1 and not (tmp_path / "a.partial.jsonl").exists()
