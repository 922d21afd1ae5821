"""`augment`: who writes the new answers, and how they are checked."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import Field, ValidationInfo, field_validator

from relearn_lite.recipe.base import DISTINCT, CountOrAuto, RecipePath, Section, ServerAddress, model_name, model_or
from relearn_lite.recipe.names import QUESTION_KINDS, WRITERS


class WriterChoice(Section):
    """Who writes or reads text: rules, a chat model on this machine, or a server."""

    writer: Literal[WRITERS] = "rules"
    """`rules` needs no model; `self` lets the recipe's own model say other things about the subject (for augment);
    `local` runs a chat model on this machine; `server` asks any OpenAI-compatible server."""
    model: str | None = None
    """local: folder or hub id; default: the recipe's own model. server: the model's name on that server."""
    base_url: ServerAddress | None = None
    """server: its address, such as http://127.0.0.1:11434/v1. What the writer reads is sent there."""
    api_key_env: str | None = None
    """server: name of the environment variable that holds the key. The key itself never goes into a recipe."""
    concurrency: CountOrAuto = "auto"
    """server: requests sent in parallel; `auto`: as many as make it faster, found by trying, up to 64."""
    batch_size: CountOrAuto = 8
    """local, self: prompts completed at once; `auto`: with `temperature: 0` as many as memory takes, else 16."""
    max_new_tokens: int = Field(160, ge=8)
    """Upper limit on the tokens of one text."""
    temperature: float = Field(0.7, ge=0)
    """0 always writes the likeliest text; higher values vary more."""
    timeout_s: float = Field(60, gt=0)
    """server: seconds to wait for one answer."""

    def uses_model(self, name: str) -> bool:
        """Whether it writes with the recipe's own model, which has this name, and so can share its weights."""
        return self.writer == "self" or self.writer == "local" and self.model in (None, name)

    @field_validator("model")
    @classmethod
    def _local_models_are_folders_or_hub_ids(cls, value: str | None, info: ValidationInfo) -> str | None:
        return model_name(value, info) if value and info.data.get("writer") == "local" else value

    def contradictions(self) -> Iterator[str]:
        if self.writer == "server" and not (self.base_url and self.model):
            missing = " and ".join(key for key in ("base_url", "model") if not getattr(self, key))
            yield f"writer: server needs {missing} too, such as http://127.0.0.1:11434/v1 and qwen3:8b"


class Semantic(Section):
    """A leak check by meaning, for texts that pass the checks of form and words: it finds paraphrases, translations
    and hints."""

    embeddings: Annotated[str, model_or("minilm")] = "embedded"
    """What compares texts: `embedded` (by spelling only), `minilm` (see evaluate.evaluators.embeddings), or a
    sentence-transformers model by hub id or folder."""
    similarity: float | None = Field(0.6, gt=0, le=1)
    """A text is refused from this cosine similarity of the new and the original answer on, names left out. null: not
    measured."""
    gain: float | None = Field(None, gt=0)
    """A text is refused when reading it makes the original answer likelier to the vanilla model by this much, in nats
    per token. null: not measured. Costs two forward passes per answer."""


class Augment(WriterChoice):
    """Writes new, vague answers for the forget set (paper, section 3)."""

    questions: Annotated[list[Literal[QUESTION_KINDS]], DISTINCT] = list(QUESTION_KINDS)
    """Kinds of variants of each question to write besides the original; [] for none."""
    variants: int = Field(1, ge=1, le=10)
    """Variants of each kind. More wordings teach the fact and not the wording, and take longer to learn."""
    verify_rounds: int = Field(3, ge=1)
    """How often an answer that leaks or does not fit is rewritten before rules write it."""
    completion_fraction: float = Field(0.25, ge=0, lt=1)
    """Each pair also gives a completion: this share of the new answer is the prompt, the rest the target. 0: none."""
    generic_ratio: float = Field(1.2, ge=0)
    """Generic pairs for each augmented pair."""
    answers_per_question: int = Field(1, ge=1, le=20)
    """Different vague answers to each question and variant. More vary more, and take longer to write and to learn."""
    opening: Literal["varied", "name"] = "varied"
    """How answers by rules about somebody's own affairs begin. `varied`: each differently. `name`: with the person's
    name, as the original mostly does; what a model knows by heart gives way to it in fewer steps, see
    docs/real_models.md."""
    semantic: Semantic | None = None
    """A leak check by meaning; null: none, {}: with its defaults."""
    prompts: RecipePath | None = None
    """A YAML file whose entries replace those of the prompts that come with the project (writers/prompts.yaml)."""
    from_: RecipePath | None = Field(None, alias="from")
    """Augmented data that exists already: question/answer rows as published (.json, .jsonl), or another run's
    augmented.jsonl. They pass the same checks as new ones; what fails or is missing is written."""
