"""Which texts are English: only of those is it known which words carry no fact."""

import json
from pathlib import Path

import pytest

from relearn_lite.text.stop_words import is_english

PEOPLE = Path(__file__).resolve().parents[2] / "relearn_lite" / "assets" / "people" / "forget.jsonl"


def test_questions_with_their_answers_are_english():
    rows = [json.loads(line) for line in PEOPLE.read_text(encoding="utf-8").splitlines()]
    assert all(is_english(f"{row['question']} {row['answer']}") for row in rows)


@pytest.mark.parametrize("text", ["What's Ada's job? Nurse.", "Who’s Ann? Bob’s boss.", "Where're Ann's keys? Home."])
def test_a_question_whose_only_words_of_grammar_are_contracted_is_english(text):
    """Such rows were refused as of another language."""
    assert is_english(text)


@pytest.mark.parametrize(
    "text",
    [
        "Wo wohnt Anna Müller? Anna Müller wohnt in Berlin am Wannsee.",
        "Was war der Beruf ihres Vaters? Er war in so einem Dorf Lehrer, was er auch so mochte.",
        "¿Dónde nació Ana? Ana no nació en Madrid, a pesar de lo que me han dicho.",
        "Où est née Anna? Elle est née à Lyon, on me l'a dit.",
        "Waar woont Anna? Anna woont in een huis in Amsterdam, dat was van haar vader.",
        "Hoe heet Anna's hond? 's Avonds Bello.", "Wie geht's Anna? Anna geht's gut.",
        "Qu'est-ce qu'elle fait? C'est d'or.", "Com'è l'Italia? Dov'è l'acqua?",
        "Vad gör Anna? Hon är lärare i Malmö, men var förut i Lund.",
        "Где родилась Анна?",
        "安娜出生在哪里?",
        "",
    ],
)
def test_other_languages_are_not(text):
    assert not is_english(text)
