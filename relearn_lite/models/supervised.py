"""What losses are computed from: the positions of a batch whose next token is trained.

Shapes: `N` supervised positions of a batch, flattened over its `B` rows, `V` vocabulary, `H` hidden size.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class Supervised:
    """The positions of one batch whose next token is trained.

    states: (N, V) logits of the model in training; labels: (N,) the next tokens; rows: (N,) which of the `n_rows` rows
    each position belongs to; reference_states: as states of the vanilla model, or None where no term needs it.

    With a large vocabulary the logits of all positions would be the largest tensors of a step. Then states are (N, H),
    and `head` makes logits of `chunk` positions at a time, again in the backward pass. A loss need not know: it asks
    for values a position (`nll`, `reference_nll`, `each`).
    """

    states: Tensor
    labels: Tensor
    rows: Tensor
    n_rows: int
    reference_states: Tensor | None = None
    head: Callable[[Tensor], Tensor] | None = None
    reference_head: Callable[[Tensor], Tensor] | None = None
    chunk: int = 0

    @property
    def row_lengths(self) -> list[int]:
        """Trained tokens of each row."""
        return self.rows.bincount(minlength=self.n_rows).tolist()

    def each(self, value: Callable[[Tensor, Tensor, Tensor | None], Tensor]) -> Tensor:
        """`value(logits (n, V), labels (n,), reference_logits (n, V) or None) -> (n,)` of every position: -> (N,)."""
        if self.head is None:
            return value(self.states, self.labels, self.reference_states)
        import torch

        from relearn_lite.models.recompute import checkpoint

        def part(states: Tensor, labels: Tensor, reference_states: Tensor | None) -> Tensor:
            with torch.no_grad():
                reference = None if reference_states is None else self.reference_head(reference_states)
            return value(self.head(states), labels, reference)

        chunks = (slice(start, start + self.chunk) for start in range(0, len(self.labels), self.chunk))
        theirs = self.reference_states
        parts = [(self.states[at], self.labels[at], None if theirs is None else theirs[at]) for at in chunks]
        if not torch.is_grad_enabled():
            return torch.cat([part(*inputs) for inputs in parts])
        return torch.cat([checkpoint(part, *inputs, use_reentrant=False) for inputs in parts])

    def nll(self) -> Tensor:
        """Negative log-likelihood of each label under the model in training: -> (N,), in nats."""
        return self.each(lambda logits, labels, _: token_nll(logits, labels))

    def reference_nll(self) -> Tensor:
        """Negative log-likelihood of each label under the vanilla model: -> (N,), in nats, without gradients."""
        import torch

        with torch.no_grad():
            return replace(self, states=self.reference_states, head=self.reference_head, reference_states=None).nll()


@dataclass(frozen=True)
class LayerStates:
    """Hidden states of one layer at the supervised positions, for terms that steer them instead of the answer.

    states: (N, H) of the model in training; rows: (N,) which of the `n_rows` rows each position belongs to; direction:
    (H,) a fixed random unit vector; reference_states: (N, H) of the vanilla model, or None where no term needs it.
    """

    states: Tensor
    rows: Tensor
    n_rows: int
    direction: Tensor
    reference_states: Tensor | None = None


def token_nll(logits: Tensor, labels: Tensor) -> Tensor:
    """Negative log-likelihood of each label: (N, V), (N,) -> (N,), in nats.

    Naively: `-logits.log_softmax(-1)[range(N), labels]`; this form needs no second (N, V) tensor.
    """
    logits = at_least_float32(logits)
    return logits.logsumexp(-1) - logits.gather(-1, labels[:, None]).squeeze(-1)


def token_kl(logits: Tensor, reference_logits: Tensor) -> Tensor:
    """KL(reference || model) of each position's next-token distribution: (N, V), (N, V) -> (N,), in nats."""
    reference = at_least_float32(reference_logits).log_softmax(-1)
    policy = at_least_float32(logits).log_softmax(-1)
    return (reference.exp() * (reference - policy)).sum(-1)


def row_sum(nll: Tensor, batch: Supervised | LayerStates, *, mean: bool = False) -> Tensor:
    """Values a position (N,), such as NLL, summed (or averaged) over each row's answer: -> (B,)."""
    total = nll.new_zeros(batch.n_rows).index_add(0, batch.rows, nll)
    if not mean:
        return total
    return total / nll.new_zeros(batch.n_rows).index_add(0, batch.rows, nll.new_ones(nll.shape)).clamp(min=1)


def at_least_float32(logits: Tensor) -> Tensor:
    """At least single precision: half loses the small probabilities that a KL is made of."""
    return logits if logits.element_size() >= 4 else logits.float()


def log_ratio(batch: Supervised, *, mean: bool = False) -> Tensor:
    """How much likelier each row's answer is to the model in training than to the vanilla model: -> (B,), in nats.

    Summed over the answer's tokens, or averaged.
    """
    return row_sum(batch.reference_nll() - batch.nll(), batch, mean=mean)


def preference_loss(margin: Tensor, beta: float) -> Tensor:
    """-(2/β) log σ(β margin), a value a row: what NPO, DPO and their like make of their margins."""
    from torch.nn.functional import logsigmoid

    return -(2 / beta) * logsigmoid(beta * margin)
