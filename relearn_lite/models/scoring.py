"""How likely answers are to a loaded model: mean token losses, in batches of similar length."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from relearn_lite.data.examples import Example, collate
from relearn_lite.models.loaded import active_adapters

if TYPE_CHECKING:
    from relearn_lite.models.loaded import Loaded

BATCH = 16  # examples scored at once


def mean_losses(loaded: Loaded, examples: Sequence[Example], adapters: tuple[str, ...]) -> list[float]:
    """Mean loss of each example's answer, in nats a token, with exactly these adapters on."""
    import torch

    from relearn_lite.models.logprobs import answer_nll

    losses = [0.0] * len(examples)
    order = sorted(range(len(examples)), key=lambda i: len(examples[i]))  # little padding
    with torch.inference_mode(), active_adapters(loaded.model, adapters):
        loaded.model.eval()
        for start in range(0, len(order), BATCH):
            rows = order[start : start + BATCH]
            batch = collate([examples[i] for i in rows], loaded.tokenizer.pad_token_id)
            batch = {name: tensor.to(loaded.device) for name, tensor in batch.items()}
            for i, loss in zip(rows, answer_nll(loaded.model, batch).tolist(), strict=True):
                losses[i] = loss
    return losses
