"""Precision attack: the same adapter on weights that are held, or merged, in another way.

Rounding moves weights by about as much as careful unlearning does, and can bring back what was forgotten (Zhang et al.
2025, arXiv 2410.16454). Users merge and quantise before they release, so it is what comes out of that which counts.
"""

from __future__ import annotations

import logging
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from relearn_lite.core.errors import RecipeError
from relearn_lite.core.memory import free_memory
from relearn_lite.models import backends
from relearn_lite.models.loaded import Loaded

if TYPE_CHECKING:
    from relearn_lite.recipe import Model

FAILURES = (RuntimeError, ValueError, ImportError, TypeError, KeyError, OSError, MemoryError, RecipeError)


class Unavailable(Exception):
    """Why the model cannot be held in this way, in words."""


@dataclass(frozen=True)
class Parts:
    """What the attacked model is made of: base weights, and the folders of its adapters, in the order they go on."""

    base: Model
    adapters: Mapping[str, Path]
    seed: int
    scratch: Path  # a folder of weights that are merged and read again; removed afterwards


@contextmanager
def held(parts: Parts, way: str) -> Iterator[tuple[Loaded, tuple[str, ...]]]:
    """The model and the adapters to switch on, held in one of `schema.PRECISIONS`; gone from memory afterwards.

    Raises Unavailable where this machine or this model does not allow it.
    """
    if way.startswith("merged") and not parts.adapters:
        raise Unavailable("there is no adapter to merge, the model's own weights are the unlearned ones")
    quiet = logging.getLogger("bitsandbytes.autograd._functions")  # 8bit tells of each of its casts
    level = quiet.level
    quiet.setLevel(logging.ERROR)
    model = []
    try:
        with _told(FAILURES):
            model.append(_hold(parts, way))
        with _told((RuntimeError,)):  # what cannot be computed in this precision; a full disk is no such thing
            yield model[0]
    finally:
        model.clear()
        free_memory()
        quiet.setLevel(level)
        shutil.rmtree(parts.scratch, ignore_errors=True)


@contextmanager
def _told(failures: tuple[type[Exception], ...]) -> Iterator[None]:
    """Turns these errors into Unavailable, with their first line."""
    try:
        yield
    except failures as error:
        lines = [line for line in str(error).splitlines() if line.strip()]
        raise Unavailable(lines[0] if lines else type(error).__name__) from error


def _hold(parts: Parts, way: str) -> tuple[Loaded, tuple[str, ...]]:
    import torch

    from relearn_lite.models.transformers_backend import compute_dtype

    adapters = tuple(parts.adapters)
    if way in ("8bit", "4bit"):
        return _dress(_base(parts, way), parts), adapters
    if way in ("bf16", "fp16"):
        loaded = _dress(_base(parts, "none"), parts)
        loaded.model.to(torch.bfloat16 if way == "bf16" else torch.float16)
        return loaded, adapters
    if way == "merged_in_4bit":
        return _merge(_dress(_base(parts, "4bit"), parts), adapters), ()
    if way == "merged_dequantized":
        loaded = _base(parts, "4bit")
        loaded.model = loaded.model.dequantize(dtype=compute_dtype())
        return _merge(_dress(loaded, parts), adapters), ()
    loaded = _merge(_dress(_base(parts, "none"), parts), adapters)
    return (loaded, ()) if way == "merged" else (_quantised(parts, loaded), ())


def _base(parts: Parts, quantization: str) -> Loaded:
    # Merging and casting is transformers' and peft's work, whoever held the model in training.
    held_so = {"quantization": quantization, "backend": "transformers"}
    return backends.load(parts.base.model_copy(update=held_so), parts.seed)


def _dress(loaded: Loaded, parts: Parts) -> Loaded:
    for name, folder in parts.adapters.items():
        backends.load_adapter(loaded, name, folder)
    return loaded


def _merge(loaded: Loaded, adapters: tuple[str, ...]) -> Loaded:
    import warnings

    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", ".*[Mm]erge lora module to .*")  # rounding is what is to be measured
        loaded.model = loaded.model.merge_and_unload(adapter_names=list(adapters))
    loaded.model.eval()
    return loaded


def _quantised(parts: Parts, merged: Loaded) -> Loaded:
    """Writes merged weights out and reads them in 4 bit, as whoever exports a model does."""
    merged.model.save_pretrained(parts.scratch)
    merged.tokenizer.save_pretrained(parts.scratch)
    merged.model = None  # one model in memory
    free_memory()
    exported = parts.base.settings_for(str(parts.scratch), derived=True).model_copy(update={"quantization": "4bit"})
    return backends.load(exported.model_copy(update={"backend": "transformers"}), parts.seed)
