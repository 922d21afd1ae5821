"""Without network every preset says in one sentence which files it would read from a folder."""

from __future__ import annotations

import re

import pytest

from relearn_lite.core.errors import RecipeError
from relearn_lite.data.sources import load
from relearn_lite.pipeline.data import load_data
from relearn_lite.recipe import Source, load_recipe
from relearn_lite.recipe.presets import PAIRS, PERSON_OF, TABLES


@pytest.fixture(autouse=True)
def no_network(monkeypatch):
    import datasets

    def fail(*_, **__):
        raise ConnectionError("Couldn't reach the Hub")

    monkeypatch.setattr(datasets, "load_dataset", fail)


def files_of(table):
    shots = files_of(TABLES[table.shots]) if table.shots else []
    return shots + [name for each in table.tables for name in files_of(TABLES[each])] or [*shots, *table.files[:1]]


@pytest.mark.parametrize("name", [name for name, parts in PAIRS.items() if TABLES[parts["forget"]].folder is None])
def test_a_whole_benchmark_names_its_folder_layout_once(tmp_path, name):
    preset = f"{name}/Some Body" if name in PERSON_OF else name
    (tmp_path / "r.yaml").write_text(f"name: r\ndata: {{preset: {preset}}}\nfinetune: {{epochs: 1}}\n")
    with pytest.raises(RecipeError) as error:
        load_data(load_recipe(tmp_path / "r.yaml"))
    (sentence,) = error.value.problems
    keys = sentence.partition(": the data set")[0].split(", ")
    assert len(keys) == len({*keys})  # what finetune teaches of it too is the same part
    assert "could not be had from the hub (Couldn't reach the Hub); without network, put " in sentence
    assert "name it as folder beside the preset" in sentence
    for part in ("forget", "retain"):
        assert f"data.{part}" in sentence
        assert all(file in sentence for file in files_of(TABLES[PAIRS[name][part]]))


@pytest.mark.parametrize("name", [name for name, table in TABLES.items() if table.folder is None and not table.tables])
def test_a_single_table_names_its_files(name):
    with pytest.raises(RecipeError) as error:
        load(Source(preset=name), "forget", "data.forget_eval")
    (sentence,) = error.value.problems
    assert re.match(r"data\.forget_eval: the data set [\w/-]+ could not be had", sentence)
    assert all(file in sentence for file in files_of(TABLES[name]))
