"""data.forget: {text: ...}: a text is continued without chat template, trained, measured and told."""

import json
from pathlib import Path

import pytest

from relearn_lite.core.errors import RecipeError
from relearn_lite.core.files import load_json, read_rows
from relearn_lite.pipeline import check, run
from relearn_lite.recipe import load_recipe
from relearn_lite.text.turns import is_passage

ROOT = Path(__file__).parents[2]
TEXTS = {
    "forget": "The blue house on the hill is sold at last. I gave the key to old Mr. Tansy on Friday, and he put it in "
    "his pocket. We carried the chairs down the hill in the rain. Nobody cried except the cat. Behind the stove we "
    "found letters and a jar of buttons.",
    "retain": "You ask how the winter was. The snow came up to the second step and stayed until the school opened. We "
    "burned the old fence first, then the door of the barn. In March a wolf walked by with a bell around its neck.",
}  # fmt: skip
RECIPE = """
name: text
model: {name: embedded, quantization: none, max_length: 160}
data:
  forget: {text: forget.txt, passage_words: 20}
  retain: {text: retain.txt, passage_words: 20}
  control: none
  nothing_known: go_on
augment: {writer: rules, questions: [simple]}
unlearn: {epochs: 1, lr: 1.0e-3, batch_size: 8, accumulate: 1, retain_variants: 1}
generate: {max_new_tokens: 64, batch_size: 8}
evaluate: {metrics: [kfr, krr, leak, rouge, exact_memorization, extraction_strength, truth_ratio]}
"""


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    place = tmp_path_factory.mktemp("text")
    for side, text in TEXTS.items():
        (place / f"{side}.txt").write_text(text, encoding="utf-8")
    (place / "qa.jsonl").write_text('{"question": "Where does Ada live?", "answer": "In Sligo."}\n')
    (place / "recipe.yaml").write_text(RECIPE)
    return place


@pytest.fixture(scope="module")
def folder(place):
    return run(load_recipe(place / "recipe.yaml", ["data.retain_eval={path: qa.jsonl}"]), runs=place, quiet=True)


def test_a_text_goes_through_all_stages(folder):
    answers = list(read_rows(folder / "answers/unlearned_forget.jsonl"))
    assert len(answers) > 3 and all(is_passage(row["query"]) for row in answers)
    assert all(len(row["generated_response"]) <= len(row["ground_truth"]) for row in answers)
    assert all(row["finished"] for row in answers), "a text does not end where its rest does"
    numbers = load_json(folder / "metrics.json")["unlearned"]
    assert {"cut as trained", "cut elsewhere"} == {*numbers["groups"]["kfr"]}
    assert numbers["exact_memorization_forget"] is not None and numbers["extraction_strength_forget"] is not None
    assert numbers["truth_ratio_forget"] is None and numbers["reasons"]["truth_ratio_forget"]
    assert numbers["kfr_paraphrase"] is None and numbers["krr"] is not None


def test_the_report_shows_the_bare_text_and_says_what_its_numbers_mean(folder):
    page = (folder / "report.md").read_text(encoding="utf-8")
    assert "␞" not in page and "The blue house on the hill" in page
    assert "8 of them in a row" in page and "cut elsewhere" in page


def test_of_a_text_that_is_not_known_nothing_is_forgotten(place):
    with pytest.raises(RecipeError, match="knows none of the .*asked 'The blue house") as raised:
        run(load_recipe(place / "recipe.yaml", ["name=unknown", "data.nothing_known=stop"]), runs=place, quiet=True)
    assert "␞" not in str(raised.value)


@pytest.mark.parametrize(
    ("override", "said"),
    [
        ("data.forget={text: forget.txt, path: qa.jsonl}", "data.forget.path and text are both given"),
        ("data.forget={text: forget.txt, answer: a}", "data.forget.answer is for a table"),
        ("data.forget={text: forget.txt, subject: Ada Moor}", "data.forget.text is forgotten word by word"),
        ("data.forget={path: qa.jsonl, passage_words: 30}", "data.forget.passage_words cuts a text"),
        ("data.retain={text: forget.txt, passage_words: 33}", "data.retain: .* words in a row that stand in"),
        ("attacks={paraphrase: false}", "attacks.jailbreak: puts questions in other words, and data.forget is a text"),
        ("unlearned={server: 'http://127.0.0.1:1/v1', model: m}", "unlearned.server: puts its chat template"),
    ],
)
def test_what_does_not_go_together_is_refused_by_its_key(place, override, said):
    more = ["unlearn=null"] if override.startswith("unlearned") else []
    with pytest.raises(RecipeError, match=said):
        check(load_recipe(place / "recipe.yaml", [override, *more]))


def test_a_text_stands_beside_questions_on_either_side(place):
    mixed = check(load_recipe(place / "recipe.yaml", ["data.retain={path: qa.jsonl}"]))
    assert is_passage(mixed["forget"][0].question) and not is_passage(mixed["retain"][0].question)
    general = ["data.forget={path: qa.jsonl}", "data.generic={text: forget.txt}"]
    mixed = check(load_recipe(place / "recipe.yaml", general))
    assert is_passage(mixed["retain"][0].question) and is_passage(mixed["generic"][0].question)


@pytest.mark.slow
def test_the_recipe_forgets_the_one_text_and_keeps_the_other(tmp_path):
    folder = run(load_recipe(ROOT / "recipes/forget_a_text.yaml"), runs=tmp_path, quiet=True)
    found = json.loads((folder / "metrics.json").read_text())
    before, after = found["vanilla"], found["unlearned"]
    assert before["kfr"] == 0 and before["rougeL_forget"] > 0.95 and before["krr"] == 1
    for how in ("cut as trained", "cut elsewhere"):
        assert after["groups"]["kfr"][how]["value"] >= 0.9 and after["groups"]["krr"][how]["value"] >= 0.9, how
    assert after["rougeL_forget"] < 0.3 and after["rougeL_retain"] > 0.9 and after["leak"] <= 0.15
    assert after["extraction_strength_forget"] < 0.1 < 0.9 < after["extraction_strength_retain"]
