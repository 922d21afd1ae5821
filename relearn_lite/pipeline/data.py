"""Every part of a run's data, read and checked; and the questions that are set apart to choose by."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import chain
from pathlib import Path
from typing import Any

from relearn_lite.augment.existing import read_existing
from relearn_lite.collect.rows import collected_parts
from relearn_lite.core.errors import RecipeError
from relearn_lite.core.files import read_rows
from relearn_lite.core.memory import tell_once
from relearn_lite.core.records import QA
from relearn_lite.data.origins import NotOnHub, in_one_sentence
from relearn_lite.data.sources import load, load_asked, load_part, overlap, question_texts, validation_of
from relearn_lite.metrics.forget_quality import read_retain_ratios
from relearn_lite.recipe import Recipe
from relearn_lite.recipe.presets import PAIRS
from relearn_lite.text.turns import shown
from relearn_lite.writers.prompts import load_prompts
from relearn_lite.writers.question_forms import other_wordings

BASIC = ("forget", "retain", "generic")  # parts that every run has, though `generic` may be empty
PARTS = (
    *BASIC, "control", "forget_eval", "retain_eval", "members", "holdout", "real_authors", "world_facts",
    "forget_select", "retain_select",
)  # fmt: skip


def load_data(recipe: Recipe, folder: Path | None = None) -> dict[str, list[QA]]:
    """Reads all parts. Raises RecipeError with the problems of all of them at once.

    folder: of the run, where stage collect leaves its questions; until it has, they are missing in `forget` and
    `retain`.
    """
    problems: list[str] = []
    missed: list[NotOnHub] = []

    def tried(read: Callable[..., list[QA]], *arguments: Any) -> list[QA]:
        try:
            return read(*arguments)
        except NotOnHub as error:
            missed.append(error)
            return []
        except RecipeError as error:
            problems.extend(error.problems)
            return []

    of_preset = {name for name in PAIRS.get(recipe.data.preset, {}) if not name.endswith("_eval")}
    given = [name for name in PARTS if name in {*BASIC, *of_preset} or getattr(recipe.data, name)]
    data = {name: tried(load_part, recipe.data, name) for name in given}
    tried(load_prompts, recipe.augment.prompts)
    if recipe.augment.from_ and data["forget"]:
        tried(read_existing, recipe.augment.from_, data["forget"])
    if recipe.evaluate.retain_model_results:
        tried(read_retain_ratios, recipe.evaluate.retain_model_results)
    for side in ("forget", "retain"):
        if f"{side}_eval" not in data:
            data[f"{side}_eval"] = tried(load_asked, recipe.data, side, data[side])
        if recipe.data.collects and folder and (folder / f"{side}.jsonl").exists():
            tried(_add_collected, recipe, data, side, folder / f"{side}.jsonl")
        tried(_set_apart, recipe, data, side)
    if earlier := [qa for folder in recipe.model.adapters for qa in tried(forgotten_by, folder)]:
        data["earlier"] = [replace(qa, id=f"earlier-{n:05d}") for n, qa in enumerate(earlier, 1)]
    if recipe.finetune and recipe.finetune.data:
        taught = [
            source.repeat * tried(load, source, f"finetune{n}", f"finetune.data.{n}")
            for n, source in enumerate(recipe.finetune.data)
        ]
        data["finetune"] = list(chain.from_iterable(taught))
    elif recipe.finetune:
        asked_only = {side: validation_of(recipe.data, side) for side in ("forget", "retain")}
        taught = [tried(load, own, f"{side}_eval", f"data.{side}_eval") for side, own in asked_only.items() if own]
        if taught:
            data["finetune"] = list(chain(data["forget"], data["retain"], *taught))
    for part in ("forget", "retain", "finetune"):
        if seen := overlap(data.get("holdout", []), data.get(part, [])):
            taught = "finetune.data" if part == "finetune" else f"data.{part}"
            problems.append(
                f"data.holdout: {len(seen)} of its questions stand in {taught} too (first: {seen[0]!r}); the model "
                "must never have seen them, so remove them from data.holdout"
            )
            break  # what finetune teaches may be forget and retain
    problems += in_one_sentence(missed)
    if "control" in data:
        data["control_eval"] = data.pop("control")
        problems += _without_trained(recipe, data)
        tried(_set_apart, recipe, data, "control")
    if problems:
        raise RecipeError(problems)
    return data


def _without_trained(recipe: Recipe, data: dict[str, list[QA]]) -> list[str]:
    """Leaves out those of the project's own control questions that the run's data train or forget, and says so; of a
    user's own, such are problems, which are returned."""
    problems = []
    for part in ("generic", "retain", "forget", "finetune"):
        seen = overlap(data["control_eval"], data.get(part, ()))
        if seen and recipe.data.control.preset == "control":
            data["control_eval"] = [qa for qa in data["control_eval"] if shown(qa.question) not in seen]
            tell_once(f"data.control: left out, for data.{part} has the same questions: {' '.join(seen)}")
        elif seen:
            problems.append(
                f"data.control: {len(seen)} of its questions stand in data.{part} too (first: {seen[0]!r}); training "
                "must never see them, so remove them there, or give general questions of your own as data.control: "
                "FILE, or none"
            )
    return problems


