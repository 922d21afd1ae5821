"""How a GGUF file stretches positions: what transformers leaves out when it reads one, so that angles would be wrong.

Two ways are put into the model's configuration, one factor for all positions (linear), and that of Llama 3.1 to 3.3,
whose file holds a divisor for each frequency. Other ways are refused. What gpt-oss says is read by transformers.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from relearn_lite.core.errors import RecipeError

DIVISORS = "rope_freqs.weight"
LONG = "rope_factors_long.weight"  # of Phi 3 with a long context
# Of every Llama 3 whose positions are stretched; they differ in the factor, which is the largest divisor.
LLAMA3 = {"low_freq_factor": 1.0, "high_freq_factor": 4.0, "original_max_position_embeddings": 8192}


def stretching(file: Path, architecture: str, metadata: Mapping[str, Any], tensors: Mapping[str, Any]) -> dict:
    """What the model's rope_parameters must say besides; {} where positions are as they are.

    tensors: of the file, by name. Raises RecipeError for ways that are not known here.
    """
    kind = metadata.get(f"{architecture}.rope.scaling.type", "linear")
    factor = metadata.get(f"{architecture}.rope.scaling.factor", metadata.get(f"{architecture}.rope.scale_linear", 1.0))
    if architecture == "gpt-oss":
        return {}
    if LONG in tensors:
        raise _unknown(file, LONG)
    if kind not in ("none", "linear"):
        raise _unknown(file, f"{kind}, factor {factor:g}")
    if DIVISORS in tensors and not np.allclose(divisors := np.array(tensors[DIVISORS].data).ravel(), 1.0):
        found = {"rope_type": "llama3", "factor": float(divisors.max()), **LLAMA3}
        base = metadata.get(f"{architecture}.rope.freq_base", 10_000.0)
        if not np.allclose(divisors, _divisors_of_llama3(len(divisors), base, found), rtol=1e-3):
            raise _unknown(file, DIVISORS)
        return found
    return {"rope_type": "linear", "factor": float(factor)} if kind == "linear" and factor not in (0.0, 1.0) else {}


def stretch(config: Any, by: Mapping[str, Any]) -> None:
    """Puts what `stretching` found into a configuration. Where layers differ, those that look at everything have it."""
    if by:
        rope = config.rope_parameters
        rope.get("full_attention", rope).update(by)


def _divisors_of_llama3(count: int, base: float, rope: Mapping[str, Any]) -> np.ndarray:
    """By how much each frequency is divided: short waves stay, long ones take the factor, the rest lies between."""
    waves = 2 * np.pi * base ** (np.arange(count) / count)
    low, high, longest = (rope[key] for key in LLAMA3)
    share = np.clip((longest / waves - low) / (high - low), 0, 1)
    return 1 / ((1 - share) / rope["factor"] + share)


def _unknown(file: Path, way: str) -> RecipeError:
    return RecipeError(
        f"model.name: {file} stretches its positions in a way that cannot be read from a GGUF file ({way}), and would "
        "be computed wrongly; take the model's safetensors"
    )
