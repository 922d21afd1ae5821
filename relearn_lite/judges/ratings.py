"""A judge that rates answers from 1 to 5: a chat model, local or on a server."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from relearn_lite.judges.entities import ask

if TYPE_CHECKING:
    from relearn_lite.writers import Writer

NOTHING = "(empty)"  # what the judge is shown for an answer without text
BLIND = ("fluency", "relevance")  # rated without the original answer, which is then not sent anywhere


class PromptedJudge:
    """Asks a writer for ratings and reads the JSON that comes back; one that cannot be read is asked for again.

    How often, `relearn_lite.writers.prompted.TRIES` says. What was rated once is kept. A writer that cannot be reached,
    or refuses, is a failure of every rating; `fault` then says what it said.
    """

    embedded = False

    def __init__(self, writer: Writer):
        self.writer = writer
        self.name = f"ratings by {writer.name}"
        self.fault: str | None = None
        self._known: dict[tuple[str, str, str, str], int] = {}

    def rate(self, kind: str, items: Sequence[tuple[str, str, str]]) -> list[int | None]:
        from relearn_lite.writers import Task
        from relearn_lite.writers.parsing import rating

        keys = [
            (kind, question, "" if kind in BLIND else original, text if text.strip() else NOTHING)
            for question, original, text in items
        ]
        open_keys = [key for key in dict.fromkeys(keys) if key not in self._known]
        replies, self.fault = ask(self.writer, [Task(*key) for key in open_keys])
        for key, reply in zip(open_keys, replies, strict=True):
            score = None if reply is None else rating(reply)
            if score is not None:
                self._known[key] = score
        return [self._known.get(key) for key in keys]
