"""Tables of questions and answers, from wherever the recipe says, as QA records.

Every error names the recipe's key, the file, and the row or line where it stands.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import date, time
from decimal import Decimal
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

from relearn_lite.core.errors import RecipeError, first_line
from relearn_lite.core.records import QA
from relearn_lite.data.files import read_file
from relearn_lite.recipe.presets import PAIRS, TABLES, Table
from relearn_lite.recipe.yaml_text import parse

if TYPE_CHECKING:
    from relearn_lite.recipe import Data, Source

FILLED = ("question", "answer", "paraphrase")  # where there is such a column, every row has it


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
    cells of another type. Columns of other answers that a preset names are read where this copy of it has them; the
    recipe's own must be there.
    """
    table = TABLES[source.preset] if source.preset else Table(files=(), hub=None)
    if table.answer is None and part != "generic":
        raise RecipeError(f"{key}: preset {source.preset} has no answers; it is for data.generic alone")
    rows, where = _rows(source, table, key)
    rows = rows[: source.limit]
    if not rows:
        raise RecipeError(f"{key}: {where} has no rows; it needs at least one question with its answer")
    there = list(dict.fromkeys(column for row in rows for column in row if column))
    columns = {}
    for field in READERS:
        column = getattr(source, field) or getattr(table, field)
        if column in there or column and (field in FILLED or getattr(source, field)):
            columns[field] = column
    _check_columns(columns, there, key, where)
    cells = _read_cells(rows, columns, key, where)
    _check_filled(cells, columns, key, where)
    return [QA(f"{part}-{n:05d}", **{"answer": "", **row}) for n, row in enumerate(cells, 1)]


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
        if path.suffix == ".yaml":  # a list that comes with the project
            return [{"question": text} for text in parse(path.read_text(encoding="utf-8"))[0]], str(path)
        return read_file(path, key), str(path)
    name, config, split = table.hub if source.preset else (source.dataset, source.config, source.split)
    rows = _from_hub(name, config, split, source.revision, key)
    if table.column:
        rows = [record for row in rows for record in row[table.column]]
    return rows, f"{name} on the hub"


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


def _check_columns(columns: Mapping[str, str], there: Sequence[str], key: str, where: str) -> None:
    problems = []
    for field, column in columns.items():
        if column not in there:
            close = get_close_matches(column, there, 1)
            hint = f"did you mean {close[0]!r}? " if close else ""
            problems.append(
                f"{key}.{field}: {where} has no column {column!r}; {hint}It has: {', '.join(map(str, there))}"
            )
    if problems:
        raise RecipeError(problems)


def _read_cells(rows: Sequence[dict[str, Any]], columns: Mapping[str, str], key: str, where: str) -> list[dict]:
    """The fields of each row's record, those that it has: an empty cell, or NaN, is a row without."""
    found: list[dict[str, Any]] = [{} for _ in rows]
    problems = []
    for field, column in columns.items():
        read, wanted = READERS[field]
        for number, row in enumerate(rows, 1):
            value = row.get(column)
            if value in (None, "", []) or value != value:  # NaN alone is not itself
                continue
            try:
                found[number - 1][field] = read(value)
            except (TypeError, ValueError):
                problems.append(
                    f"{key}.{field}: column {column!r} of {where} holds {_short(value)} in row {number}, which is not "
                    f"{wanted}; mend the column, or name another one"
                )
                break  # the other rows of a wrong column say nothing new
    if problems:
        raise RecipeError(problems)
    return found


def _check_filled(cells: Sequence[dict[str, Any]], columns: Mapping[str, str], key: str, where: str) -> None:
    problems = []
    for field, column in columns.items():
        texts = [row.get(field, "") for row in cells] if field in FILLED else []
        if halves := [n for n, text in enumerate(texts, 1) if not _is_unicode(text)]:
            problems.append(
                f"{key}.{field}: column {column!r} of {where} holds half a character (a lone \\ud800 or the like) "
                f"in {_rows_of(halves)}; mend these rows"
            )
        if empty := [n for n, text in enumerate(texts, 1) if not text.strip()]:
            problems.append(
                f"{key}.{field}: column {column!r} of {where} is empty in {len(empty)} of {len(cells)} rows "
                f"({_rows_of(empty)}); fill or remove these rows"
            )
    if problems:
        raise RecipeError(problems)


def _text(value: Any) -> str:
    """A cell as text, lists and the like as JSON. Raises TypeError or ValueError for bytes, which have none."""
    if isinstance(value, date | time | Decimal):  # a datetime is a date
        return str(value)
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, allow_nan=False)


def _one_text(value: Any) -> str:
    """A cell that holds a text, a number or a date."""
    text = "" if value is None or isinstance(value, bool | list | dict) else _text(value)
    if not text.strip() or not _is_unicode(text):
        raise ValueError
    return text


def _texts(value: Any) -> tuple[str, ...]:
    """A list of texts, or one written as JSON in a cell, as a CSV file must."""
    if isinstance(value, str):
        value = json.loads(value)  # JSONDecodeError is a ValueError
    if not isinstance(value, list):
        raise ValueError
    return tuple(map(_one_text, value))


READERS: dict[str, tuple[Callable[[Any], Any], str]] = {  # field of a QA -> how its cells are read, what they must be
    "question": (_text, "a text"),
    "answer": (_text, "a text"),
    "paraphrase": (_text, "a text"),
    "paraphrased_answer": (_one_text, "a text"),
    "wrong_answers": (_texts, 'a list of texts such as ["...", "..."]'),
}


def _is_unicode(text: str) -> bool:
    """False where a JSON escape left half of a surrogate pair: no file, hash or tokenizer takes such a text."""
    return not any("\ud800" <= char <= "\udfff" for char in text)


def _short(value: Any) -> str:
    text = json.dumps(value, default=str)  # not as it is: it may hold half a character, which cannot be printed
    return text if len(text) <= 60 else f"{text[:57]}..."


def _rows_of(numbers: Sequence[int], most: int = 5) -> str:
    shown = ", ".join(map(str, numbers[:most]))
    return f"row{'s' if len(numbers) > 1 else ''} {shown}{' ...' if len(numbers) > most else ''}"


def wordings(qa: QA) -> set[str]:
    """The question and its paraphrase, without case and spacing."""
    return {" ".join(text.lower().split()) for text in (qa.question, qa.paraphrase) if text}


def overlap(some: Sequence[QA], others: Sequence[QA]) -> list[str]:
    """Questions of some records that others ask too, in one wording or another."""
    asked = {text for qa in others for text in wordings(qa)}
    return [qa.question for qa in some if asked & wordings(qa)]
