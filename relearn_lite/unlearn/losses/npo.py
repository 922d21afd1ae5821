"""Negative preference optimisation.

Zhang et al., "Negative Preference Optimization: From Catastrophic Collapse to Effective Unlearning", COLM 2024 (arXiv
2404.05868). With SURE and MemFlex as in zjunlp/unlearn.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from relearn_lite.models.supervised import Supervised, log_ratio, preference_loss
from relearn_lite.unlearn.losses.declaration import Loss

if TYPE_CHECKING:
    from torch import Tensor


def npo(batch: Supervised, beta: float) -> Tensor:
    """Negative preference optimisation: -(2/β) log σ(β (NLL - NLL_ref)), NLL summed over a row's answer: a value a
    row."""
    return preference_loss(-log_ratio(batch), beta)


FORGET = {"npo": Loss(npo, ("original",), "rows", needs_reference=True)}
