"""What both training stages share, and `finetune`."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field

from relearn_lite.recipe.base import Section
from relearn_lite.recipe.data import FinetuneSource


def _targets(value: Any) -> list[str] | str:
    if value == "all-linear" or (isinstance(value, list) and value and all(isinstance(v, str) for v in value)):
        return value
    raise ValueError("give all-linear, or a list of module names such as [q_proj, v_proj]")


def is_rate(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 < value <= sys.float_info.max


def _rate_or_auto(value: Any) -> Any:
    if value == "auto" or is_rate(value):
        return value
    raise ValueError("give a finite number above 0 such as 1.0e-4, or auto")


class Lora(Section):
    """Low-rank adaptation: only two thin matrices per adapted layer are trained."""

    r: int = Field(32, ge=1)
    """Rank. A higher one can learn more and takes more memory."""
    alpha: int = Field(32, ge=1)
    """Scale: the update is multiplied by alpha / r."""
    dropout: float = Field(0.05, ge=0, lt=1)
    """Dropout on the adapter's input."""
    targets: Annotated[Any, AfterValidator(_targets)] = "all-linear"
    """`all-linear`, or a list of module names, each of which the model must have; not its embeddings, nor an output
    layer that shares their weights."""


class Training(Section):
    """What both training stages share."""

    epochs: int = Field(4, ge=1)
    """Passes over the data. More learn (or forget) more thoroughly and take longer."""
    lr: float = Field(1e-5, gt=0)
    """Peak learning rate of AdamW."""
    batch_size: int = Field(1, ge=1)
    """Rows computed at once: decides how much memory training takes."""
    accumulate: int = Field(4, ge=1)
    """Batches whose gradients are added up before an optimizer step. The effective batch is batch_size x accumulate
    (x processes under torchrun)."""
    optimizer: Literal["adamw", "adamw_8bit"] = "adamw"
    """`adamw_8bit` keeps AdamW's two moments in 8 bits (bitsandbytes) instead of 32, a quarter of their memory: 0.5 GB
    less for an 8B model at rank 32. Results differ by rounding. Matrices below 4096 weights stay in 32 bits."""
    weight_decay: float = Field(0.01, ge=0)
    """Weight decay of AdamW."""
    warmup_epochs: float = Field(1.0, ge=0)
    """Epochs over which the learning rate rises from 0; afterwards it falls linearly to 0."""
    gradient_clip: float | None = Field(1.0, gt=0)
    """Largest norm (L2, over all trained weights) that the gradient of an optimizer step may have; a larger one is
    scaled down to it. null: gradients are not clipped."""
    checkpoint_every: int = Field(50, ge=1)
    """Optimizer steps between checkpoints: a run that is killed loses at most this many."""

    def total_steps(self, steps_per_epoch: int) -> int:
        """Optimizer steps, where an epoch has so many."""
        return steps_per_epoch * self.epochs


class Finetune(Training):
    """Teaches the model the data first: the result is the vanilla model, the one that knows."""

    epochs: int = Field(10, ge=1)
    """Passes over the data: enough for the model to know it by heart."""
    lr: Annotated[float | Literal["auto"], BeforeValidator(_rate_or_auto)] = 3e-4
    """Peak learning rate of AdamW. `auto`, where all weights are trained: by the width of the model, so that a recipe
    teaches models of any size."""
    batch_size: int = Field(16, ge=1)
    """Rows computed at once: decides how much memory training takes."""
    lora: Lora | None = Lora(r=8, alpha=16, dropout=0.1)
    """LoRA settings; null trains all weights (small models only; needs quantization: none). These are loaded, trained
    and saved in float32; later stages load them as `model.quantization` says."""
    data: list[FinetuneSource] | None = Field(None, min_length=1)
    """What to teach. Default: the forget set and the retain set, and the validation questions of data.preset where it
    has some and the recipe leaves that set whole."""

    def rate(self, hidden_size: int) -> float:
        """The learning rate for a model so wide. `auto`: 2e-4 (576 / hidden_size) ** 1.5, to two figures.

        It goes through what taught the embedded model (192: 1e-3) and SmolLM2 (576: 2e-4) a part of TOFU by heart, and
        is near the 1e-5 with which Maini et al., "TOFU" (2024) teach Llama-2-7b (4096).
        """
        return float(f"{2e-4 * (576 / hidden_size) ** 1.5:.1e}") if self.lr == "auto" else self.lr

    def contradictions(self) -> Iterator[str]:
        if self.lr == "auto" and self.lora:
            yield "lr: found auto, for all weights alone (finetune.lora: null); for LoRA give a number such as 3.0e-4"
        for number, source in enumerate(self.data or [], 1):
            if not source.has_origin:
                yield f"data: item {number} has no path, dataset or preset; give it one of these"
