"""Stage evaluate: from answers to numbers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from relearn_lite.core.errors import naming
from relearn_lite.core.files import load_json, read_rows, write_json, write_jsonl
from relearn_lite.core.records import Answer, Score
from relearn_lite.evaluate.choose import base_model, comparable_with_paper, context_of, make_evaluators
from relearn_lite.evaluate.differences import differences
from relearn_lite.evaluate.evaluate import evaluate as measure
from relearn_lite.evaluate.evaluate import samples
from relearn_lite.evaluate.groups import by_group, groups_of
from relearn_lite.evaluate.known import answers_right
from relearn_lite.evaluate.paper import differences_from_paper
from relearn_lite.judges import Evaluators
from relearn_lite.judges.evaluated_model import EvaluatedModel
from relearn_lite.metrics import METRICS
from relearn_lite.metrics.declaration import GENERAL
from relearn_lite.models import backends
from relearn_lite.pipeline.run_state import MODELS, Run
from relearn_lite.pipeline.stages.generate import read_answers
from relearn_lite.report.console import stage_progress


def evaluate(run: Run) -> dict[str, Any]:
    """metrics.json and samples.jsonl, for the vanilla and the unlearned model."""
    judges = make_evaluators(run.recipe, lambda: run.model("vanilla"))
    answers = {model: read_answers(run, model) for model in run.models}
    results: dict[str, Any] = {}
    references: dict[str, EvaluatedModel] = {}
    scores: dict[str, list[Score]] = {}
    asked = answers["vanilla"].get("control", [])
    known = _known_control(run, asked, judges) if asked else set()
    for splits in answers.values() if asked else ():
        splits[GENERAL] = splits["control"]
        splits["control"] = [row for row in splits["control"] if row.id in known]
    total = sum(len(split) for model in answers.values() for split in model.values())
    with stage_progress("evaluate", total, run.quiet) as advance:
        for model in run.models:
            steps = shares(advance, sum(map(len, answers[model].values())), model)
            if model == "vanilla" and run.vanilla_run:
                results[model], scores[model] = read_vanilla(run.vanilla_run)
                if asked:  # of all general answers samples.jsonl has no values, and differences are of values
                    general = {GENERAL: answers[model][GENERAL]}
                    scores[model] += measure(general, judges, run.recipe.evaluate.metrics)[1]
                steps("measured before", 1, 1)
                continue
            results[model], scores[model] = measure(
                answers[model], replace(judges, model=evaluated_model(run, model, references)),
                run.recipe.evaluate.metrics, steps,
            )  # fmt: skip
    for numbers in results.values() if asked else ():
        numbers["notes" if known else "reasons"]["kept_general"] = _told_of_control(len(asked), len(known))
    if groups := groups_of(run.data):
        for model in run.models:
            results[model]["groups"] = by_group(scores[model], groups)
    results |= {"evaluators": judges.names(), "comparable_with_paper": comparable_with_paper(run.recipe)}
    results["differences_from_paper"] = differences_from_paper(run.recipe)
    if len(run.models) > 1:
        results["difference"] = differences(*(scores[model] for model in MODELS))
    for splits in answers.values():
        splits.pop(GENERAL, None)
    told = {model: [score for score in each if score.split != GENERAL] for model, each in scores.items()}
    write_jsonl(run.folder / "samples.jsonl", samples(answers, told))
    write_json(run.folder / "metrics.json", results, allow_nan=False)
    return {"answers": total}


def _known_control(run: Run, asked: list[Answer], judges: Evaluators) -> set[str]:
    """The control questions that the vanilla model answers right, by their ids."""
    if run.vanilla_run:
        return {score.id for score in read_vanilla(run.vanilla_run)[1] if score.split == "control"}
    return {row.id for row, right in zip(asked, answers_right(asked, judges), strict=True) if right}


def _told_of_control(asked: int, known: int) -> str:
    """What `kept_general` is a share of."""
    if not known:
        return f"the vanilla model answers none of the {asked} control questions, so nothing could be lost"
    return f"{known} of {asked} control questions: those that the vanilla model answers"


def read_vanilla(run: Path) -> tuple[dict[str, Any], list[Score]]:
    """The vanilla model's numbers, and every metric's value of every answer, of a run that measured them."""
    numbers = load_json(run / "metrics.json")["vanilla"]
    return numbers, scores_of(read_rows(run / "samples.jsonl"), "vanilla")


def scores_of(samples: list[dict[str, Any]], model: str) -> list[Score]:
    """Every metric's value of every answer of a model, out of samples.jsonl, which has no reasons of missing ones."""
    return [
        Score(row["id"], metric, value, None, row["split"])
        for row in samples for metric, value in row["scores"][model].items()
    ]


def evaluated_model(run: Run, model: str, references: dict[str, EvaluatedModel] | None = None):
    """`vanilla` or `unlearned`, to be asked itself; None where no metric that the recipe names asks it, and for
    what a server has. references: models that were loaded to be compared with, by name; both share them."""
    if not any("model" in METRICS[name].needs for name in run.recipe.evaluate.metrics):
        return None
    if model == "unlearned" and run.recipe.unlearned and run.recipe.unlearned.server:
        return None
    recipe, context = run.recipe, context_of(run.recipe, run.data)
    reference = None
    references = {} if references is None else references
    if "mia_reference" in recipe.evaluate.metrics:
        name = recipe.evaluate.privacy.reference_model
        if name == "base" and recipe.base_model != "vanilla":
            reference = EvaluatedModel(base_model(recipe, lambda: run.model("vanilla")), (), context)
        elif name not in ("vanilla", "base"):
            if name not in references:
                with naming("evaluate.privacy.reference_model"):
                    loaded = backends.load(recipe.model.settings_for(name), recipe.seed)
                references[name] = EvaluatedModel(loaded, (), context)
            reference = references[name]
        elif model != "vanilla":
            loaded = run.model("vanilla")
            reference = EvaluatedModel(loaded, loaded.vanilla_adapters, context)
    loaded = run.model(model)
    return EvaluatedModel(loaded, loaded.adapters_of(model), context, reference)


def shares(advance: Callable[[float, str], None], rows: int, model: str) -> Callable[[str, int, int], None]:
    """The progress of measuring one model, step by step, as shares of its answers."""
    reported = 0.0

    def progress(what: str, done: int, of: int) -> None:
        nonlocal reported
        advance(rows * done / of - reported, f"{what}, {model}")
        reported = rows * done / of

    return progress
