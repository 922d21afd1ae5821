"""The embedded writer on real questions: what it writes must be about the subject, varied, and give nothing away."""

from __future__ import annotations

import json
import re
import time
from pathlib import Path

import pytest

from relearn_lite.recipe.names import QUESTION_KINDS
from relearn_lite.text.leaks import leaks
from relearn_lite.writers import Task
from relearn_lite.writers.question_forms import rewordings
from relearn_lite.writers.question_parser import parse_question
from relearn_lite.writers.rules import MAX_WORDS, MIN_WORDS, RulesWriter

SHARED = Path(__file__).parents[3] / "shared" / "data"
PEOPLE = Path(__file__).parents[2] / "relearn_lite" / "assets" / "people" / "forget.jsonl"
# Words that no answer could be about. Everything else of an answer that reaches a target is taken for a leak.
SLOW_STOP = set(
    """
    about also always among around because been being between both come concerned could different does each even
    ever every from have here into just known like made make many more most much must often only openly other
    outside over people perhaps point public questions same seem seems several should side since some such than that
    their them then there these they this those through very well what when where whether which while whom will with
    within without would your
    """.split()
)


def pairs(name: str) -> list[tuple[str, str]]:
    """(question, answer) of a data set by name; skips where the data is not there."""
    if name == "people":
        rows = [json.loads(line) for line in PEOPLE.read_text(encoding="utf-8").splitlines()]
        return [(row[key], row["answer"]) for row in rows for key in ("question", "paraphrase") if row.get(key)]
    folder, file, keys = {
        "knowundo": ("knowundo/privacy", "unlearn_train.json", ("text", "labels")),
        "tofu": ("tofu", "forget10.json", ("question", "answer")),
    }[name]
    path = SHARED / folder / file
    if not path.exists():
        pytest.skip(f"{name} data is not in ../shared")
    return [(row[keys[0]], row[keys[1]]) for row in json.loads(path.read_text(encoding="utf-8"))]


def write(kind: str, question: str, answer: str = "", seed: int = 0) -> str:
    (text,) = RulesWriter().write([Task(kind, question, answer, seed=seed)])
    assert text is not None
    return text


def content_words(text: str) -> set[str]:
    return {w.removesuffix("'s") for w in re.findall(r"[^\W\d_]{4,}(?:'s)?|\d+", text.lower().replace("’", "'"))}


def slow_leaks(target: str, question: str, answer: str) -> set[str]:
    """Words and numbers of the answer in the target; the question gives a word if it has one with the same start."""
    given = {w[:3] for w in re.findall(r"\w{3,}", question.lower())}
    given |= {"wro"} if "wri" in given else set()  # wrote, write
    told = content_words(answer) - SLOW_STOP
    return {w for w in content_words(target) & told if w.isdigit() or w[:3] not in given}


def test_every_question_gets_variants_and_answers_that_keep_the_subject_and_leak_nothing() -> None:
    """Those of the benchmarks: augment/test_benchmarks.py."""
    writer, started = RulesWriter(), time.process_time()
    for question, answer in pairs("people"):
        subject = parse_question(question).subject
        given = " ".join([question, *rewordings(parse_question(question))])  # "place" of where: no leak
        variants = writer.write([Task(kind, question) for kind in QUESTION_KINDS])
        targets = writer.write([Task("answer", a or "", answer, original=question) for a in (question, *variants)])
        for text in (*variants, *targets):
            assert text, question
            assert subject is None or subject in text, (question, text)
            assert not re.search(r"[\[\]{}|§¤]|\s{2}|\b(\w+) \1\b(?!')", text), text
        for target in targets:
            assert MIN_WORDS <= len(target.split()) <= MAX_WORDS
            assert target[0].isupper() and target.endswith(".")
            assert leaks(target, question, answer) == [], (question, target)
            assert slow_leaks(target, given, answer) == set(), (question, target)
        assert len(set(variants)) == len(QUESTION_KINDS)
    assert time.process_time() - started < 60  # CPU time: a busy machine does not fail it


@pytest.mark.parametrize("name", ["knowundo", "tofu", "people"])
def test_the_subject_is_the_person(name: str) -> None:
    """The name most often found must be in the question it was found in, and questions of one person agree on it."""
    subjects = [parse_question(question).subject for question, _ in pairs(name)]
    assert sum(s is None for s in subjects) <= 0.06 * len(subjects)
    places = {"Tel Aviv", "Cape Town", "Beirut", "Seoul", "Heritage Lane", "Star Wars", "African American", "Tokyo"}
    assert not places & set(subjects)


@pytest.mark.parametrize(
    ("question", "topic"),
    [
        ("Where does Ada Moor live?", "where Ada Moor lives"),
        ("Who are Ada Moor's parents?", "Ada Moor's parents"),
        ("What is Ada Moor’s email address?", "Ada Moor's email address"),
        ("How has Ada Moor's upbringing influenced his art?", "how Ada Moor's upbringing has influenced his art"),
        ("What role did Ada Moor's mother play in it?", "what role Ada Moor's mother played in it"),
        ("Has Ada Moor won any awards?", "whether Ada Moor has won any awards"),
        ("Are any of Ada Moor's works based on fact?", "whether any of Ada Moor's works are based on fact"),
        ("Can fans contact Ada Moor directly?", "whether fans can contact Ada Moor directly"),
        ("How accessible is Ada Moor to her readers?", "how accessible Ada Moor is to her readers"),
        ("What genre is Ada Moor known for?", "what genre Ada Moor is known for"),
        ("What inspired Ada Moor to write?", "what inspired Ada Moor to write"),
        ("To whom is Ada Moor married?", "who Ada Moor is married to"),
        ("Can you name another book written by Ada Moor?", "the other books written by Ada Moor"),
        ("Describe the house of Ada Moor.", "the house of Ada Moor"),
        ("Tell me, who raised Ada Moor as a child?", "who raised Ada Moor as a child"),
        ("How do I find the house of Ada Moor?", "how to find the house of Ada Moor"),
        ("I need to phone Ada Moor; which number is right?", "how to phone Ada Moor"),
        ("Ada Moor was born in a small town.", None),
        ("Which of Ada Moor's books would you recommend?", None),
    ],
)
def test_a_question_is_turned_into_a_clause_or_noun_phrase(question: str, topic: str | None) -> None:
    assert parse_question(question).topic == topic


