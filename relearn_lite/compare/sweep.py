"""A small grid of settings for one method: every point is trained and asked a few questions, the best goes on."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from itertools import product
from pathlib import Path
from typing import Any

from relearn_lite.compare.job import Comparison, Failure, attempt, child
from relearn_lite.core.files import write_text
from relearn_lite.pipeline import pipeline
from relearn_lite.pipeline.fingerprints import fingerprint, inputs
from relearn_lite.pipeline.stages import Work
from relearn_lite.recipe import ComparedMethod, Unlearn
from relearn_lite.unlearn.selection import RULE, EvalResult, best


def sweep(job: Comparison, method: ComparedMethod) -> tuple[Unlearn, Path, tuple[str, ...]] | str:
    """Trains every point of the method's grid: the best one's settings, its folder and a note; or why there is none."""
    tried: list[dict[str, Any]] = []
    found: dict[int, tuple[EvalResult, Unlearn, Path]] = {}
    root = job.folder / "sweep" / method.name
    for number, (label, settings) in enumerate(grid(method)):
        job.say(f"--- {method.name}, point {label}")
        point = {"point": label, "lr": settings.lr, "epochs": settings.epochs}
        lenders = pipeline.Lenders((job.folder,))
        work = attempt(job, child(job.recipe, label, settings), root, lenders, method.name, until="unlearn")
        if isinstance(work, Failure):
            tried.append(point | {"failed": work.reason})
            continue
        reading = _check(work)
        work.release()
        found[number] = (replace(reading, step=number), settings, work.folder)
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


def _check(work: Work) -> EvalResult:
    """How a point of a sweep does on the check questions; kept in its folder."""
    from relearn_lite.evaluate.choose import make_evaluators
    from relearn_lite.evaluate.quick_eval import check_questions, checkup

    recipe, asked = work.recipe, work.recipe.unlearn.watch.questions
    mark = fingerprint(inputs(recipe, work.data, "evaluate") | {"questions": asked})
    kept = work.folder / "check.json"
    if kept.exists() and (known := json.loads(kept.read_text(encoding="utf-8")))["fingerprint"] == mark:
        return EvalResult(**known["reading"])
    loaded = work.hold("unlearned")
    judges = make_evaluators(recipe, lambda: loaded)
    reading = checkup(recipe, loaded, check_questions(work.questions, asked), judges)()
    write_text(kept, json.dumps({"fingerprint": mark, "reading": asdict(reading)}, ensure_ascii=False) + "\n")
    return reading
