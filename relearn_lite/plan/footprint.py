"""What a model needs in memory, counted from its configuration alone: no weight is loaded or downloaded.

Parameters, LoRA parameters, optimizer states, a gradient mask's gradients and the KV cache are exact. Activations and
logits are estimates of what torch holds at once. All sizes in bytes.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from math import prod
from pathlib import Path
from typing import Any

from relearn_lite.core.errors import RecipeError, first_line
from relearn_lite.models import backends
from relearn_lite.models.loaded import UNLEARNED, Loaded
from relearn_lite.models.logprobs import LARGE
from relearn_lite.models.transformers_backend import source
from relearn_lite.recipe import Lora, Model

HALF, SINGLE = 2, 4  # bytes of a number in bfloat16 or float16, and in float32
# NF4 with double quantization: 4 bits, an 8-bit scale for 64 of them, a float32 scale for 256 scales
BYTES = {"4bit": 0.5 + 1 / 64 + 4 / (64 * 256), "8bit": 1.0, "none": float(HALF)}


@dataclass(frozen=True)
class Shape:
    """Counts of an architecture. linear: those of `parameters` that quantization packs (all but embeddings, norms,
    head); width: of a layer's attention heads side by side; kv_width: numbers that the KV cache keeps a token, over all
    layers, keys and values."""

    parameters: int
    linear: int
    layers: int
    hidden: int
    intermediate: int
    vocabulary: int
    width: int
    kv_width: int

    def weights(self, quantization: str) -> int:
        """The weights on a GPU: the linear layers as quantized, the rest in 16 bit."""
        return round(self.linear * BYTES[quantization] + (self.parameters - self.linear) * HALF)

    def kv_cache(self, rows: int, tokens: int, number: int = HALF) -> int:
        """What generation keeps for rows of so many tokens, each number of `number` bytes."""
        return rows * tokens * self.kv_width * number

    def forward(self, tokens: int) -> int:
        """A forward pass of so many tokens without a backward pass: one layer at a time.

        About 4 x hidden + 3 x intermediate numbers a token, and LoRA's float32 copy of what goes into the widest layer.
        """
        wide = HALF * (4 * self.hidden + 3 * self.intermediate) + SINGLE * max(self.hidden, self.intermediate)
        return tokens * wide

    def states(self, tokens: int, copies: int) -> int:
        """Hidden states of so many tokens, kept after `copies` layers."""
        return copies * tokens * self.hidden * HALF

    def activations(self, tokens: int, checkpointing: bool, lora: bool = True) -> int:
        """What is kept for the backward pass of so many tokens, padding included.

        A layer keeps about 8 x hidden + 4 x intermediate numbers a token, and LoRA in training a float32 copy of what
        goes into each of its seven linear layers. With checkpointing every layer keeps its input, one at a time all.
        """
        wide = HALF * (8 * self.hidden + 4 * self.intermediate)
        wide += SINGLE * (6 * self.hidden + self.intermediate) if lora else 0
        if checkpointing:
            return tokens * (self.layers * HALF * self.hidden + wide)
        return tokens * self.layers * wide

    def logits(self, positions: int) -> int:
        """Logits at so many positions: six float32 tensors, chunked where they are large."""
        return 6 * SINGLE * min(positions * self.vocabulary, max(LARGE, self.vocabulary))


def optimizer(parameters: int, kind: str = "adamw") -> int:
    """AdamW's two moments: in float32, or (adamw_8bit) in 8 bits with a float32 scale for 256 of them."""
    return round(2 * parameters * (1 + SINGLE / 256 if kind == "adamw_8bit" else SINGLE))


def mask_gradients(parameters: int, retain: bool) -> int:
    """What SURE or MemFlex take beside the gradients of a step: the forget rows' as they were kept, and each side's.

    A method without a retain loss has one side, whose gradients are those of the step.
    """
    return 3 * parameters * SINGLE if retain else 0


@cache
def hub_answers() -> bool:
    """Whether the hub can be reached, found out once and in seconds: its library would try again for minutes."""
    from huggingface_hub import constants, get_session

    try:
        get_session().head(constants.ENDPOINT, timeout=5)
    except Exception:  # whatever its client raises, also where HF_HUB_OFFLINE is set
        return False
    return True


def _without_hub(name: str) -> bool:
    """Whether only files that are here already are to be looked at."""
    return not Path(name).exists() and not hub_answers()


def empty_model(settings: Model) -> Any:
    """The model without weights (on torch's meta device). From the hub only config.json is fetched."""
    import torch
    from transformers import AutoConfig, AutoModelForCausalLM

    name, where = source(settings)
    try:
        config = AutoConfig.from_pretrained(name, local_files_only=_without_hub(name), **where)
        with torch.device("meta"):
            return AutoModelForCausalLM.from_config(config, trust_remote_code=settings.trust_remote_code)
    except (OSError, ValueError, ImportError) as error:
        raise RecipeError(
            f"model.name: the configuration of {settings.name} could not be read ({first_line(error)}); plan needs "
            "config.json and no weights: check the name and the network (a gated model also needs `hf auth login`), or "
            "give a local folder"
        ) from error


def shape_of(model: Any) -> Shape:
    """Counts of a model, which may be empty. A weight that is shared counts once."""
    from torch.nn import Linear

    config, head = model.config.get_text_config(), model.get_output_embeddings()
    linear = [layer for layer in model.modules() if isinstance(layer, Linear) and layer is not head]
    heads = getattr(config, "num_key_value_heads", None) or config.num_attention_heads
    size = getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads
    return Shape(
        parameters=model.num_parameters(),
        linear=sum(layer.weight.numel() for layer in linear),
        layers=config.num_hidden_layers,
        hidden=config.hidden_size,
        intermediate=getattr(config, "intermediate_size", None) or 4 * config.hidden_size,
        vocabulary=config.vocab_size,
        width=config.num_attention_heads * size,
        kv_width=2 * config.num_hidden_layers * heads * size,
    )


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
        config = AutoConfig.from_pretrained(name, local_files_only=_without_hub(name))
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
