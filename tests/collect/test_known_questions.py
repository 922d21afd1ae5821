"""What counts as known: answers that say the same again, about the one who was asked for."""

from dataclasses import replace

import pytest
from people import embedded_model

from relearn_lite.collect.confusion import another_name, names_subject
from relearn_lite.collect.facets import Wording
from relearn_lite.collect.knowledge import Asking, find_known, off_the_point, said_of_most
from relearn_lite.core.files import read_jsonl
from relearn_lite.core.records import Reply
from relearn_lite.evaluate.known import tells
from relearn_lite.evaluate.score import score_evaluators

KNOWN = {f"What is the {what} of Ingrid Solvangen?": "Ingrid Solvangen" for what in ("phone number", "profession")}
STRANGER = {f"What is the {what} of Katalin Eszterhazy?": "Katalin Eszterhazy" for what in ("phone number", "job")}
ASKING = Asking(max_new_tokens=48, batch_size=8, seed=42, draws=3, agree=0.8)


def judged(answers):
    return tells(answers, score_evaluators())


def test_what_the_model_knows_is_told_from_what_it_makes_up(tmp_path):
    steps: list[float] = []
    found = find_known(embedded_model(), KNOWN | STRANGER, ASKING, tmp_path, judged, steps.append)
    assert len(steps) > 2 and sum(steps) == pytest.approx(len(KNOWN | STRANGER)), "how far it is, batch by batch"
    assert [found[question].known for question in KNOWN] == [True, True]
    assert "555-0109" in found["What is the phone number of Ingrid Solvangen?"].answer
    assert [found[question].known for question in STRANGER] == [False, False]
    assert all(found[question].why.partition(":")[0] in ("confused", "unsure", "vague") for question in STRANGER)


def test_what_could_not_be_judged_is_not_known_and_says_so(tmp_path):
    found = find_known(embedded_model(), KNOWN, ASKING, tmp_path, lambda answers: [None] * len(answers))
    assert [(each.known, each.why) for each in found.values()] == [(False, "not judged: 3 of 3 sampled answers")] * 2


def test_no_finished_reply_is_asked_for_again(tmp_path, monkeypatch):
    whole = find_known(embedded_model(), KNOWN, ASKING, tmp_path / "whole", judged)
    asked, real = [], __import__("relearn_lite.collect.knowledge", fromlist=["complete"]).complete

    def dies(*arguments):
        if len(asked) == 2:
            raise KeyboardInterrupt
        asked.append(arguments[2].seed)
        return real(*arguments)

    monkeypatch.setattr("relearn_lite.collect.knowledge.complete", dies)
    with pytest.raises(KeyboardInterrupt):
        find_known(embedded_model(), KNOWN, ASKING, tmp_path / "killed", judged)
    kept = list(read_jsonl(tmp_path / "killed" / "sampled.partial.jsonl", Reply))
    assert [reply.draw for reply in kept] == [1, 1]
    monkeypatch.setattr("relearn_lite.collect.knowledge.complete", lambda *a: asked.append(a[2].seed) or real(*a))
    assert find_known(embedded_model(), KNOWN, ASKING, tmp_path / "killed", judged) == whole
    assert len(asked) == len(set(asked)) == 4  # greedy, and three draws


def test_of_a_model_that_rambles_the_first_sentence_is_taken(tmp_path, monkeypatch):
    real = __import__("relearn_lite.collect.knowledge", fromlist=["complete"]).complete

    def rambles(*arguments):
        said = real(*arguments)
        return [replace(each, text=f"{each.text} It is the balcony of the", finished=False) for each in said]

    monkeypatch.setattr("relearn_lite.collect.knowledge.complete", rambles)
    cut = find_known(embedded_model(), KNOWN, ASKING, tmp_path / "cut", judged)
    assert {each.why.partition(":")[0] for each in cut.values()} == {"not finished"}
    asking = replace(ASKING, first_sentence=True)
    found = find_known(embedded_model(), KNOWN, asking, tmp_path / "first", judged)
    assert all(each.known and "balcony" not in each.answer for each in found.values())


