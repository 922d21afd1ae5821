"""A writer is a file in writers/ and its name in recipe/names.py."""

from __future__ import annotations

import sys
from importlib import import_module
from types import SimpleNamespace

import pytest

from relearn_lite.recipe import WriterChoice
from relearn_lite.recipe.names import WRITERS
from relearn_lite.writers import Task, Writer, make_writer


@pytest.mark.parametrize("name", WRITERS)
def test_every_writer_that_a_recipe_may_name_is_a_file_that_makes_one(name):
    assert callable(import_module(f"relearn_lite.writers.{name}").make)


def test_a_new_writer_needs_no_other_place(monkeypatch):
    class Echo(Writer):
        name = "echo"

        def write(self, tasks):
            return [task.question for task in tasks]

    made = []
    module = SimpleNamespace(make=lambda *arguments: made.append(arguments) or Echo())
    monkeypatch.setitem(sys.modules, "relearn_lite.writers.echo", module)
    choice = WriterChoice.model_construct(writer="echo")
    writer = make_writer(choice, "augment", None, lambda: None)
    assert writer.write([Task("answer", "Who?")]) == ["Who?"] and not writer.judges
    assert made[0][:2] == (choice, "augment") and made[0][4] == {}
