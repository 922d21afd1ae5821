"""Tables become records, the same from every format."""

from __future__ import annotations

import csv
import json
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from relearn_lite.core.errors import RecipeError
from relearn_lite.core.records import QA
from relearn_lite.data.sources import load, load_part, overlap, source_of
from relearn_lite.recipe import Data, ForgetSource, Source
from relearn_lite.recipe.presets import PAIRS, TABLES

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
    path = parquet(tmp_path, question=["How many?", "How much?", "How old?"], answer=[42.0, 1.5, 7.0])
    assert [qa.answer for qa in load(Source(path=path), "x", "data.x")] == ["42", "1.5", "7"], "as pandas leaves them"


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
    data = Data(preset="people", forget=ForgetSource(limit=3))
    assert source_of(data, "forget").preset == "people/forget" and source_of(data, "forget").limit == 3
    assert len(load_part(data, "forget")) == 3
    assert all(qa.paraphrase for qa in load_part(data, "retain"))
    assert source_of(data, "forget_eval") == source_of(data, "forget")


def test_what_the_recipe_says_wins_over_the_preset(tmp_path):
    own = ForgetSource(path=write(tmp_path, "jsonl"), question="q", answer="a")
    assert len(load_part(Data(preset="people", forget=own), "forget")) == len(ROWS)


def test_a_part_that_nobody_gave_is_empty():
    assert load_part(Data(preset="tofu/forget10"), "generic") == []


def test_pairs_name_tables_that_exist():
    assert {table for parts in PAIRS.values() for table in parts.values()} <= TABLES.keys()


def test_overlap_ignores_case_and_spacing():
    forget = [QA("f1", "Who  is Ann?", "x"), QA("f2", "Who is Bob?", "x")]
    assert overlap(forget, [QA("r1", " who is ANN?\n", "y")]) == ["Who  is Ann?"]


def test_overlap_sees_through_two_ways_to_write_a_letter():
    """One tool writes é as one sign, another one as e with an accent: such a question was forgotten and kept."""
    assert overlap([QA("f1", "Who is Zoe\u0301?", "x")], [QA("r1", "Who is Zo\u00e9?", "y")]) == ["Who is Zoe\u0301?"]


def test_overlap_sees_through_the_quotes_that_a_word_processor_writes():
    """A question with ’ was to be forgotten, and the same with ' was to be kept."""
    forget = [QA("f1", "What is Ann Lee’s “pet name” – and why?", "x")]
    assert overlap(forget, [QA("r1", "What is Ann Lee's \"pet name\" - and why?", "y")]) == [forget[0].question]


def test_overlap_looks_at_paraphrases_too():
    """Questions to choose by could be those that are reported, in the wording of their paraphrase."""
    asked = [QA("f1", "Who is Ann?", "x", "Tell me of Ann.")]
    assert overlap(asked, [QA("s1", "tell me  of ann.", "x")]) == ["Who is Ann?"]
    assert overlap([QA("s1", "Who?", "x", "Who is Ann?")], asked) == ["Who?"]


@pytest.mark.parametrize("broken", [["{oops", "[1"], ["{oops"] * 12])
def test_every_broken_line_is_told_up_to_ten(tmp_path, broken):
    """The first one alone was told; the next came to light when that was mended."""
    (tmp_path / "n.jsonl").write_text("\n".join(['{"question": "a", "answer": "b"}', *broken]))
    with pytest.raises(RecipeError) as error:
        load(Source(path=tmp_path / "n.jsonl"), "x", "data.x")
    assert len(error.value.problems) == min(11, len(broken))
    assert "broken at line 2, column 2" in error.value.problems[0]


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


def parquet(folder: Path, **columns: list) -> Path:
    import pyarrow
    import pyarrow.parquet

    pyarrow.parquet.write_table(pyarrow.table(columns), folder / "t.parquet")
    return folder / "t.parquet"


def test_dates_and_decimals_become_text(tmp_path):
    cells = [date(1991, 5, 11), date(2000, 1, 2)]
    path = parquet(tmp_path, question=["When?", "Then?"], answer=cells, other=[Decimal("1.50"), None])
    rows = load(Source(path=path, paraphrased_answer="other"), "x", "data.x")
    assert [row.answer for row in rows] == ["1991-05-11", "2000-01-02"]
    assert [row.paraphrased_answer for row in rows] == ["1.50", None]
    moments = [datetime(1991, 5, 11), datetime(2000, 1, 2, 9, 30)]  # as pandas keeps days: 00:00:00 stood behind them
    path = parquet(tmp_path, question=["When?", "Then?"], answer=moments)
    assert [row.answer for row in load(Source(path=path), "x", "data.x")] == ["1991-05-11", "2000-01-02 09:30:00"]


@pytest.mark.parametrize("column", ["answer", "other"])
def test_a_cell_without_text_is_told_with_row_and_column(tmp_path, column):
    cells = {"answer": ["a", "b"], "other": ["a", "b"]} | {column: [None if column == "other" else b"a", b"\xff"]}
    path = parquet(tmp_path, question=["One?", "Two?"], **cells)
    with pytest.raises(RecipeError, match=rf"data\.x\.\w+: column '{column}' of .*parquet holds .* in row [12], which"):
        load(Source(path=path, paraphrased_answer="other"), "x", "data.x")


def test_nan_is_an_empty_cell_and_no_answer(tmp_path):
    (tmp_path / "n.jsonl").write_text('{"question": "a?", "answer": NaN, "other": NaN, "told": "b"}\n')
    with pytest.raises(RecipeError, match=r"data\.x\.answer: .* is empty in 1 of 1 rows \(row 1\)"):
        load(Source(path=tmp_path / "n.jsonl"), "x", "data.x")
    (row,) = load(Source(path=tmp_path / "n.jsonl", answer="told", paraphrased_answer="other"), "x", "data.x")
    assert row.paraphrased_answer is None


@pytest.mark.parametrize("name", ["n.json", "n.jsonl"])
def test_a_number_with_too_many_digits_is_told(tmp_path, name):
    row = f'{{"question": "a?", "answer": {"9" * 5000}}}'
    (tmp_path / name).write_text(f"[{row}]" if name == "n.json" else f"\n{row}\n")
    at = " in line 2" if name == "n.jsonl" else ""
    with pytest.raises(RecipeError, match=f"data.x.path: .*{name} holds a number with too many digits{at}, which must"):
        load(Source(path=tmp_path / name), "x", "data.x")


def test_a_csv_with_a_column_twice_is_refused(tmp_path):
    (tmp_path / "t.csv").write_text("question,answer,answer\na?,first,last\n")
    with pytest.raises(RecipeError, match=r"data\.x\.path: .*t\.csv has the column 'answer' twice; give each"):
        load(Source(path=tmp_path / "t.csv"), "x", "data.x")


@pytest.mark.parametrize("error", ["DatasetGenerationError", "DefunctDatasetError", "ManualDownloadError"])
def test_what_the_hub_s_library_raises_is_told_as_an_error_of_the_recipe(monkeypatch, error):
    import datasets

    def fail(*_, **__):
        raise getattr(datasets.exceptions, error)("it is gone")

    monkeypatch.setattr(datasets, "load_dataset", fail)
    with pytest.raises(RecipeError, match=r"data\.x: the data set org/set could not be had .*\(it is gone\)"):
        load(Source(dataset="org/set"), "x", "data.x")
