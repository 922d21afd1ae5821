"""Rows of JSON, JSON Lines, CSV and Parquet files. Every error names the key that named the file, and the line."""

from __future__ import annotations

import csv
import io
import json
import os
import re
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

from relearn_lite.core.errors import RecipeError, first_line, shortened
from relearn_lite.data.document_formats import READERS
from relearn_lite.data.shapes import rows_of

DELIMITERS = ",;\t|"  # the comma first: where two would do, it is the one
SHOWN = 10  # problems of one file that are spelled out
csv.field_size_limit(2**31 - 1)  # a cell may hold a document; Python's own limit is 131072 characters


def read_file(path: Path, key: str) -> list[dict[str, Any]]:
    """Rows of a JSON, JSON Lines, CSV or Parquet file, told apart by its suffix."""
    if not os.path.isfile(path):
        if path.is_dir():
            raise RecipeError(f"{key}: {path} is a folder; give a file in it: {', '.join(FORMATS)}")
        raise RecipeError(
            f"{key}: there is no file {path}; correct the path (relative paths start at the recipe's folder)"
        )
    suffix = path.suffix.lower()
    if suffix not in FORMATS:
        asked = suffix in READERS and key == "data.forget.path"
        ask = ", or ask what it says of people: data.forget.documents" if asked else ""
        raise RecipeError(
            f"{key}: {path.name} is not a format that is read here; allowed: {', '.join(FORMATS)}; save it as one of "
            f"these{ask}"
        )
    if path.stat().st_size == 0:
        raise RecipeError(f"{key}: {path} is empty; it needs at least one question with its answer")
    return FORMATS[suffix](path, key)


def _read_objects(path: Path, key: str) -> list[dict[str, Any]]:
    """The rows of a JSON file, each of which must be an object."""
    return _all_objects(read_json(path, key), path, key, "not an object with columns such as {question, answer}")


def read_texts(path: Path, column: str, key: str) -> list[dict[str, Any]]:
    """The rows of a JSON file, of which each may be a bare text: that of `column`."""
    if path.stat().st_size == 0:
        raise RecipeError(f"{key}: {path} is empty; it needs at least one text")
    rows = [{column: row} if isinstance(row, str) else row for row in read_json(path, key)]
    return _all_objects(rows, path, key, f"neither a text nor an object with the column {column!r}")


def _all_objects(rows: list[Any], path: Path, key: str, otherwise: str) -> list[dict[str, Any]]:
    """The rows, all of which must be objects. otherwise: what the first that is none is told to be."""
    wrong = next((n for n, row in enumerate(rows, 1) if not isinstance(row, dict)), None)
    if wrong is not None:
        raise RecipeError(f"{key}: row {wrong} of {path} is {otherwise}")
    return rows


def read_json(path: Path, key: str) -> list[Any]:
    """The rows of a JSON file or of JSON Lines; whichever it is, the file may be called .json, as TOFU's are.

    See `data.shapes` for what a JSON file may be besides a list.
    """
    text = _read_text(path, key)
    try:
        found = json.loads(text, object_pairs_hook=_object)
    except (ValueError, RecursionError) as error:
        whole = error
    else:
        try:
            return rows_of(found)
        except ValueError as error:
            raise RecipeError(f"{key}: {path} {error}; mend it, or give another file") from None
    if text.lstrip().startswith("["):
        raise RecipeError(f"{key}: {path} {_why(whole)}; mend the list there")
    rows, problems, kinds = [], [], []
    for number, line in enumerate(text.split("\n"), 1):
        if line.strip():
            try:
                rows.append(json.loads(line, object_pairs_hook=_object))
                kinds.append(True)
            except (ValueError, RecursionError) as error:
                kinds.append(False)
                problems.append(
                    f"{key}: {path} {_why(error, number)}; mend or remove that line (needed: a JSON list [...] of "
                    "objects, or one object a line)"
                )
    if not problems:
        return rows
    if any(kinds[:2]) or len(kinds) == 1:  # JSON Lines, some of them broken
        raise RecipeError(first_problems(problems, f"{key}: {path}"))
    try:
        return _one_after_another(text)
    except (ValueError, RecursionError):
        raise RecipeError(f"{key}: {path} {_why(whole)}; mend it there") from None


class _Twice(ValueError):
    """A name stands twice in one object, with two values: the last one would win in silence."""


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        for name, value in pairs:
            if value != found[name]:
                raise _Twice(name, f"as {shortened(value)} and as {shortened(found[name])}")
    return found


def _one_after_another(text: str) -> list[Any]:
    """Objects of several lines each, as jq writes them."""
    rows, at, decoder = [], 0, json.JSONDecoder(object_pairs_hook=_object)
    while text[at:].strip():
        at += len(text[at:]) - len(text[at:].lstrip())
        row, at = decoder.raw_decode(text, at)
        rows.append(row)
    return rows


