"""What a recipe may say. One class a section, one docstring a key: help, JSON schema and documentation come from these.

Only what a section can check on its own is checked here; what needs the data or the model is checked by
`relearn_lite.pipeline.check`. This module imports neither torch nor transformers.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationInfo,
    field_validator,
    model_validator,
)

from relearn_lite.data.presets import PAIRS, TABLES
from relearn_lite.metrics import DEFAULT, name_problems
from relearn_lite.unlearn.losses import FORGET_TERMS, METHODS, RETAIN_TERMS
from relearn_lite.writers import QUESTION_KINDS, WRITERS


def _resolve(path: Path, info: ValidationInfo) -> Path:
    """Makes a path absolute: relative ones are relative to the recipe's folder, given as validation context."""
    base = (info.context or {}).get("base", Path.cwd())
    return (base / path.expanduser()).resolve()


def _model_name(name: str, info: ValidationInfo) -> str:
    """A folder is made absolute like any path of the recipe; everything else is a hub id or `embedded`."""
    if name == "embedded":
        return name
    folder = _resolve(Path(name), info)
    if folder.is_dir():
        return str(folder)
    if name.startswith((".", "/", "~")) or not re.fullmatch(r"[\w.-]+(/[\w.-]+)?", name):
        raise ValueError(
            f"there is no folder {folder}; give 'embedded', an existing folder, or a hub id such as org/name"
        )
    return name


def _one_of(allowed: Any) -> Any:
    """A validator for a name out of a registry, so that the message can list what there is."""

    def check(value: str) -> str:
        if value not in allowed:
            raise ValueError(f"unknown name, allowed: {', '.join(allowed)}")
        return value

    return AfterValidator(check)


RecipePath = Annotated[Path, AfterValidator(_resolve)]
ModelName = Annotated[str, AfterValidator(_model_name)]


class Section(BaseModel):
    """A part of the recipe. Unknown keys are errors."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, use_attribute_docstrings=True, protected_namespaces=(), allow_inf_nan=False
    )


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
    """`4bit` is NF4 with double quantization, about a quarter of the memory; `none` keeps the model's own precision."""
    max_length: int = Field(512, ge=16)
    """Most tokens of question and answer together. Longer rows are an error, never cut in silence."""
    trust_remote_code: bool = False
    """Runs code that the model's author put on the hub. Leave it off unless you have read that code."""

    def other(self, name: str) -> Model:
        """Another model, held in the same way: a vanilla model that was taught, a writer, a judge."""
        return self.model_copy(update={"name": name, "init": "pretrained", "revision": None})


class Source(Section):
    """One table of questions and answers: a file, a hub data set, or a part of a known benchmark."""

    path: RecipePath | None = None
    """A .json, .jsonl, .csv or .parquet file."""
    dataset: str | None = None
    """A data set on the hub, such as locuslab/TOFU."""
    config: str | None = None
    """The configuration of the hub data set, where it has several."""
    split: str = "train"
    """The split of the hub data set."""
    revision: str | None = None
    """Branch, tag or commit of the hub data set."""
    preset: Annotated[str, _one_of(TABLES)] | None = None
    """A table of a known benchmark, such as tofu/forget10 or tofu/real_authors."""
    folder: RecipePath | None = None
    """Reads the preset's files from this folder, not from the hub."""
    question: str | None = None
    """Column that holds the question. Default: `question`, or what the preset says."""
    answer: str | None = None
    """Column that holds the answer. Default: `answer`, or what the preset says."""
    paraphrase: str | None = None
    """Column with a second wording of the question, never trained on; the model is asked it too."""
    limit: int | None = Field(None, ge=1)
    """Takes the first so many rows."""

    @model_validator(mode="after")
    def _at_most_one_origin(self) -> Source:
        given = [key for key in ("path", "dataset", "preset") if getattr(self, key) is not None]
        if len(given) > 1:
            raise ValueError(f"{given[0]} and {given[1]} are both given: choose one")
        if self.folder is not None and given in (["path"], ["dataset"]):
            raise ValueError(
                "folder is where a preset's files lie, and there is no preset: remove it, or choose a preset"
            )
        return self

    @property
    def has_origin(self) -> bool:
        """False where the source only narrows what `data.preset` gives, such as `{limit: 40}`."""
        return any((self.path, self.dataset, self.preset))


