"""How long writing, asking and judging will take on this machine: some of each is done, and the time of all reckoned.

It is done as a run does it, in a run folder that is thrown away, with adapters that were taught nothing: they take the
time that taught ones take, and the answers are those of the vanilla model. What is learnt of the lengths of texts, of
batches and of how often a writer must write again is the recipe's own models' on the recipe's own questions.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from relearn_lite.core.memory import free_memory
from relearn_lite.core.records import QA, Answer
from relearn_lite.evaluate.choose import knowledge_evaluators, make_evaluators
from relearn_lite.evaluate.evaluate import evaluate
from relearn_lite.evaluate.known import tells
from relearn_lite.evaluate.own_words import short_answers
from relearn_lite.evaluate.quick_eval import selection_questions, stopping_questions
from relearn_lite.models import backends
from relearn_lite.models.generation import Decoding
from relearn_lite.models.loaded import UNLEARNED, VANILLA
from relearn_lite.pipeline.run_state import Run
from relearn_lite.pipeline.stages import stages_of
from relearn_lite.pipeline.stages.ask import only_trained
from relearn_lite.pipeline.stages.evaluate import evaluated_model
from relearn_lite.plan.measure_asking import Judged, Work, asking, judging
from relearn_lite.plan.measure_writing import writing
from relearn_lite.recipe import Recipe

Share = Callable[[str], float]  # of a stage -> the seconds that are left for it now
TRIAL = 20.0  # seconds for all of it; what was begun is finished, however long it takes


def trial(recipe: Recipe, data: Mapping[str, Sequence[QA]], seconds: float) -> Iterator[Work]:
    """Does a little of what the recipe's stages will do, for about so many seconds.

    data: of the recipe, see `pipeline.check`. Raises RecipeError where a model, a writer or a judge cannot be had.
    """
    if recipe.finetune and not recipe.finetune.lora:  # weights that were taught take the time of those that were not
        recipe = recipe.model_copy(update={"finetune": None})
    with tempfile.TemporaryDirectory() as folder:
        run = Run(recipe, Path(folder), quiet=True)
        run.given = dict(data)
        try:
            yield from _stages(run, seconds)
        finally:
            run.unload_models()


def _stages(run: Run, seconds: float) -> Iterator[Work]:
    recipe, splits = run.recipe, {split: rows for split, rows in run.questions.items() if rows}
    steps = [name for name in ("ask", "augment", "generate", "evaluate") if name in stages_of(recipe)]
    if recipe.finetune:
        _save_untaught(run, VANILLA, "vanilla")
    loading = time.monotonic()
    run.model("vanilla")
    begin = time.monotonic()
    yield Work("ask", "model loaded", 1, 1, begin - loading)

    def share(step: str) -> float:
        return (seconds - (time.monotonic() - begin)) / len(steps[steps.index(step) :])

    asked = asking(run, "vanilla", splits, Decoding.of(recipe.generate, recipe.seed), share("ask"))
    work = asked.work("ask", "answers of the vanilla model")
    yield work
    if trained := only_trained(run):
        what = "answers to forget questions that are only trained"
        yield Work("ask", what, len(trained), 0, len(trained) * work.seconds / work.rows)
    if recipe.own_words and (short := short_answers(run.given)):
        yield Work("ask", "short answers in its own words", len(short), 0, len(short) * work.seconds / work.rows)
    yield _known(run, asked.answers["forget"], len(splits["forget"]) + len(trained), share)
    if "augment" in steps:
        yield from writing(run, share("augment"))
    if recipe.unlearn:
        _save_untaught(run, UNLEARNED, "adapter")
    if "generate" in steps and not (recipe.unlearned and recipe.unlearned.server):
        yield from _generating(run, splits, share)
    yield _evaluating(run, asked.answers, len(run.models) * sum(map(len, splits.values())), share)


def _known(run: Run, answers: Sequence[Answer], rows: int, share: Share) -> Work:
    """Whether the vanilla model knows the forget set, judged of some of its answers."""
    judges = knowledge_evaluators(run.recipe, lambda: run.model("vanilla"))
    judged = judging({"forget": answers}, lambda some: tells(some["forget"], judges), rows, share("ask") / 2)
    return judged.work("ask", "of them judged, whether the model knows it")


def _generating(run: Run, splits: Mapping[str, Sequence[QA]], share: Share) -> Iterator[Work]:
    """The unlearned model's answers, and those of one check in training where it is checked."""
    recipe = run.recipe
    decoding = Decoding.of(recipe.generate, recipe.seed)
    asked = asking(run, "unlearned", splits, decoding, share("generate"))
    work = asked.work("generate", "answers of the unlearned model")
    yield work
    if recipe.unlearn and (recipe.unlearn.evaluate_every or recipe.unlearn.searches):
        yield _check(run, work.seconds / work.rows)


def _evaluating(run: Run, answers: Judged, rows: int, share: Share) -> Work:
    """All metrics, of some of the vanilla model's answers."""
    metrics = run.recipe.evaluate.metrics
    judges = make_evaluators(run.recipe, lambda: run.model("vanilla"))
    judges = replace(judges, model=evaluated_model(run, "vanilla"))
    judged = judging(answers, lambda some: evaluate(some, judges, metrics), rows, share("evaluate"))
    return judged.work("evaluate", f"answers judged ({', '.join(metrics)})")


def _check(run: Run, each: float) -> Work:
    """The questions of one check in training; each: seconds of an answer."""
    settings = run.recipe.unlearn
    if settings.searches:
        chosen = stopping_questions(run.data, settings.watch.questions, (), run.recipe.seed)
    else:
        chosen = selection_questions(run.data, settings.watch.questions)
    asked = sum(map(len, chosen.values()))
    return Work("unlearn", "answers for one check in training", asked, 0, asked * each)


def _save_untaught(run: Run, name: str, folder: str) -> None:
    """Leaves an adapter as it is before training where the run will look for what was taught."""
    section = run.recipe.finetune if name == VANILLA else run.recipe.unlearn
    loaded = run.load(run.recipe.model)
    backends.add_adapter(loaded, name, section.lora, run.recipe.seed)
    backends.save_adapter(loaded, name, run.folder / folder)
    del loaded
    free_memory()
