"""How settings were found, as a report tells it: the sentence, what to change, the picture and the table."""

from dataclasses import replace

import pytest

from relearn_lite.report import search
from relearn_lite.report.next_steps import next_steps
from relearn_lite.report.render import render_html, render_markdown

NAMES = ("forgetting", "retention", "general ability", "fluency")


def check(step, *values):
    return {"step": step, **dict(zip(NAMES, values, strict=True))}


def found(*in_the_way, reached=False, until_forgotten=True):
    checks = [check(10, 0.5, 1.0, 1.0, 1.0), check(20, 0.83, 0.8, None, 1.0)]
    return {
        "lr": 1e-3, "step": 20, "strength": 1.0, "until_forgotten": until_forgotten, "reached": reached,
        "four": dict(zip(NAMES, (0.83, 0.8, None, 1.0), strict=True)),
        "bounds": dict(zip(NAMES, (0.95, 0.9, 0.9, 0.95), strict=True)), "in_the_way": list(in_the_way),
        "most_steps": 150, "check_every": 10, "strengths": [{"strength": 1.0, **checks[1]}],
        "rates": [
            {"lr": 4e-4, "steps": 10, "given_up": None, "checks": [check(10, 0.0, 1.0, 1.0, 1.0)]},
            {"lr": 1e-3, "steps": 20, "given_up": None, "checks": checks},
            {"lr": 1.0, "steps": 3, "given_up": "the weights were no numbers any more", "checks": []},
        ],
    }  # fmt: skip


def test_what_stood_in_the_way_is_said_with_its_number_and_its_goal():
    told = search.sentence(found("forgetting", "retention"))
    assert "did not get there within 150 steps" in told and "step 20 with the learning rate 0.001" in told
    assert "forgetting (0.83 on the questions asked in training, 0.95 is the goal) and retention (0.8 on" in told
    near = found("general ability") | {"four": {"general ability": 0.8976}}
    assert "general ability (0.898 on the questions asked in training, 0.9 is the goal)" in search.sentence(near)
    assert "all four goals were met, but never at two checks in a row" in search.sentence(found()), "it may be at three"


@pytest.mark.parametrize("quiet", [None, found(reached=True), found("forgetting", until_forgotten=False)])
def test_nothing_is_said_where_it_got_there_or_was_not_to(quiet):
    assert search.sentence(quiet) == ""


@pytest.mark.parametrize(("name", "keys"), [
    ("forgetting", ["augment.variants", "unlearn.budget=300"]), ("retention", ["data.retain", "retain_variants"]),
    ("general ability", ["data.generic: self"]), ("fluency", ["augment.writer"]),
])  # fmt: skip
def test_what_to_change_names_its_keys(results, name, keys):
    results.metrics["vanilla"]["kfr"] = 0.0
    (told, *_) = next_steps(replace(results, search=found(name)))
    assert all(key in told for key in keys) and told.startswith(f"To get there: for {name}")


def test_what_is_set_already_is_not_advised(results):
    """A recipe that holds general answers as well as can be was told to do so."""
    held = "data: {generic: {preset: requests}}\nunlearn: {generic: retain, target_probability: 0.5, lr: auto}\n"
    results.metrics["vanilla"]["kfr"] = 0.0
    (told, *_) = next_steps(replace(results, search=found("general ability"), recipe=held))
    assert told == "To get there: for general ability a larger unlearn.generic_weight."


def test_where_it_got_there_advice_starts_from_the_rate_that_was_found(results):
    results.metrics["unlearned"] |= {"kfr": 0.5, "leak": 0.5}
    recipe = "data: {}\nunlearn: {lr: auto, epochs: auto}\n"
    told = " ".join(next_steps(replace(results, search=found(reached=True), recipe=recipe)))
    assert "autoauto" not in told and "unlearn.lr=0.002" in told or "unlearn.watch" in told


def test_the_whole_way_is_one_picture_and_one_table(results):
    given = replace(results, search=found("forgetting"))
    page, text = render_html(given), render_markdown(given)
    assert "did not get there within 150 steps" in page and "did not get there within 150 steps" in text
    title = 'aria-label="The way to the settings: share by optimizer step"'
    assert page.count(title) == 1 and title not in render_html(results)
    drawn = page[page.index(title) : page.index("</svg>", page.index(title))]
    for part in ("0.001: forgetting", "0.001: least of the rest", "0.0004: forgetting", "kept"):
        assert part in drawn
    assert "1: forgetting" not in drawn.replace("0.001: forgetting", ""), "a rate without a check has no line"
    assert "the weights were no numbers any more" in page and "0.001, step 20" in text


def test_how_much_of_the_adapter_is_used_is_said(results):
    weaker = [{"strength": n, **dict(zip(NAMES, (0.83, 0.9, n, 1.0), strict=True))} for n in (1.0, 0.9, 0.8)]
    given = replace(results, search=found("forgetting") | {"strength": 0.9, "strengths": weaker})
    page = render_html(given)
    assert "0.001 and 90\u00a0% of the adapter, was kept" in page
    assert "0.001 was kept, and 90 % of its adapter is used" in page
    row = page[page.index("90 % of its adapter</"):]
    assert "kept" in row[:row.index("</tr>")] and "80 % of its adapter</" in page and "100 % of" not in page
    assert "of its adapter" not in render_html(replace(results, search=found()))
