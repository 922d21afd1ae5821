"""What attention keeps of the tokens that it has read, and the loop around transformers' `generate` that it allows."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from inspect import signature
from typing import TYPE_CHECKING, Any

from relearn_lite.models.loaded import Loaded, unwrapped

if TYPE_CHECKING:
    from transformers import DynamicCache

STRIDE = 16  # new tokens between two looks at which rows have ended


def empty_cache(loaded: Loaded) -> DynamicCache | None:
    """A cache whose rows can be taken out and put in. None for models that have none: those that keep a state instead
    (Mamba, Qwen3-Next), and Unsloth's, whose kernels take one token at a time behind what they have read."""
    from transformers import DynamicCache
    from transformers.cache_utils import DynamicLayer

    takes_one = "past_key_values" in signature(unwrapped(loaded.model).forward).parameters
    if loaded.backend == "unsloth" or not takes_one:
        return None
    cache = DynamicCache(config=loaded.model.config)
    return cache if all(isinstance(layer, DynamicLayer) for layer in cache.layers) else None


def new_tokens(
    loaded: Loaded, inputs: Mapping[str, Any], most: int, ended: Callable[[list[int]], bool], options: Mapping[str, Any]
) -> list[list[int]]:
    """Continues rows by up to `most` tokens. Those that have ended leave, so that nobody waits for the longest alone.

    inputs, options: of transformers' `generate`. ended: whether a row's new tokens are all that is wanted of it; what
    follows its end is to be cut off.
    """
    import torch

    inputs, cache = dict(inputs), inputs.get("past_key_values")
    if cache is None and (cache := empty_cache(loaded)) is not None:
        inputs["past_key_values"] = cache
    rows, new = list(range(len(inputs["input_ids"]))), [[] for _ in inputs["input_ids"]]
    done = 0
    while rows and done < most:
        step = most - done if cache is None else min(STRIDE, most - done)
        ids = loaded.model.generate(**inputs, max_new_tokens=step, **options)
        done += step
        for row, tokens in zip(rows, ids[:, inputs["input_ids"].shape[1] :].tolist(), strict=True):
            new[row] += tokens
        left = [i for i, row in enumerate(rows) if not ended(new[row])]
        rows = [rows[i] for i in left]
        if cache is not None and rows and done < most:
            kept = torch.tensor(left, device=ids.device)
            if len(left) < len(ids):
                cache.batch_select_indices(kept)
            mask = inputs["attention_mask"][kept]
            grown = mask.new_ones(len(rows), ids.shape[1] - mask.shape[1])
            inputs |= {"input_ids": ids[kept], "attention_mask": torch.cat([mask, grown], dim=1)}
    return new
