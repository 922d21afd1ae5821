"""What a stage's result depends on, and the short hash of it that tells whether an earlier result still holds.

Only keys that change results count: which do not, the schema says (`relearn_lite.recipe.effects`).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from relearn_lite.core.records import QA
from relearn_lite.pipeline.data import data_digest
from relearn_lite.pipeline.stages import STAGES, stages_of
from relearn_lite.recipe import Recipe
from relearn_lite.recipe.effects import result_keys, sampling_keys

ADAPTER_FILES = ("adapter_config.json", "adapter_model.safetensors")
MODEL_KEYS = (  # keys that may name a model by its folder
    "model.name", "unlearned.model", "augment.model", "augment.semantic.embeddings",
    "evaluate.evaluators.entities.model", "evaluate.evaluators.judge.model", "evaluate.evaluators.embeddings",
    "evaluate.evaluators.nli", "evaluate.evaluators.language_model", "evaluate.privacy.reference_model",
)  # fmt: skip
MODEL_FILES = {".json", ".safetensors", ".bin", ".model", ".txt", ".jinja", ".py"}  # what loading a model reads
SAMPLES, SAMPLE = 32, 32_768  # pieces of a large file that are hashed, and bytes of each


def inputs(recipe: Recipe, data: Mapping[str, list[QA]], name: str) -> dict[str, Any]:
    """Everything that a stage depends on, flat: recipe keys, hashes of data, the stages it builds on."""
    stage, active = STAGES[name], stages_of(recipe)
    asks_vanilla = name == "augment" and uses_vanilla(recipe)
    found: dict[str, Any] = {"stage version": stage.version}
    for section in (*stage.sections, *(("model",) if asks_vanilla else ())):
        if getattr(recipe, section) is not None:
            found |= _section_keys(recipe, section)
    if name == "augment" and not asks_vanilla and recipe.augment.writer == "local":
        found |= _how_models_are_loaded(recipe)
    if "unlearned" in stage.sections and recipe.unlearned and recipe.unlearned.adapter:
        found["content of unlearned.adapter"] = adapter_digest(recipe.unlearned.adapter)
    for key, path in (("from", recipe.augment.from_), ("prompts", recipe.augment.prompts)):
        if "augment" in stage.sections and path:
            found[f"content of augment.{key}"] = _file_digest(path)
    if name == "evaluate" and recipe.evaluate.retain_model_results:
        found["content of evaluate.retain_model_results"] = _file_digest(recipe.evaluate.retain_model_results)
    parts, judged = [part for part in stage.data if part in data], name == "evaluate"
    if name == "unlearn" and recipe.unlearn.checks_decide:  # evaluation in training decides where it ends
        parts += ["forget_select", "retain_select"]
        found |= result_keys(recipe.evaluate.evaluators, "evaluate.evaluators") | _section_keys(recipe, "generate")
    found |= {f"content of data.{part}": data_digest(data[part], judged) for part in parts}
    for before in (*stage.after, *(("finetune",) if asks_vanilla else ())):
        if before in active:
            found[f"stage {before}"] = fingerprint(inputs(recipe, data, before))
    return _with_folders(found | sampling_keys(recipe, name))


def uses_vanilla(recipe: Recipe) -> bool:
    """Whether the vanilla model writes or weighs the new answers: only then does `augment` depend on it."""
    section = recipe.augment
    gain = section.semantic is not None and section.semantic.gain is not None
    return gain or section.uses_model(recipe.model.name)


def _how_models_are_loaded(recipe: Recipe) -> dict[str, Any]:
    """A writer with a model of its own has it loaded as the recipe's is: see `Model.other`."""
    keys = ("model.quantization", "model.backend")
    return {key: value for key, value in _section_keys(recipe, "model").items() if key in keys}


def _section_keys(recipe: Recipe, name: str) -> dict[str, Any]:
    value = getattr(recipe, name)
    return result_keys(value, name) if isinstance(value, BaseModel) else {name: value}


def _with_folders(found: dict[str, Any]) -> dict[str, Any]:
    """With what is in the folders of models: a name alone does not tell that another model lies there now."""
    named = {key: Path(found[key]) for key in MODEL_KEYS if isinstance(found.get(key), str)}
    there = {key: folder for key, folder in named.items() if folder.is_absolute() and folder.is_dir()}
    return found | {f"content of {key}": model_digest(folder) for key, folder in there.items()}


def fingerprint(values: Mapping[str, Any]) -> str:
    """A short hash of a stage's inputs."""
    return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()[:16]


def changes(old: Mapping[str, Any], new: Mapping[str, Any], most: int = 5) -> list[str]:
    """`key was X, is Y` for the inputs that differ; those of earlier stages are told where these are."""
    return [
        f"{key} was {_short(old.get(key))}, is {_short(new.get(key))}"
        for key in {**old, **new} if old.get(key) != new.get(key) and not key.startswith("stage ")
    ][:most]


def _short(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 60 else f"{text[:57]}..."


def _file_digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()[:16]


def model_digest(folder: Path) -> str:
    """A hash of a model's folder: names, sizes and content of what loading reads, of large files a sample.

    A sample is 32 pieces spread over the file, so that a model of 16 GB takes no longer than one of 16 MB; training
    changes weights everywhere, a change of a few bytes may be missed. Times do not count: a copy is the same model.
    """
    found = [*folder.glob("*"), *folder.glob("[0-9]_*/*")]  # sentence-transformers has folders such as 1_Pooling
    stats = {file: file.stat() for file in sorted(found) if file.suffix in MODEL_FILES and file.is_file()}
    files = ((str(file.relative_to(folder)), stat.st_size, stat.st_mtime_ns) for file, stat in stats.items())
    return _model_digest(folder, tuple(files))


@lru_cache(maxsize=64)  # asked for every stage; sizes and times only tell whether a file was read before
def _model_digest(folder: Path, files: tuple[tuple[str, int, int], ...]) -> str:
    content = hashlib.sha256()
    for name, size, _ in files:
        content.update(f"{name} {size}\n".encode())
        with (folder / name).open("rb") as file:
            for i in range(SAMPLES):
                file.seek(i * max(SAMPLE * (SAMPLES - 1), size - SAMPLE) // (SAMPLES - 1))  # the last ends the file
                content.update(file.read(SAMPLE))
    return content.hexdigest()[:16]


def adapter_digest(folder: Path) -> str:
    """A hash of an adapter's settings and weights."""
    content = hashlib.sha256()
    for name in ADAPTER_FILES:
        content.update((folder / name).read_bytes())
    return content.hexdigest()[:16]
