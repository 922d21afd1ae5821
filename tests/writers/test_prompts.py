"""A recipe's own prompts."""

from __future__ import annotations

from dataclasses import replace

import pytest

from relearn_lite.core.errors import RecipeError
from relearn_lite.recipe import load_recipe
from relearn_lite.recipe.names import QUESTION_KINDS, TASK_KINDS
from relearn_lite.writers import Task, make_writer
from relearn_lite.writers.prompts import built_in, load_prompts, render, render_begun

OWN = """\
version: 7
answer:
  system: You write vaguely.
  user: "Q: {question}\\nSecret: {answer}\\nA:"
  examples: []
"""


def own(tmp_path, text=OWN):
    path = tmp_path / "own.yaml"
    path.write_text(text)
    return path


def test_ours_would_pass_as_a_file_of_ones_own(tmp_path):
    from relearn_lite.writers.prompts import PROMPTS

    assert load_prompts(PROMPTS) == built_in() and set(TASK_KINDS) < set(built_in())


def test_own_prompts_take_the_place_of_ours_and_the_others_stay(tmp_path):
    said = load_prompts(own(tmp_path))
    (turn,) = render(Task("answer", "Where?", "In Rome."), said)
    assert turn["content"] == "You write vaguely.\n\nQ: Where?\nSecret: In Rome.\nA:"
    assert said["verify"] == built_in()["verify"] and said["version"] == 7


def test_the_name_to_keep_and_a_way_to_begin_stand_at_the_end():
    def last(**more) -> str:
        return render(Task("answer", "Where does Ada Moor live?", "In Rome.", **more))[-1]["content"]

    assert "exactly as it is: Ada Moor" in last(subject="Ada Moor") and "exactly as it is" not in last()
    ends = {last(seed=seed).rpartition("\n")[2] for seed in range(1, 60)}
    assert ends == set(built_in()["answer"]["ways"])
    judged = render(Task("verify", "Where?", "In Rome.", "Text.", subject="Ada Moor", seed=3))[-1]["content"]
    assert "Ada Moor" not in judged and "Begin" not in judged


def test_a_recipe_hands_them_to_its_writer(tmp_path):
    (tmp_path / "r.yaml").write_text(
        "name: t\ndata: {preset: people}\n"
        "augment: {writer: server, base_url: 'http://127.0.0.1:1/v1', model: m, prompts: own.yaml}\n"
    )
    own(tmp_path)
    recipe = load_recipe(tmp_path / "r.yaml")
    assert make_writer(recipe.augment, "augment", recipe, lambda: None).prompts["version"] == 7


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("answer: {}", "version: give a whole number"),
        ("version: 2\nanswr: {}", "answr: unknown, allowed: version, "),
        ("version: 2\nanswer: {system: x, user: '{question}', examples: []}", r"answer\.user: has no \{answer\}"),
        (OWN.replace("[]", "[{question: x}]"), r"answer\.examples: each needs answer, question and output"),
        (OWN + "  sytem: x", r"answer\.sytem: unknown, allowed: examples, system, user, ways"),
        (OWN.replace("[]", "[{question: x, answer: y, output: true}]"), r"answer\.examples: all of it is text"),
        (OWN + "  ways: [1]", r"answer\.ways: give a list of texts"),
        ("- a", "has no keys"),
        ("a: [", "is not YAML that can be read"),
    ],
)
def test_each_fault_is_told(tmp_path, text, told):
    with pytest.raises(RecipeError, match=rf"augment\.prompts: .*{told}"):
        load_prompts(own(tmp_path, text))


def test_a_file_that_is_not_there_is_told(tmp_path):
    with pytest.raises(RecipeError, match=r"augment\.prompts: there is no file"):
        load_prompts(tmp_path / "none.yaml")


@pytest.mark.parametrize("kind", [*QUESTION_KINDS, "answer", "continue", "verify"])
def test_what_comes_back_is_what_every_attempt_begins_with(kind):
    task = Task(kind, "Where does Ada Moor live?", "In Sligo.", text="By the sea.", subject="Ada Moor", seed=3)
    begun = render_begun(task)
    for attempt in (task, replace(task, text="Far away.", seed=4, feedback="it is too long"), replace(task, seed=0)):
        whole = render(attempt)
        assert whole[:-1] == begun[:-1] and whole[-1]["content"].startswith(begun[-1]["content"])
    assert task.question in begun[-1]["content"] and task.text not in begun[-1]["content"]
    assert render_begun(replace(task, kind="entities")) is None, "asked once"
