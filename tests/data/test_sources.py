"""Tables become records, the same from every format."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from relearn_lite.data.presets import PAIRS, TABLES
from relearn_lite.data.sources import load, load_part, overlap, source_of
from relearn_lite.errors import RecipeError
from relearn_lite.records import QA
from relearn_lite.schema import Data, Source

ROWS = [
    {"q": "Where does Ann Lee live?", "a": 'At 12 Hill Road, "Leeds".', "p": "Ann Lee lives where?"},
    {"q": "Wer ist Jörg Müller?", "a": "Ein Maler;\nzwei Zeilen.", "p": "Und Jörg?"},
    {"q": "王小明住在哪里?", "a": "上海 📍 before\u2028after", "p": "他呢?"},
]
SHARED = Path(__file__).parents[3] / "shared" / "data"


def write(folder: Path, kind: str) -> Path:
    path = folder / f"table.{kind.removesuffix('-with-mark').removeprefix('lines-in-')}"
    if kind in ("jsonl", "lines-in-json"):
        path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in ROWS), encoding="utf-8")
    elif kind == "json":
        path.write_text(json.dumps(ROWS, indent=1), encoding="utf-8")
    elif kind == "parquet":
        import pyarrow
        import pyarrow.parquet

        pyarrow.parquet.write_table(pyarrow.Table.from_pylist(ROWS), path)
    else:
        encoding = "utf-8-sig" if kind.endswith("mark") else "utf-8"  # Excel puts a byte order mark first
        with path.open("w", encoding=encoding, newline="") as file:
            table = csv.DictWriter(file, list(ROWS[0]))
            table.writeheader()
            table.writerows(ROWS)
    return path


@pytest.mark.parametrize("kind", ["jsonl", "json", "lines-in-json", "csv", "csv-with-mark", "parquet"])
def test_every_format_gives_the_same_records(tmp_path, kind):
    source = Source(path=write(tmp_path, kind), question="q", answer="a", paraphrase="p")
    assert load(source, "forget", "data.forget") == [
        QA(f"forget-{n:05d}", row["q"], row["a"], row["p"]) for n, row in enumerate(ROWS, 1)
    ]


def test_limit_takes_the_first_rows(tmp_path):
    source = Source(path=write(tmp_path, "jsonl"), question="q", answer="a", limit=2)
    assert [qa.question for qa in load(source, "x", "data.x")] == [row["q"] for row in ROWS[:2]]


def test_numbers_become_text(tmp_path):
    (tmp_path / "n.jsonl").write_text('{"question": "How many?", "answer": 5}\n')
    assert load(Source(path=tmp_path / "n.jsonl"), "x", "data.x")[0].answer == "5"


def test_a_blank_line_does_not_shift_the_number_of_a_broken_one(tmp_path):
    (tmp_path / "n.jsonl").write_text('{"question": "a", "answer": "b"}\n\n{oops\n')
    with pytest.raises(RecipeError, match="broken at line 3"):
        load(Source(path=tmp_path / "n.jsonl"), "x", "data.x")


def test_both_missing_columns_are_told_at_once(tmp_path):
    (tmp_path / "n.jsonl").write_text('{"Question": "a", "reply": "b"}\n')
    with pytest.raises(RecipeError) as error:
        load(Source(path=tmp_path / "n.jsonl"), "x", "data.x")
    assert [problem.split(":")[0] for problem in error.value.problems] == ["data.x.question", "data.x.answer"]
    assert "did you mean 'Question'?" in error.value.problems[0]


def test_many_empty_rows_are_not_all_listed(tmp_path):
    (tmp_path / "n.jsonl").write_text('{"question": "a", "answer": ""}\n' * 9)
    with pytest.raises(RecipeError, match=r"empty in 9 of 9 rows \(rows 1, 2, 3, 4, 5 \.\.\.\)"):
        load(Source(path=tmp_path / "n.jsonl"), "x", "data.x")


def test_a_preset_fills_in_what_the_recipe_leaves_out():
    data = Data(preset="people", forget=Source(limit=3))
    assert source_of(data, "forget").preset == "people/forget" and source_of(data, "forget").limit == 3
    assert len(load_part(data, "forget")) == 3
    assert all(qa.paraphrase for qa in load_part(data, "retain"))
    assert source_of(data, "forget_eval") == source_of(data, "forget")


def test_what_the_recipe_says_wins_over_the_preset(tmp_path):
    own = Source(path=write(tmp_path, "jsonl"), question="q", answer="a")
    assert len(load_part(Data(preset="people", forget=own), "forget")) == len(ROWS)


def test_a_part_that_nobody_gave_is_empty():
    assert load_part(Data(preset="tofu/forget10"), "generic") == []


def test_pairs_name_tables_that_exist():
    assert {table for parts in PAIRS.values() for table in parts.values()} <= TABLES.keys()


def test_overlap_ignores_case_and_spacing():
    forget = [QA("f1", "Who  is Ann?", "x"), QA("f2", "Who is Bob?", "x")]
    assert overlap(forget, [QA("r1", " who is ANN?\n", "y")]) == ["Who  is Ann?"]


@pytest.mark.parametrize(
    ("preset", "folder", "counts"),
    [
        ("tofu/forget10", "tofu", (400, 3600)),
        ("knowundo/privacy", "knowundo/privacy", None),
    ],
)
def test_presets_read_a_local_copy(preset, folder, counts):
    if not (SHARED / folder).is_dir():
        pytest.skip(f"no local copy of the benchmark in {SHARED / folder}")
    data = Data(preset=preset, folder=SHARED / folder)
    forget, retain = load_part(data, "forget"), load_part(data, "retain")
    assert all(qa.question.strip() and qa.answer.strip() for qa in forget + retain)
    assert not overlap(forget, retain)
    assert counts in (None, (len(forget), len(retain)))


@pytest.mark.parametrize("name", ["real_authors", "world_facts"])
def test_a_single_table_of_a_benchmark_reads_a_local_copy(name):
    if not (SHARED / "tofu").is_dir():
        pytest.skip(f"no local copy of TOFU in {SHARED / 'tofu'}")
    assert len(load(Source(preset=f"tofu/{name}", folder=SHARED / "tofu"), name, "data.generic")) >= 100
