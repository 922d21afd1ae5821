"""Many methods on one vanilla, one augmentation and one evaluation: each method is a run folder of its own.

    runs/<name>/                       finetune and augment, shared
    runs/<name>/methods/vanilla/       the vanilla model's answers and numbers, shared
    runs/<name>/methods/<method>/      a run like any other; what is shared is linked
    runs/<name>/sweep/<method>/<point> likewise, one a point of a grid, up to its adapter
    runs/<name>/sweep.json             all points, with what they were judged by
    runs/<name>/compare.{html,csv,md,tex}

So whatever is killed goes on where a plain run would.
"""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from difflib import get_close_matches
from itertools import product
from pathlib import Path
from typing import Any

from relearn_lite import pipeline
from relearn_lite.differences import combined_intervals
from relearn_lite.errors import RecipeError
from relearn_lite.fingerprints import fingerprint, inputs
from relearn_lite.recipe import load_recipe
from relearn_lite.records import write_text
from relearn_lite.report.compare import Compared, judged, lines
from relearn_lite.report.compare_files import console_table, write_comparison
from relearn_lite.report.folder import read_run
from relearn_lite.report.untrusted import visible
from relearn_lite.schema import ComparedMethod, Recipe, Unlearn
from relearn_lite.stages import Work, learns_new_answers, load_data, scores_of, stages_of
from relearn_lite.unlearn.choosing import RULE, Reading, balance, best
from relearn_lite.unlearn.losses_log import losses
from relearn_lite.unlearn.watchdog import explain

FAILED = "failed.json"
QUESTIONS = 5


@dataclass(frozen=True)
class Comparison:
    """A comparison in progress: its recipe and folder, and the sweep's points so far."""

    recipe: Recipe
    folder: Path
    quiet: bool
    points: dict[str, Any] = field(default_factory=dict)

    @property
    def vanilla(self) -> Path:
        return self.folder / "methods" / "vanilla"

    def say(self, text: str) -> None:
        if not self.quiet:
            print(text, file=sys.stderr)


def compare(
    recipe: Recipe, *, runs: Path = Path("runs"), again: Sequence[str] = (), quiet: bool = False
) -> tuple[Path, list[Compared]]:
    """Runs every method of `recipe.compare` and lays them side by side; returns the run folder and the methods.

    What is done already is left as it is, failures included. again: names of methods to do anew, or `all`.
    Raises RecipeError where the input is wrong; a method that fails is shown as failed, and the others run.
    """
    methods = _methods(recipe, again)
    with pipeline.opened(recipe, runs, quiet) as shared:
        job = Comparison(recipe, shared.folder, quiet)
        for name in ["vanilla", *(m.name for m in methods)] if "all" in again else again:
            for folder in (job.folder / "methods" / name, job.folder / "sweep" / name):
                shutil.rmtree(folder, ignore_errors=True)
        _share(shared, methods)
        _measure_vanilla(job)
        compared = []
        for number, method in enumerate(methods, 1):
            job.say(f"--- method {number} of {len(methods)}: {method.name}")
            compared.append(_run_method(job, method))
        write_comparison(job.folder, recipe.name, compared, recipe.compare.questions, recipe.report.mask)
    return job.folder, compared


def compare_runs(folders: Sequence[Path], target: Path) -> list[Compared]:
    """Lays finished runs side by side, in `target`. Raises RecipeError naming every folder that is none.

    The page is masked where one of the runs' reports is.
    """
    problems = []
    for folder in folders:
        missing = [n for n in ("metrics.json", "samples.jsonl", "manifest.json") if not (folder / n).is_file()]
        if missing:
            problems.append(f"compare: {folder} is not a finished run, it has no {missing[0]}; give folders such as "
                            "runs/quickstart, or a recipe with a compare section")  # fmt: skip
        elif not json.loads((folder / "metrics.json").read_text(encoding="utf-8")).get("unlearned"):
            problems.append(f"compare: {folder} measured one model only; give runs that compare two")
    if problems:
        raise RecipeError(problems)
    names = [folder.resolve().name for folder in folders]
    if len(set(names)) < len(names):
        names = [str(folder) for folder in folders]
    compared = [_finished(name, folder, ()) for name, folder in zip(names, folders, strict=True)]
    mask = any(load_recipe(folder / "recipe.yaml").report.mask for folder in folders)
    write_comparison(target, "finished runs", compared, QUESTIONS, mask)
    return compared


