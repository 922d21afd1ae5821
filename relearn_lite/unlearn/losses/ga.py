"""Gradient ascent; with a retain term it is GradDiff (`ga_gdr`).

Jang et al., "Knowledge Unlearning for Mitigating Privacy Risks in Language Models", ACL 2023 (arXiv 2210.01504); Liu et
al., "Continual Learning and Private Unlearning", CoLLAs 2022 (arXiv 2203.12817). With SURE and MemFlex as in
zjunlp/unlearn, `sure_trainer.py` and `memflex_trainer.py`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from relearn_lite.models.supervised import Supervised
from relearn_lite.unlearn.losses.declaration import Loss

if TYPE_CHECKING:
    from torch import Tensor


def ga(batch: Supervised) -> Tensor:
    """Gradient ascent: the cross-entropy of the original answers, negated, a value a token. It has no lower bound."""
    return -batch.nll()


FORGET = {"ga": Loss(ga, ("original",), ascends=True)}
