"""Precision attack: the same adapter on weights that are loaded in another precision, or merged.

Rounding moves weights by about as much as careful unlearning does, and can bring back what was forgotten (Zhang et al.
2025, arXiv 2410.16454). Users merge and quantize before they release, so it is what comes out of that which counts.
"""

from __future__ import annotations

import logging
import shutil
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from relearn_lite.core.errors import RecipeError, first_line
from relearn_lite.core.memory import free_memory
from relearn_lite.models import backends
from relearn_lite.models.loaded import Loaded
from relearn_lite.models.transformers_backend import compute_dtype
from relearn_lite.recipe import Model

# What loading, merging and casting fail with where a machine or a model does not allow it.
FAILURES = (RuntimeError, ValueError, ImportError, TypeError, KeyError, OSError, MemoryError, RecipeError)
QUANTIZATION = {"8bit": "8bit", "4bit": "4bit", "merged_dequantized": "4bit", "merged_in_4bit": "4bit"}  # of the base


class Unavailable(Exception):
    """Why the model cannot be had in this precision, in words."""


@dataclass(frozen=True)
class AttackedModel:
    """What the attacked model is made of: base weights, and the folders of its adapters, in the order they go on.

    scratch: a folder for weights that are merged and read again; removed afterwards.
    """

    base: Model
    adapters: Mapping[str, Path]
    seed: int
    scratch: Path


@contextmanager
def loaded_in(precision: str, attacked: AttackedModel) -> Iterator[tuple[Loaded, tuple[str, ...]]]:
    """The model and the adapters to switch on, in one of `recipe.PRECISIONS`; gone from memory afterwards.

    Raises Unavailable where this machine or this model does not allow it.
    """
    if precision.startswith("merged") and not attacked.adapters:
        raise Unavailable("there is no adapter to merge")  # whole weights were named, or nothing is unlearned
    free_memory()  # of an attempt that failed before
    casts = logging.getLogger("bitsandbytes.autograd._functions")  # 8bit logs each of its casts
    level = casts.level
    casts.setLevel(logging.ERROR)
    model = []
    try:
        with _unavailable_on(FAILURES):
            model.append(_load(precision, attacked))
        with _unavailable_on((RuntimeError,)):  # what cannot be computed so; a full disk is no such thing
            yield model[0]
    finally:
        model.clear()
        free_memory()
        casts.setLevel(level)
        shutil.rmtree(attacked.scratch, ignore_errors=True)


@contextmanager
def _unavailable_on(failures: tuple[type[Exception], ...]) -> Iterator[None]:
    try:
        yield
    except failures as error:
        raise Unavailable(first_line(error)) from error


def _load(precision: str, attacked: AttackedModel) -> tuple[Loaded, tuple[str, ...]]:
    import torch

    adapters = tuple(attacked.adapters)
    loaded = _quantized(attacked.base, QUANTIZATION.get(precision, "none"), attacked.seed)
    if precision == "merged_dequantized":
        loaded.model = loaded.model.dequantize(dtype=compute_dtype())
    for name, folder in attacked.adapters.items():
        backends.load_adapter(loaded, name, folder)
    if precision in ("bf16", "fp16"):
        loaded.model.to(torch.bfloat16 if precision == "bf16" else torch.float16)
    if not precision.startswith("merged"):
        return loaded, adapters
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", ".*[Mm]erge lora module to .*")  # rounding is what is to be measured
        loaded.model = loaded.model.merge_and_unload(adapter_names=list(adapters))
    loaded.model.eval()
    return (_exported_in_4bit(loaded, attacked) if precision == "merged_then_4bit" else loaded), ()


def _exported_in_4bit(merged: Loaded, attacked: AttackedModel) -> Loaded:
    """Writes merged weights out and reads them in 4 bit, as whoever exports a model does."""
    merged.model.save_pretrained(attacked.scratch)
    merged.tokenizer.save_pretrained(attacked.scratch)
    merged.model = None  # one model in memory
    free_memory()
    return _quantized(attacked.base.settings_for(str(attacked.scratch), derived=True), "4bit", attacked.seed)


def _quantized(base: Model, quantization: str, seed: int) -> Loaded:
    """Loaded by transformers, which with peft can merge and cast whichever backend trained the adapter, and whole."""
    update = {"quantization": quantization, "offload_embeddings": False}
    return backends.load(base.for_backend("transformers").model_copy(update=update), seed)
