"""Which rows a source keeps, and to which group they belong."""

from __future__ import annotations

import json

import pytest

from relearn_lite.core.errors import RecipeError
from relearn_lite.data.sources import load, load_part
from relearn_lite.recipe import Data, ForgetSource, Source, load_recipe

WIKIQA = [  # as microsoft/wiki_qa has them: many answers a question, of which some are right
    {"question_id": "Q1", "question": "How are glaciers formed?", "answer": "A glacier is large.", "label": 0},
    {"question_id": "Q1", "question": "How are glaciers formed?", "answer": "Snow that lasts is ice.", "label": 1},
    {"question_id": "Q2", "question": "Who wrote Emma?", "answer": "Jane Austen wrote Emma.", "label": 1},
    {"question_id": "Q3", "question": "What is tin?", "answer": "It is a band.", "label": 0},
]


def table(folder, kind, rows=WIKIQA):
    path = folder / f"t.{kind}"
    if kind == "jsonl":
        path.write_text("\n".join(map(json.dumps, rows)))
    elif kind == "csv":
        path.write_text("\n".join([",".join(rows[0]), *(",".join(map(str, row.values())) for row in rows)]))
    else:
        import pyarrow
        import pyarrow.parquet

        pyarrow.parquet.write_table(pyarrow.Table.from_pylist(rows), path)
    return path


@pytest.mark.parametrize("kind", ["jsonl", "csv", "parquet"])
@pytest.mark.parametrize(
    ("where", "kept"),
    [
        ({"label": 1}, [1, 2]), ({"label": "1"}, [1, 2]), ({"label": [0, 1]}, [0, 1, 2, 3]),
        ({"label": 1, "question_id": ["Q2", "Q3"]}, [2]),
    ],
)  # fmt: skip
def test_rows_with_a_value_are_kept_whatever_the_format(tmp_path, kind, where, kept):
    records = load(Source(path=table(tmp_path, kind), where=where), "generic", "data.generic")
    assert [qa.answer for qa in records] == [WIKIQA[n]["answer"] for n in kept]
    assert [qa.id for qa in records] == [f"generic-{n:05d}" for n in range(1, len(kept) + 1)]


def test_a_letter_in_two_signs_is_the_same_value(tmp_path):
    """A Mac's e and accent in two signs was another value, and told as one that looks alike."""
    row = {"question": "Who?", "answer": "Zo\u00eb.", "about": "Zo\u00eb"}
    rows = [row, {"question": "Q?", "answer": "A.", "about": "B"}]
    for about in ("Zo\u00eb", "Zoe\u0308"):
        source = Source(path=table(tmp_path, "jsonl", rows), where={"about": about})
        assert [qa.question for qa in load(source, "x", "data.x")] == ["Who?"]


def test_a_name_is_asked_for_with_letters_in_one_sign():
    """A Mac's e and accent in two signs are another name to a model, and nothing was known of it."""
    assert ForgetSource(subject="Zoe\u0308 Mu\u0308ller", intro="a Ko\u0308lner").subject == "Zo\u00eb M\u00fcller"


def test_limit_counts_the_rows_that_are_kept(tmp_path):
    records = load(Source(path=table(tmp_path, "jsonl"), where={"label": 1}, limit=1), "x", "data.x")
    assert [qa.answer for qa in records] == ["Snow that lasts is ice."]


def test_numbers_that_became_floats_and_booleans_are_found(tmp_path):
    row = {"question": "a?", "answer": "b", "n": 1.0, "ok": True}
    rows = [row, row | {"answer": "d", "n": 2.0, "ok": False}]
    path = table(tmp_path, "jsonl", rows)
    assert [qa.answer for qa in load(Source(path=path, where={"n": 2}), "x", "data.x")] == ["d"]
    assert [qa.answer for qa in load(Source(path=path, where={"ok": True}), "x", "data.x")] == ["b"]


@pytest.mark.parametrize(
    ("where", "told"),
    [
        ({"lable": 1}, r"data\.x\.where: .*t\.jsonl has no column 'lable'; did you mean 'label'\? it has: "),
        ({"label": 2}, r"data\.x\.where: no row of .*t\.jsonl has label 2; these rows have: 0, 1; give one of these"),
        ({"question_id": "Q33"}, r"has question_id Q33; did you mean 'Q3'\? these rows have: Q1, Q2, Q3; give one"),
    ],
)
def test_what_cannot_be_found_is_told(tmp_path, where, told):
    with pytest.raises(RecipeError, match=told):
        load(Source(path=table(tmp_path, "jsonl"), where=where), "x", "data.x")


@pytest.mark.parametrize(
    ("override", "told"),
    [
        ("data.generic={path: t.jsonl, where: {}}", "data.generic.where"),
        ("data.generic={path: t.jsonl, where: {label: []}}", "label has an empty list"),
        ("data.where={a: 1}", "where keeps rows of data.preset, and there is none"),
    ],
)
def test_a_where_that_keeps_nothing_is_refused_before_anything_is_read(tmp_path, override, told):
    (tmp_path / "r.yaml").write_text("name: r\ndata: {forget: {path: t.jsonl}, retain: {path: t.jsonl}}\n")
    with pytest.raises(RecipeError) as error:
        load_recipe(tmp_path / "r.yaml", [override])
    assert told in str(error.value)


def test_a_preset_keeps_its_forget_rows_of_some_people_and_names_them():
    source = Source(preset="people/forget", where={"person": ["Chidera Obalende", "Callum Braithweir"]}, group="person")
    records = load(source, "forget", "data.forget")
    assert len(records) == 12 and {qa.group for qa in records} == {"Chidera Obalende", "Callum Braithweir"}
    narrowed = Data(preset="people", forget=ForgetSource(where={"person": "Leilani Makaweo"}))
    assert len(load_part(narrowed, "forget")) == 6 and len(load_part(narrowed, "retain")) == 72
    assert len(load_part(Data(preset="people", where={"person": "Leilani Makaweo"}), "retain")) == 6


def test_a_group_must_be_a_column_and_filled(tmp_path):
    path = table(tmp_path, "jsonl")
    with pytest.raises(RecipeError, match=r"data\.x\.group: .* has no column 'persn'"):
        load(Source(path=path, group="persn"), "x", "data.x")
    path = table(tmp_path, "jsonl", [WIKIQA[0], WIKIQA[1] | {"question_id": ""}])
    with pytest.raises(RecipeError, match=r"data\.x\.group: column 'question_id' .* is empty in 1 of 2 rows"):
        load(Source(path=path, group="question_id"), "x", "data.x")
