"""Preference of another answer over the one to forget: DPO with refusals, AltPO with new answers; and IDK alone.

`idk` and DPO with refusals: Maini et al., "TOFU: A Task of Fictitious Unlearning for LLMs", COLM 2024 (arXiv
2401.06121); the loss is that of Rafailov et al., NeurIPS 2023 (arXiv 2305.18290). AltPO: Mekala et al., "Alternate
Preference Optimization for Unlearning Factual Knowledge in Large Language Models", COLING 2025 (arXiv 2409.13474).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from relearn_lite.models.supervised import Supervised, log_ratio, preference_loss
from relearn_lite.unlearn.losses.declaration import Loss

if TYPE_CHECKING:
    from torch import Tensor


def idk(refusal: Supervised) -> Tensor:
    """Cross-entropy of an "I don't know" answer to each forget question, a value a token."""
    return refusal.nll()


def preference(preferred: Supervised, dispreferred: Supervised, beta: float) -> Tensor:
    """DPO on whole answers: -(2/β) log σ(β [(lp_w - lp_w_ref) - (lp_l - lp_l_ref)]), lp summed over an answer: a value
    a row.

    The DPO paper has no factor 2/β. open-unlearning and AltPO have it, which makes NPO this loss without a preferred
    answer; they are followed. `relearn.dpo` differs by averaging lp over the tokens of an answer.
    """
    return preference_loss(log_ratio(preferred) - log_ratio(dispreferred), beta)


def _over_original(preferred: str) -> Loss:
    return Loss(preference, (preferred, "original"), "rows", needs_reference=True)


FORGET = {
    "idk": Loss(idk, ("refusal",)),
    "dpo_idk": _over_original("refusal"),
    "altpo": _over_original("augmented"),
}
