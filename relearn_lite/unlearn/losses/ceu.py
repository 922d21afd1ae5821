"""CE-U: cross-entropy unlearning.

Yang, "CE-U: Cross Entropy Unlearning" (arXiv 2503.01224), and open-unlearning, `src/trainer/unlearn/ceu.py`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from relearn_lite.models.supervised import Supervised, at_least_float32
from relearn_lite.recipe.hyperparameters import CEU
from relearn_lite.unlearn.losses.declaration import Loss

if TYPE_CHECKING:
    from torch import Tensor


def ceu(batch: Supervised, parameters: CEU) -> Tensor:
    """Cross-entropy of the model against its own distribution with the true token taken out, a value a token.

    target = softmax(z with z_y = -inf), without gradient. The first `skip` tokens of an answer have no
    value (the paper's footnote) and do not count in the mean.
    """
    from torch import arange

    def value(logits: Tensor, labels: Tensor, _: Tensor | None) -> Tensor:
        logits = at_least_float32(logits)
        target = logits.detach().scatter(-1, labels[:, None], float("-inf")).softmax(-1)
        return -(target * logits.log_softmax(-1)).sum(-1)

    lengths = batch.rows.bincount(minlength=batch.n_rows)
    starts = lengths.cumsum(0) - lengths
    kept = arange(len(batch.rows), device=batch.rows.device) - starts[batch.rows] >= parameters.skip
    return batch.each(value)[kept]


FORGET = {"ceu": Loss(ceu, ("original",), skips=lambda parameters: parameters.skip)}
