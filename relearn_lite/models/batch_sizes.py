"""`batch_size: auto`: as many prompts at once as memory takes.

What a prompt and its answer take is reckoned from the model's architecture, and a share of the memory that is free is
filled with them, up to a number from which on more are no faster. Where memory runs out all the same, the batch is done
in halves (`generation.complete`), and how many times the reckoned memory a prompt may take is remembered in
batch_sizes.json of the cache folder, by card and model: neither the next batch nor the next run fails so again.

Greedy answers are the same in batches of any size. Of answers that are drawn each batch has a seed of its own: with
sizes found so they would be others on another machine, so DRAWN are done at once.
"""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from relearn_lite.core.errors import RecipeError
from relearn_lite.core.files import cache_folder, load_json, write_json
from relearn_lite.models.loaded import Loaded, unwrapped
from relearn_lite.models.shape import shape_of

AUTO = "auto"
DRAWN = 16
GPU_SHARE, GPU_MOST = 0.7, 256  # the rest is for fragments, and for the copy of a layer's cache as it grows
CPU_SHARE, CPU_MOST = 0.25, 32  # others use the machine's memory too, and a process that takes too much is killed


def fitting(loaded: Loaded, prompt: int, new: int) -> int:
    """How many prompts of so many tokens, with `new` ones each, may be continued at once; 1 at least."""
    reckoned = _bytes(loaded, prompt, new)
    if reckoned is None:
        return DRAWN
    card, model = _names(loaded)
    times = _remembered().get(card, {}).get(model, 1.0)
    rows = int(_room(loaded) / (reckoned * times))
    return max(1, min(rows, GPU_MOST if loaded.device.type == "cuda" else CPU_MOST))


def ran_out(loaded: Loaded, rows: int, prompt: int, new: int) -> None:
    """Remembers that so many prompts (two at least) were too many, so that half of them are taken where as much is
    free as now."""
    reckoned = _bytes(loaded, prompt, new)
    if reckoned is None:
        return
    (card, model), known = _names(loaded), _remembered()
    of_card = known.setdefault(card, {})
    of_card[model] = max(of_card.get(model, 1.0), _room(loaded) / (reckoned * (rows // 2)))
    with suppress(OSError):  # a folder that cannot be written to: the next run finds out again
        write_json(_file(), known)


def _bytes(loaded: Loaded, prompt: int, new: int) -> int | None:
    """Of one prompt and its answer. None for architectures whose counts are not told (no attention heads)."""
    model = unwrapped(loaded.model)
    try:
        shape = shape_of(model)
    except AttributeError:
        return None
    return sum(shape.answering(1, prompt + new, new, model.dtype.itemsize).values())


def _room(loaded: Loaded) -> float:
    """Bytes that a batch may take: a share of what is free, on a GPU with what torch holds and does not use."""
    import psutil
    import torch

    device = loaded.device
    if device.type != "cuda":
        return CPU_SHARE * psutil.virtual_memory().available
    unused = torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)
    return GPU_SHARE * (torch.cuda.mem_get_info(device)[0] + unused)


def _names(loaded: Loaded) -> tuple[str, str]:
    """Of the card and of the model, with the numbers that it computes with."""
    import torch

    device, model = loaded.device, unwrapped(loaded.model)
    card = torch.cuda.get_device_name(device) if device.type == "cuda" else device.type
    return card, f"{model.config.name_or_path}, {str(model.dtype).removeprefix('torch.')}"


def _file() -> Path:
    return cache_folder() / "batch_sizes.json"


def _remembered() -> dict[str, dict[str, float]]:
    try:
        return load_json(_file()) or {}
    except (OSError, RecipeError):  # cannot be read, or was cut: found out again
        return {}
