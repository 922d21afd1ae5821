"""What a model's architecture says of the memory that its weights, its passes and its answers take. Sizes in bytes.

Counts, weights and the KV cache are exact; activations and logits are estimates of what torch holds at once.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from relearn_lite.models.logprobs import LARGE

HALF, SINGLE = 2, 4  # bytes of a number in bfloat16 or float16, and in float32
# NF4 with double quantization: 4 bits, an 8-bit scale for 64 of them, a float32 scale for 256 scales
BYTES = {"4bit": 0.5 + 1 / 64 + 4 / (64 * 256), "8bit": 1.0, "none": float(HALF)}


@dataclass(frozen=True)
class Shape:
    """Counts of an architecture. linear: those of `parameters` that quantization packs (all but embeddings, norms,
    head); width: of a layer's attention heads side by side; kv_width: numbers that the KV cache keeps a token, over all
    layers, keys and values; embeddings: those of the input alone, 0 where the output layer shares them."""

    parameters: int
    linear: int
    layers: int
    hidden: int
    intermediate: int
    vocabulary: int
    width: int
    kv_width: int
    embeddings: int = 0

    def offloaded(self) -> Shape:
        """Without the input embeddings, which `model.offload_embeddings` leaves in main memory."""
        return replace(self, parameters=self.parameters - self.embeddings, embeddings=0)

    def weights(self, quantization: str) -> int:
        """The weights on a GPU: the linear layers as quantized, the rest in 16 bit."""
        return round(self.linear * BYTES[quantization] + (self.parameters - self.linear) * HALF)

    def kv_cache(self, rows: int, tokens: int, number: int = HALF) -> int:
        """What generation keeps for rows of so many tokens, each number of `number` bytes."""
        return rows * tokens * self.kv_width * number

    def answering(self, rows: int, tokens: int, new: int, number: int = HALF) -> dict[str, int]:
        """What it takes to continue `rows` prompts at once, by what it is for. tokens: of a prompt and its answer, at
        most `new` of them new; number: bytes of a number that is kept."""
        return {
            "KV cache": self.kv_cache(rows, tokens, number),
            "activations": self.forward(rows * (tokens - new)) * number // HALF,
            "logits": SINGLE * rows * self.vocabulary,
        }

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


def shape_of(model: Any) -> Shape:
    """Counts of a model, which may be empty. A weight that is shared counts once."""
    from torch.nn import Linear

    config, head = model.config.get_text_config(), model.get_output_embeddings()
    linear = [layer for layer in model.modules() if isinstance(layer, Linear) and layer is not head]
    heads = getattr(config, "num_key_value_heads", None) or config.num_attention_heads
    size = getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads
    table = model.get_input_embeddings().weight
    return Shape(
        parameters=model.num_parameters(),
        linear=sum(layer.weight.numel() for layer in linear),
        layers=config.num_hidden_layers,
        hidden=config.hidden_size,
        intermediate=getattr(config, "intermediate_size", None) or 4 * config.hidden_size,
        vocabulary=config.vocab_size,
        width=config.num_attention_heads * size,
        kv_width=2 * config.num_hidden_layers * heads * size,
        embeddings=0 if head is None or head.weight is table else table.numel(),
    )
