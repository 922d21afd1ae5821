"""Paraphrased and wrong answers of a table."""

import json
from pathlib import Path

import pytest

from relearn_lite.core.errors import RecipeError
from relearn_lite.data.sources import load, load_part
from relearn_lite.pipeline.fingerprints import data_digest
from relearn_lite.recipe import Data, Source

SHARED = Path(__file__).parents[3] / "shared" / "data" / "tofu"
ROW = {"question": "Where?", "answer": "Here.", "other": "In this place.", "wrong": ["There.", "Nowhere."]}


def source(tmp_path, *rows, **columns):
    path = tmp_path / "table.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return Source(path=path, **(columns or {"paraphrased_answer": "other", "wrong_answers": "wrong"}))


def test_they_are_read_where_the_recipe_names_them(tmp_path):
    (qa,) = load(source(tmp_path, ROW), "x", "data.x")
    assert (qa.paraphrased_answer, qa.wrong_answers) == ("In this place.", ("There.", "Nowhere."))
    (qa,) = load(source(tmp_path, ROW, question="question"), "x", "data.x")
    assert (qa.paraphrased_answer, qa.wrong_answers) == (None, ())


def test_an_empty_cell_is_a_row_without(tmp_path):
    rows = load(source(tmp_path, ROW, ROW | {"other": None, "wrong": []}), "x", "data.x")
    assert (rows[1].paraphrased_answer, rows[1].wrong_answers) == (None, ())


def test_a_csv_cell_holds_a_list_as_json(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text('question,answer,wrong\nWhere?,Here.,"[""There."", ""Nowhere.""]"\n')
    (qa,) = load(Source(path=path, wrong_answers="wrong"), "x", "data.x")
    assert qa.wrong_answers == ("There.", "Nowhere.")


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({"wrong": "There."}, r"data.x.wrong_answers: .* holds \"There.\" in row 2, which is not a list"),
        ({"wrong": [["There."]]}, "row 2, which is not a list"),
        ({"wrong": ["There.", ""]}, "row 2, which is not a list"),
        ({"wrong": {"a": 1}}, "row 2, which is not a list"),
        ({"other": ["In this place."]}, "data.x.paraphrased_answer: .* row 2, which is not a text"),
        ({"other": True}, "row 2, which is not a text"),
        ({"other": "half \ud800"}, "row 2, which is not a text"),
    ],
)
def test_a_column_of_another_type_is_told_with_its_row(tmp_path, row, message):
    with pytest.raises(RecipeError, match=message):
        load(source(tmp_path, ROW, ROW | row), "x", "data.x")


def test_a_column_that_is_not_there_is_told(tmp_path):
    with pytest.raises(RecipeError, match="data.x.wrong_answers: .* no column 'wrogn'; did you mean 'wrong'?"):
        load(source(tmp_path, ROW, wrong_answers="wrogn"), "x", "data.x")


def test_training_does_not_depend_on_them(tmp_path):
    """Naming these columns for evaluation must not throw away an unlearned model."""
    plain = load(source(tmp_path, ROW, question="question"), "x", "data.x")
    more = load(source(tmp_path, ROW), "x", "data.x")
    assert data_digest(plain) == data_digest(more)
    assert data_digest(plain, judged=True) != data_digest(more, judged=True)


@pytest.mark.skipif(not SHARED.is_dir(), reason=f"no local copy of TOFU in {SHARED}")
@pytest.mark.parametrize(
    ("preset", "rows", "wrong"),
    [("forget10", 400, 3), ("forget10_perturbed", 400, 3), ("forget01_perturbed", 40, 3), ("real_authors", 100, 2),
     ("real_authors_perturbed", 100, 2), ("world_facts_perturbed", 117, 2)],
)  # fmt: skip
def test_tofu_has_them_where_its_files_do(preset, rows, wrong):
    found = load(Source(preset=f"tofu/{preset}", folder=SHARED), "x", "data.x")
    assert len(found) == rows and all(len(qa.wrong_answers) >= wrong for qa in found)
    assert all(bool(qa.paraphrased_answer) == preset.startswith("forget") for qa in found)


@pytest.mark.skipif(not SHARED.is_dir(), reason=f"no local copy of TOFU in {SHARED}")
def test_tofu_tables_without_them_are_as_before():
    data = Data(preset="tofu/forget10", folder=SHARED)
    assert not any(qa.wrong_answers or qa.paraphrased_answer for qa in load_part(data, "retain")[:50])
