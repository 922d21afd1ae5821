"""Learning rate and length found by asking: real trainings of a tiny model, answers as if they had been judged."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from test_eval_callback import same, weights
from trainings import example, load

from relearn_lite.core.errors import RecipeError
from relearn_lite.data.batches import TrainingRows
from relearn_lite.models.loaded import active_adapters
from relearn_lite.recipe import Trainer, Unlearn
from relearn_lite.unlearn import goal
from relearn_lite.unlearn.checkpoints import WholeCheckpoints
from relearn_lite.unlearn.diagnostics import losses
from relearn_lite.unlearn.search import Search
from relearn_lite.unlearn.selection import EvalResult
from relearn_lite.unlearn.train import TrainingRun

KEYS = {
    "method": "relearn", "lr": [1e-3, 1e-2], "epochs": "auto", "budget": 24, "evaluate_every": 4, "batch_size": 1,
    "accumulate": 1, "warmup_epochs": 0.5, "checkpoint_every": 2,
}  # fmt: skip
ROWS = TrainingRows([{"augmented": example(10 + n, 12)} for n in range(5)])  # an epoch ends between two checks


def found(told=0.0, krr=1.0, general=1.0, broken=0.0, moved=0.5, leak=None):
    """What a check finds where a share `told` is still told."""
    leak = told if leak is None else leak
    return EvalResult(0, 1 - told, krr, 0.3, 1.0, [], general, leak, krr, general, broken, moved)


class Killed(Exception):
    pass


class Trial:
    """A search in a folder; `ask` gives what a check finds, by how often it was asked."""

    def __init__(self, tiny_model_dir, folder, ask, **keys):
        self.model_dir, self.folder, self.keys, self.ask = tiny_model_dir, folder, KEYS | keys, ask
        self.asked, self.seen, self.told = 0, [], []

    def run(self, kill_at=None):
        self.loaded = load(self.model_dir, dropout=0.2)

        def ask():
            if self.asked + 1 == kill_at:
                raise Killed
            self.asked += 1
            self.seen.append(weights(self.loaded))
            return self.ask(self.asked)

        training = TrainingRun("unlearn", self.folder, 5, Trainer(accelerator="cpu"), quiet=True)
        search = Search(self.loaded, ROWS, Unlearn(**self.keys), training, ask, self.told.append)
        with active_adapters(self.loaded.model, self.loaded.unlearned_adapters):
            self.result = search.run()
        return self.result

    def checks(self, lr):
        return [check["step"] for rate in self.result["rates"] if rate["lr"] == lr for check in rate["checks"]]


def test_every_rate_is_tried_as_far_as_a_check_and_the_one_that_forgot_most_goes_on(tiny_model_dir, tmp_path):
    told = {1: 0.9, 2: 0.5, 3: 0.2}
    trial = Trial(tiny_model_dir, tmp_path, lambda n: found(told.get(n, 0.0)))
    result = trial.run()
    assert trial.checks(1e-3) == [4] and trial.checks(1e-2) == [4, 8, 12, 16]
    assert (result["lr"], result["step"], result["reached"]) == (1e-2, 16, True)
    assert same(weights(trial.loaded), trial.seen[4]), "the weights of the last check, at which it was forgotten twice"
    assert json.loads((tmp_path / "logs/unlearn/search.json").read_text()) == result
    assert [row["step"] for row in losses(tmp_path)] == list(range(16)), "the losses of the rate that was kept"


def test_a_rate_that_does_harm_does_not_go_on_however_much_it_forgets(tiny_model_dir, tmp_path):
    def ask(n):
        return found(0.0, general=0.4) if n == 2 else found(0.9 if n < 4 else 0.0)

    assert Trial(tiny_model_dir, tmp_path, ask).run()["lr"] == 1e-3


def test_the_lowest_rate_that_forgot_half_goes_on_though_retention_fell(tiny_model_dir, tmp_path):
    """Higher ones are not tried: the lowest would be taken whatever they do."""
    told = {1: 0.9, 2: 0.5}
    trial = Trial(tiny_model_dir, tmp_path, lambda n: found(told.get(n, 0.0), krr=0.5 if n == 2 else 1.0),
                  lr=[1e-2, 1e-3, 3e-3], budget=28)  # fmt: skip
    assert trial.run()["lr"] == 3e-3 and [rate["lr"] for rate in trial.result["rates"]] == [1e-3, 3e-3]


def test_of_rates_that_do_harm_the_one_that_does_least_for_what_it_forgets_goes_on(tiny_model_dir, tmp_path):
    def ask(n):
        return found(0.0, general=0.1) if n == 2 else found(0.6 if n < 4 else 0.0, krr=0.8 if n == 1 else 1.0)

    assert Trial(tiny_model_dir, tmp_path, ask).run()["lr"] == 1e-3


def test_what_forgot_alike_is_told_apart_by_how_far_the_answers_moved(tiny_model_dir, tmp_path):
    result = Trial(tiny_model_dir, tmp_path, lambda n: found(1.0 if n < 4 else 0.0, moved={1: 2.0}.get(n, 0.5))).run()
    assert result["lr"] == 1e-3


def test_it_goes_on_from_its_trial_as_if_there_had_been_no_other(tiny_model_dir, tmp_path):
    """The second of two, and alone: the same weights."""
    several = Trial(tiny_model_dir, tmp_path / "several", lambda n: found(1.0 if n == 1 else 0.5 if n < 5 else 0.0))
    alone = Trial(tiny_model_dir, tmp_path / "alone", lambda n: found(0.5 if n < 4 else 0.0), lr=1e-2)
    assert several.run()["step"] == alone.run()["step"] == 20
    assert same(weights(several.loaded), weights(alone.loaded))
    rate = [row["lr"] for row in losses(tmp_path / "alone")]
    assert rate[0] < rate[5] == rate[14] == pytest.approx(1e-2), "constant after the warm-up, for its end is not known"
    assert rate[16:20] == pytest.approx([1e-2, 7.5e-3, 5e-3, 2.5e-3]), "falls where it is forgotten, until twice so"


def test_without_success_the_best_point_is_kept_and_what_is_in_the_way_named(tiny_model_dir, tmp_path):
    found_at = {3: found(0.2, general=0.8), 4: found(0.0, krr=0.6, general=0.4)}
    trial = Trial(tiny_model_dir, tmp_path, lambda n: found_at.get(n, found(0.7)))
    result = trial.run()
    assert not result["reached"] and result["in_the_way"] == ["forgetting", "general ability"]
    assert sum(rate["steps"] for rate in result["rates"]) == 24, "the whole budget, trials included"
    assert (result["lr"], result["step"]) == (1e-3, 8) and same(weights(trial.loaded), trial.seen[2])


def test_one_check_is_not_enough(tiny_model_dir, tmp_path):
    trial = Trial(tiny_model_dir, tmp_path, lambda n: found(0.0 if n % 2 else 0.3), lr=1e-2)
    result = trial.run()
    assert not result["reached"] and result["in_the_way"] == [] and trial.asked == 6


def test_of_checks_that_met_all_goals_the_latest_is_kept(tiny_model_dir, tmp_path):
    """Though one general question fewer was right: its rate has fallen, and so few questions tell no more."""
    trial = Trial(tiny_model_dir, tmp_path, lambda n: found(0.0, general=1.0 if n == 1 else 0.92), lr=1e-2)
    assert trial.run()["step"] == 8 and trial.result["reached"] and same(weights(trial.loaded), trial.seen[1])


def test_where_the_best_rate_does_too_much_harm_the_next_one_has_the_rest_of_the_budget(tiny_model_dir, tmp_path):
    trial = Trial(tiny_model_dir, tmp_path, lambda n: found(0.1 * n, krr=0.1 if n == 2 else 1.0), budget=40)
    result = trial.run()
    assert trial.checks(1e-3) == [4, 8] and trial.checks(1e-2) == list(range(4, 33, 4))
    gone = {rate["lr"]: rate["given_up"] for rate in result["rates"]}
    assert "lowest_krr" in gone[1e-3] and gone[1e-2] is None


def test_a_rate_that_was_not_tried_is_not_begun_where_the_budget_is_used(tiny_model_dir, tmp_path):
    """The first one does harm at the very last check."""
    trial = Trial(tiny_model_dir, tmp_path, lambda n: found(0.1 * n, krr=0.1 if n == 6 else 1.0))
    assert [(rate["lr"], rate["steps"]) for rate in trial.run()["rates"]] == [(1e-3, 24)]


def test_at_the_first_check_retention_may_have_fallen(tiny_model_dir, tmp_path):
    trial = Trial(tiny_model_dir, tmp_path, lambda n: found(0.0, krr=0.1 if n == 1 else 1.0), lr=1e-2)
    assert trial.run()["reached"] and trial.checks(1e-2) == [4, 8, 12]


def test_a_number_of_epochs_is_trained_to_its_end(tiny_model_dir, tmp_path):
    trial = Trial(tiny_model_dir, tmp_path, lambda n: found(1.0 if n == 1 else 0.0), epochs=2, budget=None)
    result = trial.run()
    assert trial.checks(1e-2) == [4, 8, 10] and result["reached"] and not result["until_forgotten"]
    rate = [row["lr"] for row in losses(tmp_path)]
    assert rate[-1] == pytest.approx(1e-2 / 8) and max(rate) == pytest.approx(1e-2), "falls to the end, which is known"


@pytest.mark.parametrize(("moved", "krr", "told"), [
    ({1: 1e-6, 2: 3.0}, {2: 0.0}, ["0.001 is too low", "1e-06 nats", "0.01 is too high (retention fell"]),
    ({1: 1e-6, 2: 1e-5}, {}, ["0.001 is too low", "0.01 is too low"]),
])  # fmt: skip
def test_rates_that_cannot_work_end_with_a_sentence(tiny_model_dir, tmp_path, moved, krr, told):
    trial = Trial(tiny_model_dir, tmp_path, lambda n: found(1.0, krr=krr.get(n, 1.0), moved=moved[n]))
    with pytest.raises(RecipeError) as caught:
        trial.run()
    assert all(words in str(caught.value) for words in [*told, "unlearn.lr: none", "auto"]), caught.value
    with pytest.raises(RecipeError, match="none of the learning rates"):
        trial.run()
    assert trial.asked == 2, "told again without asking again"


def test_a_trial_that_is_the_whole_training_is_told_with_its_own_steps(tiny_model_dir, tmp_path):
    keys = {"epochs": 1, "budget": None, "evaluate_every": 50, "lr": [1e-3, 1e-2]}
    with pytest.raises(RecipeError, match="within 5 steps: 0.001 is too low .after 5 steps"):
        Trial(tiny_model_dir, tmp_path, lambda n: found(1.0, moved=1e-6), **keys).run()


def test_a_rate_at_which_training_diverges_is_one_that_cannot_work(tiny_model_dir, tmp_path):
    trial = Trial(tiny_model_dir, tmp_path, lambda n: found(1.0 if n == 1 else 0.0), lr=[1e-2, 1e30])
    result = trial.run()
    assert result["lr"] == 1e-2 and "no number" in result["rates"][1]["given_up"]


@pytest.mark.parametrize("kills", [(1, 2, 3), (2, 4, 5), (3, 3, 4)])
def test_three_kills_change_nothing(tiny_model_dir, tmp_path, kills, monkeypatch):
    """In the trials, between them and in what goes on: the same weights, and nothing is asked twice."""
    def ask(n):
        return found({1: 0.9, 2: 0.5, 3: 0.3}.get(n, 0.0))

    whole = Trial(tiny_model_dir, tmp_path / "whole", ask)
    whole.run()
    killed = Trial(tiny_model_dir, tmp_path / "killed", ask)
    for kill_at in kills:
        with pytest.raises(Killed):
            killed.run(kill_at)
    assert killed.run() == whole.result and killed.asked == whole.asked
    assert same(weights(killed.loaded), weights(whole.loaded))


@pytest.mark.parametrize(("keys", "harm_at", "kills"), [
    ({"budget": 40}, 3, (3, 5, 7)), ({"epochs": 2, "budget": None}, 3, (5, 6)),
])  # fmt: skip
def test_kills_after_a_rate_was_given_up_change_nothing(tiny_model_dir, tmp_path, keys, harm_at, kills):
    """One that did harm at its very last step was taken for done, and the next one was not trained to its end."""
    def ask(n):
        return found(0.1 * n, krr=0.1 if n == harm_at else 1.0)

    whole, killed = (Trial(tiny_model_dir, tmp_path / name, ask, **keys) for name in ("whole", "killed"))
    whole.run()
    for kill_at in kills:
        with pytest.raises(Killed):
            killed.run(kill_at)
    assert killed.run() == whole.result and killed.asked == whole.asked
    assert same(weights(killed.loaded), weights(whole.loaded))


@pytest.mark.parametrize("step", [3, 11])
def test_a_kill_between_checks_changes_nothing(tiny_model_dir, tmp_path, step, monkeypatch):
    def ask(n):
        return found(0.5 if n < 4 else 0.0)

    whole, killed = (Trial(tiny_model_dir, tmp_path / name, ask) for name in ("whole", "killed"))
    whole.run()
    left = [step]

    def kill(_, trainer, *__):
        if left and trainer.global_step == left[0]:
            left.clear()
            raise Killed

    with monkeypatch.context() as patch:
        patch.setattr("relearn_lite.unlearn.search.SearchCallback.on_train_batch_start", kill)
        with pytest.raises(Killed):
            killed.run()
    assert killed.run() == whole.result and same(weights(killed.loaded), weights(whole.loaded))


def test_checkpoints_are_as_rare_as_asked_for_however_far_apart_checks_are(tiny_model_dir, tmp_path, monkeypatch):
    """Checks at every 7th step and checkpoints at every 5th made a checkpoint at each; a trial's end has one, too."""
    def ask(n):
        return found({1: 0.9, 2: 0.4}.get(n, 0.0))

    saved, save = [], WholeCheckpoints.save_checkpoint

    def noted(self, checkpoint, path, **options):
        saved.append(Path(path).stem)
        save(self, checkpoint, path, **options)

    monkeypatch.setattr(WholeCheckpoints, "save_checkpoint", noted)
    keys = {"evaluate_every": 7, "checkpoint_every": 5, "budget": 35}
    whole, killed = (Trial(tiny_model_dir, tmp_path / name, ask, **keys) for name in ("whole", "killed"))
    whole.run()
    assert saved == [f"step={n}" for n in (5, 7, 5, 7, 10, 15, 20)] and whole.result["step"] == 21
    for kill_at in (2, 3, 4):
        with pytest.raises(Killed):
            killed.run(kill_at)
    assert killed.run() == whole.result and same(weights(killed.loaded), weights(whole.loaded))


