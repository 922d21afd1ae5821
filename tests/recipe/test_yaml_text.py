"""The YAML of recipes: which text is a number, what is refused, and that what is written is read back the same."""

from __future__ import annotations

import random

import pytest
import yaml

from relearn_lite.core.errors import RecipeError
from relearn_lite.recipe import Source, load_recipe, to_yaml
from relearn_lite.recipe.yaml_text import NotYaml, dump, parse

RECIPE = "name: trial\ndata: {preset: people}\n"


def read(text: str):
    return parse(f"key: {text}")[0]["key"]


def load(tmp_path, text, *overrides):
    (tmp_path / "recipe.yaml").write_text(RECIPE + text, encoding="utf-8")
    return load_recipe(tmp_path / "recipe.yaml", overrides)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1e-5", 1e-5), ("1.0e-5", 1e-5), ("1E5", 1e5), (".5", 0.5), ("-1.", -1.0), ("+2", 2), ("010", 10),
        ("true", True), ("False", False), ("null", None), ("~", None), ("-.inf", float("-inf")),
        ("1e-05", 1e-5), ("1e5", 1e5),
    ],
)  # fmt: skip
def test_numbers_booleans_and_null(text, value):
    assert read(text) == value and type(read(text)) is type(value)


@pytest.mark.parametrize(
    "text", ["no", "on", "off", "yes", "Y", "1:30", "2024-01-01", "0o17", "0x1F", "1_000", "1e", "=", "<<", "nulls"]
)
def test_everything_else_is_text(text):
    assert read(text) == text


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('"C:\\data\\f.jsonl"', "a backslash means something else in double quotes; use single quotes, or / in a path"),
        ('"C:\\Users\\f.jsonl"', "a backslash means something else in double quotes"),
        ("*.pdf", "a text that begins with * or & stands in quotes; put it in quotes"),
        ("[*.pdf]", "a text that begins with * or & stands in quotes"),
        ("@f.jsonl", "no text without quotes begins with this character; put it in quotes"),
        ("{path: a #1.jsonl}", "a bracket or a comma is missing, or a # begins a comment"),
        ("{path: a", "a bracket or a comma is missing"),
        ("'it's'", "something stands behind the end of a text in quotes; write '' for a ' in single quotes"),
        ("- a", "no list can begin here; put it on lines of its own, or write [a, b]"),
    ],
)
def test_what_people_write_is_told_in_words(text, told):
    """They were told in PyYAML's: `found unknown escape character 'd'`."""
    with pytest.raises(NotYaml) as error:
        read(text)
    assert told in error.value.problems[0][1]


def test_a_learning_rate_as_anybody_writes_it(tmp_path):
    """`1e-5` was a number for one of the two libraries, and text for the other."""
    assert load(tmp_path, "unlearn: {lr: 1e-5}").unlearn.lr == 1e-5
    assert load(tmp_path, "", "unlearn.lr=1E-5").unlearn.lr == 1e-5


@pytest.mark.parametrize("word", ["no", "on", "off", "yes", "1:30", "2024-01-01", "0o17"])
def test_text_is_kept_where_text_is_wanted(tmp_path, word):
    recipe = load(tmp_path, f"model: {{revision: {word}}}")
    assert recipe.model.revision == load(tmp_path, "", f"model.revision={word}").model.revision == word


@pytest.mark.parametrize(("word", "value"), [("yes", True), ("on", True), ("no", False), ("Off", False)])
def test_words_for_yes_and_no_are_taken_where_a_boolean_is_wanted(tmp_path, word, value):
    recipe = load(tmp_path, f"report: {{mask: {word}}}\nmodel: {{gradient_checkpointing: {word}}}\n")
    assert recipe.report.mask is value and recipe.model.gradient_checkpointing is value


def test_anchors_and_merge_keys(tmp_path):
    recipe = load(
        tmp_path,
        "finetune: &numbers {lr: 2e-3, epochs: 3, lora: &lora {r: 4}}\n"
        "unlearn: {<<: [{epochs: 9}, *numbers], lora: {<<: *lora, alpha: 5}}\n",
    )
    assert (recipe.unlearn.lr, recipe.unlearn.epochs) == (2e-3, 9), "the first section that has a key counts"
    assert (recipe.unlearn.lora.r, recipe.unlearn.lora.alpha) == (4, 5)


def test_a_mistake_that_was_merged_in_is_told_where_it_stands(tmp_path):
    with pytest.raises(RecipeError, match=r"recipe\.yaml:4: unlearn\.lora\.r: found 0"):
        load(tmp_path, "# a comment\nfinetune: {lora: &lora {r: 0}}\nunlearn: {lora: {<<: *lora}}\n")


