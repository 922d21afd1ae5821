"""What is to be written for the forget set: question variants, and a vague answer to each question."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from random import Random
from typing import Any

from relearn_lite.core.records import QA, Dropped
from relearn_lite.data.passages import cut_rest, cuts
from relearn_lite.writers import Task
from relearn_lite.writers.question_parser import parse_question


@dataclass(frozen=True)
class Outcome:
    """What became of a draft. `reason` is None where `text` may be used, else "code: why not" of the last attempt."""

    text: str | None
    reason: str | None
    verdicts: dict[str, Any]


def code_of(reason: str | None) -> str:
    """What reasons are counted by: the part before the colon, which never names what leaked; "" for no reason."""
    return (reason or "").partition(":")[0]


@dataclass(frozen=True)
class Draft:
    """A text to be written for `qa`: `task` says what, `id` and `kind` are those of its record.

    question: the outcome of the question that it answers, if that was written too. ready: a text that exists already.
    secret: for a passage, the n-grams of the whole text to forget, of which none may come back.
    """

    id: str
    qa: QA
    task: Task
    kind: str = ""
    question: Outcome | None = None
    ready: str | None = None
    secret: frozenset[tuple[str, ...]] = frozenset()

    @property
    def subject(self) -> str | None:
        """The name that the original question is about: variants and answers must keep it. None where it has none."""
        return parse_question(self.qa.question).subject


def question_drafts(chunk: Sequence[QA], kinds: Sequence[str], variants: int = 1) -> list[Draft]:
    """`variants` drafts per question and kind. The writer is not shown the answer, lest it slip into a question."""
    return [
        Draft(id_, qa, Task(kind, qa.question), kind)
        for qa in chunk
        for kind in kinds
        for id_ in ids(qa, kind, variants)
    ]


def ids(qa: QA, kind: str, variants: int) -> list[str]:
    """Ids of the variants of a kind: that of the second ends in -2, and so on."""
    return [f"{qa.id}/{kind}" + (f"-{n}" if n > 1 else "") for n in range(1, variants + 1)]


def answer_draft(qa: QA, id_: str, kind: str, question: str, outcome: Outcome | None = None) -> Draft:
    """An answer to `question`, which is that of `qa` or a paraphrase of it."""
    return Draft(id_, qa, Task("answer", question, qa.answer), kind, outcome)


def answer_drafts(
    qa: QA, kinds: Sequence[str], questions: Mapping[str, Outcome], answers: int, variants: int = 1
) -> tuple[list[Draft], list[Dropped]]:
    """`answers` drafts for the original question and for each variant that passed, and the variants that did not.

    The second answer to a question has the id of the first with "/2" behind it, and so on.
    """
    drafts, dropped = [answer_draft(qa, f"{qa.id}/original", "original", qa.question)], []
    wanted = [(id_, each) for each in kinds for id_ in ids(qa, each, variants)]
    for id_, kind in wanted:
        variant = questions[id_]
        if variant.reason:
            reason = f"question, {variant.reason}"
            dropped.append(Dropped(id_, qa.id, kind, variant.text or "", None, variant.verdicts, reason))
        else:
            drafts.append(answer_draft(qa, id_, kind, variant.text, variant))
    return _repeated(drafts, answers), dropped


def passage_drafts(
    qa: QA, count: int, answers: int, seed: int, secret: frozenset[tuple[str, ...]] = frozenset()
) -> list[Draft]:
    """`answers` drafts for the passage, and for each of `count` other cuts of it. secret: see `Draft`."""
    whole = replace(qa, id=f"{qa.id}/original")
    drafts = [
        Draft(cut.id, qa, Task("continue", cut.question, cut.answer), kind, secret=secret)
        for kind, made in (("original", [whole]), ("cut", cuts(qa, count, Random(f"{seed} {qa.id}")))) for cut in made
    ]  # fmt: skip
    return _repeated(drafts, answers)


def passage_draft(qa: QA, id_: str, beginning: str, secret: frozenset[tuple[str, ...]]) -> Draft | None:
    """A draft for a passage with a beginning that exists already; None where that does not stand in it."""
    rest = cut_rest(qa, beginning)
    kind = "original" if beginning == qa.question else "cut"
    return Draft(id_, qa, Task("continue", beginning, rest), kind, secret=secret) if rest else None


def _repeated(drafts: list[Draft], answers: int) -> list[Draft]:
    """The drafts, and after them those of the second answer to each, of the third, and so on."""
    more = [replace(draft, id=f"{draft.id}/{n}") for draft in drafts for n in range(2, answers + 1)]
    return [*drafts, *more]
