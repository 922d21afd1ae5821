"""Stage general: tasks of lm-eval, before and after."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import quote

from relearn_lite.core.files import load_json, write_json
from relearn_lite.evaluate.general import ask_task, summary
from relearn_lite.pipeline.run_state import Run
from relearn_lite.recipe import result_keys

RESULTS = "general.json"


def general(run: Run) -> dict[str, Any]:
    """general.json, and general/<model>-<task>.json with all that lm-eval gives of a task, which a stopped run goes on
    from."""
    settings = run.recipe.evaluate.general
    models = {model: {task: _found(run, model, task) for task in settings.tasks} for model in run.models}
    rows = summary(models)
    made = next(iter(models["vanilla"].values()))["lm_eval"]
    write_json(run.folder / RESULTS, {"settings": result_keys(settings), "lm_eval": made, "tasks": rows})
    return {"tasks": len(rows), "questions": sum(row["n"] for row in rows)}


def _found(run: Run, model: str, task: str) -> dict[str, Any]:
    """What lm-eval gave or gives; of vanilla, what a comparison has had from it already."""
    settings = run.recipe.evaluate.general
    path = _path(run.folder, model, task)
    if model == "vanilla" and run.vanilla_run:
        theirs = load_json(run.vanilla_run / RESULTS)
        if theirs and theirs["settings"] == result_keys(settings):
            path = _path(run.vanilla_run, model, task)
    if known := load_json(path):
        return known
    run.say(f"general: {task}, {model}")
    loaded = run.model(model)
    found = ask_task(loaded, loaded.adapters_of(model), settings, task)
    write_json(path, found)
    return found


def _path(folder: Path, model: str, task: str) -> Path:
    return folder / "general" / f"{model}-{quote(task, safe='')}.json"
