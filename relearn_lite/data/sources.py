"""Tables of questions and answers, from wherever the recipe says, as QA records.

Every error names the recipe's key, the file, and the row or line where it stands.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import date, time
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from relearn_lite.core.errors import RecipeError, did_you_mean, shortened
from relearn_lite.core.records import QA
from relearn_lite.data.files import is_unicode
from relearn_lite.data.layouts import as_pairs
from relearn_lite.data.origins import NotOnHub, rows_of_source
from relearn_lite.data.passages import load_passages, passages_of_texts, texts_of, whole_texts
from relearn_lite.data.shapes import cell_value
from relearn_lite.data.where import kept_rows, matching_rows
from relearn_lite.data.wording import worded
from relearn_lite.recipe.presets import ASKED, PAIRS, STAYS, TABLES, Table, table_of
from relearn_lite.text.turns import bare, looks_like_turns, shown
from relearn_lite.text.words import tidied

if TYPE_CHECKING:
    from relearn_lite.recipe import Data, Source

SAMPLE_SEED = 42  # the authors' of the paper: the first sample that they draw of a list has these rows
PAIRED = "read as questions with answers"  # conversations and instructions, whose columns have other names
FILLED = ("question", "answer", "paraphrase", "group")  # where there is such a column, every row has it


def source_of(data: Data, part: str) -> Source | None:
    """The source of `forget`, `retain`, `retain_eval` or another part, with `data.preset` filled in."""
    source = getattr(data, part)
    if source is not None and source.has_origin:
        same = source.preset and data.preset and source.preset.split("/")[0] == data.preset.split("/")[0]
        return source.model_copy(update={"folder": data.folder}) if same and source.folder is None else source
    if part.endswith("_eval"):
        side = part.removesuffix("_eval")
        return validation_of(data, side) or _asked(data, side)
    table = PAIRS[data.preset].get(part) if data.preset else None
    return None if table is None else _from_preset(data, source, table, part)


def validation_of(data: Data, side: str) -> Source | None:
    """The questions that the preset has for asking alone, about what its `forget` or `retain` set is about.

    None where it has none, or where the recipe narrows or replaces that set: they would be about other things then, but
    for presets that say with `where` what they are about.
    """
    table = PAIRS[data.preset].get(f"{side}_eval") if data.preset else None
    source = getattr(data, side)
    if table is not None and data.preset in STAYS:
        return _from_preset(data, None, table, side)
    if table is None or (source is not None and not source.leaves_whole):
        return None
    return _from_preset(data, source, table, side)


def _asked(data: Data, side: str) -> Source | None:
    """The forget or retain set itself, or the sample of it that the preset asks."""
    source, own = source_of(data, side), getattr(data, side)
    count = ASKED.get(data.preset) if own is None or not own.has_origin else None
    return source.model_copy(update={"sample": count}) if source and count and not source.sample else source


def _from_preset(data: Data, source: Source | None, table: str, part: str) -> Source:
    from relearn_lite.recipe import Source

    given = source.model_dump(exclude_none=True, exclude_defaults=True) if source else {}
    shared = {"folder": data.folder, "where": data.where if part.startswith(("forget", "retain")) else None}
    return Source.model_construct(**{**Source().model_dump(), **shared, **given, "preset": table})


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
    table = table_of(source.preset)
    if source.text or table.text:
        return _passages(source, part, key)
    if table.tables:
        return _load_all(source, table, part, key)
    if table.answer is None and part != "generic":
        raise RecipeError(f"{key}: preset {source.preset} has no answers; it is for data.generic alone")
    rows, where = _rows(source, table, key)
    rows = rows[: source.limit]
    if not any(rows):
        raise RecipeError(f"{key}: {where} has no rows; it needs at least one question with its answer")
    named = {field: getattr(source, field) or getattr(table, field) for field in READERS}
    pairs = None if source.preset else as_pairs(rows, source.question, source.answer, key, where)
    if pairs is not None:
        rows, named, where = pairs, named | {"question": "question", "answer": "answer"}, f"{where}, {PAIRED},"
    if not source.preset:  # what is trained begins with no space, as what a model says
        rows = [{name: tidied(cell) if isinstance(cell, str) else cell for name, cell in row.items()} for row in rows]
    there = list(dict.fromkeys(column for row in rows for column in row if column))
    columns = {
        field: column for field, column in named.items()
        if column in there or column and (field in FILLED or getattr(source, field))
    }  # fmt: skip
    _check_columns(columns, there, key, where)
    cells = _read_cells(rows, columns, key, where)
    _check_filled(cells, columns, key, where)
    if pairs is None and (wrong := [n for n, row in enumerate(cells, 1) if looks_like_turns(row["question"])]):
        raise RecipeError(
            f"{key}.question: {where} holds U+241E with a role behind it in {_rows_of(wrong)}, which marks turns here; "
            "remove it, or give the turns as messages of {role, content}"
        )
    whole = source.model_copy(update={"preset": table.shots, "where": None, "limit": None, "sample": None})
    shots = load(whole, part, key) if table.shots else []
    records = [{"answer": "", **worded(row, table, shots)} for row in cells]
    return _sampled([QA(f"{part}-{n:05d}", **record) for n, record in enumerate(records, 1)], source.sample)


def load_asked(data: Data, side: str, trained: list[QA]) -> list[QA]:
    """What is asked of the forget or retain side: `trained` itself, where the recipe names nothing else.

    Of a text that is trained, those of its passages and, as a group of their own, passages that are cut elsewhere,
    which never are.
    """
    source, asked, part = source_of(data, side), source_of(data, f"{side}_eval"), f"{side}_eval"
    if asked == source:
        part, rows = side, trained
    else:
        rows = load_part(data, part)
    same = ("text", "preset", "folder", "passage_words")
    if not rows or not asked.is_cut or any(getattr(asked, key) != getattr(source, key) for key in same):
        return rows
    groups = {"cut as trained": rows, "cut elsewhere": _passages(asked, part, f"data.{part}", elsewhere=True)}
    return [replace(qa, group=group) for group, passages in groups.items() for qa in passages]


def _rows(source: Source, table: Table, key: str) -> tuple[list[dict[str, Any]], str]:
    """The rows of a table that count, and where they are from in words."""
    rows, where = rows_of_source(source, table, key)
    if source.where:
        rows, where = kept_rows(rows, source.where, key, where)
    return matching_rows(rows, table.matching, key, where) if table.matching else rows, where


def _passages(source: Source, part: str, key: str, elsewhere: bool = False) -> list[QA]:
    """The passages of files, or of the texts that a benchmark's table holds; or these texts as they are."""
    if source.text:
        records = load_passages(source, part, key, elsewhere)
    else:
        table = table_of(source.preset)
        rows, where = _rows(source, table, key)
        texts = texts_of(rows, table.text, key, where)
        if table.whole:
            records = whole_texts(texts, part)
        else:
            records = passages_of_texts(texts, source.passage_words, part, elsewhere)
        if not records and not elsewhere:
            raise RecipeError(f"{key}: no text of {where} is long enough for a passage; give a whole copy of it")
    return _sampled(records[: source.limit], source.sample)


