"""One optimizer step, by any division of its rows: its gradient and what it logs.

As a program, `torchrun ... gradients.py MODEL FOLDER METHOD ...` does so in several processes; the first one writes the
gradients to FOLDER/METHOD.safetensors.
"""

import sys
from pathlib import Path

import torch
from safetensors.torch import save_file
from trainings import example, load, shake

from relearn_lite.core import distributed
from relearn_lite.data.batches import TrainingRows
from relearn_lite.models.loaded import active_adapters
from relearn_lite.recipe import Trainer, Unlearn
from relearn_lite.unlearn import memory_retry
from relearn_lite.unlearn.diagnostics import losses
from relearn_lite.unlearn.losses import FORGET_LOSSES
from relearn_lite.unlearn.module import UnlearnModule
from relearn_lite.unlearn.train import TrainingRun, train

# Answers of 3 to 31 tokens: means over tokens and over rows differ much.
FORGET = [example(10 + 7 * n, 4 + length) for n, length in enumerate((31, 3, 17, 5, 11, 29, 4, 8))]
OTHER = [example(40 + 7 * n, 4 + length) for n, length in enumerate((6, 21, 3, 30, 9, 4, 16, 12))]
RETAIN = [example(60 + 7 * n, 3 + length, 3) for n, length in enumerate((5, 28, 3, 13, 30, 4, 22, 7))]


def gradient_of(model_dir, folder, method, *, batch_size, accumulate, pieces=1, rows=8, shared=False):
    """Gradients of the adapter at each optimizer step of one epoch, by name; and the logged losses, a dict a step."""
    loaded = load(model_dir, vanilla=True)
    shake(loaded)
    seen = []

    def keep(module, _):
        named = module.model.named_parameters()
        # Not updated (None) and a gradient of 0 are the same here.
        seen.append({name: torch.zeros_like(p) if p.grad is None else p.grad.clone()
                     for name, p in named if p.requires_grad})  # fmt: skip

    settings = Unlearn(method=method, epochs=1, lr=1e-12, batch_size=batch_size, accumulate=accumulate,
                       gradient_clip=None, memflex={"gradient": 1e-5, "similarity": 0.2})  # fmt: skip
    parts = FORGET_LOSSES[settings.objective.forget].trains_on
    forget = [dict(zip(parts, (row, other), strict=False)) for row, other in zip(FORGET, OTHER, strict=True)][:rows]
    retain = RETAIN if settings.objective.retain else []
    UnlearnModule.on_before_optimizer_step = keep
    begin = memory_retry.RetryOutOfMemory.__init__

    def begin_in_pieces(strategy, device):
        begin(strategy, device)
        assert strategy.splits == 1, "under another name nothing would be divided"
        strategy.splits = pieces

    memory_retry.RetryOutOfMemory.__init__ = begin_in_pieces
    try:
        with active_adapters(loaded.model, loaded.unlearned_adapters):
            run = TrainingRun("unlearn", Path(folder), 5, Trainer(accelerator="cpu"), quiet=True, shared=shared)
            train(loaded, TrainingRows(forget, retain), settings, run)
    finally:
        del UnlearnModule.on_before_optimizer_step
        memory_retry.RetryOutOfMemory.__init__ = begin
    return seen, losses(Path(folder))


if __name__ == "__main__":
    distributed.connect()
    for wanted in sys.argv[3:]:
        folder = Path(sys.argv[2])
        ((gradient,), _) = gradient_of(sys.argv[1], folder / wanted, wanted, batch_size=2, accumulate=2, shared=True)
        if distributed.is_first():
            save_file(gradient, folder / f"{wanted}.safetensors")
    distributed.disconnect()
