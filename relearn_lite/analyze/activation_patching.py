"""Activation patching by hooks: what a component would have written in another run, in the place of what it wrote.

A component is an attention head or an MLP. What a head writes into the residual stream is its slice of the attention's
output projection's input, times that projection. The projection belongs to the head: a method that changed it has
changed what the head writes, although its input stayed. So a patch takes the source run's input *and* its projection;
patching all components then gives exactly the source's output.

Shapes: `B` rows, `T` tokens, `W` heads side by side, `H` hidden size.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from relearn_lite.analyze.architecture import Architecture, Component, hidden_of, hooked, with_hidden
from relearn_lite.core.errors import RecipeError
from relearn_lite.models.loaded import active_adapters
from relearn_lite.models.logprobs import answer_nll

if TYPE_CHECKING:
    from torch import Tensor


@dataclass
class Activations:
    """What the components of a model did in one run, layer by layer.

    heads: inputs of the output projections, (B, T, W); mlps: what the MLPs wrote, (B, T, H); adapters: which model it
    was. A mean over tokens has shapes (1, 1, W) and (1, 1, H).
    """

    heads: list[Tensor]
    mlps: list[Tensor]
    adapters: tuple[str, ...]


def record(
    model, architecture: Architecture, batch: dict[str, Tensor], adapters: tuple[str, ...]
) -> tuple[Activations, Tensor]:
    """Runs a model (its adapters) and keeps its activations: -> (activations, log-probability of each row (B,)).

    Log-probabilities are means over a row's supervised tokens, in nats a token.
    Raises RecipeError where a backend computes attention or MLP without calling these modules.
    """
    heads: dict[Any, Tensor] = {}
    mlps: dict[Any, Tensor] = {}

    def keep_input(projection, args, kwargs, output) -> None:
        heads[projection] = args[0]

    def keep_output(mlp, args, kwargs, output) -> None:
        mlps[mlp] = hidden_of(output).clone()  # Falcon adds what the attention wrote to it, in place

    hooks = [(each, keep_input) for each in architecture.projections]
    hooks += [(each, keep_output) for each in architecture.mlps]
    with active_adapters(model, adapters), hooked(hooks):
        logprob = -answer_nll(model, batch)
    if min(len(heads), len(mlps)) < len(architecture.layers):
        raise RecipeError(
            "analyze.circuits: this backend does not call the attention's output projection or the MLP as a module, "
            "so they cannot be patched; set model.backend: transformers, or analyze.circuits: none"
        )
    by_layer = [heads[each] for each in architecture.projections], [mlps[each] for each in architecture.mlps]
    return Activations(*by_layer, adapters), logprob


def patched(
    architecture: Architecture, source: Activations, components: Collection[Component]
) -> AbstractContextManager[None]:
    """Inside, these components write what they wrote in the source run."""
    hooks: list[tuple[Any, Callable[..., Any]]] = []
    for layer in sorted({layer for layer, _ in components}):
        heads = [head for of, head in components if of == layer and head is not None]
        if heads:
            states = source.heads[layer]
            mask = _head_mask(states, heads, architecture.heads)
            hooks.append((architecture.projections[layer], partial(_patch_heads, states, source.adapters, mask)))
        if (layer, None) in components:
            hooks.append((architecture.mlps[layer], partial(_patch_mlp, source.mlps[layer])))
    return hooked(hooks)


def _patch_heads(states: Tensor, adapters: tuple[str, ...], mask: Tensor, projection, args, kwargs, output) -> Tensor:
    """Takes out what these heads wrote, puts in what they wrote in the source run; a bias cancels out."""
    # `forward`, not a call: a call would run this hook again.
    return output + project(projection, states * mask, adapters) - projection.forward(args[0] * mask)


def _patch_mlp(states: Tensor, mlp, args, kwargs, output) -> Any:
    return with_hidden(output, states.expand_as(hidden_of(output)).clone())


def project(projection, heads: Tensor, adapters: tuple[str, ...]) -> Tensor:
    """What an output projection makes of heads with these adapters, whichever are active around it."""
    with active_adapters(projection, adapters):
        return projection.forward(heads)


def _head_mask(like: Tensor, heads: Sequence[int], of: int) -> Tensor:
    """(W,): 1 in the slices of these heads, 0 elsewhere."""
    mask = like.new_zeros(of, like.shape[-1] // of)
    mask[list(heads)] = 1
    return mask.flatten()


def patched_logprob(
    model, architecture: Architecture, batch: dict[str, Tensor], adapters: tuple[str, ...], source: Activations,
    components: Collection[Component],
) -> Tensor:  # fmt: skip
    """Log-probability (B,) of the answers by a model (its adapters), with components of the source run in it."""
    with active_adapters(model, adapters), patched(architecture, source, components):
        return -answer_nll(model, batch)
