"""From `evaluate.evaluators` in the recipe to those who judge."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from relearn_lite.core.errors import naming
from relearn_lite.core.records import QA
from relearn_lite.data.tokens import BARE
from relearn_lite.evaluate.paper import differences_from_paper
from relearn_lite.judges import Evaluators, LanguageModel
from relearn_lite.judges.entity_words import RuleEntities
from relearn_lite.judges.evaluated_model import Context
from relearn_lite.judges.language_model import CausalLanguageModel
from relearn_lite.judges.nli import LexicalNLI, TransformersNLI
from relearn_lite.judges.prompted import PromptedEntities, PromptedRatings
from relearn_lite.metrics import METRICS
from relearn_lite.metrics.forget_quality import read_retain_ratios
from relearn_lite.models import backends
from relearn_lite.models.embeddings import make_embeddings
from relearn_lite.models.loaded import Loaded
from relearn_lite.recipe import Recipe, WriterChoice
from relearn_lite.writers import Writer, make_writer


def make_evaluators(recipe: Recipe, vanilla: Callable[[], Loaded]) -> Evaluators:
    """The evaluators that the recipe names. `vanilla()` gives the model before unlearning, whose weights they share."""
    held: dict[str, Loaded] = {}  # models that were loaded for one of them, by name: another may share them
    named = recipe.evaluate.evaluators

    def writer(choice: WriterChoice, key: str) -> Writer:
        return make_writer(choice, f"evaluate.evaluators.{key}", recipe, vanilla, held)

    # The judge is made only where a metric asks for it: a local one is a whole model.
    rated = named.judge and any("judge" in METRICS[name].needs for name in recipe.evaluate.metrics)
    prompted = named.entities.writer != "rules"
    return Evaluators(
        entities=PromptedEntities(writer(named.entities, "entities")) if prompted else RuleEntities(),
        embeddings=make_embeddings(named.embeddings),
        nli=LexicalNLI() if named.nli == "embedded" else TransformersNLI(named.nli),
        judge=PromptedRatings(writer(named.judge, "judge")) if rated else None,
        language_model=_language_model(recipe, vanilla, held),  # after those that write, whose weights it may share
    )


def make_judge(recipe: Recipe, vanilla: Callable[[], Loaded]) -> PromptedRatings:
    """Who rates answers, alone; the recipe names one."""
    return PromptedRatings(make_writer(recipe.evaluate.evaluators.judge, "evaluate.evaluators.judge", recipe, vanilla))


def knowledge_evaluators(recipe: Recipe, vanilla: Callable[[], Loaded]) -> Evaluators:
    """Those of the recipe's that KFR and KRR need: who judges fluency or rates answers need not be loaded for them."""
    changes = {"metrics": ["kfr", "krr"], "evaluators": recipe.evaluate.evaluators.knowledge_only}
    judging = recipe.evaluate.model_copy(update=changes)
    return make_evaluators(recipe.model_copy(update={"evaluate": judging}), vanilla)


def _language_model(
    recipe: Recipe, vanilla: Callable[[], Loaded], held: dict[str, Loaded]
) -> LanguageModel | None:
    name = recipe.evaluate.evaluators.language_model
    if name == "none":
        return None
    own = recipe.model.name == "embedded"
    if name == "vanilla" or (name == "base" and recipe.base_model == "vanilla"):
        return CausalLanguageModel(vanilla(), f"vanilla ({recipe.model.name})", own)
    if name == "base":
        return CausalLanguageModel(base_model(recipe, vanilla), f"base model ({recipe.model.name})", own, adapters=())
    settings = recipe.model.settings_for(name)
    if name not in held:
        with naming("evaluate.evaluators.language_model"):
            held[name] = backends.load(settings, recipe.seed)
    loaded = held[name]
    if settings.chat_template == "none":  # as questions are asked; a writer on the same weights keeps its own
        loaded = replace(loaded, tokenizer=copy.deepcopy(loaded.tokenizer))
        loaded.tokenizer.chat_template = BARE
    return CausalLanguageModel(loaded, name, False)


def base_model(recipe: Recipe, vanilla: Callable[[], Loaded]) -> Loaded:
    """What holds the base model, the one before `finetune` and `model.adapters`: it is had with no adapter on.

    Vanilla's own weights, but where finetune.lora is null and all of them were taught: there the base is loaded beside
    vanilla, at the cost of its whole weights in memory.
    """
    if recipe.base_model != "separate":
        return vanilla()
    return backends.load(recipe.model, recipe.seed)


def comparable_with_paper(recipe: Recipe) -> bool:
    """Whether KFR, KRR, LS and ROUGE may stand beside the paper's. Other metrics never do: those are ratings by other
    judges, or numbers that the paper has not."""
    return not differences_from_paper(recipe)


def context_of(recipe: Recipe, data: Mapping[str, Sequence[QA]]) -> Context:
    """What a recipe and its data give. Raises RecipeError where the retain model's results cannot be read."""
    results = recipe.evaluate.retain_model_results
    return Context(
        records={qa.id: qa for part in ("forget_eval", "retain_eval", "earlier") for qa in data.get(part, ())},
        members=data.get("members", ()),
        holdout=data.get("holdout", ()),
        real_authors=data.get("real_authors", ()),
        world_facts=data.get("world_facts", ()),
        retain_ratios=read_retain_ratios(results) if results else None,
        privacy=recipe.evaluate.privacy,
        generate=recipe.generate,
        seed=recipe.seed,
    )
