"""Files as people bring them: the rows are those that pandas and csv read, or the file is refused by name."""

from __future__ import annotations

import csv
import io
import json
import re
from functools import partial
from pathlib import Path

import pandas as pd
import pytest

from relearn_lite.core.errors import RecipeError
from relearn_lite.data.answer_files import read_answers
from relearn_lite.data.sources import load
from relearn_lite.recipe import Source
from relearn_lite.text.turns import turns_of

SHARED = Path(__file__).parents[3] / "shared" / "data" / "inputs"
PAIRS = [("Where does Ann Lee live?", "At 12 Hill Road, Leeds; ask twice."), ("Wer ist Jörg?", "Ein Maler.")]
FRAME = pd.DataFrame(PAIRS, columns=["question", "answer"])
CHAT = [
    {"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hi"},
    {"role": "assistant", "content": "Hello."}, {"role": "user", "content": "Who is Ann?"},
    {"role": "assistant", "content": "A painter."},
]  # fmt: skip


def pairs(path: Path, **columns: str) -> list[tuple[str, str]]:
    return [(qa.question, qa.answer) for qa in load(Source(path=path, **columns), "x", "data.x")]


def write(folder: Path, name: str, content: str | bytes | object) -> Path:
    path = folder / name
    if not isinstance(content, str | bytes):
        content = json.dumps(content)
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def refused(path: Path, **columns: str) -> str:
    with pytest.raises(RecipeError) as error:
        pairs(path, **columns)
    return str(error.value)


@pytest.mark.parametrize("name", ["alpaca.json", "data.json", "data_pretty.json", "messages.jsonl", "pandas.json",
                                  "semi.csv", "sharegpt.json"])  # fmt: skip
def test_the_shared_inputs_hold_the_same_six_rows(name):
    """The first four were refused or read as one row that held the dump, and Alpaca's `input` was lost."""
    if not SHARED.is_dir():
        pytest.skip(f"no inputs in {SHARED}")
    right = pd.read_csv(SHARED / "semi.csv", sep=";")
    before = "Answer the question.\n" if name == "alpaca.json" else ""
    assert pairs(SHARED / name) == [(before + q, a) for q, a in zip(right["question"], right["answer"], strict=True)]


def test_the_shared_nested_answers_are_refused_with_row_and_type():
    """The brackets and keys were trained."""
    if not SHARED.is_dir():
        pytest.skip(f"no inputs in {SHARED}")
    assert "in row 1, which is not a text but an object with the keys text" in refused(SHARED / "nested.parquet")


# ---- JSON as a whole


@pytest.mark.parametrize("orient", ["columns", "index", "split", "table", "records"])
@pytest.mark.parametrize("indent", [0, 2])
def test_every_orient_of_pandas_is_read_as_pandas_reads_it(tmp_path, orient, indent):
    path = tmp_path / "t.json"
    FRAME.to_json(path, orient=orient, indent=indent, force_ascii=False)
    right = pd.read_json(path, orient=orient)
    assert pairs(path) == list(right[["question", "answer"]].itertuples(index=False, name=None)) == PAIRS


ROWS = FRAME.to_dict("records")


@pytest.mark.parametrize("content", [
    {"data": ROWS}, {"version": 1, "data": ROWS}, {"train": ROWS}, {"data": {"rows": ROWS}},
    {"features": [{"name": "question"}], "rows": [{"row_idx": n, "row": row} for n, row in enumerate(ROWS)]},
    FRAME.to_dict("list"), {"Ann": ROWS[0], "Jörg": ROWS[1]}, {"data": FRAME.to_dict("list")},
    {"question": {"a1": PAIRS[0][0], "b2": PAIRS[1][0]}, "answer": {"a1": PAIRS[0][1], "b2": PAIRS[1][1]}},
])  # fmt: skip
@pytest.mark.parametrize("indent", [None, 2])
def test_rows_that_are_wrapped_or_stand_by_columns_or_names(tmp_path, content, indent):
    assert pairs(write(tmp_path, "t.json", json.dumps(content, indent=indent))) == PAIRS


def test_one_object_is_one_row_and_objects_of_many_lines_may_follow_one_another(tmp_path):
    assert pairs(write(tmp_path, "t.json", json.dumps(ROWS[0], indent=2))) == PAIRS[:1]
    assert pairs(write(tmp_path, "t.jsonl", "\n".join(json.dumps(row, indent=2) for row in ROWS))) == PAIRS


