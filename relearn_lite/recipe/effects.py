"""Which keys of a recipe change results. A stage that is done stays done while those that it uses are the same.

Every key counts unless it is in NO_EFFECT, with the reason; so a new key counts until somebody decides otherwise. These
count although they may seem not to:

- `batch_size` and `accumulate` of training: they decide which rows share a step, or where padding and order differ.
- `unlearn.reference`: cached and recomputed states differ in their last bits, for they come from other batches.
- `model.backend`, `trainer.accelerator`, `trainer.precision`: other kernels and other rounding.
- `model.trust_remote_code`: the author's code may compute something else than the library's.
- A writer's `base_url`: a model of the same name on another server may be another one.
- Names of files and folders: what is in them counts too, and a stage that reads them is given its hash.
- `report.mask`: it changes no number, but it is what the report stage makes, which must not keep an unmasked page.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel
from pydantic_core import to_jsonable_python

from relearn_lite.recipe.analyze import Analyze
from relearn_lite.recipe.augment import Augment, WriterChoice
from relearn_lite.recipe.base import Section
from relearn_lite.recipe.collect import Collect
from relearn_lite.recipe.compare import Compare
from relearn_lite.recipe.data import Data
from relearn_lite.recipe.general import General
from relearn_lite.recipe.generate import Generate
from relearn_lite.recipe.methods import HYPERPARAMETERS
from relearn_lite.recipe.model import Model, Unlearned
from relearn_lite.recipe.schema import Recipe
from relearn_lite.recipe.trainer import Trainer
from relearn_lite.recipe.training import Training
from relearn_lite.recipe.unlearn import Unlearn


@dataclass(frozen=True)
class NoEffect:
    """Why a key changes no result; `when` says for which settings of its section that holds."""

    why: str
    when: Callable[[Any], bool] = lambda section: True


_BATCH = (
    "greedy answers are the same in any batch but for rounding (in 16 bit it may tip a tie between two tokens); "
    "sampled ones are not, since each batch has a seed of its own"
)
_AS_BEFORE = "what runs had before there was a choice"
_WATCHING = "evaluations in training only read the model where they neither stop it nor choose among its weights"

NO_EFFECT: dict[type[Section], dict[str, NoEffect]] = {  # holds for subclasses of a section too
    Recipe: {"name": NoEffect("only where the run is kept")},
    Model: {
        "max_length": NoEffect("longer rows are an error and nothing is cut: whatever runs, runs the same"),
        "gradient_checkpointing": NoEffect("the same activations, computed again instead of kept"),
        "offload_embeddings": NoEffect("the same embeddings, from another memory"),
    },
    Data: {"nothing_known": NoEffect("whether a run goes on, not how")},
    Training: {
        "checkpoint_every": NoEffect("how much is lost when a run is killed; it goes on to the same end"),
        "optimizer": NoEffect(_AS_BEFORE, lambda s: s.optimizer == "adamw"),
    },
    Augment: {"opening": NoEffect(_AS_BEFORE, lambda s: s.opening == "varied")},
    Collect: {"first_sentence": NoEffect(_AS_BEFORE, lambda s: not s.first_sentence)},
    Unlearn: {
        **{
            key: NoEffect("of losses and masks not in use", lambda s, key=key: key not in s.objective.hyperparameters)
            for key in HYPERPARAMETERS
        },
        **{
            key: NoEffect(_WATCHING, lambda s: not s.evaluations_decide)
            for key in ("evaluate_every", "keep_best", "watch")
        },
        "generic_weight": NoEffect("of generic rows of their own", lambda s: s.generic != "retain"),
        "budget": NoEffect("of training whose length is found by asking", lambda s: s.epochs != "auto"),
    },
    WriterChoice: {
        "api_key_env": NoEffect("who pays for the request, not what is asked"),
        "concurrency": NoEffect("how many requests are under way, not what is asked"),
        "timeout_s": NoEffect("how long to wait for the same reply"),
        "batch_size": NoEffect(_BATCH, lambda s: s.writer not in ("local", "self") or s.temperature == 0),
        "base_url": NoEffect("read by a server's client only", lambda s: s.writer != "server"),
        **{
            key: NoEffect("rules use no model", lambda s: s.writer == "rules")
            for key in ("model", "max_new_tokens", "temperature")
        },
    },
    Generate: {"batch_size": NoEffect(_BATCH, lambda s: s.sampling == "greedy")},
    Analyze: {
        "batch_size": NoEffect(
            "sums over batches are the same; but `auto` chooses patching by how many batches it would take",
            lambda s: s.circuits != "auto",
        )
    },
    General: {"batch_size": NoEffect("lm-eval pads and masks: the same in any batch but for rounding")},
    Compare: {"questions": NoEffect("how many answers the page shows")},
    Unlearned: {
        "api_key_env": NoEffect("who pays for the request, not what is asked"),
        "timeout_s": NoEffect("how long to wait for the same reply"),
    },
    Trainer: {"logger": NoEffect("where losses are logged, not what they are")},
}  # fmt: skip


def result_keys(value: Any, name: str = "") -> dict[str, Any]:
    """The keys of a section (a whole recipe, one value) that change results, flat: dotted keys after `name`, as JSON.

    An unlearning method counts by the losses, weights and mask that it stands for, not by its name.
    """
    if isinstance(value, Unlearn):
        value = value.spelled_out
    if isinstance(value, BaseModel):
        fields = type(value).model_fields.items()
        value = {info.alias or key: getattr(value, key) for key, info in fields if not _has_no_effect(value, key)}
    elif isinstance(value, list) and any(isinstance(each, BaseModel) for each in value):
        value = dict(enumerate(value))
    if isinstance(value, dict) and value:
        return {k: v for key, each in value.items() for k, v in result_keys(each, f"{name}.{key}".lstrip(".")).items()}
    return {name: to_jsonable_python(value)}


def sampling_keys(recipe: Recipe, stage: str) -> dict[str, Any]:
    """`generate.batch_size` where a stage draws several answers to each question, which it does however `sampling` is
    set: collect, `leak_at_k` in evaluate, the sampling attack in attack. Each batch of draws has a seed of its own."""
    draws = {
        "collect": True,
        "evaluate": "leak_at_k" in recipe.evaluate.metrics,
        "attack": recipe.attacks is not None and recipe.attacks.sampling,
    }
    return {"generate.batch_size": recipe.generate.batch_size} if draws.get(stage) else {}


def _has_no_effect(section: BaseModel, field: str) -> bool:
    reasons = (NO_EFFECT[each][field] for each in type(section).__mro__ if field in NO_EFFECT.get(each, {}))
    return any(reason.when(section) for reason in reasons)
