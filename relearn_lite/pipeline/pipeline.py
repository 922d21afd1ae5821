"""The stages in order: which are done, which are to do, what a run folder remembers.

A stage is done when manifest.json holds its fingerprint, which covers everything that the stage depends on: recipe
sections, content of the data, its own version, and the stages before it. The manifest is written last and atomically,
so a run that is killed at any point goes on, when started again, from the stage (and within it, from the record, batch
or checkpoint) at which it stopped.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

from relearn_lite.core import distributed
from relearn_lite.core.environment import unsafe_versions
from relearn_lite.core.errors import RecipeError
from relearn_lite.core.files import write_text
from relearn_lite.core.memory import free_memory
from relearn_lite.core.records import QA
from relearn_lite.data.sources import overlap
from relearn_lite.models import backends
from relearn_lite.pipeline.fingerprints import ADAPTER_FILES, fingerprint, inputs
from relearn_lite.pipeline.stages import STAGES, Work, data_digest, load_data, stages_of
from relearn_lite.recipe import Recipe, load_recipe

Result = TypeVar("Result")
MANIFEST = "manifest.json"
TRAINING = ("finetune", "unlearn")  # stages that all processes of a torchrun take part in


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
    problems += [
        *_backend_problems(recipe), *_key_problems(recipe), *_adapter_problems(recipe), *unsafe_versions()
    ]
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
    judges = recipe.evaluate.evaluators
    choices = {
        "augment": recipe.augment,
        "evaluate.evaluators.entities": judges.entities,
        "evaluate.evaluators.judge": judges.judge,
    }
    return [
        f"{section}.api_key_env: the environment variable {choice.api_key_env} is not set; export it, or name "
        "another one"
        for section, choice in choices.items()
        if choice and choice.writer == "server" and choice.api_key_env and not os.environ.get(choice.api_key_env)
    ]


def _adapter_problems(recipe: Recipe) -> list[str]:
    folder = recipe.unlearned.adapter if recipe.unlearned else None
    missing = [name for name in ADAPTER_FILES if folder and not (folder / name).is_file()]
    if not missing:
        return []
    return [
        f"unlearned.adapter: {folder} has no {' and no '.join(missing)}; give the folder of a peft adapter kept as "
        "safetensors, such as runs/quickstart/adapter after the quickstart; or unlearned: null, to measure model alone"
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
    with opened(recipe, runs, quiet) as work:
        again = names if fresh else names[names.index(start) :] if start else []
        for name in again:
            _forget_stage(work, name)
        plan = _plan(work)
        _refuse_other_recipe(work, plan)
        _describe(work)
        for name in names:
            _do(work, name, plan[name])
            if name == until:
                break
    return work.folder


def in_first_process(do: Callable[[], Result]) -> Result | None:
    """Does something in the first process of a torchrun, or in the only one; the others take part in its trainings."""
    distributed.connect()
    result = None
    if distributed.is_first():
        result = do()
        distributed.from_first(None)  # the run is over
    else:
        take_part()
    distributed.disconnect()
    return result


def take_part() -> None:
    """What every other process of a torchrun does: its share of each training, until the first one's run is over.

    Takes no lock and writes nothing to the run folder; what finished stages left is read there, so all machines must
    see the same folder.
    """
    while (training := distributed.from_first()) is not None:
        stage, folder = training
        recipe = load_recipe(Path(folder) / "recipe.yaml")
        STAGES[stage].run(Work(recipe, Path(folder), quiet=True))
        free_memory()


@contextmanager
def opened(
    recipe: Recipe, runs: Path, quiet: bool = False, data: dict[str, list[QA]] | None = None
) -> Iterator[Work]:
    """A recipe's run folder, as long as the context lasts for this process alone.

    Recipe and data are checked, unless data is given: that of a recipe which was checked and differs in `unlearn` only.
    """
    data = check(recipe) if data is None else data
    folder = _open_folder(runs / recipe.name)
    with _locked(folder):
        work = Work(recipe, folder, quiet, _read_manifest(folder))
        work.data = data
        yield work


def do_stages(work: Work, names: Iterable[str]) -> None:
    """Does some stages of an opened run folder, in the order given; those that are done are left as they are."""
    _refuse_other_recipe(work, _plan(work))
    _describe(work)
    for name in names:
        _do(work, name, inputs(work.recipe, work.data, name))


@dataclass(frozen=True)
class Lenders:
    """Runs whose finished stages a run takes over, in order of preference, and the one that measured vanilla."""

    stages: tuple[Path, ...] = ()
    vanilla: Path | None = None


class StageFailed(Exception):
    """A stage could not be done, for a reason that need not stop other runs; the message says it in words."""

    def __init__(self, stage: str, reason: str) -> None:
        super().__init__(reason)
        self.stage = stage


def run_with(
    recipe: Recipe, runs: Path, lenders: Lenders, data: dict[str, list[QA]], *, until: str, way_out: str, quiet: bool
) -> Work:
    """Runs a recipe as `run` does, but takes over what others have done with exactly the same inputs.

    data: what `opened` takes.

    What a stage left is linked, not copied; if the link breaks, the stage is done here. Answers and numbers of the
    vanilla model are taken over too.
    Raises RecipeError where the folder holds results of another recipe (way_out: what to do then), StageFailed where a
    stage fails.
    """
    with opened(recipe, runs, quiet, data) as work:
        plan = _plan(work)
        _refuse_other_recipe(work, plan, way_out)
        for lender in lenders.stages:
            _take_over(work, lender, plan)
        if lenders.vanilla and _same_vanilla(lenders.vanilla, plan):
            work.vanilla_run = lenders.vanilla
        _describe(work)
        for name, needs in plan.items():
            try:
                _do(work, name, needs)
            except OSError:  # a full disk is every run's trouble
                raise
            except RecipeError as error:
                raise StageFailed(name, " ".join(error.problems)) from error
            except Exception as error:
                raise StageFailed(name, f"{name} broke off: {_first_line(error)}") from error
            if name == until:
                break
    return work


def _plan(work: Work) -> dict[str, dict[str, Any]]:
    return {name: inputs(work.recipe, work.data, name) for name in stages_of(work.recipe)}


def _take_over(work: Work, lender: Path, plan: dict[str, dict[str, Any]]) -> None:
    """Links what another run has finished with the same inputs and this one has not."""
    mine, theirs = work.manifest["stages"], _read_manifest(lender)["stages"]
    for name, needs in plan.items():
        entry = theirs.get(name)
        if name in mine and _output_is_there(work.folder, name):
            continue
        if entry is None or entry["fingerprint"] != fingerprint(needs) or not _output_is_there(lender, name):
            continue
        _forget_stage(work, name)
        for output in STAGES[name].output:
            if (lender / output).exists():
                link = work.folder / output
                link.parent.mkdir(parents=True, exist_ok=True)
                link.symlink_to(os.path.relpath((lender / output).resolve(), link.parent))
        mine[name] = {**entry, "taken_from": os.path.relpath(lender, work.folder)}
        _write_manifest(work)


def _same_vanilla(lender: Path, plan: dict[str, dict[str, Any]]) -> bool:
    """Whether a run of the vanilla model alone asked and judged it as this plan does."""
    done, later = _read_manifest(lender)["stages"], ("stage unlearn", "stage generate")

    def own(needs: dict[str, Any]) -> dict[str, Any]:
        return {key: value for key, value in needs.items() if key not in later}

    return all(
        name in done and _output_is_there(lender, name) and own(done[name]["inputs"]) == own(plan[name])
        for name in ("generate", "evaluate")
    )


def _do(work: Work, name: str, needs: dict[str, Any]) -> None:
    """Runs one stage unless it is done, and notes it in the manifest."""
    stages, mark = work.manifest["stages"], fingerprint(needs)
    if name in stages and stages[name]["fingerprint"] == mark and _output_is_there(work.folder, name):
        _say(work, f"{name}: done before")
        return
    again = work.manifest["started"].get(name) == mark
    if not again:  # what an earlier try left belongs to other inputs
        _forget_stage(work, name)
        work.manifest["started"][name] = mark
        _write_manifest(work)
    _say(work, f"{name} ...")
    if name in TRAINING:
        distributed.from_first((name, str(work.folder)))
    _reset_peak_memory()
    begin = time.monotonic()
    details = STAGES[name].run(work)
    if "torch" in sys.modules:  # a trainer and its model hold on to each other until they are collected
        free_memory()
    stages[name] = {
        "fingerprint": mark, "inputs": needs, "finished": datetime.now(UTC).isoformat(timespec="seconds"),
        "seconds": round(time.monotonic() - begin, 2), "peak_memory_mb": _peak_memory_mb(), **details,
        **({"resumed": True} if again else {}),  # seconds and memory are of the last try alone
        **({"commits": dict(work.commits)} if work.commits else {}),
    }
    work.manifest["started"].pop(name, None)
    _write_manifest(work)
    _tidy(work.folder, name)


def _output_is_there(folder: Path, name: str) -> bool:
    return (folder / STAGES[name].output[0]).exists()


def _tidy(folder: Path, name: str) -> None:
    """Removes what only a restart of the stage would have needed."""
    checkpoints = folder / "checkpoints"
    shutil.rmtree(checkpoints / name, ignore_errors=True)
    if checkpoints.is_dir() and not any(checkpoints.iterdir()):
        checkpoints.rmdir()
    (folder / "augmented.partial.jsonl").unlink(missing_ok=True)


def _forget_stage(work: Work, name: str) -> None:
    """Removes a stage's output and its entry in the manifest."""
    work.manifest["stages"].pop(name, None)
    work.manifest["started"].pop(name, None)
    _write_manifest(work)
    for path in (work.folder / output for output in STAGES[name].output):
        whole_folder = path.is_dir() and not path.is_symlink()  # a link is removed, not what it leads to
        shutil.rmtree(path) if whole_folder else path.unlink(missing_ok=True)


