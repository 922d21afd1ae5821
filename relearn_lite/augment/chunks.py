"""A few questions made into pairs: variants of the questions, an answer for each, and completions cut from these."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from relearn_lite.augment.diversity import Openings
from relearn_lite.augment.drafts import (
    Draft,
    answer_draft,
    answer_drafts,
    passage_draft,
    passage_drafts,
    question_drafts,
)
from relearn_lite.augment.settings import Settings
from relearn_lite.augment.verify import check_question, write_verified
from relearn_lite.core.files import read_partial
from relearn_lite.core.records import QA, Dropped, Variant
from relearn_lite.text.turns import is_passage
from relearn_lite.text.words import glue
from relearn_lite.writers import Writer


@dataclass(frozen=True)
class Chunk:
    """The records of a few questions: one line of the partial file, so it is there whole or not at all."""

    variants: list[Variant]
    dropped: list[Dropped]
    tokens: int = 0  # that a model wrote for it, in so many seconds
    seconds: float = 0.0
    fingerprint: str = ""  # of everything that the records depend on


def read_chunks(path: Path, fingerprint: str) -> list[Chunk]:
    """The finished chunks in order; none, and the file gone, where they were made from other arguments."""
    return [
        replace(chunk, variants=[Variant(**v) for v in chunk.variants], dropped=[Dropped(**d) for d in chunk.dropped])
        for chunk in read_partial(path, Chunk, fingerprint)
    ]


def augment_chunk(
    chunk: Sequence[QA], writer: Writer, settings: Settings, openings: Openings | None,
    secret: frozenset[tuple[str, ...]] = frozenset(),
) -> tuple[list[Variant], list[Dropped]]:  # fmt: skip
    """The records of these questions, in their order. openings: of the answers so far, see `WrittenTexts`. secret: of
    all passages to forget, see `Draft`.

    A question with rows of its own in `settings.existing` gets those, checked like everything else, and no more.
    """
    existing, dropped = _existing_drafts(chunk, settings, secret)
    bare = [qa for qa in chunk if not existing[qa.id]]
    worded = [qa for qa in bare if not is_passage(qa.question)]
    questions = write_verified(question_drafts(worded, settings.questions, settings.variants), writer, settings)
    drafts: list[Draft] = []
    for qa in chunk:
        drafts += existing[qa.id]
        answers = settings.answers_per_question
        if qa in bare and is_passage(qa.question):
            drafts += passage_drafts(qa, len(settings.questions) * settings.variants, answers, settings.seed, secret)
        elif qa in bare:
            new, refused = answer_drafts(qa, settings.questions, questions, answers, settings.variants)
            drafts, dropped = drafts + new, dropped + refused
    outcomes = write_verified(drafts, writer, settings, openings)
    variants: list[Variant] = []
    for draft in drafts:
        outcome, record = outcomes[draft.id], (draft.id, draft.qa.id, draft.kind, draft.task.question)
        verdicts = outcome.verdicts | ({"question": draft.question.verdicts} if draft.question else {})
        verdicts |= {} if draft.qa.ends else {"ends": False}
        if outcome.reason:
            dropped.append(Dropped(*record, outcome.text, verdicts, f"answer, {outcome.reason}"))
        else:
            pair = Variant(*record, outcome.text, verdicts)
            cut = settings.completion_fraction > 0 and not is_passage(pair.prompt)
            rest = completion(pair, settings.completion_fraction) if cut else None
            variants += [pair, rest] if rest else [pair]
    return variants, sorted(dropped, key=lambda record: [qa.id for qa in chunk].index(record.parent_id))


def _existing_drafts(
    chunk: Sequence[QA], settings: Settings, secret: frozenset[tuple[str, ...]]
) -> tuple[dict[str, list[Draft]], list[Dropped]]:
    """Drafts for the existing rows whose question may be used, by parent, and the other rows."""
    drafts: dict[str, list[Draft]] = {qa.id: [] for qa in chunk}
    parents, dropped = {qa.id: qa for qa in chunk}, []
    for row in settings.existing:
        if row.parent_id not in parents:
            continue
        qa = parents[row.parent_id]
        if is_passage(qa.question):
            draft = passage_draft(qa, row.id, row.prompt, secret)
            if draft:
                drafts[qa.id].append(replace(draft, ready=row.target))
            else:
                reason = "question, passage: it is no beginning of that text"
                dropped.append(Dropped(row.id, qa.id, "given", row.prompt, row.target, {}, reason))
            continue
        outcome = check_question(qa, row.prompt, settings.measured)
        if outcome.reason:
            reason = f"question, {outcome.reason}"
            dropped.append(Dropped(row.id, qa.id, "given", row.prompt, row.target, outcome.verdicts, reason))
        else:
            kind = "original" if row.prompt == qa.question else "given"
            drafts[qa.id].append(replace(answer_draft(qa, row.id, kind, row.prompt), ready=row.target))
    return drafts, dropped


def completion(pair: Variant, fraction: float) -> Variant | None:
    """Sentence completion: the start of a new answer as prompt, its rest as target, so forgetting needs no question.

    Cuts `pair.target` after `fraction` of its words, at least one; None where fewer than two words can be cut. One
    space joins prompt and target again; text of a script without spaces is cut between characters, and nothing joins
    it.
    """
    between = glue(pair.target)
    parts = pair.target.split() if between else list(pair.target.strip())
    if len(parts) < 2:
        return None
    cut = min(max(1, int(len(parts) * fraction)), len(parts) - 1)
    return replace(
        pair, id=f"{pair.id}/completion", kind="completion", prompt=between.join(parts[:cut]),
        target=between.join(parts[cut:]),
    )  # fmt: skip
