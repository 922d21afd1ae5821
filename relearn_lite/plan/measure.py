"""How long writing, asking and judging will take on this machine: some of each is done, and the time of all reckoned.

It is done as a run does it, in a run folder that is thrown away, with adapters that were taught nothing: they take the
time that taught ones take, and the answers are those of the vanilla model. What is learnt of the lengths of texts, of
batches and of how often a writer must write again is the recipe's own models' on the recipe's own questions.
"""

from __future__ import annotations

import random
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from relearn_lite.augment import CHUNK
from relearn_lite.augment.diversity import Openings
from relearn_lite.augment.drafts import answer_drafts, passage_drafts, question_drafts
from relearn_lite.augment.existing import read_existing
from relearn_lite.augment.semantic import make_semantic_check
from relearn_lite.augment.verify import write_verified
from relearn_lite.core.memory import free_memory
from relearn_lite.core.records import QA, Answer
from relearn_lite.data.examples import question_ids
from relearn_lite.evaluate.choose import make_evaluators, rate_evaluators
from relearn_lite.evaluate.evaluate import evaluate
from relearn_lite.evaluate.known import tells
from relearn_lite.evaluate.quick_eval import selection_questions, stopping_questions
from relearn_lite.models import backends
from relearn_lite.models.generation import GREEDY, Decoding, batches_of, check_fits, complete
from relearn_lite.models.loaded import UNLEARNED, VANILLA, active_adapters
from relearn_lite.models.shared_prefix import Prefixes
from relearn_lite.pipeline.run_state import Run
from relearn_lite.pipeline.stages import stages_of
from relearn_lite.pipeline.stages.augment import OWN_ANSWER_TOKENS, settings_of
from relearn_lite.pipeline.stages.evaluate import evaluated_model
from relearn_lite.recipe import Recipe
from relearn_lite.text.turns import is_passage
from relearn_lite.writers import Writer, make_writer
from relearn_lite.writers.rules import RulesWriter

TRIAL = 20.0  # seconds for all of it; what was begun is finished, however long it takes
JUDGED = 8  # answers of each split that are judged at first, then twice as many: what a call takes for itself fades


@dataclass(frozen=True)
class Work:
    """What a stage does: how much of it there is, how much of that was tried, and the seconds that all will take."""

    stage: str
    what: str
    rows: int
    tried: int
    seconds: float


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

    decoding = Decoding.of(recipe.generate, recipe.seed)
    work, answers = _asking(run, "vanilla", splits, decoding, share("ask"))
    yield replace(work, stage="ask", what="answers of the vanilla model")
    judges, forget = rate_evaluators(recipe, lambda: run.model("vanilla")), {"forget": answers["forget"]}
    work = _judging(forget, lambda some: tells(some["forget"], judges), len(splits["forget"]), share("ask") / 2)
    yield replace(work, stage="ask", what="of them judged, whether the model knows it")
    if "augment" in steps:
        yield from _writing(run, share("augment"))
    if recipe.unlearn:
        _save_untaught(run, UNLEARNED, "adapter")
    if "generate" in steps and not (recipe.unlearned and recipe.unlearned.server):
        work, _ = _asking(run, "unlearned", splits, decoding, share("generate"))
        yield replace(work, stage="generate", what="answers of the unlearned model")
        if recipe.unlearn and (recipe.unlearn.evaluate_every or recipe.unlearn.searches):
            yield _check(run, work.seconds / work.rows)
    judges = make_evaluators(recipe, lambda: run.model("vanilla"))
    judges = replace(judges, model=evaluated_model(run, "vanilla"))
    metrics, rows = recipe.evaluate.metrics, len(run.models) * sum(map(len, splits.values()))
    work = _judging(answers, lambda some: evaluate(some, judges, metrics), rows, share("evaluate"))
    yield replace(work, stage="evaluate", what=f"answers judged ({', '.join(metrics)})")


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


def _asking(
    run: Run, model: str, splits: Mapping[str, Sequence[QA]], decoding: Decoding, seconds: float
) -> tuple[Work, dict[str, list[Answer]]]:
    """Some batches and their answers by split: one of the first split, then the fullest, as long as time is left."""
    loaded, batches = run.model(model), []
    for split, asked in splits.items():
        prompts = [question_ids(loaded.tokenizer, qa.question) for qa in asked]
        check_fits(loaded, prompts, decoding)
        prefixes = Prefixes(loaded, [prompts])
        made = [(split, [asked[i] for i in rows], [prompts[i] for i in rows], prefixes)
                for rows in batches_of(prompts, decoding.rows(loaded))]  # fmt: skip
        batches += random.Random(len(batches)).sample(made, len(made))
    batches = batches[:1] + sorted(batches[1:], key=lambda batch: -len(batch[1]))
    answers: dict[str, list[Answer]] = {}
    spent, tried = 0.0, 0
    with active_adapters(loaded.model, loaded.adapters_of(model)):
        for number, (split, asked, prompts, prefixes) in enumerate(batches):
            if number == 0:  # whether the model may share beginnings is tried once, libraries are read once
                complete(loaded, prompts, replace(decoding, max_new_tokens=1), prefixes)
            begin = time.monotonic()
            made = complete(loaded, prompts, decoding, prefixes)
            spent, tried = spent + time.monotonic() - begin, tried + len(asked)
            answers.setdefault(split, []).extend(
                Answer(qa.id, model, split, qa.question, qa.answer, answer.text, answer.finished)
                for qa, answer in zip(asked, made, strict=True)
            )
            if spent > seconds and number:
                break
    rows = sum(map(len, splits.values()))
    return Work("", "", rows, tried, spent * rows / max(tried, 1)), answers


