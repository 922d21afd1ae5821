"""SimNPO: negative preference optimisation without a reference model.

Fan et al., "Simplicity Prevails: Rethinking Negative Preference Optimization for LLM Unlearning" (arXiv 2410.07163);
defaults as in open-unlearning, `configs/trainer/SimNPO.yaml`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from relearn_lite.models.supervised import Supervised, preference_loss, row_sum
from relearn_lite.recipe.hyperparameters import SimNPO
from relearn_lite.unlearn.losses.declaration import Loss

if TYPE_CHECKING:
    from torch import Tensor


def simnpo(batch: Supervised, parameters: SimNPO) -> Tensor:
    """-(2/β) log σ(β (NLL / |y| - δ)), NLL summed over an answer of |y| tokens: a value a row.

    The paper writes the margin as γ = β δ; open-unlearning's form is followed. The two agree at the default, 0.
    """
    return preference_loss(row_sum(batch.nll(), batch, mean=True) - parameters.delta, parameters.beta)


FORGET = {"simnpo": Loss(simnpo, ("original",), "rows")}
