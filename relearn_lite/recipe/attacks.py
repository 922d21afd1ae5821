"""`attacks`: whether it holds."""

from __future__ import annotations

from typing import Literal

from pydantic import (
    Field,
    model_validator,
)

from relearn_lite.recipe.base import Section
from relearn_lite.recipe.training import Lora


class Relearning(Section):
    """Fine-tunes a copy of the unlearned model on a few examples: does what was forgotten come back at once?"""

    sources: list[Literal["forget", "retain", "unrelated"]] = Field(["forget", "retain", "unrelated"], min_length=1)
    """What the examples are taken from, a curve each. `unrelated` is `data.generic`."""
    examples: int = Field(6, ge=1)
    """Examples of each source, spread evenly over it. Questions among them are not asked afterwards."""
    steps: int = Field(20, ge=1)
    """Optimizer steps, each on all examples."""
    measure_every: int = Field(5, ge=1)
    """Steps between two points of the curve."""
    lr: float = Field(1e-4, gt=0)
    """Peak learning rate of AdamW; it falls linearly to 0."""
    lora: Lora = Lora(r=8, alpha=16, dropout=0.0)
    """The adapter that is put on top, and removed afterwards."""


PRECISIONS = ("bf16", "fp16", "8bit", "4bit", "merged", "merged_dequantized", "merged_in_4bit", "merged_then_4bit")


class Attacks(Section):
    """Tries to get out of the model what it was made to forget, and measures what is kept meanwhile."""

    paraphrase: bool = True
    """Other wordings: the data's paraphrases, and variants by the writer of `augment` that were not trained on."""
    jailbreak: bool = True
    """Prompts that talk a model into answering: role play, a forced start, authority, translation, several turns."""
    sampling: bool = True
    """leak_at_k: answers drawn with the published sampling. How many: `evaluate.privacy`."""
    relearn: Relearning | None = Relearning()
    """A few steps of fine-tuning, the curve of KFR and KRR. null: none."""
    precision: list[Literal[PRECISIONS]] = list(PRECISIONS)
    """The same adapter on a base in bf16, fp16, 8bit or 4bit, or merged: into the full weights (merged), into a 4-bit
    base made full again (merged_dequantized) or rounded again (merged_in_4bit), or into the full weights, which are
    then made 4-bit (merged_then_4bit; takes disk for a copy of them). Each is loaded once, alone. [] for none."""
    questions: int = Field(24, ge=1)
    """Questions of each side, spread evenly over the evaluation sets. More is steadier and takes longer."""

    @model_validator(mode="after")
    def _something_to_do(self) -> Attacks:
        if not (self.paraphrase or self.jailbreak or self.sampling or self.relearn or self.precision):
            raise ValueError("every attack is off; switch one on, or write attacks: null")
        return self
