"""Trainings of a tiny model, as the stages run them."""

from dataclasses import replace
from types import SimpleNamespace

import torch

from relearn_lite.data.batches import TrainingRows
from relearn_lite.data.examples import Example
from relearn_lite.models import backends
from relearn_lite.models.loaded import UNLEARNED, VANILLA, active_adapters
from relearn_lite.recipe import Lora, Model, Trainer, Unlearn
from relearn_lite.recipe.methods import METHODS
from relearn_lite.unlearn.module import Schedule, UnlearnModule
from relearn_lite.unlearn.train import TrainingRun, train

PAD = 0


def load(folder, vanilla=False, dropout=0.0):
    """A model with a fresh adapter to train; vanilla is the base, or the base with a frozen adapter that has effect."""
    loaded = backends.load(Model(name=str(folder), backend="transformers", quantization="none", max_length=64), 7)
    if vanilla:
        backends.add_adapter(loaded, VANILLA, Lora(r=4, dropout=0.5), 7)
        shake(loaded, VANILLA)
        loaded.vanilla_adapters = (VANILLA,)
    backends.add_adapter(loaded, UNLEARNED, Lora(r=4, alpha=8, dropout=dropout), 7)
    return loaded


def shake(loaded, name=UNLEARNED):
    """Gives an adapter weights that have an effect."""
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for key, parameter in loaded.model.named_parameters():
            if f".{name}." in key:
                parameter.copy_(torch.randn(parameter.shape, generator=generator) * 0.1)


def adapter(loaded):
    return {name: p.detach().clone() for name, p in loaded.model.named_parameters() if f".{UNLEARNED}." in name}


def whole_step(parts):
    """A micro-batch that is an optimizer step of its own."""
    lengths = {part: (tensors["labels"] != -100).sum(1).tolist() for part, tensors in parts.items()}
    return {"parts": parts, "row_lengths": lengths, "n_tokens": 1, "counted": True}


def module_of(loaded, method, keep_reference=False, generic=0.0):
    """The training module of a method, outside a trainer; generic: weight of its term on generic rows."""
    module = UnlearnModule(
        loaded, replace(METHODS[method], generic=generic), Unlearn().hyperparameters, Schedule(1e-3, 8, 2),
        keep_reference=keep_reference, seed=3,
    )  # fmt: skip
    module.trainer = SimpleNamespace(accumulate_grad_batches=1, world_size=1)
    return module


def unlearn(loaded, forget, retain, folder, callbacks=(), trainer=None, generic=(), **keys):
    """Trains the adapter as the unlearn stage does; returns the steps taken."""
    run = TrainingRun("unlearn", folder, 5, trainer or Trainer(accelerator="cpu"), quiet=True)
    with active_adapters(loaded.model, loaded.unlearned_adapters):
        return train(loaded, TrainingRows(forget, retain, generic), Unlearn(**keys), run, callbacks)


def example(start, length, n_prompt=4):
    return Example(tuple(range(start, start + length)), n_prompt)