class Taught(Source):
    """A table that `finetune` teaches."""

    repeat: int = Field(1, ge=1)
    """How often each row comes up in one epoch: more for what must sit firmly."""


class Data(Section):
    """What to forget, what to keep, and what to ask afterwards."""

    preset: Annotated[str, _one_of(PAIRS)] | None = None
    """A known benchmark: fills in `forget` and `retain` (and `generic` where it has one)."""
    folder: RecipePath | None = None
    """Reads the preset's files from this folder, not from the hub."""
    forget: Source | None = None
    """The forget set: questions and answers that the model must no longer give."""
    retain: Source | None = None
    """The retain set: close to the forget set, to be kept."""
    forget_eval: Source | None = None
    """Questions to measure forgetting with. Default: the forget set."""
    retain_eval: Source | None = None
    """Questions to measure retention with. Default: the retain set."""
    generic: Source | None = None
    """General questions and answers, mixed in against catastrophic forgetting."""

    @model_validator(mode="after")
    def _complete(self) -> Data:
        for name in ("forget", "retain"):
            source = getattr(self, name)
            if self.preset is None and not (source and source.has_origin):
                raise ValueError(
                    f"{name}: nothing says where it is; give it a path, a dataset or a preset, or set data.preset"
                )
        for name in ("forget_eval", "retain_eval", "generic"):
            source = getattr(self, name)
            if source is not None and not source.has_origin:
                raise ValueError(f"{name}: nothing says where it is; give it a path, a dataset or a preset")
        if self.folder is not None and self.preset is None:
            raise ValueError(
                "folder is where the files of data.preset lie, and there is none: set data.preset, or remove it"
            )
        return self


def _targets(value: Any) -> list[str] | str:
    if value == "all-linear" or (isinstance(value, list) and value and all(isinstance(v, str) for v in value)):
        return value
    raise ValueError("give all-linear, or a list of module names such as [q_proj, v_proj]")


class Lora(Section):
    """Low-rank adaptation: only two thin matrices a layer are trained."""

    r: int = Field(32, ge=1)
    """Rank. Higher learns more and takes more memory."""
    alpha: int = Field(32, ge=1)
    """Scale; the update is multiplied by alpha / r."""
    dropout: float = Field(0.05, ge=0, lt=1)
    """Dropout on the input of the adapter."""
    targets: Annotated[Any, AfterValidator(_targets)] = "all-linear"
    """`all-linear`, or a list of module names."""


class Training(Section):
    """What both training stages share."""

    epochs: int = Field(4, ge=1)
    """Passes over the data. More learns (or forgets) more thoroughly and takes longer."""
    lr: float = Field(1e-5, gt=0)
    """Peak learning rate of AdamW."""
    batch_size: int = Field(1, ge=1)
    """Rows computed at once: decides the memory."""
    accumulate: int = Field(4, ge=1)
    """Batches added up before a step: batch_size x accumulate is the effective batch."""
    weight_decay: float = Field(0.01, ge=0)
    """Decay of AdamW."""
    warmup_epochs: float = Field(1.0, ge=0)
    """Epochs over which the learning rate rises from 0; it falls linearly to 0 afterwards."""
    checkpoint_every: int = Field(50, ge=1)
    """Optimizer steps between checkpoints: a killed run loses at most so many."""


