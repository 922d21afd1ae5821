"""What all writers on a model share: prompts, reading the replies, asking again, and a cache of replies."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from relearn_lite.recipe.names import PROPOSING_KINDS, RATING_KINDS, TOGETHER_KINDS
from relearn_lite.writers import Task, Writer
from relearn_lite.writers.parsing import read
from relearn_lite.writers.prompts import built_in
from relearn_lite.writers.reply_cache import ReplyCache

# How often a kind of task is asked while its reply cannot be read; all others once.
TRIES = {
    **dict.fromkeys(("verify", "entities", *PROPOSING_KINDS), 2), **dict.fromkeys((*RATING_KINDS, *TOGETHER_KINDS), 3),
}  # fmt: skip
UNREAD = ("the form asked for was not kept.", "the form asked for was still not kept; write nothing but that form.")


class PromptedWriter(Writer):
    """A writer on a model. A subclass gives `ask`; it adds to `tokens` and `seconds`, and looks into `replies`."""

    judges = True

    def __init__(self, name: str, prompts: dict[str, Any] | None = None):
        self.name, self.prompts, self.replies = name, prompts or built_in(), ReplyCache()

    def ask(self, tasks: Sequence[Task]) -> list[str | None]:
        """The model's raw words per task, None where there was no reply."""
        raise NotImplementedError

    def write(self, tasks: Sequence[Task]) -> list[str | None]:
        """One text per task; None where the model wrote nothing that can be used, even when asked again."""
        texts = [read(task, raw, self.prompts) for task, raw in zip(tasks, self.ask(tasks), strict=True)]
        for tried, feedback in enumerate(UNREAD, 1):
            unread = [i for i, task in enumerate(tasks) if texts[i] is None and tried < TRIES.get(task.kind, 1)]
            if not unread:
                break
            again = [replace(tasks[i], seed=tasks[i].seed + tried, feedback=feedback) for i in unread]
            for i, raw in zip(unread, self.ask(again), strict=True):
                texts[i] = read(tasks[i], raw, self.prompts)
        return texts
