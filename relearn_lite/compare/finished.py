"""Runs that are finished, side by side."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from relearn_lite.core.errors import RecipeError
from relearn_lite.core.files import load_json
from relearn_lite.evaluate.differences import combined_intervals
from relearn_lite.pipeline.run_folder import RunFolder
from relearn_lite.pipeline.stages import scores_of
from relearn_lite.report.compare import Compared
from relearn_lite.report.compare_files import write_comparison
from relearn_lite.report.run_results import read_run
from relearn_lite.unlearn.selection import balance

QUESTIONS = 5
READ = ("metrics.json", "samples.jsonl", "manifest.json", "recipe.yaml")


def compare_runs(folders: Sequence[Path], target: Path) -> list[Compared]:
    """Lays finished runs side by side, in `target`. Raises RecipeError naming every folder that is none.

    The page is masked where one of the runs' reports is.
    """
    whole = [folder.resolve() for folder in folders]
    problems = [
        f"compare: {folder} is given twice; name each run once"
        for n, folder in enumerate(folders) if whole[n] in whole[:n]
    ]  # fmt: skip
    for folder in folders:
        missing = [name for name in READ if not (folder / name).is_file()]
        if missing:
            problems.append(f"compare: {folder} is not a finished run, it has no {missing[0]}; give folders such as "
                            "runs/quickstart, or a recipe with a compare section")  # fmt: skip
        elif not RunFolder(folder).is_current:
            problems.append(f"compare: {folder} was made by an older version of relearn-lite; run its recipe again")
        elif not load_json(folder / "metrics.json").get("unlearned"):
            problems.append(f"compare: {folder} measured one model only; give runs that compare two")
    if problems:
        raise RecipeError(problems)
    names = [folder.resolve().name for folder in folders]
    if len(set(names)) < len(names):
        names = [str(folder) for folder in folders]
    names = [str(path) if name == "vanilla" else name for name, path in zip(names, whole, strict=True)]
    compared = [finished(name, folder) for name, folder in zip(names, folders, strict=True)]
    mask = any((each.results.asked.get("report") or {}).get("mask") for each in compared)
    write_comparison(target, "finished runs", compared, QUESTIONS, mask)
    return compared


def finished(
    name: str, folder: Path, notes: tuple[str, ...] = (), vanilla: Compared | None = None, failure: str | None = None
) -> Compared:
    """A measured run with what the comparison adds: LS as a share of vanilla's, the balance, intervals.

    vanilla: the vanilla model's own run. failure: why a stage after the measuring could not be done.
    """
    results = read_run(folder)
    before, after = results.metrics["vanilla"], results.metrics["unlearned"]
    ls, ls_before = after.get("ls_forget"), before.get("ls_forget")
    share = ls / ls_before if ls is not None and ls_before else None
    added = {"ls_share": share, "balance": balance(*map(after.get, ("kfr", "krr")), share, after.get("kept_general"))}
    intervals = {model: combined_intervals(scores_of(results.samples, model)) for model in ("vanilla", "unlearned")}
    return Compared(name, results, failure, added, intervals, notes, vanilla)
