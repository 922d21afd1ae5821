"""Hyper-parameters of single losses and gradient masks: a section of `unlearn` each, with the published values."""

from __future__ import annotations

from pydantic import Field

from relearn_lite.recipe.base import Section


class SimNPO(Section):
    """SimNPO: how sharply, and from where on, an answer counts as unlikely enough."""

    beta: float = Field(4.5, gt=0)
    """Sharpness."""
    delta: float = Field(0.0, ge=0)
    """Nats a token by which an answer must be unlikely."""


class Undial(Section):
    """UNDIAL: how far the true token is lowered."""

    strength: float = Field(10.0, gt=0)
    """What is subtracted from its logit."""


class WGA(Section):
    """WGA: how much likely tokens count more."""

    beta: float = Field(1.0, ge=0)
    """Exponent of a token's probability; 0 is gradient ascent."""


class SatImp(Section):
    """SatImp: weights for tokens that are still likely (saturation) and that matter (importance)."""

    beta1: float = Field(5.0, ge=0)
    """Exponent of a token's probability p."""
    beta2: float = Field(1.0, ge=0)
    """Exponent of 1 - p."""


class CEU(Section):
    """CE-U: which tokens are left alone."""

    skip: int = Field(1, ge=0)
    """First tokens of each answer that are not trained: they seldom tell anything, and hold the language together."""


class PDU(Section):
    """PDU: how well the retain set must be kept, and how the weight that enforces it moves. Defaults: TOFU's."""

    bound: float = Field(0.3, ge=0)
    """Retain loss, in nats a token, that training must stay below."""
    start: float = Field(100.0, ge=0)
    """Weight of the retain loss at first."""
    step: float = Field(5.0, gt=0)
    """How fast the weight moves: by step x (retain loss - bound) each optimizer step."""
    warmup: float = Field(0.5, ge=0, le=1)
    """Share of training in which the weight stays at `start` (published: 5 of 10 epochs)."""


class RMU(Section):
    """RMU: which layer is steered, and how far."""

    layer: int | None = Field(None, ge=0)
    """Number of the layer, counted from 0, whose output is steered. null: at a quarter of the depth, which with 32
    layers is the published one, 7. Only adapters up to this layer are trained."""
    steering: float = Field(6.5, gt=0)
    """Length of the vector that hidden states are steered to; a few times their own length."""


class TaskVector(Section):
    """Task-vector negation: how much of what was learned is subtracted."""

    scale: float = Field(1.0, gt=0)
    """α: 1 subtracts exactly what was learned. The paper chooses it by what is retained."""


class Sure(Section):
    """SURE: how few neurons are updated."""

    percentile: float = Field(99.0, ge=0, lt=100)
    """Neurons below this percentile of saliency keep their weights: 99 updates one in a hundred."""


class MemFlex(Section):
    """MemFlex: which matrices are updated, and the weights of the two sides."""

    similarity: float = Field(0.92, ge=-1, le=1)
    """Only matrices whose forget and retain gradients have a cosine below this are updated."""
    gradient: float = Field(6e-4, ge=0)
    """Only matrices whose forget gradient has a mean absolute value above this are updated."""
    forget_weight: float = Field(0.4, ge=0)
    """Multiplies the forget term."""
    retain_weight: float = Field(2.0, ge=0)
    """Multiplies the retain terms."""
