"""A writer on a model in this process, and the whole augmentation through it."""

from __future__ import annotations

from pathlib import Path

import pytest

from relearn_lite.augment import Settings, augment
from relearn_lite.core.files import read_jsonl
from relearn_lite.core.records import QA, Dropped, Variant
from relearn_lite.recipe.names import QUESTION_KINDS
from relearn_lite.text.leaks import leaks
from relearn_lite.writers import Task
from relearn_lite.writers.local import LocalWriter
from relearn_lite.writers.prompts import render

FORGET = [
    QA("f0", "Where does Hiro Tanaka live?", "Hiro Tanaka lives at 4 Sakura Street in Kyoto."),
    QA("f1", "Who are the parents of Ines Duarte?", "Her father Rui is a dentist and her mother Alda a pilot."),
]


@pytest.fixture(scope="module")
def complete(tiny_model_dir: Path):
    """Runs chats through the tiny model in one left-padded batch, sampled with the seed."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(tiny_model_dir, padding_side="left")
    model = AutoModelForCausalLM.from_pretrained(tiny_model_dir).eval()

    def run(prompts, max_new_tokens, seed, *_):
        torch.manual_seed(seed)
        chats = [tokenizer.apply_chat_template(chat, tokenize=False, add_generation_prompt=True) for chat in prompts]
        batch = tokenizer(chats, return_tensors="pt", padding=True, add_special_tokens=False)
        with torch.no_grad():
            out = model.generate(**batch, max_new_tokens=min(max_new_tokens, 12), do_sample=True)
        return tokenizer.batch_decode(out[:, batch["input_ids"].shape[1] :], skip_special_tokens=True)

    return run


def test_tasks_are_rendered_asked_in_batches_of_like_length_and_read_in_their_order():
    calls = []

    def canned(prompts, max_new_tokens, seed, *_):
        calls.append((prompts, max_new_tokens, seed))
        judged = ["Is anything leaked?" in prompt[-1]["content"] for prompt in prompts]
        return ["Fine.\nVerdict: No" if judging else 'Answer: "Yes, so."' for judging in judged]

    tasks = [
        Task("answer", "Where does he live?", seed=4),
        Task("verify", "Where?", text="T", seed=5),
        Task("answer", "Where does he live, and since when?", seed=6),
    ]
    texts = LocalWriter(canned, "local:tiny", max_new_tokens=99, batch_size=2).write(tasks)
    assert texts == ["Yes, so.", "Fine.\nVerdict: No", "Yes, so."]
    sizes = [sum(len(turn["content"]) for turn in prompt) for prompts, _, _ in calls for prompt in prompts]
    assert sizes == sorted(sizes, reverse=True) and [len(prompts) for prompts, _, _ in calls] == [2, 1]
    assert {most for _, most, _ in calls} == {99} and {seed for _, _, seed in calls} <= {4, 5, 6}
    assert sorted(map(str, (p for prompts, _, _ in calls for p in prompts))) == sorted(map(str, map(render, tasks)))


@pytest.mark.parametrize(("kind", "stops"), [("answer", True), ("simple", True), ("verify", False), ("aspects", False)])
def test_a_text_may_stop_at_its_second_part_and_what_is_read_whole_may_not(kind, stops):
    given = []
    LocalWriter(lambda *asked: given.append(asked[3]) or ["Fine.\nVerdict: No"], "x").write([Task(kind, "Where?")])
    assert [enough is not None and enough("One part.\n\nAnother.") for enough in given] == [stops]


@pytest.mark.parametrize(("kind", "drawn"), [("answer", True), ("simple", True), ("verify", False), ("aspects", False)])
def test_texts_are_drawn_and_what_is_read_is_not(kind, drawn):
    given = []
    LocalWriter(lambda *asked: given.append(asked[5]) or ["Fine.\nVerdict: No"], "x").write([Task(kind, "Where?")])
    assert given == [drawn]


def test_tokens_and_seconds_are_counted():
    said = "Yes, he does."
    writer = LocalWriter(lambda prompts, *_: [said] * len(prompts), "local:x", count=lambda text: len(text.split()))
    writer.write([Task("answer", "Where?"), Task("answer", "When?")])
    assert writer.tokens == 6 and writer.seconds > 0


def test_no_tasks_run_no_model():
    assert LocalWriter(lambda *_: pytest.fail("asked"), "local:tiny").write([]) == []


def test_a_model_that_writes_nonsense_is_never_a_success(complete, tmp_path):
    """A random model knows no language: what it says must be refused, and every question must end in the files."""
    settings = Settings(QUESTION_KINDS, verify_rounds=1, completion_fraction=0.25, generic_ratio=1.2, seed=0)
    counts = augment(FORGET, [], LocalWriter(complete, "local:tiny"), settings, tmp_path)
    pairs = [p for p in read_jsonl(tmp_path / "augmented.jsonl", Variant) if p.kind != "completion"]
    dropped = list(read_jsonl(tmp_path / "dropped.jsonl", Dropped))
    assert {r.id for r in (*pairs, *dropped)} >= {f"{q.id}/{k}" for q in FORGET for k in ("original", *QUESTION_KINDS)}
    assert pairs and {pair.verdicts["writer"] for pair in pairs} == {"rules"}
    assert all(pair.verdicts["question"]["writer"] == "rules" for pair in pairs if pair.kind != "original")
    assert sum(sum(by.values()) for by in counts["fallback"].values()) == len(pairs)
    for pair in pairs:
        qa = next(qa for qa in FORGET if qa.id == pair.parent_id)
        assert leaks(pair.target, qa.question, qa.answer) == []
