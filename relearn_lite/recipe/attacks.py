"""`attacks`: tests whether the knowledge can still be extracted."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import Field

from relearn_lite.recipe.base import DISTINCT, Section
from relearn_lite.recipe.training import Lora

PRECISIONS = ("bf16", "fp16", "8bit", "4bit", "merged", "merged_dequantized", "merged_in_4bit", "merged_then_4bit")


class Relearning(Section):
    """Fine-tunes a copy of the unlearned model on a few examples, to see whether the knowledge comes back."""

    sources: Annotated[list[Literal["forget", "retain", "unrelated"]], DISTINCT] = Field(
        ["forget", "retain", "unrelated"], min_length=1
    )
    """Where the examples come from; each source gives a curve. `unrelated` is `data.generic`."""
    examples: int = Field(6, ge=1)
    """Examples from each source, spread evenly over it. Questions among them are not asked afterwards."""
    steps: int = Field(20, ge=1)
    """Optimizer steps, each on all examples."""
    measure_every: int = Field(5, ge=1)
    """Steps between two points of the curve."""
    lr: float = Field(1e-4, gt=0)
    """Peak learning rate of AdamW; it falls linearly to 0."""
    lora: Lora = Lora(r=8, alpha=16, dropout=0.0)
    """The adapter that is trained for this attack and removed afterwards."""


class Attacks(Section):
    """Tries to make the unlearned model reveal the forget answers, and measures what it keeps meanwhile."""

    paraphrase: bool = True
    """Asks the questions in other words: the data's paraphrases, and variants by the writer of `augment` that were not
    trained on."""
    jailbreak: bool = True
    """Prompts that talk a model into answering: role play, a forced start of the answer, a claim of authority,
    translation, several turns."""
    sampling: bool = True
    """leak_at_k: draws several answers to each question with the published sampling. How many: `evaluate.privacy`."""
    relearn: Relearning | None = Relearning()
    """Fine-tunes a copy for a few steps and measures KFR and KRR on the way. null: not done."""
    precision: Annotated[list[Literal[PRECISIONS]], DISTINCT] = list(PRECISIONS)
    """The same adapter on a base in bf16, fp16, 8bit or 4bit, or merged: into the full weights (merged), into a 4-bit
    base that is dequantized first (merged_dequantized) or quantized again (merged_in_4bit), or into the full weights,
    which are then quantized to 4 bit (merged_then_4bit; needs disk space for a copy of them). Each model is loaded
    once, alone. [] for none."""
    questions: int = Field(24, ge=1)
    """Forget questions and retain questions to ask, each this many, spread evenly over the evaluation sets. More give
    steadier numbers and take longer."""

    def contradictions(self) -> Iterator[str]:
        if not (self.paraphrase or self.jailbreak or self.sampling or self.relearn or self.precision):
            yield "every attack is off; switch one on, or write attacks: null"
