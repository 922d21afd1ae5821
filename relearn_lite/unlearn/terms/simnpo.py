"""SimNPO: negative preference optimisation without a reference model.

Fan et al., "Simplicity Prevails: Rethinking Negative Preference Optimization for LLM Unlearning" (arXiv 2410.07163);
defaults as in open-unlearning, `configs/trainer/SimNPO.yaml`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import Field

from relearn_lite.unlearn.supervised import Supervised, log_sigmoid, row_sum
from relearn_lite.unlearn.terms.declaration import ForgetTerm, Parameters, family

if TYPE_CHECKING:
    from torch import Tensor


class SimNPO(Parameters):
    """SimNPO: how sharply, and from where on, an answer counts as unlikely enough."""

    beta: float = Field(4.5, gt=0)
    """Sharpness."""
    delta: float = Field(0.0, ge=0)
    """Nats a token by which an answer must be unlikely."""


def simnpo(batch: Supervised, parameters: SimNPO) -> Tensor:
    """-(2/β) mean log σ(β (NLL / |y| - δ)), NLL summed over an answer of |y| tokens.

    The paper writes the margin as γ = β δ; open-unlearning's form is followed. The two agree at the default, 0.
    """
    beta = parameters.beta
    return -(2 / beta) * log_sigmoid(beta * (row_sum(batch.nll(), batch, mean=True) - parameters.delta)).mean()


FORGET = {"simnpo": ForgetTerm(simnpo, ("original",), key="simnpo", published=SimNPO())}
METHODS = family("simnpo", "simnpo", forget_weight=0.125)
