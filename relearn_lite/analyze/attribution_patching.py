"""Attribution patching: the effect of every patch at once, to first order (Nanda, 2023).

Patching a component changes the log-probability by about gradient x difference: the gradient of the log-probability
with respect to what the component writes, times what the patch would change in it. One backward pass gives this for all
components, where activation patching needs one run each. Large changes are not linear, so sizes are rough; ranks are of
use.

Shapes: `B` rows, `T` tokens, `W` heads side by side, `H` hidden size, `L` layers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from relearn_lite.analyze.activation_patching import Activations, project
from relearn_lite.analyze.architecture import Architecture, hidden_of, hooked, with_hidden
from relearn_lite.models.loaded import active_adapters
from relearn_lite.models.logprobs import answer_nll

if TYPE_CHECKING:
    from torch import Tensor


def gradients(
    model, architecture: Architecture, batch: dict[str, Tensor], adapters: tuple[str, ...]
) -> dict[Any, Tensor]:
    """Gradients (B, T, H) of the rows' summed log-probability by what each projection and MLP writes, by module."""
    import torch

    added: dict[Any, Tensor] = {}

    def add_nothing(module, args, kwargs, output):
        written = hidden_of(output)
        added[module] = torch.zeros_like(written, requires_grad=True)
        return with_hidden(output, written + added[module])

    # A backward pass among switched adapters is safe here: nothing is trained, and nothing is computed a second time,
    # since gradient checkpointing works in training mode only.
    hooks = [(module, add_nothing) for module in (*architecture.projections, *architecture.mlps)]
    with torch.enable_grad(), active_adapters(model, adapters), hooked(hooks):
        total = -answer_nll(model, batch).sum()
        return dict(zip(added, torch.autograd.grad(total, list(added.values())), strict=True))


def attributed(
    model, architecture: Architecture, batch: dict[str, Tensor], target: Activations, source: Activations
) -> Tensor:
    """Each component's patch from `source` into `target`: its effect on the rows' summed log-probability.

    To first order; (L, heads + 1), last the MLP.
    """
    import torch

    gradient = gradients(model, architecture, batch, target.adapters)
    effects = []
    for layer, (projection, mlp) in enumerate(zip(architecture.projections, architecture.mlps, strict=True)):
        old, new = (
            _by_head(projection, run.heads[layer], run.adapters, gradient[projection], architecture.heads)
            for run in (target, source)
        )
        mlp = ((source.mlps[layer] - target.mlps[layer]) * gradient[mlp]).float().sum()
        effects.append(torch.cat([new - old, mlp[None]]))
    return torch.stack(effects).cpu().double()


def _by_head(projection, heads: Tensor, adapters: tuple[str, ...], gradient: Tensor, count: int) -> Tensor:
    """Gradient x what each head writes, (count,): through the transposed projection, so that no head is run alone."""
    import torch

    inputs = heads.expand(*gradient.shape[:2], -1).detach().clone().requires_grad_(True)
    with torch.enable_grad():
        (by_input,) = torch.autograd.grad(project(projection, inputs, adapters), inputs, gradient)
    return (by_input * inputs.detach()).float().sum((0, 1)).unflatten(0, (count, -1)).sum(-1)
