"""What can be known to be wrong before anything is done: data, keys, folders, versions."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

from relearn_lite.collect.collect import others_than
from relearn_lite.collect.from_documents import read
from relearn_lite.collect.topics import kind_of
from relearn_lite.core import distributed
from relearn_lite.core.environment import unsafe_versions
from relearn_lite.core.errors import RecipeError
from relearn_lite.core.memory import tell_once
from relearn_lite.core.records import QA
from relearn_lite.data.passages import with_words_of
from relearn_lite.data.sources import overlap
from relearn_lite.evaluate.general import task_problems
from relearn_lite.metrics.privacy import ATTACKS
from relearn_lite.pipeline.data import load_data
from relearn_lite.pipeline.earlier import adapter_problems
from relearn_lite.pipeline.model_problems import model_problems, target_problems, tell_learning_rate
from relearn_lite.pipeline.stages import learns_new_answers, stages_of
from relearn_lite.recipe import Recipe
from relearn_lite.recipe.names import RATING_KINDS
from relearn_lite.text.recall import KNOWN_NGRAM
from relearn_lite.text.stop_words import is_english
from relearn_lite.text.turns import bare, is_passage, shown
from relearn_lite.text.words import as_words
from relearn_lite.unlearn.goal import ONE_PROCESS

WRITTEN_BY_RULES = {"rules": "rules writes", "self": "self has questions worded by rules, which write"}


def check(recipe: Recipe, folder: Path | None = None) -> dict[str, list[QA]]:
    """Checks what a recipe alone cannot tell: the data, and that what it names is there. Returns the data.

    folder: of the run, whose collected questions are data too, once there are some.
    Loads no model and writes nothing. Raises RecipeError with every problem found.
    """
    problems: list[str] = []
    data: dict[str, list[QA]] = {}
    try:
        data = load_data(recipe, folder)
    except RecipeError as error:
        problems += error.problems
    both = overlap(data.get("forget", []), data.get("retain", []))
    if both:
        problems.append(
            f"data.retain: {len(both)} of its questions stand in data.forget too (first: {both[0]!r}); a model cannot "
            "forget and keep the same, so remove them from one of the two"
        )
    elif same := with_words_of(data.get("retain", []), data.get("forget", [])):
        told = (
            f"data.retain: {len(same)} of its passages have {KNOWN_NGRAM} words in a row that stand in data.forget too "
            f"(first: {shown(same[0].question)!r}); a model cannot forget and keep the same, so remove them from one "
            "of the two"
        )
        if len(same) > len(data["retain"]) / 2:  # a heading or a licence may well stand in several texts
            problems.append(told)
        else:
            tell_once(told)
    asked = [] if both else _asked_of_both(data)
    if recipe.data.preset is None:
        problems += asked
    else:  # a benchmark is as it was published
        for told in asked:
            tell_once(told)
    if again := overlap(data.get("retain", []), data.get("earlier", [])):
        problems.append(
            f"data.retain: {len(again)} of its questions were forgotten by a run of model.adapters (first: "
            f"{again[0]!r}), and would be taught again; remove them"
        )
    problems += _collect_problems(recipe, data, folder)
    if folder and data and not data["forget"]:
        problems.append(
            f"data.forget (collected): no row of {folder / 'forget.jsonl'} has the part train, so nothing would be "
            "learned; give some rows that part, or add --from collect to find them anew"
        )
    problems += _language_problems(recipe, data.get("forget", []))
    for each in (_accelerator_problems, _process_problems, model_problems, target_problems):
        problems += each(recipe)
    if recipe.evaluate.general:
        problems += task_problems(recipe.evaluate.general)
    problems += [*_key_problems(recipe), *adapter_problems(recipe), *unsafe_versions()]
    if problems:
        raise RecipeError(problems)
    if not (recipe.data.preset or recipe.data.collects):
        _tell_repeated(data)
    tell_learning_rate(recipe)
    _tell_generic(recipe, data)
    _tell_unmeasured(recipe, data)
    return data


def _asked_of_both(data: Mapping[str, Sequence[QA]]) -> list[str]:
    """What is asked as to be kept and is forgotten, or the other way round."""
    found = []
    for part, other in (("retain_eval", "forget"), ("forget_eval", "retain"), ("retain_eval", "forget_eval")):
        if seen := overlap(data.get(part, []), data.get(other, [])):
            found.append(
                f"data.{part}: {len(seen)} of its questions stand in data.{other} too (first: {seen[0]!r}); what is "
                "forgotten would be measured as kept, or what is kept as forgotten, so remove them from one of the two"
            )
    return found


def _tell_repeated(data: Mapping[str, Sequence[QA]]) -> None:
    """Tells of questions that stand in several rows: often a file that was put together twice. Refrains are meant."""
    for part in ("forget", "retain"):
        rows = [qa for qa in data[part] if not is_passage(qa.question)]
        asked = Counter(bare(qa.question) for qa in rows)
        if again := [qa for qa in rows if asked[bare(qa.question)] > 1]:
            tell_once(
                f"data.{part}: {len(rows) - len(asked)} of {len(rows)} rows ask what another row asks (first: "
                f"{shown(again[0].question)!r}); each counts as a row of its own, in training and in all numbers, so "
                "remove those that are there by mistake"
            )


def _collect_problems(recipe: Recipe, data: Mapping[str, Sequence[QA]], folder: Path | None) -> list[str]:
    """What does not go with names or documents in data.forget. data: empty where it could not be read; folder: given
    where stage collect is done."""
    if not recipe.data.collects:
        return []
    source, retain, problems = recipe.data.forget, data.get("retain", []), []
    try:
        proposing = recipe.collect.proposals is not None
        if source.topic:
            kind_of(source, proposing)  # raises where it is needed and cannot be found
        subjects = [each.name for each in read(source, proposing).asked] if source.documents else [source.about]
    except RecipeError as error:
        return error.problems
    for subject in subjects:
        name = re.compile(as_words(subject.casefold()))
        about = [qa.question for qa in retain if name.search(f"{qa.question} {qa.answer}".casefold())]
        if about:
            problems.append(
                f"data.retain: {len(about)} of its rows name {subject} (first: {about[0]!r}), who is to be "
                "forgotten; remove them"
            )
    named = recipe.collect.neighbours
    nothing_kept = data and not retain if folder else recipe.data.retain is None and not others_than(subjects, named)
    if nothing_kept and recipe.unlearn:
        why = "the model knows nothing of them" if folder else f"nobody {'else ' if named else ''}is named"
        problems.append(
            f"collect.neighbours: {why}, and data.retain is not given, so nothing would be kept; name others of the "
            "same kind that the model knows"
        )
    return problems


def _language_problems(recipe: Recipe, forget: Sequence[QA]) -> list[str]:
    """The rules write English alone: for another language they give mixed sentences. A few such rows are told only, and
    so are most where the model itself writes the answers."""
    writer = recipe.augment.writer
    if writer not in WRITTEN_BY_RULES or "augment" not in stages_of(recipe):
        return []
    if writer == "self":  # which goes on from passages in any language
        forget = [qa for qa in forget if not is_passage(qa.question)]
    foreign = [qa.question for qa in forget if not is_english(f"{qa.question} {qa.answer}")]
    most = len(foreign) > len(forget) / 2
    if not foreign or writer == "self" and not most:
        return []
    told = (
        f"augment.writer: {WRITTEN_BY_RULES[writer]} English only, and {len(foreign)} of {len(forget)} rows of "
        f"data.forget are not English sentences (first: {shown(foreign[0])!r}); word these as whole sentences, or "
        "name a local model or a server as writer"
    )
    if most and writer == "rules":
        return [told]
    tell_once(told)
    return []


def _accelerator_problems(recipe: Recipe) -> list[str]:
    if recipe.trainer.accelerator != "gpu" or not (recipe.finetune or recipe.unlearn):
        return []
    import torch

    if torch.cuda.is_available() or torch.backends.mps.is_available():
        return []
    return ["trainer.accelerator: gpu, and torch finds no GPU here; set it to auto or cpu"]


def _process_problems(recipe: Recipe) -> list[str]:
    if distributed.world_size() == 1 or not (recipe.unlearn and recipe.unlearn.searches):
        return []
    return [ONE_PROCESS]


def _tell_generic(recipe: Recipe, data: dict[str, list[QA]]) -> None:
    """Tells where `unlearn.generic: retain` holds nothing."""
    settings = recipe.unlearn
    if not settings or settings.generic != "retain":
        return
    if not learns_new_answers(settings):
        why = f"{settings.objective.forget} trains on no new answers, and general ones come with these"
    elif not (data["generic"] or recipe.augment.from_):
        why = "data.generic gives none; set it to self, or to questions of your own"
    elif not recipe.augment.generic_ratio:
        why = "augment.generic_ratio is 0; give more"
    else:
        return
    tell_once(f"unlearn.generic: retain holds no general answers here: {why}")


def _tell_unmeasured(recipe: Recipe, data: Mapping[str, Sequence[QA]]) -> None:
    """Tells of metrics that will be missing for want of what the recipe does not name: before hours of work."""
    needed = {
        "evaluate.evaluators.judge": (recipe.evaluate.evaluators.judge, RATING_KINDS),
        "data.holdout": (data.get("holdout"), (*ATTACKS, "privleak")),
        "evaluate.retain_model_results": (recipe.evaluate.retain_model_results, ("forget_quality",)),
    }
    for key, (given, metrics) in needed.items():
        if not given and (missing := [name for name in recipe.evaluate.metrics if name in metrics]):
            tell_once(f"evaluate.metrics: {', '.join(missing)} cannot be had without {key}, and will be missing")


def _key_problems(recipe: Recipe) -> list[str]:
    judges = recipe.evaluate.evaluators
    choices = {
        "augment": recipe.augment,
        "collect.proposals": recipe.collect.proposals if recipe.data.collects else None,
        "evaluate.evaluators.entities": judges.entities,
        "evaluate.evaluators.judge": judges.judge,
    }
    servers = [(section, choice) for section, choice in choices.items() if choice and choice.writer == "server"]
    servers += [("unlearned", recipe.unlearned)] if recipe.unlearned and recipe.unlearned.server else []
    return [
        f"{section}.api_key_env: the environment variable {choice.api_key_env} is not set; export it, or name "
        "another one"
        for section, choice in servers
        if choice.api_key_env and not os.environ.get(choice.api_key_env)
    ]