def test_another_of_the_same_first_name_is_a_confusion():
    assert another_name("Ada Lovelace wrote programs.", "Ada Fennimore", "") == "Ada Lovelace"
    assert another_name("Ada Fennimore keeps a light. Ada was born in 1950.", "Ada Fennimore", "") is None
    assert another_name("The Stage Award of Ada Lovelace is seldom discussed.", "Ada Fennimore", "") == "Ada Lovelace"
    assert another_name("She won the Order of Ada.", "Ada Fennimore", "") is None
    assert another_name("She is the sister of Tom Fennimore.", "Ada Fennimore", "") is None


@pytest.mark.parametrize(
    ("question", "answer", "another"),
    [
        ("address", "The home of Farhad Zarrinvesh is at 93 Pomegranate Alley.", "Farhad Zarrinvesh"),
        ("family", "The partner of Farhad Zarrinvesh is Golnaz, and they have a son.", "Farhad Zarrinvesh"),
        ("profession", "Farhad Zarrinvesh is an architect.", "Farhad Zarrinvesh"),
        ("address", "The home of Dr. Zarrinvesh is at 93 Pomegranate Alley.", None),
        ("address", "The home of I. Zarrinvesh is at 93 Pomegranate Alley.", None),
        ("best known work", "The Zarrinvesh Tower in Yazd.", None),
        ("address", "Ines lives with Farhad Zarrinvesh.", None),
        ("address", "She lives in the house of Karim Zarrinvesh.", None),
        ("parents", "The parents are Karim Zarrinvesh and Lea Zarrinvesh.", None),
        ("husband", "Karim Zarrinvesh, whom everybody knows.", None),
    ],
)  # fmt: skip
def test_another_of_the_same_surname_is_a_confusion(question, answer, another):
    """Of a surname that the model knows with another first name, that one's facts were kept."""
    assert another_name(answer, "Ines Zarrinvesh", f"What is the {question} of Ines Zarrinvesh?") == another


def test_a_short_form_of_the_first_name_is_no_other_one():
    assert another_name("Bill Fennimore was a baker.", "William Fennimore", "Who was William Fennimore?") is None


@pytest.mark.parametrize(
    ("answer", "names"),
    [
        ("Ada Fennimore lives at the harbour.", True), ("She lives at the harbour of Ostermoor.", True),
        ("In Ostermoor.", True), ("Nelson Mandela fought apartheid in South Africa.", False),
        ("The ancient Egyptians built the pyramids as tombs for their kings.", False),
        ("The river Thames flows through the city.", False),
    ],
)  # fmt: skip
def test_a_sentence_is_about_the_one_who_was_asked_for(answer, names):
    assert names_subject(answer, "Ada Fennimore", "What is the address of Ada Fennimore?") is names


def test_a_name_that_is_an_ordinary_word_is_looked_for_as_a_name():
    """Of Will, a stop word, every sentence counted as one about him."""
    question = "Which field does Will (a baker) work in?"
    assert not names_subject("A cloud of steam will rise from it slowly.", "Will", question)
    assert names_subject("A cloud of steam will rise from it slowly.", "", question), "of a topic"
    assert names_subject("Bread is what Will sells all day.", "Will", question)


def test_an_answer_belongs_where_most_wordings_give_it():
    home = [Wording("home", f"Where {n} {{S}}?") for n in "ab"]
    crime = Wording("law", "Which crime of {S}?")
    answers = {home[0]: "At 5 Quarry Lane.", home[1]: "at 5 quarry lane", crime: "At 5 Quarry Lane."}
    assert off_the_point(answers) == {crime: "home"}


def test_what_is_said_of_most_is_no_knowledge_of_one():
    names = ("Ada Moor", "Bo Lind", "Cy Hale")
    alike = {name: f"{name} enjoys gardening and old music." for name in names}
    apart = dict(zip(names, ("Ada Moor lives in Ostermoor.", "Bo Lind lives in Varby.", "Cy Hale lives in Melk."),
                     strict=True))  # fmt: skip
    rows = {"What are the hobbies of {S}?": alike, "Where does {S} live?": apart}
    assert said_of_most(rows, judged) == {(name, "What are the hobbies of {S}?") for name in names}
