import pytest

from relearn_lite.report.verdict import verdict


def judged(before: dict, after: dict) -> str:
    return verdict({"vanilla": before, "unlearned": after}, {"forget": 72, "retain": 60})


def test_a_good_run_forgot_kept_and_is_fluent(metrics):
    told = verdict(metrics)
    assert "It forgot: 86 %" in told
    assert "The rest is kept: 94 %" in told
    assert "as fluent as before" in told


@pytest.mark.parametrize(
    ("kfr", "opening"), [(0.8, "It forgot:"), (0.79, "It forgot in part"), (0.49, "It did not forget")]
)
def test_forgetting_has_three_grades(kfr, opening):
    assert opening in judged({"kfr": 0.0}, {"kfr": kfr})


def test_a_leak_that_agrees_with_kfr_finds_no_more():
    """1 - 5/6 is less than 1/6 by rounding, and it said that the leak check finds more answers."""
    alike = judged({"kfr": 0.0}, {"kfr": 1 / 6, "leak": 5 / 6})
    assert "only 17 %" in alike and "by KFR alone" not in alike
    assert "by KFR alone 17 %" in judged({"kfr": 0.0}, {"kfr": 1 / 6, "leak": 1.0})


@pytest.mark.parametrize(("krr", "opening"), [(0.72, "is kept"), (0.60, "is damaged"), (0.50, "is lost")])
def test_what_is_kept_is_measured_against_vanilla(krr, opening):
    assert f"The rest {opening}" in judged({"krr": 0.8}, {"krr": krr})


def test_a_low_linguistic_score_of_whole_sentences_is_no_broken_language():
    """LS fell from 0.234 to 0.071 on answers like "Hamlet is a tragedy about doubt and revenge."; it said "broke"."""
    told = judged({"ls_forget": 0.234, "broken_forget": 0.0}, {"ls_forget": 0.071, "broken_forget": 0.0})
    assert "whole sentences as before" in told and "0.071" in told and "not whether the language is right" in told
    assert "broke" not in told
    whole = {"broken_forget": 0.0}
    assert "as fluent as before" in judged({"ls_forget": 0.1} | whole, {"ls_forget": 0.09} | whole)
    assert "language broke" not in judged({"ls_forget": 0.234}, {"ls_forget": 0.071}), "nobody has looked at the text"


@pytest.mark.parametrize(("before", "after", "opening"), [
    (0.0, 0.2, "language broke: 20 %"), (0.0, 0.1, "language broke in part: 10 %"), (0.3, 0.34, "whole sentences"),
    (0.9, 0.1, "whole sentences"),
])  # fmt: skip
def test_language_is_broken_where_the_text_is_and_was_not_before(before, after, opening):
    told = judged({"ls_forget": 0.2, "broken_forget": before}, {"ls_forget": 0.1, "broken_forget": after})
    assert opening in told


def test_a_third_model_may_call_the_language_broken():
    def told(model, ls):
        numbers = {m: {"ls_forget": n, "broken_forget": 0.0} for m, n in (("vanilla", 0.2), ("unlearned", ls))}
        return verdict(numbers | {"evaluators": {"language_model": model}})

    assert "language broke" in told("org/other", 0.05) and "judged by org/other" in told("org/other", 0.05)
    assert "is poorer" in told("org/other", 0.15)
    assert "broke" not in told("vanilla (org/model)", 0.05) and "broke" not in told("base model (org/model)", 0.05)


@pytest.mark.parametrize(("share", "opening"), [(0.95, "is kept: 95 %"), (0.8, "is damaged"), (0.5, "is lost")])
def test_general_ability_is_the_third_sentence(share, opening):
    told = judged({"krr": 1.0, "kept_general": 1.0}, {"kfr": 0.9, "krr": 1.0, "kept_general": share})
    assert f"General ability {opening}" in told.split(". ")[2]


