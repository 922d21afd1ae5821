"""A writer that is a chat model on this machine."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from relearn_lite.writers import Task
from relearn_lite.writers.prompted import render, write_with


class Complete(Protocol):
    """Runs chats through a causal model, in batches. Which model, and how it samples, is decided by who makes it."""

    def __call__(self, prompts: list[list[dict[str, str]]], max_new_tokens: int, seed: int) -> list[str]:
        """Returns the new tokens' text per chat, without the prompt. The same arguments give the same texts."""
        ...


class LocalWriter:
    """Writes with `complete`, so that a model already in memory (the vanilla one, say) is not loaded again.

    `name` is shown in reports. `max_new_tokens` bounds every text.
    """

    judges = True

    def __init__(self, complete: Complete, name: str, max_new_tokens: int = 160):
        self.name = name
        self._complete = complete
        self._max_new_tokens = max_new_tokens

    def write(self, tasks: Sequence[Task]) -> list[str | None]:
        """One text per task; None where the model wrote nothing that can be used."""
        return write_with(self._ask, tasks)

    def _ask(self, tasks: Sequence[Task]) -> list[str | None]:
        if not tasks:
            return []
        # One random state serves the whole batch: the first task's seed stands for it, which differs by item and round.
        return list(self._complete([render(task) for task in tasks], self._max_new_tokens, tasks[0].seed))
