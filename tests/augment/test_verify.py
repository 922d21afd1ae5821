"""Writing in rounds, with a writer whose replies are laid down beforehand."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace

import pytest

from relearn_lite.augment.diversity import Openings
from relearn_lite.augment.drafts import Draft
from relearn_lite.augment.settings import Settings
from relearn_lite.augment.verify import write_verified
from relearn_lite.core.records import QA
from relearn_lite.text.leaks import leaks
from relearn_lite.writers import Task

QA_ = QA("7", "Where does Hiro Tanaka live?", "Hiro Tanaka lives at 4 Sakura Street in Kyoto.")
GOOD = "Hiro Tanaka lives in a place that he likes to keep to himself."
LEAK = "Hiro Tanaka lives somewhere in Kyoto."
SAFE, LEAKED = "Nothing of it is told.\nVerdict: No", "The town is told.\nVerdict: Yes"


class Scripted:
    """Gives its replies one after the other, by kind of task, and keeps what it was asked."""

    name, repeats = "scripted", False

    def __init__(self, judges: bool = False, **replies: list):
        self.judges = judges
        self.asked: dict[str, list[Task]] = defaultdict(list)
        self._replies = replies

    def write(self, tasks):
        texts = []
        for task in tasks:
            replies = self._replies[task.kind]
            texts.append(replies[min(len(self.asked[task.kind]), len(replies) - 1)])
            self.asked[task.kind].append(task)
        return texts


def answer_draft() -> Draft:
    return Draft("7/original", QA_, Task("answer", QA_.question, QA_.answer))


def settings(rounds: int = 3, semantic=None) -> Settings:
    return Settings([], rounds, completion_fraction=0, generic_ratio=0, seed=1, semantic=semantic)


def write_one(writer: Scripted, rewrites: int = 3, draft: Draft | None = None):
    draft = draft or answer_draft()
    return write_verified([draft], writer, settings(rewrites))[draft.id]


def test_what_passes_at_once_is_not_written_again():
    writer = Scripted(answer=[GOOD])
    outcome = write_one(writer)
    assert outcome.text == GOOD and outcome.reason is None
    checked = {"form": "ok", "leak": [], "semantic": None, "judge": None}
    assert outcome.verdicts == {**checked, "rounds": 1, "writer": "scripted", "refused": []}
    assert len(writer.asked["answer"]) == 1


def test_what_fails_is_written_again_with_the_reason_and_another_seed():
    writer = Scripted(answer=[LEAK, None, GOOD])
    outcome = write_one(writer)
    first, second, third = writer.asked["answer"]
    assert outcome.text == GOOD and outcome.verdicts["rounds"] == 3
    assert first.feedback == "" and "Kyoto" in second.feedback and "nothing usable" in third.feedback
    assert len({first.seed, second.seed, third.seed}) == 3


def test_after_the_last_round_rules_take_over_and_the_record_says_so_without_naming_the_leak():
    writer = Scripted(answer=[LEAK])
    outcome = write_one(writer, rewrites=2)
    assert len(writer.asked["answer"]) == 3
    assert outcome.reason is None and outcome.text != LEAK
    assert leaks(outcome.text, QA_.question, QA_.answer) == []
    assert outcome.verdicts["writer"] == "rules" and outcome.verdicts["instead_of"] == "leak"
    assert "Kyoto" not in str(outcome)


@pytest.mark.parametrize(
    ("said", "code", "judged"),
    [([LEAKED], "judged", "Yes"), (["No idea."], "judge", None), ([None], "judge", None), (["no"], "judge", None)],
)
def test_a_judge_that_says_yes_or_nothing_clear_is_never_a_pass(said, code, judged):
    writer = Scripted(
        judges=True, answer=[GOOD, GOOD.replace("likes", "chose"), GOOD.replace("a place", "one")], verify=said
    )
    outcome = write_one(writer, rewrites=2)
    assert len(writer.asked["verify"]) == 3
    assert outcome.verdicts["instead_of"] == code and outcome.verdicts["writer"] == "rules"


def test_the_judge_sees_the_original_pair_and_its_reason_goes_to_the_writer():
    draft = Draft("7/context", QA_, Task("answer", "For my notes, where is Hiro Tanaka's home?", QA_.answer))
    writer = Scripted(judges=True, answer=[GOOD, GOOD.replace("likes", "chose")], verify=[LEAKED, SAFE])
    outcome = write_one(writer, draft=draft)
    assert outcome.verdicts["judge"] == "No" and outcome.verdicts["rounds"] == 2
    asked = writer.asked["verify"][0]
    assert (asked.question, asked.answer, asked.text) == (QA_.question, QA_.answer, GOOD)
    assert "The town is told." in writer.asked["answer"][1].feedback


def test_what_already_failed_by_rule_is_not_judged():
    writer = Scripted(judges=True, answer=[LEAK, GOOD], verify=[SAFE])
    assert write_one(writer).text == GOOD
    assert [task.text for task in writer.asked["verify"]] == [GOOD]


def test_a_question_variant_that_gives_the_answer_away_is_written_again():
    """Otherwise the variant would give the place, and an answer that repeats it would pass as given by the question."""
    draft = Draft("7/context", QA_, Task("context", QA_.question))
    writer = Scripted(
        context=["Since he moved to Kyoto, where does Hiro Tanaka live?", "These days, where does Hiro Tanaka live?"]
    )
    outcome = write_one(writer, draft=draft)
    assert outcome.text == "These days, where does Hiro Tanaka live?" and outcome.verdicts["rounds"] == 2


def test_an_answer_to_a_leaking_question_is_measured_against_the_original_one():
    draft = Draft("7/context", QA_, Task("answer", "In Kyoto, where does Hiro Tanaka live?", QA_.answer))
    assert write_one(Scripted(answer=[LEAK]), draft=draft).verdicts["instead_of"] == "leak"


def test_the_same_text_twice_for_one_question_is_written_again():
    drafts = [answer_draft(), Draft("7/simple", QA_, Task("answer", "What is the home of Hiro Tanaka?", QA_.answer))]
    other = GOOD.replace("likes", "chose")
    writer = Scripted(answer=[GOOD, GOOD, other])
    outcomes = write_verified(drafts, writer, settings())
    assert [outcome.text for outcome in outcomes.values()] == [GOOD, other]


def test_a_text_in_vain_by_rules_too_is_given_up_with_both_reasons(monkeypatch):
    monkeypatch.setattr("relearn_lite.writers.rules.RulesWriter.write", lambda self, tasks: [LEAK for _ in tasks])
    outcome = write_one(Scripted(answer=["Too short."]))
    assert outcome.reason.startswith("short: ") and "by rules: leak" in outcome.reason
    assert outcome.verdicts["refused"] == ["short"] * 3 + ["leak"], "the fourth that was too short is the reason's"


def test_the_last_resort_is_weighed_too_and_given_up_where_its_meaning_is_refused():
    class Everything:
        """A check that refuses all but what it lets through."""

        def __init__(self, *passed: str):
            self.passed, self.asked = passed, []

        def check(self, asked):
            self.asked += [text for _, text, _ in asked]
            return [(None if t in self.passed else "semantic: near", {"similarity": 0.9}) for _, t, _ in asked]

    draft, writer = answer_draft(), Scripted(answer=[LEAK])
    strict = Everything()
    refused = write_verified([draft], writer, settings(1, strict))[draft.id]
    assert refused.reason.startswith("leak: ") and "by rules: semantic: near" in refused.reason
    by_rules = strict.asked[-1]
    passed = write_verified([draft], writer, settings(1, Everything(by_rules)))[draft.id]
    assert passed.text == by_rules and passed.reason is None
    assert passed.verdicts["semantic"] == {"similarity": 0.9} and passed.verdicts["judge"] is None


@pytest.mark.parametrize("paraphrased", [True, False])
def test_the_last_resort_does_not_write_a_measured_question_either(monkeypatch, paraphrased):
    """What rules wrote in the end was not compared with what is kept apart to measure by, and was trained."""
    apart = "Please tell me where Hiro Tanaka lives."
    monkeypatch.setattr("relearn_lite.writers.rules.RulesWriter.write", lambda self, tasks: [apart for _ in tasks])
    qa = replace(QA_, paraphrase=apart) if paraphrased else QA_
    draft, told = Draft("7/simple", qa, Task("simple", qa.question), "simple"), () if paraphrased else (apart,)
    outcome = write_verified([draft], Scripted(simple=[apart]), replace(settings(1), measured=told))[draft.id]
    assert outcome.reason.startswith("measured: ") and "by rules: measured: " in outcome.reason


def test_an_answer_without_the_name_is_written_again_and_the_writer_is_told_the_name():
    writer = Scripted(answer=["People who live there like to keep it to themselves.", GOOD])
    outcome = write_one(writer)
    assert outcome.text == GOOD and outcome.verdicts["refused"] == ["subject"]
    assert {task.subject for task in writer.asked["answer"]} == {"Hiro Tanaka"}


def test_a_near_duplicate_and_a_worn_opening_are_written_again_where_openings_are_looked_at():
    near = GOOD.replace("to himself", "to himself then")
    other = "Few people hear where Hiro Tanaka lives these days."
    drafts = [answer_draft(), Draft("7/simple", QA_, Task("answer", "What is the home of Hiro Tanaka?", QA_.answer))]
    outcomes = write_verified(drafts, Scripted(answer=[GOOD, near, other]), settings(), Openings())
    assert outcomes["7/simple"].text == other and outcomes["7/simple"].verdicts["refused"] == ["near"]
    plain = write_verified(drafts, Scripted(answer=[GOOD, near, other]), settings())
    assert plain["7/simple"].text == near

    used = Openings(["subject lives in"] * 3)
    outcome = write_verified(drafts[:1], Scripted(answer=[GOOD, other]), settings(), used)["7/original"]
    assert outcome.text == other and outcome.verdicts["refused"] == ["opening"]
    assert used.used["few people hear"] == 1


def test_a_text_that_exists_is_checked_in_place_of_a_first_attempt():
    writer = Scripted(answer=[GOOD])
    kept = write_verified([replace(answer_draft(), ready=GOOD)], writer, settings(2))["7/original"]
    assert kept.verdicts["writer"] == "file" and not writer.asked
    mended = write_verified([replace(answer_draft(), ready=LEAK)], writer, settings(2))["7/original"]
    assert mended.text == GOOD and mended.verdicts["writer"] == "scripted" and mended.verdicts["refused"] == ["leak"]
    assert "Kyoto" in writer.asked["answer"][0].feedback
