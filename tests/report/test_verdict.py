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


@pytest.mark.parametrize(("krr", "opening"), [(0.72, "is kept"), (0.60, "is damaged"), (0.50, "is lost")])
def test_what_is_kept_is_measured_against_vanilla(krr, opening):
    assert f"The rest {opening}" in judged({"krr": 0.8}, {"krr": krr})


@pytest.mark.parametrize(
    ("ls", "opening"), [(0.09, "as fluent as before"), (0.06, "language is poorer"), (0.02, "language broke")]
)
def test_fluency_is_measured_against_vanilla(ls, opening):
    assert opening in judged({"ls_forget": 0.1}, {"ls_forget": ls})


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