class Finetune(Training):
    """Teaches the model the data first: the result is the vanilla model, the one that knows."""

    epochs: int = Field(10, ge=1)
    """Passes over the data, until the model knows it by heart."""
    lr: float = Field(3e-4, gt=0)
    """Peak learning rate of AdamW."""
    batch_size: int = Field(16, ge=1)
    """Rows computed at once: decides the memory."""
    accumulate: int = Field(4, ge=1)
    """Batches added up before a step: batch_size x accumulate is the effective batch."""
    lora: Lora | None = Lora(r=8, alpha=16, dropout=0.1)
    """LoRA settings; null trains all weights (small models only; needs quantization: none)."""
    data: list[Taught] | None = Field(None, min_length=1)
    """What to teach. Default: the forget set and the retain set."""

    @model_validator(mode="after")
    def _every_source_is_somewhere(self) -> Finetune:
        for number, source in enumerate(self.data or []):
            if not source.has_origin:
                raise ValueError(f"data: item {number + 1} has no path, dataset or preset; give it one of these")
        return self


class WriterChoice(Section):
    """Who writes or reads text: no model, a local one, or a server."""

    writer: Annotated[str, _one_of(WRITERS)] = "rules"
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

    @field_validator("model")
    @classmethod
    def _local_models_are_folders_or_hub_ids(cls, value: str | None, info: ValidationInfo) -> str | None:
        return _model_name(value, info) if value and info.data.get("writer") == "local" else value

    @model_validator(mode="after")
    def _server_is_named(self) -> WriterChoice:
        if self.writer == "server" and not (self.base_url and self.model):
            missing = " and ".join(key for key in ("base_url", "model") if not getattr(self, key))
            raise ValueError(f"writer: server needs {missing} too, such as http://127.0.0.1:11434/v1 and qwen3:8b")
        return self


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


class Unlearn(Training):
    """Trains the adapter that forgets."""

    method: Annotated[str, _one_of(METHODS)] | None = None
    """A published name, default relearn_klr_gdr. Or null, with forget_loss and retain_losses spelled out."""
    forget_loss: Annotated[str, _one_of(FORGET_TERMS)] | None = None
    """The forget term: ce (learn the new answers), ga, npo or dpo."""
    retain_losses: dict[str, float] | None = None
    """Weighted retain terms, such as {ce: 1.0, kl: 1.0}."""
    beta: float = Field(0.1, gt=0)
    """Sharpness of npo and dpo."""
    lora: Lora = Lora()
    """LoRA settings. Published code: r 32, alpha 32, dropout 0.05 on all linear layers."""

    @model_validator(mode="after")
    def _one_way_to_name_the_loss(self) -> Unlearn:
        if self.forget_loss and self.method:
            raise ValueError("method and forget_loss are both given: choose one")
        if self.retain_losses is not None and not self.forget_loss:
            raise ValueError("retain_losses needs forget_loss; a published method already says its retain terms")
        unknown = sorted(set(self.retain_losses or {}) - set(RETAIN_TERMS))
        if unknown:
            raise ValueError(f"retain_losses: unknown term {unknown[0]!r}, allowed: {', '.join(RETAIN_TERMS)}")
        return self

    @property
    def terms(self) -> tuple[str, dict[str, float]]:
        """The forget term and the weighted retain terms."""
        if self.forget_loss:
            return self.forget_loss, dict(self.retain_losses or {})
        method = METHODS[self.method or "relearn_klr_gdr"]
        return method.forget, dict(method.retain)


class Generate(Section):
    """How questions are answered."""

    max_new_tokens: int = Field(128, ge=1)
    """Most tokens of one answer. Fewer is faster and may cut answers off; the report counts those."""
    sampling: Literal["greedy", "published"] = "greedy"
    """`greedy` repeats exactly; `published` is the paper's: temperature 0.7, top_p 0.9, top_k 5 (seeded here)."""
    batch_size: int = Field(16, ge=1)
    """Questions answered at once: more is faster and takes more memory."""


MODEL_EVALUATORS = {
    "entities": {"writer": "local", "model": "Qwen/Qwen2.5-3B-Instruct", "temperature": 0.0},
    "embeddings": "sentence-transformers/all-MiniLM-L12-v2",
    "nli": "sileod/deberta-v3-base-tasksource-nli",
    "language_model": "vanilla",
}


class EntityWriter(WriterChoice):
    """Who lists the entities of an answer; `rules` is the embedded extractor."""

    temperature: float = Field(0.0, ge=0)
    """0 always lists what is likeliest, so that a judgement repeats."""


