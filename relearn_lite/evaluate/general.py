"""General ability by lm-eval (EleutherAI's lm-evaluation-harness), on the model in memory.

Tasks, prompts and numbers are lm-eval's own: the same model, items and batch size give what its command line gives.
"""

from __future__ import annotations

import copy
import logging
import math
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from importlib.util import find_spec
from numbers import Real
from pathlib import Path
from typing import Any

from relearn_lite.core.errors import RecipeError, did_you_mean, first_line
from relearn_lite.core.memory import out_of_memory
from relearn_lite.metrics.intervals import NO_SPREAD, difference_interval, mean_interval
from relearn_lite.models.backends import evaluation_mode
from relearn_lite.models.loaded import Loaded, active_adapters, unwrapped
from relearn_lite.recipe import General

KEY = "evaluate.general"
Found = Mapping[str, Any]  # what `ask_task` gives


def task_problems(settings: General) -> list[str]:
    """One sentence for each task that lm-eval does not know, or one that it is not installed or has no such folder."""
    if not find_spec("lm_eval"):
        return [f"{KEY}: needs lm-eval, which is not installed; pip install -r requirements-lm-eval.txt, or give null"]
    if settings.include_path and not settings.include_path.is_dir():  # lm-eval passes over it
        return [f"{KEY}.include_path: {settings.include_path} is no folder; give one with task files, or null"]
    known = _manager(settings.include_path).all_tasks
    where = f", nor has {settings.include_path}" if settings.include_path else ""
    return [
        f"{KEY}.tasks: lm-eval has no task {name!r}{where}; {did_you_mean(name, known)}`lm-eval ls tasks` lists all "
        f"{len(known)}, a folder with your own is include_path"
        for name in settings.tasks if name not in known
    ]  # fmt: skip


@cache  # it reads thousands of files
def _manager(include_path: Path | None):
    from lm_eval.tasks import TaskManager

    return TaskManager(include_path=str(include_path) if include_path else None)


def ask_task(loaded: Loaded, adapters: tuple[str, ...], settings: General, task: str) -> dict[str, Any]:
    """One task or group, put to the model with exactly these adapters.

    numbers  task -> {`metric,filter`: mean}, of the task and all that it is made of
    items    task -> {`metric,filter`: value of each question}, of single tasks; None where it is no number
    tasks    group -> what it is made of; higher: task -> {metric: whether higher is better}; shots, versions, lm_eval
    Raises RecipeError where lm-eval cannot put it.
    """
    import lm_eval
    from lm_eval.models.huggingface import HFLM

    logging.getLogger("lm_eval").setLevel(logging.ERROR)
    try:
        with evaluation_mode(loaded), active_adapters(loaded.model, adapters):
            # Of the tokenizer a copy: lm-eval gives it a padding token.
            model = HFLM(unwrapped(loaded.model), tokenizer=copy.deepcopy(loaded.tokenizer),
                         batch_size=settings.batch_size)  # fmt: skip
            found = lm_eval.simple_evaluate(
                model, tasks=[task], num_fewshot=settings.shots, limit=settings.limit, bootstrap_iters=0,
                apply_chat_template=settings.chat_template, task_manager=_manager(settings.include_path),
            )  # fmt: skip
    except Exception as error:  # of whatever kind a task's files, data or metrics raise
        if out_of_memory(error):
            raise RecipeError(f"{KEY}.batch_size: {settings.batch_size} questions of {task} do not fit in memory; give "
                              "fewer") from error  # fmt: skip
        raise RecipeError(
            f"{KEY}.tasks: {task} could not be put ({type(error).__name__}: {first_line(error)}); without network, its "
            "data must be in the cache of `datasets`, or name a task of your own with include_path"
        ) from error
    numbers = {name: {key: float(value) for key, value in row.items() if _is_number(key, value)}
               for name, row in found["results"].items()}  # fmt: skip
    return {
        "numbers": numbers,
        "items": {name: {key: _items(rows, *key.split(",")) for key in numbers[name]}
                  for name, rows in found["samples"].items()},
        "tasks": found["group_subtasks"], "higher": found["higher_is_better"], "shots": found["n-shot"],
        "versions": found["versions"], "lm_eval": found["lm_eval_version"],
    }  # fmt: skip


