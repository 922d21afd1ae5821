"""What a recipe file means: paths, overrides, defaults, and that the resolved recipe says the same again."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from relearn_lite.recipe import RecipeError, load_recipe, to_yaml
from relearn_lite.recipe.methods import Method

TOFU = Path(__file__).parents[2] / "recipes" / "smollm2_tofu.yaml"
RECIPE = "name: trial\nseed: 7\ndata:\n  forget: {path: sets/forget.jsonl}\n  retain: {path: ../retain.jsonl}\n"


@pytest.fixture
def recipe(tmp_path) -> Path:
    (tmp_path / "inner").mkdir()
    path = tmp_path / "inner" / "recipe.yaml"
    path.write_text(RECIPE)
    return path


def test_paths_are_relative_to_the_recipe_wherever_it_is_read_from(recipe, tmp_path, monkeypatch):
    monkeypatch.chdir("/")
    data = load_recipe(recipe).data
    assert data.forget.path == tmp_path / "inner/sets/forget.jsonl"
    assert data.retain.path == tmp_path / "retain.jsonl"


def test_a_path_in_an_override_is_looked_for_from_the_current_folder_first(recipe, tmp_path, monkeypatch):
    here = tmp_path / "here"
    here.mkdir()
    (here / "mine.jsonl").write_text("")
    monkeypatch.chdir(here)
    assert load_recipe(recipe, ["data.forget.path=./mine.jsonl"]).data.forget.path == here / "mine.jsonl"
    assert load_recipe(recipe, ["data.forget.path=./theirs.jsonl"]).data.forget.path == recipe.parent / "theirs.jsonl"


def test_every_path_in_an_override_is_looked_for_there_also_in_lists_and_sections(recipe, tmp_path, monkeypatch):
    here = tmp_path / "here"
    for folder in ("first", "docs"):
        (here / folder).mkdir(parents=True)
    for file in ("mine.jsonl", "docs/one.txt", "embedded"):
        (here / file).write_text("")
    monkeypatch.chdir(here)
    assert load_recipe(recipe, ["model.adapters=[first, ./second]"]).model.adapters == [
        here / "first", recipe.parent / "second"
    ]  # fmt: skip
    assert load_recipe(recipe, ["data.forget={path: mine.jsonl}"]).data.forget.path == here / "mine.jsonl"
    assert load_recipe(recipe, ["data.forget={text: docs/*.txt}"]).data.forget.text == [here / "docs/*.txt"]
    assert load_recipe(recipe, ["data.forget={text: docs/*.md}"]).data.forget.text == [recipe.parent / "docs/*.md"]
    assert load_recipe(recipe, ["model={name: embedded}"]).model.name == "embedded", "a name is no place"
    kept = load_recipe(recipe, ["data.forget={path: mine.jsonl, where: {path: docs/one.txt}}"]).data.forget
    assert kept.where == {"path": "docs/one.txt"}, "a cell of a table is no place"
    for override in ("data.forget.where.path=docs/one.txt", "data.forget.where={path: docs/one.txt}"):
        assert load_recipe(recipe, [override]).data.forget.where == {"path": "docs/one.txt"}


def test_a_file_s_name_alone_is_looked_for_there_too_where_a_name_could_stand(recipe, tmp_path, monkeypatch):
    here = tmp_path / "here"
    here.mkdir()
    for file in ("model.gguf", "mine.jinja", "general.jsonl", "trial.2"):
        (here / file).write_text("")
    monkeypatch.chdir(here)
    read = load_recipe(recipe, ["model.name=model.gguf", "model.chat_template=mine.jinja", "data.control=general.jsonl",
                                "name=trial.2"])  # fmt: skip
    assert read.model.name == str(here / "model.gguf") and read.model.chat_template == str(here / "mine.jinja")
    assert read.data.control.path == here / "general.jsonl"
    assert read.name == "trial.2", "a run's name is no place"


@pytest.mark.parametrize("value", ["my files #2/a.jsonl", "# a.jsonl"])
def test_an_override_is_not_cut_off_at_a_comment(recipe, value):
    with pytest.raises(RecipeError, match=r"data.forget.path=.*would be left out, as a comment; put the value in quot"):
        load_recipe(recipe, [f"data.forget.path={value}"])
    quoted = load_recipe(recipe, [f'data.forget.path="{value}"']).data.forget.path
    assert quoted == recipe.parent / value
    assert load_recipe(recipe, ["data.forget.path=a#2.jsonl"]).data.forget.path == recipe.parent / "a#2.jsonl"


@pytest.mark.parametrize(("override", "says"), [
    ("data.select_fraction=2", "data.select_fraction: found 2; give a share from 0 to below 1, such as 0.25, or auto"),
    ("data.select_fraction=half", 'data.select_fraction: found "half"; give a share from 0 to below 1'),
    ("data.own_words=maybe", "data.own_words: unknown name 'maybe'; allowed: auto"),
])  # fmt: skip
def test_a_value_that_may_be_of_two_kinds_is_one_mistake(recipe, override, says):
    with pytest.raises(RecipeError) as error:
        load_recipe(recipe, [override])
    assert len(error.value.problems) == 1 and says in error.value.problems[0]
    assert load_recipe(recipe, ["data.select_fraction=0", "data.own_words=no"]).data.own_words is False


def test_a_mistake_is_told_where_it_stands_in_the_file_or_as_the_override_that_it_is(recipe):
    recipe.write_text(recipe.read_text() + "unlearn:\n  lr: 0\n  epochs: 2\n")
    line = recipe.read_text().splitlines().index("  lr: 0") + 1
    with pytest.raises(RecipeError) as error:
        load_recipe(recipe, ["unlearn.epochs=few", "generate.max_new_tokens=0"])
    told = "\n".join(error.value.problems)
    assert f"{recipe}:{line}: unlearn.lr: found 0" in told
    assert "override 'unlearn.epochs=few': unlearn.epochs: found \"few\"" in told
    assert "override 'generate.max_new_tokens=0': generate.max_new_tokens: found 0" in told


def test_a_model_folder_is_relative_to_the_recipe_and_a_hub_id_is_left_alone(recipe):
    (recipe.parent / "taught").mkdir()
    assert load_recipe(recipe, ["model.name=taught"]).model.name == str(recipe.parent / "taught")
    assert load_recipe(recipe, ["model.name=org/model"]).model.name == "org/model"
    assert load_recipe(recipe).model.name == "embedded"


def test_overrides_are_typed_like_the_file_and_make_sections(recipe):
    loaded = load_recipe(
        recipe, ["unlearn.lr=1e-4", "unlearn.lora.r=8", "finetune.epochs=3", "augment.questions=[noise]"]
    )
    assert (loaded.unlearn.lr, loaded.unlearn.lora.r, loaded.finetune.epochs) == (1e-4, 8, 3)
    assert loaded.augment.questions == ["noise"]
    assert loaded.unlearn.lora.alpha == 32 and loaded.seed == 7


def test_a_recipe_teaches_models_of_any_width():
    """`finetune.lr: auto`; a number stays what it is, and LoRA has no such rule."""
    found = load_recipe(TOFU, [])
    assert [found.finetune.rate(width) for width in (192, 576, 4096)] == [1e-3, 2e-4, 1.1e-5]
    assert load_recipe(TOFU, ["finetune.lr=3e-4"]).finetune.rate(192) == 3e-4
    with pytest.raises(RecipeError, match="finetune.lr: found auto.*for all weights.*give a number"):
        load_recipe(TOFU, ["finetune.lora={r: 8}"])
    with pytest.raises(RecipeError, match="finetune.lr.*found -1.*or auto"):
        load_recipe(TOFU, ["finetune.lr=-1"])


def test_the_last_override_of_a_key_counts(recipe):
    assert load_recipe(recipe, ["seed=1", "seed=2"]).seed == 2


def test_an_override_can_take_a_section_away(recipe):
    assert load_recipe(recipe, ["unlearn=null"]).unlearn is None


@pytest.mark.parametrize(
    "overrides",
    [
        [],
        ["finetune.epochs=2", "evaluate.evaluators=models"],
        ["unlearn={forget_loss: npo, retain_losses: {kl: 0.5}}"],
        ["augment={writer: server, base_url: 'http://127.0.0.1:1/v1', model: m}", "name=n.1_b-c"],
        ["data={preset: people, forget: {limit: 3}}", "unlearn=null"],
    ],
)
def test_the_resolved_recipe_says_the_same_again_from_anywhere(recipe, tmp_path, overrides):
    loaded = load_recipe(recipe, overrides)
    elsewhere = tmp_path / "runs" / "trial" / "recipe.yaml"
    elsewhere.parent.mkdir(parents=True)
    elsewhere.write_text(to_yaml(loaded), encoding="utf-8")
    assert load_recipe(elsewhere) == loaded


def test_published_names_are_shorthands_for_losses(recipe):
    assert load_recipe(recipe).unlearn.objective == Method("ce", {"ce": 1.0, "kl": 1.0})
    spelled = load_recipe(recipe, ["unlearn={forget_loss: ce, retain_losses: {ce: 1.0, kl: 1.0}}"])
    assert spelled.unlearn.objective == load_recipe(recipe, ["unlearn.method=relearn_klr_gdr"]).unlearn.objective


def test_every_problem_has_its_own_line_number(recipe):
    recipe.write_text(RECIPE + "model:\n  max_length: 1\ngenerate:\n  sampling: hot\n")
    with pytest.raises(RecipeError) as error:
        load_recipe(recipe)
    assert [problem.split(": ")[:2] for problem in error.value.problems] == [
        [f"{recipe}:7", "model.max_length"],
        [f"{recipe}:9", "generate.sampling"],
    ]


def test_a_word_of_a_message_is_not_taken_for_a_key(recipe):
    with pytest.raises(RecipeError, match=r"unlearn\.lora\.targets: give all-linear"):
        load_recipe(recipe, ["unlearn.lora.targets={give: 1}"])


@pytest.mark.parametrize(
    "key",
    [
        "evaluate.evaluators.embeddings", "evaluate.evaluators.nli", "evaluate.evaluators.language_model",
        "evaluate.privacy.reference_model", "augment.semantic.embeddings",
    ],
)  # fmt: skip
def test_a_judge_in_a_folder_is_looked_for_beside_the_recipe(recipe, key, monkeypatch, tmp_path_factory):
    monkeypatch.chdir(tmp_path_factory.mktemp("elsewhere"))
    (recipe.parent / "minilm").mkdir()
    (recipe.parent / "base").mkdir()  # a folder that is called like a word is given as ./base
    *sections, last = key.split(".")

    def read(name):
        found = load_recipe(recipe, [f"{key}={name}"])
        for section in [*sections, last]:
            found = getattr(found, section)
        return found

    assert read("./minilm") == str(recipe.parent / "minilm")
    assert read("org/name") == "org/name"
    if last in ("language_model", "reference_model"):
        assert (read("base"), read("vanilla")) == ("base", "vanilla")
    with pytest.raises(RecipeError, match=rf"{re.escape(key)}: found .*there is no folder"):
        read("./absent")


def test_a_weight_below_zero_is_refused(recipe):
    """It would train the model away from what it is to keep."""
    for key, value in (("retain_losses", "{ce: -1.0}"), ("forget_weight", "-1.0")):
        with pytest.raises(RecipeError, match=rf"unlearn\.{key}[.a-z]*: found -1.0; .*greater than or equal to 0"):
            load_recipe(recipe, [f"unlearn={{forget_loss: ga, {key}: {value}}}"])
