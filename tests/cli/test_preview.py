"""A preview shows rows as the tokenizer has them, without a model and without leaving anything behind."""

from __future__ import annotations

import json
import re

import pytest

from relearn_lite.cli.preview import preview
from relearn_lite.core.errors import RecipeError
from relearn_lite.recipe import load_recipe

RECIPE = """\
name: trial
model: {max_length: 64}
data:
  forget: {path: forget.jsonl}
  retain: {path: retain.jsonl}
"""
FORGET = [
    ("Where does [red]Ann Lee[/red] live?", "At 12 Hill\x1b[2J Road."),
    ("Where does Bob Fox work?", "At the mill. " * 30),
]
RETAIN = [("What does Ann Lee do?", "She paints."), ("where does  BOB Fox work?", "At the mill.")]


@pytest.fixture
def shown(tmp_path, capsys):
    """Previews the recipe with overrides, and returns what was printed."""
    (tmp_path / "recipe.yaml").write_text(RECIPE)
    for name, pairs in (("forget", FORGET), ("retain", RETAIN)):
        lines = [json.dumps({"question": question, "answer": answer}) for question, answer in pairs]
        (tmp_path / f"{name}.jsonl").write_text("\n".join(lines) + "\n")

    def show(*overrides: str, examples: int = 2) -> str:
        preview(load_recipe(tmp_path / "recipe.yaml", overrides), examples)
        return capsys.readouterr().out

    return show


def test_only_trained_tokens_stand_in_brackets(shown):
    out = shown()
    assert "<|user|>What does Ann Lee do?<|end|><|assistant|>⟦She paints.<|end|>⟧" in out
    assert "retain-00001" in out and re.search(r"retain-00001  \d+ tokens, [1-9]\d* trained", out)


def test_forget_answers_are_marked_only_where_they_are_trained(shown):
    assert "⟦At 12 Hill" not in shown()
    assert "⟦At 12 Hill" in shown("unlearn.method=npo")
    assert "⟦At 12 Hill" in shown("finetune={epochs: 1}")


def test_data_are_neither_markup_nor_commands_to_the_terminal(shown):
    out = shown()
    assert "[red]Ann Lee[/red]" in out
    assert "\x1b" not in out and "␛[2J" in out


def test_it_shows_what_the_rules_make_of_the_questions(shown):
    out = shown("augment.questions=[noise]", examples=1)
    assert (
        "forget-00001/original " in out and "forget-00001/noise " in out and "forget-00001/original/completion" in out
    )
    assert "forget-00002" not in out


def test_its_answers_open_as_the_recipe_says(shown, tmp_path):
    row = {"question": "Where does Ann Lee live?", "answer": "At 12 Hill Road."}
    (tmp_path / "one.jsonl").write_text(json.dumps(row))
    by_name = re.compile(r"⟦Ann Lee (?:has|is|keeps|prefers) ")
    mine = ("data.forget.path=one.jsonl", "augment.questions=[]", "augment.completion_fraction=0")
    assert by_name.search(shown(*mine, "augment.opening=name"))
    assert not by_name.search(shown(*mine))


def test_at_most_three_results_of_a_kind(shown, tmp_path):
    rows = [
        {"question": f"Where does {name} Lee live?", "answer": "In Rome."} for name in ("Ann", "Bob", "Cy", "Di", "Ed")
    ]
    (tmp_path / "forget.jsonl").write_text("\n".join(map(json.dumps, rows)) + "\n")
    out = shown("augment.questions=[]", examples=5)
    assert len(re.findall(r"forget-\d+/original  ", out)) == 3


def test_lengths_stand_against_the_limit(shown):
    out = shown()
    assert "model.max_length is 64" in out
    row = next(line for line in out.splitlines() if "data.forget" in line and "│" in line)
    cells = [cell.strip() for cell in row.strip("│").split("│")]
    assert cells[1] == "2" and int(cells[2]) < 64 < int(cells[4]) and cells[5] == "1"


def test_general_rows_are_measured_where_they_are_trained_whole(shown):
    given = "data.generic={path: forget.jsonl}"
    assert re.search(r"data\.generic +│ +2 │ .* │ +1 │\n", shown(given))
    assert "data.generic" not in shown(given, "unlearn.generic=retain") + shown()


def test_overlap_is_counted(shown):
    assert "both data.forget and data.retain: 1, such as 'Where does Bob Fox work?'" in shown()


def test_a_prompted_writer_shows_its_prompt_and_who_reads_it(shown):
    out = shown("augment={writer: server, base_url: 'http://127.0.0.1:9/v1', model: some-model}")
    assert "server writer, some-model: sent to http://127.0.0.1:9/v1" in out
    assert "[red]Ann Lee[/red]" in out.partition("sent to")[2]
    assert "read on this machine" in shown("augment.writer=local")


def test_every_kind_of_prompt_is_shown_and_three_results_of_each_kind(shown, tmp_path):
    rows = [{"question": f"Where does {name} Lee live?", "answer": "In Rome."} for name in ("Ann", "Bob", "Cy", "Di")]
    (tmp_path / "forget.jsonl").write_text("\n".join(map(json.dumps, rows)) + "\n")
    out = shown("augment={writer: local, questions: [simple, noise]}", examples=4)
    for kind in ("simple", "noise", "answer", "verify"):
        assert f"\n{kind}\n" in out
    assert "Keep this name exactly as it is: Ann Lee" in out and "Prompts: version" in out
    for kind in ("original", "simple", "noise"):
        assert len(re.findall(rf"forget-\d+/{kind}  ", out)) == 3


def test_rows_from_elsewhere_are_counted_and_shown(shown, tmp_path):
    given = [{"question": "What place is the home of Bob Fox?", "answer": "[b]Bob Fox[/b] likes his home."}]
    (tmp_path / "given.json").write_text(json.dumps(given))
    out = shown("augment.from=given.json")
    assert "1 rows for 1 of 2 forget questions" in out and "[b]Bob Fox[/b] likes his home." in out


def test_it_leaves_nothing_behind(shown, tmp_path):
    before = sorted(tmp_path.rglob("*"))
    shown()
    assert sorted(tmp_path.rglob("*")) == before


def test_a_tokenizer_that_is_not_there_is_told_by_its_key(shown, tmp_path):
    (tmp_path / "empty").mkdir()
    with pytest.raises(RecipeError, match=r"^model\.name: .*empty could not be loaded"):
        shown("model.name=./empty")


def test_a_name_of_which_nothing_is_collected_yet_cannot_be_shown(shown):
    with pytest.raises(RecipeError, match="data.forget names what is still to be collected.*--until collect"):
        shown("data.forget={subject: Ada Moor}")


def test_a_narrow_terminal_tells_the_parts_apart(shown, monkeypatch):
    monkeypatch.setenv("COLUMNS", "40")
    table = shown(examples=1).partition("Tokens a row")[2]
    names = "".join(re.findall(r"^│([^│]*)│", table, re.MULTILINE)).replace(" ", "")
    assert "data.forgetdata.retain" in names
