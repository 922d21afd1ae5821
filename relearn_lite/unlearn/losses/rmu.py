"""RMU: hidden states of one layer are steered to a random direction where the model must forget, and held elsewhere.

Li et al., "The WMDP Benchmark: Measuring and Reducing Malicious Use with Unlearning", ICML 2024 (arXiv 2403.03218),
and centerforaisafety/wmdp, `rmu/unlearn.py`; defaults are the paper's for Zephyr-7B.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from relearn_lite.core.errors import RecipeError
from relearn_lite.models.supervised import LayerStates, row_sum
from relearn_lite.recipe.hyperparameters import RMU
from relearn_lite.unlearn.losses.declaration import Loss

if TYPE_CHECKING:
    from torch import Tensor


def steer(batch: LayerStates, parameters: RMU) -> Tensor:
    """||h - c u||² / H on the forget set, u a random unit vector, c = `steering`: mean over positions, a value a row.

    The paper takes every token, open-unlearning those of the answer; here it is the positions that predict the answer's
    tokens, of which the last one of the question is the first.
    """
    return _distance(batch, parameters.steering * batch.direction)


def keep(batch: LayerStates, _: RMU) -> Tensor:
    """||h - h_ref||² / H on the retain set: mean over positions, a value a row."""
    return _distance(batch, batch.reference_states)


def _distance(batch: LayerStates, target: Tensor) -> Tensor:
    squares = (batch.states.float() - target.float()).square().mean(-1)  # (N,)
    return row_sum(squares, batch, mean=True)


def direction(size: int, seed: int) -> Tensor:
    """A random unit vector (size,): parts uniform in [0, 1), divided by their length, as published."""
    import torch

    vector = torch.rand(size, generator=torch.Generator().manual_seed(seed))
    return vector / vector.norm()


def steered_layer(parameters: RMU, depth: int) -> int:
    """Number of the steered layer, from 0; a quarter of the depth where the recipe names none."""
    if parameters.layer is not None and parameters.layer >= depth:
        raise RecipeError(
            f"unlearn.rmu.layer: {parameters.layer} does not exist, the model has layers 0 to {depth - 1}; give one of "
            "these, or null for a quarter of the depth"
        )
    return max(0, depth // 4 - 1) if parameters.layer is None else parameters.layer


FORGET = {"rmu": Loss(steer, ("original",), "rows", reads="layer")}
RETAIN = {"layer": Loss(keep, mean_over="rows", needs_reference=True, reads="layer")}
