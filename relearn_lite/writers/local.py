"""A writer that is a chat model on this machine."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Protocol

from relearn_lite.writers import Task
from relearn_lite.writers.prompted import render, write_with
from relearn_lite.writers.prompts import built_in
from relearn_lite.writers.replies import Replies


class Complete(Protocol):
    """Runs chats through a causal model, in batches. Which model, and how it samples, is decided by who makes it."""

    def __call__(self, prompts: list[list[dict[str, str]]], max_new_tokens: int, seed: int) -> list[str]:
        """Returns the new tokens' text per chat, without the prompt. The same arguments give the same texts."""
        ...


class LocalWriter:
    """Writes with `complete`, so that a model already in memory (the vanilla one, say) is not loaded again.

    `name` is shown in reports. `max_new_tokens` bounds every text. Batches are of prompts of like length, so that
    little is padded, and a batch's replies are kept as soon as it is done. `count` gives the tokens of a text, for the
    speed.
    """

    judges = True

    def __init__(
        self,
        complete: Complete,
        name: str,
        max_new_tokens: int = 160,
        batch_size: int = 8,
        count: Callable[[str], int] = len,
        wording: dict[str, Any] | None = None,
    ):
        self.name = name
        self.wording = wording or built_in()
        self.replies: Replies | None = None
        self.tokens, self.seconds = 0, 0.0
        self._complete, self._count = complete, count
        self._max_new_tokens, self._batch_size = max_new_tokens, batch_size

    def write(self, tasks: Sequence[Task]) -> list[str | None]:
        """One text per task; None where the model wrote nothing that can be used."""
        return write_with(self._ask, tasks, self.wording)

    def _ask(self, tasks: Sequence[Task]) -> list[str | None]:
        texts: list[str | None] = [None] * len(tasks)
        prompts = [render(task, self.wording) for task in tasks]
        for rows in self._batches(prompts):
            known = [self.replies.get(tasks[i]) if self.replies else None for i in rows]
            # A batch is done whole or not at all: one random state serves it, so half of it would come out otherwise.
            if None in known:
                known = self._batch([prompts[i] for i in rows], tasks[rows[0]].seed)
                for i, text in zip(rows, known, strict=True):
                    if self.replies:
                        self.replies.put(tasks[i], text)
            for i, text in zip(rows, known, strict=True):
                texts[i] = text
        return texts

    def _batches(self, prompts: Sequence[list[dict[str, str]]]) -> Iterator[list[int]]:
        """Indices of prompts in batches of like length, longest first; a function of the prompts alone."""
        sizes = [sum(len(turn["content"]) for turn in prompt) for prompt in prompts]
        order = sorted(range(len(prompts)), key=lambda i: (-sizes[i], i))
        yield from (order[i : i + self._batch_size] for i in range(0, len(order), self._batch_size))

    def _batch(self, prompts: list[list[dict[str, str]]], seed: int) -> list[str]:
        begin = time.monotonic()
        texts = list(self._complete(prompts, self._max_new_tokens, seed))
        self.seconds += time.monotonic() - begin
        self.tokens += sum(map(self._count, texts))
        return texts
