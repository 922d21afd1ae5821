"""Unlearning losses: pure functions of logits at supervised positions, composed into methods.

A method is one forget term and weighted retain terms; the published names in METHODS are shorthands. To add a loss,
write its function and give it a line in FORGET_TERMS or RETAIN_TERMS.

Shapes: `N` supervised positions of a batch, flattened over its `B` rows, `T` tokens a row, `V` vocabulary.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class Supervised:
    """The positions of one batch whose next token is trained.

    logits: (N, V) of the model in training; labels: (N,) the next tokens; rows: (N,) which of the `n_rows` rows each
    position belongs to; reference_logits: (N, V) of the model with the adapter off, or None where no term needs it.
    """

    logits: Tensor
    labels: Tensor
    rows: Tensor
    n_rows: int
    reference_logits: Tensor | None = None


def token_nll(logits: Tensor, labels: Tensor) -> Tensor:
    """Negative log-likelihood of each label: (N, V), (N,) -> (N,), in nats.

    Naively: `-logits.log_softmax(-1)[range(N), labels]`; this form needs no second (N, V) tensor.
    """
    logits = _precise(logits)
    return logits.logsumexp(-1) - logits.gather(-1, labels[:, None]).squeeze(-1)


def row_nll(logits: Tensor, batch: Supervised, *, mean: bool = False) -> Tensor:
    """Negative log-likelihood of each row's answer, summed (or averaged) over its tokens: -> (B,)."""
    nll = token_nll(logits, batch.labels)
    total = nll.new_zeros(batch.n_rows).index_add(0, batch.rows, nll)
    if not mean:
        return total
    return total / nll.new_zeros(batch.n_rows).index_add(0, batch.rows, nll.new_ones(nll.shape)).clamp(min=1)


def ce(batch: Supervised) -> Tensor:
    """Cross-entropy: mean NLL over the supervised tokens of the batch (L_GDF and L_GDR)."""
    return token_nll(batch.logits, batch.labels).mean()


def kl(batch: Supervised) -> Tensor:
    """KL(reference || model) = sum_v p_ref (log p_ref - log p), mean over positions (L_KLR)."""
    reference = _precise(batch.reference_logits).log_softmax(-1)
    policy = _precise(batch.logits).log_softmax(-1)
    return (reference.exp() * (reference - policy)).sum(-1).mean()


def ga(batch: Supervised) -> Tensor:
    """Gradient ascent: the cross-entropy of the original answers, negated."""
    return -ce(batch)


def npo(batch: Supervised, beta: float) -> Tensor:
    """Negative preference optimisation: -(2/β) mean log σ(β (NLL - NLL_ref)), NLL summed over a row's answer."""
    margin = row_nll(batch.logits, batch) - row_nll(batch.reference_logits, batch)
    return -(2 / beta) * _log_sigmoid(beta * margin).mean()


def dpo(preferred: Supervised, dispreferred: Supervised, beta: float) -> Tensor:
    """Preference of the new answer over the original one, both against the reference (relearn_dpo).

    -(2/β) log σ(β [(lp_w - lp_l) - (lp_w_ref - lp_l_ref)]), lp = mean log-probability of the answers' tokens, over
    the whole batch as in the published code (at its batch size of 1 that is one answer).
    """

    def gain(batch: Supervised) -> Tensor:
        return token_nll(batch.reference_logits, batch.labels).mean() - ce(batch)

    return -(2 / beta) * _log_sigmoid(beta * (gain(preferred) - gain(dispreferred)))


def _precise(logits: Tensor) -> Tensor:
    """Half precision loses the small probabilities that a KL is made of."""
    return logits if logits.element_size() >= 4 else logits.float()


def _log_sigmoid(x: Tensor) -> Tensor:
    from torch.nn.functional import logsigmoid

    return logsigmoid(x)


@dataclass(frozen=True)
class ForgetTerm:
    """How the forget term is computed, on what, and whether it needs the reference model.

    `batches` names what it is given: `augmented` (new answers), `original` (the answers to forget), in this order.
    """

    loss: Callable[..., Tensor]
    batches: tuple[str, ...]
    needs_reference: bool = False
    uses_beta: bool = False


@dataclass(frozen=True)
class RetainTerm:
    """How a retain term is computed, and whether it needs the reference model."""

    loss: Callable[[Supervised], Tensor]
    needs_reference: bool = False


FORGET_TERMS: dict[str, ForgetTerm] = {
    "ce": ForgetTerm(ce, ("augmented",)),
    "ga": ForgetTerm(ga, ("original",)),
    "npo": ForgetTerm(npo, ("original",), needs_reference=True, uses_beta=True),
    "dpo": ForgetTerm(dpo, ("augmented", "original"), needs_reference=True, uses_beta=True),
}

RETAIN_TERMS: dict[str, RetainTerm] = {
    "ce": RetainTerm(ce),
    "kl": RetainTerm(kl, needs_reference=True),
}


@dataclass(frozen=True)
class Method:
    """A published method: a forget term and weighted retain terms."""

    forget: str
    retain: Mapping[str, float]


_RETAIN = {"": {}, "_gdr": {"ce": 1.0}, "_klr": {"kl": 1.0}}
METHODS: dict[str, Method] = {
    **{
        f"{name}{suffix}": Method(term, retain)
        for name, term in (("relearn", "ce"), ("relearn_dpo", "dpo"), ("ga", "ga"), ("npo", "npo"))
        for suffix, retain in _RETAIN.items()
    },
    "relearn_klr_gdr": Method("ce", {"ce": 1.0, "kl": 1.0}),
}


def forget_loss(term: ForgetTerm, batches: Mapping[str, Supervised], beta: float) -> Tensor:
    """The forget term of one step; `batches` holds what `term.batches` names."""
    inputs = [batches[name] for name in term.batches]
    return term.loss(*inputs, beta) if term.uses_beta else term.loss(*inputs)


def method_loss(
    name: str, batches: Mapping[str, Mapping[str, Any]], beta: float = 0.1, kl_positions: str = "all"
) -> Tensor:
    """The whole loss of a published method on plain tensors, as a check of training against published numbers.

    batches: `forget`, `retain`, and for relearn_dpo `preferred` and `dispreferred`, each with `policy_logits` and
    `reference_logits` (B, T, V) and `labels` (B, T), -100 where not supervised. For relearn the answers of `forget`
    are the new ones, for ga and npo the original ones. kl_positions: `answer`, as in training, or `all`, as the
    published code has it (padding and prompt included).
    """
    from relearn_lite.unlearn.logprobs import flatten, shift

    method = METHODS[name]
    term = FORGET_TERMS[method.forget]
    pair = {"augmented": "preferred", "original": "dispreferred"}
    given = {part: shift(**batches[pair[part] if len(term.batches) > 1 else "forget"]) for part in term.batches}
    loss = forget_loss(term, given, beta)
    for retain, weight in method.retain.items():
        view = flatten if retain == "kl" and kl_positions == "all" else shift
        loss = loss + weight * RETAIN_TERMS[retain].loss(view(**batches["retain"]))
    return loss
