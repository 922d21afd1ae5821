"""Other ways to ask a question of the forget set: simple, context, noise, logical."""

from __future__ import annotations

from collections.abc import Sequence

from relearn_lite.augment.verify import Draft
from relearn_lite.core.records import QA
from relearn_lite.writers import Task


def question_drafts(chunk: Sequence[QA], kinds: Sequence[str]) -> list[Draft]:
    """One draft per question and kind. The writer is not shown the answer, so that it cannot slip into a question."""
    return [Draft(f"{qa.id}/{kind}", qa, Task(kind, qa.question)) for qa in chunk for kind in kinds]