def show(compared: Sequence[Compared], folder: Path) -> None:
    """Prints the table, what failed and what must be known, and where the page is."""
    from rich.console import Console

    console, table = Console(), lines(compared)
    console.print(console_table(folder.name, table, console.width))
    for line in table:
        for sentence in [f"failed: {line.failure}"] if line.failure else line.notes:
            console.print(visible(f"{line.name}: {sentence}"), markup=False, highlight=False)
    console.print(judged(compared), markup=False, highlight=False)
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
            near = get_close_matches(name, names, 1)
            hint = f"did you mean {near[0]!r}? " if near else ""
            raise RecipeError(f"--again: no method {name!r}; {hint}there are: {', '.join(names)}, or all")
    return recipe.compare.methods


def _share(shared: Work, methods: Sequence[ComparedMethod]) -> None:
    """Does what all methods need: the vanilla model, and the augmented forget set where one learns from it."""
    names = [name for name in stages_of(shared.recipe) if name == "finetune"]
    if any(learns_new_answers(method.settings) for method in methods):
        names.append("augment")
    pipeline.do_stages(shared, names)
    shared.release()


def _measure_vanilla(job: Comparison) -> None:
    recipe = _child(job.recipe, "vanilla", None)
    way_out = "choose another name, or add --again all to do everything but the augmentation again"
    try:
        lenders = pipeline.Lenders((job.folder,))
        work = pipeline.run_with(
            recipe, job.folder / "methods", lenders, until="evaluate", way_out=way_out, quiet=job.quiet
        )
    except pipeline.StageFailed as error:  # without it nothing can be compared
        raise RecipeError(f"compare: the vanilla model could not be measured: {error}") from error
    work.release()


def _child(recipe: Recipe, name: str, unlearn: Unlearn | None) -> Recipe:
    changes = {"name": name, "unlearn": unlearn, "compare": None}
    return recipe.model_copy(update=changes | ({} if unlearn else {"analyze": None, "attacks": None}))


def _run_method(job: Comparison, method: ComparedMethod) -> Compared:
    """One method, with its sweep if it has one: the run, or why there is none."""
    settings, lenders = method.settings, pipeline.Lenders((job.folder,), job.vanilla)
    notes: tuple[str, ...] = ()
    if method.sweep:
        found = _sweep(job, method)
        if isinstance(found, str):
            return Compared(method.name, failure=found)
        settings, chosen, notes = found
        lenders = pipeline.Lenders((job.folder, chosen), job.vanilla)
    work = _attempt(job, _child(job.recipe, method.name, settings), job.folder / "methods", lenders, method.name)
    if isinstance(work, str):
        return Compared(method.name, failure=work)
    work.release()
    return _finished(method.name, work.folder, notes)


def _attempt(
    job: Comparison, child: Recipe, root: Path, lenders: pipeline.Lenders, method: str, until: str = "report"
) -> Work | str:
    """A run, or why it failed. A failure is kept: what failed once is not tried again unless something changes."""
    folder, data = root / child.name, load_data(child)
    mark = fingerprint(inputs(child, data, "evaluate"))
    kept = folder / FAILED
    if kept.exists():
        failure = json.loads(kept.read_text(encoding="utf-8"))
        if failure["fingerprint"] == mark:
            job.say(f"{child.name}: failed before; add --again {method} to try again")
            return failure["reason"]
        kept.unlink()
    way_out = f"give the method another name, or add --again {method} to do it again"
    try:
        return pipeline.run_with(child, root, lenders, until=until, way_out=way_out, quiet=job.quiet)
    except pipeline.StageFailed as error:
        reason = " ".join([f"{str(error).rstrip('.')}.", *explain(losses(folder))])
    job.say(f"{child.name}: failed: {reason}")
    write_text(kept, json.dumps({"fingerprint": mark, "reason": reason}, ensure_ascii=False) + "\n")
    return reason


