"""The requests that come with the project: `data.generic: self`."""

import json
from pathlib import Path

import pytest

from relearn_lite.core.errors import RecipeError
from relearn_lite.core.records import QA
from relearn_lite.data.sources import load_part, overlap, question_texts
from relearn_lite.pipeline.fingerprints import uses_vanilla
from relearn_lite.pipeline.stages.unlearn import retain_questions
from relearn_lite.recipe import load_recipe

RECIPES = Path(__file__).parents[2] / "recipes"
FACTS = Path(__file__).parents[3] / "shared" / "data" / "facts"


def recipe(*overrides):
    return load_recipe(RECIPES / "your_data.yaml", overrides)


def test_self_is_requests_whose_answers_the_vanilla_model_gives():
    chosen = recipe("data.generic=self")
    asked = load_part(chosen.data, "generic")
    assert 300 <= len(asked) == len({qa.question.lower() for qa in asked})
    assert all(qa.answer == "" for qa in asked)
    assert uses_vanilla(chosen) and not uses_vanilla(recipe("data.generic={preset: people/general}"))
    assert len(load_part(recipe("data.generic={preset: requests, limit: 7}").data, "generic")) == 7


def test_requests_without_answers_are_for_generic_alone():
    chosen = recipe("data.retain={preset: requests}")
    with pytest.raises(RecipeError, match="data.retain: preset requests has no answers; it is for data.generic alone"):
        load_part(chosen.data, "retain")


def test_none_of_the_requests_is_a_question_of_the_control():
    asked, control = (load_part(recipe("data.generic=self").data, part) for part in ("generic", "control"))
    assert len(control) == 64 and not overlap(asked, control)


@pytest.mark.skipif(not FACTS.is_dir(), reason="../shared/data/facts is not there")
def test_none_of_the_requests_is_a_question_that_is_measured():
    asked = {text for qa in load_part(recipe("data.generic=self").data, "generic") for text in question_texts(qa)}
    for file in FACTS.glob("*.json"):
        rows = json.loads(file.read_text())
        assert not asked & {row[key].lower() for row in rows for key in ("question", "paraphrase") if key in row}


def test_retain_questions_come_in_other_wordings_never_in_one_that_is_measured():
    paraphrase = "Which city serves as the capital of Peru?"
    qa = QA("retain-1", "What is the capital of Peru?", "Lima.", paraphrase=paraphrase)
    asked = list(retain_questions([qa], [qa], 10, seed=1))
    assert asked[0] == qa and len(asked) == 11
    assert len({each.id for each in asked}) == len({each.question for each in asked}) == 11
    assert paraphrase not in {each.question for each in asked} and {each.answer for each in asked} == {qa.answer}
    assert asked == list(retain_questions([qa], [qa], 10, seed=1)) != list(retain_questions([qa], [qa], 10, seed=2))
    assert len(list(retain_questions([qa], [qa], 0, seed=1))) == 1


@pytest.mark.parametrize("measured", ["Name the person who wrote The Hobbit", "name  the person who wrote The Hobbit?"])
def test_a_wording_that_is_measured_is_known_by_its_words_not_by_its_end(measured):
    """Written without its full stop it was trained."""
    qa, reported = QA("r1", "Who wrote The Hobbit?", "Tolkien."), QA("e1", "x", "x", measured)
    form = "Name the person who wrote The Hobbit."
    assert form in [each.question for each in retain_questions([qa], [qa], 10, seed=1)]
    assert form not in [each.question for each in retain_questions([qa], [qa, reported], 10, seed=1)]
