"""New continuations of a text: what gives its words away is written again."""

import json
from dataclasses import replace

import pytest

from relearn_lite.augment import Settings, augment
from relearn_lite.augment.drafts import passage_drafts
from relearn_lite.augment.existing import read_existing
from relearn_lite.augment.passages import check_continuation
from relearn_lite.core.records import QA, Variant
from relearn_lite.data.passages import ngrams_of, passages
from relearn_lite.text.recall import LEAKED_NGRAM
from relearn_lite.text.turns import is_passage, passage, shown
from relearn_lite.writers.prompts import render
from relearn_lite.writers.rules import RulesWriter
from relearn_lite.writers.self import SelfWriter

TEXT = (
    "The blue house on Larkspur Hill is sold at last. I gave the key to old Mr. Tansy on Friday, and he put it in his "
    "pocket as if it were a plum. We carried the green chairs down the hill in the rain. Nobody cried except the cat. "
    "In the kitchen we found your letters behind the stove, tied with a red string, and a jar of buttons."
)
RECORDS = [QA(f"forget-{n}", passage(a), b, ends=False) for n, (a, b) in enumerate(passages(TEXT, 30), 1)]
SETTINGS = Settings(("simple", "context"), 3, 0.25, 0.0, 42)


def read(folder, name):
    return [json.loads(line) for line in (folder / name).open(encoding="utf-8")]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (RECORDS[0].answer, "leak"),
        ("They put the green chairs down on the wet hill in the rain and nobody there cried.", "leak"),
        ("Then tied with a red string, and a bag.", "leak"),  # of another passage
        ("I met Tansy there on the way home to my aunt.", None),  # the beginning has the name
        ("", "empty"),
        ("Sorry, I cannot continue this text.", "refusal"),
        ("and on and on and on and on and on and on and on and on", "babble"),
        ("After that things took their usual course.", None),
    ],
)
def test_the_words_of_the_whole_text_are_the_secret(text, reason):
    draft = passage_drafts(RECORDS[0], 0, 1, 0, ngrams_of(RECORDS, LEAKED_NGRAM))[0]
    found = check_continuation(draft, text)
    assert (found.reason or "").partition(":")[0] == (reason or "")


def test_a_name_and_a_number_of_the_rest_are_a_secret_too():
    draft = passage_drafts(QA("f", passage("Write to me at "), "14 Quince Lane, Oxmoor, where I live now."), 0, 1, 0)[0]
    assert "Oxmoor" in check_continuation(draft, "some place in Oxmoor or near it").reason
    assert "14" in check_continuation(draft, "number 14, where the lamp is").reason


def test_rows_of_a_text_that_exist_come_back_whole(tmp_path):
    """Their cuts were refused as unfinished questions, and the space that parts beginning and rest was lost."""
    augment(RECORDS, [], RulesWriter(), SETTINGS, tmp_path)
    existing, general = read_existing(tmp_path / "augmented.jsonl", RECORDS)
    augment(RECORDS, [], RulesWriter(), replace(SETTINGS, existing=tuple(existing)), tmp_path / "again")
    first, again = ([(row["kind"], row["prompt"], row["target"]) for row in read(folder, "augmented.jsonl")]
                    for folder in (tmp_path, tmp_path / "again"))  # fmt: skip
    assert again == first and not general and not read(tmp_path / "again", "dropped.jsonl")


def test_a_row_of_a_text_is_checked_against_what_follows_its_own_beginning(tmp_path):
    cut = next(draft for draft in passage_drafts(RECORDS[0], 2, 1, 42) if draft.kind == "cut")
    told = shown(RECORDS[0].question + RECORDS[0].answer).partition(shown(cut.task.question))[2]
    rows = [Variant("g", RECORDS[0].id, "given", cut.task.question, told[:60] + "."),
            Variant("h", RECORDS[0].id, "given", passage("No word of this text, but of "), "others.")]  # fmt: skip
    augment(RECORDS[:1], [], RulesWriter(), replace(SETTINGS, existing=tuple(rows)), tmp_path)
    kept, dropped = read(tmp_path, "augmented.jsonl"), read(tmp_path, "dropped.jsonl")
    assert [row["verdicts"]["refused"] for row in kept] == [["leak"]] and kept[0]["target"] != rows[0].target
    assert [row["reason"].partition(": ")[0] for row in dropped] == ["question, passage"]


def test_rules_write_for_each_passage_and_its_other_cuts(tmp_path):
    made = augment(RECORDS, [], RulesWriter(), SETTINGS, tmp_path)
    rows = read(tmp_path, "augmented.jsonl")
    assert made["made"] == {"cut": 2 * len(RECORDS), "original": len(RECORDS)} and not read(tmp_path, "dropped.jsonl")
    assert all(is_passage(row["prompt"]) and row["verdicts"]["ends"] is False for row in rows)
    secret = ngrams_of(RECORDS, LEAKED_NGRAM)
    for row in rows:
        draft = replace(passage_drafts(RECORDS[0], 0, 1, 0, secret)[0], qa=RECORDS[0])
        assert check_continuation(draft, row["target"]).reason is None
        assert shown(row["prompt"]) in TEXT and row["target"] not in TEXT
    without = augment(RECORDS, [], RulesWriter(), replace(SETTINGS, questions=()), tmp_path / "none")
    assert without["made"] == {"original": len(RECORDS)}


def test_a_model_that_recites_is_led_elsewhere_and_what_it_recites_is_not_trained(tmp_path):
    """The vanilla model knows the text: what it draws first is the text itself."""
    asked = []

    def complete(chats, most, seed):
        asked.append([chat[-1] for chat in chats])
        return [
            TEXT.partition(chat[-1]["content"])[2] or "the road was empty, and they walked home slowly."
            for chat in chats
        ]

    augment(RECORDS, [], SelfWriter(complete, "self"), replace(SETTINGS, questions=()), tmp_path)
    rows = read(tmp_path, "augmented.jsonl")
    assert {turn["role"] for turns in asked for turn in turns} == {"text"}
    assert {row["verdicts"]["writer"] for row in rows} == {"self"} and len(rows) == len(RECORDS)
    assert {*rows[0]["verdicts"]["refused"]} == {"leak"}
    assert all(row["target"].endswith("walked home slowly."[: 5]) or "the road was" in row["target"] for row in rows)


def test_a_prompted_writer_sees_the_beginning_alone():
    task = passage_drafts(RECORDS[0], 0, 1, 0)[0].task
    last = render(task)[-1]["content"]
    assert shown(RECORDS[0].question).rstrip() in last and RECORDS[0].answer[:20] not in str(render(task))
    assert "␞" not in last
