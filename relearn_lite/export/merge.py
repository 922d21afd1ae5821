"""The unlearned model as whole weights, in the precision that the base is stored in: never merged into 4 bit."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

from relearn_lite.core.errors import RecipeError
from relearn_lite.models.folder import stored_quantization
from relearn_lite.models.generation import end_ids
from relearn_lite.models.loaded import Loaded
from relearn_lite.models.transformers_backend import load_adapter, load_config, load_tokenizer, load_weights
from relearn_lite.pipeline.run_state import Run
from relearn_lite.recipe import Model

SHARD = "5GB"  # the most of one file of weights: what a small machine loads at a time, and a slow line sends again


def base_config(settings: Model) -> Any:
    """The configuration of the weights to merge into. Raises RecipeError where they are quantized already."""
    config = load_config(settings)
    if stored := stored_quantization(config):
        raise RecipeError(
            f"export: the weights of {settings.name} are quantized already ({stored}), and merging rounds them again; "
            "give those that they were made from with model.name=PLACE, or export --format adapter"
        )
    return config


def stored_dtype(config: Any) -> str:
    """float16, bfloat16 or float32, as the base's weights are stored; float32 where they do not say."""
    return str(getattr(config, "dtype", None) or "float32").removeprefix("torch.")


def write_merged(run: Run, folder: Path, dtype: str) -> None:
    """Writes the unlearned model with its tokenizer, chat template and generation config, in shards of SHARD.

    dtype: of what is written. Each layer is merged in float32 and rounded once; all others are as they were.
    """
    import torch

    settings, adapters = run.weights("unlearned")
    weights = load_weights(settings, {"dtype": getattr(torch, dtype)}).eval().requires_grad_(False)
    loaded = Loaded(weights, load_tokenizer(settings), "transformers")
    for name, place in adapters.items():
        load_adapter(loaded, name, place)
    model, adapters, ends = loaded.model, list(adapters), end_ids(loaded)
    if adapters:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", ".*[Aa]lready merged.*")
            _merge_in_float32(model, adapters)
            model = model.merge_and_unload(adapter_names=adapters)
    if len(ends) > 1:  # a recipe's template may end an answer with a token that the model does not name
        model.generation_config.eos_token_id = ends
    model.to(getattr(torch, dtype))  # what an adapter brought along whole may be in float32
    model.save_pretrained(folder, max_shard_size=SHARD)
    tokenizer = loaded.tokenizer
    tokenizer.chat_template = tokenizer.chat_template or None  # asked without one: none is given along either
    tokenizer.save_pretrained(folder)


def _merge_in_float32(model: Any, adapters: list[str]) -> None:
    """Adds the adapters to each layer's weights, one layer in float32 at a time."""
    import torch
    from peft.tuners.tuners_utils import BaseTunerLayer

    for layer in model.modules():
        if isinstance(layer, BaseTunerLayer):
            own = [adapter for adapter in adapters if adapter in layer._get_available_adapters()]
            weight = layer.get_base_layer().weight
            dtype = weight.dtype
            weight.data = weight.data.to(torch.float32)
            layer.merge(safe_merge=True, adapter_names=own)
            weight.data = weight.data.to(dtype)
