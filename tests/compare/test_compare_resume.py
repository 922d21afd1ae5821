"""kill -9 in the middle of a comparison: no finished stage is done twice, and the end is that of an unbroken one."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
RECIPE = """
name: k
seed: 3
model: {name: embedded, quantization: none, max_length: 160}
data:
  control: none
  nothing_known: go_on
  forget: {preset: people/forget, limit: 8}
  retain: {preset: people/retain, limit: 8}
  generic: {preset: people/general, limit: 8}
unlearn:
  {epochs: 2, lr: 2.0e-3, batch_size: 16, accumulate: 1, checkpoint_every: 3, lora: {r: 8}, watch: {questions: 4}}
generate: {max_new_tokens: 24, batch_size: 8}
attacks:
  {questions: 4, sampling: false, precision: [4bit],
   relearn: {sources: [forget], examples: 2, steps: 6, measure_every: 2, lr: 4.0e-3}}
compare:
  methods:
    - {name: relearn, method: relearn_klr_gdr, evaluate_every: 4, keep_best: harmonic}
    - {name: ga, method: ga, sweep: {lr: [1.0e-3, 1.0e-1]}}
    - {name: broken, method: ga, lr: 1.0e+30}
"""
# Killed soon after each of these is there.
MARKS = ("methods/vanilla/answers", "methods/relearn/logs/unlearn/checks.jsonl", "methods/relearn/answers",
         "methods/relearn/attacks/plain.jsonl", "methods/relearn/attacks/relearning_forget",
         "sweep/ga/lr-0.001/manifest.json", "sweep/ga/lr-0.1/manifest.json", "methods/ga/answers",
         "methods/broken/manifest.json")  # fmt: skip
SAME = ("metrics.json", "samples.jsonl", "adapter_model.safetensors", "augmented.jsonl", "check.json", "failed.json",
        "attacks.json")  # fmt: skip


def start(recipe, runs):
    command = [sys.executable, str(ROOT / "main.py"), "compare", str(recipe), "--runs", str(runs), "--quiet"]
    return subprocess.Popen(command, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL, cwd=recipe.parent,
                            env={**os.environ, "OMP_NUM_THREADS": "1"})


def finished(runs):
    manifests = {path: json.loads(path.read_text())["stages"] for path in runs.rglob("manifest.json")}
    return {(path, name): stage["finished"] for path, stages in manifests.items() for name, stage in stages.items()}


@pytest.mark.slow
def test_nine_kills_change_nothing(tmp_path):
    recipe = tmp_path / "recipe.yaml"
    recipe.write_text(RECIPE)
    whole, runs, rng = tmp_path / "whole", tmp_path / "killed", random.Random(5)
    assert start(recipe, whole).wait() == 0
    for mark in MARKS:
        before, process = finished(runs), start(recipe, runs)
        while process.poll() is None and not (runs / "k" / mark).exists():
            time.sleep(0.05)
        time.sleep(rng.uniform(0, 2.5))
        if process.poll() is None:
            os.kill(process.pid, signal.SIGKILL)
        process.wait()
        after = finished(runs)
        assert [key for key in before if after.get(key) != before[key]] == [], "finished stages were done twice"
    assert start(recipe, runs).wait() == 0
    files = [path for path in whole.rglob("*") if path.is_file()]
    told = [path for path in files if path.name in SAME or path.parent.name == "answers"]
    assert len(told) > 20
    for path in told:
        assert (runs / path.relative_to(whole)).read_bytes() == path.read_bytes(), path
