"""A model in memory: one set of weights, and which adapters on it make the vanilla and the unlearned model.

The reference of a loss, the vanilla model in evaluation and the writer are these same weights with adapters off.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from relearn_lite.models.adapters import biases_on

if TYPE_CHECKING:
    from relearn_lite.recipe import Model

VANILLA, UNLEARNED = "vanilla", "unlearned"  # names of adapters: what it was taught, what made it forget


@dataclass
class Loaded:
    """A model, its tokenizer, and which of its adapters make up the vanilla model.

    vanilla_adapters: those of the model that knows; none where its own weights know, ["vanilla"] where a LoRA taught
    it, those of `model.adapters` where something was forgotten before.
    checkpointing: whether training computes activations again in the backward pass.
    """

    model: Any
    tokenizer: Any
    backend: str
    vanilla_adapters: tuple[str, ...] = ()
    checkpointing: bool = False
    forgot: bool = False  # its own weights are those of an unlearned model, without an adapter
    shares_prefixes: bool | None = None  # whether prompts may share their beginning; None: not tried (shared_prefix.py)

    @property
    def device(self):
        return next(self.model.parameters()).device

    @property
    def hidden_size(self) -> int:
        return self.model.config.get_text_config().hidden_size

    @property
    def commit(self) -> str | None:
        """The hub's commit that the weights came from; None for a folder and the embedded model."""
        return getattr(self.model.config, "_commit_hash", None)

    @property
    def unlearned_adapters(self) -> tuple[str, ...]:
        """Those of the unlearned model."""
        return self.vanilla_adapters if self.forgot else (*self.vanilla_adapters, UNLEARNED)

    def adapters_of(self, model: str) -> tuple[str, ...]:
        """Those of `vanilla` or `unlearned`."""
        return self.vanilla_adapters if model == "vanilla" else self.unlearned_adapters


def unwrapped(model: Any) -> Any:
    """The transformers model under peft's wrapper; its layers keep their adapters."""
    return model.get_base_model() if hasattr(model, "get_base_model") else model


@contextmanager
def active_adapters(model: Any, names: tuple[str, ...]) -> Iterator[None]:
    """Runs the model with exactly these adapters, then as before. No names: the base model alone. No backward pass.

    peft's own `disable_adapter` would set a frozen vanilla adapter free; this touches no `requires_grad`.
    """
    from peft.tuners.tuners_utils import BaseTunerLayer
    from peft.utils.other import AuxiliaryTrainingWrapper

    # Layers with LoRA and the like, and whole modules or tokens that were trained beside them. A module that lacks one
    # of several adapters would be switched off by it, and tokens that lack one would fail: each is given its own.
    layers = [layer for layer in model.modules() if isinstance(layer, BaseTunerLayer | AuxiliaryTrainingWrapper)]
    before = [(layer._disable_adapters, layer._active_adapter) for layer in layers]
    for layer in layers:
        own = [name for name in names if name in layer._get_available_adapters()]
        layer._disable_adapters = not own
        if own:
            layer._active_adapter = own
    try:
        with biases_on(model, names):
            yield
    finally:
        for layer, (disabled, active) in zip(layers, before, strict=True):
            layer._disable_adapters, layer._active_adapter = disabled, active


def recomputes_activations(settings: Model) -> bool:
    """Whether training computes activations again in the backward pass: as the recipe says, for `auto` on a GPU."""
    import torch

    return torch.cuda.is_available() if settings.gradient_checkpointing == "auto" else settings.gradient_checkpointing
