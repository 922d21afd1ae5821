"""A whole run that finds its own learning rate and length, on the embedded model."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from relearn_lite.core.errors import RecipeError
from relearn_lite.pipeline import pipeline
from relearn_lite.recipe import load_recipe

ROOT = Path(__file__).parents[2]
RECIPE = """
name: found
seed: 3
model: {name: embedded, quantization: none, max_length: 160}
data:
  nothing_known: go_on
  forget: {preset: people/forget, limit: 8}
  retain: {preset: people/retain, limit: 8}
augment: {questions: [simple], completion_fraction: 0}
unlearn:
  lr: auto
  epochs: auto
  budget: 40
  evaluate_every: 8
  batch_size: 4
  accumulate: 1
  checkpoint_every: 4
  lora: {r: 8, dropout: 0.1}
  watch: {questions: 4}
generate: {max_new_tokens: 16, batch_size: 8}
evaluate: {metrics: [kfr, krr, leak]}
"""
SAME = ("metrics.json", "samples.jsonl", "adapter/adapter_model.safetensors", "logs/unlearn/search.json")


@pytest.fixture
def recipe(tmp_path):
    (tmp_path / "recipe.yaml").write_text(RECIPE)
    return tmp_path / "recipe.yaml"


def test_it_finds_them_and_the_report_tells_how(recipe, tmp_path):
    folder = pipeline.run(load_recipe(recipe), runs=tmp_path, quiet=True)
    found = json.loads((folder / "logs/unlearn/search.json").read_text())
    noted = json.loads((folder / "manifest.json").read_text())["stages"]["unlearn"]
    assert noted["lr"] == found["lr"] in (6.2e-4, 1.9e-3, 4.7e-3) and noted["kept_step"] == found["step"]
    assert noted["steps"] == sum(rate["steps"] for rate in found["rates"]) <= 40
    assert "The way to the settings" in (folder / "report.html").read_text()
    said = [row["query"] for row in map(json.loads, (folder / "samples.jsonl").open())]
    checks = folder / f"logs/unlearn/lr-{found['lr']:g}/checks.jsonl"
    asked = [answer["query"] for answer in json.loads(checks.open().readline())["answers"]]
    assert asked and not set(asked) & set(said), "what decides is not reported"


def test_rates_that_cannot_work_end_it_with_a_sentence_and_no_verdict(recipe, tmp_path):
    settings = load_recipe(recipe, ["unlearn.lr=[1.0e-7, 1.0]"])
    with pytest.raises(RecipeError, match="none of the learning rates .* 1e-07 is too low .*; 1 is too high"):
        pipeline.run(settings, runs=tmp_path, quiet=True)
    folder = tmp_path / "found"
    assert not (folder / "metrics.json").exists() and not (folder / "report.html").exists()
    assert not (folder / "adapter").exists()


def start(recipe, runs):
    command = [sys.executable, str(ROOT / "main.py"), str(recipe), "--runs", str(runs)]
    return subprocess.Popen(command, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL, cwd=recipe.parent)


def progress(runs):
    """How many checks there are."""
    logs = sorted((runs / "found/logs/unlearn").glob("lr-*/checks.jsonl"))
    return sum(len(log.read_text().splitlines()) for log in logs)


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 2])
def test_three_kills_change_nothing(recipe, tmp_path, seed):
    """kill -9 within the trials, after them and in what goes on: the same end."""
    assert start(recipe, tmp_path / "whole").wait() == 0
    whole = tmp_path / "whole/found"
    rng, killed = random.Random(seed), tmp_path / "killed"
    for checks in (1, 3, 4):
        process = start(recipe, killed)
        while progress(killed) < checks and process.poll() is None:
            time.sleep(0.02)
        time.sleep(rng.uniform(0, 0.5))
        assert process.poll() is None, "it was over before it could be killed"
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
    assert start(recipe, killed).wait() == 0
    for name in SAME:
        assert (killed / "found" / name).read_bytes() == (whole / name).read_bytes(), f"{name} differs after kills"
