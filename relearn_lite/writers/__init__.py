"""Who writes text for augmentation and judging: `rules` (no model), `local` (a model on this machine), `server`.

A writer has one verb, `write`: tasks in, texts out. Importing this package loads no model and no client.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

WRITERS = ("rules", "local", "server")
QUESTION_KINDS = ("simple", "context", "noise", "logical")  # variants of a question, as the paper names them
TASK_KINDS = (*QUESTION_KINDS, "answer", "verify", "entities")


@dataclass(frozen=True)
class Task:
    """One text to write.

    simple, context, noise, logical: a variant of `question`. answer: a vague answer to `question`, giving away nothing
    of `answer`. verify: does `text` leak what `answer` tells, for `question`? entities: list the entities of `text`
    that are not in `question`. `feedback` says why an earlier attempt was refused; `seed` tells attempts apart.
    """

    kind: str
    question: str
    answer: str = ""
    text: str = ""
    feedback: str = ""
    seed: int = 0


class Writer(Protocol):
    """Writes texts. `name` is shown in reports; `judges` is True where `verify` is a judgement of its own."""

    name: str
    judges: bool

    def write(self, tasks: Sequence[Task]) -> list[str | None]:
        """Returns one text per task, in order; None = failed after retries, never an empty or a made-up text."""
        ...
