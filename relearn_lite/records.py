"""The records that stages hand to each other, and how they are kept on disk.

Every record carries its own `id`; one that was made from another names it in `parent_id`. Nothing is ever
joined by its position in a list.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any, TypeVar


@dataclass(frozen=True)
class QA:
    """A question and its answer, as the user's data has them."""

    id: str
    question: str
    answer: str
    paraphrase: str | None = None  # a second wording of the question, kept apart for evaluation
    paraphrased_answer: str | None = None  # the answer in other words, for the truth ratio; never trained
    wrong_answers: tuple[str, ...] = ()  # likewise


@dataclass(frozen=True)
class Variant:
    """One training example of the augmented forget set: `prompt` is given, `target` is learned.

    `kind` is `original` (the question as it was asked), `simple`, `context`, `noise`, `logical`, `completion`
    (the prompt is the start of a sentence, not a question), `given` (read from the file that `augment.from` names) or
    `generic`. `parent_id` is the id of the QA it was
    made for. `verdicts` says, check by check, why the target was let through.
    """

    id: str
    parent_id: str
    kind: str
    prompt: str
    target: str
    verdicts: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Dropped:
    """A variant that did not make it into the augmented forget set, with the reason in words."""

    id: str
    parent_id: str
    kind: str
    prompt: str
    target: str | None
    reason: str
    verdicts: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Answer:
    """What `model` (`vanilla` or `unlearned`) answered to the question of the QA named by `id`."""

    id: str
    model: str
    split: str  # forget, retain, forget_paraphrase, retain_paraphrase
    query: str
    ground_truth: str
    generated_response: str
    finished: bool = True  # False: cut off at max_new_tokens


@dataclass(frozen=True)
class Score:
    """One metric of one answer. `value` is None where it is undefined or could not be had; `reason` says why."""

    id: str
    metric: str  # rougeL, kfr, ...: the split says on which answers
    value: float | None
    reason: str | None = None
    split: str = "forget"


Record = TypeVar("Record", QA, Variant, Dropped, Answer, Score)


def write_jsonl(path: Path, records: Iterable[Record]) -> None:
    """Writes records, one JSON object a line, to a temporary name first: the file is there whole or not at all."""
    write_text(path, "".join(_line(record) for record in records))


def append_jsonl(path: Path, records: Iterable[Record]) -> None:
    """Adds records to a file that is still growing, and forces them to disk: what is finished is never lost."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a", encoding="utf-8") as file:
        file.write("".join(_line(record) for record in records))
        file.flush()
        os.fsync(file.fileno())


def read_jsonl(path: Path, kind: type[Record]) -> Iterator[Record]:
    """Yields the records of a file. A last line torn by a crash is left out: its work was not finished."""
    names = {f.name for f in fields(kind)}
    with path.open("rb") as file:
        for raw in file:
            if not raw.endswith(b"\n"):
                return
            yield kind(**{k: v for k, v in json.loads(raw).items() if k in names})


def mend_jsonl(path: Path) -> None:
    """Cuts a torn last line off a growing file, so that the next append starts on a line of its own."""
    if path.exists():
        raw = path.read_bytes()
        whole = raw.rfind(b"\n") + 1
        if whole < len(raw):
            with path.open("r+b") as file:
                file.truncate(whole)


def write_text(path: Path, text: str) -> None:
    """Writes a text file atomically: temporary name, flush to disk, rename.

    The temporary name is the same each time, so that what a kill leaves is gone with the next try: a run folder has one
    process that writes.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.tmp")
    try:
        with temporary.open("w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def _line(record: Any) -> str:
    return json.dumps(asdict(record), ensure_ascii=False) + "\n"
