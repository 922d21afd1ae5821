"""Attribution patching: the effect of every patch at once, to first order (Nanda, 2023).

Patching a part changes the log-probability by about gradient x difference: the gradient of the log-probability with
respect to what the part writes, times what the patch would change in it. One backward pass gives this for all parts,
where activation patching needs one run a part. Large changes are not linear, so sizes are rough; ranks are of use.

Shapes: `B` rows, `T` tokens, `W` heads side by side, `H` hidden size.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from relearn_lite.analyze.anatomy import Anatomy, replaced, tensor_of
from relearn_lite.analyze.patching import Part, Recording, answer_logprob, written
from relearn_lite.models.loaded import active_adapters

if TYPE_CHECKING:
    from torch import Tensor


def gradients(
    model, parts: Anatomy, batch: dict[str, Tensor], adapters: tuple[str, ...]
) -> tuple[list[Tensor], list[Tensor]]:
    """Gradients of the rows' summed log-probability by what each layer's attention and MLP writes: (B, T, H) each."""
    import torch

    added: dict[tuple[int, str], Tensor] = {}

    def hook(layer: int, kind: str):
        def add_nothing(_, args, output):
            written_here = tensor_of(output)
            added[layer, kind] = torch.zeros_like(written_here, requires_grad=True)
            return replaced(output, written_here + added[layer, kind])

        return add_nothing

    hooks = []
    for layer, (projection, mlp) in enumerate(zip(parts.projections, parts.mlps, strict=True)):
        hooks += [
            projection.register_forward_hook(hook(layer, "heads")),
            mlp.register_forward_hook(hook(layer, "mlp")),
        ]
    # A backward pass among switched adapters is safe here: nothing is trained, and nothing is computed a second time,
    # since gradient checkpointing works in training mode only.
    try:
        with torch.enable_grad(), active_adapters(model, adapters):
            total = answer_logprob(model, batch).sum()
            keys = [(layer, kind) for layer in range(len(parts.layers)) for kind in ("heads", "mlp")]
            found = torch.autograd.grad(total, [added[key] for key in keys])
    finally:
        for each in hooks:
            each.remove()
    return list(found[::2]), list(found[1::2])


def attributed(
    model, parts: Anatomy, batch: dict[str, Tensor], host: Recording, donor: Recording
) -> dict[Part, float]:
    """Each part's patch from `donor` into `host`: its effect on the rows' summed log-probability, to first order."""
    by_heads, by_mlp = gradients(model, parts, batch, host.adapters)
    effects: dict[Part, float] = {}
    for layer, projection in enumerate(parts.projections):
        change = _of_heads(projection, donor.heads[layer], donor.adapters, by_heads[layer], parts.heads)
        change = change - _of_heads(projection, host.heads[layer], host.adapters, by_heads[layer], parts.heads)
        effects |= {(layer, head): effect for head, effect in enumerate(change.tolist())}
        effects[layer, None] = ((donor.mlps[layer] - host.mlps[layer]) * by_mlp[layer]).float().sum().item()
    return effects


def _of_heads(projection, heads: Tensor, adapters: tuple[str, ...], gradient: Tensor, count: int) -> Tensor:
    """Gradient x what each head writes, (count,): through the transposed projection, so that no head is run alone."""
    import torch

    inputs = heads.expand(*gradient.shape[:2], -1).detach().clone().requires_grad_(True)
    with torch.enable_grad():
        (by_input,) = torch.autograd.grad(written(projection, inputs, adapters), inputs, gradient)
    return (by_input * inputs.detach()).float().sum((0, 1)).unflatten(0, (count, -1)).sum(-1)