def _sweep(job: Comparison, method: ComparedMethod) -> tuple[Unlearn, Path, tuple[str, ...]] | str:
    """Trains every point of the method's grid: the best one's settings, its folder and a note; or why there is none."""
    tried: list[dict[str, Any]] = []
    found: dict[int, tuple[Reading, Unlearn, Path]] = {}
    root = job.folder / "sweep" / method.name
    for number, (label, settings) in enumerate(grid(method)):
        job.say(f"--- {method.name}, point {label}")
        point = {"point": label, "lr": settings.lr, "epochs": settings.epochs}
        lenders = pipeline.Lenders((job.folder,))
        work = _attempt(job, _child(job.recipe, label, settings), root, lenders, method.name, until="unlearn")
        if isinstance(work, str):
            tried.append(point | {"failed": work})
            continue
        reading = _check(work)
        work.release()
        found[number] = (Reading(number, reading.kfr, reading.krr, reading.ls, reading.ls_share), settings, work.folder)
        measured = {key: getattr(reading, key) for key in ("kfr", "krr", "ls", "ls_share", "balance")}
        tried.append(point | measured | {"seconds": work.manifest["stages"]["unlearn"]["seconds"]})
    chosen = best(reading for reading, _, _ in found.values())
    if chosen:
        tried[chosen.step]["chosen"] = True
    asked = method.watch.questions
    job.points[method.name] = {"rule": RULE, "questions_a_side": asked, "points": tried}
    write_text(job.folder / "sweep.json", json.dumps(job.points, indent=2, ensure_ascii=False) + "\n")
    if chosen is None:
        whys = [point["failed"] for point in tried if "failed" in point]
        return f"no point of its sweep could be judged. {whys[0] if whys else ''}".strip()
    _, settings, folder = found[chosen.step]
    return settings, folder, (
        f"Best of {len(tried)} points of its sweep, on {asked} questions a side: {tried[chosen.step]['point']}.",
    )  # fmt: skip


def grid(method: ComparedMethod) -> list[tuple[str, Unlearn]]:
    """Every combination of a method's sweep, with a label that names what differs."""
    swept = {key: values for key in ("lr", "epochs") if (values := getattr(method.sweep, key))}
    points = [dict(zip(swept, values, strict=True)) for values in product(*swept.values())]
    return [
        ("_".join(f"{key}-{value:g}" for key, value in point.items()) or "as-it-is",
         method.settings.model_copy(update=point))
        for point in points
    ]  # fmt: skip


def _check(work: Work) -> Reading:
    """How a point of a sweep does on the check questions; kept in its folder."""
    from relearn_lite.checkup import check_questions, checkup
    from relearn_lite.evaluators.choose import make_evaluators

    recipe, asked = work.recipe, work.recipe.unlearn.watch.questions
    mark = fingerprint(inputs(recipe, work.data, "evaluate") | {"questions": asked})
    kept = work.folder / "check.json"
    if kept.exists() and (known := json.loads(kept.read_text(encoding="utf-8")))["fingerprint"] == mark:
        return Reading(**known["reading"])
    loaded = work.hold("unlearned")
    judges = make_evaluators(recipe, lambda: loaded)
    reading = checkup(recipe, loaded, check_questions(work.questions, asked), judges)()
    write_text(kept, json.dumps({"fingerprint": mark, "reading": asdict(reading)}, ensure_ascii=False) + "\n")
    return reading


def _finished(name: str, folder: Path, notes: tuple[str, ...]) -> Compared:
    """A finished run with what the comparison adds: LS as a share of vanilla's, the balance, intervals."""
    results = read_run(folder)
    before, after = results.metrics["vanilla"], results.metrics["unlearned"]
    ls, ls_before = after.get("ls_forget"), before.get("ls_forget")
    share = ls / ls_before if ls is not None and ls_before else None
    added = {"ls_share": share, "balance": balance(after.get("kfr"), after.get("krr"), share)}
    intervals = {model: combined_intervals(scores_of(results.samples, model)) for model in ("vanilla", "unlearned")}
    return Compared(name, results, added=added, intervals=intervals, notes=notes)
