"""GPU memory of every stage that loads a model, by what it is for.

Parts of one stage are in memory together; of what comes one after the other (asking, scoring, judging) the largest
counts.
"""

from __future__ import annotations

from relearn_lite.analyze.distribution import POSITIONS
from relearn_lite.models.scoring import BATCH
from relearn_lite.models.shape import HALF, SINGLE
from relearn_lite.pipeline.fingerprints import uses_vanilla
from relearn_lite.pipeline.named_models import asks_for, writer_model
from relearn_lite.pipeline.stages import stages_of
from relearn_lite.plan.attack import attacking
from relearn_lite.plan.estimate import Estimate, Parts, StageMemory, forward_passes, largest, scoring
from relearn_lite.plan.footprint import mask_gradients
from relearn_lite.plan.model_sizes import ModelSizes
from relearn_lite.recipe import Recipe


def memory_of_stages(recipe: Recipe, sizes: ModelSizes) -> list[StageMemory]:
    """GPU memory of every stage that loads a model; of `attack` one for each of its steps."""
    stages, estimate = stages_of(recipe), Estimate(recipe, sizes)
    found = [StageMemory(stage, STAGES[stage](estimate)) for stage in stages if stage in STAGES]
    return found + (attacking(estimate) if "attack" in stages else [])


def _vanilla_adapters(estimate: Estimate) -> Parts:
    """Adapters that are part of the vanilla model, where there are any."""
    parameters = estimate.sizes.vanilla_adapters(estimate.recipe)
    return {"vanilla adapter": SINGLE * parameters} if parameters else {}


def _unlearning(estimate: Estimate) -> Parts:
    recipe, sizes, section = estimate.recipe, estimate.sizes, estimate.recipe.unlearn
    parts = estimate.training("unlearn", section.batch_size, forward_passes(recipe))
    at_work = {name: parts.pop(name) for name in ("activations", "logits")}
    parts |= _vanilla_adapters(estimate)
    if section.objective.mask != "none":
        parts["gradient mask"] = mask_gradients(sizes.trained(recipe, "unlearn"), bool(section.objective.retain))
    # Judges stay in memory, and what an evaluation computes comes between two steps.
    if section.evaluate_every or section.searches:
        parts |= estimate.judges(recipe.evaluate.evaluators)
        at_work = largest(at_work, estimate.generating(estimate.shape))
    return parts | at_work


def _augmenting(estimate: Estimate) -> Parts:
    recipe, sizes, section = estimate.recipe, estimate.sizes, estimate.recipe.augment
    semantic, name = section.semantic, writer_model(recipe, section)
    parts, at_work = {}, [estimate.writing(section)]
    if uses_vanilla(recipe):
        parts = {"weights": estimate.weights(estimate.shape)} | _vanilla_adapters(estimate)
    if name:
        parts[f"writer {name}"] = estimate.weights(sizes.others[name])
    if semantic and semantic.gain is not None:
        at_work.append(scoring(estimate.shape, BATCH * recipe.model.max_length))
    if semantic and semantic.similarity is not None and semantic.embeddings in sizes.encoders:
        parts[semantic.embeddings] = SINGLE * sizes.encoders[semantic.embeddings]
    return parts | largest(*at_work)


def _asking(estimate: Estimate) -> Parts:
    """The vanilla model answers, then the judges of KFR come beside it."""
    parts = {"weights": estimate.weights(estimate.shape)} | _vanilla_adapters(estimate)
    chosen = estimate.recipe.evaluate.evaluators.knowledge_only
    return parts | estimate.judges(chosen) | largest(
        estimate.generating(estimate.shape), estimate.writing(chosen.entities)
    )


def _collecting(estimate: Estimate) -> Parts:
    """As asking; a model that proposes questions comes before, and stays."""
    section = estimate.recipe.collect.proposals
    parts = _asking(estimate)
    if name := writer_model(estimate.recipe, section):
        parts[f"proposals {name}"] = estimate.weights(estimate.sizes.others[name])
    return largest(parts, parts | estimate.writing(section)) if section else parts