def _entity_writer(value: Any) -> Any:
    return {"writer": "rules"} if value == "embedded" else value


class Evaluators(Section):
    """Who judges. Each is `embedded` (runs anywhere, calibrated on real answers) or a real model."""

    entities: Annotated[EntityWriter, BeforeValidator(_entity_writer)] = EntityWriter()
    """`embedded`, or a writer: {writer: local, model: ...} or {writer: server, base_url: ..., model: ...}."""
    embeddings: str = "embedded"
    """`embedded`, or a sentence-transformers model by folder or hub id."""
    nli: str = "embedded"
    """`embedded`, or a natural-language-inference model by folder or hub id."""
    language_model: str = "vanilla"
    """`vanilla` (the model before unlearning), a causal model by folder or hub id, or `none`."""


def _evaluators(value: Any) -> Any:
    named = {"embedded": {}, "models": MODEL_EVALUATORS}
    if isinstance(value, str):
        if value not in named:
            raise ValueError(
                "give embedded, models, or the evaluators one by one: entities, embeddings, nli, language_model"
            )
        return named[value]
    return value


def _metric_names(names: list[str]) -> list[str]:
    if not names:
        raise ValueError(f"no metric is named; give some of these: {', '.join(DEFAULT)}")
    if problems := name_problems(names):
        raise ValueError(" ".join(problem.removeprefix("evaluate.metrics: ") for problem in problems))
    return names


class Evaluate(Section):
    """What is measured, and who judges."""

    evaluators: Annotated[Evaluators, BeforeValidator(_evaluators)] = Evaluators()
    """`embedded`, `models`, or spelled out: entities, embeddings, nli, language_model."""
    metrics: Annotated[list[str], AfterValidator(_metric_names)] = list(DEFAULT)
    """Metrics to compute."""


class Trainer(Section):
    """Passed to lightning.Trainer: this is how a run grows past one GPU."""

    accelerator: Literal["auto", "cpu", "gpu"] = "auto"
    """What trains. `auto`: a GPU where there is one."""
    devices: Annotated[int, Field(ge=1)] | Literal["auto"] = 1
    """How many."""
    strategy: str = "auto"
    """Lightning's strategy, such as ddp."""
    num_nodes: int = Field(1, ge=1)
    """Machines."""
    precision: Literal["auto", "32-true", "bf16-mixed", "16-mixed"] = "auto"
    """auto: bf16-mixed on cards that have it, 16-mixed on older ones, 32-true on a CPU."""
    logger: Literal["csv", "tensorboard", "wandb", "none"] = "csv"
    """Where losses go besides the run folder's own CSV. wandb runs offline unless you log in."""


class Report(Section):
    """What the report shows."""

    mask: bool = False
    """Blocks out the specifics of forget answers, so that a report can be passed on."""


def _name(value: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}", value):
        raise ValueError("a run's name is a folder under runs/: letters, digits, '.', '_' and '-' only, no '/'")
    return value


class Recipe(Section):
    """The whole job: which model forgets what, how, and how it is measured."""

    name: Annotated[str, AfterValidator(_name)]
    """The run goes to runs/<name>."""
    seed: int = Field(42, ge=0, lt=2**32)
    """Everything random follows from it."""
    model: Model = Model()
    data: Data
    finetune: Finetune | None = None
    """null: the model knows the data already."""
    augment: Augment = Augment()
    unlearn: Unlearn | None = Unlearn()
    """null: only measure the model as it is."""
    generate: Generate = Generate()
    evaluate: Evaluate = Evaluate()
    trainer: Trainer = Trainer()
    report: Report = Report()

    @model_validator(mode="after")
    def _full_training_needs_full_weights(self) -> Recipe:
        full = self.finetune is not None and self.finetune.lora is None
        if full and self.model.quantization != "none":
            raise ValueError("finetune.lora: null trains all weights, which needs model.quantization: none")
        if self.model.init == "random" and not full:
            raise ValueError(
                "model.init: random needs a finetune section with lora: null, to teach the model from nothing"
            )
        return self