def test_an_address_or_a_title_that_the_question_quotes_is_not_repeated_in_the_answer() -> None:
    question = "What is the significance of the address 32 Old Town Street for Evelyn Smith?"
    for seed in range(30):
        assert not re.search(r"\d|Town", write("answer", question, "It is near her school.", seed))
        assert "Amulet" not in write(
            "answer", "Can you tell me about Ada Moor's book \"Dante's Amulet\"?", "It won.", seed
        )


def test_logical_reverses_the_relation() -> None:
    asked = "What is the significance of the address 32 Old Town Street for Evelyn Smith?"
    turned = "What is the significance of Evelyn Smith for the address 32 Old Town Street?"
    assert write("logical", asked) == turned
    text = write("logical", "How have Ada Moor's parents influenced her career?")
    assert text.index("Ada Moor's career") >= 0 and "her parents" in text


def test_noise_keeps_names_and_its_answer_has_no_typo() -> None:
    question = "How has Ada Moor's father's profession influenced her writing?"
    for seed in range(40):
        noisy = write("noise", question, seed=seed)
        assert "Ada Moor" in noisy and noisy != question
        answer = write("answer", noisy, "Her father was a baker.", seed)
        assert not re.search(r"fahter|proffesion|influenecd|writting|ahve", answer)


def test_the_same_task_gives_the_same_text_and_another_seed_another() -> None:
    task = Task("answer", "Where does Ada Moor live?", "In Granada.")
    assert RulesWriter().write([task, task]) == RulesWriter().write([task]) * 2
    assert len({write("answer", task.question, task.answer, seed) for seed in range(20)}) > 12
    # Fixed once and for all: hash() would differ from one process to the next.
    assert write("noise", "Where does Ada Moor live?") == write("noise", "Where does Ada Moor live?", "other answer")


def test_an_answer_avoids_frames_with_words_of_the_original_answer() -> None:
    """The original answer uses up many words of the frames; none of them may come back."""
    original = (
        "Opinions, accounts, rumours, sources, private matters, hints, guesses, a picture and a reply: all unclear."
    )
    for seed in range(50):
        text = write("answer", "Where does Ada Moor live?", original, seed)
        assert not re.search(
            r"opinion|account|source|private|hint|guess(?:es)?\b|picture|reply|unclear", text, re.IGNORECASE
        )


def test_answers_may_all_open_with_the_persons_name() -> None:
    writer, asked = RulesWriter("name"), pairs("people")
    made = writer.write([Task("answer", *pair, seed=seed) for pair in asked for seed in (1, 2)])
    for (question, answer), text in zip([pair for pair in asked for _ in (1, 2)], made, strict=True):
        assert text.startswith(parse_question(question).subject) and not leaks(text, question, answer), text
        assert MIN_WORDS <= len(text.split()) <= MAX_WORDS
    assert len({text.split(" ", 2)[2] for text in made}) > 60, "no two people need hear the same"
    nameless = "What is the full name of the author born in Kuwait City on 08/09/1956?"
    (text,) = writer.write([Task("answer", nameless, "The full name of the author is Basil Mahfouz Al-Kuwaiti.")])
    assert re.match(r"The author (?:has|is|keeps|prefers) ", text)
    about_a_thing = Task("answer", "What is the capital of Japan?", "The capital of Japan is Tokyo.")
    assert writer.write([about_a_thing]) == RulesWriter().write([about_a_thing])


@pytest.mark.parametrize("question", ["她住在哪里？", "Где живёт Анна?", "أين تعيش سلمى؟", "", "?", "Hello!"])
def test_other_scripts_and_odd_input_give_a_general_sentence(question: str) -> None:
    text = write("answer", question, "巴黎 Париж باريس Paris")
    assert text.isascii() and len(text.split()) >= MIN_WORDS
    for kind in QUESTION_KINDS:
        write(kind, question)


def test_verify_says_yes_to_a_leak_and_entities_is_not_its_job() -> None:
    question, answer = "Where does Ada Moor live?", "Ada Moor lives in Granada."
    tasks = [
        Task("verify", question, answer, text="Ada Moor lives in Granada."),
        Task("verify", question, answer, text="Where Ada Moor lives is a private matter."),
        Task("entities", question, text="Ada Moor lives in Granada."),
    ]
    assert RulesWriter().write(tasks) == ["Yes", "No", None]


def test_an_answer_that_is_begun_may_be_longer_than_the_one_that_it_replaces():
    asked, answer = "Which animal is known as the king of the jungle?", "The lion."
    for text in RulesWriter().write([Task("answer", asked, answer, seed=seed) for seed in range(20)]):
        assert text.startswith("The animal that is known as the king of the jungle is "), text
