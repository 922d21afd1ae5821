"""Sampling: the draws are EvaluatedModel's, judged they are leak_at_k, and finished draws are kept."""

from __future__ import annotations

import pytest
from people import embedded_model, evaluated, known

from relearn_lite.attacks.answering import AttackAnswer, Target
from relearn_lite.attacks.sampling import sample_answers
from relearn_lite.attacks.scoring import judge, sampled
from relearn_lite.core.files import read_jsonl
from relearn_lite.evaluate.score import score_evaluators
from relearn_lite.judges.evaluated_model import EvaluatedModel
from relearn_lite.recipe import Generate

GENERATE = Generate(max_new_tokens=48)
QUESTIONS = {"forget": known()[1:4], "retain": known("retain")[:2]}


@pytest.fixture
def target():
    return Target(embedded_model(), (), GENERATE, seed=5)


def test_it_draws_what_the_metric_draws(target, tmp_path):
    sample_answers(target, QUESTIONS, 3, tmp_path / "s.jsonl")
    attempts = list(read_jsonl(tmp_path / "s.jsonl", AttackAnswer))
    drawn = evaluated(generate=GENERATE).samples([qa.question for qa in QUESTIONS["forget"]], 3, 5)
    for qa, texts in zip(QUESTIONS["forget"], drawn, strict=True):
        assert [each.generated_response for each in attempts if each.id == qa.id] == texts
    line = sampled(judge({"sampling": attempts}, score_evaluators()), k=2, draws=3)
    assert line["kfr"] < 0.5, "the embedded model was not unlearned"
    assert line["krr"] >= 0.5 and line["questions"] == {"forget": 3, "retain": 2}


def test_finished_draws_are_kept(target, tmp_path, monkeypatch):
    sample_answers(target, QUESTIONS, 3, tmp_path / "whole.jsonl")
    real, calls = EvaluatedModel.samples, []

    def failing_third_time(self, *args):
        calls.append(args)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return real(self, *args)

    monkeypatch.setattr(EvaluatedModel, "samples", failing_third_time)
    with pytest.raises(KeyboardInterrupt):
        sample_answers(target, QUESTIONS, 3, tmp_path / "s.jsonl")
    sample_answers(target, QUESTIONS, 3, tmp_path / "s.jsonl")
    assert len(calls) == 3 + 2, "two draws were done before; one draw and the retain side were not"
    assert (tmp_path / "s.jsonl").read_text() == (tmp_path / "whole.jsonl").read_text()
