"""What the losses of a training that went wrong are told as, and that a sound one is left in peace."""

import math

from relearn_lite.unlearn.diagnostics import explain, search_of


def steps(count=40, **terms):
    """Rows of `count` steps; each term is a function of the step."""
    return [{"step": n, "loss": 1.0} | {name: float(value(n)) for name, value in terms.items()} for n in range(count)]


def test_a_sound_training_gets_no_words():
    falling = steps(forget=lambda n: 3 * 0.9**n, retain_ce=lambda n: 0.4 - 0.005 * n, retain_kl=lambda n: 0.004 * n)
    assert explain(falling) == []
    assert explain([]) == []


def test_a_loss_that_is_no_number_is_dated_to_its_first_step():
    rows = steps(loss=lambda n: math.nan if n >= 17 else 1.0)
    (sentence,) = explain(rows)
    assert "not a number from step 17 on" in sentence and "unlearn.lr" in sentence


def test_gradient_ascent_that_falls_without_bound_is_told():
    (sentence,) = explain(steps(forget=lambda n: -0.05 - 2.0 * n))
    assert "fell without bound, from -0.05 to -78" in sentence


def test_a_forget_term_that_has_levelled_off_or_is_short_of_chance_is_not():
    assert explain(steps(forget=lambda n: -0.2 * n)) == []  # down to -7.8 nats
    assert explain(steps(forget=lambda n: -20.0 if n else 0.0)) == []  # low, but no longer falling


def test_a_retain_term_that_rises_is_named():
    (sentence,) = explain(steps(forget=lambda n: 1.0, retain_kl=lambda n: 0.1 * n))
    assert "retain term kl rose from 0.15 to 3.8" in sentence


def test_too_few_steps_tell_no_trend():
    assert explain(steps(5, forget=lambda n: -100.0 * n, retain_ce=lambda n: 10.0 * n)) == []


def test_a_search_from_before_strengths_used_the_whole_adapter(tmp_path):
    assert search_of(tmp_path) is None
    (tmp_path / "logs/unlearn").mkdir(parents=True)
    (tmp_path / "logs/unlearn/search.json").write_text('{"lr": 0.1}')
    assert search_of(tmp_path) == {"lr": 0.1, "strength": 1.0, "strengths": []}
