"""Whether a recipe fits on a card, and what to change where it does not."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from relearn_lite.models.batch_sizes import AUTO
from relearn_lite.plan.attack import precisions
from relearn_lite.plan.estimate import Estimate
from relearn_lite.plan.model_sizes import ModelSizes
from relearn_lite.plan.stages import memory_of_stages
from relearn_lite.recipe import Evaluators, Recipe
from relearn_lite.recipe.base import value_of

CARDS = (6, 8, 12, 16, 24)  # GB
CONTEXT, USABLE = 0.7e9, 0.94  # what CUDA and its kernels take; what torch can use of the rest before it fragments
Change = tuple[Recipe, str]  # the recipe with one saving more, and the key that changed, as it is written
Saving = Callable[[Recipe], Change | None]  # None: there is none left


def usable_memory(card: float) -> float:
    """Bytes that a card of so many GB (10^9 bytes) has for a run."""
    return (card * 1e9 - CONTEXT) * USABLE


def fits(memory: float, card: float) -> bool:
    """Whether so many bytes fit on a card of so many GB."""
    return memory <= usable_memory(card)


def advice(recipe: Recipe, sizes: ModelSizes, card: float) -> list[str] | None:
    """What to change, in order of what it costs, until the recipe fits; [] where it does, None where nothing helps.

    A saving is taken as long as it lowers what is too much, summed over the stages.
    """

    def excess(changed: Recipe) -> float:
        return sum(max(0.0, stage.total - usable_memory(card)) for stage in memory_of_stages(changed, sizes))

    changes: dict[str, str] = {}
    for save in _savings(sizes, card):
        while (over := excess(recipe)) and (change := save(recipe)) and excess(change[0]) < over:
            recipe, text = change
            changes[text.partition("=")[0]] = text
    return None if excess(recipe) else list(changes.values())


def _savings(sizes: ModelSizes, card: float) -> list[Saving]:
    """The cheapest first."""
    sections = ("unlearn", "finetune", "augment", "generate", "analyze")
    return [
        _quantize, _checkpoint, lambda recipe: _without_large_precisions(Estimate(recipe, sizes), card),
        *(lambda recipe, section=section: _halve_batch(recipe, section) for section in sections),
        lambda recipe: _offload(recipe, sizes),
        lambda recipe: _halve(recipe, "attacks.relearn.examples", least=1),
        lambda recipe: _without_largest_precisions(Estimate(recipe, sizes)),
        lambda recipe: (_changed(recipe, "evaluate.evaluators", Evaluators()), "evaluate.evaluators=embedded"),
        *(lambda recipe, section=section: _smaller_states(recipe, section) for section in ("unlearn", "finetune")),
        lambda recipe: _halve(recipe, "unlearn.lora.r", least=8),
        lambda recipe: _halve(recipe, "model.max_length", least=128),
    ]  # fmt: skip


def _changed(section: Any, key: str, value: object) -> Any:
    name, _, rest = key.partition(".")
    return section.model_copy(update={name: _changed(getattr(section, name), rest, value) if rest else value})


def _halve(recipe: Recipe, key: str, least: int) -> Change | None:
    value = value_of(recipe, key)
    if value in (None, AUTO) or value <= least:
        return None
    half = max(value // 2, least)
    return _changed(recipe, key, half), f"{key}={half}"


def _halve_batch(recipe: Recipe, section: str) -> Change | None:
    """Half as many rows at once; in training so many more batches a step that the effective batch stays, or nearly (of
    7 rows 3 at once)."""
    change = _halve(recipe, f"{section}.batch_size", least=1)
    if change is None or not hasattr(getattr(recipe, section), "accumulate"):
        return change
    before, key, (recipe, text) = recipe, f"{section}.accumulate", change
    rows, fewer = value_of(before, f"{section}.batch_size"), value_of(recipe, f"{section}.batch_size")
    more = round(value_of(recipe, key) * rows / fewer)
    return _changed(recipe, key, more), f"{text} {key}={more}"


def _quantize(recipe: Recipe) -> Change | None:
    all_weights = recipe.finetune is not None and recipe.finetune.lora is None
    if recipe.model.quantization == "4bit" or all_weights:
        return None
    return _changed(recipe, "model.quantization", "4bit"), "model.quantization=4bit"


def _checkpoint(recipe: Recipe) -> Change | None:
    if recipe.model.gradient_checkpointing is not False:
        return None
    return _changed(recipe, "model.gradient_checkpointing", True), "model.gradient_checkpointing=true"


def _offload(recipe: Recipe, sizes: ModelSizes) -> Change | None:
    if recipe.model.offload_embeddings or not sizes.shape.embeddings or "mia_gradnorm" in recipe.evaluate.metrics:
        return None
    return _changed(recipe, "model.offload_embeddings", True), "model.offload_embeddings=true"


def _smaller_states(recipe: Recipe, section: str) -> Change | None:
    if getattr(recipe, section) is None or getattr(recipe, section).optimizer == "adamw_8bit":
        return None
    return _changed(recipe, f"{section}.optimizer", "adamw_8bit"), f"{section}.optimizer=adamw_8bit"


def _without_large_precisions(estimate: Estimate, card: int) -> Change | None:
    """Without those of the precision attack whose weights alone are too much: no other saving helps them."""
    return _without(estimate.recipe, {n for n, p in precisions(estimate).items() if not fits(p["weights"], card)})


def _without_largest_precisions(estimate: Estimate) -> Change | None:
    """Without those of the precision attack that take the most."""
    totals = {name: sum(parts.values()) for name, parts in precisions(estimate).items()}
    return _without(estimate.recipe, {name for name, total in totals.items() if total == max(totals.values())})


def _without(recipe: Recipe, names: set[str]) -> Change | None:
    if not names:
        return None
    left = [name for name in recipe.attacks.precision if name not in names]
    return _changed(recipe, "attacks.precision", left), f"'attacks.precision=[{','.join(left)}]'"
