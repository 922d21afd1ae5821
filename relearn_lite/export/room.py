"""Whether an export fits: disk and memory, counted from the model's configuration before anything is loaded."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

from relearn_lite.core.errors import RecipeError

BYTES = {"float32": 4, "float16": 2, "bfloat16": 2}
GGUF_BYTES = {"f16": 2, "q8_0": 34 / 32, "q4_k_m": 0.62}  # a number, with its block's scales; q4_k_m: with Q6_K in it
CHECKED_BYTES = 4  # a GGUF file is read back into float32, in a folder beside the target
MARGIN = 1.05  # tokenizer, headers, file system


@dataclass(frozen=True)
class Needs:
    """Bytes of disk beside the target, at once, and of memory."""

    disk: int
    memory: int


def needs(parameters: int, dtype: str, formats: tuple[str, ...], gguf: str, *, check: bool) -> Needs:
    """What an export of so many parameters takes. Merged weights are the way to every format but `adapter`."""
    if formats == ("adapter",):
        return Needs(10**8, round(parameters * CHECKED_BYTES * check))
    disk = parameters * BYTES[dtype]
    if "gguf" in formats:
        disk += parameters * (GGUF_BYTES[gguf] + GGUF_BYTES["f16"] * (gguf == "q4_k_m"))
        disk += parameters * CHECKED_BYTES * check
    return Needs(round(disk * MARGIN), round(parameters * max(BYTES[dtype], CHECKED_BYTES * check) * MARGIN))


def check_room(found: Needs, target: Path) -> None:
    """Raises RecipeError where the disk of the target or this machine's memory is too small."""
    import psutil

    place = next(folder for folder in (target, *target.resolve().parents) if folder.is_dir())
    free, problems = shutil.disk_usage(place).free, []
    if free < found.disk:
        problems.append(
            f"--to: the disk of {place} has {_size(free)} free, and this export needs {_size(found.disk)} there at "
            "once; free some, or name a folder on a larger disk"
        )
    if (free := psutil.virtual_memory().available) < found.memory:
        problems.append(
            f"export: this machine has {_size(free)} of memory free, and this export needs {_size(found.memory)}; end "
            "other programs, add --no-check (merging alone needs less), or export --format adapter"
        )
    if problems:
        raise RecipeError(problems)


def _size(size: float) -> str:
    return f"{size / 1e9:.1f} GB" if size >= 1e8 else f"{size / 1e6:.1f} MB"
