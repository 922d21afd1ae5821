"""`analyze`: a look inside the model, before and after unlearning."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from pydantic import Field

from relearn_lite.recipe.base import Section


class Analyze(Section):
    """Compares the model before and after unlearning from the inside: which tokens of the answers became unlikely, in
    which layers, and which attention heads and MLPs cause it."""

    distribution: bool = True
    """Probability and rank of each token of the original answers, its strongest competitors, and which tokens gained
    the probability that it lost."""
    memory: bool = True
    """Logit lens over the layers, and how far hidden states have moved from the vanilla model's."""
    circuits: Literal["auto", "patching", "attribution", "none"] = "auto"
    """Effect of each attention head and MLP. `patching` is exact and takes two forward passes for each of them;
    `attribution` is a first-order estimate from gradients, for large models; `auto` patches up to 2000 passes."""
    questions: int = Field(24, ge=1)
    """Forget questions and retain questions to analyze, each this many, spread evenly over the evaluation sets. More
    give steadier numbers and take longer."""
    top: int = Field(5, ge=1, le=100)
    """How many of the likeliest tokens are kept at each position."""
    batch_size: int = Field(8, ge=1)
    """Answers computed at once: affects memory, not the numbers, but for `circuits: auto`, which counts passes.
    `attribution` takes as much memory as training without gradient checkpointing."""

    def contradictions(self) -> Iterator[str]:
        if not self.distribution and not self.memory and self.circuits == "none":
            yield "distribution, memory and circuits are all off; switch one on, or write analyze: null"
