"""From the forget set to the augmented forget set (paper, section 3): questions asked in other ways, answered vaguely.

augmented.jsonl holds `Variant` records in the order of the forget set, generic pairs last; dropped.jsonl what was made
and refused, with the reason; augmentation.json what came of it in numbers. Work is done in chunks of questions; a
chunk's records go to augmented.partial.jsonl as one line, so a kill at any moment leaves whole chunks, which are never
asked for again. Within a chunk each reply of a model goes to replies.partial.jsonl, so that not even those are.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from relearn_lite.augment.chunks import Settings, augment_chunk
from relearn_lite.augment.generic import pick_generic
from relearn_lite.augment.journal import Chunk, add, fingerprint, open_journal
from relearn_lite.augment.summary import sight, summary
from relearn_lite.augment.variety import Openings, opening
from relearn_lite.augment.verify import Checks
from relearn_lite.core.errors import RecipeError
from relearn_lite.core.files import write_jsonl, write_text
from relearn_lite.core.records import QA, Dropped, Variant
from relearn_lite.writers import Writer
from relearn_lite.writers.prompts import built_in
from relearn_lite.writers.question_forms import understand
from relearn_lite.writers.replies import Replies

__all__ = ["CHUNK", "PARTIAL", "REPLIES", "SIGHT", "Settings", "augment"]

CHUNK = 4  # questions written together: enough to keep a server busy, little to lose when killed
PARTIAL = "augmented.partial.jsonl"
REPLIES = "replies.partial.jsonl"
SIGHT = "augmentation.json"
CHUNK_SETTINGS = ("questions", "verify_rounds", "completion_fraction", "seed", "answers_per_question")


def augment(
    forget: Sequence[QA],
    generic: Sequence[QA],
    writer: Writer,
    settings: Settings,
    folder: Path,
    progress: Callable[[int, int], None] | None = None,
) -> dict[str, Any]:
    """Writes augmented.jsonl, dropped.jsonl and augmentation.json into `folder`; returns counts of what was made,
    rewritten, dropped.

    `progress` is called with (questions done, all questions) after each chunk. Started again after a kill with the same
    arguments, it goes on after the last whole chunk, asks for no reply that it has, and ends with the same files; with
    other arguments it starts anew.
    PARTIAL stays, so that a repeated call asks the writer nothing; it may be deleted once the stage is over.
    Raises RecipeError where nothing at all could be used, and what the writer raises, such as RecipeError where a
    server is down; finished chunks are kept.
    """
    chunks = _write_chunks(forget, writer, settings, folder, progress)
    pairs, dropped = _without_doubles(chunks)
    if forget and not pairs:
        raise _nothing_left(writer, len(forget), dropped)
    general, telling, mixed = pick_generic(generic, forget, len(pairs), settings.generic_ratio, settings.seed)
    dropped += telling
    write_jsonl(folder / "dropped.jsonl", dropped)
    write_jsonl(folder / "augmented.jsonl", [*pairs, *general])
    counts = {**summary(pairs, dropped), "generic": mixed}
    tokens, seconds = sum(chunk.tokens for chunk in chunks), sum(chunk.seconds for chunk in chunks)
    found = {"writer": writer.name, **counts, **sight(pairs, dropped, forget, (tokens, seconds))}
    write_text(folder / SIGHT, json.dumps(found, indent=2, ensure_ascii=False, allow_nan=False) + "\n")
    return counts


def _write_chunks(
    forget: Sequence[QA],
    writer: Writer,
    settings: Settings,
    folder: Path,
    progress: Callable[[int, int], None] | None,
) -> list[Chunk]:
    """Returns the records of all chunks, from the journal where it has them."""
    journal, key = folder / PARTIAL, _mark(forget, writer, settings)
    chunks = open_journal(journal, key)
    openings = _openings(writer, forget, chunks)
    if hasattr(writer, "replies"):
        writer.replies = Replies(folder / REPLIES, key)
    for start in range(len(chunks) * CHUNK, len(forget), CHUNK):
        if progress:
            progress(start, len(forget))
        before = _spent(writer)
        variants, dropped = augment_chunk(forget[start : start + CHUNK], writer, settings, Checks(openings=openings))
        tokens, seconds = (now - then for now, then in zip(_spent(writer), before, strict=True))
        chunk = Chunk(key, variants, dropped, tokens, round(seconds, 3))
        add(journal, chunk)
        if hasattr(writer, "replies"):
            writer.replies.clear()  # the chunk that they went into is on disk
        chunks.append(chunk)
    if progress:
        progress(len(forget), len(forget))
    return chunks


def _mark(forget: Sequence[QA], writer: Writer, settings: Settings) -> str:
    """A hash of everything that a chunk depends on. Generic pairs are drawn at the end: no chunk depends on them."""
    wording = [getattr(writer, "wording", None) or built_in(), writer.name]
    wording += [getattr(settings, key) for key in CHUNK_SETTINGS]
    more = [settings.meaning.name if settings.meaning else None, [asdict(row) for row in settings.given]]
    return fingerprint([[asdict(qa) for qa in forget], wording, more, CHUNK])


def _openings(writer: Writer, forget: Sequence[QA], chunks: Sequence[Chunk]) -> Openings | None:
    """How the answers of finished chunks begin; None for rules, whose sentences are varied by construction."""
    if not writer.judges:
        return None
    subjects = {qa.id: understand(qa.question).subject for qa in forget}
    answers = [v for chunk in chunks for v in chunk.variants if v.kind != "completion"]
    return Openings(opening(v.target, subjects[v.parent_id]) for v in answers if v.verdicts["writer"] != "rules")


def _spent(writer: Writer) -> tuple[int, float]:
    return getattr(writer, "tokens", 0), getattr(writer, "seconds", 0.0)


def _nothing_left(writer: Writer, asked: int, dropped: Sequence[Dropped]) -> RecipeError:
    reasons = Counter(record.reason.partition(":")[0] for record in dropped)
    told = ", ".join(f"{count} x {reason}" for reason, count in reasons.most_common())
    return RecipeError(
        f"augment.writer: {writer.name} wrote nothing usable for any of {asked} questions ({told}): "
        f"use a stronger model as writer; rules, the last resort, write English only"
    )


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
