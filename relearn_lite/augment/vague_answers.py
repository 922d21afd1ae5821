"""New answers for the forget set: relevant, fluent, and with nothing specific in them."""

from __future__ import annotations

from collections.abc import Sequence

from relearn_lite.augment.verify import Draft, Outcome
from relearn_lite.records import QA
from relearn_lite.writers import Task


def answer_drafts(chunk: Sequence[QA], kinds: Sequence[str], questions: dict[str, Outcome]) -> list[Draft]:
    """One draft for each original question and for each variant that was found fit, made for that very question."""
    drafts = []
    for qa in chunk:
        asked = {f"{qa.id}/original": qa.question}
        for kind in kinds:
            variant = questions[f"{qa.id}/{kind}"]
            if variant.reason is None:
                asked[f"{qa.id}/{kind}"] = variant.text
        drafts += [Draft(id_, qa, Task("answer", question, qa.answer)) for id_, question in asked.items()]
    return drafts
