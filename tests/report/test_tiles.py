"""The tiles agree with the verdict in words, and say nothing that was not measured."""

import dataclasses
import itertools
import re

import pytest

from relearn_lite.report.compare import Compared, models, table, unlike
from relearn_lite.report.plots import Line, curves
from relearn_lite.report.render import render_html, render_markdown
from relearn_lite.report.run_report import sections
from relearn_lite.report.run_results import RunResults
from relearn_lite.report.tiles import tiles
from relearn_lite.report.verdict import verdict


def shown(before, after, **more):
    return {tile.name: tile for tile in tiles(RunResults("x", {"vanilla": before, "unlearned": after}, **more))}


@pytest.mark.parametrize(("kfr", "leak", "was"), list(itertools.product(
    (0.0, 0.49, 0.5, 0.79, 0.8, 1.0), (None, 0.0, 0.3, 0.6), (0.0, 0.3, 0.5)
)))  # fmt: skip
def test_forgot_is_what_the_verdict_says(kfr, leak, was):
    before, after = {"kfr": was}, {"kfr": kfr} | ({} if leak is None else {"leak": leak})
    sentence, tile = verdict({"vanilla": before, "unlearned": after}), shown(before, after)["Forgot"]
    openings = {"It forgot:": "good", "It forgot in part": "warn", "It did not": "bad", "Whether it forgot": "warn"}
    assert tile.tone == next(tone for opening, tone in openings.items() if sentence.startswith(opening))
    assert (tile.word == "cannot be told") == sentence.startswith("Whether")
    assert tile.number.replace("> ", "over ").replace("< ", "under ") in sentence


def test_what_vanilla_knew_is_told_by_the_leak_check_too():
    """KFR alone called it unknown, though its answers told: the tile claimed nothing where the verdict did."""
    before, after = {"kfr": 0.6, "leak": 0.9}, {"kfr": 1.0, "leak": 0.0}
    assert verdict({"vanilla": before, "unlearned": after}).startswith("It forgot:")
    assert shown(before, after)["Forgot"].word == "forgotten"


def test_without_kfr_the_leak_check_alone_is_judged_by_tile_and_verdict_alike():
    before, after = {"leak": 1.0}, {"kfr": None, "leak": 0.1, "missing": {"kfr": 3}, "reasons": {"kfr": "no judge"}}
    told = verdict({"vanilla": before, "unlearned": after}, {"forget": 3})
    share = "90 % of the forget answers no longer tell what they should not"
    assert told.startswith(f"It forgot: {share} (by the leak check alone; KFR: no judge).")
    assert shown(before, after)["Forgot"].word == "forgotten"
    unknown = verdict({"vanilla": {"leak": 0.4}, "unlearned": after})
    assert unknown.startswith("Whether it forgot cannot be told")
    assert shown({"leak": 0.4}, after)["Forgot"].word == "cannot be told"


def test_whole_answers_without_a_linguistic_score_are_whole_in_the_verdict_too():
    after = {"kfr": 1.0, "broken_forget": 0.0, "ls_forget": None, "reasons": {"ls_forget": "no model judged"}}
    before = {"kfr": 0.0, "broken_forget": 0.0}
    assert shown(before, after)["Speaks"].word == "speaks as before"
    told = verdict({"vanilla": before, "unlearned": after})
    whole = "Its answers are whole sentences as before"
    assert f"{whole}; how fluent they are could not be judged: no model judged." in told


def test_a_tile_counts_the_answers_that_its_number_is_of():
    """It said `50 % of 120 retain answers` where 110 of these had not been judged."""
    samples = [{"id": str(n), "split": side} for n in range(12) for side in ("forget", "retain")]
    after = {"kfr": 1.0, "leak": 0.5, "krr": 0.5, "missing": {"krr": 10, "kfr": 4, "leak": 2}}
    found = shown({"kfr": 0.0, "krr": 1.0}, after, samples=samples)
    assert found["Kept"].told.startswith("of 2 retain answers")
    assert found["Forgot"].told.startswith("of 10 forget answers"), "the leak check decided, and judged ten"
    one = shown({"kfr": 0.0}, {"kfr": 1.0, "krr": 1.0}, samples=samples[:2])
    assert one["Kept"].told == "of 1 retain answer"
    assert one["Forgot"].told.startswith("of 1 forget answer tells nothing")