def first_problems(problems: list[str], where: str) -> list[str]:
    """The first problems of a file, and how many more there are."""
    more = len(problems) - SHOWN
    return [*problems[:SHOWN], *([f"{where}: {more} more problems like these"] if more > 0 else [])]


def _why(error: ValueError | RecursionError, line: int | None = None) -> str:
    at = f" in line {line}" if line else ""
    if isinstance(error, json.JSONDecodeError):
        return f"is broken at line {line or error.lineno}, column {error.colno}: {error.msg}"
    if isinstance(error, _Twice):
        name, told = error.args
        return f"has {name!r} twice in one object{at}, {told} (each row needs braces of its own)"
    if isinstance(error, RecursionError):
        return f"is nested too deep{at}"
    return f"holds a number with too many digits{at}, which must be in quotes"  # what is left of Python's ValueErrors


def is_unicode(text: str) -> bool:
    """False where a JSON escape left half of a surrogate pair: no file, hash or tokenizer takes such a text."""
    return not any("\ud800" <= char <= "\udfff" for char in text)


def _read_text(path: Path, key: str) -> str:
    """The text of a file in UTF-8, or in UTF-16 or UTF-32. A mark in front, as Windows writes it, is no part of it."""
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise RecipeError(
            f"{key}: {path} cannot be read ({error.strerror}); make it readable, or give another file"
        ) from None
    encoding = json.detect_encoding(raw)  # by its mark, or where the zeros stand
    try:
        return raw.decode("utf-8-sig" if encoding == "utf-8" else encoding)
    except UnicodeDecodeError as error:
        raise RecipeError(
            f"{key}: {path} is not UTF-8 text (byte {error.start}); save it as UTF-8 (in Excel: CSV "
            "UTF-8)"
        ) from None


def _read_csv(path: Path, key: str) -> list[dict[str, Any]]:
    text = _read_text(path, key)
    told = re.match(r"sep=(.)\r?\n", text)  # Excel's own word for it
    rest = (text[told.end() :] if told else text).lstrip("\r\n")
    before, text = text[: len(text) - len(rest)].count("\n"), rest
    delimiter = told[1] if told else _delimiter(text)
    reader = csv.DictReader(
        io.StringIO(text, newline=""), delimiter=delimiter, skipinitialspace=True, strict=True  # no open quote
    )
    rows = []
    try:
        twice = [name for name, times in Counter(reader.fieldnames or ()).items() if name and times > 1]
        if twice:  # else the last of them would win in silence
            raise RecipeError(f"{key}: {path} has the column {twice[0]!r} twice; give each column a name of its own")
        for row in reader:
            if not "".join(map("".join, filter(None, row.values()))).strip():
                continue  # ;;; as Excel writes for rows that were emptied: as blank as a blank line
            if None in row:  # else what follows an unquoted delimiter would be lost in silence
                raise RecipeError(
                    f"{key}: line {before + reader.line_num} of {path} has more cells than its first line (they are "
                    f"divided by {delimiter!r}); put text that holds one in double quotes"
                )
            rows.append(row)
    except csv.Error as error:
        whole = before + reader.line_num  # the line on which the last whole row ends
        where, what = (f"after line {whole}", "the row that begins there") if whole else ("in its first row", "it")
        raise RecipeError(f"{key}: {path} is broken {where}: {error}; mend {what}") from None
    return rows


def _delimiter(text: str) -> str:
    """What divides the cells: of what makes several columns, that which makes as many in every row."""
    found: dict[str, tuple[bool, int]] = {}
    for delimiter in DELIMITERS:
        try:
            cells = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, skipinitialspace=True)
            widths = [len(row) for row in cells if row]
        except csv.Error:
            continue
        if widths and widths[0] > 1:
            found[delimiter] = (len(set(widths)) == 1, widths[0])
    return max(found, key=found.get, default=",")


def _read_parquet(path: Path, key: str) -> list[dict[str, Any]]:
    import pyarrow
    import pyarrow.parquet

    try:
        return pyarrow.parquet.read_table(path).to_pylist()
    except (pyarrow.ArrowException, OSError, ValueError, OverflowError) as error:  # of bytes that are not in order
        raise RecipeError(
            f"{key}: {path} is not a readable Parquet file ({first_line(error)}); write it again, or give another file"
        ) from None


FORMATS: dict[str, Callable[[Path, str], list[dict[str, Any]]]] = {  # suffix -> (file, key for errors) to rows
    ".json": _read_objects, ".jsonl": _read_objects, ".csv": _read_csv, ".parquet": _read_parquet,
    ".ndjson": _read_objects, ".tsv": _read_csv,
}  # fmt: skip
