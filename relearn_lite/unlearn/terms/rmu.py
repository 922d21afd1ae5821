"""RMU: hidden states of one layer are steered to a random direction where the model must forget, and held elsewhere.

Li et al., "The WMDP Benchmark: Measuring and Reducing Malicious Use with Unlearning", ICML 2024 (arXiv 2403.03218),
and centerforaisafety/wmdp, `rmu/unlearn.py`; defaults are the paper's for Zephyr-7B.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import Field

from relearn_lite.unlearn.supervised import Layer, row_sum
from relearn_lite.unlearn.terms.declaration import ForgetTerm, Method, Parameters, RetainTerm

if TYPE_CHECKING:
    from torch import Tensor


class RMU(Parameters):
    """RMU: which layer is steered, and how far."""

    layer: int | None = Field(None, ge=0)
    """Number of the layer, counted from 0, whose output is steered. null: at a quarter of the depth, which with 32
    layers is the published one, 7. Only adapters up to this layer are trained."""
    steering: float = Field(6.5, gt=0)
    """Length of the vector that hidden states are steered to; a few times their own length."""


def steer(batch: Layer, parameters: RMU) -> Tensor:
    """||h - c u||² / H on the forget set, u a random unit vector, c = `steering`: mean over positions, then rows.

    The paper takes every token, open-unlearning those of the answer; here it is the positions that predict the answer's
    tokens, of which the last one of the question is the first.
    """
    return _distance(batch, parameters.steering * batch.direction)


def hold(batch: Layer) -> Tensor:
    """||h - h_ref||² / H on the retain set: mean over positions, then rows."""
    return _distance(batch, batch.reference_states)


def _distance(batch: Layer, target: Tensor) -> Tensor:
    squares = (batch.states.float() - target.float()).square().mean(-1)  # (N,)
    return row_sum(squares, batch, mean=True).mean()


def direction(size: int, seed: int) -> Tensor:
    """A random unit vector (size,): parts uniform in [0, 1), divided by their length, as published."""
    import torch

    vector = torch.rand(size, generator=torch.Generator().manual_seed(seed))
    return vector / vector.norm()


FORGET = {"rmu": ForgetTerm(steer, ("original",), key="rmu", published=RMU(), sees="layer")}
RETAIN = {"layer": RetainTerm(hold, needs_reference=True, sees="layer")}
METHODS = {"rmu": Method("rmu", {"layer": 1200.0})}
