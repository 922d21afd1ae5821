"""The base language model that fluency is measured with: how likely is an answer after its question?"""

from __future__ import annotations

import math
from collections.abc import Sequence

from relearn_lite.backends import Loaded, active_adapters
from relearn_lite.data.batches import Example, collate, encode_answer

BATCH = 16


class CausalLanguageModel:
    """Perplexity under a causal model, usually the vanilla one: the same weights, with the unlearning adapter off."""

    def __init__(self, loaded: Loaded, name: str, embedded: bool):
        self.name, self.embedded = name, embedded
        self._loaded = loaded

    def perplexity(self, pairs: Sequence[tuple[str, str]]) -> list[float | None]:
        """exp(mean token loss) of each answer after its question (METHOD: PPL), its end mark not counted.

        None where an answer has no token: an empty answer has no perplexity.
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
                    values[i] = math.exp(min(value, 700.0))  # exp(709) is the largest float
        return values


def _without_end(example: Example) -> Example:
    return Example(example.ids[:-1], example.n_prompt)
