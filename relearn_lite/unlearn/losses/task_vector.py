"""Task-vector negation: learn the forget set by heart, then subtract what was learned.

Ilharco et al., "Editing Models with Task Arithmetic", ICLR 2023 (arXiv 2212.04089): θ - α τ, with τ = θ_finetuned - θ.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from relearn_lite.models.supervised import Supervised
from relearn_lite.recipe.hyperparameters import TaskVector
from relearn_lite.unlearn.losses.declaration import Loss

if TYPE_CHECKING:
    from torch import Tensor


def memorise(original: Supervised, _: TaskVector) -> Tensor:
    """Cross-entropy of the original answers, a value a token. Training ends with `negate`."""
    return original.nll()


def negate(model: Any, adapter: str, parameters: TaskVector) -> None:
    """Turns an adapter's update B A into -scale B A, in place: the base minus the task vector."""
    import torch

    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if f".{adapter}." in name and "lora_B" in name:
                parameter.mul_(-parameters.scale)


FORGET = {"task_vector": Loss(memorise, ("original",))}
