"""A small grid of settings for one method: every point is trained and asked a few questions, the best goes on."""

from __future__ import annotations

from dataclasses import asdict, replace
from itertools import product
from pathlib import Path
from typing import Any

from relearn_lite.compare.sharing import Comparison, Failure, attempt, child
from relearn_lite.core.files import load_json, write_json
from relearn_lite.evaluate.choose import make_evaluators
from relearn_lite.evaluate.quick_eval import quick_eval, selection_questions
from relearn_lite.pipeline.fingerprints import data_digest, fingerprint, inputs
from relearn_lite.pipeline.run_state import Run
from relearn_lite.recipe import ComparedMethod, Unlearn
from relearn_lite.unlearn.selection import RULE, EvalResult, best


def sweep(job: Comparison, method: ComparedMethod) -> tuple[Unlearn, Path, tuple[str, ...]] | str:
    """Trains every point of the method's grid: the best one's settings, its folder and a note; or why there is none."""
    tried: list[dict[str, Any]] = []
    found: dict[int, tuple[EvalResult, Unlearn, Path]] = {}
    for number, (label, settings) in enumerate(grid(method)):
        job.say(f"--- {method.name}, point {label}")
        point = {"point": label, "lr": settings.lr, "epochs": settings.epochs}
        results: list[EvalResult] = []
        run = attempt(
            job, child(job.recipe, label, settings), method.name, until="unlearn",
            after=lambda state, results=results: results.append(_evaluate(state)),
        )  # fmt: skip
        if isinstance(run, Failure):
            tried.append(point | {"failed": run.reason})
            continue
        found[number] = (replace(results[0], step=number), settings, run.path)
        measured = {key: getattr(results[0], key) for key in ("kfr", "leak", "krr", "ls", "ls_share", "balance")}
        tried.append(point | measured | {"seconds": run.manifest["stages"]["unlearn"]["seconds"]})
    chosen = best(result for result, _, _ in found.values())
    if chosen:
        tried[chosen.step]["chosen"] = True
    answered = [sum(answer["split"] == "forget" for answer in result.answers) for result, _, _ in found.values()]
    asked = max(answered, default=0)  # data.only_known may leave out some
    job.points[method.name] = {"rule": RULE, "questions_a_side": asked, "points": tried}
    write_json(job.folder / "sweep.json", job.points)
    if chosen is None:
        whys = [point["failed"] for point in tried if "failed" in point]
        return f"no point of its sweep could be judged. {whys[0] if whys else ''}".strip()
    _, settings, folder = found[chosen.step]
    return settings, folder, (
        f"Best of {len(tried)} points of its sweep, on {asked} question{'s' * (asked != 1)} a side, not reported: "
        f"{tried[chosen.step]['point']}.",
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


def _evaluate(run: Run) -> EvalResult:
    """How a point of a sweep does on the questions that are set apart to choose by; kept in its folder."""
    recipe, asked = run.recipe, selection_questions(run.data, run.recipe.unlearn.watch.questions)
    chosen_by = {f"content of {side}": data_digest(rows) for side, rows in asked.items()}
    mark = fingerprint(inputs(recipe, run.given, "evaluate") | chosen_by)
    kept = run.folder / "check.json"
    if (known := load_json(kept)) and known["fingerprint"] == mark:
        return EvalResult(**known["result"])
    loaded = run.model("unlearned")
    judges = make_evaluators(recipe, lambda: loaded)
    result = quick_eval(recipe, loaded, asked, judges)()
    write_json(kept, {"fingerprint": mark, "result": asdict(result)}, indent=None)
    return result