def _evaluating(estimate: Estimate) -> Parts:
    recipe, others, chosen = estimate.recipe, estimate.sizes.others, estimate.recipe.evaluate.evaluators
    asks_model = asks_for(recipe, "model")
    parts = estimate.loaded()  # in memory since it answered
    if asks_model and recipe.unlearned and recipe.unlearned.whole and estimate.judged_by_vanilla(chosen):
        parts["vanilla beside it"] = estimate.weights(estimate.shape)  # a judge keeps it while the other one is asked
    parts |= estimate.judges(chosen)
    reference = recipe.evaluate.privacy.reference_model
    if "mia_reference" in recipe.evaluate.metrics:
        own = reference == "base" and recipe.base_model == "separate"
        if beside := estimate.shape if own else others.get(reference):
            parts[f"reference {reference}"] = estimate.weights(beside)
    at_work = [estimate.writing(chosen.entities)]
    if asks_for(recipe, "judge"):
        at_work.append(estimate.writing(chosen.judge))
    if chosen.language_model != "none":
        shape = others.get(chosen.language_model, estimate.shape)
        at_work.append(scoring(shape, BATCH * recipe.model.max_length))
    return parts | largest(*at_work, *(_asking_the_model(estimate) if asks_model else ()))


def _asking_the_model(estimate: Estimate) -> list[Parts]:
    """What metrics take that ask the model itself: its probabilities, answers that are drawn, gradients."""
    recipe, shape, names = estimate.recipe, estimate.shape, estimate.recipe.evaluate.metrics
    length = recipe.model.max_length
    at_work = [scoring(shape, BATCH * length)]
    if {"leak_at_k", "model_utility"} & {*names}:
        at_work.append(estimate.generating(shape))
    if "mia_gradnorm" in names:
        # One row, nothing computed again, whole logits; quantized weights have no gradients.
        own = shape.parameters - (shape.linear if recipe.model.quantization != "none" else 0)
        at_work.append({
            "gradients": HALF * own, "activations": shape.activations(length, False, lora=False),
            "logits": 4 * SINGLE * length * shape.vocabulary,
        })  # fmt: skip
    return at_work


def _putting_tasks(estimate: Estimate) -> Parts:
    """lm-eval takes whole logits. Counted for questions of `model.max_length` tokens; tasks may have longer ones."""
    tokens = estimate.recipe.evaluate.general.batch_size * estimate.recipe.model.max_length
    shape = estimate.shape
    return estimate.loaded() | {"activations": shape.forward(tokens), "logits": SINGLE * tokens * shape.vocabulary}


def _analyzing(estimate: Estimate) -> Parts:
    recipe, shape, section = estimate.recipe, estimate.shape, estimate.recipe.analyze
    tokens = section.batch_size * recipe.model.max_length
    models = 2 if recipe.unlearn or recipe.unlearned else 1
    logits = SINGLE * min(POSITIONS, tokens) * shape.vocabulary
    forward = shape.forward(tokens)
    at_work: list[Parts] = []
    if section.distribution:
        states = shape.states(tokens, models)
        at_work.append({"states": states, "activations": forward, "logits": (models + 3) * logits})
    if section.memory:
        states = shape.states(tokens, models * (shape.layers + 1))
        at_work.append({"states": states, "activations": forward, "logits": 3 * logits})
    if section.circuits != "none" and models > 1:
        # What each component wrote in both models, and a run; `auto` as attribution, which it is but for small models.
        recordings = 2 * (shape.states(tokens, shape.layers) + HALF * tokens * shape.layers * shape.width)
        by_attribution = {
            "gradients": 2 * shape.states(tokens, 2 * shape.layers),
            "activations": shape.activations(tokens, False, lora=False), "logits": shape.logits(tokens),
        }  # fmt: skip
        run = scoring(shape, tokens) if section.circuits == "patching" else by_attribution
        at_work.append({"states": recordings} | run)
    return estimate.loaded() | largest(*at_work)


STAGES = {
    "finetune": lambda estimate: estimate.training("finetune", estimate.recipe.finetune.batch_size),
    "collect": _collecting,
    "ask": _asking,
    "augment": _augmenting,
    "unlearn": _unlearning,
    "generate": lambda estimate: estimate.loaded() | estimate.generating(estimate.shape),
    "evaluate": _evaluating,
    "general": _putting_tasks,
    "analyze": _analyzing,
}
