"""GPU memory of every stage that holds a model, by what it is for.

Parts of one stage stand side by side in memory. Of what comes one after the other (asking, scoring, judging), the
largest is taken. Rows are taken to be as long as model.max_length.
"""

from __future__ import annotations

from relearn_lite.analyze.distribution import POSITIONS as LENS_POSITIONS
from relearn_lite.judges.measured import BATCH, POSITIONS
from relearn_lite.models.scoring import BATCH as SCORED
from relearn_lite.pipeline.fingerprints import asks_vanilla
from relearn_lite.pipeline.stages import stages_of
from relearn_lite.plan.attack import attacking
from relearn_lite.plan.footprint import HALF, SINGLE, Shape, mask_gradients
from relearn_lite.plan.models import Counted, asks_for, other_model
from relearn_lite.plan.pieces import (
    Need,
    Parts,
    asking,
    fitting,
    held,
    judges,
    most,
    scoring,
    sets_of,
    shares_vanilla,
    writing_by,
)
from relearn_lite.recipe import Recipe


def needs(recipe: Recipe, counted: Counted) -> list[Need]:
    """GPU memory of every stage that holds a model; of `attack` one for each of its steps."""
    made = {
        "finetune": _finetuning, "augment": _writing, "unlearn": _unlearning, "generate": _answering,
        "evaluate": _evaluating, "analyze": _analysing,
    }  # fmt: skip
    stages = stages_of(recipe)
    found = [Need(stage, made[stage](recipe, counted)) for stage in stages if stage in made]
    return found + (attacking(recipe, counted) if "attack" in stages else [])


def _finetuning(recipe: Recipe, counted: Counted) -> Parts:
    return fitting(recipe, counted, "finetune", recipe.finetune.batch_size)


def _unlearning(recipe: Recipe, counted: Counted) -> Parts:
    section = recipe.unlearn
    parts = fitting(recipe, counted, "unlearn", section.batch_size, sets_of(recipe))
    at_work = {name: parts.pop(name) for name in ("activations", "logits")}
    if recipe.finetune and recipe.finetune.lora:
        parts["vanilla adapter"] = SINGLE * counted.trained(recipe, "finetune")
    if section.objective.mask != "none":
        adapter = counted.trained(recipe, "unlearn")
        parts["gradient mask"] = mask_gradients(adapter, bool(section.objective.retain), section.accumulate)
    if section.evaluate_every:  # who judges the checks stays in memory, what a check computes comes between two steps
        generate = recipe.generate
        parts |= judges(recipe, counted, recipe.evaluate.evaluators)
        at_work = most(at_work, asking(recipe, counted.shape, generate.batch_size, generate.max_new_tokens))
    return parts | at_work


def _writing(recipe: Recipe, counted: Counted) -> Parts:
    section, quantization = recipe.augment, recipe.model.quantization
    semantic, name = section.semantic, other_model(recipe, recipe.augment)
    parts, ways = {}, [writing_by(recipe, counted, section)]
    gain = semantic is not None and semantic.gain is not None
    if asks_vanilla(recipe):
        taught = recipe.finetune and recipe.finetune.lora
        parts = {"weights": counted.shape.weights(quantization)}
        parts |= {"vanilla adapter": SINGLE * counted.trained(recipe, "finetune")} if taught else {}
    if name:
        parts[f"writer {name}"] = counted.others[name].weights(quantization)
    if gain:
        ways.append(scoring(counted.shape, SCORED * recipe.model.max_length))
    if semantic is not None and semantic.similarity is not None and semantic.embeddings in counted.encoders:
        parts[semantic.embeddings] = SINGLE * counted.encoders[semantic.embeddings]
    return parts | most(*ways)


def _answering(recipe: Recipe, counted: Counted) -> Parts:
    section = recipe.generate
    return held(recipe, counted) | asking(recipe, counted.shape, section.batch_size, section.max_new_tokens)


def _evaluating(recipe: Recipe, counted: Counted) -> Parts:
    chosen, given, length = recipe.evaluate.evaluators, recipe.unlearned, recipe.model.max_length
    measured, shared = asks_for(recipe, "measured"), shares_vanilla(recipe, recipe.evaluate.evaluators)
    parts = held(recipe, counted)  # in memory since it answered
    if given and given.model and measured and shared:  # a judge holds on to vanilla while the other one is asked
        parts["vanilla beside it"] = counted.shape.weights(recipe.model.quantization)
    parts |= judges(recipe, counted, chosen)
    reference = recipe.evaluate.privacy.reference_model
    if "mia_reference" in recipe.evaluate.metrics:
        own = reference == "base" and recipe.base_model == "separate"
        beside = counted.shape if own else counted.others.get(reference)
        parts |= {f"reference {reference}": beside.weights(recipe.model.quantization)} if beside else {}
    ways = [writing_by(recipe, counted, chosen.entities)]
    if asks_for(recipe, "judge"):
        ways.append(writing_by(recipe, counted, chosen.judge))
    if chosen.language_model != "none":
        ways.append(scoring(counted.others.get(chosen.language_model, counted.shape), SCORED * length))
    return parts | most(*ways, *(_measuring(recipe, counted) if measured else ()))


def _measuring(recipe: Recipe, counted: Counted) -> list[Parts]:
    """What metrics take that ask the model itself: its probabilities, answers that are drawn, gradients."""
    shape, length, names = counted.shape, recipe.model.max_length, recipe.evaluate.metrics
    positions = min(POSITIONS, BATCH * length)
    ways = [{"activations": shape.forward(BATCH * length), "logits": 5 * SINGLE * positions * shape.vocabulary}]
    if {"leak_at_k", "model_utility"} & {*names}:
        ways.append(asking(recipe, shape, recipe.generate.batch_size, recipe.generate.max_new_tokens))
    if "mia_gradnorm" in names:
        # One row, nothing computed again, whole logits; quantised weights have no gradients.
        own = shape.parameters - (shape.linear if recipe.model.quantization != "none" else 0)
        ways.append({
            "gradients": HALF * own, "activations": shape.activations(length, False, lora=False),
            "logits": 4 * SINGLE * length * shape.vocabulary,
        })  # fmt: skip
    return ways


def _analysing(recipe: Recipe, counted: Counted) -> Parts:
    section, shape = recipe.analyze, counted.shape
    tokens = section.batch_size * recipe.model.max_length
    models = 2 if recipe.unlearn or recipe.unlearned else 1
    head = SINGLE * min(LENS_POSITIONS, tokens) * shape.vocabulary
    ways: list[Parts] = []
    if section.distribution:
        ways.append({
            "states": shape.states(tokens, models), "activations": shape.forward(tokens), "logits": (models + 3) * head
        })  # fmt: skip
    if section.memory:
        states = shape.states(tokens, models * (shape.layers + 1))
        ways.append({"states": states, "activations": shape.forward(tokens), "logits": 3 * head})
    if section.circuits != "none" and models > 1:
        ways.append(_circuits(recipe, shape, tokens))
    return held(recipe, counted) | most(*ways)


def _circuits(recipe: Recipe, shape: Shape, tokens: int) -> Parts:
    """What each part wrote in both models, and a run; `auto` as attribution, which it is for all but small models."""
    recordings = 2 * (shape.states(tokens, shape.layers) + HALF * tokens * shape.layers * shape.width)
    if recipe.analyze.circuits == "patching":
        return {"states": recordings} | scoring(shape, tokens)
    return {
        "states": recordings, "gradients": 2 * shape.states(tokens, 2 * shape.layers),
        "activations": shape.activations(tokens, False, lora=False), "logits": shape.logits(tokens),
    }  # fmt: skip
