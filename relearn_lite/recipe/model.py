"""The model, and one that somebody else unlearned."""

from __future__ import annotations

from typing import Literal

from pydantic import (
    Field,
    model_validator,
)

from relearn_lite.recipe.base import ModelName, RecipePath, Section


class Model(Section):
    """The model that knows what it must forget."""

    name: ModelName = "embedded"
    """`embedded` (a tiny chat model that comes with the project), a folder, or a hub id."""
    revision: str | None = None
    """Branch, tag or commit on the hub; pins the model so that a later run gets the same one."""
    init: Literal["pretrained", "random"] = "pretrained"
    """`random` keeps only the architecture and the tokenizer: `finetune` then teaches the model from nothing."""
    backend: Literal["auto", "unsloth", "transformers"] = "auto"
    """`auto` takes Unsloth where a GPU and Unsloth are present, else transformers, peft and bitsandbytes."""
    quantization: Literal["4bit", "8bit", "none"] = "4bit"
    """`4bit` is NF4 with double quantization, about a quarter of the memory; `none` is 16 bit on a GPU (bfloat16, or
    float16 where the card is too old for it) and float32 on a CPU, whatever the weights are stored in."""
    max_length: int = Field(512, ge=16)
    """Most tokens of question and answer together. Longer rows are an error, never cut in silence."""
    gradient_checkpointing: Literal["auto", True, False] = "auto"
    """Computes activations again in the backward pass: less memory, about a third more time. `auto`: on a GPU."""
    trust_remote_code: bool = False
    """Runs code that the model's author put beside the weights. Leave it off unless you have read that code. It goes
    for this model, also when `finetune` has taught it, and for `unlearned.model`; never for a judge, a writer or
    `evaluate.privacy.reference_model`."""

    def other(self, name: str, *, kin: bool = False) -> Model:
        """Another model, held in the same way: a writer, a judge. Its author's code is not run.

        kin: it is this model, taught or unlearned or exported, and may run code where this one may.
        """
        trusted = kin and self.trust_remote_code
        update = {"name": name, "init": "pretrained", "revision": None, "trust_remote_code": trusted}
        return self.model_copy(update=update)


class Unlearned(Section):
    """A model that was unlearned already, here or by somebody else: it is compared with `model`, nothing is trained."""

    adapter: RecipePath | None = None
    """Folder of a peft adapter (adapter_config.json, adapter_model.safetensors) that goes on top of `model`."""
    model: ModelName | None = None
    """Or whole weights, by folder or hub id."""

    @model_validator(mode="after")
    def _one_of_two(self) -> Unlearned:
        if (self.adapter is None) == (self.model is None):
            raise ValueError(
                "give either adapter (a folder) or model (a folder or hub id)"
                + ("" if self.adapter is None else ", not both")
            )
        return self
