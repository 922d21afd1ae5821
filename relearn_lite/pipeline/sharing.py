"""A run that takes over from other runs what they have done with exactly the same inputs."""

from __future__ import annotations

import gc
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from relearn_lite.core.errors import RecipeError, first_line
from relearn_lite.core.records import QA
from relearn_lite.pipeline.fingerprints import fingerprint
from relearn_lite.pipeline.pipeline import Plan, describe, do_stage, opened, plan_of, refuse_other_recipe
from relearn_lite.pipeline.run_folder import RunFolder
from relearn_lite.pipeline.run_state import Run
from relearn_lite.pipeline.stages import STAGES
from relearn_lite.recipe import Recipe


@dataclass(frozen=True)
class Sources:
    """Runs whose finished stages a run takes over, in order of preference, and the one that measured vanilla."""

    stages: tuple[Path, ...] = ()
    vanilla: Path | None = None


class StageFailed(Exception):
    """A stage could not be done, for a reason that need not stop other runs; the message says it in words."""

    def __init__(self, stage: str, reason: str) -> None:
        super().__init__(reason)
        self.stage = stage


def run_with(
    recipe: Recipe, runs: Path, sources: Sources, data: dict[str, list[QA]], *, until: str, way_out: str, quiet: bool,
    after: Callable[[Run], None] = lambda _: None,
) -> RunFolder:  # fmt: skip
    """Runs a recipe as `pipeline.run` does, but takes over what other runs have done with exactly the same inputs.

    data: that of a recipe which was checked and differs in `unlearn` only. What a stage left is linked, not copied; if
    the link breaks, the stage is done here. Answers and numbers of the vanilla model are taken over too. after: what
    to do with the run's models when its stages are done. When this returns or raises, they are gone from memory.
    Raises RecipeError where the folder holds results of another recipe (way_out: what to do then), StageFailed where a
    stage fails.
    """
    failure = None
    with opened(recipe, runs, quiet, data) as (state, folder):
        plan = plan_of(state)
        refuse_other_recipe(folder, plan, way_out)
        for source in sources.stages:
            _take_over(folder, source, plan)
        if sources.vanilla and _same_vanilla(sources.vanilla, plan):
            state.vanilla_run = sources.vanilla
        describe(state, folder)
        for name, needs in plan.items():
            failure = _try_stage(state, folder, name, needs)
            if failure or name == until:
                break
        if not failure:
            after(state)
    if failure:
        gc.collect()  # what the failed stage had in memory
        raise failure
    return folder


def _try_stage(state: Run, folder: RunFolder, name: str, needs: dict[str, Any]) -> StageFailed | None:
    """Why a stage failed, in words alone: the error itself would hold on to the model in its frames."""
    try:
        do_stage(state, folder, name, needs)
    except OSError:  # a full disk is every run's trouble
        raise
    except RecipeError as error:
        return StageFailed(name, " ".join(error.problems))
    except Exception as error:
        return StageFailed(name, f"{name} broke off: {type(error).__name__}, {first_line(error)}")
    return None


def _take_over(folder: RunFolder, source: Path, plan: Plan) -> None:
    """Links what another run has finished with the same inputs and this one has not."""
    theirs = RunFolder.finished(source)
    for name, needs in plan.items():
        entry = theirs.manifest["stages"].get(name)
        if name in folder.manifest["stages"] and folder.has_output(name):
            continue
        if entry is None or entry["fingerprint"] != fingerprint(needs) or not theirs.has_output(name):
            continue
        folder.set_aside(name, f"{source} has it")
        for output in STAGES[name].output:
            if (source / output).exists():
                link = folder.path / output
                link.parent.mkdir(parents=True, exist_ok=True)
                link.symlink_to(os.path.relpath((source / output).resolve(), link.parent))
        folder.manifest["stages"][name] = {**entry, "taken_from": os.path.relpath(source, folder.path)}
        folder.save()


def _same_vanilla(source: Path, plan: Plan) -> bool:
    """Whether a run of the vanilla model alone asked and judged it as this plan does."""
    theirs, later = RunFolder.finished(source), ("stage unlearn", "stage generate")

    def own(needs: dict[str, Any]) -> dict[str, Any]:
        return {key: value for key, value in needs.items() if key not in later}

    done = theirs.manifest["stages"]
    return all(
        name in done and theirs.has_output(name) and own(done[name]["inputs"]) == own(plan[name])
        for name in ("generate", "evaluate")
    )
