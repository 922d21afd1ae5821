"""GPU memory, disk and answers of the `attack` stage, step by step: one model is in memory at a time."""

from __future__ import annotations

from dataclasses import replace

from relearn_lite.attacks.jailbreaks import jailbreaks
from relearn_lite.attacks.relearning import measured_steps
from relearn_lite.models.shape import HALF, SINGLE
from relearn_lite.pipeline.named_models import writer_model
from relearn_lite.plan.estimate import Estimate, Parts, StageMemory, largest
from relearn_lite.recipe.names import QUESTION_KINDS

QUANTIZATION = {"8bit": "8bit", "4bit": "4bit", "merged_in_4bit": "4bit"}  # of precisions whose weights are not 16 bit


def attacking(estimate: Estimate) -> list[StageMemory]:
    """Each step of the stage that the recipe asks for; of the precisions the largest."""
    found = [StageMemory("attack", _asking(estimate), "asking")]
    if estimate.recipe.attacks.relearn:
        found.append(StageMemory("attack", _relearning(estimate), "relearning"))
    if parts := precisions(estimate):
        name = max(parts, key=lambda name: sum(parts[name].values()))
        found.append(StageMemory("attack", parts[name], f"precision {name}"))
    return [*found, StageMemory("attack", _judging(estimate), "judging")]


def precisions(estimate: Estimate) -> dict[str, Parts]:
    """The base in each precision that the recipe asks for, with its adapters, while it is asked.

    Merging needs both, the full weights first; without an adapter there is nothing to merge. Embeddings are never
    offloaded there.
    """
    whole = estimate.recipe.model.model_copy(update={"offload_embeddings": False})
    estimate = replace(estimate, recipe=estimate.recipe.model_copy(update={"model": whole}))
    names = dict.fromkeys(estimate.recipe.attacks.precision) if estimate.recipe.attacks else ()
    adapters, model = estimate.sizes.adapters(estimate.recipe), estimate.asked
    at_work = {"LoRA": SINGLE * adapters, **estimate.generating(model)}
    return {
        name: {"weights": model.weights(QUANTIZATION.get(name, "none")), **at_work}
        for name in names if adapters or not name.startswith("merged")
    }  # fmt: skip


def merged_copy(estimate: Estimate) -> int:
    """Bytes on disk of the merged weights that `merged_then_4bit` writes and reads again."""
    return HALF * estimate.asked.parameters if "merged_then_4bit" in precisions(estimate) else 0


def most_answers(estimate: Estimate) -> int:
    """The most answers that the stage asks for, all its attacks together."""
    recipe, settings = estimate.recipe, estimate.recipe.attacks
    each = 1 + len(precisions(estimate))  # to every question of both sides: plain, and in each precision
    if settings.paraphrase:
        each += len(recipe.augment.questions or QUESTION_KINDS) + 1  # the data's own paraphrase is one more
    if settings.jailbreak:
        each += sum(len(prompt.turns) for prompt in jailbreaks())
    if settings.relearn:
        each += len(set(settings.relearn.sources)) * len(measured_steps(settings.relearn))
    drawn = recipe.evaluate.privacy.samples + 1 if settings.sampling else 0  # to a forget and a retain question
    return settings.questions * (2 * each + drawn)


def _asking(estimate: Estimate) -> Parts:
    """Plain questions, paraphrases and their writer, jailbreaks with all their turns, draws."""
    recipe = estimate.recipe
    turns = max(len(prompt.turns) for prompt in jailbreaks()) if recipe.attacks.jailbreak else 1
    parts, at_work = estimate.loaded(), [estimate.generating(estimate.asked, turns)]
    if recipe.attacks.paraphrase:
        if name := writer_model(recipe, recipe.augment):
            parts[f"writer {name}"] = estimate.weights(estimate.sizes.others[name])
        at_work.append(estimate.writing(recipe.augment))
    return parts | largest(*at_work)


def _relearning(estimate: Estimate) -> Parts:
    """An adapter in training on top of the others, all examples in one batch; answers at points of the curve."""
    parts = estimate.training("attack", estimate.recipe.attacks.relearn.examples)
    at_work = {name: parts.pop(name) for name in ("activations", "logits")}
    adapters = {"LoRA": SINGLE * estimate.sizes.adapters(estimate.recipe)}
    return parts | adapters | largest(at_work, estimate.generating(estimate.asked))


def _judging(estimate: Estimate) -> Parts:
    """KFR and KRR alone: nobody judges fluency, nobody rates."""
    evaluate = estimate.recipe.evaluate
    chosen = evaluate.evaluators.model_copy(update={"language_model": "none", "judge": None})
    plain = evaluate.model_copy(update={"metrics": ["kfr", "krr"]})
    estimate = Estimate(estimate.recipe.model_copy(update={"evaluate": plain}), estimate.sizes)
    parts = estimate.loaded() if estimate.judged_by_vanilla(chosen) else {}
    return parts | estimate.judges(chosen) | estimate.writing(chosen.entities)
