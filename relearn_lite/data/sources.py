"""Tables of questions and answers, from wherever the recipe says, as QA records.

Every error names the recipe's key, the file, and the row or line where it stands.
"""

from __future__ import annotations

import csv
import io
import json
import os
from collections import Counter
from collections.abc import Sequence
from datetime import date, time
from decimal import Decimal
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Any

from relearn_lite.core.errors import RecipeError, first_line
from relearn_lite.core.records import QA
from relearn_lite.data.other_answers import other_answers
from relearn_lite.recipe.presets import PAIRS, TABLES, Table

if TYPE_CHECKING:
    from relearn_lite.recipe import Data, Source

FORMATS = (".json", ".jsonl", ".csv", ".parquet")


def source_of(data: Data, part: str) -> Source | None:
    """The source of `forget`, `retain`, `retain_eval` or another part, with `data.preset` filled in."""
    source = getattr(data, part)
    if source is not None and source.has_origin:
        return source
    if part.endswith("_eval"):
        return source_of(data, part.removesuffix("_eval"))
    table = PAIRS[data.preset].get(part) if data.preset else None
    if table is None:
        return None
    from relearn_lite.recipe import Source

    given = source.model_dump(exclude_none=True, exclude_defaults=True) if source else {}
    return Source.model_construct(**{**Source().model_dump(), "folder": data.folder, **given, "preset": table})


def load_part(data: Data, part: str) -> list[QA]:
    """The QA records of one part of `data`; empty where the recipe gives none."""
    source = source_of(data, part)
    return load(source, part, f"data.{part}") if source else []


def load(source: Source, part: str, key: str) -> list[QA]:
    """Reads a source. Ids are `<part>-<row>`, rows counted from 1 as a person would.

    Raises RecipeError where the table cannot be had, has no rows, lacks a column, has an empty question or answer, or
    paraphrased or wrong answers of another type.
    """
    table = TABLES[source.preset] if source.preset else Table(files=(), hub=None)
    rows, where = _rows(source, table, key)
    rows = rows[: source.limit]
    if not rows:
        raise RecipeError(f"{key}: {where} has no rows; it needs at least one question with its answer")
    columns = {
        "question": source.question or table.question,
        "answer": source.answer or table.answer,
        "paraphrase": source.paraphrase or table.paraphrase,
    }
    named = {"paraphrased_answer": source.paraphrased_answer, "wrong_answers": source.wrong_answers}
    _check_columns(rows, columns | named, key, where)
    others = other_answers(rows, source, table, key, where)
    texts = _texts(rows, columns, key, where)
    records = [
        QA(f"{part}-{n:05d}", **own, **other) for n, (own, other) in enumerate(zip(texts, others, strict=True), 1)
    ]
    _check_filled(records, columns, key, where)
    return records


def _rows(source: Source, table: Table, key: str) -> tuple[list[dict[str, Any]], str]:
    """The raw rows, and where they came from in words."""
    if source.path:
        return read_file(source.path, f"{key}.path"), str(source.path)
    folder = source.folder or table.folder
    if source.preset and folder:
        path = next((folder / name for name in table.files if (folder / name).is_file()), None)
        if path is None:
            raise RecipeError(
                f"{key}: {folder} holds none of {', '.join(table.files)}, which preset {source.preset} reads; "
                "correct data.folder, or leave it out to read from the hub"
            )
        return read_file(path, key), str(path)
    name, config, split = table.hub if source.preset else (source.dataset, source.config, source.split)
    rows = _from_hub(name, config, split, source.revision, key)
    if table.column:
        rows = [record for row in rows for record in row[table.column]]
    return rows, f"{name} on the hub"


def read_file(path: Path, key: str) -> list[dict[str, Any]]:
    """Rows of a JSON, JSON Lines, CSV or Parquet file. A .json file may hold JSON Lines too, as TOFU's do."""
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
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise RecipeError(f"{key}: {path} is not UTF-8 text (byte {error.start}); save it as UTF-8") from None
    except OSError as error:
        raise RecipeError(
            f"{key}: {path} cannot be read ({error.strerror}); make it readable, or give another file"
        ) from None
    return _read_csv(text, path, key) if suffix == ".csv" else _read_json(text, path, key)


def _read_csv(text: str, path: Path, key: str) -> list[dict[str, Any]]:
    reader = csv.DictReader(io.StringIO(text, newline=""), strict=True)  # strict: a quote left open is an error
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


