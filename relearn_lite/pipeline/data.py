"""Every part of a run's data, read and checked; and the questions that are set apart to choose by."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Sequence
from dataclasses import asdict
from functools import lru_cache

from relearn_lite.augment.existing import read_existing
from relearn_lite.core.errors import RecipeError
from relearn_lite.core.records import QA
from relearn_lite.data.sources import load, load_part, overlap
from relearn_lite.metrics.forget_quality import read_retain_ratios
from relearn_lite.recipe import Recipe
from relearn_lite.writers.prompts import load_prompts


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
    part(lambda: load_prompts(recipe.augment.prompts))
    if recipe.augment.from_ and data["forget"]:
        part(lambda: read_existing(recipe.augment.from_, data["forget"]))
    for name in ("forget", "retain"):
        own = getattr(recipe.data, f"{name}_eval")
        data[f"{name}_eval"] = part(lambda name=name: load_part(recipe.data, f"{name}_eval")) if own else data[name]
    for name in ("holdout", "real_authors", "world_facts", "forget_select", "retain_select"):
        if getattr(recipe.data, name):
            data[name] = part(lambda name=name: load_part(recipe.data, name))
    for side in ("forget", "retain"):
        part(lambda side=side: _set_apart(recipe, data, side))
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
        raise RecipeError(
            f"data.{side}_eval: it has one question, and evaluation in training and sweeps choose by questions that "
            f"are not reported; give more, or some of their own as data.{side}_select"
        )
    random.Random(f"{recipe.seed} {side}").shuffle(groups)
    count = min(len(groups) - 1, max(1, round(recipe.select_fraction * len(groups))))
    chosen = {qa.id for group in groups[:count] for qa in group}
    data[f"{side}_select"] = [qa for qa in asked if qa.id in chosen]
    data[f"{side}_eval"] = [qa for qa in asked if qa.id not in chosen]


def _same_questions(asked: Sequence[QA]) -> list[list[QA]]:
    """Records in groups: those that share a wording, as question or paraphrase, stay together."""
    groups: dict[str, list[QA]] = {}
    for qa in asked:
        wordings = [" ".join(text.lower().split()) for text in (qa.question, qa.paraphrase) if text]
        joined = [qa]
        for known in {id(groups[text]): groups[text] for text in wordings if text in groups}.values():
            joined = known + joined
        for member in joined:
            for text in (member.question, member.paraphrase):
                if text:
                    groups[" ".join(text.lower().split())] = joined
    return list({id(group): group for group in groups.values()}.values())


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
