"""Whether a recipe fits on a card, and what to change where it does not."""

from __future__ import annotations

from collections.abc import Callable

from relearn_lite.plan.attack import precision, ways_of
from relearn_lite.plan.models import Counted
from relearn_lite.plan.needs import needs
from relearn_lite.recipe import Evaluators, Recipe

CARDS = (6, 8, 12, 16, 24)  # GB
CONTEXT, USABLE = 0.7e9, 0.94  # what CUDA and its kernels take; what torch can use of the rest before it fragments
Saving = tuple[Recipe, str]  # the recipe with one saving more, and the key that changed, as it is written


def room(card: int) -> float:
    """Bytes that a card of so many GB (10^9 bytes) has for a run."""
    return (card * 1e9 - CONTEXT) * USABLE


def fits(need: float, card: int) -> bool:
    """Whether so many bytes fit on a card of so many GB."""
    return need <= room(card)


def advice(recipe: Recipe, counted: Counted, card: int) -> list[str] | None:
    """What to change, in order of what it costs, until the recipe fits; [] where it does, None where nothing helps.

    A saving is taken as long as it lowers what is too much, summed over the stages.
    """

    def excess(changed: Recipe) -> float:
        return sum(max(0.0, need.total - room(card)) for need in needs(changed, counted))

    changes: dict[str, str] = {}
    for save in _savings(counted, card):
        while (over := excess(recipe)) and (saved := save(recipe)) and excess(saved[0]) < over:
            recipe, change = saved
            changes[change.partition("=")[0]] = change
    return None if excess(recipe) else list(changes.values())


def _savings(counted: Counted, card: int) -> list[Callable[[Recipe], Saving | None]]:
    """Each gives the recipe with one saving more, None where there is none left; the cheapest first."""
    sections = ("unlearn", "finetune", "augment", "generate", "analyze")
    return [
        _quantise, _checkpoint, lambda recipe: _possible_ways(recipe, counted, card),
        *(lambda recipe, section=section: _halve_batch(recipe, section) for section in sections),
        _fewer_examples, lambda recipe: _fewer_ways(recipe, counted), _embedded_judges, _lower_rank, _shorter_rows,
    ]  # fmt: skip


def _with(recipe: Recipe, section: str, **values: object) -> Recipe:
    return recipe.model_copy(update={section: getattr(recipe, section).model_copy(update=values)})


def _quantise(recipe: Recipe) -> Saving | None:
    full = recipe.finetune is not None and recipe.finetune.lora is None
    if recipe.model.quantization == "4bit" or full:
        return None
    return _with(recipe, "model", quantization="4bit"), "model.quantization=4bit"


def _checkpoint(recipe: Recipe) -> Saving | None:
    if recipe.model.gradient_checkpointing is not False:
        return None
    return _with(recipe, "model", gradient_checkpointing=True), "model.gradient_checkpointing=true"


def _halve_batch(recipe: Recipe, name: str) -> Saving | None:
    """Half as many rows at once; in training twice as many batches a step, so that the effective batch stays."""
    section = getattr(recipe, name)
    if section is None or section.batch_size == 1:
        return None
    values, doubled = {"batch_size": section.batch_size // 2}, ""
    if hasattr(section, "accumulate"):
        values["accumulate"] = 2 * section.accumulate
        doubled = f" {name}.accumulate={values['accumulate']}"
    return _with(recipe, name, **values), f"{name}.batch_size={values['batch_size']}{doubled}"


def _fewer_examples(recipe: Recipe) -> Saving | None:
    relearn = recipe.attacks and recipe.attacks.relearn
    if not relearn or relearn.examples == 1:
        return None
    fewer = relearn.model_copy(update={"examples": relearn.examples // 2})
    return _with(recipe, "attacks", relearn=fewer), f"attacks.relearn.examples={fewer.examples}"


def _possible_ways(recipe: Recipe, counted: Counted, card: int) -> Saving | None:
    """Leaves out those ways of the precision attack whose weights alone are too much: no other saving helps them."""
    ways = ways_of(recipe, counted) if recipe.attacks else []
    return _without(recipe, {way for way in ways if not fits(precision(recipe, counted, way)["weights"], card)})


def _fewer_ways(recipe: Recipe, counted: Counted) -> Saving | None:
    """Leaves out those ways of the precision attack that take the most."""
    ways = ways_of(recipe, counted) if recipe.attacks else []
    takes = {way: sum(precision(recipe, counted, way).values()) for way in ways}
    return _without(recipe, {way for way, size in takes.items() if size == max(takes.values())})


def _without(recipe: Recipe, ways: set[str]) -> Saving | None:
    if not ways:
        return None
    left = [way for way in recipe.attacks.precision if way not in ways]
    return _with(recipe, "attacks", precision=left), f"'attacks.precision=[{','.join(left)}]'"


def _lower_rank(recipe: Recipe) -> Saving | None:
    if recipe.unlearn is None or recipe.unlearn.lora.r <= 8:
        return None
    lora = recipe.unlearn.lora.model_copy(update={"r": recipe.unlearn.lora.r // 2})
    return _with(recipe, "unlearn", lora=lora), f"unlearn.lora.r={lora.r}"


def _embedded_judges(recipe: Recipe) -> Saving | None:
    return _with(recipe, "evaluate", evaluators=Evaluators()), "evaluate.evaluators=embedded"


def _shorter_rows(recipe: Recipe) -> Saving | None:
    if recipe.model.max_length <= 128:
        return None
    shorter = _with(recipe, "model", max_length=recipe.model.max_length // 2)
    return shorter, f"model.max_length={shorter.model.max_length}"
