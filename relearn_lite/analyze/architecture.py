"""Where a transformer's components are: its layers, final norm, attention output projections and MLPs.

Names differ between architectures; what is found by name here is checked by running it (`activation_patching.record`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

from relearn_lite.core.errors import RecipeError
from relearn_lite.models.loaded import unwrapped

NORMS = ("norm", "final_layernorm", "final_layer_norm", "ln_f")
ATTENTIONS = ("self_attn", "attn", "attention", "self_attention")
PROJECTIONS = ("o_proj", "out_proj", "c_proj", "dense", "wo")
MLPS = ("mlp", "feed_forward", "ffn", "block_sparse_moe")

Component = tuple[int, int | None]  # (layer, head); head None: the layer's MLP


@dataclass(frozen=True)
class Architecture:
    """The components of a decoder in the order of its layers. `heads`: attention heads a layer."""

    layers: list[Any]
    norm: Any
    projections: list[Any]  # the attention's last linear map; its input is the heads side by side
    mlps: list[Any]
    heads: int

    @property
    def components(self) -> list[Component]:
        """All of them, layer by layer: each head, then the MLP."""
        return [(layer, head) for layer in range(len(self.layers)) for head in (*range(self.heads), None)]


def find_architecture(model) -> Architecture:
    """The components of a decoder, under peft's wrapper or without. Raises RecipeError where one is not found."""
    from torch.nn import ModuleList

    base = unwrapped(model)
    config = base.config.get_text_config()
    count = config.num_hidden_layers
    for backbone in base.modules():
        norm = _child(backbone, NORMS)
        for layers in backbone.children():
            if isinstance(layers, ModuleList) and len(layers) == count and norm is not None:
                projections = [_child(_child(layer, ATTENTIONS), PROJECTIONS) for layer in layers]
                mlps = [_child(layer, MLPS) for layer in layers]
                if None not in (*projections, *mlps):
                    return Architecture(list(layers), norm, projections, mlps, config.num_attention_heads)
    raise RecipeError(
        f"analyze: the layers of a {type(base).__name__} could not be found (looked for a list of {count} layers with "
        f"{', '.join(PROJECTIONS)} in an attention, and {', '.join(MLPS)}); leave out memory and circuits for this "
        "model"
    )


def _child(module: Any, names: tuple[str, ...]) -> Any:
    return next((child for name in names if (child := getattr(module, name, None)) is not None), None)


@contextmanager
def hooked(hooks: Iterable[tuple[Any, Callable[..., Any]]]) -> Iterator[None]:
    """Inside, each module calls its hook(module, args, kwargs, output) after its forward pass."""
    with ExitStack() as registered:
        for module, hook in hooks:
            registered.enter_context(module.register_forward_hook(hook, with_kwargs=True))
        yield


def hidden_of(output: Any) -> Any:
    """The hidden states in a module's output, which some architectures put into a tuple."""
    return output[0] if isinstance(output, tuple) else output


def with_hidden(output: Any, hidden: Any) -> Any:
    """A module's output with other hidden states."""
    return (hidden, *output[1:]) if isinstance(output, tuple) else hidden
