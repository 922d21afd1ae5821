"""Memory: how much a stage took, how running out of it is recognised, and what to do before trying again."""

from __future__ import annotations

import gc
import sys
from contextlib import suppress
from functools import cache
from pathlib import Path

SIGNS = ("out of memory", "can't allocate memory", "CUBLAS_STATUS_ALLOC_FAILED")


def out_of_memory(error: BaseException) -> bool:
    """Whether an error says that memory has run out, of a GPU or of the machine."""
    import torch

    says_so = isinstance(error, RuntimeError) and any(sign in str(error) for sign in SIGNS)
    return says_so or isinstance(error, torch.OutOfMemoryError | MemoryError)


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


def peak_memory_mb() -> int:
    """A stage's peak in MB (10^6 bytes): on a GPU torch's own, else the process's (of all so far, if not on Linux)."""
    if "torch" in sys.modules:
        import torch

        if torch.cuda.is_available():
            peak = torch.cuda.max_memory_allocated()
            torch.cuda.reset_peak_memory_stats()
            return round(peak / 1e6)
    if sys.platform == "win32":
        import psutil

        return round(psutil.Process().memory_info().peak_wset / 1e6)
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return round(peak / 1e6 if sys.platform == "darwin" else peak * 1024 / 1e6)


def reset_peak_memory() -> None:
    """Makes the process's peak begin anew, so that one stage's is not taken for the next one's."""
    with suppress(OSError):  # Linux only
        Path("/proc/self/clear_refs").write_text("5")