def _is_number(key: str, value: Any) -> bool:
    wanted = "," in key and not key.partition(",")[0].endswith("_stderr")
    return wanted and isinstance(value, Real) and math.isfinite(value)


def _items(rows: Sequence[Mapping[str, Any]], metric: str, filtered: str) -> list[float | None]:
    values = [row.get(metric) for row in rows if row["filter"] == filtered]
    return [float(value) if isinstance(value, Real) else None for value in values]


def summary(models: Mapping[str, Mapping[str, Found]]) -> list[dict[str, Any]]:
    """One row a task that was asked for, or of a group without a number of its own one for each of its tasks.

    By its first metric of which higher is better, else by the first: task, metric, shots, n, the value of each model
    with its 95 % interval, and of two models the paired difference and `share`, the value as a share of vanilla's where
    higher is better. models: model -> task -> what `ask_task` gave.
    """
    before, after = models["vanilla"], models.get("unlearned", {})
    return [
        _row(name, found, after.get(task))
        for task, found in before.items() for name in _told(task, found)
    ]  # fmt: skip


def _told(task: str, found: Found) -> Iterator[str]:
    parts = found["tasks"].get(task, ())
    if found["numbers"].get(task) or not parts:
        yield task
    else:
        for part in parts:
            yield from _told(part, found)


def _leaves(task: str, found: Found) -> list[str]:
    parts = found["tasks"].get(task, ())
    return [leaf for part in parts for leaf in _leaves(part, found)] if parts else [task]


def _row(task: str, before: Found, after: Found | None) -> dict[str, Any]:
    higher = before["higher"].get(task, {})
    keys = sorted(before["numbers"].get(task, {}), key=lambda key: not higher.get(key.partition(",")[0]))
    key = keys[0] if keys else ""
    metric = key.partition(",")[0]
    asked = [len(before["items"].get(leaf, {}).get(key, ())) for leaf in _leaves(task, before)]
    row: dict[str, Any] = {"task": task, "metric": metric, "higher": higher.get(metric), "n": sum(asked),
                           "shots": before["shots"].get(task), "intervals": {}}  # fmt: skip
    values = {}
    for model, found in {"vanilla": before, "unlearned": after}.items():
        if found is not None:
            row[model] = found["numbers"].get(task, {}).get(key)
            values[model] = _values(task, key, found)
            interval = mean_interval(values[model], True) if values[model] else None
            row["intervals"][model] = list(interval) if interval else None
    if after is not None:
        known = None not in (row["vanilla"], row["unlearned"])
        ratio = row["unlearned"] / row["vanilla"] if known and row["higher"] and row["vanilla"] > 0 else None
        row["share"] = None if ratio is None else round(ratio, 9)  # 0.6 / 0.8 is 0.75, whatever floats say
        row["difference"] = _difference(row, **values) if known else None
    return row


def _values(task: str, key: str, found: Found) -> list[float]:
    """The values of all questions of a task; none where its number is not their mean."""
    values = [value for leaf in _leaves(task, found) for value in found["items"].get(leaf, {}).get(key, [None])]
    mean = found["numbers"].get(task, {}).get(key)
    if mean is None or None in values:
        return []
    return values if math.isclose(sum(values) / len(values), mean, rel_tol=1e-9, abs_tol=1e-12) else []


def _difference(row: Mapping[str, Any], vanilla: Sequence[float], unlearned: Sequence[float]) -> dict[str, Any]:
    change = {"mean": row["unlearned"] - row["vanilla"], "low": None, "high": None}
    if not vanilla or len(vanilla) != len(unlearned):
        return change | {"reason": "no interval: the number is not the mean of the questions' values"}
    interval = difference_interval(vanilla, unlearned, True)
    return change | (dict(zip(("low", "high"), interval, strict=True)) if interval else {"reason": NO_SPREAD})
