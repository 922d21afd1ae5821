"""Stage unlearn: trains the adapter that forgets."""

from __future__ import annotations

import sys
from typing import Any

from relearn_lite.errors import RecipeError
from relearn_lite.records import Variant, read_jsonl
from relearn_lite.schema import Unlearn
from relearn_lite.stages.work import Work, replace_folder
from relearn_lite.unlearn.losses import FORGET_TERMS
from relearn_lite.unlearn.losses_log import losses
from relearn_lite.unlearn.refusals import refusal
from relearn_lite.unlearn.watchdog import explain


def learns_new_answers(settings: Unlearn) -> bool:
    """Whether these settings train on the augmented forget set."""
    return "augmented" in FORGET_TERMS[settings.terms[0]].batches


def unlearn(work: Work) -> dict[str, Any]:
    """Trains the adapter that forgets; adapter/ holds it."""
    from relearn_lite import backends
    from relearn_lite.data.batches import UnlearnBatches, check_lengths, encode_answer
    from relearn_lite.unlearn.reference import worth_keeping
    from relearn_lite.unlearn.terms.task_vector import negate
    from relearn_lite.unlearn.train import train

    recipe, settings, loaded = work.recipe, work.recipe.unlearn, work.vanilla
    method = settings.objective
    term = FORGET_TERMS[method.forget]
    forget = forget_rows(work, term.batches)
    retain = {}
    if method.retain:
        retain = {qa.id: encode_answer(loaded.tokenizer, qa.question, qa.answer) for qa in work.data["retain"]}
    for part in term.batches:
        check_lengths(
            {name: row[part] for name, row in forget.items()}, recipe.model.max_length, f"data.forget ({part} answers)"
        )
    check_lengths(retain, recipe.model.max_length, "data.retain")
    backends.add_adapter(loaded, backends.UNLEARNED, settings.lora, recipe.seed)
    if settings.reference == "auto":
        asked = [row[part] for row in forget.values() for part in term.batches] if term.needs_reference else []
        asked += retain.values()
        kept = worth_keeping(asked, loaded.model.config.get_text_config().hidden_size, settings.epochs)
        settings = settings.model_copy(update={"reference": "cached" if kept else "recompute"})
    batches = UnlearnBatches(
        list(forget.values()),
        list(retain.values()),
        batch_size=settings.batch_size,
        pad_id=loaded.tokenizer.pad_token_id,
        seed=recipe.seed,
    )
    watch = make_watch(work) if settings.evaluate_every else None
    with backends.active_adapters(loaded.model, loaded.unlearned):
        steps = train(
            loaded,
            batches,
            terms=method,
            settings=settings,
            trainer=recipe.trainer,
            seed=recipe.seed,
            folder=work.folder,
            stage="unlearn",
            quiet=work.quiet,
            watch=[watch] if watch else [],
            rank=work.rank,
        )
    if term.negated:
        negate(loaded.model, backends.UNLEARNED, settings.task_vector)
    replace_folder(work.folder / "adapter", lambda folder: backends.save_adapter(loaded, backends.UNLEARNED, folder))
    warnings = explain(losses(work.folder))
    for sentence in warnings:
        print(f"unlearn: {sentence}", file=sys.stderr)
    kept = watch.best.step if watch and watch.best else None
    notes = {"kept_step": kept, "stopped": watch.stopped if watch else None, "warnings": warnings}
    return {"rows": len(forget), "steps": steps, **{key: value for key, value in notes.items() if value}}


def make_watch(work: Work):
    """Who looks on while this run's adapter is trained; logs to logs/unlearn/checks.jsonl."""
    from relearn_lite.checkup import check_questions, checkup
    from relearn_lite.evaluators.choose import make_evaluators
    from relearn_lite.unlearn.watch import Watch

    recipe, loaded, settings = work.recipe, work.vanilla, work.recipe.unlearn
    questions = check_questions(work.questions, settings.watch.questions)
    judges = make_evaluators(recipe, lambda: loaded)
    ask = checkup(recipe, loaded, questions, judges)

    def tell(line: str) -> None:
        if not work.quiet:
            print(f"unlearn: {line}", file=sys.stderr)

    log, kept = work.folder / "logs/unlearn/checks.jsonl", work.folder / "checkpoints/unlearn"
    return Watch(ask, settings, log, kept, tell)


def forget_rows(work: Work, parts: tuple[str, ...]) -> dict[str, dict[str, Any]]:
    """The rows of the forget term, by record id: one Example for each of `parts`.

    Parts are new answers (`augmented`), refusals (`refusal`) and answers to forget (`original`).
    """
    from relearn_lite.data.batches import encode_answer, encode_completion

    tokenizer = work.vanilla.tokenizer
    originals = {qa.id: qa for qa in work.data["forget"]}
    if "augmented" not in parts:
        answers = {"original": lambda qa: qa.answer, "refusal": lambda qa: refusal(qa.id, work.recipe.seed)}
        return {
            qa.id: {part: encode_answer(tokenizer, qa.question, answers[part](qa)) for part in parts}
            for qa in originals.values()
        }
    rows = {}
    for variant in read_jsonl(work.folder / "augmented.jsonl", Variant):
        encode = encode_completion if variant.kind == "completion" else encode_answer
        row = {"augmented": encode(tokenizer, variant.prompt, variant.target)}
        if "original" in parts:  # a preference needs both answers to one question
            if variant.kind in ("completion", "generic"):
                continue
            row["original"] = encode_answer(tokenizer, variant.prompt, originals[variant.parent_id].answer)
        rows[variant.id] = row
    if not rows:
        raise RecipeError(
            "augment: no training pair is left, all were dropped; dropped.jsonl in the run folder says why"
        )
    return rows
