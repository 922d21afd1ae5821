"""A run in progress: its recipe, its data, and the model in memory for it."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

from relearn_lite.core.errors import RecipeError, first_line, naming
from relearn_lite.core.files import load_json
from relearn_lite.core.memory import free_memory, out_of_memory
from relearn_lite.core.records import QA
from relearn_lite.metrics.declaration import SIDES
from relearn_lite.models import backends
from relearn_lite.models.loaded import UNLEARNED, VANILLA, Loaded
from relearn_lite.pipeline.data import load_data
from relearn_lite.recipe import Model, Recipe

MODELS = ("vanilla", "unlearned")
KNOWN = "known.json"  # what the vanilla model knows, see stages.ask


@dataclass
class Run:
    """One run in progress: its recipe, its folder, and what is in memory for it."""

    recipe: Recipe
    folder: Path
    quiet: bool = False
    vanilla_run: Path | None = None  # a run whose numbers of the vanilla model are this one's too
    commits: dict[str, str] = field(default_factory=dict)  # of the hub models that were loaded so far, by name

    def say(self, text: str) -> None:
        """Writes a line of progress to standard error, unless the run is quiet."""
        if not self.quiet:
            print(text, file=sys.stderr)

    @cached_property
    def given(self) -> dict[str, list[QA]]:
        """Every part of the data as it was given: what stages depend on, see fingerprints."""
        return load_data(self.recipe, self.folder)

    @property
    def data(self) -> dict[str, list[QA]]:
        """`given`, as it is used once vanilla was asked: with `data.only_known` without what it does not know; with
        `data.own_words`, what is trained of short answers as it words them itself."""
        path = self.folder / KNOWN
        if not (self.recipe.data.only_known or self.recipe.own_words) or not path.exists():
            return self.given
        known = load_json(path)
        out = {*known["left_out"]} if self.recipe.data.only_known else ()
        worded = known.get("own_words", {}) if self.recipe.own_words else {}
        if not (out or worded):
            return self.given
        return {
            part: [
                replace(qa, answer=worded[qa.id]) if part in SIDES and qa.id in worded else qa
                for qa in rows if qa.id not in out
            ]
            for part, rows in self.given.items()
        }  # fmt: skip

    def weights(self, model: str) -> tuple[Model, dict[str, Path]]:
        """What `vanilla` or `unlearned` is made of: its base, and the folders of the adapters on it, by name."""
        settings, unlearned, taught = self.recipe.model, self.recipe.unlearned, self.folder / "vanilla"
        if model == "unlearned" and unlearned and unlearned.whole:
            return settings.settings_for(unlearned.whole, derived=True), {}
        adapters = {}
        if self.recipe.finetune and self.recipe.finetune.lora:
            adapters[VANILLA] = taught
        elif self.recipe.finetune:
            settings = settings.settings_for(str(taught), derived=True)
        adapters |= {f"before_{n}": folder for n, folder in enumerate(self.recipe.model.adapters, 1)}
        if model == "unlearned":
            adapters[UNLEARNED] = unlearned.adapter if unlearned else self.folder / "adapter"
        return settings, adapters

    @cached_property
    def vanilla(self) -> Loaded:
        """The model that knows, loaded once for all stages; what it was taught comes from the finetune stage."""
        settings, adapters = self.weights("vanilla")
        loaded = self.load(settings)
        for name, folder in adapters.items():
            self.put_on(loaded, name, folder, "" if name == VANILLA else "model.adapters")
        loaded.vanilla_adapters = tuple(adapters)
        return loaded

    @cached_property
    def other(self) -> Loaded:
        """The whole weights that `unlearned.model` names."""
        with naming("unlearned.model"):
            loaded = self.load(self.weights("unlearned")[0])
        loaded.forgot = True
        return loaded

    def load(self, settings: Model, *, full_precision: bool = False) -> Loaded:
        """Loads a model as `backends.load` does, and notes its commit: that of a hub id's head may differ tomorrow."""
        loaded = backends.load(settings, self.recipe.seed, full_precision=full_precision)
        if loaded.commit:
            self.commits[settings.name] = loaded.commit
        return loaded

    def model(self, name: str) -> Loaded:
        """`vanilla` or `unlearned`, loaded and ready to be asked.

        Whole weights of another model take vanilla's place, unless an evaluator that shares vanilla's weights still
        uses them: then both are in memory, as `plan` counts.
        """
        adapters, unlearned = self.weights(name)[1], self.recipe.unlearned
        if unlearned and unlearned.whole and name == "unlearned":
            self._unload("vanilla")
            return self.other
        self._unload("other")
        if name == "unlearned":
            self.put_on(self.vanilla, UNLEARNED, adapters[UNLEARNED], "unlearned.adapter" if unlearned else "")
        return self.vanilla

    def put_on(self, loaded: Loaded, name: str, folder: Path, key: str) -> None:
        """Reads an adapter onto the model. key: of the recipe, that names it; empty for one of this run's own."""
        try:
            backends.load_adapter(loaded, name, folder)
        except Exception as error:  # peft's, of whatever kind
            if not key or isinstance(error, RecipeError) or out_of_memory(error):
                raise
            raise RecipeError(
                f"{key}: {folder} does not fit {self.recipe.model.name} ({first_line(error)}); name the model that it "
                "was trained on as model.name"
            ) from error

    def unload_models(self) -> None:
        """Gives back the memory of every model: there is one at a time."""
        for name in ("vanilla", "other"):
            self._unload(name)

    def _unload(self, name: str) -> None:
        if self.__dict__.pop(name, None) is not None:
            free_memory()

    @property
    def questions(self) -> dict[str, list[QA]]:
        """What is evaluated, by split, see `splits`."""
        return self.splits(self.data)

    @staticmethod
    def splits(data: Mapping[str, Sequence[QA]]) -> dict[str, list[QA]]:
        """What models are asked, by split: the evaluation sets, their paraphrases where there are any, the control."""
        splits = {}
        for name in ("forget", "retain"):
            asked = data[f"{name}_eval"]
            splits[name] = asked
            if any(qa.paraphrase for qa in asked):
                splits[f"{name}_paraphrase"] = [replace(qa, question=qa.paraphrase) for qa in asked if qa.paraphrase]
        if data.get("earlier"):
            splits["forget_earlier"] = list(data["earlier"])
        return splits | ({"control": list(data["control_eval"])} if data.get("control_eval") else {})

    @property
    def models(self) -> tuple[str, ...]:
        return MODELS if self.recipe.unlearn or self.recipe.unlearned else MODELS[:1]
