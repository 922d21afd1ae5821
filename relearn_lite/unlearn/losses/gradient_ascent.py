"""Gradient ascent, plain or with a weight for each token: GA, WGA and SatImp.

GA, which with a retain term is GradDiff (`ga_gdr`): Jang et al., "Knowledge Unlearning for Mitigating Privacy Risks in
Language Models", ACL 2023 (arXiv 2210.01504); Liu et al., "Continual Learning and Private Unlearning", CoLLAs 2022
(arXiv 2203.12817). With SURE and MemFlex as in zjunlp/unlearn, `sure_trainer.py` and `memflex_trainer.py`. WGA: Wang et
al., "Rethinking LLM Unlearning Objectives: A Gradient Perspective and Go Beyond", ICLR 2025 (arXiv 2502.19301). SatImp:
Yang et al., "Exploring Criteria of Loss Reweighting to Enhance LLM Unlearning", ICML 2025 (arXiv 2505.11953). Defaults
as in open-unlearning, `configs/trainer/WGA.yaml` and `SatImp.yaml`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from relearn_lite.models.supervised import Supervised
from relearn_lite.recipe.hyperparameters import WGA, SatImp
from relearn_lite.unlearn.losses.declaration import Loss

if TYPE_CHECKING:
    from torch import Tensor


def ga(batch: Supervised) -> Tensor:
    """Gradient ascent: the cross-entropy of the original answers, negated, a value a token. It has no lower bound."""
    return -batch.nll()


def wga(batch: Supervised, parameters: WGA) -> Tensor:
    """-p^β NLL, a value a token, p = exp(-NLL) without gradient: what is forgotten already is left alone."""
    nll = batch.nll()
    weight = (-nll.detach()).exp() ** parameters.beta
    return -weight * nll


def satimp(batch: Supervised, parameters: SatImp) -> Tensor:
    """-p^β1 (1 - p)^β2 NLL, a value a token, p = exp(-NLL) without gradient."""
    nll = batch.nll()
    p = (-nll.detach()).exp().clamp(max=1)
    return -(p**parameters.beta1 * (1 - p) ** parameters.beta2 * nll)


FORGET = {
    "ga": Loss(ga, ("original",), ascends=True),
    "wga": Loss(wga, ("original",), ascends=True),
    "satimp": Loss(satimp, ("original",), ascends=True),
}