def test_the_kept_adapter_is_weakened_where_that_keeps_more(tiny_model_dir, tmp_path):
    """All four goals are met at two strengths, which is as good as at two checks; the file of weights stays whole."""
    trial = Trial(tiny_model_dir, tmp_path, lambda n: found(0.0, general=0.5 if n <= 6 else 1.0), lr=1e-2)
    result = trial.run()
    assert (result["step"], result["strength"], result["reached"], result["in_the_way"]) == (24, 0.9, True, [])
    assert [row["strength"] for row in result["strengths"]] == [1.0, 0.9, 0.8, 0.7, 0.6, 0.5]
    for name, value in weights(trial.loaded).items():
        assert torch.equal(value, trial.seen[5][name] * (0.9 if "lora_B" in name else 1.0)), name
    kept, asked = weights(trial.loaded), trial.asked
    assert trial.run() == result and trial.asked == asked and same(weights(trial.loaded), kept), "resumed: asks nothing"


def test_a_number_of_epochs_is_used_whole(tiny_model_dir, tmp_path):
    trial = Trial(tiny_model_dir, tmp_path, lambda n: found(0.0, general=0.5), lr=[1e-2], epochs=2, budget=None)
    assert trial.run()["strength"] == 1.0 and trial.asked == 3


def test_a_run_killed_after_training_only_puts_the_best_back(tiny_model_dir, tmp_path):
    trial = Trial(tiny_model_dir, tmp_path, lambda n: found({1: 0.9, 2: 0.5, 3: 0.1, 4: 0.2}.get(n, 0.3)))
    first, asked = trial.run(), trial.asked
    kept = weights(trial.loaded)
    assert trial.run() == first and trial.asked == asked and same(weights(trial.loaded), kept)


