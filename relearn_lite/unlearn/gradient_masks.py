"""Gradient masks: only part of the adapter is updated in an optimizer step, chosen by the gradients of that step.

A mask goes with any method. Both were read off zjunlp/unlearn (`baselines/src/sure_trainer.py`, `memflex_trainer.py`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import lightning

from relearn_lite.data.batches import Batch
from relearn_lite.recipe.hyperparameters import MemFlex, Sure

if TYPE_CHECKING:
    from torch import Tensor
    from torch.nn import Parameter

Gradients = dict[str, "Tensor"]


def sure(forget: Mapping[str, Tensor], parameters: Sure) -> dict[str, Tensor]:
    """SURE's choice of neurons: -> for each matrix, (rows,) booleans, true where the row is updated.

    Zhang et al., "Catastrophic Failure of LLM Unlearning via Quantization", ICLR 2025 (arXiv 2410.16454). A neuron is
    an output row of a LoRA matrix, its saliency the L2 norm of its row of the forget term's gradient (forget: by
    matrix); rows at or above the percentile of all rows of the model are updated. The paper's repository takes the 90th
    percentile, zjunlp/unlearn the 99th, which is followed. Its code adds the total gradient onto the saliency's, so
    that for ga they cancel; here the mask is on the total gradient alone.
    """
    import torch

    if not forget:
        return {}
    saliency = {name: gradient.float().reshape(len(gradient), -1).norm(dim=1) for name, gradient in forget.items()}
    threshold = torch.quantile(torch.cat([norms.to("cpu") for norms in saliency.values()]), parameters.percentile / 100)
    return {name: norms >= threshold.to(norms.device) for name, norms in saliency.items()}


def memflex(forget: Mapping[str, Tensor], retain: Mapping[str, Tensor], parameters: MemFlex) -> set[str]:
    """MemFlex's choice of matrices: -> names of those that are updated.

    Tian et al., "To Forget or Not? Towards Practical Knowledge Unlearning for Large Language Models", Findings of EMNLP
    2024 (arXiv 2407.01920). forget, retain: gradients by matrix. A matrix is updated where the cosine of the two, each
    as one vector, is below `similarity` and the mean absolute forget gradient above `gradient`. For terms that ascend
    (ga, wga, satimp) the forget gradient is that of the loss before its sign is turned, as in the published code.
    """
    from torch.nn.functional import cosine_similarity

    chosen = set()
    for name in forget.keys() & retain.keys():
        ours, theirs = forget[name].float().flatten(), retain[name].float().flatten()
        if cosine_similarity(ours, theirs, dim=0) < parameters.similarity and ours.abs().mean() > parameters.gradient:
            chosen.add(name)
    return chosen


class GradientMask(lightning.Callback):
    """Updates only part of the adapter in each optimizer step, as SURE or MemFlex choose by that step's gradients.

    The micro-batches of a step come with the forget rows first (`MicroBatches(sides_apart=True)`): when the last of
    these is done, what has been added up is the forget gradient, and what is added afterwards the gradient of what is
    to be kept.
    """

    def __init__(self, parameters: Sure | MemFlex):
        self.parameters = parameters
        self._forget: Gradients = {}

    def on_train_batch_end(
        self, trainer: lightning.Trainer, module: lightning.LightningModule, outputs: Any, batch: Batch, batch_idx: int
    ) -> None:
        if {"retain", "generic"}.isdisjoint(batch["parts"]) and not module.ends_step(batch_idx):
            self._forget = {name: gradient.clone() for name, gradient in _gradients(module).items()}

    def on_before_optimizer_step(self, trainer: lightning.Trainer, module: lightning.LightningModule, _: Any) -> None:
        """Gradients are whole here, those of all processes together, and not yet clipped."""
        whole, forget_term = _gradients(module), module.terms[0]
        if len(module.terms) == 1:
            forget, retain = whole, {}
        else:
            scaler = getattr(trainer.precision_plugin, "scaler", None)  # fp16's loss scale, already out of `whole`
            scale = scaler.get_scale() if scaler else 1.0
            forget = {name: trainer.strategy.reduce(g / scale, reduce_op="mean") for name, g in self._forget.items()}
            retain = {name: gradient - forget[name] if name in forget else gradient for name, gradient in whole.items()}
        if isinstance(self.parameters, Sure):
            _keep_rows(module, sure(forget, self.parameters))
        else:
            unweighted = (forget_term.weight or 1.0) * (-1 if forget_term.loss.ascends else 1)
            forget = {name: gradient / unweighted for name, gradient in forget.items()}
            _keep_matrices(module, memflex(forget, retain, self.parameters))
        self._forget = {}


def _trained(module: lightning.LightningModule) -> dict[str, Parameter]:
    return {name: parameter for name, parameter in module.model.named_parameters() if parameter.requires_grad}


def _gradients(module: lightning.LightningModule) -> Gradients:
    return {name: parameter.grad for name, parameter in _trained(module).items() if parameter.grad is not None}


def _keep_rows(module: lightning.LightningModule, rows: Mapping[str, Tensor]) -> None:
    """Sets the gradients of all other rows to 0, those of matrices that are not named too."""
    for name, gradient in _gradients(module).items():
        if name in rows:
            gradient[~rows[name]] = 0
        else:
            gradient.zero_()


def _keep_matrices(module: lightning.LightningModule, names: set[str]) -> None:
    """Takes the gradients of all other matrices away, so that the optimizer passes them over.

    The published code sets them to 0, after which AdamW's momentum and decay still move what was not chosen.
    """
    for name, parameter in _trained(module).items():
        if name not in names:
            parameter.grad = None
