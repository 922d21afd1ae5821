"""The machine that the plan is asked on, and whether a recipe fits there."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace

from relearn_lite.plan.advice import CONTEXT, USABLE, advice
from relearn_lite.plan.model_sizes import ModelSizes
from relearn_lite.plan.stages import memory_of_stages
from relearn_lite.recipe import Recipe

LIBRARIES = 0.9e9  # bytes of Python with torch and the others: 0.86 to 0.88 were measured before training, on a CPU
CPU_SHARE = 2  # times what the plan counts, which is 16 bit: a CPU computes in 32


@dataclass(frozen=True)
class GPU:
    """A card, with its bytes of memory."""

    name: str
    memory: float


@dataclass(frozen=True)
class Machine:
    """CPU cores, bytes of memory and how many of them are free; the first GPU where there is one."""

    cores: int
    memory: float
    free: float
    gpu: GPU | None


def this_machine() -> Machine:
    import psutil
    import torch

    gpu = None
    if torch.cuda.is_available():
        card = torch.cuda.get_device_properties(0)
        gpu = GPU(card.name, card.total_memory)
    memory = psutil.virtual_memory()
    return Machine(os.cpu_count() or 1, memory.total, memory.available, gpu)


def verdict(recipe: Recipe, sizes: ModelSizes, card: float, smaller: str = "take a smaller model") -> str:
    """Whether a recipe fits on a card of so many GB (10^9 bytes), or what to change."""
    changes = advice(recipe, sizes, card)
    if changes is None:
        return f"no setting fits: {smaller}"
    return f"change {' '.join(changes)}" if changes else "fits"


def told(recipe: Recipe, sizes: ModelSizes, here: Machine) -> str:
    """What a machine has, and whether the recipe fits."""
    if here.gpu:
        return f"{here.gpu.name}, {here.gpu.memory / 1e9:.1f} GB: {verdict(recipe, sizes, here.gpu.memory / 1e9)}"
    sizes = replace(sizes, shape=replace(sizes.shape, embeddings=0))  # offloaded, they would lie in the same memory
    largest = max(memory_of_stages(recipe, sizes), key=lambda stage: stage.total)
    most = LIBRARIES + CPU_SHARE * largest.total
    has = f"no GPU, {here.cores} CPU cores, {here.memory / 1e9:.1f} GB of memory, {here.free / 1e9:.1f} GB of it free"
    needs = f"at most about {most / 1e9:.1f} GB, in stage {largest.name}, Python and its libraries included"
    if most <= here.free:
        return f"{has}: fits; it takes {needs}"
    as_card = ((here.free - LIBRARIES) / CPU_SHARE / USABLE + CONTEXT) / 1e9  # a card that has as much for a run
    how = verdict(recipe, sizes, as_card, "take a smaller model, or a machine with more")
    return f"{has}: does not fit; it takes {needs}. Free some memory; within what is free now, {how}"
