"""A few questions made into pairs: variants of the questions, an answer for each, and completions cut from these."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from relearn_lite.augment.completions import completion
from relearn_lite.augment.given import Given
from relearn_lite.augment.question_variants import question_drafts
from relearn_lite.augment.semantic import Meaning
from relearn_lite.augment.vague_answers import Asked, answer_drafts, asked_questions
from relearn_lite.augment.verify import Checks, Outcome, check_question, write_verified
from relearn_lite.core.records import QA, Dropped, Variant
from relearn_lite.writers import Writer


@dataclass(frozen=True)
class Settings:
    """The recipe's augment section, as far as this stage reads it, and the run's seed.

    meaning: the semantic leak check, None for none. given: rows that exist already, by `augment.from`.
    """

    questions: Sequence[str]
    verify_rounds: int
    completion_fraction: float
    generic_ratio: float
    seed: int
    answers_per_question: int = 1
    meaning: Meaning | None = None
    given: tuple[Given, ...] = ()


def augment_chunk(
    chunk: Sequence[QA], writer: Writer, settings: Settings, checks: Checks
) -> tuple[list[Variant], list[Dropped]]:
    """The records of these questions, in their order.

    A question with rows of its own in `settings.given` gets those, checked like everything else, and no more.
    """
    given, dropped = _fit_rows(chunk, settings.given)
    bare = [qa for qa in chunk if not given[qa.id]]
    rounds, seed = settings.verify_rounds, settings.seed
    questions = write_verified(question_drafts(bare, settings.questions), writer, rounds, seed)
    asked: dict[str, list[Asked]] = {qa.id: given[qa.id] for qa in chunk}
    for qa in bare:
        asked[qa.id], refused = asked_questions(qa, settings.questions, questions, settings.answers_per_question)
        dropped += refused
    ready = {row.id: row.answer for row in settings.given}
    drafts = answer_drafts(chunk, asked)
    answers = write_verified(drafts, writer, rounds, seed, replace(checks, meaning=settings.meaning, given=ready))
    variants: list[Variant] = []
    for qa in chunk:
        for each in asked[qa.id]:
            outcome = answers[each.id]
            verdicts = _verdicts(outcome, each.outcome)
            if outcome.reason:
                reason = f"answer, {outcome.reason}"
                dropped.append(Dropped(each.id, qa.id, each.kind, each.question, outcome.text, reason, verdicts))
            else:
                pair = Variant(each.id, qa.id, each.kind, each.question, outcome.text, verdicts)
                variants += _with_completion(pair, settings.completion_fraction)
    return variants, sorted(dropped, key=lambda record: [qa.id for qa in chunk].index(record.parent_id))


def _fit_rows(chunk: Sequence[QA], given: Sequence[Given]) -> tuple[dict[str, list[Asked]], list[Dropped]]:
    """The rows from elsewhere whose question may be used, by parent, and the others."""
    fit: dict[str, list[Asked]] = {qa.id: [] for qa in chunk}
    parents, dropped = {qa.id: qa for qa in chunk}, []
    for row in given:
        if row.parent_id not in parents:
            continue
        qa = parents[row.parent_id]
        outcome = check_question(qa, row.question)
        if outcome.reason:
            reason = f"question, {outcome.reason}"
            dropped.append(Dropped(row.id, qa.id, "given", row.question, row.answer, reason, outcome.verdicts))
        else:
            kind = "original" if row.question == qa.question else "given"
            fit[qa.id].append(Asked(row.id, kind, row.question))
    return fit, dropped


def _verdicts(answer: Outcome, question: Outcome | None) -> dict[str, Any]:
    return {**answer.verdicts, "question": question.verdicts} if question else answer.verdicts


def _with_completion(pair: Variant, fraction: float) -> list[Variant]:
    rest = completion(pair, fraction) if fraction > 0 else None
    return [pair, rest] if rest else [pair]
