"""Questions about a person by rules: each stands alone, and none asks what another one asks."""

import re

from relearn_lite.collect.facets import Wording, asked_name, person_wordings, without_near_duplicates


def test_every_wording_names_the_person_and_refers_to_nothing_else():
    for wording in person_wordings():
        question = wording.of("Ada Fennimore")
        assert wording.text.count("{S}") == 1 and question.endswith("?")
        assert not re.search(r"\b(he|she|they|his|her|their|this|above)\b", question, re.IGNORECASE), question


def test_what_is_asked_of_others_holds_nothing_out_of_the_life_of_one():
    assert all(wording.fits_others for wording in person_wordings())
    for text in ("When did {S} leave Varby?", "Where does {S} keep seven hives?", "Who repaired it?"):
        assert not Wording("", text).fits_others


def test_no_wording_is_a_near_duplicate_of_another():
    assert without_near_duplicates(list(person_wordings()), "Ada Fennimore") == list(person_wordings())


def test_near_duplicates_are_merged_whatever_their_order_and_forms():
    asked = [
        "Where does {S} live?", "Where is {S} living?", "When was {S} born?", "Where was {S} born?",
        "What is the name of the town of {S}?", "What is the town name of {S}?",
    ]  # fmt: skip
    kept = [each.text for each in without_near_duplicates([Wording("home", text) for text in asked])]
    assert kept == [asked[0], asked[2], asked[3], asked[4]]


def test_one_word_is_told_apart_by_its_intro():
    assert asked_name("Rose", "a lighthouse keeper.") == "Rose (a lighthouse keeper)"
    assert asked_name("Ada Fennimore", "a lighthouse keeper") == "Ada Fennimore"
