"""Running out of memory: how it is recognised, and what to do before trying again with less."""

from __future__ import annotations

import gc
import sys
from functools import cache

SIGNS = ("out of memory", "can't allocate memory", "CUBLAS_STATUS_ALLOC_FAILED")


def out_of_memory(error: BaseException) -> bool:
    """Whether an error says that memory has run out, of a GPU or of the machine."""
    import torch

    told = isinstance(error, RuntimeError) and any(sign in str(error) for sign in SIGNS)
    return told or isinstance(error, torch.OutOfMemoryError | MemoryError)


def free_memory() -> None:
    """Gives back what a failed attempt held. Call it outside the `except` block: there the error still holds it."""
    import torch

    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()


@cache
def tell_once(text: str) -> None:
    """Writes a line to standard error, the first time only."""
    print(text, file=sys.stderr)
