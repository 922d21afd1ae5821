"""Judges that prompt a writer (a local instruct model, or a server) and read its replies."""

from __future__ import annotations

import json
from collections.abc import Callable, Hashable, Sequence
from typing import TYPE_CHECKING, Any

from relearn_lite.core.errors import RecipeError
from relearn_lite.judges.answer_cache import AnswerCache

if TYPE_CHECKING:
    from relearn_lite.writers import Task, Writer

NO_TEXT = "(empty)"  # what the judge is shown for an answer without text
WITHOUT_ORIGINAL = ("fluency", "relevance")  # rated without the original answer, which is then not sent anywhere


class PromptedJudge:
    """Asks a writer. A writer that cannot be reached, or refuses, has failed for every text, and `failure` says why.

    Answers are not lost to a judge that is down: what depends on it is missing, the rest is measured.
    """

    embedded = False

    def __init__(self, writer: Writer, name: str):
        self.writer, self.name = writer, f"{name} by {writer.name}"
        self.failure: str | None = None
        self._answers = AnswerCache()

    def _ask(self, keys: Sequence[Hashable], task: Callable[[Any], Task], read: Callable[[str], Any]) -> list[Any]:
        """What `read` makes of the reply to the task of each key; None where there is no reply that it can read."""

        def ask(new: list[Any]) -> list[Any]:
            try:
                replies = self.writer.write([task(key) for key in new])
            except RecipeError as error:
                self.failure = " ".join(error.problems)
                return [None] * len(new)
            return [None if reply is None else read(reply) for reply in replies]

        self.failure = None
        return self._answers.get_all(keys, ask)


class PromptedEntities(PromptedJudge):
    """Entities and core nouns of texts, listed by a writer."""

    def __init__(self, writer: Writer):
        super().__init__(writer, "entities listed")

    def extract(self, items: Sequence[tuple[str, str]]) -> list[list[str] | None]:
        from relearn_lite.writers import Task
        from relearn_lite.writers.parsing import entity_list

        texts = [item for item in items if item[1].strip()]
        replies = self._ask(texts, lambda item: Task("entities", question=item[0], text=item[1]), entity_list)
        found = dict(zip(texts, replies, strict=True))
        return [found.get(item, []) for item in items]  # an empty text has none


class PromptedRatings(PromptedJudge):
    """Ratings from 1 to 5 by a writer, read from the JSON of its reply.

    A reply that cannot be read is asked for again, `relearn_lite.writers.prompted.TRIES` times in all.
    """

    def __init__(self, writer: Writer):
        super().__init__(writer, "ratings")

    def rate(self, kind: str, items: Sequence[tuple[str, str, str]]) -> list[int | None]:
        from relearn_lite.writers import Task
        from relearn_lite.writers.parsing import rating

        keys = [
            (kind, question, "" if kind in WITHOUT_ORIGINAL else original, _shown(text))
            for question, original, text in items
        ]
        return self._ask(keys, lambda key: Task(*key), rating)

    def rate_together(self, kind: str, items: Sequence[tuple[str, Sequence[str]]]) -> list[list[int] | None]:
        from relearn_lite.writers import Task
        from relearn_lite.writers.parsing import ratings

        # As JSON, no text can pass for the beginning of another one.
        numbered = [{str(n): _shown(text) for n, text in enumerate(texts, 1)} for _, texts in items]
        keys = [
            (f"{kind}_together", question, "", json.dumps(texts, ensure_ascii=False))
            for (question, _), texts in zip(items, numbered, strict=True)
        ]
        return self._ask(keys, lambda key: Task(*key), ratings)


def _shown(text: str) -> str:
    return text if text.strip() else NO_TEXT
