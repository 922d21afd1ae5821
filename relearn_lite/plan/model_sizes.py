"""How large the models of a recipe are."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import yaml

from relearn_lite.core.errors import RecipeError
from relearn_lite.data.sources import source_of
from relearn_lite.models.shape import Shape, shape_of
from relearn_lite.models.transformers_backend import empty_model
from relearn_lite.pipeline.named_models import encoder_names, judging_models, needed_models
from relearn_lite.plan.footprint import (
    adapter_parameters,
    encoder_parameters,
    lora_parameters,
)
from relearn_lite.recipe import Model, Recipe
from relearn_lite.recipe.presets import TABLES
from relearn_lite.recipe.training import Lora

_PUBLISHED = yaml.safe_load(Path(__file__).with_name("published_sizes.yaml").read_text(encoding="utf-8"))
PUBLISHED_SHAPES = {name: Shape(**counts) for name, counts in _PUBLISHED["shapes"].items()}
PUBLISHED_ENCODERS: dict[str, int] = _PUBLISHED["encoders"]


@dataclass(frozen=True)
class ModelSizes:
    """The sizes of a recipe's models, counted once; smaller settings of the same recipe need no new count.

    loras: stage -> LoRA parameters a rank; all of the model's where finetune.lora is null. unlearned_adapter and
    earlier: parameters of the adapters that `unlearned` and `model.adapters` name. others: causal models beside the
    recipe's own, by name. encoders: parameters of those that embed or infer, by name. unknown: what could not be
    counted, in words.
    """

    shape: Shape
    loras: dict[str, int]
    unlearned_adapter: int
    earlier: int
    others: dict[str, Shape]
    encoders: dict[str, int]
    unknown: tuple[str, ...]

    def trained(self, recipe: Recipe, stage: str) -> int:
        """Trained parameters of a stage. Those of LoRA grow with its rank."""
        lora = lora_of(recipe, stage)
        return self.loras[stage] * (lora.r if lora else 1)

    def adapters(self, recipe: Recipe) -> int:
        """Parameters of all adapters on the model, not those of a model that finetune teaches whole."""
        stages = (stage for stage in ("finetune", "unlearn") if stage in self.loras and lora_of(recipe, stage))
        return self.earlier + self.unlearned_adapter + sum(self.trained(recipe, stage) for stage in stages)

    def vanilla_adapters(self, recipe: Recipe) -> int:
        """Parameters of the adapters that are part of the vanilla model."""
        taught = recipe.finetune and recipe.finetune.lora
        return self.earlier + (self.trained(recipe, "finetune") if taught else 0)


def lora_of(recipe: Recipe, stage: str) -> Lora | None:
    """LoRA settings of `finetune`, `unlearn` or `attack` (relearning); None where all weights are trained."""
    return recipe.attacks.relearn.lora if stage == "attack" else getattr(recipe, stage).lora


def model_sizes(recipe: Recipe) -> ModelSizes:
    """Counts all models of a recipe. A judge that cannot be counted is listed as unknown.

    Raises RecipeError where the configuration of any other model cannot be had.
    """
    shape, loras, unknown = _counted(recipe.model), {}, []
    relearn = recipe.attacks and recipe.attacks.relearn
    for stage, section in {"finetune": recipe.finetune, "unlearn": recipe.unlearn, "attack": relearn}.items():
        if section is not None:
            lora = lora_of(recipe, stage)
            loras[stage] = lora_parameters(recipe.model, lora) // lora.r if lora else shape.parameters
    others = {name: _shape(recipe, name) for name in needed_models(recipe).values()}
    for key, name in judging_models(recipe).items():
        try:
            others[name] = others.get(name) or _shape(recipe, name)
        except RecipeError:
            unknown.append(f"{name} ({key}), whose config.json cannot be had here")
    encoders = {}
    for key, name in encoder_names(recipe).items():
        if size := PUBLISHED_ENCODERS.get(name) or encoder_parameters(name, labels=key.endswith("nli")):
            encoders[name] = size
        else:
            unknown.append(f"{name} ({key}), whose config.json cannot be had here")
    measured = recipe.unlearned and recipe.unlearned.adapter
    given = {"unlearned.adapter": [measured] if measured else [], "model.adapters": recipe.model.adapters}
    sizes = {key: [adapter_parameters(folder) for folder in folders] for key, folders in given.items()}
    unknown += [
        f"{folder} ({key}), which holds no adapter_model.safetensors"
        for key, folders in given.items() for folder, size in zip(folders, sizes[key], strict=True) if size is None
    ]
    adapters = (sum(filter(None, found)) for found in sizes.values())
    return ModelSizes(shape, loras, *adapters, others, encoders, (*unknown, *_not_looked_at(recipe)))


def _shape(recipe: Recipe, name: str) -> Shape:
    derived = recipe.unlearned is not None and name == recipe.unlearned.whole
    return PUBLISHED_SHAPES.get(name) or _counted(recipe.model.settings_for(name, derived=derived))


def _counted(settings: Model) -> Shape:
    model = empty_model(settings)
    try:
        return shape_of(model)
    except AttributeError:
        raise RecipeError(
            f"model.name: {settings.name} ({model.config.model_type}) has no attention heads, by which plan counts; it "
            "can be run without a plan: begin with a small generate.batch_size and unlearn.batch_size"
        ) from None


def _not_looked_at(recipe: Recipe) -> Iterator[str]:
    """What a recipe names besides models."""
    if tables := dict.fromkeys(_hub_tables(recipe)):
        yield f"the download of data ({', '.join(tables)})"
    if recipe.compare:
        yield f"the {len(recipe.compare.methods)} methods of compare, each an unlearn stage with settings of its own"
        if recipe.compare.ratings:
            yield "the judge of compare.ratings, who works once all methods are measured"


def _hub_tables(recipe: Recipe) -> Iterator[str]:
    """Data sets that are read from the hub, those that finetune teaches included."""
    sides = [side + part for part in ("", "_eval", "_select") for side in ("forget", "retain")]
    others = ("generic", "control", "members", "holdout", "real_authors", "world_facts")
    sources = [source_of(recipe.data, part) for part in (*sides, *others)]
    for source in (*sources, *((recipe.finetune and recipe.finetune.data) or ())):
        if source and source.dataset:
            yield source.dataset
        elif source and source.preset and not source.folder:
            table = TABLES[source.preset]
            yield from (each.hub[0] for each in (table, *map(TABLES.get, table.tables)) if each.hub)
