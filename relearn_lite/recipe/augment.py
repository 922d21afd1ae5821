"""`augment`: who writes the new answers, and how they are checked."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import (
    Field,
    SerializerFunctionWrapHandler,
    ValidationInfo,
    field_validator,
    model_serializer,
    model_validator,
)

from relearn_lite.recipe.base import ModelName, RecipePath, Section, model_name, one_of
from relearn_lite.recipe.names import QUESTION_KINDS, WRITERS


class WriterChoice(Section):
    """Who writes or reads text: no model, a local one, or a server."""

    writer: Annotated[str, one_of(WRITERS)] = "rules"
    """`rules` needs no model; `local` runs a chat model on this machine; `server` asks any OpenAI-compatible server."""
    model: str | None = None
    """local: folder or hub id, default the recipe's own model. server: the name that the server gives its model."""
    base_url: str | None = None
    """server: address, such as http://127.0.0.1:11434/v1. What the writer reads is sent there."""
    api_key_env: str | None = None
    """server: name of the environment variable that holds the key. The key itself never goes into a recipe."""
    concurrency: int = Field(8, ge=1)
    """server: requests under way at once."""
    batch_size: int = Field(8, ge=1)
    """local: prompts written at once."""
    max_new_tokens: int = Field(160, ge=8)
    """Most tokens of one text."""
    temperature: float = Field(0.7, ge=0)
    """0 always writes the likeliest text; higher varies more."""
    timeout_s: float = Field(60, gt=0)
    """server: seconds to wait for one answer."""

    def shares(self, model: str) -> bool:
        """Whether it writes with the recipe's own model, of this name, and not with one of its own."""
        return self.writer == "local" and self.model in (None, model)

    @field_validator("model")
    @classmethod
    def _local_models_are_folders_or_hub_ids(cls, value: str | None, info: ValidationInfo) -> str | None:
        return model_name(value, info) if value and info.data.get("writer") == "local" else value

    @model_validator(mode="after")
    def _server_is_named(self) -> WriterChoice:
        if self.writer == "server" and not (self.base_url and self.model):
            missing = " and ".join(key for key in ("base_url", "model") if not getattr(self, key))
            raise ValueError(f"writer: server needs {missing} too, such as http://127.0.0.1:11434/v1 and qwen3:8b")
        return self


class Semantic(Section):
    """The leak check by meaning, of what passes form and word lists: paraphrases, translations, hints."""

    embeddings: ModelName = "embedded"
    """Who compares texts: `embedded` (by spelling only), or a sentence-transformers model, a hub id or a folder."""
    similarity: float | None = Field(0.6, gt=0, le=1)
    """Cosine of new and original answer, without the name, from which on a text is refused; null: not measured."""
    gain: float | None = Field(None, gt=0)
    """Nats a token by which the text makes the original answer likelier to the vanilla model, from which on it is
    refused; null: not measured. Costs two forward passes an answer."""


class Augment(WriterChoice):
    """Writes new, vague answers for the forget set (paper, section 3)."""

    questions: list[Literal[QUESTION_KINDS]] = list(QUESTION_KINDS)
    """Question variants to write besides the original; [] for none."""
    verify_rounds: int = Field(3, ge=1)
    """How often a target that leaks or is unfit is written again before it is given up."""
    completion_fraction: float = Field(0.25, ge=0, lt=1)
    """Besides each pair, this share of the new answer becomes a prompt and the rest its completion; 0 for none."""
    generic_ratio: float = Field(1.2, ge=0)
    """Generic pairs to one augmented pair."""
    answers_per_question: int = Field(1, ge=1, le=20)
    """Different vague answers to each question and variant. More vary more and take longer to write and to learn."""
    semantic: Semantic | None = None
    """The leak check by meaning; null for none. {} with its defaults."""
    prompts: RecipePath | None = None
    """A YAML file laid over the prompts that come with the project (writers/prompts.yaml). Default: those."""
    from_: RecipePath | None = Field(None, alias="from")
    """Augmented data that exists already: question/answer rows as published (.json, .jsonl), or another run's
    augmented.jsonl. Checked like everything else; what fails is written again, and so is what the file leaves out."""

    @model_serializer(mode="wrap")
    def _by_its_key(self, serialize: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """`from` is a word of Python, so the field has another name; written out it is the recipe's key again."""
        return {"from" if key == "from_" else key: value for key, value in serialize(self).items()}
