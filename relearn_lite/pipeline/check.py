"""What can be known to be wrong before anything is done: data, keys, folders, versions."""

from __future__ import annotations

import os

from relearn_lite.core.environment import unsafe_versions
from relearn_lite.core.errors import RecipeError
from relearn_lite.core.records import QA
from relearn_lite.data.sources import overlap
from relearn_lite.data.tokens import read_template
from relearn_lite.models import backends
from relearn_lite.pipeline.data import load_data
from relearn_lite.recipe import Recipe

ADAPTER_FILES = ("adapter_config.json", "adapter_model.safetensors")


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
    problems += [*_backend_problems(recipe), *_template_problems(recipe), *_key_problems(recipe)]
    problems += [*_adapter_problems(recipe), *unsafe_versions()]
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


def _template_problems(recipe: Recipe) -> list[str]:
    if recipe.model.chat_template == "auto":
        return []
    try:
        read_template(recipe.model.chat_template)
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
