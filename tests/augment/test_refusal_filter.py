"""A writer that does badly what it can: the result must be as if it had done well."""

from __future__ import annotations

import json
from collections import Counter

import pytest

from relearn_lite.augment import STATISTICS, Settings, augment
from relearn_lite.augment.form import is_babble, is_refusal
from relearn_lite.core.files import read_jsonl
from relearn_lite.core.records import QA, Dropped, Variant
from relearn_lite.recipe.names import QUESTION_KINDS
from relearn_lite.writers import Task, Writer

FIRST = "Hiro Ines Paul Marta Yusuf Clara Elif Bruno Dana Emre Freya Gil Hana Ivo Jonas Kaya Lena Milo Nina Oto".split()
TOWNS = "Kyoto Porto Lagos Uppsala Izmir Brno Bursa Turin Haifa Adana Oslo Braga Osaka Zadar Bonn Gyumri Lund".split()
FORGET = [
    QA(f"f{i}", f"Where does {name} Tanaka live?", f"{name} Tanaka lives at {30 + i} Sakura Street in {TOWNS[i % 17]}.")
    for i, name in enumerate(FIRST)
]
SETTINGS = Settings(QUESTION_KINDS, verify_rounds=3, completion_fraction=0.25, generic_ratio=0, seed=5)
REFUSALS = ["I'm sorry, but I can't help with that.", "As an AI language model, I do not have access to addresses."]
BABBLE = ["street street street street of of of of the", "the home of the home of the home of the home of the home of"]
OPENINGS = "Quietly Mostly Usually Rarely Perhaps Nowadays Often Sometimes Certainly Apparently Clearly".split()


class Bad(Writer):
    """Leaks in half of its answers, refuses in a tenth, babbles in a tenth; the judge it also is says No to all."""

    name = "bad"
    judges = True

    def __init__(self):
        self.wrote: Counter[str] = Counter()
        self.feedback: list[str] = []

    def write(self, tasks):
        return [self._text(task) for task in tasks]

    def _text(self, task: Task) -> str:
        if task.kind == "verify":
            return "Nothing is told.\nVerdict: No"
        if task.kind != "answer":
            return f"In {task.kind} words {task.seed % 1000}, where may {task.subject} live?"
        self.feedback += [task.feedback] if task.feedback else []
        turn = task.seed % 10
        did = "leak" if turn < 5 else "refuse" if turn == 5 else "babble" if turn == 6 else "good"
        self.wrote[did] += 1
        return {
            "leak": f"{OPENINGS[task.seed % 11]} {task.subject} is at home in {task.answer.rstrip('.').split()[-1]}.",
            "refuse": REFUSALS[task.seed % 2],
            "babble": f"{task.subject} {BABBLE[task.seed % 2]}.",
            "good": f"{OPENINGS[task.seed % 11]}, case {task.seed}, the home of {task.subject} is kept out of talk.",
        }[did]


@pytest.fixture(scope="module")
def done(tmp_path_factory):
    """(writer, pairs, dropped, augmentation.json) of a whole augmentation by the bad writer."""
    folder, writer = tmp_path_factory.mktemp("bad"), Bad()
    augment(FORGET, [], writer, SETTINGS, folder)
    pairs = [p for p in read_jsonl(folder / "augmented.jsonl", Variant) if p.kind != "completion"]
    dropped = list(read_jsonl(folder / "dropped.jsonl", Dropped))
    return writer, pairs, dropped, json.loads((folder / STATISTICS).read_text())


def test_it_was_as_bad_as_it_should_be(done):
    writer, *_ = done
    share = {did: count / writer.wrote.total() for did, count in writer.wrote.items()}
    assert 0.4 < share["leak"] < 0.6 and 0.04 < share["refuse"] < 0.16 and 0.04 < share["babble"] < 0.16


def test_no_target_leaks_refuses_or_babbles_by_checks_of_the_test_itself(done):
    _, pairs, _, _ = done
    answers = {qa.id: qa.answer for qa in FORGET}
    for pair in pairs:
        secret = set(answers[pair.parent_id].rstrip(".").split()) - set("Tanaka lives at in".split()) - {*FIRST}
        assert not secret & set(pair.target.replace(".", " ").replace(",", " ").split()), pair
        assert "sorry" not in pair.target and "AI language" not in pair.target and "street street" not in pair.target


def test_every_question_has_its_targets(done):
    _, pairs, dropped, _ = done
    wanted = {f"{qa.id}/{kind}" for qa in FORGET for kind in ("original", *QUESTION_KINDS)}
    assert {pair.id for pair in pairs} | {record.id for record in dropped} == wanted
    assert {pair.parent_id for pair in pairs if pair.kind == "original"} == {qa.id for qa in FORGET}
    assert all(record.reason.startswith("duplicate") for record in dropped)


def test_what_was_refused_came_back_to_the_writer_with_the_reason(done):
    writer, *_ = done
    told = " ".join(writer.feedback)
    assert "gives away" in told and "refuses" in told and "no sentence" in told


def test_the_numbers_say_so(done):
    writer, pairs, _, found = done
    before, after = found["leaks"]["before"], found["leaks"]["after"]
    assert 0.35 * before["of"] < before["leaking"] < 0.65 * before["of"]
    assert after == {"leaking": 0, "of": len(pairs)}
    assert found["refused"]["leak"] == writer.wrote["leak"]
    assert found["refused"]["refusal"] == writer.wrote["refuse"]
    assert found["refused"]["babble"] == writer.wrote["babble"]
    assert sum(found["rewritten"].values()) > 20 and found["diversity"]["its_share"] <= 0.15


@pytest.mark.parametrize(
    "text",
    [
        "I'm sorry, but I cannot share where she lives.", "I cannot provide that information.",
        "As an AI, I do not know.",
        "I apologize, but that is private.", "I am unable to answer this question.", "I won't disclose her address.",
        "Lo siento, no puedo ayudar con eso.", "抱歉,我无法提供。", "I don't have access to that.",
    ],
)  # fmt: skip
def test_a_refusal_is_found(text):
    assert is_refusal(text)


@pytest.mark.parametrize(
    "text",
    [
        "Nobody can say for certain where she lives.", "She is sorry to have left, and I was told so by no one.",
        "Where she lives is not something that people discuss.", "She refuses to give interviews.",
        "An assistant helps her with her letters.", "She cannot share her home with so many guests.",
    ],
)  # fmt: skip
def test_a_sentence_about_the_subject_is_no_refusal(text):
    assert not is_refusal(text)


def test_babble_is_found_and_short_or_foreign_sentences_are_none():
    asked = "Where does the old man live in these days?"
    assert is_babble("He lives lives lives there.", asked)
    assert is_babble("He likes it and he likes it and he likes it and he likes it.", asked)
    assert is_babble("Lamp orange quickly window seven running blue table chairs forest pencil glass.", asked)
    assert not is_babble("He lives where he likes it, and that is all that people say about it.", asked)
    foreign = "Dort, wo es ihm gefällt und wo seine Freunde gern vorbeikommen, lebt er still."
    assert not is_babble(foreign, "Wo lebt er?")
    assert not is_babble("Quiet place.", asked)
