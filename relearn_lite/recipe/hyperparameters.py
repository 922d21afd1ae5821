"""Hyper-parameters of single losses and gradient masks: one section of `unlearn` each, with the published values."""

from __future__ import annotations

from pydantic import Field

from relearn_lite.recipe.base import Section


class SimNPO(Section):
    """SimNPO: how unlikely an answer must become, and how sharply the loss falls off there."""

    beta: float = Field(4.5, gt=0)
    """Sharpness."""
    delta: float = Field(0.0, ge=0)
    """Margin: how unlikely an answer must become, in nats per token."""


class Undial(Section):
    """UNDIAL: how far the logit of the true token is lowered."""

    strength: float = Field(10.0, gt=0)
    """What is subtracted from that logit."""


class WGA(Section):
    """WGA: how much more weight likely tokens have."""

    beta: float = Field(1.0, ge=0)
    """Exponent of a token's probability; 0 is plain gradient ascent."""


class SatImp(Section):
    """SatImp: weights for tokens that are still likely (saturation) and for tokens that matter (importance)."""

    beta1: float = Field(5.0, ge=0)
    """Exponent of a token's probability p."""
    beta2: float = Field(1.0, ge=0)
    """Exponent of 1 - p."""


class CEU(Section):
    """CE-U: which tokens are not trained."""

    skip: int = Field(1, ge=0)
    """Number of tokens skipped at the start of each answer: they rarely carry facts, and training them costs fluency.
    """


class PDU(Section):
    """PDU: a bound on the retain loss, and how the weight that enforces it adapts. Defaults: the published ones for
    TOFU."""

    bound: float = Field(0.3, ge=0)
    """Retain loss, in nats per token, that training must stay below."""
    start: float = Field(100.0, ge=0)
    """Initial weight of the retain loss."""
    step: float = Field(5.0, gt=0)
    """The weight changes by step x (retain loss - bound) after each optimizer step."""
    warmup: float = Field(0.5, ge=0, le=1)
    """Fraction of training during which the weight stays at `start` (published: 5 of 10 epochs)."""


class RMU(Section):
    """RMU: which layer is steered, and how far."""

    layer: int | None = Field(None, ge=0)
    """Index of the layer, from 0, whose output is steered (of the last one: behind the final norm). null: the one at a
    quarter of the depth, which for 32 layers is the published one, 7. Only adapters up to this layer are trained."""
    steering: float = Field(6.5, gt=0)
    """Norm of the vector that hidden states are steered to; a few times their own norm."""


class TaskVector(Section):
    """Task-vector negation: how much of what was learned is subtracted."""

    scale: float = Field(1.0, gt=0)
    """α: 1 subtracts exactly what was learned. The paper tunes it on what is retained."""


class Sure(Section):
    """SURE: how many neurons are updated."""

    percentile: float = Field(99.0, ge=0, lt=100)
    """Neurons below this percentile of saliency are not updated: 99 updates one in a hundred."""


class MemFlex(Section):
    """MemFlex: which matrices are updated, and the weights of the forget and the retain terms."""

    similarity: float = Field(0.92, ge=-1, le=1)
    """Only matrices whose forget and retain gradients have a cosine similarity below this are updated."""
    gradient: float = Field(6e-4, ge=0)
    """Only matrices whose forget gradient has a mean absolute value above this are updated."""
    forget_weight: float = Field(0.4, ge=0)
    """Multiplies the forget term."""
    retain_weight: float = Field(2.0, ge=0)
    """Multiplies the retain terms."""
