"""Files of answers that any model gave, for `score`: a JSON list, one JSON object a line, or a table."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from relearn_lite.core.errors import RecipeError
from relearn_lite.core.records import Answer
from relearn_lite.data.files import FORMATS, first_problems, is_unicode, read_json

KEYS = ("query", "ground_truth", "generated_response")


def read_answers(path: Path, split: str) -> list[Answer]:
    """Answers of a file, with the row's own `id` or its number (from 1). Raises RecipeError with file, row and key."""
    suffix, where = path.suffix.lower(), f"--{split}: {path}"
    read = FORMATS[suffix] if suffix in (".csv", ".tsv", ".parquet") else read_json
    rows = read(path, f"--{split}")
    if not rows:
        raise RecipeError(f"{where} has no rows; needed: objects with the keys {', '.join(KEYS)}")
    problems = [f"{where}, row {n}: {problem}" for n, row in enumerate(rows, 1) for problem in _problems(row)]
    if problems:
        raise RecipeError(first_problems(problems, where))
    ids = [number if row.get("id") is None else row["id"] for number, row in enumerate(rows, 1)]
    return [
        Answer(str(id_), str(row.get("model", "")), split, *(row[key] for key in KEYS))
        for id_, row in zip(ids, rows, strict=True)
    ]


def _problems(row: Any) -> list[str]:
    if not isinstance(row, dict):
        return [f"found {type(row).__name__}, not an object; needed: {', '.join(KEYS)}"]
    told = f"(found: {', '.join(map(str, row)) or 'none'}); needed: {', '.join(KEYS)}"
    missing = [f"the key '{key}' is missing {told}" for key in KEYS if key not in row]
    wrong = [key for key in KEYS if key in row and not isinstance(row[key], str)]
    empty = isinstance(row.get("ground_truth"), str) and not row["ground_truth"].strip()
    halves = [key for key in KEYS if isinstance(row.get(key), str) and not is_unicode(row[key])]
    return [
        *missing,
        *(f"'{key}' is {_not_text(row[key])}" for key in wrong),
        *(["'ground_truth' is empty: nothing could be told of it; give the original answer, or leave the row out"]
          if empty else []),
        *(f"'{key}' holds half a character (a lone \\ud800 or the like); mend it" for key in halves),
    ]


def _not_text(value: Any) -> str:
    if value is None or value != value:  # NaN alone is not itself
        return "missing, not text; give one, empty where the model said nothing"
    return f"{type(value).__name__}, not text; write it in quotes, or make its column one of text"
