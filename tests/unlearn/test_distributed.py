"""A run in two processes that torchrun starts, on the CPU: the same weights as in one, and no process outlives it."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from relearn_lite.core.errors import RecipeError
from relearn_lite.pipeline.check import check
from relearn_lite.pipeline.run_state import Run
from relearn_lite.pipeline.stages.unlearn import make_eval_callback
from relearn_lite.recipe import load_recipe

ROOT = Path(__file__).parents[2]
RECIPE = """
name: pair
model: {{name: {model}, quantization: none, max_length: 400}}
data:
  control: none
  nothing_known: go_on
  forget: {{preset: people/forget, limit: 12}}
  retain: {{preset: people/retain, limit: 12}}
finetune: {{epochs: 1, batch_size: 4, lora: {{r: 4, dropout: 0.0}}}}
unlearn: {{method: npo_gdr, epochs: 2, batch_size: 1, lr: 1.0e-3, checkpoint_every: 1, lora: {{r: 4, dropout: 0.0}}}}
trainer: {{accelerator: cpu}}
"""
ALONE = ("unlearn.accumulate=6", "finetune.accumulate=2")
PAIR = ("unlearn.accumulate=3", "finetune.accumulate=1")
TORCHRUN = (sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2")


@pytest.fixture(scope="module")
def recipe(tiny_model_dir, tmp_path_factory):
    path = tmp_path_factory.mktemp("pair") / "recipe.yaml"
    path.write_text(RECIPE.format(model=tiny_model_dir))
    return path


def command(recipe, runs, overrides, *start):
    return [*(start or (sys.executable,)), str(ROOT / "main.py"), str(recipe), *overrides, "--runs", str(runs),
            "--until", "unlearn"]  # fmt: skip


def adapters(runs):
    return {
        f"{part} {name}": value
        for part in ("vanilla", "adapter")
        for name, value in load_file(runs / "pair" / part / "adapter_model.safetensors").items()
    }


@pytest.fixture(scope="module")
def alone(recipe, tmp_path_factory):
    runs = tmp_path_factory.mktemp("alone")
    subprocess.run(command(recipe, runs, ALONE), check=True, timeout=300)
    return adapters(runs)


def assert_close(found, expected):
    assert found.keys() == expected.keys()
    for name, value in expected.items():
        torch.testing.assert_close(found[name], value, rtol=0, atol=1e-5, msg=lambda m, n=name: f"{n}: {m}")


@pytest.mark.slow
def test_two_processes_learn_what_one_does(recipe, alone, tmp_path):
    """Processes that drifted apart would give other gradients: equal weights at the end mean equal ones all along."""
    done = subprocess.run(command(recipe, tmp_path, PAIR, *TORCHRUN), timeout=300, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert [line for line in done.stderr.splitlines() if line.endswith("...") or "processes" in line] == [
        "finetune ...", "finetune: 2 processes, so an effective batch of 8 rows", "ask ...",
        "unlearn ...", "unlearn: 2 processes, so an effective batch of 6 rows",
    ]  # fmt: skip
    assert_close(adapters(tmp_path), alone)


@pytest.mark.slow
def test_evaluation_in_training_stops_every_process(recipe, tmp_path):
    """The first process asks; what it finds must end training in the other one too, or that waits for ever."""
    keys = (*PAIR, "unlearn.evaluate_every=1", "unlearn.watch={questions: 2, lowest_krr: 1.0, lowest_ls: null}",
            "generate.max_new_tokens=4")  # fmt: skip
    done = subprocess.run(command(recipe, tmp_path, keys, *TORCHRUN), timeout=300, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stderr.count("unlearn: stopped: retention fell below unlearn.watch.lowest_krr") == 1


@pytest.mark.slow
def test_a_killed_run_leaves_no_process_and_goes_on(recipe, alone, tmp_path):
    """kill -9 of one of the two: torchrun ends the other, and the same command goes on from the last checkpoint."""
    run = tmp_path / "pair"
    started = subprocess.Popen(command(recipe, tmp_path, PAIR, *TORCHRUN), stderr=subprocess.DEVNULL)
    while started.poll() is None and not list(run.glob("checkpoints/unlearn/*.ckpt")):
        time.sleep(0.02)
    first, second = sorted(map(int, children(started.pid)))
    os.kill(second, signal.SIGKILL)
    assert started.wait(timeout=60) != 0 and not lives(first) and not (run / "adapter").exists()
    subprocess.run(command(recipe, tmp_path, PAIR, *TORCHRUN), check=True, timeout=300, capture_output=True)
    assert_close(adapters(tmp_path), alone)


@pytest.mark.slow
def test_a_mistake_is_told_once_and_ends_all(recipe, tmp_path):
    wrong = (*PAIR, "model.name=./nowhere")
    done = subprocess.run(command(recipe, tmp_path, wrong, *TORCHRUN), timeout=120, capture_output=True, text=True)
    assert done.returncode != 0 and done.stderr.count("there is no folder") == 1


def children(pid):
    return {child for task in Path(f"/proc/{pid}/task").iterdir() for child in (task / "children").read_text().split()}


def lives(pid):
    """Whether there is such a process; one that has ended, and that nobody has asked how, is none."""
    try:
        return ") Z " not in Path(f"/proc/{pid}/stat").read_text()
    except FileNotFoundError:
        return False


def second_of_two(monkeypatch):
    for name, value in {"TORCHELASTIC_RUN_ID": "x", "WORLD_SIZE": "2", "LOCAL_WORLD_SIZE": "2", "RANK": "1"}.items():
        monkeypatch.setenv(name, value)


def test_what_one_process_does_is_told_before_anything_is_done(recipe, monkeypatch):
    """It was told when training began, after all had been asked and written."""
    read = load_recipe(recipe, ["unlearn.lr=auto", "unlearn.epochs=auto", "finetune=null"])
    check(read)
    second_of_two(monkeypatch)
    with pytest.raises(RecipeError, match="start it without torchrun"):
        check(read)
    check(load_recipe(recipe))


def test_only_the_first_process_asks_and_holds_judges(recipe, tmp_path, monkeypatch):
    """Each of the others loaded all judges, and asked the vanilla model, for nothing."""
    run = Run(load_recipe(recipe, ["unlearn.evaluate_every=1", "finetune=null"]), tmp_path)
    run.vanilla = None
    second_of_two(monkeypatch)
    assert make_eval_callback(run)._ask is None
