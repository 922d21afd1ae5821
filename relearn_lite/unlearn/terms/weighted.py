"""Gradient ascent with a weight for each token: WGA and SatImp.

WGA: Wang et al., "Rethinking LLM Unlearning Objectives: A Gradient Perspective and Go Beyond", ICLR 2025 (arXiv
2502.19301). SatImp: Yang et al., "Exploring Criteria of Loss Reweighting to Enhance LLM Unlearning", ICML 2025 (arXiv
2505.11953). Defaults as in open-unlearning, `configs/trainer/WGA.yaml` and `SatImp.yaml`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import Field

from relearn_lite.unlearn.supervised import Supervised
from relearn_lite.unlearn.terms.declaration import ForgetTerm, Parameters, family

if TYPE_CHECKING:
    from torch import Tensor


class WGA(Parameters):
    """WGA: how much likely tokens count more."""

    beta: float = Field(1.0, ge=0)
    """Exponent of a token's probability; 0 is gradient ascent."""


class SatImp(Parameters):
    """SatImp: weights for tokens that are still likely (saturation) and that matter (importance)."""

    beta1: float = Field(5.0, ge=0)
    """Exponent of a token's probability p."""
    beta2: float = Field(1.0, ge=0)
    """Exponent of 1 - p."""


def wga(batch: Supervised, parameters: WGA) -> Tensor:
    """-mean(p^β NLL) over tokens, p = exp(-NLL) without gradient: what is forgotten already is left alone."""
    nll = batch.nll()
    weight = (-nll.detach()).exp() ** parameters.beta
    return -(weight * nll).mean()


def satimp(batch: Supervised, parameters: SatImp) -> Tensor:
    """-mean(p^β1 (1 - p)^β2 NLL) over tokens, p = exp(-NLL) without gradient."""
    nll = batch.nll()
    p = (-nll.detach()).exp().clamp(max=1)
    return -(p**parameters.beta1 * (1 - p) ** parameters.beta2 * nll).mean()


FORGET = {
    "wga": ForgetTerm(wga, ("original",), key="wga", published=WGA(), ascends=True),
    "satimp": ForgetTerm(satimp, ("original",), key="satimp", published=SatImp(), ascends=True),
}
METHODS = {**family("wga", "wga"), **family("satimp", "satimp", forget_weight=0.1)}