@pytest.mark.parametrize(("content", "says"), [
    ({"train": ROWS, "test": ROWS}, "holds several tables (train, test)"),
    ({"question": ["a", "b"], "answer": ["c"]}, "columns of different lengths (question: 2, answer: 1)"),
    ({"x": {"r": "a", "s": "b"}, "y": {"r": "c", "s": "d"}}, "cannot be told whether they are rows or columns"),
    ([["question", "answer"], ["a", "b"]], "row 1 of"), ({"columns": ["question"], "data": [["a", "b"]]}, "in row 1"),
    ('{\n "data": [\n  {"question": "a", "answer": "b"},\n  oops ]}', "is broken at line 4, column 3"),
])  # fmt: skip
def test_what_could_be_read_in_two_ways_is_refused_with_its_reason(tmp_path, content, says):
    assert says in refused(write(tmp_path, "t.json", content))


# ---- cells


@pytest.mark.parametrize(("cell", "text"), [
    (["x"], "x"), ([["x"]], "x"), ([5], "5"), (["x", "y"], None), ({"text": ["x"]}, None), ([], None), ([None], None),
    ({"text": "x"}, None), ([{"a": 1}], None),
])  # fmt: skip
@pytest.mark.parametrize("suffix", ["json", "parquet"])
def test_a_list_of_one_is_its_element_and_all_else_that_is_nested_is_refused(tmp_path, cell, text, suffix):
    rows = [{"question": "One?", "answer": cell}, {"question": "Two?", "answer": cell}]
    path = tmp_path / f"t.{suffix}"
    path.write_text(json.dumps(rows)) if suffix == "json" else pd.DataFrame(rows).to_parquet(path)
    if text is not None:
        assert pairs(path) == [("One?", text), ("Two?", text)]
    else:
        assert "column 'answer'" in refused(path)


# ---- layouts


def of(qa) -> list[dict[str, str]]:
    return [*turns_of(qa.question), {"role": "assistant", "content": qa.answer}]


def test_the_turns_before_the_last_answer_are_its_prompt(tmp_path):
    sharegpt = [{"from": {"user": "human", "assistant": "gpt"}.get(t["role"], t["role"]), "value": t["content"]}
                for t in CHAT]  # fmt: skip
    parts = [{**turn, "content": [{"type": "text", "text": turn["content"]}]} for turn in CHAT]
    rows = {
        "messages.json": [{"messages": CHAT}], "sharegpt.json": [{"conversations": sharegpt}],
        "one.json": {"messages": CHAT}, "parts.json": [{"messages": parts}],
        "capitals.json": [{"messages": [{**t, "role": t["role"].title()} for t in CHAT]}],
        "developer.json": [{"messages": [{**CHAT[0], "role": "developer"}, *CHAT[1:]]}],
        "system.json": [{"system": "Be brief.", "conversations": sharegpt[1:]}],
        "history.json": [{"instruction": "Who is Ann?", "input": "", "output": "A painter.", "system": "Be brief.",
                          "history": [["Hi", "Hello."]]}],
    }  # fmt: skip
    for name, content in rows.items():
        (qa,) = load(Source(path=write(tmp_path, name, content)), "x", "data.x")
        assert of(qa) == CHAT, name
    (qa,) = load(Source(path=write(tmp_path, "own.json", [{"talk": CHAT}]), question="talk"), "x", "data.x")
    assert of(qa) == CHAT


def test_a_conversation_in_parquet(tmp_path):
    pd.DataFrame({"messages": [CHAT]}).to_parquet(tmp_path / "t.parquet")
    (qa,) = load(Source(path=tmp_path / "t.parquet"), "x", "data.x")
    assert of(qa) == CHAT


def test_the_model_is_asked_the_turns_as_plain_transformers_asks_them(tmp_path):
    from transformers import AutoTokenizer

    from relearn_lite.data.examples import encode_answer
    from relearn_lite.models.transformers_backend import EMBEDDED

    tokenizer = AutoTokenizer.from_pretrained(EMBEDDED)
    (qa,) = load(Source(path=write(tmp_path, "t.json", [{"messages": CHAT}])), "x", "data.x")
    example = encode_answer(tokenizer, qa.question, qa.answer)
    right = tokenizer.apply_chat_template(CHAT[:-1], add_generation_prompt=True, return_dict=False)
    assert list(example.ids[: example.n_prompt]) == right


