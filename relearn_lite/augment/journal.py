"""What is finished of an augmentation, kept so that a kill at any moment loses no more than the chunk under way."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from relearn_lite.core.files import append_jsonl, cut_torn_line, read_jsonl
from relearn_lite.core.records import Dropped, Variant


@dataclass(frozen=True)
class Chunk:
    """The records of a few questions. It is one line of the journal, so it is there whole or not at all."""

    fingerprint: str  # of everything the records depend on
    variants: list[Variant]
    dropped: list[Dropped]
    tokens: int = 0  # that a model wrote for it, in so many seconds
    seconds: float = 0.0


def open_journal(path: Path, fingerprint: str) -> list[Chunk]:
    """Returns the finished chunks in order; a journal of other arguments is thrown away."""
    if not path.exists():
        return []
    cut_torn_line(path)
    chunks = [_chunk(raw) for raw in read_jsonl(path, Chunk)]
    if any(chunk.fingerprint != fingerprint for chunk in chunks):
        path.unlink()
        return []
    return chunks


def add(path: Path, chunk: Chunk) -> None:
    """Appends a chunk and forces it to disk."""
    append_jsonl(path, [chunk])


def fingerprint(parts: Any) -> str:
    """A hash of anything that JSON can hold."""
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def _chunk(raw: Chunk) -> Chunk:
    """Turns the plain objects of a line back into records."""
    line = asdict(raw)
    variants, dropped = [Variant(**v) for v in line["variants"]], [Dropped(**d) for d in line["dropped"]]
    return Chunk(line["fingerprint"], variants, dropped, line["tokens"], line["seconds"])
