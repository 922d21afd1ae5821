"""GPU memory, disk and answers of the `attack` stage, step by step: one model is in memory at a time."""

from __future__ import annotations

from relearn_lite.attacks.jailbreaks import jailbreaks
from relearn_lite.attacks.relearning import measured_steps
from relearn_lite.plan.footprint import HALF, SINGLE
from relearn_lite.plan.models import Counted, other_model
from relearn_lite.plan.pieces import Need, Parts, asking, fitting, held, judges, most, shares_vanilla, writing_by
from relearn_lite.recipe import Recipe
from relearn_lite.recipe.names import QUESTION_KINDS

FULL = ("bf16", "fp16", "merged", "merged_dequantized", "merged_then_4bit")  # ways that hold the weights in 16 bit


def attacking(recipe: Recipe, counted: Counted) -> list[Need]:
    """Each step of the stage that the recipe asks for; of the ways of `precision` the largest."""
    found = [Need("attack", _asked(recipe, counted), "asking")]
    if recipe.attacks.relearn:
        found.append(Need("attack", _relearning(recipe, counted), "relearning"))
    ways = {way: precision(recipe, counted, way) for way in ways_of(recipe, counted)}
    if ways:
        largest = max(ways, key=lambda way: sum(ways[way].values()))
        found.append(Need("attack", ways[largest], f"precision {largest}"))
    return [*found, Need("attack", _judging(recipe, counted), "judging")]


def ways_of(recipe: Recipe, counted: Counted) -> list[str]:
    """The ways of `precision` that there are: without an adapter there is nothing to merge."""
    ways = dict.fromkeys(recipe.attacks.precision)
    return [way for way in ways if counted.adapters(recipe) or not way.startswith("merged")]


def precision(recipe: Recipe, counted: Counted, way: str) -> Parts:
    """The base held in this way, with its adapters, while it is asked. Merging needs both, the full weights first."""
    quantization = "none" if way in FULL else "4bit" if way == "merged_in_4bit" else way
    return {
        "weights": _attacked(recipe, counted).weights(quantization), "LoRA": SINGLE * counted.adapters(recipe),
        **_answers(recipe, counted),
    }  # fmt: skip


def merged_copy(recipe: Recipe, counted: Counted) -> int:
    """Bytes on disk of the merged weights that `merged_then_4bit` writes and reads again."""
    asked = recipe.attacks is not None and "merged_then_4bit" in ways_of(recipe, counted)
    return HALF * _attacked(recipe, counted).parameters if asked else 0


def answers(recipe: Recipe, counted: Counted) -> int:
    """The most answers that the stage asks for, all its attacks together."""
    settings, q = recipe.attacks, recipe.attacks.questions
    total = 2 * q
    if settings.paraphrase:
        kinds = recipe.augment.questions or QUESTION_KINDS
        total += 2 * q * (len(kinds) + 1)  # the data's own paraphrase is one more
    if settings.jailbreak:
        total += 2 * q * sum(len(prompt.turns) for prompt in jailbreaks())
    if settings.sampling:
        total += q * (recipe.evaluate.privacy.samples + 1)
    if settings.relearn:
        total += 2 * q * len(set(settings.relearn.sources)) * len(measured_steps(settings.relearn))
    return total + 2 * q * len(ways_of(recipe, counted))


def _attacked(recipe: Recipe, counted: Counted):
    given = recipe.unlearned
    return counted.others[given.model] if given and given.model else counted.shape


def _answers(recipe: Recipe, counted: Counted, turns: int = 1) -> Parts:
    generate = recipe.generate
    return asking(recipe, _attacked(recipe, counted), generate.batch_size, generate.max_new_tokens, turns)


def _asked(recipe: Recipe, counted: Counted) -> Parts:
    """Plain questions, paraphrases and their writer, jailbreaks with all their turns, draws."""
    settings = recipe.attacks
    turns = max(len(prompt.turns) for prompt in jailbreaks()) if settings.jailbreak else 1
    parts, ways = held(recipe, counted), [_answers(recipe, counted, turns)]
    if settings.paraphrase:
        if name := other_model(recipe, recipe.augment):
            parts[f"writer {name}"] = counted.others[name].weights(recipe.model.quantization)
        ways.append(writing_by(recipe, counted, recipe.augment))
    return parts | most(*ways)


def _relearning(recipe: Recipe, counted: Counted) -> Parts:
    """An adapter in training on top of the others, all examples in one batch; answers at points of the curve."""
    parts = fitting(recipe, counted, "attack", recipe.attacks.relearn.examples)
    at_work = {name: parts.pop(name) for name in ("activations", "logits")}
    return parts | {"LoRA": SINGLE * counted.adapters(recipe)} | most(at_work, _answers(recipe, counted))


def _judging(recipe: Recipe, counted: Counted) -> Parts:
    """KFR and KRR alone: nobody judges fluency, nobody rates."""
    chosen = recipe.evaluate.evaluators.model_copy(update={"language_model": "none", "judge": None})
    plain = recipe.evaluate.model_copy(update={"metrics": ["kfr", "krr"]})
    recipe = recipe.model_copy(update={"evaluate": plain})
    parts = held(recipe, counted) if shares_vanilla(recipe, chosen) else {}
    return parts | judges(recipe, counted, chosen) | writing_by(recipe, counted, chosen.entities)
