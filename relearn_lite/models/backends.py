"""Which library holds the model: transformers and peft, or Unsloth; one file each, both giving a `Loaded`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from relearn_lite.core.errors import RecipeError, first_line
from relearn_lite.core.memory import free_memory, tell_once
from relearn_lite.models.loaded import Loaded
from relearn_lite.models.transformers_backend import save_adapter

if TYPE_CHECKING:
    from relearn_lite.recipe import Lora, Model

__all__ = ["add_adapter", "choose", "evaluation_mode", "load", "load_adapter", "save_adapter", "set_training"]


def choose(settings: Model) -> str:
    """The backend's name: what the recipe says, or for `auto` Unsloth where it and a GPU are present, and it fits."""
    if settings.backend == "unsloth" and settings.adapters:
        raise RecipeError(
            "model.backend: Unsloth's kernels compute one adapter, and model.adapters puts others under the one that "
            "is trained; set model.backend to auto or transformers"
        )
    if settings.backend == "unsloth" and find_spec("unsloth") is None:
        raise RecipeError(
            "model.backend: unsloth is not installed; run `pip install --no-deps -r requirements-gpu.txt`, "
            "or set model.backend to auto or transformers"
        )
    if settings.backend != "auto":
        return settings.backend
    import torch

    unfit = settings.name == "embedded" or settings.init == "random" or settings.adapters
    return "unsloth" if not unfit and torch.cuda.is_available() and find_spec("unsloth") else "transformers"


def load(settings: Model, seed: int, *, full_precision: bool = False) -> Loaded:
    """Loads model and tokenizer as the recipe says. Raises RecipeError where they are not to be had.

    With `auto`, a model that Unsloth refuses is loaded by transformers; a sentence says so. full_precision: weights in
    float32, as training all of them needs; for the transformers backend, not quantized, with embeddings on the card.
    """
    loaded = _load(settings, seed, full_precision)
    if settings.offload_embeddings and not full_precision:
        from relearn_lite.models.offload import offload_embeddings

        offload_embeddings(loaded.model, settings)
    return loaded


def _load(settings: Model, seed: int, full_precision: bool) -> Loaded:
    options = {"full_precision": True} if full_precision else {}
    backend = choose(settings)
    if (backend, settings.backend) == ("unsloth", "auto"):
        try:
            return _module("unsloth").load(settings, seed, **options)
        except RecipeError as error:
            why = first_line(error).partition(";")[0]
        free_memory()  # outside the `except` block, where the failed attempt is still held
        loaded = _module("transformers").load(settings, seed, **options)  # raises where the model is at fault
        tell_once(f"model.backend: transformers holds the model, for Unsloth cannot load it ({why}).")
        return loaded
    return _module(backend).load(settings, seed, **options)


def add_adapter(loaded: Loaded, name: str, lora: Lora, seed: int) -> None:
    """Puts a new LoRA adapter on the model, as the only thing that is trained."""
    _module(loaded.backend).add_adapter(loaded, name, lora, seed)


def set_training(loaded: Loaded, training: bool = True) -> None:
    """Puts the model in training mode, gradient checkpointing included, or (training: False) in evaluation mode."""
    if training and loaded.backend == "unsloth":
        _module("unsloth").set_training(loaded)
    else:
        loaded.model.train(training)


@contextmanager
def evaluation_mode(loaded: Loaded) -> Iterator[None]:
    """Evaluation mode (no dropout) inside, the mode that the model was in afterwards."""
    was_training = loaded.model.training
    loaded.model.eval()
    try:
        yield
    finally:
        set_training(loaded, was_training)


def load_adapter(loaded: Loaded, name: str, folder: Path) -> None:
    """Reads a saved adapter onto the model under `name`, replacing one of that name; nothing becomes trainable."""
    _module(loaded.backend).load_adapter(loaded, name, folder)


def _module(backend: str) -> Any:
    """The file that holds a model with this library. Unsloth's is imported only where it is used."""
    return import_module(f"relearn_lite.models.{backend}_backend")
