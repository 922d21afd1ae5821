"""Around training: the device, what is left afterwards, and loggers. One process; `test_distributed` has several."""

import tempfile
import time

import lightning
import pytest
import torch
from lightning.pytorch import loggers

from relearn_lite.core import progress
from relearn_lite.data.batches import TrainingRows
from relearn_lite.data.examples import Example
from relearn_lite.models import backends
from relearn_lite.models.loaded import UNLEARNED
from relearn_lite.recipe import Lora, Model, Trainer, Unlearn
from relearn_lite.unlearn.diagnostics import losses
from relearn_lite.unlearn.train import TrainingRun, train

HOST = "https://wandb.example.org"


@pytest.fixture
def taught(tiny_model_dir, tmp_path):
    """Trains the tiny model for two steps with these settings of `trainer`; returns it."""

    def teach(quiet=True, callbacks=(), more=None, **trainer):
        loaded = backends.load(Model(name=str(tiny_model_dir), quantization="none"), 0)
        backends.add_adapter(loaded, UNLEARNED, Lora(r=4), 0)
        rows = [{"augmented": Example(tuple(range(start, start + 9)), 4)} for start in range(10, 50, 10)]
        keys = {"epochs": 1, "lr": 1e-2, "batch_size": 2, "accumulate": 1, "warmup_epochs": 0.0, **(more or {})}
        run = TrainingRun("unlearn", tmp_path, 1, Trainer(**trainer), quiet=quiet)
        train(loaded, TrainingRows(rows), Unlearn(method="relearn", weight_decay=0.0, **keys), run, callbacks)
        return loaded

    return teach


def test_the_model_is_left_on_its_device(taught, monkeypatch):
    """Lightning moves what it trained to the CPU; the stages that follow would then ask the model there."""
    moved = []
    monkeypatch.setattr(torch.nn.Module, "cpu", lambda self: moved.append(self) or self)
    taught()
    assert not moved


@pytest.mark.parametrize("quiet", [False, True])
def test_without_a_terminal_training_says_how_far_it_is(taught, quiet, monkeypatch, capsys):
    monkeypatch.setattr(progress, "BETWEEN_LINES", 0.0)  # else a line every half minute
    taught(quiet)
    said = capsys.readouterr().err.splitlines()
    lines = [line.partition(" in ")[0] for line in said if line.startswith("unlearn: ")]
    assert lines == ([] if quiet else ["unlearn: 1 of 2 steps", "unlearn: 2 of 2 steps"])


def test_no_gradient_is_left_in_memory(taught):
    assert [name for name, p in taught().model.named_parameters() if p.grad is not None] == []


@pytest.mark.parametrize("asked", ["auto", "cpu"])
def test_the_device_is_named_for_on_a_mac_auto_would_be_mps(taught, monkeypatch, asked):
    given, made = [], lightning.Trainer
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(lightning, "Trainer", lambda **options: given.append(options["accelerator"]) or made(**options))
    taught(accelerator=asked)
    assert given == ["cpu"]


@pytest.mark.parametrize(
    ("environment", "entry", "offline"),
    [
        ({}, "", True),
        ({"WANDB_API_KEY": "a key"}, "", False),
        ({"WANDB_MODE": "disabled"}, "", False),
        ({"WANDB_BASE_URL": HOST}, "machine wandb.example.org login user password key", False),
        ({}, "machine wandb.example.org login user password key", True),
    ],
    ids=["not logged in", "a key", "told", "logged in", "logged in elsewhere"],
)
def test_wandb_is_offline_unless_logged_in(taught, tmp_path, monkeypatch, environment, entry, offline):
    made = {}

    class Wandb(loggers.CSVLogger):
        def __init__(self, **given):
            super().__init__(given["save_dir"], name="wandb")
            made.update(given)

    monkeypatch.setattr(loggers, "WandbLogger", Wandb)
    for name in ("WANDB_API_KEY", "WANDB_MODE", "WANDB_BASE_URL"):
        monkeypatch.delenv(name, raising=False)
    (tmp_path / "netrc").write_text(entry)
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    taught(logger="wandb")
    assert made["offline"] is offline


def test_a_checkpoint_is_never_half_there(taught, tmp_path, monkeypatch):
    """Lightning writes it to the system's temporary folder and moves it: from another file system that is a copy, and
    the half that a kill leaves was taken for the newest."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "not there"))
    taught(more={"checkpoint_every": 1})
    assert [file.name for file in (tmp_path / "checkpoints/unlearn").iterdir()] == ["step=2.ckpt"]


class Stopped(lightning.Callback):
    """Ends a training before its third step."""

    def on_train_batch_start(self, trainer, *_):
        if trainer.global_step == 2:
            raise KeyError("stopped")


def test_a_training_that_goes_on_keeps_one_checkpoint(taught, tmp_path):
    """The one that it went on from stayed, and so did one more with each stop, and with each pause of a search."""
    more = {"checkpoint_every": 1, "epochs": 2}
    with pytest.raises(KeyError, match="stopped"):
        taught(more=more, callbacks=[Stopped()])
    assert [file.name for file in (tmp_path / "checkpoints/unlearn").iterdir()] == ["step=2.ckpt"]
    taught(more=more)
    assert [file.name for file in (tmp_path / "checkpoints/unlearn").iterdir()] == ["step=4.ckpt"]


class Slow(lightning.Callback):
    """Takes its time after a step, as a check does."""

    def on_train_batch_end(self, *_):
        time.sleep(0.5)


def test_the_log_has_the_rate_of_the_step_and_its_own_time(taught, tmp_path):
    """Not the rate of the step after it, and not the time of a check, in which no token is trained."""
    taught(callbacks=[Slow()], more={"epochs": 2})
    rows = losses(tmp_path)
    assert [row["lr"] for row in rows] == pytest.approx([1e-2, 0.75e-2, 0.5e-2, 0.25e-2])
    assert all(row["tokens_per_s"] > 2 * 9 / 0.5 for row in rows)


@pytest.mark.parametrize("epochs", [2, "auto"])
def test_without_warm_up_the_first_step_has_the_whole_rate(taught, tmp_path, epochs):
    """With a length that is not known it had none, and a step of the budget did nothing."""
    taught(more={"epochs": epochs, **({"budget": 20, "evaluate_every": 10} if epochs == "auto" else {})},
           callbacks=[Stop()])  # fmt: skip
    assert losses(tmp_path)[0]["lr"] == pytest.approx(1e-2)


class Stop(lightning.Callback):
    def on_train_batch_end(self, trainer, *_):
        trainer.should_stop = True