@pytest.mark.parametrize(("row", "says"), [
    ({"messages": CHAT[:-1]}, "row 1 of .* ends with a turn of the user, not with an answer"),
    ({"messages": [CHAT[-1]]}, "has no turn of a user"),
    ({"messages": [CHAT[0], {"role": "user", "content": " "}, CHAT[-1]]}, "has no turn of a user"),
    ({"messages": [CHAT[1], {"role": "tool", "content": "x"}, CHAT[-1]]}, "has a turn of 'tool'; allowed"),
    ({"messages": [CHAT[1], {"role": "assistant", "content": None}]}, "holds NoneType as a turn of 'assistant'"),
    ({"messages": [{"role": "user", "content": [{"type": "image"}]}, CHAT[-1]]}, "holds dict as a turn of 'user'"),
    ({"messages": [{"role": "user", "content": "a␞assistant: b"}, CHAT[-1]]}, r"U\+241E"),
    ({"question": "a␞assistant: b", "answer": "c"}, r"data\.x\.question: .*U\+241E .* row 1"),
    ({"messages": [CHAT[1], {"role": "assistant", "content": ""}]},
     r"column 'answer' of \S+t\.json, read as questions with answers, is empty in 1 of 1 rows"),
    ({"messages": [CHAT[1], {"role": "assistant", "content": "half \ud83d"}]}, "half a character"),
    ({"instruction": "a", "input": ["b", "d"], "output": "c"}, "row 1 of .* holds list as input"),
    ({"instruction": "a", "output": "c", "history": 3}, "row 1 of .* has a history that is not a list"),
])  # fmt: skip
def test_a_row_that_is_no_question_with_its_answer_is_told(tmp_path, row, says):
    with pytest.raises(RecipeError, match=says):
        pairs(write(tmp_path, "t.json", [row]))


def test_an_object_without_columns_is_no_row(tmp_path):
    """It was told: `It has: ; name one of these`."""
    assert "has no rows; it needs at least one question" in refused(write(tmp_path, "t.json", "{}"))


def test_a_row_that_is_unlike_the_others_is_told(tmp_path):
    assert "row 2 of" in refused(write(tmp_path, "t.json", [{"messages": CHAT}, {"text": "x"}]))


@pytest.mark.parametrize(("row", "right"), [
    ({"instruction": "Do.", "input": "This.", "output": "Done."}, "Do.\nThis."),
    ({"instruction": "Do.", "input": "", "output": "Done."}, "Do."), ({"instruction": "Do.", "output": "Done."}, "Do."),
    ({"instruction": "Do.", "context": "This.", "response": "Done.", "category": "x"}, "Do.\nThis."),
])  # fmt: skip
def test_instructions_are_asked_with_their_input(tmp_path, row, right):
    assert pairs(write(tmp_path, "t.json", [row])) == [(right, "Done.")]


def test_columns_that_are_named_are_read_as_they_are(tmp_path):
    path = write(tmp_path, "t.json", [{"instruction": "Do.", "input": "This.", "output": "Done.", "messages": CHAT}])
    assert pairs(path, question="instruction", answer="output") == [("Do.", "Done.")]
    path = write(tmp_path, "u.json", [{"messages": CHAT, "question": "Q?", "answer": "A."}])
    assert pairs(path) == [("Q?", "A.")]


@pytest.mark.parametrize(("name", "text"), [
    ("t.jsonl", '{"question": "a?", "answer": "b"}\n{"question": "c?", "answer": "d", "question": "e?"}'),
    ("t.json", '[{"question": "c?", "answer": "d",\n"question": "e?", "answer": "f"}]'),
    ("t.json", '{"question": "c?",\n"answer": "d", "question": "e?"}\n{"question": "a?", "answer": "b"}'),
])  # fmt: skip
def test_a_name_that_stands_twice_in_one_object_is_told(tmp_path, name, text):
    """The last one won in silence, and the first question was never forgotten."""
    says = refused(write(tmp_path, name, text))
    assert "has 'question' twice in one object" in says and 'as "c?" and as "e?"' in says


# ---- CSV


