"""The stages in order: which are done, which are to do, what a run folder remembers.

A stage is done when manifest.json holds its fingerprint, which covers everything that the stage depends on: recipe
sections, content of the data, its own version, and the stages before it. The manifest is written last and atomically,
so a run that is killed at any point goes on, when started again, from the stage (and within it, from the record, batch
or checkpoint) at which it stopped.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import shutil
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from relearn_lite import backends
from relearn_lite.data.sources import overlap
from relearn_lite.environment import unsafe_versions
from relearn_lite.errors import RecipeError
from relearn_lite.records import QA, write_text
from relearn_lite.schema import Recipe
from relearn_lite.stages import STAGES, Work, data_digest, load_data, stages_of

MANIFEST = "manifest.json"


def check(recipe: Recipe) -> dict[str, list[QA]]:
    """Checks what a recipe alone cannot tell: the data, and that what it names is there. Returns the data.

    Loads no model and writes nothing. Raises RecipeError with every problem found.
    """
    problems: list[str] = []
    data: dict[str, list[QA]] = {}
    try:
        data = load_data(recipe)
    except RecipeError as error:
        problems += error.problems
    both = overlap(data.get("forget", []), data.get("retain", []))
    if both:
        problems.append(
            f"data.retain: {len(both)} of its questions stand in data.forget too (first: {both[0]!r}); a model cannot "
            "forget and keep the same, so remove them from one of the two"
        )
    problems += [*_backend_problems(recipe), *_key_problems(recipe), *unsafe_versions()]
    if problems:
        raise RecipeError(problems)
    return data


def _backend_problems(recipe: Recipe) -> list[str]:
    if recipe.model.backend == "auto":  # always finds one, and would import torch to choose it
        return []
    try:
        backends.choose(recipe.model)
    except RecipeError as error:
        return error.problems
    return []


def _key_problems(recipe: Recipe) -> list[str]:
    import os

    choices = {"augment": recipe.augment, "evaluate.evaluators.entities": recipe.evaluate.evaluators.entities}
    return [
        f"{section}.api_key_env: the environment variable {choice.api_key_env} is not set; export it, or name "
        "another one"
        for section, choice in choices.items()
        if choice.writer == "server" and choice.api_key_env and not os.environ.get(choice.api_key_env)
    ]


def run(recipe: Recipe, *, runs: Path = Path("runs"), start: str | None = None, until: str | None = None,
        fresh: bool = False, quiet: bool = False) -> Path:
    """Runs a recipe and returns its run folder. What is done already is left as it is.

    start: do this stage and all after it again. until: stop after this stage. fresh: do everything again.
    Raises RecipeError where the input is wrong, or where the folder holds results of another recipe.
    """
    names = stages_of(recipe)
    for flag, stage in (("--from", start), ("--until", until)):
        if stage is not None and stage not in names:
            raise RecipeError(f"{flag}: this recipe has no stage {stage!r}; it has: {', '.join(names)}")
    data = check(recipe)
    folder = _open_folder(runs / recipe.name)
    with _locked(folder):
        work = Work(recipe, folder, quiet, _read_manifest(folder))
        work.data = data
        again = names if fresh else names[names.index(start) :] if start else []
        for name in again:
            _forget_stage(work, name)
        plan = {name: inputs(recipe, data, name) for name in names}
        _refuse_other_recipe(work, plan)
        _describe(work)
        for name in names:
            _do(work, name, plan[name])
            if name == until:
                break
    return folder


def inputs(recipe: Recipe, data: dict[str, list[QA]], name: str) -> dict[str, Any]:
    """Everything that a stage depends on, flat: recipe keys, hashes of data, the stages it builds on."""
    stage, active = STAGES[name], stages_of(recipe)
    tree = recipe.model_dump(mode="json")
    flat = {"stage version": stage.version}
    for section in stage.sections:
        flat |= _flat(tree[section], section)
    flat |= {f"content of data.{part}": data_digest(data[part]) for part in stage.data if part in data}
    for before in stage.after:
        if before in active:
            flat[f"stage {before}"] = fingerprint(inputs(recipe, data, before))
    return flat


def fingerprint(values: dict[str, Any]) -> str:
    """A short hash of a stage's inputs."""
    return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()[:16]


def _flat(value: Any, key: str) -> dict[str, Any]:
    if isinstance(value, dict) and value:
        return {k: v for name, inner in value.items() for k, v in _flat(inner, f"{key}.{name}").items()}
    return {key: value}


