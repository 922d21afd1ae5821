"""Who writes text for augmentation and judging: `rules` (no model), `local` (a model on this machine), `server`.

A writer has one verb, `write`: tasks in, texts out. Importing this package loads no model and no client.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True)
class Task:
    """One text to write.

    simple, context, noise, logical: a variant of `question`. answer: a vague answer to `question`, giving away nothing
    of `answer`. verify: does `text` leak what `answer` tells, for `question`? entities: list the entities of `text`
    that are not in `question`. fluency, relevance: rate `text`, an answer to `question`, from 1 to 5. forgetting,
    retention: rate how much of `answer` the `text` no longer tells, or still tells. `subject` is the name that the new
    text must keep; `feedback` says why an earlier attempt was refused; `seed` tells attempts apart.
    """

    kind: str
    question: str
    answer: str = ""
    text: str = ""
    subject: str = ""
    feedback: str = ""
    seed: int = 0


class Writer(Protocol):
    """Writes texts. `name` is shown in reports; `judges` is True where `verify` is a judgement of its own.

    Writers on a model have besides: `wording`, their prompts; `replies`, where each reply is kept at once (None: not
    kept); and `tokens` and `seconds`, what was written so far and how long it took.
    """

    name: str
    judges: bool

    def write(self, tasks: Sequence[Task]) -> list[str | None]:
        """Returns one text per task, in order; None = failed after retries, never an empty or a made-up text."""
        ...
