"""A command that was not typed as it must be: one sentence, which names what is missing and what to give; code 2."""

from __future__ import annotations

import errno
import sys

import click
import pytest

from relearn_lite.cli import commands

ALL = "run, check, compare, plan, preview, score, export, chat, schema, doctor"
SAID = {
    "": ["no recipe and no command is given; give a recipe, such as recipes/quickstart.yaml", ALL, "--help"],
    "run": ["run: RECIPE is missing; give a YAML file, such as recipes/quickstart.yaml", "run --help"],
    "check": ["check: RECIPE is missing"],
    "plan --measure": ["plan: RECIPE is missing"],
    "preview": ["preview: RECIPE is missing"],
    "--quiet": ["run: RECIPE is missing"],
    "export": ["export: RUN is missing; give the folder of a run, such as runs/quickstart", "export --help"],
    "export --to there": ["export: RUN is missing"],
    "chat": ["chat: RUN is missing; give the folder of a run"],
    "compare": ["compare: nothing to compare is given", "recipes/compare_methods.yaml", "folders of runs"],
    "export runs/x --to": ["export: --to needs a value; give PATH: A new folder for the model"],
    "run x.yaml --from": ["run: --from needs a value; give STAGE", "ask, augment"],
    "run x.yaml --quiet=yes": ["run: --quiet takes no value; write --quiet alone"],
    "export x --format zip": ["export: --format: 'zip'", "safetensors, gguf, ollama, adapter"],
    "preview x --examples two": ["preview: --examples: 'two'", "give an integer from 1 on"],
    "preview x --examples 0": ["preview: --examples: 0", "give an integer from 1 on"],
    "doctor now": ["doctor: ", "(now)", "doctor --help"],
    "score x.json": ["score: ", "(x.json)", "options: --forget, --retain"],
    "export x --tu y": ["export: there is no option --tu; did you mean '--to'? options: --to, --format"],
    "x.yaml --learning-rate 3": ["run: there is no option --learning-rate; keys of a recipe", "unlearn.lr=VALUE"],
    "--learning_rate=3 x.yaml": ["keys of a recipe are written without dashes: unlearn.lr=VALUE"],
    "x.yaml --epochs=3": ["without dashes: unlearn.epochs=VALUE"],
    "x.yaml --seed 3": ["without dashes: seed=VALUE"],
    "x.yaml --max-length 3": ["without dashes: model.max_length=VALUE"],
    "x.yaml --unlearn.lr 3": ["without dashes: unlearn.lr=VALUE"],
    "x.yaml --bogus": ["run: there is no option --bogus; did you mean '--runs'? options: --from, --until, --fresh"],
    "--quiet check x.yaml": ["--quiet is in front of the command check; put it behind"],
    "export x --public=yes": ["export: --public takes no value; write --public alone"],
    "doctor --seed 3": ["doctor: there is no option --seed; options: --help"],
}


@pytest.mark.parametrize(("words", "parts"), SAID.items(), ids=SAID.keys())
def test_one_sentence_says_what_to_give(monkeypatch, capsys, tmp_path, words, parts):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["main.py", *words.split()])
    with pytest.raises(SystemExit) as stop:
        commands.main()
    out, said = capsys.readouterr()
    assert stop.value.code == 2 and out == ""
    assert said.startswith("error: ") and said.count("\n") == 1, said
    assert [part for part in parts if part not in said] == [], said


@pytest.mark.parametrize("words", ["--help", "export --help", "run -h", "--version"])
def test_help_goes_to_standard_output(monkeypatch, capsys, words):
    monkeypatch.setattr(sys, "argv", ["main.py", *words.split()])
    commands.main()
    out, said = capsys.readouterr()
    assert out.startswith(("Usage: ", "relearn-lite, version ")) and said == ""


def test_an_option_of_run_may_stand_in_front_of_the_recipe(monkeypatch, capsys, tmp_path):
    monkeypatch.setattr(sys, "argv", ["main.py", "--quiet", "--runs", str(tmp_path), str(tmp_path / "no.yaml")])
    with pytest.raises(SystemExit) as stop:
        commands.main()
    assert stop.value.code == 2 and "no.yaml does not exist" in capsys.readouterr().err


def test_every_argument_has_its_sentence():
    from relearn_lite.cli.mistakes import MISSING

    arguments = {
        each.name for command in commands.cli.commands.values() for each in command.params
        if isinstance(each, click.Argument) and each.required
    }  # fmt: skip
    assert arguments == set(MISSING)


@pytest.mark.parametrize(("number", "why"), [
    (13, "Permission denied"), (1, "Operation not permitted"), (30, "Read-only file system"), (20, "Not a directory"),
    (17, "File exists"), (21, "Is a directory"), (errno.ENAMETOOLONG, "File name too long"),
])  # fmt: skip
def test_a_place_that_cannot_be_written_to_is_told(monkeypatch, capsys, number, why):
    """A run folder of another user ended in a traceback."""
    def refused(**_):
        raise OSError(number, why, "runs/trial/.manifest.json.tmp")

    monkeypatch.setattr(commands, "cli", refused)
    with pytest.raises(SystemExit) as stop:
        commands.main()
    said = capsys.readouterr().err
    assert stop.value.code == 2 and said.startswith(f"error: runs/trial/.manifest.json.tmp: {why}; make it a place")
    assert "--runs" in said and said.count("\n") == 1
