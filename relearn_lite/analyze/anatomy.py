"""Where a transformer's parts are: its layers, final norm, attention output projections and MLPs.

Names differ between architectures; what is found by name here is checked by running it (see `patching.record`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from relearn_lite.core.errors import RecipeError

NORMS = ("norm", "final_layernorm", "final_layer_norm", "ln_f")
ATTENTIONS = ("self_attn", "attn", "attention", "self_attention")
PROJECTIONS = ("o_proj", "out_proj", "c_proj", "dense", "wo")
MLPS = ("mlp", "feed_forward", "ffn", "block_sparse_moe")


@dataclass(frozen=True)
class Anatomy:
    """The parts of a decoder in the order of its layers. `heads`: attention heads a layer."""

    layers: list[Any]
    norm: Any
    projections: list[Any]  # the attention's last linear map; its input is the heads side by side
    mlps: list[Any]
    heads: int

    @property
    def parts(self) -> list[tuple[int, int | None]]:
        """Every part: (layer, head), and (layer, None) for the layer's MLP."""
        return [(layer, head) for layer in range(len(self.layers)) for head in (*range(self.heads), None)]


def anatomy(model) -> Anatomy:
    """Finds the parts of a decoder, under peft's wrapper or without. Raises RecipeError where one is not found."""
    from torch.nn import ModuleList

    base = model.get_base_model() if hasattr(model, "get_base_model") else model
    config = base.config.get_text_config()
    count = config.num_hidden_layers
    for backbone in base.modules():
        for _, layers in backbone.named_children():
            norm = _child(backbone, NORMS)
            if isinstance(layers, ModuleList) and len(layers) == count and norm is not None:
                attentions = [_child(layer, ATTENTIONS) for layer in layers]
                projections = [_child(attention, PROJECTIONS) for attention in attentions]
                mlps = [_child(layer, MLPS) for layer in layers]
                if all(part is not None for part in (*projections, *mlps)):
                    return Anatomy(list(layers), norm, projections, mlps, config.num_attention_heads)
    raise RecipeError(
        f"analyze: the layers of a {type(base).__name__} could not be found (looked for a list of {count} layers with "
        f"{', '.join(PROJECTIONS)} in an attention, and {', '.join(MLPS)}); leave out memory and circuits for this "
        "model"
    )


def _child(module: Any, names: tuple[str, ...]) -> Any:
    return next((part for name in names if (part := getattr(module, name, None)) is not None), None)


def tensor_of(output: Any) -> Any:
    """The hidden states in a module's output, which some architectures put into a tuple."""
    return output[0] if isinstance(output, tuple) else output


def replaced(output: Any, tensor: Any) -> Any:
    """A module's output with other hidden states."""
    return (tensor, *output[1:]) if isinstance(output, tuple) else tensor
