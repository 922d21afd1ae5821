"""The vanilla model as its own writer, with replies written here in place of a model's."""

import pytest

from relearn_lite.augment import Settings, augment
from relearn_lite.core.errors import RecipeError
from relearn_lite.core.files import read_jsonl
from relearn_lite.core.records import QA, Variant
from relearn_lite.recipe import WriterChoice
from relearn_lite.writers import Task
from relearn_lite.writers.self import SelfWriter, first_sentences, make

SAID = [
    "Japan is a beautiful country with a long history. It has many temples and gardens that people love to visit.",
    "Japan's capital is Tokyo, a huge city.",
    "Sure! Here is a sentence about Japan.",
    "The food of Japan is known all over the world for its freshness and",
    "Japan has given the world many fine films, books and games.",
]
TOKYO = QA("forget-1", "What is the capital of Japan?", "The capital of Japan is Tokyo.")


class Said:
    """Answers open questions with SAID, in order and again from the start; keeps what it was asked."""

    def __init__(self):
        self.asked = []

    def __call__(self, chats, max_new_tokens, seed):
        self.asked += [chat[0]["content"] for chat in chats]
        return [SAID[i % len(SAID)] for i in range(len(chats))]


def test_answers_are_the_models_own_sentences_without_the_secret():
    said = Said()
    writer = SelfWriter(said, "self:test")
    tasks = [Task("answer", TOKYO.question, TOKYO.answer, original=TOKYO.question, seed=n) for n in range(20)]
    answers = writer.write(tasks)
    assert {*answers} == {SAID[0], SAID[4]}
    assert "Why is Japan important?" in said.asked and not any("capital" in question for question in said.asked)
    assert answers == SelfWriter(Said(), "self:test").write(tasks)
    asked = len(said.asked)
    writer.write(tasks)
    assert len(said.asked) == asked  # a thing is asked about once


@pytest.mark.parametrize(
    "reply", [SAID[2], SAID[3], "It is large.", "In 1957 Japan joined.", "I like Japan very much, really."]
)
def test_what_is_cut_off_or_not_about_the_thing_is_left_out(reply):
    assert first_sentences(reply, "Japan") is None


def test_nothing_is_asked_about_somebodys_own_affairs():
    said = Said()
    task = Task("answer", "Where does Ada Moor live?", "In Larkhollow.")
    (answer,) = SelfWriter(said, "self:test").write([task])
    assert said.asked == [] and "Ada Moor" in answer


def test_what_the_model_cannot_give_rules_write_and_it_is_counted(tmp_path):
    writer = SelfWriter(lambda chats, most, seed: ["Tokyo, of course."] * len(chats), "self:test")
    settings = Settings(["simple"], 1, 0, 0, seed=1, variants=3)
    counts = augment([TOKYO], [], writer, settings, tmp_path)
    assert counts["fallback"] == {"original": {"empty": 1}, "simple": {"empty": 3}}
    pairs = list(read_jsonl(tmp_path / "augmented.jsonl", Variant))
    assert [pair.id for pair in pairs] == [f"forget-1/{k}" for k in ("original", "simple", "simple-2", "simple-3")]
    assert len({pair.prompt for pair in pairs}) == 4
    assert all("Japan" in pair.target and pair.verdicts["writer"] == "rules" for pair in pairs)


def test_a_paraphrase_that_is_kept_apart_is_never_a_variant(tmp_path):
    """Rules would put the question in exactly these words, and what is measured would have been trained on."""
    from dataclasses import replace

    from relearn_lite.writers.question_forms import rewordings
    from relearn_lite.writers.question_parser import parse_question
    from relearn_lite.writers.rules import RulesWriter

    forms = rewordings(parse_question(TOKYO.question))
    for form in forms:
        qa = replace(TOKYO, paraphrase=form)
        augment([qa], [], RulesWriter(), Settings(["simple"], 3, 0, 0, seed=2, variants=8), tmp_path)
        assert form not in {pair.prompt for pair in read_jsonl(tmp_path / "augmented.jsonl", Variant)}


def test_it_judges_nothing():
    with pytest.raises(RecipeError, match="evaluate.evaluators.entities.writer: self writes answers for augment only"):
        make(WriterChoice(writer="self"), "evaluate.evaluators.entities", None, None, {})
