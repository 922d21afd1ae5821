"""Paraphrases: new ones, of the right kinds, for the right side."""

from __future__ import annotations

from people import known

from relearn_lite.attacks.paraphrases import paraphrase_prompts
from relearn_lite.augment.form import normal_form
from relearn_lite.recipe import Augment
from relearn_lite.writers.rules import RulesWriter

QUESTIONS = {"forget": list(known()[:4]), "retain": list(known("retain")[:4])}


def write(trained=frozenset(), seed=43, **settings):
    return paraphrase_prompts(QUESTIONS, RulesWriter(), Augment(**settings), seed, trained)


def test_forget_questions_are_asked_in_every_kind_and_retain_questions_as_what_they_are():
    ways = {side: {each.way for each in write() if each.side == side} for side in QUESTIONS}
    assert ways["forget"] == {"paraphrase", "simple", "context", "noise", "logical"}
    assert ways["retain"] == {"paraphrase", "simple", "context", "noise"}


def test_the_recipes_kinds_are_kept_to_and_all_stand_in_for_none():
    assert {each.way for each in write(questions=["noise"])} == {"paraphrase", "noise"}
    assert {each.way for each in write(questions=[])} >= {"simple", "logical"}


def test_no_paraphrase_that_was_trained_on_is_asked():
    first = [each for each in write() if each.way != "paraphrase"]
    trained = frozenset(each.turns[0] for each in first)
    again = [each for each in write(trained) if each.way != "paraphrase"]
    assert again, "other seeds write other variants"
    assert not {normal_form(text) for text in trained} & {normal_form(each.turns[0]) for each in again}


def test_another_seed_asks_otherwise():
    assert [each.turns for each in write(seed=1)] != [each.turns for each in write(seed=2)]
