"""The base language model that fluency is measured with: how likely is an answer after its question?"""

from __future__ import annotations

import math
from collections.abc import Sequence

from relearn_lite.core.memory import tell_once
from relearn_lite.data.examples import Example, encode_answer
from relearn_lite.models.generation import context_length
from relearn_lite.models.loaded import Loaded
from relearn_lite.models.scoring import mean_losses

LARGEST = 709.0  # nats a token: exp of more is past the largest float


class CausalLanguageModel:
    """Perplexity under a causal model, usually the base one: the same weights, with every adapter off.

    adapters: those that are on while it judges; None: those of the vanilla model. `fault` says why an answer with text
    has no perplexity.
    """

    def __init__(self, loaded: Loaded, name: str, embedded: bool, adapters: tuple[str, ...] | None = None):
        from relearn_lite.models.logprobs import check_head

        check_head(loaded.model)
        self.name, self.embedded = name, embedded
        self.fault: str | None = None
        self._loaded = loaded
        self._adapters = loaded.vanilla if adapters is None else adapters

    def perplexity(self, pairs: Sequence[tuple[str, str]]) -> list[float | None]:
        """exp(mean token loss) of each answer after its question (METHOD: PPL), its end mark not counted.

        None where an answer has no token: an empty answer has no perplexity. None too where question and answer are
        longer than the model can read: a shortened answer would be another one. inf where it is past the largest
        float, which no sound model gives: it then counts as missing, and is not capped at a number that was never
        measured.
        """
        examples = [_without_end(encode_answer(self._loaded.tokenizer, *pair)) for pair in pairs]
        values: list[float | None] = [None] * len(pairs)
        scored = self._readable([i for i, (_, answer) in enumerate(pairs) if answer.strip()], examples)
        losses = mean_losses(self._loaded, [examples[i] for i in scored], self._adapters)
        for i, loss in zip(scored, losses, strict=True):
            values[i] = math.inf if loss > LARGEST else math.exp(loss)
        return values

    def _readable(self, rows: list[int], examples: Sequence[Example]) -> list[int]:
        """Those of the rows that the model can read whole; `fault` is set where there are others."""
        limit = context_length(self._loaded)
        short = [i for i in rows if not limit or len(examples[i]) <= limit]
        self.fault = None
        if len(short) < len(rows):
            self.fault = f"question and answer are longer than the {limit} tokens that {self.name} can read"
            tell_once(f"Perplexity: {len(rows) - len(short)} of {len(rows)} have none, since {self.fault}.")
        return short


def _without_end(example: Example) -> Example:
    return Example(example.ids[:-1], example.n_prompt)
