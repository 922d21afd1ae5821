"""Runs the stages of a recipe in order; what is done already is left as it is."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from relearn_lite.core import distributed
from relearn_lite.core.environment import hardware, versions
from relearn_lite.core.errors import RecipeError
from relearn_lite.core.files import write_text
from relearn_lite.core.memory import free_memory, peak_memory_mb, reset_peak_memory
from relearn_lite.core.records import QA
from relearn_lite.pipeline.check import check
from relearn_lite.pipeline.fingerprints import changes, data_digest, fingerprint, inputs
from relearn_lite.pipeline.run_folder import RunFolder
from relearn_lite.pipeline.run_state import Run
from relearn_lite.pipeline.stages import STAGES, stages_of
from relearn_lite.recipe import Recipe, load_recipe, to_yaml

Result = TypeVar("Result")
Plan = Mapping[str, Mapping[str, Any]]  # stage -> its inputs, see fingerprints
TRAINING = ("finetune", "unlearn")  # stages that all processes of a torchrun take part in


def run(recipe: Recipe, *, runs: Path = Path("runs"), start: str | None = None, until: str | None = None,
        fresh: bool = False, quiet: bool = False) -> Path:
    """Runs a recipe and returns its run folder. What is done already is left as it is.

    start: do this stage and all after it again. until: stop after this stage. fresh: do everything again.
    Raises RecipeError where the input is wrong, or where the folder holds results of another recipe.
    """
    names = stages_of(recipe)
    if "generate" not in names:  # one model alone: `ask` is where it answers
        start, until = ("ask" if stage == "generate" else stage for stage in (start, until))
    for flag, stage in (("--from", start), ("--until", until)):
        if stage is not None and stage not in names:
            raise RecipeError(f"{flag}: this recipe has no stage {stage!r}; it has: {', '.join(names)}")
    if fresh and start:
        raise RecipeError(
            f"--fresh: it does every stage again, and --from only those from {start} on; give one of the two"
        )
    if start and until and names.index(start) > names.index(until):
        raise RecipeError(
            f"--from: {start} comes after {until}, where --until stops; give a stage up to {until}, or a later --until"
        )
    with opened(recipe, runs, quiet, fresh=fresh) as (state, folder):
        flag, again = ("--fresh", names) if fresh else (f"--from {start}", names[names.index(start) :] if start else [])
        if names[0] == "collect":  # what it finds is the data of all the others
            do_stages(state, folder, names[:1], again, flag)
            again = []
            empty = not (state.folder / "forget.jsonl").stat().st_size and not state.given["forget"]
            if until == "collect" or empty and not folder.manifest["stages"]["collect"]["known"]:  # else it was emptied
                return state.folder
            state.given, names = check(recipe, state.folder), names[1:]
        if start == "generate" and not folder.is_done("ask", inputs(recipe, state.given, "ask")):
            again = ["ask", *again]  # vanilla answers to the same questions in the same way
        do_stages(state, folder, names, again, flag, until)
    return state.folder


def do_stages(
    state: Run, folder: RunFolder, names: Sequence[str], again: Sequence[str] = (), flag: str = "",
    until: str | None = None,
) -> None:  # fmt: skip
    """Does some stages of an opened run folder, in the order given; those that are done are left as they are.

    What those in `again` left is set aside before, and `flag` asked for that.
    """
    plan = {name: inputs(state.recipe, state.given, name) for name in names}
    refuse_other_recipe(folder, {name: stage_inputs for name, stage_inputs in plan.items() if name not in again})
    for name in reversed(again):  # a kill leaves none whose grounds are gone
        done = folder.manifest["stages"].get(name) or folder.manifest["started"].get(name)
        told = changes(done["inputs"], plan[name]) if done and name in plan else ()
        folder.set_aside(name, "; ".join([flag, *told]))
    record_provenance(state, folder)
    for name in names:
        do_stage(state, folder, name, plan[name])
        if name == until:
            break


def in_first_process(do: Callable[[], Result]) -> Result | None:
    """Does something in the first process of a torchrun, or in the only one; the others take part in its trainings."""
    distributed.connect()
    result = None
    if distributed.is_first():
        result = do()
        distributed.from_first(None)  # the run is over
    else:
        take_part()
    distributed.disconnect()
    return result


def take_part() -> None:
    """What every other process of a torchrun does: its share of each training, until the first one's run is over.

    Takes no lock and writes nothing to the run folder; what finished stages left is read there, so all machines must
    see the same folder.
    """
    while (training := distributed.from_first()) is not None:
        stage, folder = training
        recipe = load_recipe(Path(folder) / "recipe.yaml")
        STAGES[stage].run(Run(recipe, Path(folder), quiet=True))
        free_memory()


@contextmanager
def opened(
    recipe: Recipe, runs: Path, quiet: bool = False, data: dict[str, list[QA]] | None = None, fresh: bool = False
) -> Iterator[tuple[Run, RunFolder]]:
    """A recipe's run and its folder, as long as the context lasts for this process alone; then its models are unloaded.

    Recipe and data are checked, unless data is given: that of a recipe which was checked and differs in `unlearn` only.
    """
    data = check(recipe) if data is None else data
    with RunFolder.opened(runs / recipe.name, fresh) as folder:
        state = Run(recipe, folder.path, quiet)
        state.given = data
        try:
            yield state, folder
        finally:
            state.unload_models()


def plan_of(state: Run) -> dict[str, dict[str, Any]]:
    """The inputs of every stage of the recipe, in order."""
    return {name: inputs(state.recipe, state.given, name) for name in stages_of(state.recipe)}


def do_stage(state: Run, folder: RunFolder, name: str, stage_inputs: Mapping[str, Any]) -> None:
    """Runs one stage unless it is done, and notes it in the manifest."""
    if folder.is_done(name, stage_inputs):
        state.say(f"{name}: done before")
        return
    resumed = folder.begin(name, stage_inputs)
    state.say(f"{name} ...")
    if name in TRAINING:
        distributed.from_first((name, str(state.folder)))
    reset_peak_memory()
    begin = time.monotonic()
    details = STAGES[name].run(state)
    if "torch" in sys.modules:  # a trainer and its model refer to each other until they are collected
        free_memory()
    folder.finish(name, {
        "seconds": round(time.monotonic() - begin, 2), "peak_memory_mb": peak_memory_mb(), **details,
        **({"resumed": True} if resumed else {}),  # seconds and memory are of the last try alone
        **({"commits": dict(state.commits)} if state.commits else {}),
    })  # fmt: skip


def refuse_other_recipe(folder: RunFolder, plan: Plan, way_out: str | None = None) -> None:
    """Finished stages that this recipe would have done otherwise are not silently mixed in, nor thrown away.

    But for the report, which is no result: it is made anew, so that a stage can be added later. way_out: what to do.
    """
    for name, stage_inputs in plan.items():
        done = folder.manifest["stages"].get(name)
        if name == "report" or done is None or done["fingerprint"] == fingerprint(stage_inputs):
            continue
        what = "; ".join(changes(done["inputs"], stage_inputs)) or "an earlier stage or a new version of the project"
        raise RecipeError(
            f"name: {folder.path} holds a finished {name} stage of a different recipe ({what}); "
            + (way_out or f"choose another name, or add --from {name} to do it again from there, or --fresh to do "
               "everything again")
        )


def record_provenance(state: Run, folder: RunFolder) -> None:
    """Records what is needed to do the same again: versions, hardware, seed, data, model; and the recipe."""
    recipe = state.recipe
    folder.manifest |= {
        "name": recipe.name, "seed": recipe.seed, "versions": versions(), "hardware": hardware(),
        "model": {"name": recipe.model.name, "revision": recipe.model.revision},
        "data": {part: {"rows": len(rows), "sha256": data_digest(rows)} for part, rows in state.given.items() if rows},
    }
    folder.save()
    write_text(state.folder / "recipe.yaml", to_yaml(recipe))
