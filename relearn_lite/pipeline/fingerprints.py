"""What a stage's result depends on, and the short hash of it that tells whether an earlier result still holds.

Only keys that change results count: which do not, the schema says (`relearn_lite.recipe.effects`).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from functools import lru_cache
from pathlib import Path
from typing import Any

from relearn_lite.core.errors import shortened
from relearn_lite.core.records import QA
from relearn_lite.data.documents import find_documents, labels
from relearn_lite.data.sources import source_of
from relearn_lite.evaluate.own_words import short_answers
from relearn_lite.metrics.declaration import SIDES
from relearn_lite.models.gguf import is_gguf
from relearn_lite.pipeline.own_answers import own_answer_tokens
from relearn_lite.pipeline.stages import STAGES, stages_of
from relearn_lite.pipeline.stages.augment import measured
from relearn_lite.pipeline.stages.collect import named_neighbours
from relearn_lite.recipe import Recipe
from relearn_lite.recipe.effects import result_keys, sampling_keys
from relearn_lite.recipe.presets import REQUESTS

MODEL_FILES = {".json", ".safetensors", ".bin", ".model", ".txt", ".jinja", ".py"}  # what loading a model reads
WORDS_COUNT = ("ask", "augment", "unlearn", "attack")  # find or use what the model itself says of short answers
GENERAL = "evaluate.general"
SAMPLES, SAMPLE = 32, 2**18  # pieces of a large file that are hashed, and bytes of each


def inputs(recipe: Recipe, data: Mapping[str, list[QA]], name: str) -> dict[str, Any]:
    """Everything that a stage depends on, flat: recipe keys, what lies where they point, hashes of data, the stages it
    builds on."""
    stage = STAGES[name]
    sections, parts, before = [*stage.sections], [part for part in stage.data if part in data], [*stage.after]
    found: dict[str, Any] = {"stage version": stage.version}
    if name == "augment" and uses_vanilla(recipe):
        sections.append("model")
        before.append("finetune")
    elif name == "augment" and recipe.augment.writer == "local":  # see `Model.settings_for`
        found |= {f"model.{key}": getattr(recipe.model, key) for key in ("quantization", "backend")}
    if name == "augment" and (apart := measured(data)):
        found["content of reported wordings"] = fingerprint(apart)
    if name == "augment" and _general_answers(recipe):
        found["tokens of general answers"] = own_answer_tokens(recipe)
    if name == "unlearn":  # no wording that is reported is trained, nor asked to decide by
        counts = {"forget_eval": recipe.unlearn.searches}
        counts["retain_eval"] = recipe.unlearn.searches or recipe.unlearn.retain_variants > 0
        parts += [part for part, so in counts.items() if so and part in data]
    if name == "unlearn" and recipe.unlearn.evaluations_decide:  # evaluation in training decides where it ends
        sections.append("generate")
        parts += [part for part in ("forget_select", "retain_select", "control_select") if part in data]
        found |= result_keys(recipe.evaluate.evaluators, "evaluate.evaluators")
    if name == "collect":
        found |= {f"data.forget.{key}": getattr(recipe.data.forget, key) for key in ("subject", "intro")}
        found |= result_keys(recipe.evaluate.evaluators.knowledge_only, "evaluate.evaluators")
        given = {key: getattr(recipe.data.forget, key) for key in ("topic", "kind")}
        found |= {f"data.forget.{key}": value for key, value in given.items() if value}
        documents = find_documents(recipe.data.forget.documents or (), "data.forget.documents")
        found |= {f"document {name}": _hash(path.read_bytes()) for path, name in labels(documents).items()}
    if recipe.data.only_known and name not in ("collect", "finetune", "report"):
        if name == "ask":  # who judges decides what is left out of all that follows
            parts += [part for part in ("forget", "forget_select") if part in data]
            found |= {"data.only_known": True}
            found |= result_keys(recipe.evaluate.evaluators.knowledge_only, "evaluate.evaluators")
        else:
            before.append("ask")
    if name in WORDS_COUNT and recipe.own_words and short_answers(data):
        sections.append("model")
        before.append("finetune")
        parts += [part for part in SIDES if part in data and name == "ask"]
        found |= {"data.own_words": True, "tokens of own words": own_answer_tokens(recipe)}
    for section in sections:
        found |= result_keys(getattr(recipe, section), section)
    if name == "collect":
        found["collect.neighbours"] = named_neighbours(recipe, data["retain"])
    found = {key: value for key, value in found.items() if not key.startswith(GENERAL)}  # it has a stage of its own
    if name == "general":
        found |= result_keys(recipe.evaluate.general, GENERAL)
        found |= {"content of tasks": _files(recipe.evaluate.general.include_path)}
    found |= _contents(found) | sampling_keys(recipe, name)
    found |= {f"content of data.{part}": data_digest(data[part], name == "evaluate") for part in parts}
    active = stages_of(recipe)
    return found | {f"stage {each}": fingerprint(inputs(recipe, data, each)) for each in before if each in active}


def uses_vanilla(recipe: Recipe) -> bool:
    """Whether the vanilla model writes or weighs new answers or gives general ones: `augment` then depends on it."""
    section = recipe.augment
    gain = section.semantic is not None and section.semantic.gain is not None
    return gain or section.uses_model(recipe.model.name) or _general_answers(recipe)


def _general_answers(recipe: Recipe) -> bool:
    """Whether the vanilla model gives the answers to general questions."""
    generic = source_of(recipe.data, "generic")
    return generic is not None and generic.preset == REQUESTS


def _contents(found: Mapping[str, Any]) -> dict[str, str]:
    """Hashes of the files and folders that keys name: a path alone does not tell that something else lies there now.

    The tables that `finetune` teaches are left out: their rows are hashed.
    """
    named = {k: Path(v) for k, v in found.items() if isinstance(v, str) and not k.startswith("finetune.data.")}
    listed = [(key, value) for key, value in found.items() if isinstance(value, list)]
    named |= {f"{k}.{n}": Path(v) for k, value in listed for n, v in enumerate(value, 1) if isinstance(v, str)}
    there = {key: path for key, path in named.items() if path.is_absolute() and path.exists()}
    return {
        f"content of {key}": model_digest(path) if path.is_dir() or is_gguf(path.name) else _hash(path.read_bytes())
        for key, path in there.items()
    }


def _files(folder: Path | None) -> str | None:
    """A hash of all files in a folder, of whatever kind; None where there is no folder."""
    if folder is None:
        return None
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    return _hash("".join(f"{path.relative_to(folder)} {_hash(path.read_bytes())}\n" for path in paths).encode())


def _hash(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:16]


def fingerprint(values: Any) -> str:
    """A short hash of a stage's inputs, or of anything that JSON can hold."""
    return _hash(json.dumps(values, sort_keys=True).encode())


