"""ReLearn: learn new answers to the questions that must be forgotten, and keep the retain set.

Xu et al., "ReLearn: Unlearning via Learning for Large Language Models", ACL 2025 (arXiv 2502.11190), and
zjunlp/unlearn, `baselines/src/iterative_trainer.py`. The method is `relearn_klr_gdr`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from relearn_lite.unlearn.supervised import Supervised, log_sigmoid, token_kl
from relearn_lite.unlearn.terms.declaration import ForgetTerm, Method, RetainTerm, family

if TYPE_CHECKING:
    from torch import Tensor


def ce(batch: Supervised) -> Tensor:
    """Cross-entropy: mean NLL over the supervised tokens of the batch (L_GDF and L_GDR)."""
    return batch.nll().mean()


def kl(batch: Supervised) -> Tensor:
    """KL(reference || model) = sum_v p_ref (log p_ref - log p), mean over positions (L_KLR).

    The published code averages over prompt and padding too, so that its weight depends on the padding; here it is the
    answers' positions.
    """
    return batch.each(lambda logits, _, reference_logits: token_kl(logits, reference_logits)).mean()


def dpo(preferred: Supervised, dispreferred: Supervised, beta: float) -> Tensor:
    """Preference of the new answer over the original one, both against the reference (relearn_dpo).

    -(2/β) log σ(β [(lp_w - lp_l) - (lp_w_ref - lp_l_ref)]), lp = mean log-probability of the answers' tokens, over
    the whole batch as in the published code (at its batch size of 1 that is one answer).
    """

    def gain(batch: Supervised) -> Tensor:
        return batch.reference_nll().mean() - ce(batch)

    return -(2 / beta) * log_sigmoid(beta * (gain(preferred) - gain(dispreferred)))


FORGET = {
    "ce": ForgetTerm(ce, ("augmented",)),
    "dpo": ForgetTerm(dpo, ("augmented", "original"), needs_reference=True, key="beta", published=0.1),
}
RETAIN = {
    "ce": RetainTerm(ce),
    "kl": RetainTerm(kl, needs_reference=True),
}
METHODS = {
    **family("relearn", "ce"),
    "relearn_klr_gdr": Method("ce", {"ce": 1.0, "kl": 1.0}),
    **family("relearn_dpo", "dpo"),
}
