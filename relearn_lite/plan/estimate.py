"""What a stage's memory is made of: a model with its adapters, questions, a batch in training, the judges."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from relearn_lite.models.batch_sizes import AUTO
from relearn_lite.models.shape import SINGLE, Shape
from relearn_lite.pipeline.named_models import asks_for, encoder_names, judging_models, writer_model
from relearn_lite.plan.footprint import optimizer
from relearn_lite.plan.model_sizes import ModelSizes
from relearn_lite.recipe import Evaluators, Recipe, WriterChoice
from relearn_lite.unlearn.losses import FORGET_LOSSES, RETAIN_LOSSES

Parts = dict[str, int]  # what it is for -> bytes


@dataclass(frozen=True)
class StageMemory:
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


def largest(*alternatives: Parts) -> Parts:
    """The largest of what comes one after the other."""
    return max(alternatives, key=lambda parts: sum(parts.values()), default={})


def forward_passes(recipe: Recipe) -> int:
    """Forward passes of `batch_size` rows, with gradients, a batch: one a set of forget rows, `retain_rows` a way to
    look at retain rows, and one of generic rows of their own."""
    method = recipe.unlearn.objective
    retain = len({RETAIN_LOSSES[name].reads for name in method.retain}) * recipe.unlearn.retain_rows
    return len(FORGET_LOSSES[method.forget].trains_on) + retain + bool(method.generic)


def scoring(shape: Shape, tokens: int) -> Parts:
    """A forward pass whose logits are chunked."""
    return {"activations": shape.forward(tokens), "logits": shape.logits(tokens)}


@dataclass(frozen=True)
class Estimate:
    """A recipe and the sizes of its models: the memory of what its stages have in common."""

    recipe: Recipe
    sizes: ModelSizes

    @property
    def shape(self) -> Shape:
        """The recipe's model, as far as it is on the card."""
        return self._on_card(self.sizes.shape)

    def _on_card(self, shape: Shape) -> Shape:
        return shape.offloaded() if self.recipe.model.offload_embeddings else shape

    def weights(self, shape: Shape) -> int:
        """Of a model that is loaded as the recipe's is."""
        return shape.weights(self.recipe.model.quantization)

    @property
    def asked(self) -> Shape:
        """The unlearned model: whole weights where the recipe names some, else the recipe's model."""
        unlearned = self.recipe.unlearned
        return self._on_card(self.sizes.others[unlearned.whole]) if unlearned and unlearned.whole else self.shape

    def loaded(self) -> Parts:
        """The model with its adapters, as it is asked. Of it and whole unlearned weights the larger one counts."""
        weights = max(self.weights(shape) for shape in (self.shape, self.asked))
        return {"weights": weights, "LoRA": SINGLE * self.sizes.adapters(self.recipe)}

    def answering(self, shape: Shape, rows: int | Literal["auto"], new: int, turns: int = 1) -> Parts:
        """`rows` questions at once (`auto`: one, the least that it does), with `new` tokens an answer; turns: of a
        conversation, answers in between."""
        return shape.answering(1 if rows == AUTO else rows, turns * (self.recipe.model.max_length + new), new)

    def generating(self, shape: Shape, turns: int = 1) -> Parts:
        """Answers as the recipe's `generate` section has them."""
        return self.answering(shape, self.recipe.generate.batch_size, self.recipe.generate.max_new_tokens, turns)

    def writing(self, choice: WriterChoice | None) -> Parts:
        """What a local writer takes while it writes, without its weights; nothing for others."""
        name = writer_model(self.recipe, choice)
        if not choice or choice.writer != "local" or (name and name not in self.sizes.others):
            return {}
        shape = self.sizes.others.get(name, self.shape)
        return self.answering(shape, choice.batch_size, choice.max_new_tokens)

    def training(self, stage: str, rows: int, passes: int = 1) -> Parts:
        """Training of LoRA or of all weights, with so many forward passes of `rows` rows before a backward pass."""
        adapter, checkpointing = self.sizes.trained(self.recipe, stage), self.recipe.model.gradient_checkpointing
        if stage == "finetune" and self.recipe.finetune.lora is None:
            float32 = SINGLE * self.sizes.shape.parameters
            parts = {"weights": float32, "gradients": float32}
        else:
            parts = {"weights": self.weights(self.shape), "LoRA and gradients": 2 * SINGLE * adapter}
        # The activations of all passes are alive until the backward pass; their chunked logits are not.
        tokens = rows * self.recipe.model.max_length
        return parts | {
            "optimizer": optimizer(adapter, "adamw" if stage == "attack" else getattr(self.recipe, stage).optimizer),
            "activations": self.shape.activations(passes * tokens, checkpointing is not False),
            "logits": self.shape.logits(tokens),
        }

    def judges(self, chosen: Evaluators) -> Parts:
        """Weights of the models that judge and are not the recipe's own; those on other machines take nothing here."""
        evaluate = self.recipe.evaluate.model_copy(update={"evaluators": chosen})
        judged = self.recipe.model_copy(update={"evaluate": evaluate})
        others, encoders = self.sizes.others, self.sizes.encoders
        causal = [name for key, name in judging_models(judged).items() if key.startswith("evaluate.evaluators.")]
        parts = {name: self.weights(others[name]) for name in causal if name in others}
        if chosen.language_model == "base" and self.recipe.base_model == "separate":
            parts["base model"] = self.weights(self.shape)
        names = [name for key, name in encoder_names(judged).items() if key.startswith("evaluate.")]
        return parts | {name: SINGLE * encoders[name] for name in names if name in encoders}

    def judged_by_vanilla(self, chosen: Evaluators) -> bool:
        """Whether one of the judges is the recipe's own model."""
        writers = (chosen.entities, chosen.judge if asks_for(self.recipe, "judge") else None)
        own = ("vanilla",) if self.recipe.base_model == "separate" else ("vanilla", "base")
        name = self.recipe.model.name
        return chosen.language_model in own or any(choice.uses_model(name) for choice in writers if choice)
