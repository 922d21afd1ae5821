"""Training on two devices, here two processes on the CPU: the same as on one, and no process outlives the run."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
from relearn_lite.unlearn.ranks import Rank, together
from safetensors.torch import load_file

from relearn_lite.core.errors import RecipeError
from relearn_lite.pipeline import pipeline
from relearn_lite.recipe import Trainer, load_recipe
from relearn_lite.unlearn import ranks

ROOT = Path(__file__).parents[2]
RECIPE = """
name: pair
model: {{name: {model}, quantization: none, max_length: 400}}
data:
  forget: {{preset: people/forget, limit: 12}}
  retain: {{preset: people/retain, limit: 12}}
finetune: {{epochs: 1, batch_size: 4, lora: {{r: 4, dropout: 0.0}}}}
unlearn: {{method: npo_gdr, epochs: 2, batch_size: 1, lr: 1.0e-3, checkpoint_every: 1, lora: {{r: 4, dropout: 0.0}}}}
trainer: {{accelerator: cpu}}
"""
ALONE = ("unlearn.accumulate=6", "finetune.accumulate=2", "trainer.devices=1")
PAIR = ("unlearn.accumulate=3", "finetune.accumulate=1", "trainer.devices=2")


@pytest.fixture(scope="module")
def recipe(tiny_model_dir, tmp_path_factory):
    path = tmp_path_factory.mktemp("pair") / "recipe.yaml"
    path.write_text(RECIPE.format(model=tiny_model_dir))
    return path


def unlearn(recipe, runs, overrides):
    return adapters(pipeline.run(load_recipe(recipe, overrides), runs=runs, until="unlearn"))


def adapters(run):
    return {
        f"{part} {name}": value
        for part in ("vanilla", "adapter")
        for name, value in load_file(run / part / "adapter_model.safetensors").items()
    }


@pytest.fixture(scope="module")
def alone(recipe, tmp_path_factory):
    return unlearn(recipe, tmp_path_factory.mktemp("alone"), ALONE)


@pytest.mark.slow
def test_two_devices_learn_what_one_does(recipe, alone, tmp_path, capfd):
    """Processes that drifted apart would give other gradients: equal weights at the end mean equal ones all along."""
    before, threads = children(os.getpid()), torch.get_num_threads()
    pair = unlearn(recipe, tmp_path, PAIR)
    said = capfd.readouterr().err.splitlines()
    assert [line for line in said if line.endswith("...") or "devices" in line] == [
        "finetune ...", "finetune: 2 devices, so an effective batch of 8 rows",
        "unlearn ...", "unlearn: 2 devices, so an effective batch of 6 rows",
    ]  # fmt: skip
    close(pair, alone)
    assert not torch.distributed.is_initialized() and torch.get_num_threads() == threads
    assert children(os.getpid()) == before


@pytest.mark.slow
def test_a_kill_ends_every_process_and_the_run_goes_on(recipe, alone, tmp_path):
    command = [sys.executable, str(ROOT / "main.py"), str(recipe), *PAIR, "--runs", str(tmp_path)]
    killed, run = subprocess.Popen(command, stderr=subprocess.DEVNULL), tmp_path / "pair"
    while killed.poll() is None and not list(run.glob("checkpoints/unlearn/*.ckpt")):
        time.sleep(0.02)
    others = children(killed.pid)
    os.kill(killed.pid, signal.SIGKILL)
    killed.wait()
    assert len(others) == 1 and not (run / "adapter").exists()
    until = time.monotonic() + 20
    while any(map(lives, others)):
        assert time.monotonic() < until, "a process outlives the run that started it"
        time.sleep(0.1)
    close(unlearn(recipe, tmp_path, PAIR), alone)


def close(found, expected):
    assert found.keys() == expected.keys()
    for name, value in expected.items():
        torch.testing.assert_close(found[name], value, rtol=0, atol=1e-5, msg=lambda m, n=name: f"{n}: {m}")


def children(pid):
    return {child for task in Path(f"/proc/{pid}/task").iterdir() for child in (task / "children").read_text().split()}


def lives(pid):
    """Whether there is such a process; one that has ended, and that nobody has asked how, is none."""
    try:
        return ") Z " not in Path(f"/proc/{pid}/stat").read_text()
    except FileNotFoundError:
        return False


def test_what_fails_in_another_process_is_told_in_its_words(tmp_path, monkeypatch):
    monkeypatch.setattr(ranks, "NOTICE", 120)
    before, threads = dict(os.environ), torch.get_num_threads()
    with pytest.raises(RecipeError, match="recipe.yaml does not exist"), together(Rank(0, 2, 1), tmp_path, "unlearn"):
        raise RuntimeError("Connection closed by peer")
    assert (dict(os.environ), torch.get_num_threads()) == (before, threads)


def test_a_failure_here_ends_the_others(tmp_path, monkeypatch):
    monkeypatch.setattr(ranks, "NOTICE", 0)
    before = children(os.getpid())
    with pytest.raises(KeyError), together(Rank(0, 3, 1), tmp_path, "unlearn"):
        others = children(os.getpid()) - before
        raise KeyError
    assert len(others) == 2 and not any(map(lives, others))


@pytest.mark.parametrize(("devices", "world"), [(1, 1), (3, 3), ("auto", 1)])
def test_the_cpu_may_be_as_many_devices_as_are_asked_for(devices, world):
    assert Rank.first(Trainer(accelerator="cpu", devices=devices)).world == world


@pytest.mark.parametrize(("devices", "world"), [(1, 1), (2, 2), ("auto", 4)])
def test_each_process_sees_one_gpu_of_those_that_are_here(monkeypatch, devices, world):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 4)
    assert Rank.first(Trainer(devices=devices)).world == world
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    assert ranks._its_card(3) == {"CUDA_VISIBLE_DEVICES": "3"}
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "4,GPU-ab,6,7")
    assert ranks._its_card(1) == {"CUDA_VISIBLE_DEVICES": "GPU-ab"}


def test_more_gpus_than_there_are_is_a_plain_error(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    with pytest.raises(RecipeError, match=r"trainer\.devices: 4, but 2 GPUs are found"):
        Rank.first(Trainer(devices=4))


@pytest.mark.parametrize(
    ("override", "why"),
    [
        ("trainer.num_nodes=2", r"trainer\.num_nodes: found 2, but training on several machines is not supported"),
        ("unlearn.gradient_mask=sure", r"trainer\.devices: the gradient mask sure works on one device only"),
        ("unlearn.evaluate_every=5", r"trainer\.devices: evaluate_every asks the model in training"),
    ],
)
def test_what_works_on_one_device_only_is_refused_with_the_recipe(recipe, override, why):
    with pytest.raises(RecipeError, match=why):
        load_recipe(recipe, ["trainer.devices=2", override])