def test_the_four_goals():
    watch = Unlearn().watch
    assert goal.in_the_way(found(0.05), watch) == []
    assert goal.in_the_way(found(0.0, leak=0.5), watch) == ["forgetting"], "the stricter of KFR and the leak check"
    assert goal.in_the_way(found(0.0, krr=0.89, broken=0.2), watch) == ["retention", "fluency"]
    assert goal.in_the_way(replace(found(), krr_share=None), watch) == ["retention"], "not had is not held"
    assert goal.in_the_way(replace(found(), kfr=None), watch) == ["forgetting"], "nor by the leak check alone"
    assert goal.in_the_way(replace(found(), general_share=None), watch) == [], "general ability may not be asked"
    babble = replace(found(), general_share=None, general_ls_share=0.8)
    assert goal.in_the_way(babble, watch) == ["general ability"], "no right answer is needed to see it babble"
    assert goal.in_the_way(replace(found(), general_share=0.8, general_ls_share=1.2), watch) == ["general ability"]
    assert goal.evenness(found(1.0)) == 0.0 and goal.evenness(found()) == 1.0
    told = goal.describe(replace(found(0.25), general_share=None), watch)
    assert told.startswith("forgetting 0.75 (goal 0.95), retention 1.00 (goal 0.9), fluency") and "general" not in told
    worse, better, same_later = (replace(found(told), step=step) for told, step in ((0.5, 9), (0.2, 5), (0.2, 7)))
    assert goal.best([worse, better, same_later], watch) is same_later