@pytest.mark.parametrize(("krr", "was"), list(itertools.product((0.0, 0.5, 0.6, 0.72, 0.95), (None, 0.0, 0.8, 1.0))))
def test_kept_is_what_the_verdict_says(krr, was):
    before, after = {"kfr": 0.0} | ({} if was is None else {"krr": was}), {"kfr": 1.0, "krr": krr}
    tile = shown(before, after)["Kept"]
    assert f"The rest is {tile.word.split()[-1]}" in verdict({"vanilla": before, "unlearned": after})


@pytest.mark.parametrize(("broken", "ls", "tone"), [
    (0.0, 0.29, "good"), (0.0, 0.1, "good"), (0.05, 0.29, "warn"), (0.2, 0.29, "bad"), (None, 0.29, "good"),
    (None, 0.1, "warn"), (None, None, "warn"),
])  # fmt: skip
def test_speaks_is_broken_only_where_the_text_is(broken, ls, tone):
    after = {key: value for key, value in {"kfr": 1.0, "broken_forget": broken, "ls_forget": ls}.items()
             if value is not None}  # fmt: skip
    tile = shown({"ls_forget": 0.3, "broken_forget": 0.0}, after)["Speaks"]
    assert tile.tone == tone and (tile.number == "—") == (broken is ls is None)


def test_what_was_not_measured_is_no_number_and_one_model_has_no_tiles():
    tile = shown({}, {"kfr": None, "missing": {"kfr": 3}})["Forgot"]
    assert (tile.number, tile.word, tile.tone) == ("—", "cannot be told", "warn")
    assert "General ability" not in shown({}, {"kfr": 1.0}) and shown({}, {"kfr": 1.0, "kept_general": 0.6})
    assert tiles(RunResults("x", {"vanilla": {"kfr": 0.0}})) == []


def test_the_worst_attack_stands_in_the_first_tile(results, attacks):
    attacked = dataclasses.replace(results, attacks=attacks)
    assert "0 % under the worst attack" in tiles(attacked)[0].told
    assert "attack" not in tiles(results)[0].told
    told = attacks | {"any": attacks["any"] | {"kfr": 0.75, "leak": 0.5}}
    assert "50 % under the worst attack" in tiles(dataclasses.replace(results, attacks=told))[0].told, "as the number"
    relearnt = attacks | {"attacks": [], "any": attacks["plain"]}  # fine-tuning alone: nothing else was asked
    assert "attack" not in tiles(dataclasses.replace(results, attacks=relearnt))[0].told


def test_the_page_tells_the_answer_then_examples_pictures_numbers_and_answers(results):
    names = [section.name for section in sections(results)]
    order = ["answer", "examples", "pictures", "metrics", "answers"]
    assert [name for name in names if name in order] == order
    for text in (render_html(results).replace("\xa0", " "), render_markdown(results)):
        assert text.index("forgotten") < text.index("It forgot: 86 %")
    (cards, _) = next(section for section in sections(results) if section.name == "examples").parts
    assert [card.is_forget for card in cards.cards] == [True, True, False] and len({c.id for c in cards.cards}) == 3


def test_answers_come_twenty_at_a_time(results):
    page = render_html(results)
    assert 'id="more"' in page and "const STEP = 20" in page
    assert page.count('" data-tags="') == len(results.samples), "those of the examples are not filtered"


def test_a_diff_strikes_what_is_gone_and_marks_what_is_new_and_what_leaks(results):
    page = render_html(results)
    assert "<del>1961</del>" in page and "<mark>3 May</mark>" in page
    assert re.search(r"<ins>[^<]*</ins>", page)


