"""Rows of JSON, JSON Lines, CSV and Parquet files. Every error names the key that named the file, and the line."""

from __future__ import annotations

import csv
import io
import json
import os
from collections import Counter
from pathlib import Path
from typing import Any

from relearn_lite.core.errors import RecipeError, first_line

FORMATS = (".json", ".jsonl", ".csv", ".parquet")
SHOWN = 10  # problems of one file that are spelled out


def read_file(path: Path, key: str) -> list[dict[str, Any]]:
    """Rows of a JSON, JSON Lines, CSV or Parquet file, told apart by its suffix."""
    if not os.path.isfile(path):
        raise RecipeError(
            f"{key}: there is no file {path}; correct the path (relative paths start at the recipe's folder)"
        )
    suffix = path.suffix.lower()
    if suffix not in FORMATS:
        raise RecipeError(f"{key}: {path.name} is not a format that is read here; allowed: {', '.join(FORMATS)}")
    if path.stat().st_size == 0:
        raise RecipeError(f"{key}: {path} is empty; it needs at least one question with its answer")
    if suffix == ".parquet":
        return _read_parquet(path, key)
    if suffix == ".csv":
        return _read_csv(path, key)
    rows = read_json(path, key)
    wrong = next((n for n, row in enumerate(rows, 1) if not isinstance(row, dict)), None)
    if wrong is not None:
        raise RecipeError(f"{key}: row {wrong} of {path} is not an object with columns such as {{question, answer}}")
    return rows


def read_json(path: Path, key: str) -> list[Any]:
    """What a JSON list holds, or JSON Lines; whichever it is, the file may be called .json, as TOFU's are."""
    text = _read_text(path, key)
    if text.lstrip().startswith("["):
        try:
            return json.loads(text)
        except (ValueError, RecursionError) as error:
            raise RecipeError(f"{key}: {path} {_why(error)}; mend the list there") from None
    rows, problems = [], []
    for number, line in enumerate(text.split("\n"), 1):
        if line.strip():
            try:
                rows.append(json.loads(line))
            except (ValueError, RecursionError) as error:
                problems.append(
                    f"{key}: {path} {_why(error, number)}; mend or remove that line (needed: a JSON list [...] of "
                    "objects, or one object a line)"
                )
    if problems:
        raise RecipeError(shortened(problems, f"{key}: {path}"))
    return rows


def shortened(problems: list[str], where: str) -> list[str]:
    """The first problems of a file, and how many more there are."""
    more = len(problems) - SHOWN
    return [*problems[:SHOWN], *([f"{where}: {more} more problems like these"] if more > 0 else [])]


def _why(error: ValueError | RecursionError, line: int | None = None) -> str:
    at = f" in line {line}" if line else ""
    if isinstance(error, json.JSONDecodeError):
        return f"is broken at line {line or error.lineno}, column {error.colno}: {error.msg}"
    if isinstance(error, RecursionError):
        return f"is nested too deep{at}"
    return f"holds a number with too many digits{at}, which must be in quotes"  # what is left of Python's ValueErrors


def _read_text(path: Path, key: str) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")  # a byte order mark, as Windows writes it, is no part of the text
    except UnicodeDecodeError as error:
        raise RecipeError(f"{key}: {path} is not UTF-8 text (byte {error.start}); save it as UTF-8") from None
    except OSError as error:
        raise RecipeError(
            f"{key}: {path} cannot be read ({error.strerror}); make it readable, or give another file"
        ) from None


def _read_csv(path: Path, key: str) -> list[dict[str, Any]]:
    lines = io.StringIO(_read_text(path, key), newline="")
    reader = csv.DictReader(lines, strict=True)  # strict: a quote left open is an error
    rows = []
    try:
        twice = [name for name, times in Counter(reader.fieldnames or ()).items() if name and times > 1]
        if twice:  # else the last of them would win in silence
            raise RecipeError(f"{key}: {path} has the column {twice[0]!r} twice; give each column a name of its own")
        for row in reader:
            if None in row:  # else what follows an unquoted comma would be lost in silence
                raise RecipeError(
                    f"{key}: line {reader.line_num} of {path} has more cells than its first line; put text that holds "
                    "a comma in double quotes"
                )
            rows.append(row)
    except csv.Error as error:
        raise RecipeError(f"{key}: {path} is broken at line {reader.line_num}: {error}; mend that line") from None
    return rows


def _read_parquet(path: Path, key: str) -> list[dict[str, Any]]:
    import pyarrow
    import pyarrow.parquet

    try:
        return pyarrow.parquet.read_table(path).to_pylist()
    except pyarrow.ArrowException as error:
        raise RecipeError(f"{key}: {path} is not a readable Parquet file: {first_line(error)}") from None
