"""What the tests of all backends do with a loaded model: ask it, and train it for a few steps."""

from __future__ import annotations

from pathlib import Path

import torch

from relearn_lite.data.batches import TrainingRows
from relearn_lite.data.examples import Example, collate
from relearn_lite.models.loaded import Loaded, active_adapters
from relearn_lite.recipe import Lora, Trainer, Unlearn
from relearn_lite.unlearn.train import TrainingRun, train

LORA = Lora(r=4, alpha=8, dropout=0.0)


def example(first: int, length: int, prompt: int = 4) -> Example:
    return Example(tuple(range(first, first + length)), prompt)


def batch() -> dict[str, torch.Tensor]:
    """Two right-padded rows of different lengths."""
    return collate([example(10, 12), example(40, 7)], pad_id=0)


@torch.no_grad()
def logits(loaded: Loaded) -> torch.Tensor:
    rows = batch()
    loaded.model.eval()
    ids, mask = (rows[name].to(loaded.device) for name in ("input_ids", "attention_mask"))
    return loaded.model(input_ids=ids, attention_mask=mask).logits


def shake(loaded: Loaded, name: str, seed: int, scale: float = 0.05) -> None:
    """Gives an adapter, which starts without effect, weights that change every output."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for key, parameter in loaded.model.named_parameters():
            if f".{name}." in key:
                parameter.copy_(torch.randn(parameter.shape, generator=generator) * scale)


def adapter_bytes(loaded: Loaded, name: str) -> dict[str, bytes]:
    return {key: p.detach().cpu().numpy().tobytes() for key, p in loaded.model.named_parameters() if f".{name}." in key}


def a_few_steps(loaded: Loaded, folder: Path) -> int:
    """Trains what is free to train with all of relearn_klr_gdr's terms: four steps."""
    rows = [{"augmented": example(start, 12)} for start in (10, 20, 30, 40)]
    retain = [example(start, 9) for start in (60, 70, 80, 90)]
    settings = Unlearn(epochs=2, lr=1e-2, batch_size=2, accumulate=1, warmup_epochs=0)
    run = TrainingRun("unlearn", folder, 1, Trainer(), quiet=True)
    with active_adapters(loaded.model, loaded.unlearned_adapters):
        return train(loaded, TrainingRows(rows, retain), settings, run)
