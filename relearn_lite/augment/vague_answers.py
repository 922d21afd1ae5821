"""New answers for the forget set: relevant, fluent, and with nothing specific in them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from relearn_lite.augment.verify import Draft, Outcome
from relearn_lite.core.records import QA, Dropped
from relearn_lite.writers import Task


@dataclass(frozen=True)
class Asked:
    """A question that gets an answer. `outcome` is that of the question, where it was written too."""

    id: str
    kind: str
    question: str
    outcome: Outcome | None = None


def asked_questions(
    qa: QA, kinds: Sequence[str], questions: Mapping[str, Outcome], answers: int
) -> tuple[list[Asked], list[Dropped]]:
    """The original question and each variant that was found fit, `answers` times each, and the variants that were not.

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
    """One draft for each question that is to be answered, made for that very question."""
    return [Draft(each.id, qa, Task("answer", each.question, qa.answer)) for qa in chunk for each in asked[qa.id]]
