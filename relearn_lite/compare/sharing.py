"""A comparison in progress and its runs: each takes over what others did with the same inputs, and may fail alone."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from relearn_lite.core.errors import RecipeError, first_line
from relearn_lite.core.files import link_or_copy, load_json, write_json
from relearn_lite.core.memory import free_memory
from relearn_lite.core.records import QA
from relearn_lite.pipeline.fingerprints import fingerprint, inputs
from relearn_lite.pipeline.pipeline import Plan, do_stage, opened, plan_of, record_provenance, refuse_other_recipe
from relearn_lite.pipeline.run_folder import RunFolder, outputs
from relearn_lite.pipeline.run_state import Run
from relearn_lite.recipe import Recipe, Unlearn
from relearn_lite.unlearn.diagnostics import explain, losses

FAILED = "failed.json"
AFTER_NUMBERS = ("general", "analyze", "attack", "report")  # if one of these fails, the method is measured all the same


@dataclass(frozen=True)
class Comparison:
    """A comparison in progress: its recipe, folder and data, and the sweep's points so far."""

    recipe: Recipe
    folder: Path
    data: dict[str, list[QA]]
    quiet: bool
    points: dict[str, Any] = field(default_factory=dict)

    @property
    def vanilla(self) -> Path:
        return self.folder / "methods" / "vanilla"

    def say(self, text: str) -> None:
        if not self.quiet:
            print(text, file=sys.stderr)


def child(recipe: Recipe, name: str, unlearn: Unlearn | None) -> Recipe:
    """The recipe of one run of a comparison; None: of the vanilla model alone.

    All report the same questions, whether they choose by others or not, and what is asked before training is the same.
    """
    data = recipe.data.model_copy(update={"select_fraction": recipe.select_fraction, "own_words": recipe.own_words})
    return recipe.model_copy(update={"name": name, "unlearn": unlearn, "compare": None, "data": data})


@dataclass(frozen=True)
class Failure:
    """A stage that could not be done, for a reason (in words) that need not stop other runs."""

    stage: str
    reason: str


def attempt(
    job: Comparison, recipe: Recipe, method: str, *, until: str = "report", sources: Sequence[Path] = (),
    after: Callable[[Run], None] = lambda _: None,
) -> RunFolder | Failure:  # fmt: skip
    """A method's run, or a point of its sweep, as `run_sharing`; a stage that failed is not tried again with the same
    inputs."""
    folder = root_of(job, method, until) / recipe.name
    kept = folder / FAILED
    if failure := load_json(kept):
        if failure.pop("fingerprint") == fingerprint(inputs(recipe, job.data, failure["stage"])):
            job.say(f"{recipe.name}: failed before; add --again {method} to try again")
            return Failure(**failure)
        kept.unlink()
    found = run_sharing(job, recipe, method, until=until, sources=sources, after=after)
    if isinstance(found, RunFolder):
        return found
    told = [] if found.stage in AFTER_NUMBERS else explain(losses(folder))
    failed = Failure(found.stage, " ".join([f"{found.reason.rstrip('.')}.", *told]))
    job.say(f"{recipe.name}: failed: {failed.reason}")
    mark = fingerprint(inputs(recipe, job.data, failed.stage))
    write_json(kept, asdict(failed) | {"fingerprint": mark}, indent=None)
    return failed


def root_of(job: Comparison, method: str, until: str = "report") -> Path:
    """The folder of a method's run, or of those of its sweep, which end with training."""
    return job.folder / "sweep" / method if until == "unlearn" else job.folder / "methods"


def run_sharing(
    job: Comparison, recipe: Recipe, method: str, *, until: str, sources: Sequence[Path] = (),
    after: Callable[[Run], None] = lambda _: None,
) -> RunFolder | Failure:  # fmt: skip
    """Runs a recipe as `pipeline.run` does, but takes over what other runs have done with exactly the same inputs.

    What they left is linked, not copied; if a link breaks, the stage is done here. They are the comparison itself and
    `sources`; the numbers of the vanilla model come from its own run. after: what to do with the run's models
    when its stages are done. When this returns or raises, they are gone from memory. Raises RecipeError where the
    folder holds results of another recipe.
    """
    way_out = f"give the method another name, or add --again {method} to do it again"
    if method == "vanilla":
        way_out = "choose another name, or add --again all to do everything but the augmentation again"
    failure = None
    with opened(recipe, root_of(job, method, until), job.quiet, job.data) as (state, folder):
        plan = plan_of(state)
        refuse_other_recipe(folder, plan, way_out)
        for source in (job.folder, *sources):
            _take_over(folder, source, plan)
        if method != "vanilla" and _same_vanilla(job.vanilla, plan):
            state.vanilla_run = job.vanilla
        record_provenance(state, folder)
        for name, stage_inputs in plan.items():
            failure = _try_stage(state, folder, name, stage_inputs)
            if failure or name == until:
                break
        if not failure:
            after(state)
    if failure:
        free_memory()  # what the failed stage had in memory
    return failure or folder


def _try_stage(state: Run, folder: RunFolder, name: str, stage_inputs: dict[str, Any]) -> Failure | None:
    """Why a stage failed, in words alone: the error itself would hold on to the model in its frames."""
    try:
        do_stage(state, folder, name, stage_inputs)
    except OSError:  # a full disk is every run's trouble
        raise
    except RecipeError as error:
        return Failure(name, " ".join(error.problems))
    except Exception as error:
        return Failure(name, f"{name} broke off: {type(error).__name__}, {first_line(error)}")
    return None


def _take_over(folder: RunFolder, source: Path, plan: Plan) -> None:
    """Links what another run has finished with the same inputs and this one has not."""
    theirs = RunFolder(source)
    for name, stage_inputs in plan.items():
        if name in folder.manifest["stages"] and folder.has_output(name) or not theirs.is_done(name, stage_inputs):
            continue
        folder.set_aside(name, f"{source} has it")
        for output in outputs(source, name):
            link = folder.path / output.relative_to(source)
            link.parent.mkdir(parents=True, exist_ok=True)
            link_or_copy(link, output)
        entry = theirs.manifest["stages"][name]
        folder.manifest["stages"][name] = {**entry, "taken_from": os.path.relpath(source, folder.path)}
        folder.save()


def _same_vanilla(source: Path, plan: Plan) -> bool:
    """Whether a run of the vanilla model alone judged its answers as this plan does."""
    theirs, later = RunFolder(source), ("stage unlearn", "stage generate")

    def own(stage_inputs: dict[str, Any]) -> dict[str, Any]:
        return {key: value for key, value in stage_inputs.items() if key not in later}

    done = theirs.manifest["stages"].get("evaluate")
    return bool(done) and theirs.has_output("evaluate") and own(done["inputs"]) == own(plan.get("evaluate", {}))
