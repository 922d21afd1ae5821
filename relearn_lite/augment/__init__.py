"""From the forget set to the augmented forget set (paper, section 3): questions asked in other ways, answered vaguely.

augmented.jsonl holds `Variant` records in the order of the forget set, generic pairs last; dropped.jsonl what was made
and refused, with the reason. Work is done in chunks of questions; a chunk's records go to augmented.partial.jsonl as
one line, so a kill at any moment leaves whole chunks, which are never asked for again.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from relearn_lite.augment.completions import completion
from relearn_lite.augment.generic import pick_generic
from relearn_lite.augment.journal import Chunk, add, fingerprint, open_journal
from relearn_lite.augment.question_variants import question_drafts
from relearn_lite.augment.summary import summary
from relearn_lite.augment.vague_answers import answer_drafts
from relearn_lite.augment.verify import Outcome, write_verified
from relearn_lite.errors import RecipeError
from relearn_lite.records import QA, Dropped, Variant, write_jsonl
from relearn_lite.writers import Writer
from relearn_lite.writers.prompted import prompts

CHUNK = 4  # questions written together: enough to keep a server busy, little to lose when killed
PARTIAL = "augmented.partial.jsonl"
CHUNK_SETTINGS = ("questions", "verify_rounds", "completion_fraction", "seed")


@dataclass(frozen=True)
class Settings:
    """The recipe's augment section, as far as this stage reads it, and the run's seed."""

    questions: Sequence[str]
    verify_rounds: int
    completion_fraction: float
    generic_ratio: float
    seed: int


def augment(
    forget: Sequence[QA],
    generic: Sequence[QA],
    writer: Writer,
    settings: Settings,
    folder: Path,
    progress: Callable[[int, int], None] | None = None,
) -> dict[str, Any]:
    """Writes augmented.jsonl and dropped.jsonl into `folder` and returns counts of what was made, rewritten, dropped.

    `progress` is called with (questions done, all questions) after each chunk. Started again after a kill with the same
    arguments, it goes on after the last whole chunk and ends with the same files; with other arguments it starts anew.
    PARTIAL stays, so that a repeated call asks the writer nothing; it may be deleted once the stage is over.
    Raises RecipeError where nothing at all could be used, and what the writer raises, such as RecipeError where a
    server is down; finished chunks are kept.
    """
    pairs, dropped = _without_doubles(_write_chunks(forget, writer, settings, folder / PARTIAL, progress))
    if forget and not pairs:
        raise _nothing_left(writer, len(forget), dropped)
    general, mixed = pick_generic(generic, forget, len(pairs), settings.generic_ratio, settings.seed)
    write_jsonl(folder / "dropped.jsonl", dropped)
    write_jsonl(folder / "augmented.jsonl", [*pairs, *general])
    return {**summary(pairs, dropped), "generic": mixed}


def _write_chunks(
    forget: Sequence[QA],
    writer: Writer,
    settings: Settings,
    journal: Path,
    progress: Callable[[int, int], None] | None,
) -> list[Chunk]:
    """Returns the records of all chunks, from the journal where it has them."""
    # Generic pairs are drawn at the end: chunks do not depend on them.
    wording = [prompts()["version"], writer.name, *(getattr(settings, key) for key in CHUNK_SETTINGS)]
    key = fingerprint([[asdict(qa) for qa in forget], wording, CHUNK])
    chunks = open_journal(journal, key)
    for start in range(len(chunks) * CHUNK, len(forget), CHUNK):
        if progress:
            progress(start, len(forget))
        chunk = Chunk(key, *_augment_chunk(forget[start : start + CHUNK], writer, settings))
        add(journal, chunk)
        chunks.append(chunk)
    if progress:
        progress(len(forget), len(forget))
    return chunks


def _nothing_left(writer: Writer, asked: int, dropped: Sequence[Dropped]) -> RecipeError:
    reasons = Counter(record.reason.partition(":")[0] for record in dropped)
    told = ", ".join(f"{count} x {reason}" for reason, count in reasons.most_common())
    return RecipeError(
        f"augment.writer: {writer.name} wrote nothing usable for any of {asked} questions ({told}): "
        f"use a stronger model as writer; rules, the last resort, write English only"
    )


def _augment_chunk(chunk: Sequence[QA], writer: Writer, settings: Settings) -> tuple[list[Variant], list[Dropped]]:
    """Writes the questions of a chunk, then an answer for each of them, then cuts the completions."""
    variants: list[Variant] = []
    dropped: list[Dropped] = []
    questions = write_verified(
        question_drafts(chunk, settings.questions), writer, settings.verify_rounds, settings.seed
    )
    drafts = answer_drafts(chunk, settings.questions, questions)
    answers = write_verified(drafts, writer, settings.verify_rounds, settings.seed)
    asked = {draft.id: draft.task.question for draft in drafts}
    for qa in chunk:
        for kind in ("original", *settings.questions):
            id_ = f"{qa.id}/{kind}"
            question = questions.get(id_)
            if question and question.reason:
                dropped.append(Dropped(id_, qa.id, kind, question.text or "", None, f"question, {question.reason}"))
            elif answers[id_].reason:
                dropped.append(
                    Dropped(id_, qa.id, kind, asked[id_], answers[id_].text, f"answer, {answers[id_].reason}")
                )
            else:
                pair = Variant(id_, qa.id, kind, asked[id_], answers[id_].text, _verdicts(answers[id_], question))
                variants += _with_completion(pair, settings.completion_fraction)
    return variants, dropped


def _verdicts(answer: Outcome, question: Outcome | None) -> dict[str, Any]:
    return {**answer.verdicts, "question": question.verdicts} if question else answer.verdicts


def _with_completion(pair: Variant, fraction: float) -> list[Variant]:
    rest = completion(pair, fraction) if fraction > 0 else None
    return [pair, rest] if rest else [pair]


def _without_doubles(chunks: Sequence[Chunk]) -> tuple[list[Variant], list[Dropped]]:
    """Joins the chunks; a prompt that already has the same target is dropped (two answers may begin alike)."""
    kept: dict[tuple[str, str], Variant] = {}
    dropped: list[Dropped] = []
    for chunk in chunks:
        dropped += chunk.dropped
        for v in chunk.variants:
            first = kept.setdefault((v.prompt, v.target), v)
            if first is not v:
                dropped.append(Dropped(v.id, v.parent_id, v.kind, v.prompt, v.target, f"duplicate: same as {first.id}"))
    return list(kept.values()), dropped
