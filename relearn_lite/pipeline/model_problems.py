"""What can be known to be wrong with the models that a recipe names, without their weights and without the hub."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path

from relearn_lite.core.errors import RecipeError, naming
from relearn_lite.core.memory import tell_once
from relearn_lite.data.tokens import read_template
from relearn_lite.models import backends, transformers_backend
from relearn_lite.models.gguf import cached_gguf, check_gguf, is_gguf
from relearn_lite.pipeline.named_models import judging_models, needed_models
from relearn_lite.recipe import Model, Recipe


def model_problems(recipe: Recipe) -> list[str]:
    """What is wrong with the backend, the chat template and the models that lie here, but for their weights. What lies
    on the hub is looked at when it is loaded."""
    model, checks, problems = recipe.model, [], []
    if model.backend != "auto":  # which always finds one, and would import torch to choose it
        checks.append(lambda: backends.choose(model))
    if model.chat_template != "auto":
        checks.append(lambda: read_template(model.chat_template))
    full_precision = bool(recipe.finetune and not recipe.finetune.lora)
    checks.append(partial(_check_where_it_lies, "model.name", model, full_precision))
    for key, name in {**needed_models(recipe), **judging_models(recipe)}.items():
        settings = model.settings_for(name, derived=key == "unlearned.model")
        checks.append(partial(_check_where_it_lies, key, settings))
    for raise_if_wrong in checks:
        try:
            raise_if_wrong()
        except RecipeError as error:
            problems += error.problems
    return problems


def _check_where_it_lies(key: str, model: Model, full_precision: bool = False) -> None:
    """Raises RecipeError for what is wrong with a file or a folder, but for its weights, that this key names."""
    with naming(key):
        if is_gguf(model.name):
            check_gguf(model.name)
        elif Path(model.name).is_dir():
            transformers_backend.check(model, full_precision=full_precision)


def target_problems(recipe: Recipe) -> list[str]:
    """LoRA targets that the model has not, where its configuration lies here: they would be found after the writing."""
    relearn = recipe.attacks and recipe.attacks.relearn
    sections = {"finetune": recipe.finetune, "unlearn": recipe.unlearn, "attacks.relearn": relearn}
    named = {key: section.lora for key, section in sections.items() if section and section.lora}
    named = {key: lora.targets for key, lora in named.items() if isinstance(lora.targets, list)}
    configuration = _configuration(recipe.model) if named else None
    if not configuration:
        return []
    try:
        model = transformers_backend.empty_model(recipe.model.model_copy(update={"name": str(configuration.parent)}))
    except RecipeError:  # told when it is loaded
        return []
    return [f"{key}.{why}" for key, targets in named.items() if (why := transformers_backend.unfit(model, targets))]


def _configuration(model: Model) -> Path | None:
    """A model's config.json, where its folder or the hub's cache has it; the hub is not asked."""
    from huggingface_hub import try_to_load_from_cache

    try:
        name = cached_gguf(model.name) if is_gguf(model.name) else transformers_backend.folder_or_id(model.name)
        place = Path(name) / "config.json"
        if not place.is_file():
            place = Path(try_to_load_from_cache(str(name), place.name, revision=model.revision) or "")
        return place if place.is_file() else None
    except (OSError, ValueError, TypeError, RecipeError):  # told when it is loaded
        return None


def tell_learning_rate(recipe: Recipe) -> None:
    """Tells of a learning rate that can hardly be meant, where the model's width is known."""
    configuration = _configuration(recipe.model) if recipe.unlearn else None
    if not configuration:
        return
    try:
        config = json.loads(configuration.read_text(encoding="utf-8"))
        hidden_size = config.get("hidden_size") or config["text_config"]["hidden_size"]
    except (OSError, ValueError, LookupError, TypeError, AttributeError):  # told when it is loaded
        return
    if isinstance(hidden_size, int) and hidden_size > 0 and (told := recipe.unlearn.far_off(hidden_size)):
        tell_once(told)
