"""The base language model that fluency is measured with: how likely is an answer after its question?"""

from __future__ import annotations

import math
from collections.abc import Sequence

from relearn_lite.backends import Loaded, active_adapters
from relearn_lite.data.batches import Example, collate, encode_answer

BATCH = 16
LARGEST = 709.0  # nats a token: exp of more is past the largest float


class CausalLanguageModel:
    """Perplexity under a causal model, usually the vanilla one: the same weights, with the unlearning adapter off."""

    def __init__(self, loaded: Loaded, name: str, embedded: bool):
        self.name, self.embedded = name, embedded
        self._loaded = loaded

    def perplexity(self, pairs: Sequence[tuple[str, str]]) -> list[float | None]:
        """exp(mean token loss) of each answer after its question (METHOD: PPL), its end mark not counted.

        None where an answer has no token: an empty answer has no perplexity. inf where it is past the largest float,
        which no sound model gives: it then counts as missing, and is not capped at a number that was never measured.
        """
        import torch

        from relearn_lite.unlearn.logprobs import answer_nll

        model, tokenizer = self._loaded.model, self._loaded.tokenizer
        examples = [_without_end(encode_answer(tokenizer, question, answer)) for question, answer in pairs]
        values: list[float | None] = [None] * len(pairs)
        scored = [i for i, (_, answer) in enumerate(pairs) if answer.strip()]
        scored.sort(key=lambda i: len(examples[i]))
        with torch.inference_mode(), active_adapters(model, self._loaded.vanilla):
            model.eval()
            for start in range(0, len(scored), BATCH):
                rows = scored[start : start + BATCH]
                batch = collate([examples[i] for i in rows], tokenizer.pad_token_id)
                nll = answer_nll(model, {name: tensor.to(self._loaded.device) for name, tensor in batch.items()})
                for i, value in zip(rows, nll.tolist(), strict=True):
                    values[i] = math.inf if value > LARGEST else math.exp(value)
        return values


def _without_end(example: Example) -> Example:
    return Example(example.ids[:-1], example.n_prompt)