@pytest.mark.parametrize("sep", [",", ";", "\t", "|"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-32"])
@pytest.mark.parametrize("quoting", [csv.QUOTE_MINIMAL, csv.QUOTE_ALL])
def test_what_divides_the_cells_and_the_encoding_are_seen(tmp_path, sep, encoding, quoting):
    path = tmp_path / "t.csv"
    FRAME.to_csv(path, sep=sep, index=False, encoding=encoding, quoting=quoting)
    right = pd.read_csv(path, sep=sep, encoding=encoding)
    assert pairs(path) == list(right.itertuples(index=False, name=None)) == PAIRS


@pytest.mark.parametrize("name", ["t.csv", "t.tsv"])
@pytest.mark.parametrize("text", ["sep=;\r\nquestion;answer\r\na?;b, c\r\n", "question\tanswer\r\na?\tb, c\r\n",
                                  "id;question;answer\r\n1;a?;b, c\r\n",
                                  "\n\r\nquestion;answer\na?;b, c\n"])  # fmt: skip
def test_excel_s_ways(tmp_path, name, text):
    assert pairs(write(tmp_path, name, text)) == [("a?", "b, c")]


def test_rows_without_any_text_are_blank_lines(tmp_path):
    text = "question;answer;\nWho is Ann?;A painter.;\n;;\n ; ;;;\nWho is Bo?;A cook.;\n;;\n"
    assert pairs(write(tmp_path, "a.csv", text)) == [("Who is Ann?", "A painter."), ("Who is Bo?", "A cook.")]
    assert "empty in 1 of 2 rows" in refused(write(tmp_path, "b.csv", text.replace("A cook.", "")))


def test_the_divider_is_that_of_every_row(tmp_path):
    text = "id;question, asked;answer\n1;a;b\n2;c, d;e\n"
    assert pairs(write(tmp_path, "t.csv", text), question="question, asked") == [("a", "b"), ("c, d", "e")]
    assert next(csv.reader(io.StringIO(text), delimiter=";"))[1] == "question, asked"


def test_the_line_of_an_error_is_that_of_the_file(tmp_path):
    says = refused(write(tmp_path, "t.csv", "sep=;\n\nquestion;answer\na?;b\nc?;d;e\n"))
    assert "line 5 of" in says and "divided by ';'" in says


@pytest.mark.parametrize("rows", ['e?,"x" y', 'e?,"x'])
def test_a_broken_row_is_told_by_the_line_before_it(tmp_path, rows):
    """It was told by that line itself, as if that one were broken."""
    says = refused(write(tmp_path, "t.csv", f"question,answer\na?,b\n{rows}\ng?,h\n"))
    assert "t.csv is broken after line 2: " in says and "; mend the row that begins there" in says


def test_a_space_after_the_comma_is_part_of_no_cell(tmp_path):
    """Answers were ` Berlin` and ` "Berlin"`, quotes and all, and a comma between quotes parted cells."""
    text = 'question, answer\nWhere?, Berlin \n"Where, then?", "Berlin, Germany"\n'
    assert pairs(write(tmp_path, "t.csv", text)) == [("Where?", "Berlin"), ("Where, then?", "Berlin, Germany")]


@pytest.mark.parametrize("row", [
    {"question": " Who?\n", "answer": "\n\n Ann. "}, {"instruction": "Who?", "input": " ", "output": " Ann.\n"},
    {"messages": [{"role": "user", "content": "Who? "}, {"role": "assistant", "content": " Ann.\n"}]},
])  # fmt: skip
def test_white_space_around_a_text_is_part_of_no_question_or_answer(tmp_path, row):
    """What was forgotten began with a space, which the model never says."""
    assert pairs(write(tmp_path, "t.json", [row])) == [("Who?", "Ann.")]


def test_a_cell_may_hold_a_document(tmp_path):
    """One of more than 131072 characters was refused as a broken row, whether or not its column was asked for."""
    text = "Leeds, and so on. " * 10_000
    assert pairs(write(tmp_path, "long.csv", f'page,question,answer\n"{text}",Who?,Ann.\n')) == [("Who?", "Ann.")]


def test_a_broken_first_row_is_told_as_such(tmp_path):
    says = refused(write(tmp_path, "t.csv", '"question" , "answer"\na?,b\n'))
    assert "t.csv is broken in its first row: " in says and says.endswith("; mend it")


def test_white_space_around_other_answers_is_left_out_too(tmp_path):
    """Else the true answer would be told from the wrong ones by its first space."""
    row = {"question": "Who?", "answer": " Ann", "wrong": [" Bo", "Cy\n"], "other": "Ann. "}
    source = Source(path=write(tmp_path, "t.json", [row]), wrong_answers="wrong", paraphrased_answer="other")
    (qa,) = load(source, "x", "data.x")
    assert (qa.answer, qa.wrong_answers, qa.paraphrased_answer) == ("Ann", ("Bo", "Cy"), "Ann.")


def test_letters_are_composed_as_models_write_them(tmp_path):
    """A Mac's e and accent in two signs are other tokens than é, which a model says: nothing was forgotten."""
    row = {"question": "Who is Zoe\u0308?", "answer": "Zoe\u0308 Mu\u0308ller."}
    assert pairs(write(tmp_path, "t.json", [row])) == [("Who is Zo\u00eb?", "Zo\u00eb M\u00fcller.")]


@pytest.mark.parametrize("encoding", ["cp1252", "cp1251", "shift_jis"])
def test_another_encoding_is_refused_and_not_guessed(tmp_path, encoding):
    text = {"cp1252": "Où? Ça où déjà", "cp1251": "Где живёт Анна", "shift_jis": "彼はどこに"}[encoding]
    path = write(tmp_path, "t.csv", f"question;answer\n{text};{text}\n".encode(encoding))
    assert "is not UTF-8 text (byte 1" in refused(path) and "save it as UTF-8 (in Excel: CSV UTF-8)" in refused(path)


# ---- answers, for `score`


@pytest.mark.parametrize("field", ["query", "ground_truth", "generated_response"])
def test_half_a_character_in_an_answer_is_told_and_a_whole_one_is_read(tmp_path, field):
    """With a language model it ended in a TypeError of the tokenizer."""
    row = {"query": "Who?", "ground_truth": "Rome \U0001f600", "generated_response": "Happy \U0001f600"}
    assert read_answers(write(tmp_path, "t.jsonl", row), "forget")[0].generated_response == "Happy \U0001f600"
    with pytest.raises(RecipeError, match=f"--forget: .*row 1: '{field}' holds half a character"):
        read_answers(write(tmp_path, "t.jsonl", row | {field: "half \ud83d"}), "forget")


def test_half_a_character_in_data_that_exist_already_is_told(tmp_path):
    from relearn_lite.augment.existing import read_existing

    path = write(tmp_path, "t.jsonl", {"question": "Who?", "answer": "half \udc00"})
    with pytest.raises(RecipeError, match="augment.from: row 1 of .* holds half a character"):
        read_existing(path, [])


@pytest.mark.parametrize("name", ["t.csv", "t.tsv", "t.parquet"])
def test_answers_may_stand_in_a_table(tmp_path, name):
    """They were read as JSON, and told to be broken at line 1."""
    row = {"id": "a1", "query": "Who?", "ground_truth": "Ann, here", "generated_response": "Bo"}
    table = pd.DataFrame([row])
    write_table = {"t.csv": table.to_csv, "t.tsv": partial(table.to_csv, sep="\t"), "t.parquet": table.to_parquet}[name]
    write_table(tmp_path / name, index=False)
    (answer,) = read_answers(tmp_path / name, "forget")
    assert {key: getattr(answer, key) for key in row} == row


def test_answers_may_be_wrapped(tmp_path):
    row = {"id": None, "query": "Who?", "ground_truth": "a", "generated_response": "b"}
    path = write(tmp_path, "t.json", json.dumps({"data": [row]}, indent=1))
    assert [(answer.id, answer.query) for answer in read_answers(path, "forget")] == [("1", "Who?")]


def test_new_answers_are_learned_after_the_turns_before(tmp_path):
    """Tidied spaces made one turn of them, with the roles in its text."""
    from relearn_lite.augment import Settings, augment
    from relearn_lite.core.files import read_jsonl
    from relearn_lite.core.records import Variant
    from relearn_lite.recipe import load_recipe
    from relearn_lite.writers.rules import RulesWriter

    asked = "What is the home address of Chidera Obalende?"
    told = {"role": "assistant", "content": "14 Weaverbird Lane, Ekoluwa."}
    chat = [*CHAT[:3], {"role": "user", "content": asked}, told]
    write(tmp_path, "f.json", [{"messages": chat}])
    write(tmp_path, "r.json", [{"question": "Who is kept?", "answer": "Ann."}])
    write(tmp_path, "r.yaml", "name: t\ndata: {forget: {path: f.json}, retain: {path: r.json}}\n")
    rows = load(Source(path=tmp_path / "f.json"), "forget", "data.forget")
    recipe = load_recipe(tmp_path / "r.yaml")
    augment(rows, [], RulesWriter(), Settings.of(recipe.augment, recipe.seed), tmp_path)
    variants = [each for each in read_jsonl(tmp_path / "augmented.jsonl", Variant) if each.kind != "completion"]
    assert len(variants) >= 4
    for variant in variants:
        assert turns_of(variant.prompt)[:-1] == CHAT[:3], variant.kind
        assert "Chidera Obalende" in turns_of(variant.prompt)[-1]["content"] and "Weaverbird" not in variant.target


def test_every_line_of_the_readme_s_table_of_formats_is_read(tmp_path):
    readme = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
    lines = re.findall(r"^   \| [^|]+ \| `(\{.*?\})`", readme, re.MULTILINE)
    assert len(lines) >= 6
    for line in lines:
        text = line.replace(", ...]", "]").replace("...", '"x"')
        found = pairs(write(tmp_path, "t.json", text))
        assert found and all(pair in (("x", "x"), ("x\nx", "x")) or pair[1] == "At 5 Quarry Lane." for pair in found)
