"""Gradient masks: only part of the adapter is updated in a step, chosen by the gradients of that step.

A mask goes with any method. Both were read off zjunlp/unlearn (`baselines/src/sure_trainer.py`, `memflex_trainer.py`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from pydantic import Field

from relearn_lite.unlearn.terms.declaration import Parameters

if TYPE_CHECKING:
    from torch import Tensor
    from torch.nn import Parameter

Gradients = dict[str, "Tensor"]


class Sure(Parameters):
    """SURE: how few neurons are updated."""

    percentile: float = Field(99.0, ge=0, lt=100)
    """Neurons below this percentile of saliency keep their weights: 99 updates one in a hundred."""


class MemFlex(Parameters):
    """MemFlex: which matrices are updated, and the weights of the two sides."""

    similarity: float = Field(0.92, ge=-1, le=1)
    """Only matrices whose forget and retain gradients have a cosine below this are updated."""
    gradient: float = Field(6e-4, ge=0)
    """Only matrices whose forget gradient has a mean absolute value above this are updated."""
    forget_weight: float = Field(0.4, ge=0)
    """Multiplies the forget term."""
    retain_weight: float = Field(2.0, ge=0)
    """Multiplies the retain terms."""


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


class Sides:
    """Gradients of the forget term and of the retain terms, kept apart over the batches of one optimizer step."""

    def __init__(self, trained: Mapping[str, Parameter], parameters: Sure | MemFlex):
        self._trained, self._parameters = trained, parameters
        self.forget: Gradients = {}
        self.retain: Gradients = {}

    def clear(self) -> None:
        self.forget, self.retain = {}, {}

    def backward(self, side: str, loss: Tensor, weight: float, unscale: float) -> None:
        """Adds weight x the gradient of `loss` to the parameters', and unscale x the gradient to the side's own."""
        before = {name: parameter.grad for name, parameter in self._trained.items()}
        for parameter in self._trained.values():
            parameter.grad = None
        loss.backward()
        kept: Gradients = getattr(self, side)
        for name, parameter in self._trained.items():
            if parameter.grad is not None:
                own = parameter.grad * unscale
                kept[name] = kept[name] + own if name in kept else own
                parameter.grad.mul_(weight)
                if before[name] is not None:
                    parameter.grad.add_(before[name])
            else:
                parameter.grad = before[name]

    def mask(self) -> None:
        """Takes out of the parameters' gradients what SURE or MemFlex does not update in this step."""
        if isinstance(self._parameters, Sure):
            self._keep_rows(sure(self.forget, self._parameters))
        else:
            self._keep_matrices(memflex(self.forget, self.retain, self._parameters))

    def _keep_rows(self, rows: Mapping[str, Tensor]) -> None:
        """Sets the gradients of all other rows to 0, those of matrices that are not named too."""
        for name, parameter in self._trained.items():
            if parameter.grad is None:
                continue
            if name in rows:
                parameter.grad[~rows[name]] = 0
            else:
                parameter.grad.zero_()

    def _keep_matrices(self, names: set[str]) -> None:
        """Takes the gradients of all other matrices away, so that the optimizer passes them over.

        The published code sets them to 0, after which AdamW's momentum and decay still move what was not chosen.
        """
        for name, parameter in self._trained.items():
            if name not in names:
                parameter.grad = None
