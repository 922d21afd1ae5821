"""Which rows of a table a source keeps: those with the values that `where` names."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from relearn_lite.core.errors import RecipeError, did_you_mean
from relearn_lite.data.shapes import cell_value
from relearn_lite.text.words import tidied

SHOWN = 8  # values of a column that an error names


def kept_rows(
    rows: Sequence[dict[str, Any]], where: Mapping[str, Any], key: str, place: str
) -> tuple[list[dict[str, Any]], str]:
    """The rows that have in every column of `where` its value, or one of its values; and these rows in words.

    Values are compared as they are written, so that 1 finds the 1 of a CSV file, which has only texts. key: the
    source's key; place: where the rows are from. Raises RecipeError where there is no such column, or no row is left.
    """
    there = list(dict.fromkeys(column for row in rows for column in row if column))
    if missing := [column for column in where if column not in there]:
        raise RecipeError(
            f"{key}.where: {place} has no column {column!r}; {did_you_mean(column, there)}it has: {', '.join(there)}; "
            "name one of these"
            for column in missing
        )
    lists = {column: value if isinstance(value, list) else [value] for column, value in where.items()}
    wanted = {column: set(map(_written, values)) for column, values in lists.items()}
    kept = list(rows)
    for column, values in wanted.items():
        found = dict.fromkeys(_written(row.get(column)) for row in kept)
        kept = [row for row in kept if _written(row.get(column)) in values]
        if not kept:
            some = ", ".join(list(found)[:SHOWN]) + (f" and {len(found) - SHOWN} more" if len(found) > SHOWN else "")
            told = " or ".join(sorted(values))
            near = did_you_mean(told, found)
            raise RecipeError(
                f"{key}.where: no row of {place} has {column} {told}; {near}these rows have: {some}; give one of these"
            )
    told = ", ".join(f"{column} {' or '.join(sorted(values))}" for column, values in wanted.items())
    return kept, f"{place}, rows with {told},"


def matching_rows(
    rows: Sequence[dict[str, Any]], matching: Mapping[str, str], key: str, place: str
) -> list[dict[str, Any]]:
    """The rows of a benchmark's table of which each column named matches its regular expression. Raises RecipeError
    where there are none."""
    kept = [row for row in rows if all(re.search(found, str(row.get(column))) for column, found in matching.items())]
    if rows and not kept:
        told = ", ".join(f"{column} like {found}" for column, found in matching.items())
        raise RecipeError(f"{key}: no row of {place} has {told}; give a copy of the whole table")
    return kept


def _written(value: Any) -> str:
    value = cell_value(value)
    return "true" if value is True else "false" if value is False else tidied(str(value))