def changes(old: Mapping[str, Any], new: Mapping[str, Any], most: int = 5) -> list[str]:
    """`key was X, is Y` for the inputs that differ; those of earlier stages are told where these are."""
    return [
        f"{key} was {shortened(old.get(key))}, is {shortened(new.get(key))}"
        for key in {**old, **new} if old.get(key) != new.get(key) and not key.startswith("stage ")
    ][:most]


def data_digest(records: Sequence[QA], judged: bool = False) -> str:
    """A hash of the records' content; of what is judged by, wrong answers and groups, too where judged."""
    return _data_digest(tuple(records), () if judged else ("paraphrased_answer", "wrong_answers", "group"))


@lru_cache(maxsize=32)  # asked for every stage of every run of a comparison
def _data_digest(records: tuple[QA, ...], left_out: tuple[str, ...]) -> str:
    rows = [
        {key: value for key, value in asdict(record).items() if key not in left_out and (key, value) != ("group", None)}
        for record in records
    ]
    return _hash(json.dumps(rows, ensure_ascii=False).encode())


def model_digest(path: Path) -> str:
    """A hash of a model's or an adapter's folder, or of a GGUF file: names, sizes and content of what loading reads, of
    large files a sample.

    A sample is 32 pieces spread over the file, so that a model of 16 GB takes no longer than one of 16 MB; training
    changes weights everywhere, a change of a few bytes may be missed. Times do not count: a copy is the same model.
    """
    if path.is_file():
        stat = path.stat()
        return _model_digest(path.parent, ((path.name, stat.st_size, stat.st_mtime_ns),))
    found = [*path.glob("*"), *path.glob("[0-9]_*/*")]  # sentence-transformers has folders such as 1_Pooling
    stats = {file: file.stat() for file in sorted(found) if file.suffix in MODEL_FILES and file.is_file()}
    files = ((str(file.relative_to(path)), stat.st_size, stat.st_mtime_ns) for file, stat in stats.items())
    return _model_digest(path, tuple(files))


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
