"""ReLearn: learn new answers to the questions that must be forgotten, and keep the retain set.

Xu et al., "ReLearn: Unlearning via Learning for Large Language Models", ACL 2025 (arXiv 2502.11190), and
zjunlp/unlearn, `baselines/src/iterative_trainer.py`. The method is `relearn_klr_gdr`.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from relearn_lite.models.supervised import Supervised, log_ratio, preference_loss, token_kl
from relearn_lite.unlearn.losses.declaration import Loss

if TYPE_CHECKING:
    from torch import Tensor


def ce(batch: Supervised) -> Tensor:
    """Cross-entropy: NLL, a value a token (L_GDF and L_GDR)."""
    return batch.nll()


def learn(batch: Supervised, target_probability: float | None) -> Tensor:
    """Cross-entropy of new answers, a value a token; without gradient where a token has `target_probability` already.

    Not published: the paper learns every token for as long as training goes on.
    """
    values = batch.nll()
    if target_probability is None:
        return values
    return values.where(values.detach() > -math.log(target_probability), values.detach())


def kl(batch: Supervised) -> Tensor:
    """KL(reference || model) = sum_v p_ref (log p_ref - log p), a value a token (L_KLR).

    The published code averages over prompt and padding too, so that its weight depends on the padding; here it is the
    answers' positions.
    """
    return batch.each(lambda logits, _, reference_logits: token_kl(logits, reference_logits))


def dpo(preferred: Supervised, dispreferred: Supervised, beta: float) -> Tensor:
    """Preference of the new answer over the original one, both against the reference (relearn_dpo).

    -(2/β) log σ(β [(lp_w - lp_l) - (lp_w_ref - lp_l_ref)]), lp = mean log-probability of the answer's tokens: a value
    a row. The published code takes lp over its whole batch, which for KnowUnDo is one row.
    """
    return preference_loss(log_ratio(preferred, mean=True) - log_ratio(dispreferred, mean=True), beta)


FORGET = {
    "ce": Loss(learn, ("augmented",)),
    "dpo": Loss(dpo, ("augmented", "original"), "rows", needs_reference=True),
}
RETAIN = {
    "ce": Loss(ce),
    "kl": Loss(kl, needs_reference=True),
}