def test_a_key_given_twice_is_told_with_both_lines(tmp_path):
    text = "unlearn:\n  lr: 1.0e-3\n  epochs: 2\n  lr: 1.0e-4\ncompare:\n  methods:\n  - {name: a, name: b}\n"
    with pytest.raises(RecipeError) as error:
        load(tmp_path, text)
    assert [problem.partition("recipe.yaml:")[2] for problem in error.value.problems] == [
        "6: unlearn.lr: given twice, first on line 4; remove one",
        "9: compare.methods.0.name: given twice, first on line 9; remove one",
    ]


def test_keys_are_text():
    assert parse("on: 1\n1: 2\nnull: 3\n")[0] == {"on": 1, "1": 2, "null": 3}


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("a: !!python/object/apply:os.system [ls]", "the tag !!python/object/apply:os.system"),
        ("a: !own {b: 1}", "the tag !own"),
        ("a: !!binary aGk=", "the tag !!binary"),
        ("a: !!int many", "'many' cannot be read as int"),
        (f"a: {'9' * 5000}", "cannot be read as int"),
        ("? [a]\n: 1", "a key must be a word"),
        ("a: &a [*a]", "nested too deep"),
        ("a: *b", "undefined alias"),
        ("<<: 1", "<<: needs a section"),
        ("a: 1\n---\nb: 1", "a second document"),
        ("a:\n  b: {c: , d: 1}", "('2', 'a.b.c: nothing stands behind it; give a value, null, or {}"),
        ("a:\n- b\n-\n", "a.1: nothing stands behind it"),
        ("a:\nb: 1", "nothing stands behind it; give a value, null, or {} for the defaults, or indent the keys"),
        ("---", "('1', 'nothing stands behind it"),
        ("a: {b:c}", "a.b:c: nothing stands behind it; put a space behind the ':', as in b: c"),
        ("a:\n\u00a0 b: 1", "has a space of another kind in front"),
    ],
)
def test_what_is_refused(text, told):
    with pytest.raises(NotYaml) as error:
        parse(text)
    assert told in str(error.value)


@pytest.mark.parametrize(("leaf", "joint"), [("[x, x]", "[{}]"), ("{}", "{{<<: [{}]}}"), ("{k: 1}", "{{<<: [{}]}}")])
def test_aliases_of_aliases_do_not_fill_the_memory(leaf, joint):
    """10 to the power of 12 values in 13 lines."""
    lines = [f"a0: &a0 {leaf}"]
    lines += [f"a{n}: &a{n} {joint.format(', '.join([f'*a{n - 1}'] * 10))}" for n in range(1, 13)]
    with pytest.raises(NotYaml, match="unfold to more than 100000 values"):
        parse("\n".join(lines))


TRICKY = [
    "no", "On", "y", "1e-5", "1e5", "12e4567", ".5", "1:30", "0o17", "0x1F", "1_000", "2024-01-01", "~", "null", "",
    "=", "<<", " leading", "trailing ", "a: b", "a:", "#x", "a #x", "- a", "? a", "[x", "{x", "%d", "@a", "&a", "*a",
    "!a", "|", "> x", "---", "...", "'", '"', "\\n", "a\nb", "a\n\n b \n", "\n", "\t", "\r\n", "a\x85b", "\u2028x",
    "\ufeff", "\x07", "\x1b[31m", "Zoë", "王", "😀", "word " * 60,
]  # fmt: skip


@pytest.mark.parametrize("text", TRICKY)
def test_the_resolved_recipe_holds_the_same_text(tmp_path, text):
    recipe = load(tmp_path, "")
    data = recipe.data.model_copy(update={"generic": Source(dataset="org/name", config=text, split=text)})
    recipe = recipe.model_copy(update={"data": data})
    (tmp_path / "resolved.yaml").write_text(to_yaml(recipe), encoding="utf-8", newline="")
    assert load_recipe(tmp_path / "resolved.yaml") == recipe


def test_any_text_is_read_back_by_this_loader_and_by_yaml_1_1():
    draw = random.Random(0)
    alphabet = " \u00a0\n\t:#-?[]{},&*!|>'\"%@`~=<.019eExobonfyYtT_+\\\x85\u2028\ufeffüж王😀\r\x00\x07a"
    for text in [*TRICKY, *("".join(draw.choices(alphabet, k=draw.randint(0, 12))) for _ in range(3000))]:
        value = {"key": text, "list": [text], text: 1e-5}
        assert parse(dump(value))[0] == value == yaml.safe_load(dump(value))
