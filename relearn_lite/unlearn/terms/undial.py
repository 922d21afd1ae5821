"""UNDIAL: self-distillation with the true token's logit lowered.

Dong et al., "UNDIAL: Self-Distillation with Adjusted Logits for Robust Unlearning in Large Language Models", NAACL 2025
(arXiv 2402.10052); defaults as in open-unlearning, `configs/trainer/UNDIAL.yaml`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import Field

from relearn_lite.unlearn.supervised import Supervised, precise
from relearn_lite.unlearn.terms.declaration import ForgetTerm, Parameters, family

if TYPE_CHECKING:
    from torch import Tensor


class Undial(Parameters):
    """UNDIAL: how far the true token is lowered."""

    strength: float = Field(10.0, gt=0)
    """What is subtracted from its logit."""


def undial(batch: Supervised, parameters: Undial) -> Tensor:
    """Cross-entropy of the model against softmax(z_ref - strength 1_y), mean over the answers' positions.

    open-unlearning also averages over prompt and padding; the paper's sum goes over the answer, which is followed.
    """

    def value(logits: Tensor, labels: Tensor, reference_logits: Tensor) -> Tensor:
        theirs = precise(reference_logits)
        lowered = theirs.scatter_add(-1, labels[:, None], theirs.new_full((len(labels), 1), -parameters.strength))
        return -(lowered.softmax(-1) * precise(logits).log_softmax(-1)).sum(-1)

    return batch.each(value).mean()


FORGET = {"undial": ForgetTerm(undial, ("original",), needs_reference=True, key="undial", published=Undial())}
METHODS = family("undial", "undial")
