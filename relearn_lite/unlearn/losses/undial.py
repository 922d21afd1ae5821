"""UNDIAL: self-distillation with the true token's logit lowered.

Dong et al., "UNDIAL: Self-Distillation with Adjusted Logits for Robust Unlearning in Large Language Models", NAACL 2025
(arXiv 2402.10052); defaults as in open-unlearning, `configs/trainer/UNDIAL.yaml`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from relearn_lite.models.supervised import Supervised, at_least_float32
from relearn_lite.recipe.hyperparameters import Undial
from relearn_lite.unlearn.losses.declaration import Loss

if TYPE_CHECKING:
    from torch import Tensor


def undial(batch: Supervised, parameters: Undial) -> Tensor:
    """Cross-entropy of the model against softmax(z_ref - strength 1_y), a value a token.

    open-unlearning also averages over prompt and padding; the paper's sum goes over the answer, which is followed.
    """

    def value(logits: Tensor, labels: Tensor, reference_logits: Tensor) -> Tensor:
        theirs = at_least_float32(reference_logits)
        lowered = theirs.scatter_add(-1, labels[:, None], theirs.new_full((len(labels), 1), -parameters.strength))
        return -(lowered.softmax(-1) * at_least_float32(logits).log_softmax(-1)).sum(-1)

    return batch.each(value)


FORGET = {"undial": Loss(undial, ("original",), needs_reference=True)}
