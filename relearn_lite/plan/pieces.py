"""What a stage's memory is made of: a model with its adapters, questions, a batch in training, those who judge."""

from __future__ import annotations

from dataclasses import dataclass

from relearn_lite.plan.footprint import SINGLE, Shape, optimizer, trained
from relearn_lite.plan.models import Counted, asks_for, encoder_names, judging_models, other_model, writes_here
from relearn_lite.recipe import Evaluators, Recipe, WriterChoice
from relearn_lite.unlearn.losses import FORGET_LOSSES, RETAIN_LOSSES

Parts = dict[str, int]


@dataclass(frozen=True)
class Need:
    """GPU memory of one stage, or of one step of it, in bytes, by what it is for."""

    stage: str
    parts: Parts
    step: str = ""

    @property
    def total(self) -> int:
        return sum(self.parts.values())

    @property
    def name(self) -> str:
        return f"{self.stage}, {self.step}" if self.step else self.stage


def most(*ways: Parts) -> Parts:
    """The largest of what comes one after the other."""
    return max(ways, key=lambda parts: sum(parts.values()), default={})


def held(recipe: Recipe, counted: Counted) -> Parts:
    """The model with its adapters, as it is asked. Whole unlearned weights take its place, the larger one counts."""
    given, quantization = recipe.unlearned, recipe.model.quantization
    shapes = [counted.shape, *([counted.others[given.model]] if given and given.model else [])]
    return {
        "weights": max(shape.weights(quantization) for shape in shapes), "LoRA": SINGLE * counted.adapters(recipe)
    }  # fmt: skip


def asking(recipe: Recipe, shape: Shape, rows: int, new: int, turns: int = 1) -> Parts:
    """What `rows` questions at once take, with `new` tokens an answer; turns: of a conversation, answers in between."""
    tokens = turns * (recipe.model.max_length + new)
    return {
        "KV cache": shape.kv_cache(rows, tokens), "activations": shape.forward(rows * (tokens - new)),
        "logits": SINGLE * rows * shape.vocabulary,
    }  # fmt: skip


def writing_by(recipe: Recipe, counted: Counted, choice: WriterChoice | None) -> Parts:
    """What a local writer takes while it writes, its weights not among it; nothing of others."""
    name = other_model(recipe, choice)
    if not writes_here(choice) or (name and name not in counted.others):
        return {}
    return asking(recipe, counted.others.get(name, counted.shape), choice.batch_size, choice.max_new_tokens)


def fitting(recipe: Recipe, counted: Counted, stage: str, rows: int, sets: int = 1) -> Parts:
    """What training takes, of LoRA or of all weights; `sets` batches of `rows` rows are alive at once."""
    shape, model, adapter = counted.shape, recipe.model, counted.trained(recipe, stage)
    parts = {"weights": shape.weights(model.quantization)}
    if stage == "finetune" and recipe.finetune.lora is None:
        parts["weights"] = SINGLE * shape.parameters  # float32, all of them trained
        parts["gradients"] = SINGLE * shape.parameters
    else:
        parts["LoRA and gradients"] = trained(adapter) - optimizer(adapter)
    # All sets of rows are alive until the backward pass; their chunked logits are not.
    tokens = rows * model.max_length
    return parts | {
        "optimizer": optimizer(adapter),
        "activations": shape.activations(sets * tokens, model.gradient_checkpointing is not False),
        "logits": shape.logits(tokens),
    }


def judges(recipe: Recipe, counted: Counted, chosen: Evaluators) -> Parts:
    """Weights of the models that judge and are not the recipe's own; those on other machines take nothing here."""
    judged = recipe.model_copy(update={"evaluate": recipe.evaluate.model_copy(update={"evaluators": chosen})})
    causal, quantization = judging_models(judged), recipe.model.quantization
    names = (name for key, name in causal.items() if key.startswith("evaluate.evaluators."))
    parts = {name: counted.others[name].weights(quantization) for name in names if name in counted.others}
    if chosen.language_model == "base" and recipe.base_model == "separate":
        parts["base model"] = counted.shape.weights(quantization)
    names = (name for key, name in encoder_names(judged).items() if key.startswith("evaluate."))
    return parts | {name: SINGLE * counted.encoders[name] for name in names if name in counted.encoders}


def shares_vanilla(recipe: Recipe, chosen: Evaluators) -> bool:
    """Whether one of those who judge is the recipe's own model."""
    writers = (chosen.entities, chosen.judge if asks_for(recipe, "judge") else None)
    own = ("vanilla",) if recipe.base_model == "separate" else ("vanilla", "base")
    return chosen.language_model in own or any(choice.uses_model(recipe.model.name) for choice in writers if choice)


def sets_of(recipe: Recipe) -> int:
    """Forward passes with gradients a batch: one a set of forget rows, and one a way to look at retain rows."""
    method = recipe.unlearn.objective
    return len(FORGET_LOSSES[method.forget].trains_on) + len({RETAIN_LOSSES[name].reads for name in method.retain})


def scoring(shape: Shape, tokens: int) -> Parts:
    """A forward pass whose logits are chunked."""
    return {"activations": shape.forward(tokens), "logits": shape.logits(tokens)}
