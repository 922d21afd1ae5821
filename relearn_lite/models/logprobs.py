"""From token ids to logits at supervised positions: the one place where logits are shifted against labels.

Only hidden states that predict a token of an answer go through the head: with a vocabulary of 128k its output would
otherwise be the largest tensor of a step.

Shapes: `B` rows, `T` tokens, `H` hidden size, `V` vocabulary, `N` supervised positions.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from relearn_lite.core.errors import RecipeError
from relearn_lite.data.examples import IGNORE
from relearn_lite.models.loaded import unwrapped
from relearn_lite.models.supervised import Supervised, row_sum

if TYPE_CHECKING:
    from torch import Tensor

FEW = 8  # tokens that `check_head` looks at
LARGE = 2**24  # more elements of N x V logits are computed in chunks: these are 64 MiB in float32, and a loss holds six


def supervised_hidden(model, batch: dict[str, Tensor], layer: int | None = None) -> tuple[Tensor, Tensor, Tensor]:
    """Hidden states (N, H) that predict the supervised tokens, these tokens (N,) and their rows (N,).

    layer: number, from 0, of the layer whose output they are; None: what the head is given.
    """
    out = unwrapped(model).base_model(
        input_ids=batch["input_ids"], attention_mask=batch["attention_mask"], use_cache=False,
        output_hidden_states=layer is not None,
    )  # fmt: skip
    hidden = out.last_hidden_state if layer is None else out.hidden_states[layer + 1]
    labels = batch["labels"][:, 1:]
    mask = labels != IGNORE
    return hidden[:, :-1][mask], labels[mask], mask.nonzero()[:, 0]


def head_logits(model, hidden: Tensor) -> Tensor:
    """The language-model head with the model's own scaling and soft-capping: (N, H) -> (N, V), float32."""
    base = unwrapped(model)
    head, config = base.get_output_embeddings(), base.config.get_text_config()
    logits = head(hidden.to(head.weight.dtype)).float()
    for name in ("logit_scale", "lm_head_multiplier"):  # Cohere, Falcon-H1
        if scale := getattr(config, name, None):
            logits = logits * scale
    if scaling := getattr(config, "logits_scaling", None):
        # One name, two meanings: HyperCLOVA X multiplies, Granite and all others divide.
        logits = logits * scaling if config.model_type == "hyperclovax" else logits / scaling
    if cap := getattr(config, "final_logit_softcapping", None):  # Gemma 2
        logits = cap * (logits / cap).tanh()
    return logits


@contextmanager
def without_dropout(model) -> Iterator[None]:
    """Runs the model without dropout or any other noise of training, then as before; draws no random number.

    Sets `training` only, so that gradient checkpointing stays as it is. Linear layers stay in their mode: they have no
    noise, and bitsandbytes' compute otherwise in evaluation mode (8 bit on a CPU).
    """
    from torch.nn import Linear

    noisy = [module for module in model.modules() if module.training and not isinstance(module, Linear)]
    for module in noisy:
        module.training = False
    try:
        yield
    finally:
        for module in noisy:
            module.training = True


def check_head(model) -> None:
    """Compares `head_logits` with what the model itself makes of a few tokens.

    Architectures scale and cap their logits in their own ways. One not known here would be trained and judged by wrong
    numbers that look right: it is a RecipeError. Takes two forward passes of FEW tokens.
    """
    import torch

    base = unwrapped(model)
    weight = base.get_output_embeddings().weight
    size, tolerance = len(weight), 1e-3 if weight.dtype == torch.float32 else 5e-2  # half precision rounds its own way
    # From the middle of the vocabulary: tokens with a meaning of their own stand at its ends.
    ids = torch.arange(size // 2, min(size, size // 2 + FEW), device=base.device)[None]
    batch = {"input_ids": ids, "attention_mask": torch.ones_like(ids)}
    with torch.no_grad(), without_dropout(model):
        whole = base(**batch, use_cache=False).logits.float()[0, :-1]
        ours = head_logits(model, supervised_hidden(model, {**batch, "labels": ids})[0])
    if whole.isnan().any():
        return  # half precision is too small for this model: that is not the head's fault, and training says so
    if ours.shape != whole.shape or (ours - whole).abs().max() > tolerance * whole.abs().max():
        raise RecipeError(
            f"model.name: {base.name_or_path} ({base.config.model_type}) makes its logits in a way that is not known "
            "here, so its losses would be wrong; take a model of another architecture, or teach "
            "relearn_lite/models/logprobs.py (head_logits) what this one does"
        )


def score(
    model, hidden: Tensor, labels: Tensor, rows: Tensor, n_rows: int, *, reference: Tensor | None = None,
    vanilla: Callable[[], AbstractContextManager] = nullcontext,
) -> Supervised:
    """What losses are computed from, given hidden states (N, H), of the model and of the reference.

    Logits where they are small, else hidden states and the head. vanilla: a context in which the head is the
    reference's.
    """
    head, ours = unwrapped(model).get_output_embeddings(), partial(head_logits, model)
    width = getattr(head, "out_features", None) or len(head.weight)  # peft's wrapper of trained tokens does not tell

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


def every_position(policy_logits: Tensor, reference_logits: Tensor, labels: Tensor) -> Supervised:
    """Every position, prompt and padding included, unshifted: how the published code averages its KL."""
    rows = labels.new_zeros(labels.numel())
    return Supervised(policy_logits.flatten(0, 1), labels.flatten(), rows, 1, reference_logits.flatten(0, 1))


def one_row(batch: Supervised) -> Supervised:
    """The same positions as if they were one row: how the published code averages over a batch."""
    return replace(batch, rows=batch.rows.new_zeros(len(batch.rows)), n_rows=1)
