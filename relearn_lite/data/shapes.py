"""Which rows a JSON value holds: a list, or what pandas, the hub's viewer and others write in its place."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import zip_longest
from typing import Any

NAMES = frozenset(
    "question answer query prompt completion response instruction input output text labels target".split()
)  # columns by which a row is told from a table


def is_turn(value: Any) -> bool:
    """Whether this is a turn of a conversation: {role, content}, or ShareGPT's {from, value}."""
    return isinstance(value, dict) and ({"role", "content"} <= value.keys() or {"from", "value"} <= value.keys())


def is_chat(value: Any) -> bool:
    """Whether a cell holds a conversation."""
    return isinstance(value, list) and bool(value) and all(map(is_turn, value))


def cell_value(value: Any) -> Any:
    """What a list of one holds, however deep, and a whole number as such: pandas makes floats of a column with gaps."""
    while isinstance(value, list) and len(value) == 1:
        value = value[0]
    return int(value) if isinstance(value, float) and value.is_integer() else value


def rows_of(found: Any) -> list[Any]:
    """The rows in a whole JSON file. Raises ValueError where there is more than one way to read it.

    Besides a list: {"data": [...]} and other wrappings of one list, pandas' orients columns, index, split and table,
    columns of lists, rows by name. Any other object is one row.
    """
    if isinstance(found, list):
        return found
    if not isinstance(found, dict) or not found or _is_row(found):
        return [found]
    if isinstance(found.get("columns"), list) and isinstance(found.get("data"), list):
        return _of_split(found["columns"], found["data"])
    tables = [name for name, value in found.items() if _is_table(value)]
    if {"features", "rows"} == set(tables):  # the hub's viewer
        tables = ["rows"]
    if len(tables) > 1:
        raise ValueError(f"holds several tables ({', '.join(tables)}); give one of them a file of its own")
    if tables:
        rows = found[tables[0]]
        return [row["row"] for row in rows] if all(isinstance(row.get("row"), dict) for row in rows) else rows
    values = list(found.values())
    if all(isinstance(value, list) for value in values):
        return _of_columns(found)
    if all(isinstance(value, dict) for value in values):
        return _of_objects(found)
    return [found]


def _is_row(found: Mapping[str, Any]) -> bool:
    holds = any(name in NAMES and not isinstance(value, list | dict) for name, value in found.items())
    return holds or any(map(is_chat, found.values()))


def _is_table(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(row, dict) for row in value)


def _of_split(columns: list[Any], data: list[Any]) -> list[dict[str, Any]]:
    if wrong := next((n for n, row in enumerate(data, 1) if not isinstance(row, list) or len(row) != len(columns)), 0):
        raise ValueError(f"does not have a cell for each of its {len(columns)} columns in row {wrong} of its data")
    if not all(isinstance(column, str) for column in columns):
        raise ValueError("has names of columns that are no texts")
    return [dict(zip(columns, row, strict=True)) for row in data]


def _of_columns(found: Mapping[str, list[Any]]) -> list[dict[str, Any]]:
    if len({len(cells) for cells in found.values()}) > 1:
        lengths = ", ".join(f"{name}: {len(cells)}" for name, cells in list(found.items())[:5])
        raise ValueError(f"has columns of different lengths ({lengths})")
    return [dict(zip(found, cells, strict=True)) for cells in zip_longest(*found.values())]


def _of_objects(found: Mapping[str, dict[str, Any]]) -> list[dict[str, Any]]:
    """Columns by name, each with its cells by row, as pandas writes them by default; or rows by name."""
    if len(found) == 1:
        return rows_of(next(iter(found.values())))
    inner = {name for value in found.values() for name in value}
    if not all(map(str.isdigit, found)):
        if all(map(str.isdigit, inner)) or NAMES & found.keys():
            names = dict.fromkeys(name for cells in found.values() for name in cells)
            return [{column: cells.get(name) for column, cells in found.items()} for name in names]
        if not NAMES & inner:
            raise ValueError(
                "is an object of objects, of which it cannot be told whether they are rows or columns; save it as a "
                "list of rows (in pandas: to_json(..., orient='records'))"
            )
    return list(found.values())