def run_of(adapter: Path) -> Path | None:
    """The run in whose folder an adapter lies; None for one from elsewhere."""
    return adapter.parent if (adapter.parent / "manifest.json").is_file() else None


def forgotten_by(adapter: Path) -> list[QA]:
    """The forget questions that the run of an adapter reported, as a group of its name; none of one from elsewhere.

    Raises RecipeError where that run is not finished.
    """
    run = run_of(adapter)
    if run is None or adapter.name != "adapter":  # what it was taught lies in `vanilla`
        return []
    if not (run / "samples.jsonl").is_file():
        raise RecipeError(
            f"model.adapters: the run {run} is not evaluated yet, and its forget questions are asked again here; give "
            "the command again that began it"
        )
    rows = [row for row in read_rows(run / "samples.jsonl") if row["split"] == "forget"]
    return [QA(row["id"], row["query"], row["ground_truth"], group=run.name) for row in rows]


def _add_collected(recipe: Recipe, data: dict[str, list[QA]], side: str, path: Path) -> None:
    """Adds what stage collect found, as it was left or edited since: see `collect.collected_parts`.

    What is chosen by is trained where nothing is chosen. Where the recipe names its own questions to ask, these stay;
    where none was left to be asked alone, those that are trained are asked.
    """
    parts = collected_parts(path, side)
    chosen = "select" if recipe.select_fraction else "train"
    data[side] = [*data[side], *parts["train"], *(parts["select"] if chosen == "train" else ())]
    if getattr(recipe.data, f"{side}_eval") is None:
        data[f"{side}_eval"] = [*data[f"{side}_eval"], *(parts["eval"] or parts["train"])]
    if chosen == "select" and parts["select"] and f"{side}_select" not in data:
        data[f"{side}_select"] = parts["select"]


def _set_apart(recipe: Recipe, data: dict[str, list[QA]], side: str) -> None:
    """Sees to it that what is chosen by and what is reported share no question: data[<side>_select] and _eval.

    Own questions must differ from the reported ones; without any, a seeded share of these is set apart.
    """
    asked, own = data[f"{side}_eval"], data.get(f"{side}_select")
    if own is not None:
        if seen := overlap(own, asked):
            raise RecipeError(
                f"data.{side}_select: {len(seen)} of its questions are reported too (first: {seen[0]!r}); what is "
                f"chosen by must not be measured by, so remove them from it or from data.{side}_eval"
            )
        return
    if not recipe.select_fraction or not asked:
        return
    groups = _same_questions(asked)
    if len(groups) < 2:
        if side == "control" or _reworded_by_rules(recipe, data[side], asked):
            return
        raise RecipeError(
            f"data.{side}_eval: it has one question, and evaluation in training and sweeps choose by questions that "
            f"are not reported; give more, or some of their own as data.{side}_select, or choose by none: "
            "unlearn.lr and unlearn.epochs as single numbers, and no unlearn.evaluate_every"
        )
    random.Random(f"{recipe.seed} {side}").shuffle(groups)
    count = min(len(groups) - 1, max(1, round(recipe.select_fraction * len(groups))))
    chosen = {qa.id for group in groups[:count] for qa in group}
    data[f"{side}_select"] = [qa for qa in asked if qa.id in chosen]
    data[f"{side}_eval"] = [qa for qa in asked if qa.id not in chosen]


def _reworded_by_rules(recipe: Recipe, trained: Sequence[QA], asked: Sequence[QA]) -> bool:
    """Whether training asks in wordings by rules, which are not reported: then nothing need be set apart."""
    if not (recipe.unlearn and recipe.unlearn.searches):
        return False
    reported = {text for qa in asked for text in question_texts(qa)}
    return any(other_wordings(qa.question, reported) for qa in trained)


def _same_questions(asked: Sequence[QA]) -> list[list[QA]]:
    """Records in groups: those that share a wording, as question or paraphrase, stay together."""
    parent: dict[str, str] = {}  # wording -> another one of the same group

    def root(text: str) -> str:
        while text in parent:
            text = parent[text]
        return text

    for qa in asked:
        first, *others = {root(text) for text in question_texts(qa)}
        parent |= dict.fromkeys(others, first)
    groups: dict[str, list[QA]] = {}
    for qa in asked:
        groups.setdefault(root(min(question_texts(qa))), []).append(qa)
    return list(groups.values())
