"""Negative preference optimisation.

Zhang et al., "Negative Preference Optimization: From Catastrophic Collapse to Effective Unlearning", COLM 2024 (arXiv
2404.05868). With SURE and MemFlex as in zjunlp/unlearn.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from relearn_lite.unlearn.supervised import Supervised, log_sigmoid, row_sum
from relearn_lite.unlearn.terms.declaration import ForgetTerm, family, with_masks

if TYPE_CHECKING:
    from torch import Tensor


def npo(batch: Supervised, beta: float) -> Tensor:
    """Negative preference optimisation: -(2/β) mean log σ(β (NLL - NLL_ref)), NLL summed over a row's answer."""
    margin = row_sum(batch.nll(), batch) - row_sum(batch.reference_nll(), batch)
    return -(2 / beta) * log_sigmoid(beta * margin).mean()


FORGET = {"npo": ForgetTerm(npo, ("original",), needs_reference=True, key="beta", published=0.1)}
METHODS = with_masks(family("npo", "npo"))