def test_losses_have_axes_of_their_own_and_one_step_is_seen():
    lines = [Line("a", [(n, 1e3 * n) for n in range(50)], "line-1"), Line("b", [(n, 1.0) for n in range(50)], "line-2")]
    svg = curves("t", lines, "step").svg
    assert "a: 0 → 4.9e+04" in svg and "b: 1 → 1" in svg
    ends = [float(re.search(rf'd="M [\d.]+ ([\d.]+)[^"]*"[^>]*stroke: var\(--line-{n}\)', svg)[1]) for n in (1, 2)]
    assert ends[1] - ends[0] > 20, "the second has a place of its own"
    assert "var(--line-1)" in curves("t", [Line("a", [(1, 2.0)], "line-1")], "step").svg
    assert curves("t", [], "step") is None


def test_a_comparison_warns_of_other_questions_and_other_models(results):
    """What the data were does not tell it: `data.only_known` in one of two recipes leaves out questions of the same
    data, and a run without general questions has a balance of three parts, not four."""
    general = {"id": "c", "split": "control", "query": "Is water wet?", "ground_truth": "Yes."}

    def run(name, out=(), more=(), model="embedded"):
        manifest = results.manifest | {"model": {"name": model}}
        samples = [*(row for row in results.samples if row["id"] not in out), *more]
        return Compared(name, dataclasses.replace(results, manifest=manifest, samples=samples))

    assert unlike([run("a"), run("b"), Compared("c", failure="x")]) == []
    (told,) = unlike([run("a"), run("b", ["f1"]), run("c")])
    assert "the same forget questions" in told and "a, c; b" in told
    (told,) = unlike([run("a"), run("b", ["r1", "r2"])])
    assert "the same retain questions" in told
    (told,) = unlike([run("a", more=[general]), run("b")])
    assert "the same general questions" in told and "General and Balance do not compare between: a; b." in told
    assert "different models" in " ".join(unlike([run("a"), run("b", model="other")]))


def test_nothing_is_bold_that_vanilla_has_too(results):
    other = results.metrics | {"unlearned": results.metrics["unlearned"] | {"krr": 0.98, "kfr": 0.5}}
    shown = table(models([Compared("a", results), Compared("b", dataclasses.replace(results, metrics=other))]))
    cells = {row.name: {key: row.at(key)[0] for key in row.cells} for row in shown.rows}
    assert cells["b"]["krr"].text == cells["vanilla"]["krr"].text and not cells["b"]["krr"].tone
    assert cells["a"]["kfr"].tone == "best"


@pytest.mark.parametrize(("asked", "tone"), [(1, "warn"), (4, "warn"), (5, "bad")])
def test_from_a_few_general_questions_nothing_is_concluded(asked, tone):
    samples = [{"split": "control"}] * asked
    tile = shown({"kept_general": 1.0}, {"kept_general": 0.0}, samples=samples)["General ability"]
    assert tile.tone == tone and tile.number == "0 %"


@pytest.mark.parametrize(("kept", "asked", "fluency", "number", "tone"), [
    (1.0, 2, 0.5, "50 %", "warn"), (1.0, 2, 0.4, "40 %", "bad"), (0.5, 2, 1.1, "100 %", "good"),
    (None, 0, 0.3, "30 %", "bad"), (1.0, 20, 1.0, "100 %", "good"), (1.0, 20, 0.6, "100 %", "warn"),
    (0.5, 20, 1.0, "50 %", "bad"),
])  # fmt: skip
def test_general_ability_is_the_worse_of_what_is_kept_and_of_its_fluency(kept, asked, fluency, number, tone):
    samples = [{"split": "control"}] * asked
    before, after = {"ls_general": 0.2, "kept_general": 1.0}, {"ls_general": 0.2 * fluency, "kept_general": kept}
    tile = shown(before, after, samples=samples)["General ability"]
    assert (tile.number, tile.tone) == (number, tone) and "fluency" in tile.told


@pytest.mark.parametrize(("right", "tone"), [(0.52, "good"), (0.4, "warn"), (0.2, "bad")])
def test_general_answers_won_make_up_for_those_lost(right, tone):
    before, after = {"kept_general": 1.0, "right_general": 0.5}, {"kept_general": 0.8, "right_general": right}
    tile = shown(before, after, samples=[{"split": "control"}] * 24)["General ability"]
    assert (tile.number, tile.tone) == ("80 %", tone) and f"of all {100 * right:.0f} %, 50 % before" in tile.told
