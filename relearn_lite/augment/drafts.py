"""What is to be written for the forget set: question variants, and a vague answer to each question."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from relearn_lite.core.records import QA, Dropped
from relearn_lite.writers import Task
from relearn_lite.writers.question_parser import parse_question


@dataclass(frozen=True)
class Draft:
    """A text to be written for `qa`: `task` says what, `id` is that of the record it is for."""

    id: str
    qa: QA
    task: Task

    @property
    def subject(self) -> str | None:
        """The name that the original question is about: variants and answers must keep it. None where it has none."""
        return parse_question(self.qa.question).subject


@dataclass(frozen=True)
class Outcome:
    """What became of a draft. `reason` is None where `text` may be used, else "code: why not" of the last attempt."""

    text: str | None
    reason: str | None
    verdicts: dict[str, Any]

    @property
    def code(self) -> str:
        return code_of(self.reason)


def code_of(reason: str | None) -> str:
    """What reasons are counted by: the part before the colon, which never names what leaked; "" for no reason."""
    return (reason or "").partition(":")[0]


@dataclass(frozen=True)
class Asked:
    """A question that gets an answer. `outcome` is that of the question itself, where it was written too."""

    id: str
    kind: str
    question: str
    outcome: Outcome | None = None


def question_drafts(chunk: Sequence[QA], kinds: Sequence[str]) -> list[Draft]:
    """One draft per question and kind. The writer is not shown the answer, so that it cannot slip into a question."""
    return [Draft(f"{qa.id}/{kind}", qa, Task(kind, qa.question)) for qa in chunk for kind in kinds]


def asked_questions(
    qa: QA, kinds: Sequence[str], questions: Mapping[str, Outcome], answers: int
) -> tuple[list[Asked], list[Dropped]]:
    """The original question and each variant that passed, `answers` times each, and the variants that did not pass.

    The second answer to a question has the id of the first with "/2" behind it, and so on.
    """
    asked, dropped = [Asked(f"{qa.id}/original", "original", qa.question)], []
    for kind in kinds:
        id_ = f"{qa.id}/{kind}"
        variant = questions[id_]
        if variant.reason:
            reason = f"question, {variant.reason}"
            dropped.append(Dropped(id_, qa.id, kind, variant.text or "", None, reason, variant.verdicts))
        else:
            asked.append(Asked(id_, kind, variant.text, variant))
    more = [
        Asked(f"{each.id}/{n}", each.kind, each.question, each.outcome) for each in asked for n in range(2, answers + 1)
    ]
    return [*asked, *more], dropped


def answer_drafts(chunk: Sequence[QA], asked: Mapping[str, Sequence[Asked]]) -> list[Draft]:
    """One draft for each question that is to be answered, made for its own wording."""
    return [Draft(each.id, qa, Task("answer", each.question, qa.answer)) for qa in chunk for each in asked[qa.id]]
