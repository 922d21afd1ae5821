"""Many methods on one vanilla, one augmentation and one evaluation: each method is a run folder of its own.

    runs/<name>/                       finetune, the vanilla model's answers and augment, shared
    runs/<name>/methods/vanilla/       the vanilla model's numbers, shared; attacked too, if that is asked
    runs/<name>/methods/<method>/      a run like any other; what is shared is linked
    runs/<name>/sweep/<method>/<point> likewise, one a point of a grid, up to its adapter
    runs/<name>/sweep.json             all points, with what they were judged by
    runs/<name>/ratings.jsonl          ratings of all methods in one prompt, a prompt a line
    runs/<name>/compare.{html,csv,md,tex}

So whatever is killed goes on where a plain run would.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from relearn_lite.compare.finished import compare_runs, finished
from relearn_lite.compare.sharing import AFTER_NUMBERS, Comparison, Failure, attempt, child, run_sharing
from relearn_lite.compare.sweep import sweep
from relearn_lite.compare.together import rate_together
from relearn_lite.core.errors import RecipeError, did_you_mean
from relearn_lite.pipeline.pipeline import do_stages, opened, plan_of, refuse_other_recipe
from relearn_lite.pipeline.run_folder import RunFolder, old_folder
from relearn_lite.pipeline.run_state import Run
from relearn_lite.pipeline.stages import learns_new_answers, stages_of
from relearn_lite.recipe import ComparedMethod, Recipe
from relearn_lite.report import compare_attacks
from relearn_lite.report.compare import Compared, judged, models, table, unlike
from relearn_lite.report.compare_files import console_table, write_comparison
from relearn_lite.report.run_results import read_run
from relearn_lite.report.untrusted import visible

__all__ = ["compare", "compare_runs", "show"]


def compare(
    recipe: Recipe, *, runs: Path = Path("runs"), again: Sequence[str] = (), quiet: bool = False
) -> tuple[Path, list[Compared]]:
    """Runs every method of `recipe.compare` and lays them side by side; returns the run folder and the methods.

    What is done already is left as it is, failures included. again: names of methods to do anew, or `all`.
    Raises RecipeError where the input is wrong; a method that fails is shown as failed, and the others run.
    """
    methods = _methods(recipe, again)
    with opened(recipe, runs, quiet) as (shared, folder):
        job = Comparison(recipe, folder.path, shared.data, quiet)
        _set_aside(job, ["vanilla", *(m.name for m in methods)] if "all" in again else again)
        _share(shared, folder, methods)
        vanilla = _measure_vanilla(job)
        compared = []
        for number, method in enumerate(methods, 1):
            job.say(f"--- method {number} of {len(methods)}: {method.name}")
            compared.append(_run_method(job, method, vanilla))
        compared = rate_together(job, shared, compared)
        write_comparison(job.folder, recipe.name, compared, recipe.compare.questions, recipe.report.mask)
    return job.folder, compared


def show(compared: Sequence[Compared], folder: Path) -> None:
    """Prints the tables, what failed and what must be known, and where the page is."""
    console, shown = Console(), models(compared)
    console.print(console_table(folder.name, shown, console.width))
    if attacked := compare_attacks.console_table(shown):
        console.print(attacked)
    for row in table(shown).rows:
        for sentence in [row.failure] if row.failure else row.notes:
            console.print(visible(f"{row.name}: {sentence}"), markup=False, highlight=False)
    for sentence in (*unlike(compared), judged(compared)[0]):
        console.print(visible(sentence), markup=False, highlight=False)
    console.print(f"Page: {folder / 'compare.html'}", markup=False, highlight=False, soft_wrap=True)


def _methods(recipe: Recipe, again: Sequence[str]) -> list[ComparedMethod]:
    if recipe.compare is None:
        raise RecipeError(
            "compare: the recipe names no methods; add a section such as compare: {methods: [{name: ga, method: ga}]}, "
            "see recipes/compare_methods.yaml"
        )
    if recipe.unlearned is not None:
        raise RecipeError("unlearned: a comparison makes the unlearned models itself; remove it")
    names = ["vanilla", *(method.name for method in recipe.compare.methods)]
    for name in again:
        if name not in (*names, "all"):
            hint = did_you_mean(name, names)
            raise RecipeError(f"--again: no method {name!r}; {hint}there are: {', '.join(names)}, or all")
    return recipe.compare.methods


def _set_aside(job: Comparison, names: Sequence[str]) -> None:
    """Moves what methods have left to old/, so that they are done anew."""
    for name in names:
        folders = [job.folder / part / name for part in ("methods", "sweep") if (job.folder / part / name).exists()]
        if folders:
            target = old_folder(job.folder, name)
            for path in folders:
                (target / path.parent.name).mkdir()
                path.rename(target / path.parent.name / name)
            print(f"{name}: its earlier results were moved to {target}: --again {name}", file=sys.stderr)


def _share(shared: Run, folder: RunFolder, methods: Sequence[ComparedMethod]) -> None:
    """Does what all methods need: the vanilla model, and the augmented forget set where one learns from it."""
    names = [name for name in stages_of(shared.recipe) if name in ("finetune", "ask")]
    if any(learns_new_answers(method.settings) for method in methods):
        names.append("augment")
    refuse_other_recipe(folder, plan_of(shared))
    do_stages(shared, folder, names)
    shared.unload_models()


def _measure_vanilla(job: Comparison) -> Compared | None:
    """Asks and judges the vanilla model, and attacks it where the recipe asks for attacks; then returns that run.

    What analyses tell of vanilla stands in those of the methods.
    """
    recipe = child(job.recipe, "vanilla", None).model_copy(update={"analyze": None})
    last = "attack" if recipe.attacks else "general" if recipe.evaluate.general else "evaluate"
    found = run_sharing(job, recipe, "vanilla", until=last)
    failure = None
    if isinstance(found, Failure):
        if found.stage not in AFTER_NUMBERS:  # without it nothing can be compared
            raise RecipeError(f"compare: the vanilla model could not be measured: {found.reason}")
        failure = found.reason
        job.say(f"vanilla: {failure}")
    return Compared("vanilla", read_run(job.vanilla), failure=failure) if recipe.attacks else None


def _run_method(job: Comparison, method: ComparedMethod, vanilla: Compared | None) -> Compared:
    """One method, with its sweep if it has one: the run, or why there is none."""
    settings, sources = method.settings, ()
    notes: tuple[str, ...] = ()
    if method.sweep:
        found = sweep(job, method)
        if isinstance(found, str):
            return Compared(method.name, failure=found, vanilla=vanilla)
        settings, chosen, notes = found
        sources = (chosen,)
    run = attempt(job, child(job.recipe, method.name, settings), method.name, sources=sources)
    failure = run.reason if isinstance(run, Failure) else None
    if failure and run.stage not in AFTER_NUMBERS:
        return Compared(method.name, failure=failure, vanilla=vanilla)
    return finished(method.name, job.folder / "methods" / method.name, notes, vanilla, failure)
