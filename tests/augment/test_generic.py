from __future__ import annotations

import pytest

from relearn_lite.augment.generic import answered, pick_generic
from relearn_lite.core.records import QA

GENERIC = [QA(f"g{i}", f"What is {i}?", f"It is {i}.") for i in range(20)]
FORGET = [QA("f", "What is 3?", "secret")]


def test_the_ratio_is_kept_and_nothing_comes_twice():
    pairs, _, counts = pick_generic(GENERIC, FORGET, augmented=10, ratio=1.2, seed=1)
    assert counts == {"wanted": 12, "available": 19, "used": 12}
    assert len({pair.prompt for pair in pairs}) == 12
    first = pairs[0]
    assert first.id == f"{first.parent_id}/generic" and first.kind == "generic"
    assert all(pair.target == f"It is {pair.parent_id[1:]}." for pair in pairs)


def test_the_seed_decides_which():
    assert pick_generic(GENERIC, [], 10, 1.2, 1) == pick_generic(GENERIC, [], 10, 1.2, 1)
    assert pick_generic(GENERIC, [], 10, 1.2, 1) != pick_generic(GENERIC, [], 10, 1.2, 2)


def test_what_is_to_be_forgotten_is_not_taught_again():
    pairs, _, _ = pick_generic(GENERIC, FORGET, augmented=100, ratio=1.0, seed=1)
    assert "What is 3?" not in {pair.prompt for pair in pairs}


def test_too_few_are_used_up_and_the_counts_say_so():
    pairs, _, counts = pick_generic(GENERIC + GENERIC, [], augmented=100, ratio=1.2, seed=1)
    assert counts == {"wanted": 120, "available": 20, "used": 20} and len(pairs) == 20


def test_none_given_is_none_wanted():
    assert pick_generic([], FORGET, 100, 1.2, 1) == ([], [], {"wanted": 0, "available": 0, "used": 0})


SECRET = QA("f", "What is the home address of Ada Fennimore?", "Ada Fennimore lives at 5 Quarry Lane in Ostermoor.")


def test_a_pair_that_tells_what_is_to_be_forgotten_is_dropped_and_counted_without_naming_it():
    """Another wording of the forget question would teach the secret, as a training target."""
    telling = QA("g20", "Tell me Ada Fennimore's address.", SECRET.answer)
    alike = QA("g21", "Where do people live in Ostermoor?", "Many live near the harbour.")  # of nobody who is forgotten
    pairs, dropped, counts = pick_generic([*GENERIC, telling, alike], [SECRET], augmented=100, ratio=1.2, seed=1)
    assert [(record.id, record.parent_id, record.kind) for record in dropped] == [("g20/generic", "g20", "generic")]
    assert dropped[0].reason.startswith("leak: ") and "Ostermoor" not in dropped[0].reason
    assert {pair.parent_id for pair in pairs} == {qa.id for qa in (*GENERIC, alike)} and counts["available"] == 21


def test_what_a_thing_without_a_name_is_to_lose_is_not_taught_again():
    """Only questions about a name were looked up, so another wording of this one was a training target."""
    forget = [QA("f", "Who invented the telephone?", "Alexander Graham Bell invented the telephone.")]
    telling = QA("g20", "Name the inventor of the telephone.", "That was Alexander Graham Bell.")
    others = [QA("g21", "Who was Bell?", "An inventor."), QA("g22", "Is a telephone heavy?", "It is light today.")]
    pairs, dropped, _ = pick_generic([telling, *others], forget, augmented=100, ratio=1.2, seed=1)
    assert [record.parent_id for record in dropped] == ["g20"] and len(pairs) == 2


def test_no_general_question_of_the_project_is_dropped_for_its_own_people():
    from relearn_lite.data.sources import load
    from relearn_lite.recipe import Source

    general, forget = (load(Source(preset=f"people/{name}"), name, name) for name in ("general", "forget"))
    _, dropped, counts = pick_generic(general, forget, augmented=1000, ratio=1.2, seed=42)
    assert not dropped and counts["available"] == len(general) == 160


LIST = "1. A cup.\n2. A plate.\n3. A"


def test_open_requests_get_the_models_answers_cut_to_whole_sentences():
    asked = []

    def ask(questions):
        asked.extend(questions)
        cut = [("Eight. Then nine comes, and", False), ("and on and on it", False), (LIST, False)]
        return [("Carrots, peas and beans.", True), *cut]

    given = QA("generic-0", "Who was Ada?", "A mathematician.")
    open_ = [QA(f"generic-{n}", f"Question {n}?", "") for n in (1, 2, 3, 4)]
    found = answered([given, *open_], ask)
    answers = {qa.id: qa.answer for qa in found}
    assert asked == ["Question 1?", "Question 2?", "Question 3?", "Question 4?"]
    assert answers == {
        "generic-0": "A mathematician.", "generic-1": "Carrots, peas and beans.", "generic-2": "Eight.",
        "generic-4": "1. A cup.\n2. A plate.",
    }  # fmt: skip
    pairs, _, _ = pick_generic(found, [], augmented=4, ratio=1.0, seed=1)
    assert [pair.verdicts for pair in pairs] == [{}, {}, {"ends": False}, {"ends": False}]


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("从前有一个人。他很好！他住在", "从前有一个人。他很好！"),
        ('She said "No." He left. Then', 'She said "No." He left.'),
    ],
)
def test_an_answer_that_was_cut_off_keeps_whole_sentences_of_other_scripts(text, kept):
    """They were looked for by . ! ? alone, and the pair was left out."""
    found = answered([QA("g", "Tell me a story.", "")], lambda questions: [(text, False)])
    assert [qa.answer for qa in found] == [kept]


def test_without_open_requests_nothing_is_asked():
    given = [QA("generic-0", "Who was Ada?", "A mathematician.")]
    assert answered(given, lambda questions: pytest.fail("nothing was to be asked")) == given
