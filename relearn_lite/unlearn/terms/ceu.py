"""CE-U: cross-entropy unlearning.

Yang, "CE-U: Cross Entropy Unlearning" (arXiv 2503.01224), and open-unlearning, `src/trainer/unlearn/ceu.py`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import Field

from relearn_lite.unlearn.supervised import Supervised, precise
from relearn_lite.unlearn.terms.declaration import ForgetTerm, Parameters, family

if TYPE_CHECKING:
    from torch import Tensor


class CEU(Parameters):
    """CE-U: which tokens are left alone."""

    skip: int = Field(1, ge=0)
    """First tokens of each answer that are not trained: they seldom tell anything, and hold the language together."""


def ceu(batch: Supervised, parameters: CEU) -> Tensor:
    """Cross-entropy of the model against its own distribution with the true token taken out, mean over tokens.

    target = softmax(z with z_y = -inf), without gradient. The first `skip` tokens of an answer are left out (the
    paper's footnote); 0 where none is left.
    """
    from torch import arange

    def value(logits: Tensor, labels: Tensor, _: Tensor | None) -> Tensor:
        logits = precise(logits)
        target = logits.detach().scatter(-1, labels[:, None], float("-inf")).softmax(-1)
        return -(target * logits.log_softmax(-1)).sum(-1)

    lengths = batch.rows.bincount(minlength=batch.n_rows)
    starts = lengths.cumsum(0) - lengths
    kept = arange(len(batch.rows), device=batch.rows.device) - starts[batch.rows] >= parameters.skip
    return batch.each(value)[kept].sum() / kept.sum().clamp(min=1)


FORGET = {"ceu": ForgetTerm(ceu, ("original",), key="ceu", published=CEU())}
METHODS = family("ceu", "ceu")
