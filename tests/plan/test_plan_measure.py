"""`plan --measure`: what is reckoned from a little of the work, beside the time that all of it takes."""

from __future__ import annotations

import re
import time

import pytest
from click.testing import CliRunner

from relearn_lite.augment import augment
from relearn_lite.cli.commands import cli
from relearn_lite.pipeline import check, run_state
from relearn_lite.pipeline.stages.augment import settings_of
from relearn_lite.plan import measure as tried
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
    work = tried._written(run, forget, SlowRules(), seconds)
    begin = time.monotonic()
    augment(forget, [], SlowRules(), settings_of(job), tmp_path)
    assert work.tried == 4 if seconds == 0 else work.tried > 4
    assert work.rows == len(forget) > work.tried
    assert work.seconds == pytest.approx(time.monotonic() - begin, rel=0.3)


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
                 "together .*without training"):  # fmt: skip
        assert re.search(told, done.output), (told, done.output)
    assert [path.name for path in tmp_path.iterdir()] == ["recipe.yaml"]