def _sampled(records: list[QA], count: int | None) -> list[QA]:
    if count is None or count >= len(records):
        return records
    return [records[i] for i in sorted(random.Random(SAMPLE_SEED).sample(range(len(records)), count))]


def _load_all(source: Source, table: Table, part: str, key: str) -> list[QA]:
    """The records of every table that this one is made of, numbered through; limit and sample are of the whole."""
    each = source.model_copy(update={"limit": None, "sample": None})
    try:
        rows = [qa for name in table.tables for qa in load(each.model_copy(update={"preset": name}), part, key)]
    except NotOnHub as error:  # one after another they would all be missed
        raise NotOnHub(error.keys, error.name, error.reason, (TABLES[t].files[0] for t in table.tables)) from None
    numbered = [replace(qa, id=f"{part}-{n:05d}") for n, qa in enumerate(rows[: source.limit], 1)]
    return _sampled(numbered, source.sample)


def _check_columns(columns: Mapping[str, str], there: Sequence[str], key: str, where: str) -> None:
    named = f"it has{' in its first line' * where.lower().endswith(('.csv', '.tsv'))}: {', '.join(map(str, there))}"
    if problems := [
        f"{key}.{field}: {where} has no column {column!r}; {did_you_mean(column, there, 0.7)}{named}; name one of "
        f"these as {key}.{field}" for field, column in columns.items() if column not in there
    ]:  # fmt: skip
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
                    f"{key}.{field}: column {column!r} of {where} holds {shortened(value)} in row {number}, which is "
                    f"not {wanted}{_kind(value)}; mend the column, or name another one"
                )
                break  # the other rows of a wrong column say nothing new
    if problems:
        raise RecipeError(problems)
    return found


