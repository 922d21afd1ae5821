"""Adapters that a recipe names: those of earlier runs under the one that is trained, and one to be measured.

A run's adapter does what it did only on the model, and on top of the adapters, that it was trained on.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from relearn_lite.core.errors import RecipeError
from relearn_lite.models.adapters import is_plain, why_refused
from relearn_lite.pipeline.data import run_of
from relearn_lite.pipeline.run_state import Run
from relearn_lite.recipe import Recipe, load_recipe

MERGED = "merge it into its base and name the merged weights as"


def adapter_problems(recipe: Recipe) -> list[str]:
    """What speaks against the adapters of a recipe, a sentence each; no weights are read."""
    named, model = recipe.model.adapters, recipe.model.name
    problems = []
    for number, folder in enumerate(named):
        why = why_refused(folder)
        if not why and not is_plain(folder):
            why = "holds more than LoRA, and no other adapter can be trained on top of that"
        if why:
            problems.append(
                f"model.adapters: {folder} {why}; give a folder such as runs/quickstart/adapter after the quickstart, "
                f"or {MERGED} model.name"
            )
        elif folder in named[:number]:
            problems.append(f"model.adapters: {folder} is named twice; name it once")
        elif not_its_own := _other_base(folder, model, named[:number]):
            problems.append(f"model.adapters: {folder} {not_its_own}")
    measured = recipe.unlearned and recipe.unlearned.adapter
    if measured and (why := why_refused(measured)):
        problems.append(
            f"unlearned.adapter: {measured} {why}; give the folder of a peft adapter kept as safetensors, such as "
            f"runs/quickstart/adapter after the quickstart, or {MERGED} unlearned.model; or unlearned: null, to "
            "measure model alone"
        )
    elif measured and not recipe.finetune and (not_its_own := _other_base(measured, model, named)):
        problems.append(f"unlearned.adapter: {measured} {not_its_own}")
    return problems


def _other_base(adapter: Path, model: str, under: Sequence[Path]) -> str | None:
    """Why a run's adapter does not belong on this model with these adapters under it; of another's nothing is known."""
    run = run_of(adapter)
    if run is None:
        return None
    try:
        base, below = Run(load_recipe(run / "recipe.yaml"), run).weights("vanilla")
    except RecipeError as error:
        return f"lies in a run whose recipe cannot be read ({error.problems[0]}); put back what it names"
    trained_on = [] if adapter.name == "vanilla" else [*below.values()]
    if _last(base.name) != _last(model):
        return f"was trained on {base.name}, and model.name is {model}; name that model, or another adapter"
    if [folder.parts[-2:] for folder in trained_on] != [folder.parts[-2:] for folder in under]:
        return (
            f"was trained on top of {_listed(trained_on)}, and model.adapters puts it on {_listed(under)}; name all "
            "that it was trained on, in that order, and nothing more"
        )
    return None


def _last(model: str) -> str:
    """A model's name without the folders before it: runs and models may have been moved since."""
    return Path(model).name if Path(model).is_absolute() else model


def _listed(adapters: Sequence[Path]) -> str:
    return ", ".join(map(str, adapters)) or "the model alone"
