"""`plan --measure`: what is reckoned from a little of the work, beside the time that all of it takes."""

from __future__ import annotations

import re
import time

import pytest
from click.testing import CliRunner

from relearn_lite.augment import Settings, augment
from relearn_lite.cli.commands import cli
from relearn_lite.core.records import Answer
from relearn_lite.pipeline import check, run_state
from relearn_lite.plan import _measure, measure_asking
from relearn_lite.plan.measure import trial
from relearn_lite.plan.measure_asking import Work, judging
from relearn_lite.plan.measure_writing import written
from relearn_lite.recipe import load_recipe
from relearn_lite.writers.rules import RulesWriter

RECIPE = """
name: trial
model: {name: embedded, quantization: none}
data:
  control: none
  forget: {preset: people/forget}
  retain: {preset: people/retain}
generate: {max_new_tokens: 32, batch_size: 12}
evaluate: {metrics: [kfr, krr]}
"""
SECONDS_A_TEXT = 0.02


@pytest.fixture
def recipe(tmp_path):
    def made(*overrides):
        (tmp_path / "recipe.yaml").write_text(RECIPE)
        return load_recipe(tmp_path / "recipe.yaml", overrides)

    return made


class SlowRules(RulesWriter):
    """Takes so long for each text that nothing else counts, and writes some at the second attempt only."""

    def write(self, tasks):
        time.sleep(SECONDS_A_TEXT * len(tasks))
        texts = super().write(tasks)
        return [
            None if task.seed % 3 == 0 and not task.feedback else text for task, text in zip(tasks, texts, strict=True)
        ]


@pytest.mark.slow  # it compares times, which other jobs beside it change
@pytest.mark.parametrize("seconds", [0.0, 4.0], ids=["in part", "whole chunks"])
def test_writing_is_told_within_30_percent(recipe, tmp_path, seconds):
    import rouge_score.rouge_scorer  # noqa: F401  seconds, once a process, for the statistics of what was written

    job = recipe("data.forget.limit=24")
    run = run_state.Run(job, tmp_path, quiet=True)
    run.given = check(job)
    forget = run.data["forget"]
    work = written(run, forget, SlowRules(), seconds)
    begin = time.monotonic()
    augment(forget, [], SlowRules(), Settings.of(job.augment, job.seed), tmp_path)
    assert work.tried == 4 if seconds == 0 else work.tried > 4
    assert work.rows == len(forget) > work.tried
    assert work.seconds == pytest.approx(time.monotonic() - begin, rel=0.3)


LOADING, EACH = 5.0, 0.5  # seconds: at the first call, and for each answer


@pytest.fixture
def judge(monkeypatch):
    """Judges by a clock of its own, and keeps which answers it was given."""
    now, given = [0.0], []
    monkeypatch.setattr(measure_asking.time, "monotonic", lambda: now[0])

    def judged(some):
        now[0] += (0 if given else LOADING) + EACH * sum(map(len, some.values()))
        given.append({split: [answer.id for answer in answers] for split, answers in some.items()})

    judged.given = given
    return judged


def answers_of(**counts):
    return {split: [Answer(f"{split}{n}", "vanilla", split, "?", "A", "A", True) for n in range(count)]
            for split, count in counts.items()}  # fmt: skip


@pytest.mark.parametrize(("seconds", "tried"), [(0, [16]), (28, [16]), (30, [16, 18]), (99, [16, 18, 16])])
def test_judging_is_told_from_portions_that_grow_while_there_is_time(judge, seconds, tried):
    """40 answers and 10: one of each at first, then 8 of each, 16, and what is left."""
    work = judging(answers_of(forget=40, retain=10), judge, 1000, seconds).work("evaluate", "judged")
    first, *portions = judge.given
    assert first == {"forget": ["forget0"], "retain": ["retain0"]}
    assert [sum(map(len, some.values())) for some in portions] == tried
    asked = {split: [id_ for some in judge.given[1:] for id_ in some.get(split, ())] for split in ("forget", "retain")}
    assert all(ids == [f"{split}{n}" for n in range(len(ids))] for split, ids in asked.items()), "twice or left out"
    assert len(asked["retain"]) == (8 if len(tried) == 1 else 10)
    assert (work.rows, work.tried) == (1000, sum(tried))
    assert work.seconds == pytest.approx(LOADING + 2 * EACH + 1000 * EACH)


def test_what_judges_do_once_is_not_multiplied(judge):
    few, many = (judging(answers_of(forget=3), judge, rows, 0).work("", "") for rows in (10, 1000))
    assert few.seconds == pytest.approx(LOADING + EACH + 10 * EACH)
    assert many.seconds == pytest.approx(EACH + 1000 * EACH), "it was loaded before"


def test_the_command_names_every_step_and_leaves_nothing(recipe, tmp_path, monkeypatch):
    job = recipe()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("relearn_lite.plan.TRIAL", 0.0)
    done = CliRunner().invoke(cli, ["plan", str(tmp_path / "recipe.yaml"), "--measure"], standalone_mode=False)
    assert done.exit_code == 0, done.exception
    data = check(job)
    asked = sum(map(len, run_state.Run.splits(data).values()))
    for told in (f"ask: .*{asked} x answers of the vanilla model", f"augment: .*{len(data['forget'])} x questions",
                 f"generate: .*{asked} x answers of the unlearned model", f"evaluate: .*{2 * asked} x answers judged",
                 "no total: training with its checks is not measured; the rest takes"):  # fmt: skip
        assert re.search(told, done.output), (told, done.output)
    assert [path.name for path in tmp_path.iterdir()] == ["recipe.yaml"]


def test_short_answers_and_questions_that_are_only_trained_are_in_the_total(recipe, tmp_path, monkeypatch):
    """With data.only_known the questions that are trained are asked too, and what is reckoned from other answers takes
    its time as well; a check in training is part of no total."""
    (tmp_path / "eval.jsonl").write_text('{"question": "Who is it?", "answer": "Ada Fennimore."}\n')
    job = recipe("data.only_known=true", "data.forget.limit=5", f"data.forget_eval={{path: {tmp_path}/eval.jsonl}}")
    told = [
        Work("ask", "answers of the vanilla model", 10, 5, 20.0), Work("unlearn", "one check", 9, 0, 400.0),
        Work("ask", "answers to forget questions that are only trained", 5, 0, 7.0),
    ]  # fmt: skip
    monkeypatch.setattr("relearn_lite.plan.trial", lambda *_: iter(told))
    lines = []
    _measure(job, lines.append)
    assert "the rest takes about 27 s" in lines[-1]
    monkeypatch.undo()
    steps = [work for work in trial(job, check(job), 0.0) if work.stage == "ask"]
    assert [(work.rows, work.tried) for work in steps if "only trained" in work.what] == [(5, 0)]
    assert next(work for work in steps if "judged" in work.what).rows == 6
