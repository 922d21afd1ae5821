"""The `score` command: who judges files of answers, and what they found of each answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from relearn_lite.core.errors import RecipeError, did_you_mean, naming
from relearn_lite.core.records import Answer, Score
from relearn_lite.evaluate.choose import make_evaluators
from relearn_lite.judges import Evaluators
from relearn_lite.judges.language_model import CausalLanguageModel
from relearn_lite.models import backends
from relearn_lite.models.loaded import Loaded
from relearn_lite.recipe import Model, Recipe
from relearn_lite.recipe.load import read_yaml
from relearn_lite.recipe.names import DEFAULT_METRICS
from relearn_lite.recipe.problems import sentences

NAMES = ("embedded", "minilm", "models")
SECTION = ("evaluate", "evaluators")
KEYS = "entities, embeddings, nli, language_model, judge"


def score_evaluators(
    chosen: str = "embedded", metrics: Sequence[str] = DEFAULT_METRICS, language_model: str | None = None
) -> Evaluators:
    """The judges of answers from files, who have no model of a run to share or to ask.

    chosen: one of NAMES, or a YAML file with keys of evaluate.evaluators. language_model: for perplexity and LS,
    `embedded`, a folder or a hub id; it goes before the file's. Weights of models are not quantised: 16 bit on a GPU,
    float32 on a CPU. Raises RecipeError where something is not to be had.
    """
    recipe = _recipe(chosen, metrics)
    named = recipe.evaluate.evaluators
    own = named.language_model not in ("base", "vanilla", "none")
    given = language_model or (named.language_model if own else None)
    without = recipe.evaluate.model_copy(update={"evaluators": named.model_copy(update={"language_model": "none"})})

    def embedded() -> Loaded:  # no model of a run is asked for, see `_needs_no_run`
        return backends.load(recipe.model, recipe.seed)

    judges = make_evaluators(recipe.model_copy(update={"evaluate": without}), embedded)
    return replace(judges, language_model=_language_model(given)) if given else judges


def _recipe(chosen: str, metrics: Sequence[str]) -> Recipe:
    """A recipe that does nothing but judge."""
    tree, origins, path = chosen, {}, Path(chosen)
    if chosen not in NAMES:
        if path.suffix not in (".yaml", ".yml") or not path.is_file():
            raise RecipeError(
                f"--evaluators: found {chosen!r}; {did_you_mean(chosen, NAMES)}give {', '.join(NAMES)}, or a YAML file "
                f"with some of the keys of evaluate.evaluators: {KEYS}"
            )
        tree, origins = read_yaml(path, "--evaluators")
        if not isinstance(tree, dict):
            raise RecipeError(f"--evaluators: {path} has no keys; give some of {KEYS}")
        _needs_no_run(tree, path)
    whole = {
        "name": "score", "model": {"quantization": "none"}, "data": {"preset": "people"},
        "evaluate": {"evaluators": tree, "metrics": list(dict.fromkeys(metrics))},
    }  # fmt: skip
    origins = {(*SECTION, *place): origin for place, origin in origins.items()}
    try:
        return Recipe.model_validate(whole, context={"base": path.resolve().parent})
    except ValidationError as error:
        raise RecipeError([f"--evaluators: {told}" for told in sentences(error, origins, path)]) from None


def _needs_no_run(tree: Mapping[str, Any], path: Path) -> None:
    """Raises RecipeError where a judge is a model of the run: there is none."""
    problems = [
        f"--evaluators: {path}: {key}.model is missing; score has no model of a run, so name one, a folder or a hub id"
        for key in ("entities", "judge")
        if isinstance(tree.get(key), dict) and tree[key].get("writer") == "local" and not tree[key].get("model")
    ]
    if (named := tree.get("language_model")) in ("base", "vanilla"):
        problems.append(
            f"--evaluators: {path}: language_model: found {named!r}, a model of a run, and score has answers alone; "
            "give none, embedded, a folder or a hub id"
        )
    if problems:
        raise RecipeError(problems)


def _language_model(name: str) -> CausalLanguageModel:
    try:
        with naming("--language-model"):
            loaded = backends.load(Model.model_validate({"name": name, "quantization": "none"}), seed=0)
    except ValidationError as error:
        message = error.errors()[0]["msg"].removeprefix("Value error, ")
        raise RecipeError(f"--language-model: found {name!r}; {message}") from None
    return CausalLanguageModel(loaded, name, name == "embedded")


def examples(answers: Mapping[str, Sequence[Answer]], scores: Sequence[Score]) -> list[dict[str, Any]]:
    """One entry an answer: its split, its row in that split's file from 0 on, and every value that a metric gave it.

    Rows are told by their place and not by id, which files may repeat: the scores of a metric come in their order.
    """
    rows = {split: [{"split": split, "row": n} for n in range(len(given))] for split, given in answers.items()}
    turn = {}
    for score in scores:
        entry = next(turn.setdefault((score.split, score.metric), iter(rows[score.split])))
        entry |= {score.metric: score.value} | score.judged
    return [entry for split in rows.values() for entry in split]
