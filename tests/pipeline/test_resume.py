"""kill -9 at random moments: whatever is finished is kept, and the end is the same as without a kill."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from relearn_lite.pipeline import pipeline
from relearn_lite.recipe import load_recipe

ROOT = Path(__file__).parents[2]
EVERY_STAGE = ("finetune", "ask", "augment", "unlearn", "unlearn", "generate", "evaluate", "report")
RECIPE = """
name: killed
seed: 3
model: {name: embedded, quantization: none, max_length: 160}
data:
  control: none
  nothing_known: go_on
  forget: {preset: people/forget, limit: 12}
  retain: {preset: people/retain, limit: 12}
  generic: {preset: people/general, limit: 12}
finetune: {epochs: 2, lr: 1.0e-4, batch_size: 8, accumulate: 2, checkpoint_every: 1, lora: {r: 4, dropout: 0.1}}
unlearn: {epochs: 2, lr: 2.0e-3, batch_size: 8, accumulate: 2, checkpoint_every: 3, lora: {r: 8, dropout: 0.1}}
generate: {max_new_tokens: 24, batch_size: 8}
"""
# What must not depend on kills. Times, and the losses of tries that were killed, may.
SAME = ("augmented.jsonl", "dropped.jsonl", "metrics.json", "samples.jsonl", "answers/vanilla_forget.jsonl",
        "answers/unlearned_forget.jsonl", "answers/unlearned_retain.jsonl", "adapter/adapter_model.safetensors")


def start(recipe, runs):
    command = [sys.executable, str(ROOT / "main.py"), str(recipe), "--runs", str(runs)]
    return subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True, cwd=recipe.parent,
                            env={**os.environ, "OMP_NUM_THREADS": "1"})


def finish(recipe, runs):
    """To the end, in this process: what is not killed needs none of its own."""
    pipeline.run(load_recipe(recipe), runs=runs, quiet=True)


def manifest(runs):
    path = runs / "killed" / "manifest.json"
    return json.loads(path.read_text()) if path.exists() else {"stages": {}, "started": {}}


def kill_in(stage, process, runs, delay):
    """Waits until `stage` has begun, a little longer, and kills. False: the process had ended by itself."""
    while process.poll() is None and stage not in manifest(runs)["started"] and stage not in manifest(runs)["stages"]:
        time.sleep(0.02)
    time.sleep(delay)
    ended = process.poll() is not None
    if not ended:
        os.kill(process.pid, signal.SIGKILL)
    process.wait()
    return not ended


@pytest.mark.parametrize(
    ("stages", "least"),
    [
        pytest.param(("unlearn",), 1, id="one"),
        pytest.param(EVERY_STAGE, 10, id="ten", marks=pytest.mark.slow),
    ],
)
def test_kills_change_nothing(stages, least, tmp_path):
    recipe = tmp_path / "recipe.yaml"
    recipe.write_text(RECIPE)
    finish(recipe, tmp_path / "whole")
    took = {name: stage["seconds"] for name, stage in manifest(tmp_path / "whole")["stages"].items()}

    rng = random.Random(11)
    kills, chains = 0, []
    while kills < least:
        runs = tmp_path / f"chain{len(chains)}"
        chains.append(runs)
        for stage in stages:
            before = manifest(runs)["stages"]
            process = start(recipe, runs)
            kills += kill_in(stage, process, runs, delay=rng.uniform(0, 1.2 * took[stage]))
            after = manifest(runs)["stages"]
            again = [name for name in before if after[name] != before[name]]
            assert not again, f"finished stages were done twice: {again}"
        finish(recipe, runs)

    for runs in chains:
        for name in SAME:
            expected = (tmp_path / "whole" / "killed" / name).read_bytes()
            assert (runs / "killed" / name).read_bytes() == expected, f"{name} of {runs.name} differs after kills"
        left = [path for path in (runs / "killed").rglob("*") if ".tmp" in path.name or "partial" in path.name]
        assert not left, "temporary files were left behind"
