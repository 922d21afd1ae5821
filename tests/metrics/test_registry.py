"""What metrics say about themselves."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from relearn_lite import metrics
from relearn_lite.recipe.names import DEFAULT_METRICS, metric_name_problems

ROOT = Path(__file__).resolve().parents[2]


def test_every_number_that_can_be_had_stands_in_numbers_yaml_and_no_other():
    declared = (*metrics.METRICS.values(), *metrics.ABILITY)
    measured = {m.key(part, side) for m in declared for part in m.parts for side in m.sides}
    assert measured | {c.name for c in metrics.COMBINED} == set(metrics.keys())
    assert all(part in metrics.keys() for c in metrics.COMBINED for part in c.of)


def test_the_keys_that_users_rely_on():
    both = [f"{part}_{side}" for part in ("ls", "ppl", "brunet", "honore", "rttr", "rouge1", "rougeL")
            for side in ("forget", "retain")]  # fmt: skip
    assert set(both) | {"kfr", "krr", "forget_score", "retain_score"} <= set(metrics.keys())
    assert set(DEFAULT_METRICS) <= set(metrics.METRICS)


@pytest.mark.parametrize("key", metrics.keys().values(), ids=lambda key: key.name)
def test_a_key_says_how_to_read_it(key):
    assert key.description.endswith(".") and len(key.description) > 30
    assert key.ideal is None or key.low <= key.ideal and (key.high is None or key.ideal <= key.high)


def test_forgetting_and_keeping_pull_in_opposite_directions():
    assert metrics.keys()["rougeL_forget"].good == "lower"
    assert metrics.keys()["rougeL_retain"].good == "higher"
    assert metrics.key_of("kfr_paraphrase") is metrics.keys()["kfr"]
    assert metrics.key_of("missing") is None


@pytest.mark.parametrize(
    ("wrong", "meant"), [("rogue", "rouge"), ("rougeL_forget", "rouge"), ("ppl", "ls"), ("KFR", "kfr")]
)
def test_a_wrong_name_is_told_with_what_was_meant(wrong, meant):
    (problem,) = metric_name_problems([wrong, "krr"])
    assert f"'{wrong}'" in problem and f"Did you mean '{meant}'?" in problem and "kfr, krr, ls, rouge" in problem


def test_importing_the_names_is_light():
    heavy = "('torch', 'nltk', 'transformers', 'rouge_score', 'scipy')"
    code = f"import sys, relearn_lite.metrics; print([m for m in {heavy} if m in sys.modules])"
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert shown.stdout.strip() == "[]"


def test_the_docs_have_a_row_for_every_key():
    table = (ROOT / "docs" / "metrics.md").read_text(encoding="utf-8")
    told = {key.removesuffix("_…") for key in re.findall(r"`([\w…]+)`", table)}
    assert not [key for key in metrics.keys() if not {key, re.sub("_(forget|retain|general)$", "", key)} & told]
