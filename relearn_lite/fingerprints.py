"""What a stage depends on, and the short hash of it that tells whether an earlier result still holds."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from relearn_lite.records import QA
from relearn_lite.schema import Recipe
from relearn_lite.stages import STAGES, data_digest, stages_of

ADAPTER_FILES = ("adapter_config.json", "adapter_model.safetensors")


def inputs(recipe: Recipe, data: dict[str, list[QA]], name: str) -> dict[str, Any]:
    """Everything that a stage depends on, flat: recipe keys, hashes of data, the stages it builds on."""
    stage, active = STAGES[name], stages_of(recipe)
    tree = recipe.model_dump(mode="json")
    flat = {"stage version": stage.version}
    for section in stage.sections:
        if tree[section] is not None:
            flat |= _flat(tree[section], section)
    if "unlearned" in stage.sections and recipe.unlearned and recipe.unlearned.adapter:
        flat["content of unlearned.adapter"] = adapter_digest(recipe.unlearned.adapter)
    for key, path in (("from", recipe.augment.from_), ("prompts", recipe.augment.prompts)):
        if "augment" in stage.sections and path:
            flat[f"content of augment.{key}"] = hashlib.sha256(path.read_bytes()).hexdigest()[:16]
    there, judged = [part for part in stage.data if part in data], name == "evaluate"
    flat |= {f"content of data.{part}": data_digest(data[part], judged) for part in there}
    for before in stage.after:
        if before in active:
            flat[f"stage {before}"] = fingerprint(inputs(recipe, data, before))
    return _with_checks(recipe, data, flat) if name == "unlearn" else flat


def _with_checks(recipe: Recipe, data: dict[str, list[QA]], flat: dict[str, Any]) -> dict[str, Any]:
    """Checks in training decide where it ends: then what they ask and who judges counts; else the keys do not."""
    if recipe.unlearn.evaluate_every is None:
        off = ("unlearn.evaluate_every", "unlearn.keep_best", "unlearn.watch.")
        return {key: value for key, value in flat.items() if not key.startswith(off)}
    tree = recipe.model_dump(mode="json")
    asked = {f"content of data.{part}": data_digest(data[part]) for part in ("forget_eval", "retain_eval")}
    judged = _flat(tree["evaluate"]["evaluators"], "evaluate.evaluators")
    return flat | asked | judged | _flat(tree["generate"], "generate")


def fingerprint(values: dict[str, Any]) -> str:
    """A short hash of a stage's inputs."""
    return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()[:16]


def _flat(value: Any, key: str) -> dict[str, Any]:
    if isinstance(value, dict) and value:
        return {k: v for name, inner in value.items() for k, v in _flat(inner, f"{key}.{name}").items()}
    return {key: value}


def adapter_digest(folder: Path) -> str:
    """A hash of an adapter's settings and weights."""
    content = hashlib.sha256()
    for name in ADAPTER_FILES:
        content.update((folder / name).read_bytes())
    return content.hexdigest()[:16]
