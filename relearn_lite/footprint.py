"""What a model needs in memory, counted from its configuration alone: no weight is loaded or downloaded.

Parameters, LoRA parameters, optimizer states and the KV cache are exact. Activations and logits are estimates of what
torch keeps for the backward pass. All sizes in bytes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from relearn_lite.errors import RecipeError

if TYPE_CHECKING:
    from relearn_lite.schema import Lora, Model

HALF, SINGLE = 2, 4  # bytes of a number in bfloat16 or float16, and in float32
# NF4 with double quantization: 4 bits, an 8-bit scale for 64 of them, a float32 scale for 256 scales
BYTES = {"4bit": 0.5 + 1 / 64 + 4 / (64 * 256), "8bit": 1.0, "none": float(HALF)}


@dataclass(frozen=True)
class Shape:
    """Counts of an architecture. linear: those of `parameters` that quantization packs (all but embeddings, norms,
    head); kv_width: numbers that the KV cache keeps a token, over all layers, keys and values."""

    parameters: int
    linear: int
    layers: int
    hidden: int
    intermediate: int
    vocabulary: int
    kv_width: int

    def weights(self, quantization: str) -> int:
        """Bytes of the weights on a GPU: the linear layers as quantised, the rest in 16 bit."""
        return round(self.linear * BYTES[quantization] + (self.parameters - self.linear) * HALF)

    def kv_cache(self, rows: int, tokens: int, number: int = HALF) -> int:
        """Bytes that generation keeps for rows of so many tokens, each number of `number` bytes."""
        return rows * tokens * self.kv_width * number

    def activations(self, tokens: int, checkpointing: bool) -> int:
        """Bytes kept for the backward pass of so many tokens, padding included.

        A layer keeps about 8 x hidden + 4 x intermediate numbers a token, and LoRA a float32 copy of what goes into
        each of its seven linear layers. With checkpointing every layer keeps its input, and one layer at a time all.
        """
        wide = HALF * (8 * self.hidden + 4 * self.intermediate) + SINGLE * (6 * self.hidden + self.intermediate)
        if checkpointing:
            return tokens * (self.layers * HALF * self.hidden + wide)
        return tokens * self.layers * wide

    def logits(self, positions: int) -> int:
        """Bytes of logits at so many trained positions: six float32 tensors, chunked where they are large."""
        from relearn_lite.unlearn.logprobs import LARGE

        return 6 * SINGLE * min(positions * self.vocabulary, max(LARGE, self.vocabulary))


def trained(lora_parameters: int) -> int:
    """Bytes of a LoRA adapter in training: float32 weights, gradients, and the two moments of AdamW."""
    return lora_parameters * SINGLE + lora_parameters * SINGLE + optimizer(lora_parameters)


def optimizer(parameters: int) -> int:
    """Bytes of AdamW's two moments in float32."""
    return 2 * parameters * SINGLE


def empty_model(settings: Model) -> Any:
    """The model without weights (on torch's meta device). From the hub only config.json is fetched."""
    import torch
    from transformers import AutoConfig, AutoModelForCausalLM

    from relearn_lite.backends.transformers import source

    name, where = source(settings)
    try:
        config = AutoConfig.from_pretrained(name, **where)
        with torch.device("meta"):
            return AutoModelForCausalLM.from_config(config, trust_remote_code=settings.trust_remote_code)
    except (OSError, ValueError, ImportError) as error:
        raise RecipeError(
            f"model.name: the configuration of {settings.name} could not be read "
            f"({str(error).splitlines()[0] if str(error) else type(error).__name__}); plan needs config.json and no "
            "weights: check the name and the network (a gated model also needs `hf auth login`), or give a local folder"
        ) from error


def shape_of(model: Any) -> Shape:
    """Counts of a model, which may be empty. A weight that is shared counts once."""
    from torch.nn import Linear

    config, head = model.config.get_text_config(), model.get_output_embeddings()
    linear = [layer for layer in model.modules() if isinstance(layer, Linear) and layer is not head]
    heads = getattr(config, "num_key_value_heads", None) or config.num_attention_heads
    width = getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads
    return Shape(
        parameters=sum(p.numel() for p in model.parameters()),
        linear=sum(layer.weight.numel() for layer in linear),
        layers=config.num_hidden_layers,
        hidden=config.hidden_size,
        intermediate=getattr(config, "intermediate_size", None) or 4 * config.hidden_size,
        vocabulary=config.vocab_size,
        kv_width=2 * config.num_hidden_layers * heads * width,
    )


def lora_parameters(settings: Model, lora: Lora) -> int:
    """How many parameters the adapter has: peft puts it on an empty model, and they are counted."""
    from relearn_lite import backends

    loaded = backends.Loaded(empty_model(settings), None, "transformers")
    backends.add_adapter(loaded, backends.UNLEARNED, lora, seed=0)
    return sum(p.numel() for p in loaded.model.parameters() if p.requires_grad)
