"""What a judge has answered is kept: the original answers come back for every model that is judged."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from typing import Any


class AnswerCache:
    """Answers by question. A failure (None) is not kept, so that it is asked for again."""

    def __init__(self):
        self._answers: dict[Hashable, Any] = {}

    def get_all(self, keys: Sequence[Hashable], ask: Callable[[list[Any]], Sequence[Any]]) -> list[Any]:
        """The answer to each key; `ask` gives those that are not known yet, each key once."""
        new = [key for key in dict.fromkeys(keys) if key not in self._answers]
        answers = zip(new, ask(new) if new else (), strict=True)
        self._answers |= {key: answer for key, answer in answers if answer is not None}
        return [self._answers.get(key) for key in keys]
