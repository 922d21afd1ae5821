"""What a model needs in memory, counted from its configuration alone: no weight is loaded or downloaded.

Parameters, LoRA parameters, optimizer states and a gradient mask's gradients are exact. All sizes in bytes. What passes
and answers take stands in models/shape.py.
"""

from __future__ import annotations

from math import prod
from pathlib import Path

from relearn_lite.core.hub import only_what_is_here
from relearn_lite.models import backends
from relearn_lite.models.loaded import UNLEARNED, Loaded
from relearn_lite.models.shape import SINGLE
from relearn_lite.models.transformers_backend import empty_model
from relearn_lite.recipe import Lora, Model


def optimizer(parameters: int, kind: str = "adamw") -> int:
    """AdamW's two moments: in float32, or (adamw_8bit) in 8 bits with a float32 scale for 256 of them."""
    return round(2 * parameters * (1 + SINGLE / 256 if kind == "adamw_8bit" else SINGLE))


def mask_gradients(parameters: int, retain: bool) -> int:
    """What SURE or MemFlex take beside the gradients of a step: the forget rows' as they were kept, and each side's.

    A method without a retain loss has one side, whose gradients are those of the step.
    """
    return 3 * parameters * SINGLE if retain else 0


def lora_parameters(settings: Model, lora: Lora) -> int:
    """How many parameters the adapter has: peft puts it on an empty model, and they are counted."""
    loaded = Loaded(empty_model(settings), None, "transformers")
    backends.add_adapter(loaded, UNLEARNED, lora, seed=0)
    return loaded.model.get_nb_trainable_parameters()[0]


def encoder_parameters(name: str, *, labels: bool) -> int | None:
    """Parameters of an encoder (labels: that classifies), from its config.json alone; None where that cannot be had."""
    import torch
    from transformers import AutoConfig, AutoModel, AutoModelForSequenceClassification

    kind = AutoModelForSequenceClassification if labels else AutoModel
    try:
        only_what_is_here(name)
        config = AutoConfig.from_pretrained(name)
        with torch.device("meta"):
            return kind.from_config(config).num_parameters()
    except (OSError, ValueError, ImportError):
        return None


def adapter_parameters(folder: Path) -> int | None:
    """Parameters of a saved adapter, from the head of its file; None where there is none."""
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(folder / "adapter_model.safetensors", "np") as tensors:
            return sum(prod(tensors.get_slice(name).get_shape()) for name in tensors.keys())  # noqa: SIM118
    except (OSError, SafetensorError):
        return None
