"""Negative preference optimisation, with a reference model (NPO) and without one (SimNPO).

NPO: Zhang et al., "Negative Preference Optimization: From Catastrophic Collapse to Effective Unlearning", COLM 2024
(arXiv 2404.05868). With SURE and MemFlex as in zjunlp/unlearn. SimNPO: Fan et al., "Simplicity Prevails: Rethinking
Negative Preference Optimization for LLM Unlearning" (arXiv 2410.07163); defaults as in open-unlearning,
`configs/trainer/SimNPO.yaml`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from relearn_lite.models.supervised import Supervised, log_ratio, preference_loss, row_sum
from relearn_lite.recipe.hyperparameters import SimNPO
from relearn_lite.unlearn.losses.declaration import Loss

if TYPE_CHECKING:
    from torch import Tensor


def npo(batch: Supervised, beta: float) -> Tensor:
    """Negative preference optimisation: -(2/β) log σ(β (NLL - NLL_ref)), NLL summed over a row's answer: a value a
    row."""
    return preference_loss(-log_ratio(batch), beta)


def simnpo(batch: Supervised, parameters: SimNPO) -> Tensor:
    """-(2/β) log σ(β (NLL / |y| - δ)), NLL summed over an answer of |y| tokens: a value a row.

    The paper writes the margin as γ = β δ; open-unlearning's form is followed. The two agree at the default, 0.
    """
    return preference_loss(row_sum(batch.nll(), batch, mean=True) - parameters.delta, parameters.beta)


FORGET = {
    "npo": Loss(npo, ("original",), "rows", needs_reference=True),
    "simnpo": Loss(simnpo, ("original",), "rows"),
}