def _check_filled(cells: Sequence[dict[str, Any]], columns: Mapping[str, str], key: str, where: str) -> None:
    problems = []
    for field, column in columns.items():
        texts = [row.get(field, "") for row in cells] if field in FILLED else []
        if halves := [n for n, text in enumerate(texts, 1) if not is_unicode(text)]:
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
    """A cell as text; a list of one is what it holds. Raises TypeError or ValueError for what is no text.

    Longer lists and objects are none: their brackets and keys would be trained, and which of them counts is not known.
    """
    value = cell_value(value)
    if value is None or isinstance(value, list | tuple | dict):
        raise TypeError
    if isinstance(value, date | time | Decimal):  # a datetime is a date; pandas keeps a day as its first moment
        return str(value).removesuffix(" 00:00:00")
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, allow_nan=False)


def _one_text(value: Any) -> str:
    """A cell that holds a text, a number or a date."""
    text = "" if value is None or isinstance(value, bool | list | dict) else _text(value)
    if not text.strip() or not is_unicode(text):
        raise ValueError
    return text


def _texts(value: Any) -> tuple[str, ...]:
    """A list of texts, or one written as JSON in a cell, as a CSV file must."""
    if isinstance(value, str):
        value = json.loads(value)  # JSONDecodeError is a ValueError
    if not isinstance(value, list):
        raise ValueError
    return tuple(tidied(_one_text(each)) for each in value)


READERS: dict[str, tuple[Callable[[Any], Any], str]] = {  # field of a QA -> how its cells are read, what they must be
    "question": (_text, "a text"),
    "answer": (_text, "a text"),
    "paraphrase": (_text, "a text"),
    "paraphrased_answer": (_one_text, "a text"),
    "wrong_answers": (_texts, 'a list of texts such as ["...", "..."]'),
    "group": (_one_text, "a text"),
}


def _kind(value: Any) -> str:
    """What a cell is in words, where its text may not show it."""
    if isinstance(value, dict):
        return f" but an object with the keys {', '.join(map(str, value))}"
    return f" but a list of {len(value)}" if isinstance(value, list) else ""


def _rows_of(numbers: Sequence[int], most: int = 5) -> str:
    shown = ", ".join(map(str, numbers[:most]))
    return f"row{'s' if len(numbers) > 1 else ''} {shown}{' ...' if len(numbers) > most else ''}"


def question_texts(qa: QA) -> set[str]:
    """The question and its paraphrase, each as `bare`."""
    return {bare(text) for text in (qa.question, qa.paraphrase) if text}


def overlap(some: Sequence[QA], others: Sequence[QA]) -> list[str]:
    """Questions of some records that others ask too, in one wording or another."""
    asked = {text for qa in others for text in question_texts(qa)}
    return [shown(qa.question) for qa in some if asked & question_texts(qa)]
