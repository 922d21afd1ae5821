"""What a stage depends on, and the short hash of it that tells whether an earlier result still holds."""

from __future__ import annotations

import hashlib
import json
from functools import lru_cache
from pathlib import Path
from typing import Any

from relearn_lite.core.records import QA
from relearn_lite.pipeline.stages import STAGES, data_digest, stages_of
from relearn_lite.recipe import Recipe

ADAPTER_FILES = ("adapter_config.json", "adapter_model.safetensors")
MODEL_KEYS = (  # keys that may name a model by its folder
    "model.name", "unlearned.model", "augment.model", "augment.semantic.embeddings",
    "evaluate.evaluators.entities.model", "evaluate.evaluators.judge.model", "evaluate.evaluators.embeddings",
    "evaluate.evaluators.nli", "evaluate.evaluators.language_model", "evaluate.privacy.reference_model",
)  # fmt: skip
MODEL_FILES = {".json", ".safetensors", ".bin", ".model", ".txt", ".jinja", ".py"}  # what loading a model reads
SAMPLES, SAMPLE = 32, 32_768  # pieces of a large file that are hashed, and bytes of each


def inputs(recipe: Recipe, data: dict[str, list[QA]], name: str) -> dict[str, Any]:
    """Everything that a stage depends on, flat: recipe keys, hashes of data, the stages it builds on."""
    stage, active = STAGES[name], stages_of(recipe)
    tree = recipe.model_dump(mode="json")
    flat = {"stage version": stage.version}
    writes_as_vanilla = name == "augment" and asks_vanilla(recipe)
    for section in (*stage.sections, *(("model",) if writes_as_vanilla else ())):
        if tree[section] is not None:
            flat |= _flat(tree[section], section)
    if "unlearned" in stage.sections and recipe.unlearned and recipe.unlearned.adapter:
        flat["content of unlearned.adapter"] = adapter_digest(recipe.unlearned.adapter)
    for key, path in (("from", recipe.augment.from_), ("prompts", recipe.augment.prompts)):
        if "augment" in stage.sections and path:
            flat[f"content of augment.{key}"] = _file_digest(path)
    if name == "evaluate" and recipe.evaluate.retain_model_results:
        flat["content of evaluate.retain_model_results"] = _file_digest(recipe.evaluate.retain_model_results)
    there, judged = [part for part in stage.data if part in data], name == "evaluate"
    flat |= {f"content of data.{part}": data_digest(data[part], judged) for part in there}
    for before in (*stage.after, *(("finetune",) if writes_as_vanilla else ())):
        if before in active:
            flat[f"stage {before}"] = fingerprint(inputs(recipe, data, before))
    return _with_folders(_with_checks(recipe, data, flat) if name == "unlearn" else flat)


def asks_vanilla(recipe: Recipe) -> bool:
    """Whether the vanilla model writes or weighs the new answers: only then does `augment` hang on it."""
    section = recipe.augment
    gain = section.semantic is not None and section.semantic.gain is not None
    return gain or section.uses_model(recipe.model.name)


def _with_checks(recipe: Recipe, data: dict[str, list[QA]], flat: dict[str, Any]) -> dict[str, Any]:
    """Checks in training decide where it ends: then what they ask and who judges counts; else the keys do not."""
    if recipe.unlearn.evaluate_every is None:
        off = ("unlearn.evaluate_every", "unlearn.keep_best", "unlearn.watch.")
        return {key: value for key, value in flat.items() if not key.startswith(off)}
    tree = recipe.model_dump(mode="json")
    asked = {f"content of data.{part}": data_digest(data[part]) for part in ("forget_eval", "retain_eval")}
    judged = _flat(tree["evaluate"]["evaluators"], "evaluate.evaluators")
    return flat | asked | judged | _flat(tree["generate"], "generate")


def _with_folders(flat: dict[str, Any]) -> dict[str, Any]:
    """With what is in the folders of models: a name alone does not tell that another model lies there now."""
    named = {key: Path(flat[key]) for key in MODEL_KEYS if isinstance(flat.get(key), str)}
    there = {key: folder for key, folder in named.items() if folder.is_absolute() and folder.is_dir()}
    return flat | {f"content of {key}": model_digest(folder) for key, folder in there.items()}


def fingerprint(values: dict[str, Any]) -> str:
    """A short hash of a stage's inputs."""
    return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()[:16]


def _flat(value: Any, key: str) -> dict[str, Any]:
    if isinstance(value, dict) and value:
        return {k: v for name, inner in value.items() for k, v in _flat(inner, f"{key}.{name}").items()}
    return {key: value}


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
