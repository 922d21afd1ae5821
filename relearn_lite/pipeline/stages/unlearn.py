"""Stage unlearn: trains the adapter that forgets."""

from __future__ import annotations

import random
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any

from relearn_lite.core import distributed
from relearn_lite.core.errors import RecipeError
from relearn_lite.core.files import read_jsonl, replace_folder
from relearn_lite.core.records import QA, Variant
from relearn_lite.data.batches import TrainingRows
from relearn_lite.data.examples import Example, check_lengths, encode_answer, encode_answers, encode_variant
from relearn_lite.data.passages import cut_rest, cuts
from relearn_lite.data.sources import question_texts
from relearn_lite.evaluate.choose import make_evaluators
from relearn_lite.evaluate.quick_eval import quick_eval, selection_questions, stopping_questions
from relearn_lite.models import backends
from relearn_lite.models.generation import context_length
from relearn_lite.models.loaded import UNLEARNED, active_adapters
from relearn_lite.pipeline.run_state import Run
from relearn_lite.recipe import Unlearn
from relearn_lite.text.turns import is_passage
from relearn_lite.unlearn.diagnostics import explain, losses
from relearn_lite.unlearn.losses import FORGET_LOSSES, RETAIN_LOSSES
from relearn_lite.unlearn.losses.task_vector import negate
from relearn_lite.unlearn.reference import worth_keeping
from relearn_lite.unlearn.refusals import refusal
from relearn_lite.unlearn.train import TrainingRun, train
from relearn_lite.writers.question_forms import other_wordings

HELD_TOKENS = 24  # of a general answer: what is asked for stands in its beginning, and more cost time


def learns_new_answers(settings: Unlearn) -> bool:
    """Whether these settings train on the augmented forget set."""
    return "augmented" in FORGET_LOSSES[settings.objective.forget].trains_on


def unlearn(run: Run) -> dict[str, Any]:
    """Trains the adapter that forgets; adapter/ holds it."""
    recipe, settings, loaded = run.recipe, run.recipe.unlearn, run.vanilla
    method = settings.objective
    parts = FORGET_LOSSES[method.forget].trains_on
    forget, retain = forget_rows(run, parts), encode_answers(loaded.tokenizer, _asked_to_keep(run))
    generic = generic_rows(run) if method.generic and "augmented" in parts else {}
    for part in parts:
        answers = {name: row[part] for name, row in forget.items()}
        general = {name: row for name, row in answers.items() if name.endswith("/generic")}
        check_lengths(general, recipe.model.max_length, "data.generic", context_length(loaded))
        check_lengths(answers, recipe.model.max_length, f"data.forget ({part} answers)", context_length(loaded))
    check_lengths(retain, recipe.model.max_length, "data.retain", context_length(loaded))
    check_lengths(generic, recipe.model.max_length, "data.generic", context_length(loaded))
    backends.add_adapter(loaded, UNLEARNED, settings.lora, recipe.seed)
    rows = TrainingRows(*(list(part.values()) for part in (forget, retain, generic)))
    settings = settings.model_copy(update={"reference": _reference(settings, rows, loaded.hidden_size)})
    training = TrainingRun("unlearn", run.folder, recipe.seed, recipe.trainer, run.quiet, shared=True)
    teach = _search if settings.searches else _train
    notes = teach(run, rows, settings, training)
    if not distributed.is_first():
        return {}
    if method.forget == "task_vector":
        negate(loaded.model, UNLEARNED, settings.task_vector)
    replace_folder(run.folder / "adapter", lambda folder: backends.save_adapter(loaded, UNLEARNED, folder))
    warnings = explain(losses(run.folder))
    for sentence in warnings:
        print(f"unlearn: {sentence}", file=sys.stderr)
    notes |= {"warnings": warnings, "backend": loaded.backend}  # the backend that `auto` came to
    return {"rows": len(forget), **{key: value for key, value in notes.items() if value not in (None, [])}}


def _train(run: Run, rows: TrainingRows, settings: Unlearn, training: TrainingRun) -> dict[str, Any]:
    """As many epochs as asked for, with the learning rate that is given."""
    evaluation = make_eval_callback(run) if settings.evaluate_every else None
    with active_adapters(run.vanilla.model, run.vanilla.unlearned_adapters):
        steps = train(run.vanilla, rows, settings, training, [evaluation] if evaluation else [])
    kept = evaluation.best.step if evaluation and evaluation.best else None
    return {"steps": steps, "kept_step": kept, "stopped": evaluation.stopped if evaluation else None}


def _search(run: Run, rows: TrainingRows, settings: Unlearn, training: TrainingRun) -> dict[str, Any]:
    """Finds what `unlearn.lr` and `unlearn.epochs` leave open."""
    from relearn_lite.unlearn.search import Search

    recipe, loaded = run.recipe, run.vanilla
    trained = every_prompt(run).union(qa.question for qa in run.data["forget"])
    questions = stopping_questions(run.data, settings.watch.questions, trained, recipe.seed)
    ask = quick_eval(recipe, loaded, questions, make_evaluators(recipe, lambda: loaded), likelihood=True)
    search = Search(loaded, rows, settings, training, ask, lambda line: run.say(f"unlearn: {line}"))
    with active_adapters(loaded.model, loaded.unlearned_adapters):
        found = search.run()
    steps = sum(rate["steps"] for rate in found["rates"])
    return {"steps": steps, "lr": found["lr"], "kept_step": found["step"], "strength": found["strength"]}