def test_the_rates_that_auto_tries_follow_the_width():
    rates = {hidden: Unlearn(lr="auto").rates(hidden) for hidden in (192, 576, 4096)}
    assert rates[576] == [2.6e-4, 7.9e-4, 2.0e-3] and rates[192][1] == 1.9e-3 and rates[4096][1] == 1.7e-4
    assert Unlearn(lr=1e-4).rates(576) == [1e-4] and Unlearn(lr=[1e-4, 1e-3]).rates(576) == [1e-4, 1e-3]


def test_a_trial_sees_the_whole_rate_however_long_the_warm_up(tiny_model_dir, tmp_path):
    trial = Trial(tiny_model_dir, tmp_path, lambda n: found(0.0), warmup_epochs=3, lr=1e-2)
    trial.run()
    assert losses(tmp_path)[3]["lr"] == pytest.approx(1e-2)
    assert torch.isfinite(next(iter(weights(trial.loaded).values()))).all()


def test_the_rate_that_reached_all_goals_twice_is_kept_not_one_that_was_given_up(tiny_model_dir, tmp_path):
    """The other had met them once, at a later step: its weights were kept under a verdict that was not theirs."""
    def ask(n):
        return found(0.0, krr=0.1 if n == 4 else 1.0, general=1.0 if n == 3 or n > 4 else 0.5)

    trial = Trial(tiny_model_dir, tmp_path, ask, budget=40)
    result = trial.run()
    assert trial.checks(1e-3) == [4, 8, 12, 16] and trial.checks(1e-2) == [4, 8]
    assert (result["lr"], result["step"], result["reached"]) == (1e-2, 8, True)
    assert same(weights(trial.loaded), trial.seen[5])
