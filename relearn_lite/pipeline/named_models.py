"""Which models a recipe names beside `model.name`, by the keys that name them."""

from __future__ import annotations

from relearn_lite.metrics import METRICS
from relearn_lite.pipeline.stages import stages_of
from relearn_lite.recipe import Recipe, WriterChoice


def asks_for(recipe: Recipe, need: str) -> bool:
    """Whether a metric of the recipe needs this field of the evaluators, such as `model`."""
    return any(need in METRICS[name].needs for name in recipe.evaluate.metrics)


def writer_model(recipe: Recipe, choice: WriterChoice | None) -> str | None:
    """The model that a local writer has to itself; None where it has none, or uses the recipe's."""
    return choice.model if choice and choice.writer == "local" and not choice.uses_model(recipe.model.name) else None


def needed_models(recipe: Recipe) -> dict[str, str]:
    """Causal models that a run cannot do without: a writer's, the unlearned whole weights."""
    writes = "augment" in stages_of(recipe) or (recipe.attacks is not None and recipe.attacks.paraphrase)
    found = {
        "augment.model": writer_model(recipe, recipe.augment) if writes else None,
        "collect.proposals.model": writer_model(recipe, recipe.collect.proposals) if recipe.data.collects else None,
        "unlearned.model": recipe.unlearned and recipe.unlearned.whole,
    }
    return {key: name for key, name in found.items() if name}


def judging_models(recipe: Recipe) -> dict[str, str]:
    """Causal models that judge and are not the recipe's own."""
    judges, asks_reference = recipe.evaluate.evaluators, "mia_reference" in recipe.evaluate.metrics
    found = {
        "evaluate.evaluators.entities.model": writer_model(recipe, judges.entities),
        "evaluate.evaluators.judge.model": writer_model(recipe, judges.judge) if asks_for(recipe, "judge") else None,
        "evaluate.evaluators.language_model": judges.language_model,
        "evaluate.privacy.reference_model": recipe.evaluate.privacy.reference_model if asks_reference else None,
    }
    return {key: name for key, name in found.items() if name not in (None, "vanilla", "base", "none")}


def encoder_names(recipe: Recipe) -> dict[str, str]:
    """Models that embed texts or infer."""
    judges, semantic = recipe.evaluate.evaluators, recipe.augment.semantic
    found = {"evaluate.evaluators.embeddings": judges.embeddings, "evaluate.evaluators.nli": judges.nli}
    if semantic and semantic.similarity is not None and "augment" in stages_of(recipe):
        found["augment.semantic.embeddings"] = semantic.embeddings
    return {key: name for key, name in found.items() if name != "embedded"}