def every_prompt(run: Run) -> frozenset[str]:
    """What training asks, of forget and retain questions in all their wordings."""
    return trained_prompts(run).union(qa.question for qa in _asked_to_keep(run))


def trained_prompts(run: Run) -> frozenset[str]:
    """What the augmentation asked; nothing where none was trained on, though the folder has one of another method."""
    if not (run.recipe.unlearn and learns_new_answers(run.recipe.unlearn)):
        return frozenset()
    return frozenset(variant.prompt for variant in read_jsonl(run.folder / "augmented.jsonl", Variant))


def _asked_to_keep(run: Run) -> Iterable[QA]:
    """The retain questions in all wordings that are trained; none where the method trains on none."""
    if not (run.recipe.unlearn and run.recipe.unlearn.objective.retain):
        return ()
    kept_apart = [*run.data["retain"], *run.data["retain_eval"]]
    return retain_questions(run.data["retain"], kept_apart, run.recipe.unlearn.retain_variants, run.recipe.seed)


def retain_questions(retain: Sequence[QA], kept_apart: Sequence[QA], variants: int, seed: int) -> Iterator[QA]:
    """Each retain question, and so many other wordings of it where rules have them; of a passage, other cuts.

    Never a wording in `kept_apart`: paraphrases are there to measure by.
    """
    measured = {text for qa in kept_apart for text in question_texts(qa)}
    for qa in retain:
        yield qa
        if is_passage(qa.question):
            yield from cuts(qa, variants, random.Random(f"{seed} {qa.id}"))
        forms = other_wordings(qa.question, measured)
        for n, form in enumerate(random.Random(f"{seed} {qa.id}").sample(forms, min(variants, len(forms))), 1):
            yield replace(qa, id=f"{qa.id}/simple-{n}", question=form)


def _reference(settings: Unlearn, rows: TrainingRows, hidden_size: int) -> str:
    """`unlearn.reference`, with `auto` decided by whether what the vanilla model makes of the rows is worth keeping."""
    if settings.reference != "auto":
        return settings.reference
    method = settings.objective
    loss = FORGET_LOSSES[method.forget]
    asked = [row[part] for row in rows.forget for part in loss.trains_on] if loss.needs_reference else []
    if any(RETAIN_LOSSES[name].needs_reference for name in method.retain):
        asked += rows.retain
    asked += rows.generic
    return "cached" if worth_keeping(asked, hidden_size, settings.epochs) else "recompute"


def make_eval_callback(run: Run):
    """What evaluates this run's adapter while it is trained; logs to logs/unlearn/checks.jsonl."""
    from relearn_lite.unlearn.eval_callback import EvalCallback

    recipe, loaded, settings = run.recipe, run.vanilla, run.recipe.unlearn
    questions = selection_questions(run.data, settings.watch.questions)
    ask = None
    if distributed.is_first():  # which alone asks: the others need no judges
        ask = quick_eval(recipe, loaded, questions, make_evaluators(recipe, lambda: loaded))
    log, kept = run.folder / "logs/unlearn/checks.jsonl", run.folder / "checkpoints/unlearn"
    return EvalCallback(ask, settings, log, kept, lambda line: run.say(f"unlearn: {line}"))


def forget_rows(run: Run, parts: tuple[str, ...]) -> dict[str, dict[str, Any]]:
    """The rows of the forget term, by record id: one Example for each of `parts`.

    Parts are new answers (`augmented`), refusals (`refusal`) and answers to forget (`original`).
    """
    tokenizer = run.vanilla.tokenizer
    originals = {qa.id: qa for qa in run.data["forget"]}
    if "augmented" not in parts:
        answers = {"original": lambda qa: qa.answer, "refusal": lambda qa: refusal(qa.id, run.recipe.seed)}
        return {
            qa.id: {part: encode_answer(tokenizer, qa.question, answers[part](qa), qa.ends) for part in parts}
            for qa in originals.values()
        }
    rows, elsewhere = {}, run.recipe.unlearn.generic == "retain"
    for variant in read_jsonl(run.folder / "augmented.jsonl", Variant):
        if elsewhere and variant.kind == "generic":
            continue
        row = {"augmented": encode_variant(tokenizer, variant)}
        if "original" in parts:  # a preference needs both answers to one question
            if variant.kind in ("completion", "generic"):
                continue
            qa = originals[variant.parent_id]
            rest = cut_rest(qa, variant.prompt) if is_passage(qa.question) else qa.answer
            row["original"] = encode_answer(tokenizer, variant.prompt, rest, qa.ends)
        rows[variant.id] = row
    if not rows:
        raise RecipeError(
            "augment: no training pair is left, all were dropped; dropped.jsonl in the run folder says why"
        )
    return rows


def generic_rows(run: Run) -> dict[str, Example]:
    """The generic pairs of the augmented forget set, by record id, for `unlearn.generic: retain`: of each answer its
    first HELD_TOKENS tokens."""
    variants = read_jsonl(run.folder / "augmented.jsonl", Variant)
    rows = {v.id: encode_variant(run.vanilla.tokenizer, v) for v in variants if v.kind == "generic"}
    return {id_: replace(row, ids=row.ids[: row.n_prompt + HELD_TOKENS]) for id_, row in rows.items()}
