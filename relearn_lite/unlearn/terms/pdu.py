"""PDU: forgetting under a constraint on retention, by primal and dual steps in turn.

Entesari et al., "Constrained Entropic Unlearning: A Primal-Dual Framework for Large Language Models"
(arXiv 2506.05314), and open-unlearning, `src/trainer/unlearn/pdu.py`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import Field

from relearn_lite.unlearn.supervised import Supervised, precise
from relearn_lite.unlearn.terms.declaration import ForgetTerm, Method, Parameters

if TYPE_CHECKING:
    from torch import Tensor


class PDU(Parameters):
    """PDU: how well the retain set must be kept, and how the weight that enforces it moves. Defaults: TOFU's."""

    bound: float = Field(0.3, ge=0)
    """Retain loss, in nats a token, that training must stay below."""
    start: float = Field(100.0, ge=0)
    """Weight of the retain loss at first."""
    step: float = Field(5.0, gt=0)
    """How fast the weight moves: by step x (retain loss - bound) each optimizer step."""
    warmup: float = Field(0.5, ge=0, le=1)
    """Share of training in which the weight stays at `start` (published: 5 of 10 epochs)."""


def flatten(batch: Supervised, parameters: PDU) -> Tensor:
    """Logit margin: (max_v z - mean_v z)², mean over the answers' positions; 0 where all tokens are equally likely.

    The published code averages over prompt and padding as well; here it is the answers' positions.
    """

    def value(logits: Tensor, *_: Tensor | None) -> Tensor:
        logits = precise(logits)
        return (logits.amax(-1) - logits.mean(-1)) ** 2

    return batch.each(value).mean()


class Dual:
    """The weight λ of the retain loss: λ <- max(0, λ + step (L_r - bound)) after each step, once it is warmed up.

    The loss is L_f + λ (L_r - bound); the constant -λ bound has no gradient and is left out. The published code moves λ
    after every batch, this after every optimizer step, by the mean of its batches: the same without accumulation.
    """

    def __init__(self, parameters: PDU):
        self._parameters, self.weight = parameters, parameters.start
        self._seen: list[float] = []

    def see(self, retain: float) -> None:
        """Takes note of the retain loss of one batch."""
        self._seen.append(retain)

    def step(self, progress: float) -> None:
        """After an optimizer step. progress: the share of training that is done, 0 to 1."""
        if self._seen and progress >= self._parameters.warmup:
            excess = sum(self._seen) / len(self._seen) - self._parameters.bound
            self.weight = max(0.0, self.weight + self._parameters.step * excess)
        self._seen = []


FORGET = {"pdu": ForgetTerm(flatten, ("original",), key="pdu", published=PDU(), constrained=True)}
METHODS = {"pdu": Method("pdu", {"ce": 1.0})}
