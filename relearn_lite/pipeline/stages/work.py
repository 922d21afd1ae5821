"""A run in progress: its recipe, its data, and the models in memory for it."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

from relearn_lite.augment.given import read_given
from relearn_lite.core.errors import RecipeError
from relearn_lite.core.memory import free_memory
from relearn_lite.core.records import QA
from relearn_lite.data.sources import load, load_part, overlap
from relearn_lite.metrics.retain_model import read_retain_ratios
from relearn_lite.models.loaded import UNLEARNED, VANILLA
from relearn_lite.recipe import Model, Recipe
from relearn_lite.writers.prompts import wording

MODELS = ("vanilla", "unlearned")


@dataclass
class Work:
    """One run in progress: its recipe, its folder, and what is in memory for it."""

    recipe: Recipe
    folder: Path
    quiet: bool = False
    manifest: dict[str, Any] = field(default_factory=dict)
    vanilla_run: Path | None = None  # a run whose answers and numbers of the vanilla model are this one's too
    commits: dict[str, str] = field(default_factory=dict)  # of the hub models that were loaded so far, by name

    @cached_property
    def data(self) -> dict[str, list[QA]]:
        """Every part of the data: forget, retain, generic, forget_eval, retain_eval, and finetune if it has its own."""
        return load_data(self.recipe)

    @cached_property
    def vanilla(self):
        """The model that knows, loaded once for all stages; what it was taught comes from the finetune stage."""
        from relearn_lite.models import backends

        recipe, taught = self.recipe, self.folder / "vanilla"
        if recipe.finetune is None:
            return self.load(recipe.model)
        if recipe.finetune.lora is None:
            return self.load(recipe.model.settings_for(str(taught), derived=True))
        loaded = self.load(recipe.model)
        backends.load_adapter(loaded, VANILLA, taught)
        loaded.vanilla = (VANILLA,)
        return loaded

    @cached_property
    def other(self):
        """The whole weights that `unlearned.model` names."""
        loaded = self.load(self.recipe.model.settings_for(self.recipe.unlearned.model, derived=True))
        loaded.forgot = True
        return loaded

    def load(self, settings: Model, *, full_precision: bool = False):
        """Loads a model as `backends.load` does, and notes its commit: that of a hub id's head may differ tomorrow."""
        from relearn_lite.models import backends

        loaded = backends.load(settings, self.recipe.seed, full_precision=full_precision)
        if loaded.commit:
            self.commits[settings.name] = loaded.commit
        return loaded

    def hold(self, model: str):
        """`vanilla` or `unlearned`, ready to be asked. Whole weights of another model take vanilla's place, but where
        an evaluator that shares vanilla's weights holds on to them: there both are in memory, as `plan` counts."""
        from relearn_lite.models import backends

        given = self.recipe.unlearned
        if given and given.model and model == "unlearned":
            self._let_go("vanilla")
            return self.other
        self._let_go("other")
        if model == "unlearned":
            folder = given.adapter if given else self.folder / "adapter"
            try:
                backends.load_adapter(self.vanilla, UNLEARNED, folder)
            except (RuntimeError, ValueError, KeyError, OSError, TypeError) as error:
                if not given:
                    raise
                first = (str(error).strip().splitlines() or [type(error).__name__])[0]
                raise RecipeError(
                    f"unlearned.adapter: {folder} does not fit {self.recipe.model.name} ({first}); name the model that "
                    "it was trained on as model.name"
                ) from error
        return self.vanilla

    def release(self) -> None:
        """Lets go of every model that is held: there is one in memory at a time."""
        for held in ("vanilla", "other"):
            self._let_go(held)

    def _let_go(self, held: str) -> None:
        if self.__dict__.pop(held, None) is not None:
            free_memory()

    @property
    def questions(self) -> dict[str, list[QA]]:
        """What the models are asked, by split: the evaluation sets, and their paraphrases where there are any."""
        splits = {}
        for name in ("forget", "retain"):
            asked = self.data[f"{name}_eval"]
            splits[name] = asked
            if any(qa.paraphrase for qa in asked):
                splits[f"{name}_paraphrase"] = [replace(qa, question=qa.paraphrase) for qa in asked if qa.paraphrase]
        return splits

    @property
    def models(self) -> tuple[str, ...]:
        return MODELS if self.recipe.unlearn or self.recipe.unlearned else MODELS[:1]


def load_data(recipe: Recipe) -> dict[str, list[QA]]:
    """Reads all parts. Raises RecipeError with the problems of all of them at once."""
    problems: list[str] = []

    def part(read: Callable[[], list[QA]]) -> list[QA]:
        try:
            return read()
        except RecipeError as error:
            problems.extend(error.problems)
            return []

    data = {name: part(lambda name=name: load_part(recipe.data, name)) for name in ("forget", "retain", "generic")}
    part(lambda: wording(recipe.augment.prompts))
    if recipe.augment.from_ and data["forget"]:
        part(lambda: read_given(recipe.augment.from_, data["forget"]))
    for name in ("forget", "retain"):
        own = getattr(recipe.data, f"{name}_eval")
        data[f"{name}_eval"] = part(lambda name=name: load_part(recipe.data, f"{name}_eval")) if own else data[name]
    for name in ("holdout", "real_authors", "world_facts"):
        if getattr(recipe.data, name):
            data[name] = part(lambda name=name: load_part(recipe.data, name))
    if seen := overlap(data["forget"], data.get("holdout", [])):
        problems.append(
            f"data.holdout: {len(seen)} of its questions stand in data.forget too (first: {seen[0]!r}); the model must "
            "never have seen them, so remove them from data.holdout"
        )
    if recipe.evaluate.retain_model_results:
        part(lambda: read_retain_ratios(recipe.evaluate.retain_model_results))
    if recipe.finetune and recipe.finetune.data:
        data["finetune"] = []
        for n, source in enumerate(recipe.finetune.data):
            taught = part(lambda n=n, source=source: load(source, f"finetune{n}", f"finetune.data.{n}"))
            data["finetune"] += source.repeat * taught
    if problems:
        raise RecipeError(problems)
    return data


def data_digest(records: list[QA], judged: bool = False) -> str:
    """A hash of the records' content; of paraphrased and wrong answers too where these are judged by."""
    return _data_digest(tuple(records), judged)


@lru_cache(maxsize=32)  # asked for every stage of every run of a comparison
def _data_digest(records: tuple[QA, ...], judged: bool) -> str:
    import hashlib

    rows = [asdict(record) for record in records]
    if not judged:
        rows = [{k: v for k, v in row.items() if k not in ("paraphrased_answer", "wrong_answers")} for row in rows]
    text = json.dumps(rows, ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()[:16]
