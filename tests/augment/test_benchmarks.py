"""The 400 forget questions of each benchmark through the whole augmentation, by rules: every second one, or all (slow).

What leaks is found here by a slow check of the test's own, which shares no code with the one under test.
"""

from __future__ import annotations

import json
import re
import time
from collections import Counter
from pathlib import Path

import pytest

from relearn_lite.augment import STATISTICS, Settings, augment
from relearn_lite.core.files import read_jsonl
from relearn_lite.core.records import QA, Variant
from relearn_lite.recipe.names import QUESTION_KINDS
from relearn_lite.writers.question_parser import parse_question
from relearn_lite.writers.rules import MAX_WORDS, MIN_WORDS, RulesWriter

SHARED = Path(__file__).parents[3] / "shared" / "data"
FILES = {
    "knowundo": ("knowundo/privacy/unlearn_train.json", "text", "labels"),
    "tofu": ("tofu/forget10.json", "question", "answer"),
}
# Words that no answer could be about. Every other word of an answer that reaches a target is taken for a leak.
GENERAL = set(
    """
    about also always among around because been being between both come commonly concerned could different does each
    even ever every from have here into just known like made make many more most much must often only openly other
    outside over part people perhaps point public same seem seems several should side since some such than that their
    them then there these they this those though through told typically until usually various very well what when
    where whether which while whom widely will with within without would your
    """.split()
)


@pytest.fixture(scope="module", params=[
    *(pytest.param((name, 2), id=name) for name in FILES),
    *(pytest.param((name, 1), id=f"all of {name}", marks=pytest.mark.slow) for name in FILES),
])  # fmt: skip
def augmented(request, tmp_path_factory):
    """(the questions, the pairs without completions, augmentation.json, CPU seconds)."""
    benchmark, every = request.param
    name, asked, told = FILES[benchmark]
    if not (SHARED / name).exists():
        pytest.skip(f"{name} is not in ../shared/data")
    rows = json.loads((SHARED / name).read_text(encoding="utf-8"))
    forget = [QA(f"f{n}", row[asked], row[told]) for n, row in enumerate(rows)]
    forget = forget[::every]
    folder, started = tmp_path_factory.mktemp(benchmark), time.process_time()
    settings = Settings(QUESTION_KINDS, 3, completion_fraction=0.25, generic_ratio=0, seed=42)
    augment(forget, [], RulesWriter(), settings, folder)
    took = time.process_time() - started
    pairs = [p for p in read_jsonl(folder / "augmented.jsonl", Variant) if p.kind != "completion"]
    return forget, pairs, json.loads((folder / STATISTICS).read_text()), took


def told_words(text: str) -> set[str]:
    return {w.removesuffix("'s") for w in re.findall(r"[^\W\d_]{4,}(?:'s)?|\d+", text.lower().replace("’", "'"))}


def test_every_question_is_kept(augmented):
    forget, pairs, _, _ = augmented
    assert {pair.parent_id for pair in pairs if pair.kind == "original"} == {qa.id for qa in forget}
    assert len(pairs) >= 0.99 * 5 * len(forget)


def test_no_target_tells_a_word_or_number_of_its_answer_that_the_question_does_not_give(augmented):
    forget, pairs, found, _ = augmented
    by_id = {qa.id: qa for qa in forget}
    for pair in pairs:
        qa = by_id[pair.parent_id]
        given = {word[:3] for word in re.findall(r"\w{3,}|\d+", qa.question.lower())}
        given |= {"wro"} if "wri" in given else set()  # wrote, write
        secret = {w for w in told_words(qa.answer) - GENERAL if w.isdigit() or w[:3] not in given}
        assert not secret & told_words(pair.target), (qa, pair.target)
    assert found["leaks"]["after"] == {"leaking": 0, "of": len(pairs)}


def test_every_text_keeps_the_subject_and_is_well_formed(augmented):
    forget, pairs, _, _ = augmented
    by_id = {qa.id: qa for qa in forget}
    for pair in pairs:
        subject = parse_question(by_id[pair.parent_id].question).subject
        for text in [pair.target] if pair.kind == "original" else [pair.prompt, pair.target]:
            assert subject is None or subject in text, (pair.prompt, text)
            assert not re.search(r"[\[\]{}|§¤]|\s{2}|\b(\w+) \1\b(?!')", text), text
        assert MIN_WORDS <= len(pair.target.split()) <= MAX_WORDS
        assert pair.target[0].isupper() and pair.target.endswith(".")
    prompts = Counter(pair.parent_id for pair in {(p.parent_id, p.prompt): p for p in pairs}.values())
    assert prompts == Counter(pair.parent_id for pair in pairs), "each variant is another question"


def test_the_targets_are_varied(augmented):
    """No opening, of three words and with the name as one, in more than a tenth; distinct-2 of 0.25 or more."""
    forget, pairs, found, _ = augmented
    names = {qa.id: parse_question(qa.question).subject or "@" for qa in forget}
    texts = [p.target.replace(names[p.parent_id], "SUBJECT") for p in pairs if p.kind == "original"]
    assert len(texts) == len(forget)
    (_, most), *_ = Counter(" ".join(text.split()[:3]) for text in texts).most_common(1)
    assert most <= 0.1 * len(texts)
    pairs_of_words = [
        pair for text in texts for w in [re.findall(r"[\w']+", text.lower())] for pair in zip(w, w[1:], strict=False)
    ]
    assert len(set(pairs_of_words)) >= 0.25 * len(pairs_of_words)
    assert found["diversity"]["its_share"] <= 0.1, "of all targets, those to question variants too"


def test_it_takes_less_than_a_minute(augmented):
    """CPU time of this process, so that a busy machine does not fail it."""
    assert augmented[3] <= 60