def _first_line(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return f"{type(error).__name__}{f', {lines[0]}' if lines else ''}"


def _refuse_other_recipe(work: Work, plan: dict[str, dict[str, Any]], way_out: str | None = None) -> None:
    """Finished stages that this recipe would have done otherwise are not silently mixed in, nor thrown away.

    But for the report, which is no result: it is made anew, so that a stage can be added later.
    """
    for name, needs in plan.items():
        done = work.manifest["stages"].get(name)
        if name == "report" or done is None or done["fingerprint"] == fingerprint(needs):
            continue
        old = done["inputs"]
        changed = [
            f"{key} was {_short(old.get(key))}, is {_short(needs.get(key))}"
            for key in {**old, **needs} if old.get(key) != needs.get(key) and not key.startswith("stage ")
        ]
        what = "; ".join(changed[:5]) or "an earlier stage or a new version of the project"
        raise RecipeError(
            f"name: {work.folder} holds a finished {name} stage of a different recipe ({what}); "
            + (way_out or f"choose another name, or add --from {name} to do it again from there, or --fresh to do "
               "everything again")
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
    from relearn_lite.core.environment import hardware, versions
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
    """A stage's peak in MB (10^6 bytes): on a GPU torch's own, else the process's (of all so far, if not on Linux)."""
    import resource

    if "torch" in sys.modules:
        import torch

        if torch.cuda.is_available():
            peak = torch.cuda.max_memory_allocated()
            torch.cuda.reset_peak_memory_stats()
            return round(peak / 1e6)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return round(peak / 1e6 if sys.platform == "darwin" else peak * 1024 / 1e6)


def _reset_peak_memory() -> None:
    """Makes the process's peak begin anew, so that one stage's is not taken for the next one's."""
    with suppress(OSError):  # Linux only
        Path("/proc/self/clear_refs").write_text("5")


def _say(work: Work, text: str) -> None:
    if not work.quiet:
        print(text, file=sys.stderr)
