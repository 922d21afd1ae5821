"""PDU: forgetting under a constraint on retention, by primal and dual steps in turn.

Entesari et al., "Constrained Entropic Unlearning: A Primal-Dual Framework for Large Language Models"
(arXiv 2506.05314), and open-unlearning, `src/trainer/unlearn/pdu.py`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from relearn_lite.models.supervised import Supervised, at_least_float32
from relearn_lite.recipe.hyperparameters import PDU
from relearn_lite.unlearn.losses.declaration import Loss

if TYPE_CHECKING:
    from torch import Tensor


def logit_margin(batch: Supervised, parameters: PDU) -> Tensor:
    """Logit margin: (max_v z - mean_v z)² a value a token; 0 where all tokens are equally likely.

    The published code averages over prompt and padding as well; here it is the answers' positions. The weight of the
    retain loss moves in training: see `relearn_lite.unlearn.dual_weight`.
    """

    def value(logits: Tensor, *_: Tensor | None) -> Tensor:
        logits = at_least_float32(logits)
        return (logits.amax(-1) - logits.mean(-1)) ** 2

    return batch.each(value)


FORGET = {"pdu": Loss(logit_margin, ("original",))}