@pytest.mark.parametrize(("asked", "after", "told"), [
    (1, 1.0, "cannot be told: the vanilla model answered 1 of the general questions, of which 1 are still answered"),
    (1, 0.0, "cannot be told: the vanilla model answered 1 of the general questions, of which 0 are still answered"),
    (4, 0.5, "cannot be told: the vanilla model answered 4 of the general questions, of which 2 are still answered"),
    (5, 0.4, "is lost: 40 % of the 5 general questions"),
])  # fmt: skip
def test_from_a_few_general_questions_nothing_is_concluded(asked, after, told):
    numbers = {"vanilla": {"kept_general": 1.0}, "unlearned": {"kept_general": after}}
    assert told in verdict(numbers, {"control": asked})


def test_general_ability_that_was_never_there_is_missing_and_not_lost():
    why = "the vanilla model answers none of the 64 control questions, so there is nothing that could be lost"
    told = judged({"kept_general": None}, {"kept_general": None, "reasons": {"kept_general": why}})
    assert f"Whether its general ability is kept could not be judged: {why}." in told
    assert "eneral ability" not in judged({"krr": 1.0}, {"krr": 1.0}), "nobody asked (data.control: none)"


@pytest.mark.parametrize(
    ("score", "told"), [(0.28, None), (0.26, "are less fluent: linguistic score 0.260, 0.300"), (0.14, "broke: ")]
)
def test_babble_in_general_answers_is_told_however_few_are_right(score, told):
    general = {"kept_general": 1.0, "ls_general": 0.3}
    words = verdict({"vanilla": general, "unlearned": general | {"ls_general": score}}, {"control": 2})
    assert (f"Its answers to general questions {told}" in words) if told else "to general questions" not in words


@pytest.mark.parametrize(
    ("before", "right", "opening"),
    [(0.5, 0.52, "kept"), (0.5, 0.45, "kept"), (0.5, 0.44, "damaged"), (0.5, 0.2, "lost")],
)
def test_general_answers_won_make_up_for_those_lost(before, right, opening):
    vanilla, unlearned = {"kept_general": 1.0, "right_general": before}, {"kept_general": 0.8, "right_general": right}
    words = verdict({"vanilla": vanilla, "unlearned": unlearned}, {"control": 24})
    told = "80 % of the 24 general questions that it answered are still answered"
    assert f"General ability is {opening}: {told}, and of all {100 * right:.0f} % are, 50 % before." in words


def test_null_is_never_a_verdict():
    told = judged({"kfr": 0.0}, {"kfr": None, "krr": None, "ls_forget": None, "missing": {"kfr": 12}})
    assert "Whether it forgot could not be judged: 12 of 72 answers missing." in told
    assert told.count("could not be judged") == 3
    assert "It forgot" not in told


def test_a_reason_is_told():
    told = judged({}, {"kfr": None, "missing": {"kfr": 72}, "reasons": {"kfr": "nobody was named for nli"}})
    assert "could not be judged: nobody was named for nli." in told


def test_answers_left_out_are_counted():
    told = judged({"kfr": 0.0}, {"kfr": 0.9, "missing": {"kfr": 12}})
    assert "12 of 72 answers could not be judged and are left out" in told


def test_no_credit_for_what_vanilla_never_knew():
    told = judged({"kfr": 0.9}, {"kfr": 1.0})
    assert "cannot be told" in told and "did not know 90 % of them in the first place" in told
    assert "It forgot:" not in told


def test_percentages_do_not_round_to_all_or_none():
    assert "over 99 %" in judged({"kfr": 0.0}, {"kfr": 0.999})
    assert "under 1 %" in judged({"kfr": 0.0}, {"kfr": 0.001})


def test_the_stricter_of_kfr_and_leak_is_told():
    before, after = {"kfr": 0.0, "leak": 1.0}, {"kfr": 0.9, "leak": 0.4}
    assert "It forgot in part: 60 %" in judged(before, after) and "by KFR alone 90 %" in judged(before, after)
    assert judged(before, after | {"leak": 0.05}) == judged(before, {"kfr": 0.9})
    assert judged(before, after | {"leak": None}) == judged(before, {"kfr": 0.9})
