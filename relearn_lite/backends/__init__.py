"""Ways to hold a model in memory: one file each, all giving a `Loaded`.

There is one model in memory. What other tools load a second time is the same weights here with adapters off: the
reference of a loss, the vanilla model in evaluation, the writer in augmentation.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from relearn_lite.errors import RecipeError

if TYPE_CHECKING:
    from relearn_lite.schema import Lora, Model

VANILLA, UNLEARNED = "vanilla", "unlearned"  # names of the two adapters a model may carry


@dataclass
class Loaded:
    """A model, its tokenizer, and which of its adapters make up the vanilla model.

    vanilla: adapters of the model that knows; none where its own weights know, ["vanilla"] where a LoRA taught it.
    checkpointing: whether training computes activations again in the backward pass.
    """

    model: Any
    tokenizer: Any
    backend: str
    vanilla: tuple[str, ...] = ()
    checkpointing: bool = False
    forgot: bool = False  # its own weights are those of an unlearned model, without an adapter

    @property
    def device(self):
        return next(self.model.parameters()).device

    @property
    def commit(self) -> str | None:
        """The hub's commit that the weights came from; None for a folder and the embedded model."""
        return getattr(self.model.config, "_commit_hash", None)

    @property
    def unlearned(self) -> tuple[str, ...]:
        """Adapters of the unlearned model."""
        return self.vanilla if self.forgot else (*self.vanilla, UNLEARNED)


@contextmanager
def active_adapters(model: Any, names: tuple[str, ...]) -> Iterator[None]:
    """Runs the model with exactly these adapters, then as before. No names: the base model alone.

    peft's own `disable_adapter` re-enables training of every active adapter when it leaves, which would set a frozen
    vanilla adapter free; this touches no `requires_grad`. Never run a backward pass inside.
    """
    from peft.tuners.tuners_utils import BaseTunerLayer

    layers = [layer for layer in model.modules() if isinstance(layer, BaseTunerLayer)]
    before = [(layer._disable_adapters, layer._active_adapter) for layer in layers]
    for layer in layers:
        layer._disable_adapters = not names
        if names:
            layer._active_adapter = list(names)
    try:
        yield
    finally:
        for layer, (disabled, active) in zip(layers, before, strict=True):
            layer._disable_adapters, layer._active_adapter = disabled, active


def choose(settings: Model) -> str:
    """The backend's name: what the recipe says, or for `auto` Unsloth where it and a GPU are present."""
    from importlib.util import find_spec

    if settings.backend == "unsloth" and find_spec("unsloth") is None:
        raise RecipeError(
            "model.backend: unsloth is not installed; run `pip install --no-deps -r requirements-gpu.txt`, "
            "or set model.backend to auto or transformers"
        )
    if settings.backend != "auto":
        return settings.backend
    import torch

    tiny = settings.name == "embedded" or settings.init == "random"
    return "unsloth" if not tiny and torch.cuda.is_available() and find_spec("unsloth") else "transformers"


def checkpoints(settings: Model) -> bool:
    """Whether training computes activations again in the backward pass: as the recipe says, for `auto` on a GPU."""
    import torch

    return torch.cuda.is_available() if settings.gradient_checkpointing == "auto" else settings.gradient_checkpointing


def load(settings: Model, seed: int, *, precise: bool = False) -> Loaded:
    """Loads model and tokenizer as the recipe says. Raises RecipeError where they are not to be had.

    precise: weights in float32, as training all of them needs; for the transformers backend without quantization.
    """
    backend = choose(settings)
    if backend == "unsloth":
        from relearn_lite.backends import unsloth

        return unsloth.load(settings, seed)
    from relearn_lite.backends import transformers

    return transformers.load(settings, seed, precise=precise)


def add_adapter(loaded: Loaded, name: str, lora: Lora, seed: int) -> None:
    """Puts a new LoRA adapter on the model, as the only thing that is trained."""
    if loaded.backend == "unsloth":
        from relearn_lite.backends import unsloth

        unsloth.add_adapter(loaded, name, lora, seed)
    else:
        from relearn_lite.backends import transformers

        transformers.add_adapter(loaded, name, lora, seed)


def to_training(loaded: Loaded, training: bool = True) -> None:
    """Puts the model in training mode, gradient checkpointing included, or (training: False) in evaluation mode."""
    if training and loaded.backend == "unsloth":
        from relearn_lite.backends import unsloth

        unsloth.to_training(loaded)
    else:
        loaded.model.train(training)


def load_adapter(loaded: Loaded, name: str, folder: Path) -> None:
    """Reads a saved adapter onto the model under `name`, replacing one of that name; nothing becomes trainable."""
    if loaded.backend == "unsloth":
        from relearn_lite.backends import unsloth

        unsloth.load_adapter(loaded, name, folder)
    else:
        from relearn_lite.backends import transformers

        transformers.load_adapter(loaded, name, folder)


def save_adapter(loaded: Loaded, name: str, folder: Path) -> None:
    """Writes one adapter as safetensors with its configuration, so that peft alone can load it."""
    from relearn_lite.backends import transformers

    transformers.save_adapter(loaded, name, folder)
