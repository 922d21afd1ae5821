"""The language model that fluency is measured with: how likely is an answer after its question?"""

from __future__ import annotations

import math
from collections.abc import Sequence

from relearn_lite.core.memory import tell_once
from relearn_lite.data.examples import encode_answer
from relearn_lite.models.generation import context_length
from relearn_lite.models.loaded import Loaded
from relearn_lite.models.logprobs import check_head
from relearn_lite.models.scoring import mean_losses, without_end

LARGEST = 709.0  # nats a token: exp of more is past the largest float


class CausalLanguageModel:
    """Perplexity under a causal model, usually the base one: the same weights, with every adapter off.

    adapters: those that are on while it judges; None: those of the vanilla model. `failure` says why an answer with
    text has no perplexity.
    """

    def __init__(self, loaded: Loaded, name: str, embedded: bool, adapters: tuple[str, ...] | None = None):
        check_head(loaded.model)
        self.name, self.embedded = name, embedded
        self.failure: str | None = None
        self._loaded = loaded
        self._adapters = loaded.vanilla_adapters if adapters is None else adapters

    def perplexity(self, pairs: Sequence[tuple[str, str]]) -> list[float | None]:
        """exp(mean token loss) of each answer after its question (METHOD: PPL), without the token that ends it.

        None for an empty answer, which has no perplexity, and where question and answer are longer than the model can
        read: a shortened answer would be another one. inf past the largest float, which no sound model gives; it then
        counts as missing and is not capped at a number that was never measured.
        """
        tokenizer, limit = self._loaded.tokenizer, context_length(self._loaded)
        answered = {i: without_end(encode_answer(tokenizer, *pair)) for i, pair in enumerate(pairs) if pair[1].strip()}
        readable = {i: example for i, example in answered.items() if not limit or len(example) <= limit}
        self.failure = None
        if too_long := len(answered) - len(readable):
            self.failure = f"question and answer are longer than the {limit} tokens that {self.name} can read"
            tell_once(f"Perplexity: {too_long} of {len(answered)} have none, since {self.failure}.")
        losses = dict(zip(readable, mean_losses(self._loaded, [*readable.values()], self._adapters), strict=True))
        return [_perplexity(losses[i]) if i in losses else None for i in range(len(pairs))]


def _perplexity(loss: float) -> float:
    return math.inf if loss > LARGEST else math.exp(loss)
