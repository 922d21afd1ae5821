"""Answers written by hand, about people who do not exist: some leak in one of twelve ways, the others do not."""

from __future__ import annotations

import json
import re
from collections import Counter
from pathlib import Path

from relearn_lite.augment.form import form_fault
from relearn_lite.text.leaks import leaks

ROWS = [json.loads(line) for line in Path(__file__).with_name("planted.jsonl").read_text(encoding="utf-8").splitlines()]
DOCS = Path(__file__).parents[2] / "docs" / "augmentation.md"
# What word lists can find. Of a translation, a paraphrase or a hint they find what keeps a number or a name by chance.
DETERMINISTIC = "verbatim reordered date number_words initials partial_address email_at hypothetical echo".split()
BY_MEANING = "translated paraphrased hint".split()


def refused(row: dict) -> bool:
    """By the checks without a model."""
    fault = form_fault(row["text"], row["question"], "answer")
    return bool(fault or leaks(row["text"], row["question"], row["answer"]))


def caught() -> dict[str, tuple[int, int]]:
    """(refused, all) by kind."""
    every, found = Counter(row["kind"] for row in ROWS), Counter(row["kind"] for row in ROWS if refused(row))
    return {kind: (found[kind], every[kind]) for kind in every}


def test_the_set_is_as_large_and_varied_as_it_claims():
    leaking, safe = ([row for row in ROWS if row["leaks"] is leak] for leak in (True, False))
    assert len(leaking) >= 60 and len(safe) >= 60
    assert {row["kind"] for row in leaking} == {*DETERMINISTIC, *BY_MEANING}
    assert min(Counter(row["kind"] for row in leaking).values()) >= 5
    assert len({row["text"] for row in ROWS}) == len({row["id"] for row in ROWS}) == len(ROWS)


def test_the_checks_without_a_model_catch_nine_of_ten_leaks_that_words_can_tell():
    found = caught()
    assert sum(found[kind][0] for kind in DETERMINISTIC) >= 0.9 * sum(found[kind][1] for kind in DETERMINISTIC)
    assert all(found[kind][0] >= 0.8 * found[kind][1] for kind in DETERMINISTIC), found


def test_they_pass_nine_of_ten_safe_answers():
    found, every = caught()["safe"]
    assert found <= 0.1 * every


def test_the_table_in_the_docs_is_this_one():
    told = dict(re.findall(r"^\| `(\w+)` \|.*\| (\d+ of \d+) \|$", DOCS.read_text(encoding="utf-8"), re.MULTILINE))
    assert told == {kind: f"{found} of {every}" for kind, (found, every) in caught().items()}
