"""How likely a model finds given answers: mean losses, scores token by token, and the gradient of the loss.

The trained tokens of an `Example` are scored, with exactly the given adapters on; the model is left as it was.

Shapes: `T` tokens of an answer, `V` vocabulary, `N` scored positions of a batch.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from relearn_lite.core.errors import RecipeError
from relearn_lite.data.examples import Example, collate
from relearn_lite.models.adapters import WEIGHTS
from relearn_lite.models.backends import evaluation_mode
from relearn_lite.models.generation import batches_of, context_length
from relearn_lite.models.loaded import Loaded, active_adapters
from relearn_lite.models.logprobs import answer_nll, head_logits, supervised, supervised_hidden

if TYPE_CHECKING:
    from torch import Tensor

BATCH = 16  # examples scored at once


@dataclass(frozen=True, eq=False)
class TokenScores:
    """The tokens of one answer under a model. Arrays are (T,), without the token that ends the answer.

    log_probs: log-probability of each token, in nats; greedy: whether it is the most likely token at its position;
    mean, std: of log p over the vocabulary at its position, weighted by p itself (Min-K%++); end: log-probability of
    the token that ends the answer.
    """

    log_probs: np.ndarray
    greedy: np.ndarray
    mean: np.ndarray
    std: np.ndarray
    end: float

    @property
    def loss(self) -> float:
        """Mean loss in nats a token, without the end token."""
        return -float(self.log_probs.mean())

    @property
    def loss_with_end(self) -> float:
        """Mean loss in nats a token, with the end token, which TOFU counts as part of the answer."""
        return -(float(self.log_probs.sum()) + self.end) / (len(self.log_probs) + 1)


def to_batch(loaded: Loaded, examples: Sequence[Example]) -> dict[str, Tensor]:
    """Right-padded tensors of some examples on the model's device."""
    batch = collate(examples, loaded.tokenizer.pad_token_id)
    return {name: tensor.to(loaded.device) for name, tensor in batch.items()}


def without_end(example: Example) -> Example:
    """The example without its last token, the one that ends the answer."""
    return Example(example.ids[:-1], example.n_prompt)


def mean_losses(loaded: Loaded, examples: Sequence[Example], adapters: tuple[str, ...]) -> list[float]:
    """Mean loss of each answer, in nats a token."""
    return _in_batches(loaded, examples, adapters, lambda batch: answer_nll(loaded.model, batch).tolist())


def token_scores(loaded: Loaded, examples: Sequence[Example], adapters: tuple[str, ...]) -> list[TokenScores]:
    """Each answer token by token; the examples end with the token that ends the answer."""

    def score(batch: dict[str, Tensor]) -> list[TokenScores]:
        answers = supervised(loaded.model, batch)
        columns = answers.each(lambda logits, tokens, _: _statistics(logits, tokens)).cpu().numpy()
        rows = np.split(columns, np.cumsum(answers.row_lengths)[:-1])
        return [
            TokenScores(row[:-1, 0], row[:-1, 1].astype(bool), row[:-1, 2], row[:-1, 3], float(row[-1, 0]))
            for row in rows
        ]

    return _in_batches(loaded, examples, adapters, score)


def _check_readable(loaded: Loaded, examples: Sequence[Example]) -> None:
    limit, longest = context_length(loaded), max(map(len, examples), default=0)
    if limit and longest > limit:
        raise RecipeError(
            f"model.name: this model reads {limit} tokens at most, and the longest question with its answer has "
            f"{longest}; shorten such rows, or ask for no metric that scores given answers"
        )


def _in_batches(
    loaded: Loaded, examples: Sequence[Example], adapters: tuple[str, ...],
    score: Callable[[dict[str, Tensor]], Sequence[Any]],
) -> list[Any]:  # fmt: skip
    import torch

    scores: dict[int, Any] = {}
    _check_readable(loaded, examples)
    with torch.inference_mode(), evaluation_mode(loaded), active_adapters(loaded.model, adapters):
        for rows in batches_of([example.ids for example in examples], BATCH):
            scores |= zip(rows, score(to_batch(loaded, [examples[i] for i in rows])), strict=True)
    return [scores[i] for i in range(len(examples))]


def _statistics(logits: Tensor, tokens: Tensor) -> Tensor:
    """Logits (N, V), tokens (N,) -> (N, 4): log-probability, is it the argmax, mean and std of log p under p."""
    import torch

    log_p = logits.log_softmax(-1)
    p = log_p.exp()
    mean = (p * log_p).sum(-1)
    variance = (p * log_p.square()).sum(-1) - mean.square()
    chosen = log_p.gather(-1, tokens[:, None])[:, 0]
    return torch.stack([chosen, log_p.argmax(-1) == tokens, mean, variance.clamp(min=0).sqrt()], dim=-1)


def gradient_norms(loaded: Loaded, examples: Sequence[Example], adapters: tuple[str, ...]) -> list[float]:
    """L2 norm of the gradient of each answer's mean token loss, in the model's own weights, not those of adapters.

    Quantised weights have no gradient; the others (embeddings, norms, head) stand for them.
    """
    import torch
    from torch.nn.functional import cross_entropy

    norms, model = [], loaded.model
    _check_readable(loaded, examples)
    with evaluation_mode(loaded), active_adapters(model, adapters), _own_weights(model) as weights, torch.enable_grad():
        for example in examples:
            hidden, labels, _ = supervised_hidden(model, to_batch(loaded, [example]))
            loss = cross_entropy(head_logits(model, hidden), labels)
            gradients = torch.autograd.grad(loss, weights, allow_unused=True)
            squares = [gradient.float().pow(2).sum() for gradient in gradients if gradient is not None]
            norms.append(float(torch.stack(squares).sum().sqrt()))
    return norms


@contextmanager
def _own_weights(model) -> Iterator[list[Tensor]]:
    """The model's floating-point weights without adapters, free to take gradients; afterwards as before."""
    parameters = dict(model.named_parameters())
    trained = {name for name, parameter in parameters.items() if parameter.requires_grad}
    added = [f".{kind}" for kind in (*WEIGHTS.values(), "token_adapter")]
    own = {
        name for name, p in parameters.items() if p.is_floating_point() and not any(part in name for part in added)
    }
    try:
        for name, parameter in parameters.items():
            parameter.requires_grad_(name in own)
        yield [parameters[name] for name in parameters if name in own]
    finally:
        for name, parameter in parameters.items():
            parameter.requires_grad_(name in trained)
