"""Whether a run's numbers may stand beside the ReLearn paper's: everything that they hang on, thing by thing.

The settings are those of the authors' code (zjunlp/unlearn). Not asked are the precision of the weights, who wrote the
new answers, which instruct model lists entities, which general questions were mixed in, and how the model was taught
TOFU, of which the code tells nothing: say these beside the numbers.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from relearn_lite.data.sources import source_of
from relearn_lite.data.tokens import as_asked, read_template
from relearn_lite.recipe import MODEL_EVALUATORS, Recipe
from relearn_lite.recipe.base import value_of
from relearn_lite.recipe.methods import DEFAULT_METHOD, METHODS

TAGS = {  # what the authors' script puts around a question of TOFU, by model; around one of KnowUnDo nothing
    "meta-llama/Llama-2-7b-chat-hf": "[INST] {} [/INST]",
    "meta-llama/Meta-Llama-3-8B-Instruct": (
        "<|start_header_id|>user<|end_header_id|>\n\n{}<|eot_id|><|start_header_id|>assistant<|end_header_id|>\n\n"
    ),
    "google/gemma-2-2b-it": "<start_of_turn>{}<end_of_turn>",
}
ROWS = "rows a step"  # batch_size x accumulate
ASKED = {
    "model.init": "pretrained",
    "generate.sampling": "published",
    "generate.max_new_tokens": 128,
    "evaluate.evaluators.embeddings": MODEL_EVALUATORS["embeddings"],
    "evaluate.evaluators.nli": MODEL_EVALUATORS["nli"],
}
UNLEARNED = {
    "augment.questions": ["simple", "context", "noise", "logical"],
    "augment.variants": 1,
    "augment.answers_per_question": 1,
    "augment.verify_rounds": 3,
    "augment.completion_fraction": 0.25,
    "augment.generic_ratio": 1.2,
    **{f"unlearn.lora.{key}": value for key, value in
       {"r": 32, "alpha": 32, "dropout": 0.05, "targets": "all-linear"}.items()},
    "unlearn.weight_decay": 0.01,
    "unlearn.warmup_epochs": 1.0,
    "unlearn.retain_variants": 0,
    "unlearn.retain_rows": 1,
    "unlearn.target_probability": None,
}  # fmt: skip
TAUGHT = {
    **{f"finetune.lora.{key}": value for key, value in
       {"r": 8, "alpha": 16, "dropout": 0.1, "targets": "all-linear"}.items()},
    "finetune.lr": 3e-4, "finetune.epochs": 10, f"finetune.{ROWS}": 64, "finetune.warmup_epochs": 1.0,
}  # fmt: skip
BENCHMARKS: dict[str, dict[str, Any]] = {  # settings of each
    "knowundo/privacy": TAUGHT | {"unlearn.lr": 1e-5, "unlearn.epochs": 4, f"unlearn.{ROWS}": 4},
    "tofu/forget10": {"unlearn.lr": 1e-4, "unlearn.epochs": 2, f"unlearn.{ROWS}": 8},
}


def differences_from_paper(recipe: Recipe) -> list[str]:
    """One sentence for each thing in which a run differs from the paper's protocol."""
    return [*_data(recipe), *_model(recipe), *_judges(recipe), *_settings(recipe)]


def _data(recipe: Recipe) -> Iterator[str]:
    data = recipe.data
    if data.preset not in BENCHMARKS:
        yield f"data.preset is {_shown(data.preset)}; the paper's benchmarks are {' and '.join(BENCHMARKS)}."
        return
    if data.where is not None:
        yield "data.where keeps a part of the benchmark's tables; the paper has the whole of them."
    if data.only_known:
        yield "data.only_known leaves out what the model does not know; the paper trains and asks all of it."
    if recipe.own_words:
        yield "data.own_words trains short answers as the model words them; the paper's are trained as they stand."
    for side in ("forget", "retain"):
        if (source := getattr(data, side)) and not source.leaves_whole:
            yield f"data.{side} replaces or narrows the benchmark's table; the paper has the whole of it."
        part, where = f"{side}_eval", {"folder": None, "revision": None}
        asked, paper = (source_of(each, part) for each in (data, data.model_copy(update={part: None})))
        if asked.model_copy(update=where) != paper.model_copy(update=where):
            yield f"data.{part} names other questions than the paper asks; leave it out to ask those."
        if recipe.select_fraction and getattr(data, f"{side}_select") is None:
            yield (
                f"data.select_fraction sets {recipe.select_fraction:g} of the {side} questions apart to choose by; the "
                "paper asks all of them."
            )


def _model(recipe: Recipe) -> Iterator[str]:
    model, taught = recipe.model, recipe.finetune
    if model.name not in TAGS:
        yield f"model.name is {model.name}; the paper's models are {', '.join(TAGS)}."
    if taught is None:
        yield "finetune is null; the paper's model is taught the whole benchmark first."
    elif taught.data is not None:
        yield "finetune.data names what is taught; the paper's model is taught the whole benchmark and nothing else."
    if model.chat_template != "none" and not _has_tags(recipe):
        tags = f", or on TOFU {TAGS[model.name]!r} from a file" if _on_tofu(recipe) and model.name in TAGS else ""
        yield f"model.chat_template is {model.chat_template}; the paper's is none{tags}."


def _on_tofu(recipe: Recipe) -> bool:
    return recipe.data.preset == "tofu/forget10"


def _has_tags(recipe: Recipe) -> bool:
    """Whether a template file writes questions as the authors do on TOFU, the first token apart."""
    model = recipe.model
    if model.chat_template == "auto" or not _on_tofu(recipe) or model.name not in TAGS:
        return False
    return as_asked(read_template(model.chat_template), "?") == TAGS[model.name].format("?")


def _judges(recipe: Recipe) -> Iterator[str]:
    judges = recipe.evaluate.evaluators
    if judges.entities.writer == "rules":
        yield "evaluate.evaluators.entities is embedded; in the paper an instruct model lists them."
    if judges.language_model not in ("base", recipe.model.name):
        yield (
            f"evaluate.evaluators.language_model is {judges.language_model}; in the paper the base model, before it "
            "was taught, measures fluency."
        )


def _settings(recipe: Recipe) -> Iterator[str]:
    wanted = ASKED | BENCHMARKS.get(recipe.data.preset, {})
    if recipe.unlearn:
        wanted |= UNLEARNED
        if recipe.unlearn.objective != METHODS[DEFAULT_METHOD]:
            yield f"unlearn has another method than {DEFAULT_METHOD}, the paper's ReLearn."
        if recipe.unlearn.evaluations_decide and not recipe.unlearn.searches:
            yield "unlearn.evaluate_every: checks may stop training or choose its weights; the paper's ends by itself."
    elif recipe.unlearned:
        yield "unlearned names a model that was unlearned elsewhere; how is not known here."
    for key, value in wanted.items():
        section, *_ = key.split(".")
        if getattr(recipe, section) is not None and (found := _found(recipe, key)) != value:
            yield f"{key} is {_shown(found)}; the paper's is {_shown(value)}."


def _found(recipe: Recipe, key: str) -> Any:
    """A setting by its key; None in a section that is null."""
    section, _, name = key.rpartition(".")
    training = value_of(recipe, section)
    return training.batch_size * training.accumulate if name == ROWS else value_of(recipe, key)


def _shown(value: Any) -> str:
    """As a recipe has it."""
    return "null" if value is None else f"[{', '.join(map(str, value))}]" if isinstance(value, list) else f"{value}"
