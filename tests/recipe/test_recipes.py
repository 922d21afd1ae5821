"""Every recipe of the project can be read, says the same when written out, and finds what comes with the project."""

from __future__ import annotations

from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from relearn_lite.data.examples import question_ids, turn_end_id
from relearn_lite.evaluate.paper import TAGS, differences_from_paper
from relearn_lite.models.transformers_backend import load_tokenizer
from relearn_lite.pipeline import check
from relearn_lite.pipeline.data import load_data
from relearn_lite.recipe import Model, Recipe, load_recipe, to_yaml
from relearn_lite.recipe.load import read_yaml

ROOT = Path(__file__).parents[2]
SHARED = ROOT.parent / "shared" / "data"
RECIPES = sorted((ROOT / "recipes").rglob("*.yaml"))
LOCAL = ["embedded_model", "evaluate_only", "quickstart", "your_data"]  # their data come with the project
PUBLISHED = [
    f"{benchmark}_{model}"
    for benchmark in ("knowundo_privacy", "tofu_forget10")
    for model in ("llama2-7b", "llama3-8b", "gemma2-2b")
]


def named(path: Path) -> str:
    return path.stem


def test_the_recipes_that_are_promised_are_there():
    promised = {
        "quickstart",
        "your_data",
        "knowundo_cpu",
        "tofu_cpu",
        "tofu_forget10_llama3.2-1b",
        *PUBLISHED,
        "colab_t4",
        "evaluate_only",
    }
    assert promised <= {path.stem for path in RECIPES}


@pytest.mark.parametrize("path", RECIPES, ids=named)
def test_it_loads_and_says_the_same_when_written_out(path, tmp_path):
    loaded = load_recipe(path)
    (tmp_path / "recipe.yaml").write_text(to_yaml(loaded), encoding="utf-8")
    assert load_recipe(tmp_path / "recipe.yaml") == loaded


@pytest.mark.parametrize("path", RECIPES, ids=named)
def test_an_editor_finds_nothing_wrong_with_it(path):
    """`main.py schema` called 25 of 28 wrong: evaluators: embedded, generic: self, text: FILE, preset: rwku/NAME."""
    schema = Draft202012Validator(Recipe.model_json_schema())
    tree = read_yaml(path)[0]
    assert [error.message for error in schema.iter_errors(tree)] == []
    for wrong in ({"evaluate": {"evaluators": "embeded"}}, {"data": {"preset": "rwku/"}}, {"data": {"generic": "own"}}):
        assert not schema.is_valid(tree | wrong)


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


@pytest.mark.parametrize("name", PUBLISHED)
def test_a_recipe_with_the_published_settings_compares_with_the_paper(name):
    recipe = load_recipe(ROOT / "recipes" / f"{name}.yaml")
    assert differences_from_paper(recipe) == []
    without = load_recipe(ROOT / "recipes" / f"{name}.yaml", ["model.chat_template=auto"])
    assert [told.split()[0] for told in differences_from_paper(without)] == ["model.chat_template"]


@pytest.mark.parametrize("name", PUBLISHED)
def test_a_recipe_with_the_published_settings_passes_check(name):
    folder = SHARED / ("tofu" if "tofu" in name else "knowundo/privacy")
    if not folder.is_dir():
        pytest.skip(f"no local copy of the benchmark in {folder}")
    data = check(load_recipe(ROOT / "recipes" / f"{name}.yaml", [f"data.folder={folder}"]))
    counts = [len(data.get(part, [])) for part in ("forget", "retain", "finetune", "forget_eval", "retain_eval")]
    assert counts == ([400, 3600, 0, 200, 200] if "tofu" in name else [400, 441, 1059, 110, 108])


@pytest.mark.parametrize("file", sorted((ROOT / "recipes" / "templates").iterdir()), ids=named)
def test_the_tags_of_tofu_end_an_answer_as_the_tokenizer_does(file):
    tokenizer = load_tokenizer(Model(chat_template=str(file)))
    assert turn_end_id(tokenizer) == tokenizer.eos_token_id
    asked = tokenizer.decode(question_ids(tokenizer, "Who is Ann?"))
    assert any(asked.endswith(tags.format("Who is Ann?")) for tags in TAGS.values())
