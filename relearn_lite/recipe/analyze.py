"""`analyze`: what happened inside."""

from __future__ import annotations

from typing import Literal

from pydantic import (
    Field,
    model_validator,
)

from relearn_lite.recipe.base import Section


class Analyze(Section):
    """Looks into the model before and after: what the answers' tokens lost, in which layers, which parts did it."""

    distribution: bool = True
    """Probability, rank and rivals of each token of the original answers, and where the probability went."""
    memory: bool = True
    """Logit lens over the layers, and how far hidden states have moved from the vanilla model's."""
    circuits: Literal["auto", "patching", "attribution", "none"] = "auto"
    """Effect of each attention head and MLP. `patching` is exact and takes two runs a part; `attribution` is a first
    order estimate by gradients, for large models; `auto` patches up to 2000 runs."""
    questions: int = Field(24, ge=1)
    """Questions of each side, spread evenly over the evaluation sets. More is steadier and takes longer."""
    top: int = Field(5, ge=1, le=100)
    """Likeliest candidates kept at each position."""
    batch_size: int = Field(8, ge=1)
    """Answers read at once: decides the memory, not the numbers. `attribution` takes as much as training without
    gradient checkpointing."""

    @model_validator(mode="after")
    def _something_to_do(self) -> Analyze:
        if not self.distribution and not self.memory and self.circuits == "none":
            raise ValueError("distribution, memory and circuits are all off; switch one on, or write analyze: null")
        return self