def _do(work: Work, name: str, needs: dict[str, Any]) -> None:
    """Runs one stage unless it is done, and notes it in the manifest."""
    stages, mark = work.manifest["stages"], fingerprint(needs)
    if name in stages and stages[name]["fingerprint"] == mark and _output_is_there(work.folder, name):
        _say(work, f"{name}: done before")
        return
    if work.manifest["started"].get(name) != mark:  # what an earlier try left belongs to other inputs
        _forget_stage(work, name)
        work.manifest["started"][name] = mark
        _write_manifest(work)
    _say(work, f"{name} ...")
    begin = time.monotonic()
    details = STAGES[name].run(work)
    stages[name] = {
        "fingerprint": mark, "inputs": needs, "finished": datetime.now(UTC).isoformat(timespec="seconds"),
        "seconds": round(time.monotonic() - begin, 2), "peak_memory_mb": _peak_memory_mb(), **details,
    }
    work.manifest["started"].pop(name, None)
    _write_manifest(work)
    _tidy(work.folder, name)


def _output_is_there(folder: Path, name: str) -> bool:
    return (folder / STAGES[name].output[0]).exists()


def _tidy(folder: Path, name: str) -> None:
    """Removes what only a restart of the stage would have needed."""
    shutil.rmtree(folder / "checkpoints" / name, ignore_errors=True)
    (folder / "augmented.partial.jsonl").unlink(missing_ok=True)


def _forget_stage(work: Work, name: str) -> None:
    """Removes a stage's output and its entry in the manifest."""
    work.manifest["stages"].pop(name, None)
    work.manifest["started"].pop(name, None)
    _write_manifest(work)
    for path in (work.folder / output for output in STAGES[name].output):
        shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)


def _refuse_other_recipe(work: Work, plan: dict[str, dict[str, Any]]) -> None:
    """Finished stages that this recipe would have done otherwise are not silently mixed in, nor thrown away."""
    for name, needs in plan.items():
        done = work.manifest["stages"].get(name)
        if done is None or done["fingerprint"] == fingerprint(needs):
            continue
        old = done["inputs"]
        changed = [
            f"{key} was {_short(old.get(key))}, is {_short(needs.get(key))}"
            for key in {**old, **needs} if old.get(key) != needs.get(key) and not key.startswith("stage ")
        ]
        what = "; ".join(changed[:5]) or "an earlier stage or a new version of the project"
        raise RecipeError(
            f"name: {work.folder} holds a finished {name} stage of a different recipe ({what}); choose another name, "
            f"or add --from {name} to do it again from there, or --fresh to do everything again"
        )


def _short(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 60 else f"{text[:57]}..."


def _open_folder(folder: Path) -> Path:
    if folder.exists() and not folder.is_dir():
        raise RecipeError(f"name: {folder} is a file; remove it, or choose another name")
    ours = any((folder / name).exists() for name in (MANIFEST, ".lock"))
    if folder.is_dir() and any(folder.iterdir()) and not ours:
        raise RecipeError(
            f"name: {folder} holds files that are not of a run; choose another name, or empty that folder"
        )
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except (NotADirectoryError, FileExistsError, PermissionError) as error:
        raise RecipeError(
            f"--runs: {folder} cannot be made ({error.strerror}); name a folder that you can write to"
        ) from None
    return folder.resolve()


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """One process a run folder. The system frees the lock of a process that dies, however it dies."""
    with (folder / ".lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise RecipeError(
                f"name: another process is working in {folder}; wait for it, or choose another name"
            ) from None
        yield


def _read_manifest(folder: Path) -> dict[str, Any]:
    path = folder / MANIFEST
    try:
        manifest = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
        return {"stages": {}, "started": {}, **manifest}
    except (ValueError, TypeError):
        raise RecipeError(
            f"name: {path} is damaged, so what is finished cannot be told; remove {folder}, or choose another name"
        ) from None


def _write_manifest(work: Work) -> None:
    write_text(work.folder / MANIFEST, json.dumps(work.manifest, indent=2, ensure_ascii=False) + "\n")


def _describe(work: Work) -> None:
    """Notes what a reader needs to do the same again: versions, hardware, seed, data, model; and the recipe."""
    from relearn_lite.environment import hardware, versions
    from relearn_lite.recipe import to_yaml

    recipe = work.recipe
    work.manifest |= {
        "name": recipe.name, "seed": recipe.seed, "versions": versions(), "hardware": hardware(),
        "model": {"name": recipe.model.name, "revision": recipe.model.revision},
        "data": {part: {"rows": len(rows), "sha256": data_digest(rows)} for part, rows in work.data.items() if rows},
    }
    _write_manifest(work)
    write_text(work.folder / "recipe.yaml", to_yaml(recipe))


def _peak_memory_mb() -> int:
    """On a GPU torch's own peak since the last stage, else the process's peak so far, in MB (10^6 bytes)."""
    import resource

    if "torch" in sys.modules:
        import torch

        if torch.cuda.is_available():
            peak = torch.cuda.max_memory_allocated()
            torch.cuda.reset_peak_memory_stats()
            return round(peak / 1e6)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return round(peak / 1e6 if sys.platform == "darwin" else peak * 1024 / 1e6)


def _say(work: Work, text: str) -> None:
    if not work.quiet:
        print(text, file=sys.stderr)
