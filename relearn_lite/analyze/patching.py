"""Activation patching by hooks: what a part of the network would have written, put in the place of what it wrote.

A part is an attention head or an MLP. What a head writes into the residual stream is its slice of the attention's
output projection's input, times that projection. The projection belongs to the head: a method that changed it has
changed what the head writes, although its input stayed. So a patch takes the donor's input *and* the donor's
projection; patching all parts then gives exactly the donor's output.

Shapes: `B` rows, `T` tokens, `W` heads side by side, `H` hidden size.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from relearn_lite.analyze.anatomy import Anatomy, replaced, tensor_of
from relearn_lite.core.errors import RecipeError
from relearn_lite.models.loaded import active_adapters
from relearn_lite.models.logprobs import answer_nll

if TYPE_CHECKING:
    from torch import Tensor

Part = tuple[int, int | None]  # (layer, head); head None: the layer's MLP


@dataclass
class Recording:
    """What the parts of a model did in one run, layer by layer.

    heads: inputs of the output projections, (B, T, W); mlps: what the MLPs wrote, (B, T, H); adapters: which model it
    was. A mean over tokens has shapes (1, 1, W) and (1, 1, H).
    """

    heads: list[Tensor]
    mlps: list[Tensor]
    adapters: tuple[str, ...]


def answer_logprob(model, batch: dict[str, Tensor]) -> Tensor:
    """Mean log-probability, in nats a token, of each row's supervised tokens: -> (B,)."""
    return -answer_nll(model, batch)


def record(model, parts: Anatomy, batch: dict[str, Tensor], adapters: tuple[str, ...]) -> tuple[Recording, Tensor]:
    """Runs a model (its adapters) and keeps what its parts did: -> (recording, log-probability of each row (B,)).

    Raises RecipeError where a backend computes attention or MLP without calling these modules.
    """
    heads: dict[int, Tensor] = {}
    mlps: dict[int, Tensor] = {}
    hooks = []
    for layer, (projection, mlp) in enumerate(zip(parts.projections, parts.mlps, strict=True)):
        hooks += [
            projection.register_forward_hook(lambda _, args, out, n=layer: heads.__setitem__(n, args[0])),
            mlp.register_forward_hook(lambda _, args, out, n=layer: mlps.__setitem__(n, tensor_of(out))),
        ]
    with active_adapters(model, adapters):
        try:
            logprob = answer_logprob(model, batch)
        finally:
            for hook in hooks:
                hook.remove()
    if len(heads) < len(parts.layers) or len(mlps) < len(parts.layers):
        raise RecipeError(
            "analyze.circuits: this backend does not call the attention's output projection or the MLP as a module, "
            "so they cannot be patched; set model.backend: transformers, or analyze.circuits: none"
        )
    order = range(len(parts.layers))
    return Recording([heads[n] for n in order], [mlps[n] for n in order], adapters), logprob


@contextmanager
def patched(parts: Anatomy, donor: Recording, which: Collection[Part]) -> Iterator[None]:
    """Inside, the named parts write what they wrote in the donor's run."""
    hooks = []
    for layer in sorted({layer for layer, _ in which}):
        heads = [head for of, head in which if of == layer and head is not None]
        if heads:
            hook = _head_hook(donor.heads[layer], donor.adapters, heads, parts.heads)
            hooks.append(parts.projections[layer].register_forward_hook(hook))
        if (layer, None) in which:
            hooks.append(parts.mlps[layer].register_forward_hook(_mlp_hook(donor.mlps[layer])))
    try:
        yield
    finally:
        for hook in hooks:
            hook.remove()


def _head_hook(given: Tensor, adapters: tuple[str, ...], heads: Sequence[int], of: int):
    """Takes out what these heads wrote, puts in what they wrote in the donor's run; a bias cancels out."""

    def hook(projection, args, output):
        mask = head_mask(given, heads, of)
        # `forward`, not a call: a call would run this hook again.
        return output + written(projection, given * mask, adapters) - projection.forward(args[0] * mask)

    return hook


def _mlp_hook(given: Tensor):
    def hook(_, args, output):
        return replaced(output, given.expand_as(tensor_of(output)))

    return hook


def written(projection, heads: Tensor, adapters: tuple[str, ...]) -> Tensor:
    """What a projection makes of heads with these adapters, whichever are active around it."""
    with active_adapters(projection, adapters):
        return projection.forward(heads)


def head_mask(like: Tensor, heads: Sequence[int], of: int) -> Tensor:
    """(W,): 1 in the slices of these heads, 0 elsewhere."""
    mask = like.new_zeros(of, like.shape[-1] // of)
    mask[list(heads)] = 1
    return mask.flatten()


def patched_logprob(
    model, parts: Anatomy, batch: dict[str, Tensor], host: tuple[str, ...], donor: Recording, which: Collection[Part]
) -> Tensor:
    """Log-probability (B,) of the answers by the host model (its adapters), with parts of the donor's run in it."""
    with active_adapters(model, host), patched(parts, donor, which):
        return answer_logprob(model, batch)
