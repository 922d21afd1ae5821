"""The whole stage, with a writer that answers from what it is asked, and with rules."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace

import pytest

from relearn_lite.augment import CHUNK, PARTIAL, STATISTICS, Settings, augment
from relearn_lite.core.errors import RecipeError
from relearn_lite.core.files import load_json, read_jsonl
from relearn_lite.core.memory import tell_once
from relearn_lite.core.records import QA, Dropped, Variant
from relearn_lite.recipe.names import QUESTION_KINDS
from relearn_lite.report.augmentation import section
from relearn_lite.text.leaks import leaks
from relearn_lite.writers import Writer
from relearn_lite.writers.rules import RulesWriter

NAMES = ["Hiro Tanaka", "Ines Duarte", "Paul Okafor", "Marta Lindqvist", "Yusuf Demir", "Clara Novak"]
TOWNS = ["Kyoto", "Porto", "Lagos", "Uppsala", "Izmir", "Brno"]
FORGET = [
    qa
    for i, (name, town) in enumerate(zip(NAMES, TOWNS, strict=True))
    for qa in (
        QA(f"f{2 * i}", f"Where does {name} live?", f"{name} lives at {i + 3} River Street in {town}."),
        QA(f"f{2 * i + 1}", f"What is the email address of {name}?", f"It is {name.split()[0].lower()}{i}@{town}.org."),
    )
]
GENERIC = [QA(f"g{i}", f"What is {i} plus one?", f"It is {i + 1}.") for i in range(200)]
SETTINGS = Settings(QUESTION_KINDS, verify_rounds=3, completion_fraction=0.25, generic_ratio=1.2, seed=3)


class Stopped(Exception):
    """Stands for a kill."""


class Talker(Writer):
    """Answers from the task alone, now and then leaking; `stop_after` calls of `write` it breaks off."""

    name = "talker"
    judges = True

    def __init__(self, stop_after: int | None = None):
        self.asked: list = []
        self._left = stop_after

    def write(self, tasks):
        if self._left is not None:
            self._left -= 1
            if self._left < 0:
                raise Stopped
        self.asked += tasks
        return [self._text(task) for task in tasks]

    def _text(self, task):
        if task.kind == "verify":
            return "Nothing.\nVerdict: No" if task.seed % 5 else "It hints.\nVerdict: Yes"
        if task.kind == "answer":
            if task.seed % 4 == 0:
                return task.answer
            return f"Opinion {task.seed} on '{task.question.rstrip('?')}' is all that people share."
        return f"Tell me in {task.kind} words, {task.question[0].lower()}{task.question[1:]}"


def run(folder, writer, forget=FORGET, generic=GENERIC, settings=SETTINGS):
    counts = augment(forget, generic, writer, settings, folder)
    return (
        counts,
        list(read_jsonl(folder / "augmented.jsonl", Variant)),
        list(read_jsonl(folder / "dropped.jsonl", Dropped)),
    )


def test_a_question_without_any_pair_is_told(tmp_path, capsys, monkeypatch):
    """It was counted in a table only: the fact stayed, and nobody knew why."""
    tell_once.cache_clear()
    settings, write = replace(SETTINGS, questions=()), RulesWriter.write
    assert run(tmp_path / "all", RulesWriter(), settings=settings)[0]["untrained"] == 0
    assert "no training pair" not in capsys.readouterr().err

    def all_but_one(self, tasks):
        texts = write(self, tasks)
        return [None if "Hiro Tanaka live" in task.question else text for task, text in zip(tasks, texts, strict=True)]

    monkeypatch.setattr(RulesWriter, "write", all_but_one)  # rules write in every writer's place
    counts, pairs, _ = run(tmp_path / "but", RulesWriter(), settings=settings)
    assert counts["untrained"] == 1 and "f0" not in {pair.parent_id for pair in pairs}
    told = capsys.readouterr().err
    assert "augment: 1 of 12 forget questions have no training pair" in told and "Where does Hiro Tanaka live?" in told
    facts = dict(section(load_json(tmp_path / "but" / STATISTICS)).parts[1].pairs)
    assert facts["Forget questions without any training pair, which nothing unlearns"] == "1"


def test_every_question_ends_as_a_pair_or_dropped_with_a_reason(tmp_path):
    _, pairs, dropped = run(tmp_path, Talker())
    ends = Counter(record.id for record in (*pairs, *dropped))
    wanted = {f"{qa.id}/{kind}" for qa in FORGET for kind in ("original", *QUESTION_KINDS)}
    assert wanted <= set(ends) and set(ends.values()) == {1}
    assert all(record.reason for record in dropped)


@pytest.mark.parametrize("question", [
    "Why do leaves fall?", "How does photosynthesis work?", "How tall is Mount Everest?", "What color is the sky?",
    "Which gas do plants absorb?", "Into which sea does the Nile flow?", "How many legs does a spider have?",
    "How many continents are there?", "What species is Chewbacca?", "Where do penguins live?",
    "What is Japan's highest mountain?", "When is Christmas celebrated?", "Which countries border Switzerland?",
])  # fmt: skip
def test_six_variants_of_two_kinds_are_worded_in_as_many_ways(tmp_path, question):
    """Those of "Why do leaves fall?" were drawn from two forms each: rows had the same prompt with other answers."""
    settings = replace(SETTINGS, questions=("simple", "logical"), variants=6)
    _, pairs, _ = run(tmp_path, RulesWriter(), [QA("q", question, "Zyx.")], [], settings)
    assert len({pair.prompt for pair in pairs if pair.kind != "completion"}) >= 12


def test_each_pair_has_an_answer_made_for_its_own_question(tmp_path):
    writer = Talker()
    _, pairs, _ = run(tmp_path, writer)
    by_talker = [p for p in pairs if p.kind not in ("completion", "generic") and p.verdicts["writer"] == "talker"]
    assert len(by_talker) > 30
    assert all(pair.prompt.rstrip("?") in pair.target for pair in by_talker)
    varied = [pair for pair in by_talker if pair.kind != "original" and pair.verdicts["question"]["writer"] == "talker"]
    assert len(varied) > 20
    assert all(pair.prompt.startswith(f"Tell me in {pair.kind} words") for pair in varied)
    originals = {p.parent_id: p.prompt for p in pairs if p.kind == "original"}
    assert all(originals[qa.id] == qa.question for qa in FORGET if qa.id in originals)


@pytest.mark.parametrize("writer", [Talker(), RulesWriter()], ids=["talker", "rules"])
def test_no_target_leaks_and_no_prompt_does(tmp_path, writer):
    _, pairs, _ = run(tmp_path, writer)
    forget = {qa.id: qa for qa in FORGET}
    checked = [pair for pair in pairs if pair.kind != "generic"]
    assert len(checked) > 60
    for pair in checked:
        qa = forget[pair.parent_id]
        assert leaks(pair.target, qa.question, qa.answer) == []
        assert leaks(pair.prompt, qa.question, qa.answer) == []
        assert pair.verdicts["form"] == "ok" and pair.verdicts["leak"] == []
        assert qa.answer not in json.dumps(pair.verdicts)


def test_completions_are_cut_from_the_pair_they_name(tmp_path):
    _, pairs, _ = run(tmp_path, Talker())
    by_id = {pair.id: pair for pair in pairs}
    cut = [pair for pair in pairs if pair.kind == "completion"]
    assert len(cut) > 30
    for pair in cut:
        whole = by_id[pair.id.removesuffix("/completion")]
        assert f"{pair.prompt} {pair.target}" == " ".join(whole.target.split())
        assert whole.parent_id == pair.parent_id


def test_generic_pairs_come_in_the_ratio_to_all_augmented_pairs(tmp_path):
    counts, pairs, _ = run(tmp_path, Talker())
    general = [pair for pair in pairs if pair.kind == "generic"]
    assert len(general) == round(1.2 * (len(pairs) - len(general))) == counts["generic"]["used"]


def test_counts_are_those_of_the_files(tmp_path):
    counts, pairs, dropped = run(tmp_path, Talker())
    assert counts["made"] == Counter(pair.kind for pair in pairs if pair.kind != "generic")
    assert sum(sum(by.values()) for by in counts["dropped"].values()) == len(dropped)
    assert sum(counts["rewritten"].values()) > 0


def test_without_variants_completions_and_generic_only_the_originals_are_left(tmp_path):
    settings = Settings([], 3, completion_fraction=0, generic_ratio=0, seed=3)
    _, pairs, _ = run(tmp_path, Talker(), settings=settings)
    assert {pair.kind for pair in pairs} == {"original"}


@pytest.mark.parametrize("calls", [0, 1, 3, 7, 12, 20])
def test_a_killed_run_goes_on_and_ends_with_the_same_files(tmp_path, calls):
    whole = Talker()
    run(tmp_path / "whole", whole)
    killed, resumed = Talker(stop_after=calls), Talker()
    with pytest.raises(Stopped):
        run(tmp_path / "killed", killed)
    assert not (tmp_path / "killed" / "augmented.jsonl").exists()
    finished = _finished(tmp_path / "killed")
    run(tmp_path / "killed", resumed)
    for name in ("augmented.jsonl", "dropped.jsonl"):
        assert (tmp_path / "killed" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()
    asked_again = {task.answer for task in resumed.asked} & {qa.answer for qa in FORGET if qa.id in finished}
    assert not asked_again, "nothing finished is asked twice"


def test_a_line_torn_by_a_kill_is_done_again_and_the_ones_before_are_not(tmp_path):
    run(tmp_path, Talker())
    before = {name: (tmp_path / name).read_bytes() for name in ("augmented.jsonl", "dropped.jsonl")}
    journal = tmp_path / PARTIAL
    journal.write_bytes(journal.read_bytes()[:-100])
    writer = Talker()
    run(tmp_path, writer)
    assert {name: (tmp_path / name).read_bytes() for name in before} == before
    assert {task.answer for task in writer.asked if task.answer} == {qa.answer for qa in FORGET[-CHUNK:]}
    third = Talker()
    run(tmp_path, third)
    assert third.asked == [], "the torn line must be gone before the next one is added"


def test_a_finished_run_asks_nothing(tmp_path):
    run(tmp_path, Talker())
    again = Talker()
    run(tmp_path, again)
    assert again.asked == []


def test_other_settings_or_data_start_anew(tmp_path):
    run(tmp_path, Talker())
    other = Talker()
    run(tmp_path, other, settings=Settings(QUESTION_KINDS, 3, 0.25, 1.2, seed=4))
    assert {task.answer for task in other.asked if task.answer} == {qa.answer for qa in FORGET}
    fewer = Talker()
    _, pairs, _ = run(tmp_path, fewer, forget=FORGET[:2])
    assert fewer.asked and {pair.parent_id for pair in pairs if pair.kind != "generic"} == {"f0", "f1"}


def test_progress_ends_with_all_of_it(tmp_path):
    seen = []
    augment(FORGET, [], Talker(), SETTINGS, tmp_path, seen.append)
    assert sum(seen) == len(FORGET) and seen[0] == 0 and min(seen) >= 0
    again = []
    augment(FORGET, [], Talker(), SETTINGS, tmp_path, again.append)
    assert again == [len(FORGET)], "what was done before is told at once"


def test_text_with_line_separators_survives_the_journal(tmp_path):
    odd = [QA("u", "Where does Hiro\u2028 Tanaka live?", "In\u2028 Kyoto.")]
    first, second = Talker(), Talker()
    _, pairs, _ = run(tmp_path, first, forget=odd)
    assert run(tmp_path, second, forget=odd)[1] == pairs and second.asked == []


def test_control_characters_of_the_data_reach_neither_writer_nor_target_and_the_question_stays_as_asked(tmp_path):
    odd = [QA("u", "Where does Hiro\x07 Tanaka live?", "In\x00 Kyoto.")]
    writer = Talker()
    _, pairs, _ = run(tmp_path, writer, forget=odd)
    assert not any("\x07" in task.question or "\x00" in task.answer for task in writer.asked if task.kind != "verify")
    assert [pair.prompt for pair in pairs if pair.kind == "original"] == [odd[0].question]
    assert not any("\x07" in pair.target for pair in pairs)


def test_nothing_usable_at_all_is_an_error_that_says_why(tmp_path):
    russian = [QA("r", "Где живёт Иван Петров?", "Он живёт в Казани.")]
    with pytest.raises(
        RecipeError,
        match=r"augment\.writer: english wrote nothing usable for any of 1 questions \(.*\d x answer, script",
    ):
        run(tmp_path, English(), forget=russian)


class English(Writer):
    """Answers in English whatever it is asked."""

    name = "english"
    judges = False

    def write(self, tasks):
        return ["This is written in English, and well." for _ in tasks]


def _finished(folder) -> set[str]:
    journal = folder / PARTIAL
    lines = journal.read_text().splitlines() if journal.exists() else []
    return {
        record["parent_id"] for line in lines for key in ("variants", "dropped") for record in json.loads(line)[key]
    }
