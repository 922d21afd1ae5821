"""A run that has made or measured an unlearned model, opened again by what comes after it: chat and export."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from relearn_lite.core.errors import RecipeError
from relearn_lite.models.adapters import why_refused
from relearn_lite.pipeline.fingerprints import model_digest
from relearn_lite.pipeline.run_folder import MANIFEST, RunFolder
from relearn_lite.pipeline.run_state import Run
from relearn_lite.pipeline.stages import stages_of
from relearn_lite.recipe import load_recipe

READS = {  # of the run's recipe; a chat data and evaluate for /why
    "chat": ("model", "unlearned", "generate", "seed", "data", "evaluate"),
    "export": ("model", "unlearned", "generate", "evaluate"),
}


def reopened(folder: Path, command: str, overrides: Sequence[str] = ()) -> Run:
    """The run in a folder, with its model before and after; nothing is loaded yet, and nothing is written.

    command: for the messages. overrides: of the run's recipe, such as where its model lies now.
    Raises RecipeError where the folder is no run's, nothing was unlearned there yet, its model or adapter is gone, or
    an override changes nothing any more: the card of an export would tell it of a training that had it otherwise.
    """
    if not (folder / MANIFEST).is_file():
        there = f"has no {MANIFEST}" if folder.is_dir() else "is a file" if folder.exists() else "is not there"
        raise RecipeError(f"{command}: {folder} {there}; give the folder of a run, such as runs/quickstart")
    kept = RunFolder(folder)
    if not kept.is_current:
        raise RecipeError(f"{command}: {folder} was made by an older version of relearn-lite; run its recipe again")
    try:
        recipe = load_recipe(folder / "recipe.yaml", overrides)
    except RecipeError as error:
        moved = "; where it lies elsewhere now, add model.name=PLACE to this command"
        gone = ("model.name:", "there is no")
        raise RecipeError([
            f"{command}: {problem}{moved if all(words in problem for words in gone) else ''}"
            for problem in error.problems
        ]) from None
    if idle := [each for each in overrides if re.split(r"[.=]", each)[0] not in READS[command]]:
        *some, last = READS[command]
        ways = f"what does begins with {', '.join(some)} or {last}"
        raise RecipeError([f"{command}: {each} changes nothing now; {ways}" for each in idle])
    if not (recipe.unlearn or recipe.unlearned):
        raise RecipeError(f"{command}: {folder} measured one model only (unlearn: null); give a run that has two")
    if recipe.unlearned and recipe.unlearned.server:
        raise RecipeError(
            f"{command}: the unlearned model of {folder} is on a server ({recipe.unlearned.server}), not here; give "
            "the run that made it"
        )
    if recipe.unlearn and not ("unlearn" in kept.manifest["stages"] and kept.has_output("unlearn")):
        done = ", ".join(name for name in stages_of(recipe) if name in kept.manifest["stages"]) or "nothing"
        raise RecipeError(
            f"{command}: {folder} is not finished, nothing is unlearned yet (done so far: {done}); give the command "
            "again that began it, and it goes on"
        )
    run = Run(recipe, folder.resolve(), quiet=True)
    for name, adapter in run.weights("unlearned")[1].items():
        if why := why_refused(adapter):
            way_out = "put it back" if adapter in recipe.model.adapters else "run the recipe again with --fresh"
            raise RecipeError(f"{command}: the {name} adapter {adapter} {why}; {way_out}")
    noted = (kept.manifest["stages"].get("ask") or {}).get("inputs", {})
    for number, adapter in enumerate(recipe.model.adapters, 1):
        if noted.get(f"content of model.adapters.{number}") not in (None, model_digest(adapter)):
            raise RecipeError(
                f"{command}: {adapter} is not the adapter any more that {folder} was trained on; put that one back, or "
                "run the recipe again with --fresh"
            )
    return run
