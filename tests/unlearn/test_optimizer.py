"""AdamW with its moments in 8 bits: smaller, close to the plain one, and resumed with what it had."""

import csv

import pytest
import torch
from lightning import Callback
from trainings import adapter, example, load, unlearn

from relearn_lite.models import backends
from relearn_lite.models.loaded import UNLEARNED
from relearn_lite.models.transformers_backend import EMBEDDED
from relearn_lite.plan.footprint import optimizer
from relearn_lite.recipe import Lora

ROWS = [{"augmented": example(start, 12)} for start in (10, 14, 18, 22)]
RETAIN = [example(start, 9) for start in (26, 30, 34, 38)]


class States(Callback):
    """The optimizer's states after training; stops after so many steps."""

    def __init__(self, until=None):
        self.until, self.found = until, None

    def on_train_batch_end(self, trainer, *_):
        self.found = [s for state in trainer.optimizers[0].state.values() for s in state.values()]
        if trainer.global_step == self.until:
            raise KeyError("power")


def trained(folder, where, kind, callbacks=(), rank=64, **keys):
    """Rank 64 on a model 32 wide or more: matrices that are large enough for states in 8 bits are among its own."""
    loaded = load(folder)
    loaded.model.delete_adapter(UNLEARNED)
    backends.add_adapter(loaded, UNLEARNED, Lora(r=rank, alpha=rank, dropout=0.0), 7)
    settings = dict(epochs=12, lr=2e-3, batch_size=1, accumulate=1, warmup_epochs=0, optimizer=kind) | keys
    unlearn(loaded, ROWS, RETAIN, where, callbacks, **settings)
    return loaded


def losses(where):
    with next((where / "logs").rglob("metrics.csv")).open() as file:
        return [float(row["loss"]) for row in csv.DictReader(file) if row.get("loss")]


def test_its_moments_are_in_8_bits_and_it_learns_as_the_plain_one(tmp_path):
    """On the embedded model: one with random weights learns too little to compare."""
    states = {kind: States() for kind in ("adamw", "adamw_8bit")}
    for kind, watching in states.items():
        trained(EMBEDDED, tmp_path / kind, kind, [watching])
    kinds = {kind: {s.dtype for s in one.found if torch.is_tensor(s)} for kind, one in states.items()}
    assert torch.uint8 in kinds["adamw_8bit"] and torch.uint8 not in kinds["adamw"]
    plain, small = losses(tmp_path / "adamw"), losses(tmp_path / "adamw_8bit")
    assert len(plain) == len(small) == 48
    assert sum(plain[-8:]) < 0.9 * sum(plain[:8]), "nothing was learnt, so there is nothing to compare"
    assert plain != small
    assert sum(small[-8:]) == pytest.approx(sum(plain[-8:]), rel=0.1)


def test_a_run_that_was_stopped_ends_as_one_that_was_not(tiny_model_dir, tmp_path):
    keys = dict(epochs=3, checkpoint_every=2)
    whole = trained(tiny_model_dir, tmp_path / "whole", "adamw_8bit", **keys)
    with pytest.raises(KeyError, match="power"):
        trained(tiny_model_dir, tmp_path / "broken", "adamw_8bit", [States(until=7)], **keys)
    resumed, expected = adapter(trained(tiny_model_dir, tmp_path / "broken", "adamw_8bit", **keys)), adapter(whole)
    assert all(torch.equal(resumed[name], expected[name]) for name in expected)


def test_the_plan_knows_its_size():
    from bitsandbytes.optim import AdamW8bit

    weight = torch.nn.Parameter(torch.ones(64, 256))
    weight.grad = torch.ones_like(weight)
    adam = AdamW8bit([weight])
    adam.step()
    found = adam.state[weight]
    taken = sum(found[name].nbytes for name in ("state1", "state2", "absmax1", "absmax2"))
    assert optimizer(weight.numel(), "adamw_8bit") == taken < optimizer(weight.numel()) / 3.9
