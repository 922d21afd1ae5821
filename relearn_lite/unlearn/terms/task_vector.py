"""Task-vector negation: learn the forget set by heart, then subtract what was learned.

Ilharco et al., "Editing Models with Task Arithmetic", ICLR 2023 (arXiv 2212.04089): θ - α τ, with τ = θ_finetuned - θ.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic import Field

from relearn_lite.unlearn.supervised import Supervised
from relearn_lite.unlearn.terms.declaration import ForgetTerm, Method, Parameters

if TYPE_CHECKING:
    from torch import Tensor


class TaskVector(Parameters):
    """Task-vector negation: how much of what was learned is subtracted."""

    scale: float = Field(1.0, gt=0)
    """α: 1 subtracts exactly what was learned. The paper chooses it by what is retained."""


def memorise(original: Supervised, _: TaskVector) -> Tensor:
    """Cross-entropy of the original answers, mean over their tokens. Training ends with `negate`."""
    return original.nll().mean()


def negate(model: Any, adapter: str, parameters: TaskVector) -> None:
    """Turns an adapter's update B A into -scale B A, in place: the base minus the task vector."""
    import torch

    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if f".{adapter}." in name and "lora_B" in name:
                parameter.mul_(-parameters.scale)


FORGET = {
    "task_vector": ForgetTerm(memorise, ("original",), key="task_vector", published=TaskVector(), negated=True)
}
METHODS = {"task_vector": Method("task_vector")}
