"""What a report says should be done next, from what the run has shown."""

import pytest

from relearn_lite.report.next_steps import next_steps
from relearn_lite.report.render import render_html, render_markdown
from relearn_lite.report.run_results import RunResults

RECIPE = "data: {forget: {path: a}, retain: {path: b}}\nunlearn: {epochs: 4, lr: 1.0e-4, keep_best: null}\n"
GOOD = {"kfr": 0.95, "krr": 0.98, "kept_general": 1.0, "broken_forget": 0.0, "ls_forget": 0.2}
FALLING = [{"step": n, "loss": 0.0, "forget": 4.0 - 0.03 * n} for n in range(100)]
FLAT = [{"step": n, "loss": 0.0, "forget": 4.0 * 0.9**n + 1} for n in range(100)]


def told(before=(), after=(), losses=(), recipe=RECIPE, stage=()):
    metrics = {"vanilla": GOOD | {"kfr": 0.0} | dict(before), "unlearned": GOOD | dict(after)}
    manifest = {"stages": {"unlearn": dict(stage)}}
    return " ".join(next_steps(RunResults("demo", metrics, [], list(losses), manifest, recipe)))


def test_nothing_is_said_where_nothing_is_wrong():
    assert told() == ""
    assert next_steps(RunResults("alone", {"vanilla": {"kfr": 0.9}}, recipe=RECIPE)) == []


def test_not_forgotten_longer_where_the_loss_still_fell_faster_where_it_did_not():
    longer, faster = told(after={"kfr": 0.4}, losses=FALLING), told(after={"kfr": 0.4}, losses=FLAT)
    assert "unlearn.epochs=8" in longer and "unlearn.lr" not in longer
    assert "unlearn.lr=0.0002" in faster and "unlearn.epochs" not in faster
    both = told(after={"kfr": 0.4})
    assert "unlearn.epochs=8" in both and "unlearn.lr=0.0002" in both


def test_what_leaks_counts_where_kfr_calls_it_forgotten():
    assert "forgot too little" in told(after={"kfr": 1.0, "leak": 0.5}, losses=FALLING)


def test_what_vanilla_tells_by_the_leak_check_it_knew():
    assert "did not know" not in told(before={"kfr": 0.6, "leak": 0.9})
    assert "did not know" in told(before={"kfr": 0.6, "leak": 0.4})


def test_what_could_not_be_judged_is_not_among_the_questions_that_are_few():
    samples = [{"id": str(n), "split": "retain"} for n in range(120)]
    after = GOOD | {"missing": {"krr": 110}, "intervals": {"krr": [0.6, 1.0]}}
    metrics = {"vanilla": GOOD | {"kfr": 0.0}, "unlearned": after}
    words = " ".join(next_steps(RunResults("demo", metrics, samples, recipe=RECIPE)))
    assert "120 retain questions are few" not in words
    assert "110 of 120 retain answers could not be judged" in words and "from 0.60 to 1.00" in words


@pytest.mark.parametrize("damage", [{"krr": 0.5}, {"kept_general": 0.6}, {"broken_forget": 0.3}])
def test_no_more_of_what_has_done_damage(damage):
    words = told(after={"kfr": 0.4} | damage, losses=FALLING)
    assert "something else suffered already" in words and "unlearn.lr (5e-05)" in words and "lr=0.0002" not in words


def test_training_that_was_stopped_is_not_just_lengthened():
    words = told(after={"kfr": 0.4}, losses=FALLING, stage={"stopped": "it babbles"})
    assert "training was stopped (it babbles)" in words and "another method" in words


def test_unknown_before_is_not_to_be_trained_longer():
    words = told(before={"kfr": 0.9}, after={"kfr": 0.95})
    assert "finetune" in words and "data.only_known: true" in words and "unlearn.epochs" not in words


def test_where_epochs_are_found_by_asking_none_are_to_be_taken_away():
    """"or fewer epochs" was said where `epochs: auto` leaves none to choose."""
    assert "or fewer epochs" in told(after={"krr": 0.5})
    assert "epochs" not in told(after={"krr": 0.5}, recipe=RECIPE.replace("epochs: 4", "epochs: auto"))


def test_what_was_lost_names_its_own_remedy():
    assert "data.retain" in told(after={"krr": 0.6}) and "unlearn.keep_best=harmonic" in told(after={"krr": 0.6})
    assert "data.generic" in told(after={"kept_general": 0.5})
    assert "data.generic: self" in told(before={"ls_general": 0.3}, after={"ls_general": 0.2}), "babble is damage too"
    own = RECIPE.replace("data: {", "data: {generic: {preset: requests}, ")
    own = own.replace("unlearn: {", "unlearn: {generic: retain, ")
    assert "a larger unlearn.generic_weight" in told(after={"kept_general": 0.5}, recipe=own)
    as_many = {"kept_general": 0.8, "right_general": 0.5}
    assert told(before={"right_general": 0.5}, after=as_many) == "", "others were won instead"
    assert "General ability suffered" in told(before={"right_general": 0.6}, after=as_many)
    broken = told(after={"broken_forget": 0.5}, recipe=RECIPE.replace("null", "harmonic"))
    assert "The language broke: unlearn.lr=5e-05" in broken and "keep_best" not in broken


def test_few_questions_are_told_by_the_width_of_the_interval():
    words = told(after={"intervals": {"kfr": [0.45, 0.93], "krr": [0.9, 1.0]}})
    assert "0.45 to 0.93" in words and "data.forget_eval" in words
    assert told(after={"intervals": {"kfr": [0.85, 0.99]}}) == ""


@pytest.mark.parametrize(("count", "begins"), [(1, "One forget question is few:"), (6, "6 forget questions are few:")])
def test_one_question_is_one(count, begins):
    """It said: 1 forget questions are few."""
    metrics = {"vanilla": GOOD | {"kfr": 0.0}, "unlearned": GOOD | {"intervals": {"kfr": [0.2, 1.0]}}}
    row = {"split": "forget", "ground_truth": "x", "scores": {}}
    (said,) = next_steps(RunResults("demo", metrics, [row] * count, [], {}, RECIPE))
    assert said.startswith(begins)


def test_the_page_and_the_markdown_begin_with_it(results):
    results.metrics["unlearned"]["krr"] = 0.5
    for page in (render_html(results), render_markdown(results)):
        assert "What to do next" in page and page.rindex("What to do next") < page.rindex("All numbers")


@pytest.mark.parametrize("lr", ["auto", "[1.0e-4, 2.0e-4]"])
def test_a_run_whose_logs_were_deleted_still_says_what_to_do(lr):
    """What was found in training stands in logs/; without it half of `auto` was asked for, and the table never came."""
    recipe = RECIPE.replace("lr: 1.0e-4", f"lr: {lr}")
    assert "a lower unlearn.lr or fewer epochs" in told(after={"kfr": 0.1, "krr": 0.2}, recipe=recipe)
    assert "or at a higher learning rate (a higher unlearn.lr)" in told(after={"kfr": 0.1}, recipe=recipe)
