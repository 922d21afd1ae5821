"""A training that was killed goes on from its checkpoint, whatever was changed that does not change results."""

import csv
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from relearn_lite.pipeline import pipeline
from relearn_lite.recipe import load_recipe

ROOT = Path(__file__).parents[2]
RECIPE = """
name: killed
model: {{name: {model}, quantization: none, max_length: 400, gradient_checkpointing: false}}
data:
  control: none
  nothing_known: go_on
  forget: {{preset: people/forget, limit: 6}}
  retain: {{preset: people/retain, limit: 6}}
augment: {{questions: [simple]}}
unlearn: {{epochs: 4, lr: 1.0e-3, batch_size: 4, accumulate: 1, checkpoint_every: 1, lora: {{r: 4}}}}
"""
WITHOUT_EFFECT = [
    "unlearn.checkpoint_every=3", "trainer.logger=none", "model.gradient_checkpointing=true", "unlearn.simnpo.beta=2",
    "unlearn.beta=0.3", "generate.batch_size=3", "augment.timeout_s=9", "report.mask=true", "analyze={}",
]  # fmt: skip


def start(recipe, runs):
    command = [sys.executable, str(ROOT / "main.py"), str(recipe), "--runs", str(runs), "--until", "unlearn"]
    return subprocess.Popen(command, stderr=subprocess.DEVNULL, env=os.environ | {"OMP_NUM_THREADS": "1"})


def go_on(recipe, runs, *overrides):
    """Until it is trained, in this process."""
    pipeline.run(load_recipe(recipe, overrides), runs=runs, until="unlearn")


def first_steps(run):
    """The first step that each try logged."""
    tries = sorted(run.glob("logs/unlearn/version_*/metrics.csv"))
    return [int(next(csv.DictReader(path.open()))["step"]) for path in tries]


@pytest.fixture(scope="module")
def killed(tiny_model_dir, tmp_path_factory):
    """A run folder as kill -9 left it, in the middle of training."""
    place = tmp_path_factory.mktemp("killed")
    (place / "recipe.yaml").write_text(RECIPE.format(model=tiny_model_dir))
    process = start(place / "recipe.yaml", place / "runs")
    while process.poll() is None and len(list(place.glob("runs/killed/checkpoints/unlearn/*.ckpt"))) < 1:
        time.sleep(0.01)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    assert not (place / "runs/killed/adapter").exists()
    return place


@pytest.mark.slow
@pytest.mark.parametrize("change", WITHOUT_EFFECT)
def test_each_key_without_effect(killed, tmp_path, capsys, change):
    shutil.copytree(killed / "runs", tmp_path / "runs")
    go_on(killed / "recipe.yaml", tmp_path / "runs", change)
    assert first_steps(tmp_path / "runs/killed")[-1] > 0, "it began at step 0"
    assert "augment: done before" in capsys.readouterr().err and not (tmp_path / "runs/killed/old").exists()


def test_all_of_them_at_once_and_a_key_with_effect(killed, tmp_path):
    shutil.copytree(killed / "runs", tmp_path / "runs")
    go_on(killed / "recipe.yaml", tmp_path / "runs", *WITHOUT_EFFECT)
    assert first_steps(tmp_path / "runs/killed")[-1] > 0

    shutil.copytree(killed / "runs", tmp_path / "again")
    go_on(killed / "recipe.yaml", tmp_path / "again", "unlearn.lr=2e-3")
    assert first_steps(tmp_path / "again/killed")[-1] == 0
