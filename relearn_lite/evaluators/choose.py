"""From `evaluate.evaluators` in the recipe to those who judge."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from relearn_lite.evaluators import Evaluators, embedded_evaluators
from relearn_lite.schema import MODEL_EVALUATORS

if TYPE_CHECKING:
    from relearn_lite.backends import Loaded
    from relearn_lite.schema import Recipe


def make_evaluators(recipe: Recipe, vanilla: Callable[[], Loaded]) -> Evaluators:
    """The evaluators that the recipe names. `vanilla()` gives the model before unlearning, which judges fluency."""
    from relearn_lite.evaluators.embeddings import SentenceTransformerEmbeddings
    from relearn_lite.evaluators.entities import PromptedEntities
    from relearn_lite.evaluators.nli import TransformersNLI
    from relearn_lite.writers.choose import make_writer

    chosen, embedded = recipe.evaluate.evaluators, embedded_evaluators()
    entities = embedded.entities
    if chosen.entities.writer != "rules":
        entities = PromptedEntities(make_writer(chosen.entities, "evaluate.evaluators.entities", recipe, vanilla))
    return Evaluators(
        entities=entities,
        embeddings=embedded.embeddings
        if chosen.embeddings == "embedded"
        else SentenceTransformerEmbeddings(chosen.embeddings),
        nli=embedded.nli if chosen.nli == "embedded" else TransformersNLI(chosen.nli),
        language_model=_language_model(recipe, vanilla),
    )


def _language_model(recipe: Recipe, vanilla: Callable[[], Loaded]):
    from relearn_lite import backends
    from relearn_lite.evaluators.language_model import CausalLanguageModel

    name = recipe.evaluate.evaluators.language_model
    if name == "none":
        return None
    if name == "vanilla":
        return CausalLanguageModel(vanilla(), f"vanilla ({recipe.model.name})", recipe.model.name == "embedded")
    return CausalLanguageModel(backends.load(recipe.model.other(name), recipe.seed), name, False)


def comparable_with_paper(recipe: Recipe) -> bool:
    """Whether the numbers may stand beside the paper's: its evaluators, on a whole benchmark that it used."""
    chosen, data = recipe.evaluate.evaluators, recipe.data
    same_judges = (chosen.embeddings, chosen.nli) == (MODEL_EVALUATORS["embeddings"], MODEL_EVALUATORS["nli"])
    whole = not any(source and source.limit for source in (data.forget, data.retain))
    return (
        same_judges
        and chosen.entities.writer != "rules"
        and data.preset in ("knowundo/privacy", "tofu/forget10")
        and whole
    )
