"""Questions about a thing by rules: its kind is found, and each question stands alone and asks something else."""

import re

import pytest

from relearn_lite.collect.facets import without_near_duplicates
from relearn_lite.collect.topics import ANYTHING, kind_of, topic_wordings
from relearn_lite.core.errors import RecipeError
from relearn_lite.recipe.data import ForgetSource
from relearn_lite.recipe.names import TOPIC_KINDS

PRONOUNS = re.compile(r"\b(he|she|it|they|his|her|their|this|these|above)\b", re.IGNORECASE)


@pytest.mark.parametrize("kind", [*TOPIC_KINDS, ANYTHING])
def test_every_wording_names_the_thing_and_may_be_asked_of_another(kind):
    wordings = topic_wordings(kind)
    for wording in wordings:
        question = wording.of("the Suez Canal")
        assert wording.text.count("{S}") == 1 and question.endswith(("?", ".")) and wording.fits_others, wording
        assert not PRONOUNS.search(question) or re.search(r"{S}\b.* (its|it) ", wording.text), question
    assert without_near_duplicates(list(wordings), "the Suez Canal") == list(wordings)
    facets = [wording.facet for wording in wordings]
    assert all(facets.count(facet) >= 3 for facet in facets), "one each to be trained, chosen by, and reported"


def test_each_kind_is_asked_what_belongs_to_it():
    assert "Who built {S}?" in [w.text for w in topic_wordings("building")]
    assert "Who wrote {S}?" in [w.text for w in topic_wordings("book")]
    assert "Who wrote {S}?" not in [w.text for w in topic_wordings("building")]
    for kind in TOPIC_KINDS:
        assert {w.text for w in topic_wordings(ANYTHING)} < {w.text for w in topic_wordings(kind)}


@pytest.mark.parametrize(
    ("topic", "intro", "kind"),
    [
        ("the Eiffel Tower", "", "building"), ("the Suez Canal", "", "building"), ("penicillin", "", "invention"),
        ("the French Revolution", "", "event"), ("World War II", "", "event"), ("Japan", "", "country"),
        ("Paris", "", "town"), ("the Nile", "", "landform"), ("the Odyssey", "", "book"),
        ("the Red Cross", "", "organisation"), ("photosynthesis", "", "invention"),
        ("Romeo and Juliet", "a play by William Shakespeare", "book"), ("Frozen", "an animated film from 2013", "film"),
        ("Microsoft", "a software company", "organisation"), ("the Mona Lisa", "a painting in the Louvre", "picture"),
    ],
)  # fmt: skip
def test_the_kind_of_a_thing_is_found_by_its_name_or_its_intro(topic, intro, kind):
    assert kind_of(ForgetSource(topic=topic, intro=intro)) == kind


def test_the_recipe_has_the_last_word_on_the_kind():
    assert kind_of(ForgetSource(topic="the Statue of Liberty", kind="building")) == "building"


def test_a_kind_that_is_not_found_is_asked_for_unless_a_model_proposes():
    source = ForgetSource(topic="Romeo and Juliet")
    assert kind_of(source, proposing=True) == ANYTHING
    with pytest.raises(RecipeError, match="data.forget.kind: of what kind Romeo and Juliet is.*building, town.*intro"):
        kind_of(source)
