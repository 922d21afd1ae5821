"""The model whose answers are judged, asked itself: how likely is an answer to it, and what else would it say?

Answers alone tell what a model says when it is asked once. Its probabilities tell what it still holds.

Shapes: `T` tokens of an answer, `V` vocabulary, `N` supervised positions of a batch.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from relearn_lite.core.records import QA
from relearn_lite.data.examples import Example, collate, encode_answer, question_ids
from relearn_lite.models.generation import PUBLISHED, Decoding, answer_prompts
from relearn_lite.models.loaded import Loaded, active_adapters
from relearn_lite.recipe import Generate, Privacy

if TYPE_CHECKING:
    from torch import Tensor

BATCH = 16
POSITIONS = 256  # positions whose (N, V) logits are in memory at once

Pair = tuple[str, str]  # (question, answer)


@dataclass(frozen=True, eq=False)
class Scored:
    """An answer after its question under a model, token by token. Arrays are (T,), without the end mark.

    log_probs: log-probability of each token, in nats. greedy: whether it is the likeliest token at its place.
    mean, std: of log p over the vocabulary at its place, weighted by p itself (Min-K%++). end: log-probability of the
    mark that ends the answer.
    """

    log_probs: np.ndarray
    greedy: np.ndarray
    mean: np.ndarray
    std: np.ndarray
    end: float

    @property
    def loss(self) -> float:
        """Mean loss a token, in nats, the end mark left out."""
        return -float(self.log_probs.mean())

    @property
    def loss_with_end(self) -> float:
        """Mean loss a token, in nats, with the end mark, which TOFU counts as a token of the answer."""
        return -(float(self.log_probs.sum()) + self.end) / (len(self.log_probs) + 1)


@dataclass(frozen=True)
class Context:
    """What such metrics need besides the model: data that it was not asked in `generate`, and the recipe's choices.

    records: the QA records by id, for paraphrased and wrong answers. retain_ratios: log truth ratios of a model that
    never saw the forget set, or None where the recipe names none.
    """

    records: Mapping[str, QA] = field(default_factory=dict)
    holdout: Sequence[QA] = ()
    real_authors: Sequence[QA] = ()
    world_facts: Sequence[QA] = ()
    retain_ratios: Sequence[float] | None = None
    privacy: Privacy = Privacy()
    generate: Generate = Generate()
    seed: int = 0


class MeasuredModel:
    """A model with exactly these adapters on, and what its metrics need. What it was asked once is kept.

    reference: the model that the `mia_reference` attack compares with; None where there is none.
    """

    def __init__(
        self, loaded: Loaded, adapters: tuple[str, ...], context: Context, reference: MeasuredModel | None = None
    ):
        from relearn_lite.models.logprobs import check_head

        check_head(loaded.model)
        self.context, self.reference = context, reference
        self._loaded, self._adapters = loaded, adapters
        self._scored: dict[Pair, Scored | None] = {}
        self._norms: dict[Pair, float | None] = {}

    def score(self, pairs: Sequence[Pair]) -> list[Scored | None]:
        """Each answer token by token. None: an answer without any token."""
        new = self._examples(pair for pair in pairs if pair not in self._scored)
        self._scored |= {pair: None for pair in pairs if pair not in self._scored and pair not in new}
        order = sorted(new, key=lambda pair: len(new[pair]))  # like lengths together: little padding
        for start in range(0, len(order), BATCH):
            rows = order[start : start + BATCH]
            self._scored |= zip(rows, self._score_batch([new[pair] for pair in rows]), strict=True)
        return [self._scored[pair] for pair in pairs]

    def gradient_norms(self, pairs: Sequence[Pair]) -> list[float | None]:
        """L2 norm of the gradient of each answer's mean token loss (end mark left out). None: no token.

        Taken over the model's own weights, adapters left out, so that models with and without one compare: that is
        the gradient in the weights with the adapter merged in. Quantised weights have no gradient; the others
        (embeddings, norms, head) stand for them.
        """
        new = self._examples(pair for pair in pairs if pair not in self._norms)
        self._norms |= {pair: None for pair in pairs if pair not in self._norms and pair not in new}
        if new:
            with self._own_weights() as weights:
                self._norms |= {pair: self._gradient_norm(example, weights) for pair, example in new.items()}
        return [self._norms[pair] for pair in pairs]

    def samples(self, questions: Sequence[str], k: int, seed: int) -> list[list[str]]:
        """k answers to each question, sampled as published (temperature 0.7, top_p 0.9, top_k 5), seeded."""
        drawn = [self._answers(questions, seed + 1_000_003 * turn, sampling=PUBLISHED) for turn in range(k)]
        return [list(texts) for texts in zip(*drawn, strict=True)]

    def answers(self, questions: Sequence[str]) -> list[str]:
        """One answer to each question, as the recipe's `generate` section has it."""
        return self._answers(questions, self.context.seed)

    def _answers(self, questions: Sequence[str], seed: int, **changes) -> list[str]:
        prompts = [question_ids(self._loaded.tokenizer, question) for question in questions]
        decoding = Decoding.of(self.context.generate, seed, **changes)
        return [answer.text for answer in answer_prompts(self._loaded, prompts, self._adapters, decoding)]

    def _examples(self, pairs) -> dict[Pair, Example]:
        """The rows of those pairs whose answer has a token, each once."""
        found = {pair: encode_answer(self._loaded.tokenizer, *pair) for pair in pairs if pair[1].strip()}
        return {pair: example for pair, example in found.items() if len(example) - example.n_prompt > 1}

    def _batch(self, examples: Sequence[Example]) -> dict[str, Tensor]:
        batch = collate(examples, self._loaded.tokenizer.pad_token_id)
        return {name: tensor.to(self._loaded.device) for name, tensor in batch.items()}

    def _score_batch(self, examples: Sequence[Example]) -> list[Scored]:
        """One forward pass; the (N, V) logits are made and dropped in chunks of POSITIONS."""
        import torch

        from relearn_lite.models.logprobs import head_logits, supervised_hidden

        model = self._loaded.model
        with torch.inference_mode(), active_adapters(model, self._adapters):
            model.eval()
            hidden, labels, _ = supervised_hidden(model, self._batch(examples))
            chunks = [
                _statistics(head_logits(model, states), tokens)
                for states, tokens in zip(hidden.split(POSITIONS), labels.split(POSITIONS), strict=True)
            ]
        columns = [torch.cat(column).cpu().numpy() for column in zip(*chunks, strict=True)]
        ends = np.cumsum([len(example) - example.n_prompt for example in examples])[:-1]
        rows = zip(*(np.split(column, ends) for column in columns), strict=True)
        return [
            Scored(log_probs[:-1], greedy[:-1], mean[:-1], std[:-1], float(log_probs[-1]))
            for log_probs, greedy, mean, std in rows
        ]

    @contextmanager
    def _own_weights(self):
        """The model's floating-point weights without adapters, free to take gradients; afterwards as before."""
        parameters = list(self._loaded.model.named_parameters())
        before = [parameter.requires_grad for _, parameter in parameters]
        own = [p for name, p in parameters if p.is_floating_point() and ".lora_" not in name]
        try:
            for _, parameter in parameters:
                parameter.requires_grad_(False)
            for parameter in own:
                parameter.requires_grad_(True)
            yield own
        finally:
            for (_, parameter), was in zip(parameters, before, strict=True):
                parameter.requires_grad_(was)

    def _gradient_norm(self, example: Example, weights: Sequence[Tensor]) -> float:
        import torch

        from relearn_lite.models.logprobs import head_logits, supervised_hidden

        model = self._loaded.model
        with torch.enable_grad(), active_adapters(model, self._adapters):
            model.eval()
            hidden, labels, _ = supervised_hidden(model, self._batch([Example(example.ids[:-1], example.n_prompt)]))
            loss = torch.nn.functional.cross_entropy(head_logits(model, hidden), labels)
            gradients = torch.autograd.grad(loss, weights, allow_unused=True)
        squares = [gradient.float().pow(2).sum() for gradient in gradients if gradient is not None]
        return float(torch.stack(squares).sum().sqrt())


def _statistics(logits: Tensor, tokens: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Logits (N, V), tokens (N,) -> log-probability, is it the argmax, mean and std of log p under p, each (N,)."""
    log_p = logits.log_softmax(-1)
    p = log_p.exp()
    mean = (p * log_p).sum(-1)
    variance = (p * log_p.square()).sum(-1) - mean.square()
    chosen = log_p.gather(-1, tokens[:, None])[:, 0]
    return chosen, log_p.argmax(-1) == tokens, mean, variance.clamp(min=0).sqrt()
