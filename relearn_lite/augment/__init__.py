"""From the forget set to the augmented forget set (paper, section 3): variants of its questions, with vague answers.

augmented.jsonl has `Variant` records in the order of the forget set, generic pairs last; dropped.jsonl what was
refused, and why; augmentation.json the statistics. So that a kill costs little, the records of a few questions (a
chunk) go to augmented.partial.jsonl as one line, and each reply of a model to replies.partial.jsonl.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from relearn_lite.augment.chunks import Chunk, augment_chunk, read_chunks
from relearn_lite.augment.diversity import Openings, opening
from relearn_lite.augment.drafts import code_of
from relearn_lite.augment.generic import pick_generic
from relearn_lite.augment.settings import Settings
from relearn_lite.augment.statistics import counts, statistics
from relearn_lite.core.errors import RecipeError
from relearn_lite.core.files import append_jsonl, write_json, write_jsonl
from relearn_lite.core.memory import tell_once
from relearn_lite.core.records import QA, Dropped, Variant
from relearn_lite.data.passages import ngrams_of
from relearn_lite.text.recall import LEAKED_NGRAM
from relearn_lite.text.turns import shown
from relearn_lite.writers import Writer
from relearn_lite.writers.prompts import built_in
from relearn_lite.writers.question_parser import parse_question
from relearn_lite.writers.reply_cache import ReplyCache

__all__ = ["CHUNK", "PARTIAL", "REPLIES", "STATISTICS", "Settings", "augment"]

CHUNK = 4  # questions written together: enough to keep a server busy, little to lose when killed
PARTIAL = "augmented.partial.jsonl"
REPLIES = "replies.partial.jsonl"
STATISTICS = "augmentation.json"
CHUNK_SETTINGS = (
    "questions", "verify_rounds", "completion_fraction", "seed", "answers_per_question", "variants", "opening",
    "measured",
)  # fmt: skip


def augment(
    forget: Sequence[QA],
    generic: Sequence[QA],
    writer: Writer,
    settings: Settings,
    folder: Path,
    advance: Callable[[int], None] = lambda _: None,
) -> dict[str, Any]:
    """Writes augmented.jsonl, dropped.jsonl and augmentation.json into `folder`; returns `statistics.counts`.

    `advance` is told how many more questions are done. Started again after a kill with the same arguments, it goes on
    where it was and ends with the same files; with others it starts over. PARTIAL stays, so that a repeated call asks
    the writer nothing; it may be deleted once the stage is over.
    Raises RecipeError where nothing could be used, and what the writer raises; finished chunks are kept.
    """
    chunks = _write_chunks(forget, writer, settings, folder, advance)
    pairs, dropped = _without_duplicates(chunks)
    if forget and not pairs:
        raise _nothing_left(writer, len(forget), dropped)
    general, leaking, mixed = pick_generic(generic, forget, len(pairs), settings.generic_ratio, settings.seed)
    dropped += leaking
    write_jsonl(folder / "dropped.jsonl", dropped)
    write_jsonl(folder / "augmented.jsonl", [*pairs, *general])
    made = {**counts(pairs, dropped), "generic": mixed, "untrained": _tell_untrained(forget, pairs)}
    spent = sum(chunk.tokens for chunk in chunks), sum(chunk.seconds for chunk in chunks)
    found = {"writer": writer.name, **made, **statistics(pairs, dropped, forget, spent)}
    write_json(folder / STATISTICS, found, allow_nan=False)
    return made


def _tell_untrained(forget: Sequence[QA], pairs: Sequence[Variant]) -> int:
    """How many questions have no pair at all; says so where there are any."""
    trained = {pair.parent_id for pair in pairs}
    left = [qa.question for qa in forget if qa.id not in trained]
    if left:
        tell_once(
            f"augment: {len(left)} of {len(forget)} forget questions have no training pair, for every one that was "
            f"written was dropped (first: {shown(left[0])!r}; dropped.jsonl says why), so nothing unlearns them; word "
            "question or answer otherwise, or name another augment.writer"
        )
    return len(left)


def _write_chunks(
    forget: Sequence[QA],
    writer: Writer,
    settings: Settings,
    folder: Path,
    advance: Callable[[int], None],
) -> list[Chunk]:
    """The records of all chunks, those of PARTIAL included."""
    fingerprint = _fingerprint(forget, writer, settings)
    chunks = read_chunks(folder / PARTIAL, fingerprint)
    openings, secret = _openings(writer, forget, chunks), ngrams_of(forget, LEAKED_NGRAM)
    writer.replies = ReplyCache(folder / REPLIES, fingerprint)
    advance(min(len(chunks) * CHUNK, len(forget)))
    for start in range(len(chunks) * CHUNK, len(forget), CHUNK):
        tokens, seconds = writer.tokens, writer.seconds
        variants, dropped = augment_chunk(forget[start : start + CHUNK], writer, settings, openings, secret)
        spent = writer.tokens - tokens, round(writer.seconds - seconds, 3)
        chunks.append(Chunk(variants, dropped, *spent, fingerprint))
        append_jsonl(folder / PARTIAL, chunks[-1:])
        writer.replies.clear()  # the chunk that they went into is on disk
        advance(len(forget[start : start + CHUNK]))
    return chunks


def _fingerprint(forget: Sequence[QA], writer: Writer, settings: Settings) -> str:
    """A hash of everything that a chunk depends on. Generic pairs are drawn at the end: no chunk depends on them."""
    parts = [
        [asdict(qa) for qa in forget],
        [writer.prompts or built_in(), writer.name],
        [getattr(settings, key) for key in CHUNK_SETTINGS],
        [settings.semantic.name if settings.semantic else None, [asdict(row) for row in settings.existing]],
        CHUNK,
    ]
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def _openings(writer: Writer, forget: Sequence[QA], chunks: Sequence[Chunk]) -> Openings | None:
    """How the answers of finished chunks begin; None for rules, whose sentences are varied by construction."""
    if not writer.judges:
        return None
    subjects = {qa.id: parse_question(qa.question).subject for qa in forget}
    answers = [v for chunk in chunks for v in chunk.variants if v.kind != "completion"]
    return Openings(opening(v.target, subjects[v.parent_id]) for v in answers if v.verdicts["writer"] != "rules")


def _nothing_left(writer: Writer, asked: int, dropped: Sequence[Dropped]) -> RecipeError:
    reasons = Counter(code_of(record.reason) for record in dropped).most_common()
    return RecipeError(
        f"augment.writer: {writer.name} wrote nothing usable for any of {asked} questions "
        f"({', '.join(f'{count} x {reason}' for reason, count in reasons)}): "
        f"use a stronger model as writer; rules, the last resort, write English only"
    )


def _without_duplicates(chunks: Sequence[Chunk]) -> tuple[list[Variant], list[Dropped]]:
    """Joins the chunks; a prompt that already has the same target is dropped (two answers may begin alike)."""
    kept: dict[tuple[str, str], Variant] = {}
    dropped: list[Dropped] = []
    for chunk in chunks:
        dropped += chunk.dropped
        for v in chunk.variants:
            first = kept.setdefault((v.prompt, v.target), v)
            if first is not v:
                dropped.append(Dropped(**vars(v) | {"verdicts": {}}, reason=f"duplicate: same as {first.id}"))
    return list(kept.values()), dropped
