"""The one error that is the user's to fix: shown without a traceback, exit code 2."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from difflib import get_close_matches
from typing import Any


class RecipeError(Exception):
    """What the user gave cannot be used. Each problem is one sentence: what was found, what is allowed, what to do.

    `problems` lists all of them, so that a person fixes everything in one go.
    """

    def __init__(self, problems: str | Iterable[str]):
        self.problems: list[str] = [problems] if isinstance(problems, str) else list(problems)
        super().__init__(*self.problems)

    def __str__(self) -> str:
        return "\n".join(self.problems)


@contextmanager
def naming(key: str) -> Iterator[None]:
    """What is said of `model.name` within is said of this key or option, which names a model as well."""
    try:
        yield
    except RecipeError as error:
        told = (problem.replace(", model.revision and", " and") for problem in error.problems)
        raise RecipeError(problem.replace("model.name", key) for problem in told) from error


def did_you_mean(found: object, allowed: Iterable[str], like: float = 0.5) -> str:
    """`did you mean 'this'? `, to be put into a sentence; empty where nothing allowed is like what was found.

    like: from 0 to 1, how like it must be (difflib's ratio). What has other figures is another thing: int4 is not 8bit.
    """
    digits = set(filter(str.isdigit, str(found)))
    of_these = [name for name in allowed if not digits or digits & set(name) or not any(map(str.isdigit, name))]
    close = get_close_matches(str(found), of_these, n=1, cutoff=like)
    return f"did you mean {close[0]!r}? " if close else ""


def shortened(value: Any) -> str:
    """A value of a recipe or a file as JSON, to be put into a sentence. Half a character in it is escaped."""
    text = json.dumps(value, default=str)
    return text if len(text) <= 60 else f"{text[:57]}..."


def first_line(error: BaseException) -> str:
    """The first line of an error's text, or its type where it has none; of sizes that differ, the first with numbers.
    """
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    sizes = [line for line in lines if line.startswith("size mismatch")]
    return next(iter([*sizes, *lines]), type(error).__name__)
