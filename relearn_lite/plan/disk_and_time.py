"""Disk and time of a recipe."""

from __future__ import annotations

from pathlib import Path

from relearn_lite.models.shape import HALF, SINGLE
from relearn_lite.plan.attack import merged_copy
from relearn_lite.plan.estimate import Estimate, forward_passes
from relearn_lite.plan.model_sizes import ModelSizes, lora_of
from relearn_lite.recipe import Recipe
from relearn_lite.recipe.base import OWN_NAMES
from relearn_lite.unlearn.losses import FORGET_LOSSES, RETAIN_LOSSES

CPU_SPEED = 30e9  # the same on two cores without AVX-512 in float32: 20 to 40e9 were measured
SPEED = 20e12  # floating-point operations a second that a 30- or 40-series card of this class reaches in training


def disk(recipe: Recipe, sizes: ModelSizes) -> dict[str, int]:
    """Bytes on disk: downloads (none for a local folder), what is trained, checkpoints, a copy of merged weights.

    Downloads are taken to be in 16 bit, those of encoders in float32.
    """
    found = {"download of the model": 0 if _is_here(recipe.model.name) else HALF * sizes.shape.parameters}
    downloads = {name: HALF * shape.parameters for name, shape in sizes.others.items()}
    downloads |= {name: SINGLE * parameters for name, parameters in sizes.encoders.items()}
    found |= {f"download of {name}": size for name, size in downloads.items() if not _is_here(name)}
    kept = {stage: SINGLE * sizes.trained(recipe, stage) for stage in sizes.loras}
    found |= {f"what {stage} trains": kept[stage] for stage in ("finetune", "unlearn") if stage in kept}
    # Weights and moments; old and new for a moment. Where a best check is kept its weights too, for each rate tried.
    keeps = recipe.unlearn and (recipe.unlearn.keep_best or recipe.unlearn.searches)
    others = 4 * (recipe.unlearn.tried - 1) * kept["unlearn"] if recipe.unlearn else 0
    best = 2 * kept["unlearn"] if keeps else 0
    found["checkpoints"] = 2 * 3 * max(kept.values(), default=0) + best + others
    if copy := merged_copy(Estimate(recipe, sizes)):
        found["merged weights of the attack"] = copy
    return found


def _is_here(name: str) -> bool:
    return name in OWN_NAMES or Path(name).exists()


def step_seconds(recipe: Recipe, sizes: ModelSizes, stage: str, speed: float = SPEED) -> float:
    """Seconds of one optimizer step of `finetune`, `unlearn` or `attack` (relearning), at most; speed: floating-point
    operations a second. Rows are taken to be as long as they may be, no reference kept. An order of magnitude.

    Operations a token: 2 a parameter forwards, 2 backwards (4 where all weights are trained), 2 for computing again,
    and 2 for the reference where one is used.
    """
    section = recipe.attacks.relearn if stage == "attack" else getattr(recipe, stage)
    operations = 4 if lora_of(recipe, stage) else 6
    operations += 0 if recipe.model.gradient_checkpointing is False else 2
    if stage == "unlearn":
        forget = FORGET_LOSSES[section.objective.forget]
        retain = [RETAIN_LOSSES[name] for name in section.objective.retain]
        references = len(forget.trains_on) if forget.needs_reference else 0
        references += len({loss.reads for loss in retain if loss.needs_reference}) * section.retain_rows
        references += bool(section.objective.generic)
        operations = forward_passes(recipe) * operations + 2 * references
    rows = section.examples if stage == "attack" else section.batch_size * section.accumulate
    return rows * recipe.model.max_length * operations * sizes.shape.parameters / speed
