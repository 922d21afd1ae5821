"""From token ids to logits at supervised positions: the one place where logits are shifted against labels.

Only what is trained is computed: hidden states come from the backbone, and only those that predict an answer's token
go through the head. For a 128k vocabulary the head's output would otherwise be the largest tensor of a step.

Shapes: `B` rows, `T` tokens, `H` hidden size, `V` vocabulary, `N` supervised positions.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING

from relearn_lite.unlearn.supervised import Supervised, row_sum

if TYPE_CHECKING:
    from torch import Tensor

IGNORE = -100
LARGE = 2**24  # more elements of N x V logits are computed in chunks: these are 64 MiB in float32, and a loss holds six


def supervised_hidden(model, batch: dict[str, Tensor]) -> tuple[Tensor, Tensor, Tensor]:
    """Hidden states (N, H) that predict the supervised tokens, these tokens (N,) and their rows (N,)."""
    base = _unwrapped(model)
    hidden = base.base_model(
        input_ids=batch["input_ids"], attention_mask=batch["attention_mask"], use_cache=False
    ).last_hidden_state
    labels = batch["labels"][:, 1:]
    mask = labels != IGNORE
    return hidden[:, :-1][mask], labels[mask], mask.nonzero()[:, 0]


def layer_hidden(model, batch: dict[str, Tensor], layer: int) -> tuple[Tensor, Tensor, Tensor]:
    """As `supervised_hidden`, but the hidden states (N, H) that layer number `layer` (from 0) puts out."""
    out = _unwrapped(model).base_model(
        input_ids=batch["input_ids"], attention_mask=batch["attention_mask"], use_cache=False, output_hidden_states=True
    )
    labels = batch["labels"][:, 1:]
    mask = labels != IGNORE
    return out.hidden_states[layer + 1][:, :-1][mask], labels[mask], mask.nonzero()[:, 0]


def head_logits(model, hidden: Tensor) -> Tensor:
    """The language-model head with the model's own scaling and soft-capping: (N, H) -> (N, V), float32."""
    base = _unwrapped(model)
    head, config = base.get_output_embeddings(), base.config.get_text_config()
    logits = head(hidden.to(head.weight.dtype)).float()
    if scale := getattr(config, "logit_scale", None):  # Cohere
        logits = logits * scale
    if scaling := getattr(config, "logits_scaling", None):  # Granite
        logits = logits / scaling
    if cap := getattr(config, "final_logit_softcapping", None):  # Gemma 2
        logits = cap * (logits / cap).tanh()
    return logits


def score(
    model, hidden: Tensor, labels: Tensor, rows: Tensor, n_rows: int, *, reference: Tensor | None = None,
    vanilla: Callable[[], AbstractContextManager] = nullcontext,
) -> Supervised:
    """What losses are computed from, given hidden states (N, H), of the model and of the reference.

    Logits at once where they are small, else hidden states with the head, which is then computed in chunks of LARGE
    elements: the same values and gradients. vanilla: a context in which the head is the reference's.
    """
    width = _unwrapped(model).get_output_embeddings().out_features

    def ours(states: Tensor) -> Tensor:
        return head_logits(model, states)

    def theirs(states: Tensor) -> Tensor:
        with vanilla():
            return head_logits(model, states)

    if len(labels) * width > LARGE:
        return Supervised(hidden, labels, rows, n_rows, reference, ours, theirs, max(1, LARGE // width))
    if reference is not None:
        import torch

        with torch.no_grad():
            reference = theirs(reference)
    return Supervised(ours(hidden), labels, rows, n_rows, reference)


def supervised(model, batch: dict[str, Tensor]) -> Supervised:
    """One forward pass: what is trained of a right-padded batch."""
    return score(model, *supervised_hidden(model, batch), batch["labels"].shape[0])


def answer_nll(model, batch: dict[str, Tensor]) -> Tensor:
    """Mean negative log-likelihood, in nats a token, of each row's answer: -> (B,)."""
    scored = supervised(model, batch)
    return row_sum(scored.nll(), scored, mean=True)


def shift(policy_logits: Tensor, reference_logits: Tensor, labels: Tensor) -> Supervised:
    """Whole logits (B, T, V) and labels (B, T) -> supervised positions, each with the token that follows it."""
    mask = labels[:, 1:] != IGNORE
    return Supervised(
        policy_logits[:, :-1][mask], labels[:, 1:][mask], mask.nonzero()[:, 0], labels.shape[0],
        reference_logits[:, :-1][mask],
    )


def flatten(policy_logits: Tensor, reference_logits: Tensor, labels: Tensor) -> Supervised:
    """Every position, prompt and padding included, unshifted: how the published code averages its KL."""
    rows = labels.new_zeros(labels.numel())
    return Supervised(policy_logits.flatten(0, 1), labels.flatten(), rows, 1, reference_logits.flatten(0, 1))


def _unwrapped(model):
    """The transformers model under peft's wrapper; its layers keep their adapters."""
    return model.get_base_model() if hasattr(model, "get_base_model") else model
