"""Every recipe of the project can be read, says the same when written out, and finds what comes with the project."""

from __future__ import annotations

from pathlib import Path

import pytest

from relearn_lite.pipeline.data import load_data
from relearn_lite.recipe import load_recipe, to_yaml

ROOT = Path(__file__).parents[2]
RECIPES = sorted((ROOT / "recipes").rglob("*.yaml"))
LOCAL = ["embedded_model", "evaluate_only", "quickstart", "your_data"]  # their data come with the project


def named(path: Path) -> str:
    return path.stem


def test_the_recipes_that_are_promised_are_there():
    promised = {
        "quickstart",
        "your_data",
        "knowundo_cpu",
        "tofu_cpu",
        "tofu_forget10_llama3.2-1b",
        "knowundo_privacy_llama2-7b",
        "colab_t4",
        "evaluate_only",
    }
    assert promised <= {path.stem for path in RECIPES}


@pytest.mark.parametrize("path", RECIPES, ids=named)
def test_it_loads_and_says_the_same_when_written_out(path, tmp_path):
    loaded = load_recipe(path)
    (tmp_path / "recipe.yaml").write_text(to_yaml(loaded), encoding="utf-8")
    assert load_recipe(tmp_path / "recipe.yaml") == loaded


def test_no_two_recipes_share_a_run_folder():
    names = [load_recipe(path).name for path in RECIPES]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("name", LOCAL)
def test_its_data_are_there(name):
    data = load_data(load_recipe(ROOT / "recipes" / f"{name}.yaml"))
    assert data["forget"] and data["retain"]


@pytest.mark.parametrize("path", RECIPES, ids=named)
def test_its_comments_name_its_own_command(path):
    assert f"python main.py recipes/{path.name}" in path.read_text(encoding="utf-8")


@pytest.mark.parametrize(("name", "folder"), [("tofu_cpu", "tofu"), ("knowundo_cpu", "knowundo/privacy")])
def test_a_benchmark_is_read_from_a_local_copy(name, folder):
    copy = ROOT.parent / "shared" / "data" / folder
    if not copy.is_dir():
        pytest.skip(f"no local copy of the benchmark in {copy}")
    overrides = [f"data.folder={copy}", "data.forget.limit=40", "data.retain.limit=80"]
    data = load_data(load_recipe(ROOT / "recipes" / f"{name}.yaml", overrides))
    assert (len(data["forget"]), len(data["retain"])) == (40, 80)
    assert all(qa.question and qa.answer for part in data.values() for qa in part)
