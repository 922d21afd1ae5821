"""JensUn: Jensen-Shannon divergences, which are bounded, on both sides.

Singh et al., "Unlearning That Lasts: Utility-Preserving, Robust, and Almost Irreversible Forgetting in LLMs" (arXiv
2509.02820), and nmndeep/JensUn-Unlearning, `src/trainer/utils.py`.
"""

from __future__ import annotations

from math import log
from typing import TYPE_CHECKING

from relearn_lite.models.supervised import Supervised, at_least_float32
from relearn_lite.unlearn.losses.declaration import Loss

if TYPE_CHECKING:
    from torch import Tensor


def js_refusal(refusal: Supervised) -> Tensor:
    """JSD(p, one-hot of the refusal's next token), a value a token; 0 to ln 2.

    With p = exp(-NLL) the token's probability, the definition comes to
    ½ [(1 - p) ln 2 + p ln(2p / (1 + p)) + ln(2 / (1 + p))], so that NLLs are all it needs.

    Paper: one target token for each position. Published code: both tokens of "No idea", with mass 1 each (so the target
    sums to 2), at all positions, prompt included, behind the original answer. Here the paper is followed, with a
    whole refusal as the answer that is trained.
    """
    nll = refusal.nll()
    p = (-nll).exp()
    return 0.5 * ((1 - p) * log(2) + p * (log(2) - nll - p.log1p()) + log(2) - p.log1p())


def js(batch: Supervised) -> Tensor:
    """JSD(model, reference) = ½ KL(p || m) + ½ KL(p_ref || m), m their mean; a value a token."""

    def value(logits: Tensor, _: Tensor, reference_logits: Tensor) -> Tensor:
        ours, theirs = at_least_float32(logits).log_softmax(-1), at_least_float32(reference_logits).log_softmax(-1)
        middle = ours.logaddexp(theirs) - log(2)
        return 0.5 * (ours.exp() * (ours - middle) + theirs.exp() * (theirs - middle)).sum(-1)

    return batch.each(value)


FORGET = {"jensun": Loss(js_refusal, ("refusal",))}
RETAIN = {"js": Loss(js, needs_reference=True)}
