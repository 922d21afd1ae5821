"""Paraphrased and wrong answers of a table: what truth ratio and multiple choice need besides the answer."""

from __future__ import annotations

import json
from datetime import date, time
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from relearn_lite.core.errors import RecipeError
from relearn_lite.recipe.presets import Table

if TYPE_CHECKING:
    from relearn_lite.recipe import Source


def other_answers(
    rows: list[dict[str, Any]], source: Source, table: Table, key: str, where: str
) -> list[dict[str, Any]]:
    """The fields `paraphrased_answer` and `wrong_answers` of each row's record, those that it has.

    Columns that the recipe names were checked to be there; those of a preset are read where this copy has them. An
    empty cell, or NaN, is a row without. Raises RecipeError for a cell of another type.
    """
    there = {column for row in rows for column in row}
    found: list[dict[str, Any]] = [{} for _ in rows]
    problems = []
    for name, read, wanted in (
        ("paraphrased_answer", _text, "a text"),
        ("wrong_answers", _texts, 'a list of texts such as ["...", "..."]'),
    ):
        column = getattr(source, name) or getattr(table, name)
        if column not in there:
            continue
        for number, row in enumerate(rows, 1):
            value = row.get(column)
            if value in (None, "", []) or value != value:  # NaN alone is not itself
                continue
            try:
                found[number - 1][name] = read(value)
            except ValueError:
                problems.append(
                    f"{key}.{name}: column {column!r} of {where} holds {_short(value)} in row {number}, which is not "
                    f"{wanted}; mend the column, or name another one"
                )
                break  # the other rows of a wrong column say nothing new
    if problems:
        raise RecipeError(problems)
    return found


def _text(value: Any) -> str:
    if isinstance(value, bool) or not isinstance(value, str | int | float | date | time | Decimal) or value != value:
        raise ValueError
    text = str(value)
    if not text.strip() or any("\ud800" <= char <= "\udfff" for char in text):
        raise ValueError
    return text


def _texts(value: Any) -> tuple[str, ...]:
    """A list, or one written as JSON in a cell, as a CSV file must."""
    if isinstance(value, str):
        value = json.loads(value)  # JSONDecodeError is a ValueError
    if not isinstance(value, list):
        raise ValueError
    return tuple(map(_text, value))


def _short(value: Any) -> str:
    text = json.dumps(value, default=str)  # not as it is: it may hold half a character, which cannot be printed
    return text if len(text) <= 60 else f"{text[:57]}..."
