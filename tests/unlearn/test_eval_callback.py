"""A real training with somebody looking on: what it keeps, when it stops, and that it changes nothing itself."""

import math

import pytest
import torch
from trainings import example, load, unlearn

from relearn_lite.core.errors import RecipeError
from relearn_lite.core.files import read_jsonl
from relearn_lite.recipe import Unlearn
from relearn_lite.unlearn.eval_callback import EvalCallback
from relearn_lite.unlearn.selection import EvalResult

STEPS = 12  # three epochs of four


KEYS = {"epochs": 3, "lr": 1e-2, "batch_size": 1, "accumulate": 1, "warmup_epochs": 0, "checkpoint_every": 1}


def weights(loaded):
    return {key: p.detach().clone() for key, p in loaded.model.named_parameters() if p.requires_grad}


class Trial:
    """A training in a folder; `ask` gives (kfr, krr, share) by how often it was asked."""

    def __init__(self, tiny_model_dir, folder, ask=lambda n: (0.5, 1.0, 1.0), **keys):
        self.model_dir, self.folder, self.keys, self.ask = tiny_model_dir, folder, KEYS | keys, ask
        self.asked, self.seen, self.told = 0, [], []

    def run(self, evaluated=True, **changes):
        self.loaded = load(self.model_dir, dropout=0.2)
        keys = self.keys | changes

        def ask():
            self.asked += 1
            self.seen.append(weights(self.loaded))
            return EvalResult(0, *self._now())

        self.log, kept = self.folder / "logs/unlearn/checks.jsonl", self.folder / "checkpoints/unlearn"
        self.callback = EvalCallback(ask, Unlearn(**keys), self.log, kept, self.told.append)
        rows = [{"augmented": example(10 + n, 12)} for n in range(4)]
        callbacks = [self.callback] if evaluated else []
        return unlearn(self.loaded, rows, [], self.folder, callbacks, method="relearn", **keys)

    def _now(self):
        kfr, krr, share = self.ask(self.asked)
        return kfr, krr, 0.3 * share, share

    @property
    def steps(self):
        return [result.step for result in read_jsonl(self.log, EvalResult)]


def same(some, others):
    return some.keys() == others.keys() and all(torch.equal(some[key], others[key]) for key in some)


def test_it_is_asked_every_n_steps_and_after_the_last_and_changes_no_weight(tiny_model_dir, tmp_path):
    alone = Trial(tiny_model_dir, tmp_path / "alone")
    assert alone.run(evaluated=False) == STEPS
    evaluated = Trial(tiny_model_dir, tmp_path / "evaluated", evaluate_every=5)
    assert evaluated.run() == STEPS
    assert evaluated.steps == [5, 10, 12]
    assert same(weights(alone.loaded), weights(evaluated.loaded))
    assert evaluated.callback.best is None, "the last adapter is kept unless the recipe asks for the best"


def test_the_best_check_s_weights_are_put_back(tiny_model_dir, tmp_path):
    trial = Trial(tiny_model_dir, tmp_path, evaluate_every=4, keep_best="harmonic",
                  ask=lambda n: {1: (0.4, 1, 1), 2: (0.9, 1, 1), 3: (1, 0.5, 1)}[n])
    trial.run()
    assert trial.callback.best.step == 8
    assert same(weights(trial.loaded), trial.seen[1]) and not same(trial.seen[1], trial.seen[2])
    assert [file.name for file in (tmp_path / "checkpoints/unlearn").glob("best*")] == ["best-step=8.safetensors"]


def test_it_stops_where_retention_falls_and_says_so(tiny_model_dir, tmp_path):
    trial = Trial(tiny_model_dir, tmp_path, evaluate_every=2, ask=lambda n: (1.0, 1.0 if n < 3 else 0.1, 1.0))
    assert trial.run() == 6
    assert "lowest_krr: krr 0.10 at step 6" in trial.callback.stopped
    assert trial.told[-1] == f"stopped: {trial.callback.stopped}"


def test_a_run_that_had_been_stopped_stays_stopped_and_asks_nothing_again(tiny_model_dir, tmp_path):
    """Killed after the checkpoint of the step at which it stopped, it went on past it."""
    trial = Trial(tiny_model_dir, tmp_path, evaluate_every=2, keep_best="harmonic",
                  ask=lambda n: (0.2 + 0.2 * n, 1.0 if n < 3 else 0.1, 1.0))
    trial.run()
    first, kept = trial.asked, weights(trial.loaded)
    assert trial.run() == 6 and trial.asked == first and "lowest_krr" in trial.callback.stopped
    assert same(weights(trial.loaded), kept)


def test_steps_done_again_after_a_kill_take_their_results_from_the_log(tiny_model_dir, tmp_path):
    trial = Trial(tiny_model_dir, tmp_path, evaluate_every=4, keep_best="harmonic")
    trial.run()
    for file in (tmp_path / "checkpoints/unlearn").glob("step=*"):
        file.unlink()  # as if killed before the first checkpoint
    with trial.log.open("a") as log:
        log.write('{"step": 99, "torn')
    assert trial.run() == STEPS and trial.asked == 3 and trial.steps == [4, 8, 12]


def test_a_loss_that_is_no_number_ends_it_at_once(tiny_model_dir, tmp_path):
    trial = Trial(tiny_model_dir, tmp_path, evaluate_every=50)
    with pytest.raises(RecipeError, match="training diverged"):
        trial.run(lr=1e30)
    assert "not a number" in trial.callback.stopped


def test_the_best_of_before_survives_a_loss_that_is_no_number(tiny_model_dir, tmp_path, monkeypatch):
    trial = Trial(tiny_model_dir, tmp_path, evaluate_every=2, keep_best="harmonic")

    def ruin(_, trainer, module, *__):
        if trainer.global_step == 4:
            with torch.no_grad():
                next(p for p in module.parameters() if p.requires_grad).fill_(math.nan)

    monkeypatch.setattr(EvalCallback, "on_train_batch_start", ruin)
    assert trial.run() < STEPS
    assert trial.callback.best.step == 2 and same(weights(trial.loaded), trial.seen[0])