def _writing(run: Run, seconds: float) -> Iterator[Work]:
    """New answers to some questions, and general answers where the vanilla model gives these."""
    recipe, forget = run.recipe, run.data["forget"]
    section = recipe.augment
    given = {row.parent_id for row in read_existing(section.from_, forget)[0]} if section.from_ else ()
    bare = [qa for qa in forget if qa.id not in given]
    if bare:
        if section.writer == "local" and not section.uses_model(recipe.model.name):
            run.unload_models()  # as stage ask does
        writer = make_writer(section, "augment", recipe, lambda: run.vanilla)
        yield _written(run, bare, writer, seconds)
    if open_ := [qa for qa in run.data["generic"] if not qa.answer]:
        decoding = Decoding(min(OWN_ANSWER_TOKENS, recipe.model.max_length // 2), recipe.generate.batch_size, GREEDY)
        work, _ = _asking(run, "vanilla", {"generic": open_}, decoding, seconds / 4)
        yield replace(work, stage="augment", what="general answers of the vanilla model")


def _written(run: Run, questions: Sequence[QA], writer: Writer, seconds: float) -> Work:
    """Questions written about: a few in part, so that a slow writer is tried with several too; where there is time for
    it, whole chunks."""
    order = random.Random(0).sample(questions, len(questions))
    loading = time.monotonic()
    _chunk(run, order[:1], RulesWriter(), whole=False)  # word lists are read
    begin = time.monotonic()
    once = begin - loading
    rows, expected = min(CHUNK, len(order)), _chunk(run, order[:CHUNK], writer, whole=False)
    tried, found = 0, 0.0
    while tried < len(order) and time.monotonic() - begin + expected < seconds:
        found += _chunk(run, order[tried : tried + CHUNK], writer, whole=True)
        tried = min(tried + CHUNK, len(order))
    each = found / tried if tried else expected / rows
    what = f"questions written about by {writer.name}"
    return Work("augment", what, len(questions), tried or rows, once + each * len(questions))


def _chunk(run: Run, questions: Sequence[QA], writer: Writer, whole: bool) -> float:
    """The seconds that these questions take with all their variants, of which not all need be written."""
    section = run.recipe.augment
    settings = settings_of(run.recipe, make_semantic_check(section.semantic, lambda: run.vanilla))
    kinds, per = settings.questions, settings.answers_per_question
    wanted = len(kinds) * settings.variants
    openings = Openings() if writer.judges else None
    begin = time.monotonic()
    own = {qa.id: kinds if whole else [kinds[n % len(kinds)]] for n, qa in enumerate(questions) if kinds}
    variants = settings.variants if whole else 1
    worded = [qa for qa in questions if not is_passage(qa.question)]
    drafts = [draft for qa in worded for draft in question_drafts([qa], own.get(qa.id, ()), variants)]
    outcomes = write_verified(drafts, writer, settings.verify_rounds, settings.seed)
    passed = sum(outcome.reason is None for outcome in outcomes.values()) / max(len(outcomes), 1)
    for_variants = time.monotonic() - begin
    answers = []
    for qa in questions:
        if is_passage(qa.question):
            answers += passage_drafts(qa, wanted if whole else 1, per, settings.seed)
        else:
            answers += answer_drafts(qa, own.get(qa.id, ()), outcomes, per, variants)[0]
    begin = time.monotonic()
    write_verified(answers, writer, settings.verify_rounds, settings.seed, settings.semantic, openings)
    for_answers = time.monotonic() - begin
    all_variants, all_answers = (
        len(worded) * wanted,
        per * sum(1 + wanted * (1 if is_passage(qa.question) else passed) for qa in questions),
    )
    return for_variants * all_variants / max(len(drafts), 1) + for_answers * all_answers / max(len(answers), 1)


def _judging(
    answers: Mapping[str, Sequence[Answer]], judge: Callable[[Mapping[str, Sequence[Answer]]], Any], rows: int,
    seconds: float,
) -> Work:  # fmt: skip
    """Some answers judged, as long as time is left. What judges do once, such as being loaded, counts once."""

    def judged(some: Mapping[str, Sequence[Answer]]) -> float:
        begin = time.monotonic()
        judge(some)
        return time.monotonic() - begin

    once = judged({split: given[:1] for split, given in answers.items()})
    spent, tried, start, size, last = 0.0, 0, 0, JUDGED, 0.0
    while start < max(map(len, answers.values())) and (not tried or once + spent + 2 * last <= seconds):
        some = {split: given[start : start + size] for split, given in answers.items()}
        some = {split: given for split, given in some.items() if given}
        last = judged(some)
        spent, tried = spent + last, tried + sum(map(len, some.values()))
        start, size = start + size, 2 * size
    return Work("", "", rows, tried, once + spent * rows / tried)
