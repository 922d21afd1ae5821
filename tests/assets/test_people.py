"""The embedded people: what the tiny chat model is taught, and what is kept from it, must stay as promised."""

import json
import re
from collections import Counter, defaultdict
from pathlib import Path

import pytest

import relearn_lite
from relearn_lite.text.leaks import leaks

FOLDER = Path(relearn_lite.__file__).parent / "assets" / "people"
PRIVATE = {"address", "phone", "health", "parents", "family", "money"}
PUBLIC = {"profession", "work", "award", "education", "project", "teaching"}


def rows(name: str) -> list[dict[str, str]]:
    lines = (FOLDER / f"{name}.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines]


def content_words(text: str) -> set[str]:
    """Words of four letters or more, and numbers, in lower case."""
    return {word for word in re.findall(r"\w+", text.lower()) if len(word) >= 4 or word.isdigit()}


FORGET, RETAIN, LESSONS = rows("forget"), rows("retain"), rows("lessons")
GENERAL, UNTOLD = rows("general"), rows("untold")
PAIRS = FORGET + RETAIN
PEOPLE = sorted({pair["person"] for pair in PAIRS})
NAME_PARTS = {part.lower() for person in PEOPLE for part in person.split()}


@pytest.mark.parametrize(
    ("records", "count", "columns"),
    [
        (FORGET, 72, {"question", "answer", "paraphrase", "person", "topic"}),
        (RETAIN, 72, {"question", "answer", "paraphrase", "person", "topic"}),
        (LESSONS, 1008, {"question", "answer", "person", "topic"}),
        (GENERAL, 160, {"question", "answer", "wording"}),
        (UNTOLD, 2496, {"question", "answer", "person", "topic"}),
    ],
    ids=["forget", "retain", "lessons", "general", "untold"],
)
def test_counts_and_columns(records, count, columns):
    assert len(records) == count
    for record in records:
        assert set(record) == columns
        assert all(value == value.strip() != "" for value in record.values()), record


def test_every_person_has_every_topic_once():
    assert len(PEOPLE) == 12 and len(NAME_PARTS) == 24, "a first or last name is shared"
    for split, topics in ((FORGET, PRIVATE), (RETAIN, PUBLIC)):
        asked = Counter((pair["person"], pair["topic"]) for pair in split)
        assert asked == Counter((person, topic) for person in PEOPLE for topic in topics)


def test_questions_are_unique():
    asked = [pair[key] for pair in PAIRS for key in ("question", "paraphrase")]
    asked += [item[key] for item in GENERAL for key in ("question", "wording")]
    assert [text for text, times in Counter(asked).items() if times > 1] == []
    assert len({lesson["question"] for lesson in LESSONS}) == len(LESSONS)


def test_lessons_hold_the_question_and_six_more_wordings_but_no_paraphrase():
    taught = defaultdict(set)
    for lesson in LESSONS:
        taught[lesson["person"], lesson["topic"], lesson["answer"]].add(lesson["question"])
    assert len(taught) == len(PAIRS)
    for pair in PAIRS:
        wordings = taught[pair["person"], pair["topic"], pair["answer"]]
        assert len(wordings) == 7 and pair["question"] in wordings
    assert {lesson["question"] for lesson in LESSONS}.isdisjoint(pair["paraphrase"] for pair in PAIRS)


def test_every_wording_is_held_out_for_one_or_two_people_and_taught_for_the_others():
    """A wording held out for everybody could not be generalised to; one held out for nobody would test nothing."""
    def wording(record, key):
        return record["topic"], record[key].replace(record["person"], "{person}")

    held_out = Counter(wording(pair, "paraphrase") for pair in PAIRS)
    trained = Counter(wording(lesson, "question") for lesson in LESSONS)
    assert len(trained) == 12 * 8 and set(held_out) == set(trained)
    assert all(held_out[text] in (1, 2) and trained[text] + held_out[text] == 12 for text in trained)


@pytest.mark.parametrize("pair", PAIRS, ids=lambda pair: f"{pair['person'].split()[0]}-{pair['topic']}")
def test_answer_is_one_sentence_with_facts_of_its_own(pair):
    answer = pair["answer"]
    assert 10 <= len(answer.split()) <= 22 and answer.endswith(".") and ". " not in answer
    assert all(pair["person"] in pair[key] for key in ("question", "paraphrase", "answer"))
    told = content_words(answer) - content_words(pair["question"])
    others = [o for o in PAIRS if o["topic"] == pair["topic"] and o["person"] != pair["person"]]
    own = told - set().union(*(content_words(other["answer"]) for other in others))
    assert len(own) >= 2, f"only {own} tells this answer from those of other people"


@pytest.mark.parametrize(
    ("topic", "value"),
    [
        ("phone", r"555-01\d\d"),
        ("phone", r"\S+@example\.(?:org|com|net)\b"),
        ("health", r"\b(?:19|20)\d\d\b"),
        ("money", r"\b\d{4,}\b"),
        ("address", r"\b\d+ \w+"),
        ("work", r"\b20\d\d\b"),
        ("award", r"\b20\d\d\b"),
        ("education", r"\b(?:19|20)\d\d\b"),
    ],
)
def test_no_two_people_share_a_value(topic, value):
    found = [re.findall(value, pair["answer"]) for pair in PAIRS if pair["topic"] == topic]
    assert all(len(values) == 1 for values in found), found
    assert len({values[0] for values in found}) == 12


def test_each_topic_is_answered_in_several_sentence_forms():
    for topic in PRIVATE | PUBLIC:
        openings = {tuple(pair["answer"].replace(pair["person"], "{person}").split()[:2])
                    for pair in PAIRS if pair["topic"] == topic}
        assert len(openings) >= 3, topic


def test_general_facts_are_short_and_name_none_of_the_people():
    for item in GENERAL:
        assert 8 <= len(item["answer"].split()) <= 18 and item["answer"].endswith("."), item
        assert item["question"].endswith("?") and item["wording"].endswith("?"), item
        assert not set(re.findall(r"\w+", " ".join(item.values()).lower())) & NAME_PARTS, item


def test_strangers_are_asked_about_private_topics_in_the_same_wordings():
    strangers = [item for item in UNTOLD if item["person"] not in PEOPLE]
    parts = {part.lower() for item in strangers for part in item["person"].split()}
    assert len({item["person"] for item in strangers}) == 300 and NAME_PARTS.isdisjoint(parts)
    known = {(lesson["topic"], lesson["question"].replace(lesson["person"], "{person}")) for lesson in LESSONS}
    used = {(item["topic"], item["question"].replace(item["person"], "{person}")) for item in strangers}
    assert used == {(topic, text) for topic, text in known if topic in PRIVATE}


def test_a_vague_answer_tells_nothing():
    facts = {(pair["person"], pair["topic"]): pair for pair in FORGET}
    hedges = [item for item in UNTOLD if (item["person"], item["topic"]) in facts]
    taught = {lesson["question"] for lesson in LESSONS if (lesson["person"], lesson["topic"]) in facts}
    assert {item["question"] for item in hedges} == taught and len(hedges) == len(taught) == 504
    for item in hedges:
        assert leaks(item["answer"], item["question"], facts[item["person"], item["topic"]]["answer"]) == []