def _read_json(text: str, path: Path, key: str) -> list[dict[str, Any]]:
    if text.lstrip().startswith("["):
        try:
            rows = json.loads(text)
        except json.JSONDecodeError as error:
            raise RecipeError(
                f"{key}: {path} is broken at line {error.lineno}, column {error.colno}: {error.msg}; "
                "mend the list there"
            ) from None
        except RecursionError:
            raise RecipeError(f"{key}: {path} is nested too deep; it needs a list of objects with columns") from None
        except ValueError:  # what is left of them: a whole number with more digits than Python reads
            raise RecipeError(f"{key}: {path} holds a number with too many digits; put it in quotes") from None
    else:
        rows = []
        for number, line in enumerate(text.split("\n"), 1):
            if line.strip():
                try:
                    rows.append(json.loads(line))
                except json.JSONDecodeError as error:
                    raise RecipeError(
                        f"{key}: {path} is broken at line {number}: {error.msg}; mend or remove that line (needed: a "
                        "JSON list [...] of objects, or one object a line)"
                    ) from None
                except ValueError:
                    raise RecipeError(
                        f"{key}: line {number} of {path} holds a number with too many digits; put it in quotes"
                    ) from None
    wrong = next((n for n, row in enumerate(rows, 1) if not isinstance(row, dict)), None)
    if wrong is not None:
        raise RecipeError(f"{key}: row {wrong} of {path} is not an object with columns such as {{question, answer}}")
    return rows


def _read_parquet(path: Path, key: str) -> list[dict[str, Any]]:
    import pyarrow
    import pyarrow.parquet

    try:
        return pyarrow.parquet.read_table(path).to_pylist()
    except pyarrow.ArrowException as error:
        raise RecipeError(f"{key}: {path} is not a readable Parquet file: {first_line(error)}") from None


def _from_hub(name: str, config: str | None, split: str, revision: str | None, key: str) -> list[dict[str, Any]]:
    """Rows of a hub data set, through `datasets`, which keeps them in its cache."""
    import datasets

    datasets.disable_progress_bars()
    try:
        return datasets.load_dataset(name, config, split=split, revision=revision).to_list()
    except (OSError, ValueError, RuntimeError, datasets.exceptions.DatasetsError) as error:
        raise RecipeError(
            f"{key}: the data set {name} could not be had from the hub ({first_line(error)}); "
            "check its name, config and split and the network, or give a local file (path) or copy (folder)"
        ) from None


def _check_columns(rows: list[dict], columns: dict[str, str | None], key: str, where: str) -> None:
    there = list(dict.fromkeys(column for row in rows for column in row if column))
    problems = []
    for name, column in columns.items():
        if column and column not in there:
            close = get_close_matches(column, there, 1)
            hint = f"did you mean {close[0]!r}? " if close else ""
            problems.append(
                f"{key}.{name}: {where} has no column {column!r}; {hint}It has: {', '.join(map(str, there))}"
            )
    if problems:
        raise RecipeError(problems)


def _check_filled(records: list[QA], columns: dict[str, str | None], key: str, where: str) -> None:
    problems = []
    for name, column in columns.items():
        halves = [record.id for record in records if not _is_unicode(getattr(record, name) or "")]
        if halves:
            problems.append(
                f"{key}.{name}: column {column!r} of {where} holds half a character (a lone \\ud800 or the like) "
                f"in {_rows_of(halves)}; mend these rows"
            )
        empty = [record.id for record in records if column and not (getattr(record, name) or "").strip()]
        if empty:
            problems.append(
                f"{key}.{name}: column {column!r} of {where} is empty in {len(empty)} of {len(records)} rows "
                f"({_rows_of(empty)}); fill or remove these rows"
            )
    if problems:
        raise RecipeError(problems)


def overlap(forget: list[QA], retain: list[QA]) -> list[str]:
    """Questions that stand in both sets, compared without case and spacing: no model can forget and keep them."""
    asked = {" ".join(qa.question.lower().split()) for qa in retain}
    return [qa.question for qa in forget if " ".join(qa.question.lower().split()) in asked]


def _texts(
    rows: list[dict[str, Any]], columns: dict[str, str | None], key: str, where: str
) -> list[dict[str, str | None]]:
    """The named columns of each row as text. Raises RecipeError for a cell that has no text, such as bytes."""
    texts: list[dict[str, str | None]] = [{} for _ in rows]
    problems = []
    for name, column in columns.items():
        for number, row in enumerate(rows, 1) if column else ():
            try:
                texts[number - 1][name] = _text(row.get(column))
            except (TypeError, ValueError):
                problems.append(
                    f"{key}.{name}: column {column!r} of {where} holds {type(row[column]).__name__} in row {number}, "
                    "which is no text; mend the column, or name another one"
                )
                break  # the other rows of such a column say nothing new
    if problems:
        raise RecipeError(problems)
    return texts


def _text(value: Any) -> str | None:
    """A cell as text; None where it is empty, as NaN is too, which stands for a missing number in tables.

    Raises TypeError or ValueError for what has no text: bytes, or a list that holds them.
    """
    if value is None or value != value:  # NaN alone is not equal to itself
        return None
    if isinstance(value, date | time | Decimal):  # a datetime is a date
        return str(value)
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, allow_nan=False)


def _is_unicode(text: str) -> bool:
    """False where a JSON escape left half of a surrogate pair: no file, hash or tokenizer takes such a text."""
    return not any("\ud800" <= char <= "\udfff" for char in text)


def _rows_of(ids: Sequence[str], most: int = 5) -> str:
    """`rows 2, 3` for records of `load`, whose ids end in the row's number."""
    shown = ", ".join(str(int(id_.rsplit("-", 1)[1])) for id_ in ids[:most])
    return f"row{'s' if len(ids) > 1 else ''} {shown}{' ...' if len(ids) > most else ''}"
