"""Files of answers that any model gave, for `score`: a JSON list, or one JSON object a line."""

from __future__ import annotations

import json
from pathlib import Path

from relearn_lite.core.errors import RecipeError
from relearn_lite.core.records import Answer

KEYS = ("query", "ground_truth", "generated_response")
SHOWN = 10  # problems of one file that are spelled out


def read_answers(path: Path, split: str) -> list[Answer]:
    """Answers of a file, with the row's own `id` or its number (from 1). Raises RecipeError with file, row and key."""
    rows = _rows(path, _text(path))
    if not rows:
        raise RecipeError(f"{path}: the file has no rows. Needed: objects with the keys {', '.join(KEYS)}.")
    problems = [problem for place, row in rows for problem in _problems(f"{path}, {place}", row)]
    if problems:
        more = [f"{path}: {len(problems) - SHOWN} more problems like these."] if len(problems) > SHOWN else []
        raise RecipeError(problems[:SHOWN] + more)
    return [
        Answer(str(row.get("id", number)), str(row.get("model", "")), split, *(row[key] for key in KEYS))
        for number, (_, row) in enumerate(rows, start=1)
    ]


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")  # a byte order mark, as Windows writes it, is no part of the text
    except UnicodeDecodeError as error:
        raise RecipeError(f"{path}: not UTF-8 text (byte {error.start}). Save it as UTF-8.") from error
    except OSError as error:
        raise RecipeError(f"{path}: cannot be read ({error.strerror}). Give a JSON or JSONL file.") from error


def _rows(path: Path, text: str) -> list[tuple[str, object]]:
    """(place in the file, value) of each row."""
    if text.lstrip().startswith("["):
        try:
            return [(f"row {i}", row) for i, row in enumerate(json.loads(text), start=1)]
        except json.JSONDecodeError as error:
            raise RecipeError(f"{path}, line {error.lineno}: not JSON ({error.msg}). Needed: a JSON list.") from error
    rows, problems = [], []
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        try:
            rows.append((f"line {number}", json.loads(line)))
        except json.JSONDecodeError as error:
            problems.append(f"{path}, line {number}: not JSON ({error.msg}). Needed: a JSON list, or an object a line.")
    if problems:
        raise RecipeError(problems[:SHOWN])
    return rows


def _problems(place: str, row: object) -> list[str]:
    needed = f"Needed: {', '.join(KEYS)}."
    if not isinstance(row, dict):
        return [f"{place}: found {type(row).__name__}, not an object. {needed}"]
    found = ", ".join(map(str, row)) or "none"
    missing = [f"{place}: the key '{key}' is missing (found: {found}). {needed}" for key in KEYS if key not in row]
    wrong = [
        f"{place}: '{key}' is {type(row[key]).__name__}, not text. Write it in quotes."
        for key in KEYS
        if key in row and not isinstance(row[key], str)
    ]
    return missing + wrong
