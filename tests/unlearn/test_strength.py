"""How much of a trained adapter is used: a real adapter, answers as if they had been judged."""

import json

import pytest
import torch
from test_search import found
from trainings import load

from relearn_lite.recipe import Unlearn
from relearn_lite.unlearn.strength import weaken

WATCH = Unlearn().watch


class Weakening:
    """`weaken` on a tiny adapter that does something; `finds` gives what a check finds at a strength."""

    def __init__(self, tiny_model_dir, log, full, finds):
        self.model = load(tiny_model_dir).model
        self.second = [p for name, p in self.model.named_parameters() if p.requires_grad and "lora_B" in name]
        self.first = [p for name, p in self.model.named_parameters() if p.requires_grad and "lora_A" in name]
        with torch.no_grad():
            for parameter in self.second:
                parameter.fill_(2.0)
        self.asked, firsts = [], [p.detach().clone() for p in self.first]

        def ask():
            self.asked.append(self.strength)
            return finds(self.strength)

        self.kept, self.all = weaken(self.model, full, ask, WATCH, log, lambda line: None)
        assert all(torch.equal(now, before) for now, before in zip(self.first, firsts, strict=True))
        assert self.kept.strength == self.strength, "what is in the model is what is said"

    @property
    def strength(self):
        (value,) = {round(float(x), 6) for p in self.second for x in p.unique()}
        return round(value / 2.0, 6)


def test_it_is_weakened_to_what_does_best_and_never_to_the_last_that_forgot(tiny_model_dir, tmp_path):
    """General ability comes back below 0.8; at 0.6 one question is told again, so 0.7 is not trusted."""
    def finds(strength):
        return found(0.0 if strength > 0.65 else 0.2, general=0.9 if strength < 0.85 else 0.6)

    trial = Weakening(tiny_model_dir, tmp_path / "log.jsonl", found(0.0, general=0.5), finds)
    assert trial.kept.strength == 0.8 and trial.asked == [0.9, 0.8, 0.7, 0.6]
    assert [result.strength for result in trial.all] == [1.0, 0.9, 0.8, 0.7, 0.6]


@pytest.mark.parametrize("full", [found(0.0), found(0.3), found(0.1, krr=0.5)])
def test_where_nothing_but_forgetting_is_short_or_that_too_the_whole_adapter_is_used(tiny_model_dir, tmp_path, full):
    trial = Weakening(tiny_model_dir, tmp_path / "log.jsonl", full, lambda strength: found(0.0))
    assert trial.kept is full and not trial.asked and trial.strength == 1.0


@pytest.mark.parametrize(("full", "finds"), [
    (found(0.0, krr=0.5), lambda strength: found(0.1)),  # the next weaker tells more
    (found(0.0, krr=0.5), lambda strength: found(0.0 if strength > 0.85 else 0.1)),  # and here the next but one
    (found(0.0, krr=0.8), lambda strength: found(0.0, krr=0.7)),  # weaker is worse
    (found(0.0, krr=0.8), lambda strength: found(0.0, krr=0.8)),  # or no better
])  # fmt: skip
def test_it_stays_whole_where_less_is_not_better(tiny_model_dir, tmp_path, full, finds):
    assert Weakening(tiny_model_dir, tmp_path / "log.jsonl", full, finds).strength == 1.0


def test_a_run_that_was_killed_asks_no_strength_again(tiny_model_dir, tmp_path):
    def finds(strength):
        return found(0.0 if strength > 0.65 else 0.5, krr=0.95)

    log = tmp_path / "log.jsonl"
    whole = Weakening(tiny_model_dir, log, found(0.0, krr=0.5), finds)
    log.write_text("".join(log.read_text().splitlines(keepends=True)[:2]) + '{"step": 0, "torn')
    again = Weakening(tiny_model_dir, log, found(0.0, krr=0.5), finds)
    assert again.asked == whole.asked[2:] and (again.kept, again.all) == (whole.kept, whole.all)
    assert [json.loads(line)["strength"] for line in log.read_text().splitlines()] == [0.9, 0.8, 0.7, 0.6]
