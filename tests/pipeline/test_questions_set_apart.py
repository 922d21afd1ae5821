"""What is chosen by is not reported: model selection, evaluation in training and sweeps have questions of their own."""

import json
from collections import Counter

import pytest

from relearn_lite.attacks.paraphrases import paraphrase_prompts
from relearn_lite.core.errors import RecipeError
from relearn_lite.core.files import write_jsonl
from relearn_lite.core.records import QA, Variant
from relearn_lite.evaluate.quick_eval import stopping_questions
from relearn_lite.pipeline import pipeline
from relearn_lite.pipeline.check import check
from relearn_lite.pipeline.data import _same_questions
from relearn_lite.pipeline.fingerprints import fingerprint, inputs
from relearn_lite.pipeline.run_state import Run
from relearn_lite.pipeline.stages import STAGES
from relearn_lite.pipeline.stages.unlearn import every_prompt, trained_prompts
from relearn_lite.recipe import Augment, load_recipe
from relearn_lite.writers.rules import RulesWriter

RECIPE = """
name: chosen
model: {name: embedded, quantization: none, max_length: 160}
data:
  control: none
  nothing_known: go_on
  forget: {preset: people/forget, limit: 8}
  retain: {preset: people/retain, limit: 6}
unlearn: {method: ga_gdr, epochs: 1, lr: 1.0e-3, batch_size: 4, accumulate: 1, evaluate_every: 1, keep_best: harmonic}
generate: {max_new_tokens: 8}
"""


@pytest.fixture
def recipe(tmp_path):
    def load(*overrides):
        (tmp_path / "recipe.yaml").write_text(RECIPE)
        return load_recipe(tmp_path / "recipe.yaml", overrides)

    return load


def asked(data, part):
    return [text for qa in data[part] for text in (qa.question, qa.paraphrase) if text]


def test_what_another_method_was_trained_on_does_not_count(recipe, tmp_path):
    """`--from unlearn` leaves the augmentation where it is: ga was asked by what it had not been trained on."""
    write_jsonl(tmp_path / "augmented.jsonl", [Variant("a/simple", "a", "simple", "Where is Ann's home?", "There.")])
    told = [trained_prompts(Run(recipe(f"unlearn.method={name}"), tmp_path)) for name in ("ga_gdr", "relearn_gdr")]
    assert told == [frozenset(), {"Where is Ann's home?"}]
    assert trained_prompts(Run(recipe("unlearn=null"), tmp_path)) == frozenset()


def test_wordings_of_retain_questions_count_where_they_were_trained(recipe, tmp_path):
    """The attack put retain questions in other words, and some of these were what `retain_variants` had trained."""
    cities = {"Japan": "Tokyo", "Peru": "Lima", "Cuba": "Havana"}
    kept = {f"What is the capital of {country}?": city for country, city in cities.items()}
    write_jsonl(tmp_path / "keep.jsonl", [{"question": asked, "answer": city} for asked, city in kept.items()])
    write_jsonl(tmp_path / "augmented.jsonl", [])
    told = []
    for name, variants in (("relearn_gdr", 8), ("relearn_gdr", 0), ("relearn", 0)):
        run = Run(recipe("data.retain={path: keep.jsonl}", f"unlearn.method={name}",
                         f"unlearn.retain_variants={variants}", "unlearn.evaluate_every=null",
                         "unlearn.keep_best=null"), tmp_path)  # fmt: skip
        run.given = check(run.recipe)
        told.append(every_prompt(run))
    assert len(told[0]) == 27 and told[1:] == [{*kept}, set()]
    before, after = (
        {each.turns[0] for each in paraphrase_prompts({"retain": run.data["retain"]}, RulesWriter(), Augment(), 43, of)}
        for of in (told[1], told[0])
    )
    assert before & told[0] and after and not after & told[0]


def test_selection_and_report_share_no_question(recipe, tmp_path):
    """The weights that were kept had been chosen by the very questions that the table then reported."""
    folder = pipeline.run(recipe(), runs=tmp_path, quiet=True)
    reported = {row["query"] for row in map(json.loads, (folder / "samples.jsonl").open())}
    chosen_by = {
        answer["query"]
        for line in (folder / "logs/unlearn/checks.jsonl").open()
        for answer in json.loads(line)["answers"]
    }
    assert chosen_by and reported and not chosen_by & reported
    manifest = json.loads((folder / "manifest.json").read_text())
    assert {part: manifest["data"][part]["rows"] for part in ("forget_select", "forget_eval", "retain_select")} == {
        "forget_select": 2, "forget_eval": 6, "retain_select": 2}  # fmt: skip
    assert "set apart" in (folder / "report.md").read_text()


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_split_is_seeded_and_complete(recipe, seed):
    parts = [check(recipe(f"seed={seed}")) for _ in range(2)]
    assert parts[0] == parts[1]
    for side in ("forget", "retain"):
        assert not set(asked(parts[0], f"{side}_eval")) & set(asked(parts[0], f"{side}_select"))
        assert Counter(parts[0][f"{side}_eval"] + parts[0][f"{side}_select"]) == Counter(parts[0][side])


def test_nothing_is_set_apart_where_nothing_is_chosen(recipe):
    data = check(recipe("unlearn.evaluate_every=null", "unlearn.keep_best=null"))
    assert "forget_select" not in data and data["forget_eval"] == data["forget"]


def test_all_runs_of_a_comparison_report_the_same_questions(recipe):
    from relearn_lite.compare.sharing import child

    one = recipe("unlearn.evaluate_every=null", "unlearn.keep_best=null",
                 "compare={methods: [{name: a, evaluate_every: 2}, {name: b, sweep: {lr: [1e-3]}}]}")  # fmt: skip
    reported = check(one)["forget_eval"]
    assert len(reported) == 6
    for method in one.compare.methods:
        assert check(child(one, method.name, method.settings))["forget_eval"] == reported
    assert check(child(one, "vanilla", None))["forget_eval"] == reported


def test_wordings_of_one_question_stay_together():
    rows = [QA("1", "Who is A?", "x", "Tell me of A."), QA("2", "who is  a?", "x"), QA("3", "What is B?", "y"),
            QA("4", "Tell me of A.", "x"), QA("5", "What is C?", "z", "What is  B?")]  # fmt: skip
    assert sorted(sorted(qa.id for qa in group) for group in _same_questions(rows)) == [["1", "2", "4"], ["3", "5"]]


@pytest.mark.parametrize(
    ("override", "why"),
    [
        ("data.forget.limit=1", "data.forget_eval: it has one question, and evaluation in training"),
        ("data.forget.limit=1", "or choose by none: unlearn.lr and unlearn.epochs as single numbers"),
        ("data.select_fraction=0", "data.select_fraction: 0 sets no questions apart"),
        ("data.forget_select={preset: people/forget, limit: 3}", "data.forget_select: 3 of its questions are reported"),
    ],
)
def test_what_cannot_be_apart_is_said(recipe, override, why):
    with pytest.raises(RecipeError) as error:
        check(recipe(override))
    assert why in str(error.value)


AUTO = ("unlearn={method: relearn, lr: auto, epochs: auto}",)


def test_one_fact_may_be_forgotten_and_training_asks_it_in_other_wordings(recipe):
    """It was refused: one question cannot be reported and chosen by."""
    data = check(recipe(*AUTO, "data.forget.limit=1", "data.retain.limit=1"))
    assert "forget_select" not in data and len(data["forget_eval"]) == 1
    questions = stopping_questions(data, 12, (), 42)
    assert {side: len(rows) for side, rows in questions.items()} == {"forget": 4, "retain": 4}
    assert not {qa.question for rows in questions.values() for qa in rows} & {
        text for side in ("forget", "retain") for text in asked(data, f"{side}_eval")
    }


def test_where_rules_have_no_other_wording_of_the_one_fact_it_is_said(recipe, tmp_path):
    (tmp_path / "one.jsonl").write_text('{"question": "日本的首都是哪里？", "answer": "日本的首都是东京。"}')
    with pytest.raises(RecipeError, match="data.forget_eval: it has one question"):
        check(recipe(*AUTO, "data.forget={path: one.jsonl}"))


def test_a_reported_wording_is_not_trained_because_rules_have_it_too(recipe, tmp_path):
    """As among the retain questions: who gives wordings of his own to measure by means that they are new."""
    (tmp_path / "forget.jsonl").write_text('{"question": "Who wrote Emma?", "answer": "Jane Austen wrote Emma."}')

    def trained(*more):
        keys = ["unlearn={method: relearn}", "data.forget={path: forget.jsonl}", "augment.variants=4", *more]
        run = Run(recipe(*keys), tmp_path / "run", quiet=True)
        STAGES["augment"].run(run)
        rows = map(json.loads, (run.folder / "augmented.jsonl").open())
        return {row["prompt"] for row in rows}, fingerprint(inputs(run.recipe, run.given, "augment"))

    first, before = trained()
    reported = sorted(first - {"Who wrote Emma?"})[:2]
    rows = [{"question": wording.rstrip("?."), "answer": "Jane Austen."} for wording in reported]
    (tmp_path / "asked.jsonl").write_text("\n".join(map(json.dumps, rows)))
    prompts, after = trained("data.forget_eval={path: asked.jsonl}")
    assert len(reported) == 2 and not {*reported} & prompts and after != before
    assert trained("data.forget_eval={path: forget.jsonl}") == (first, before), "what is trained may be reported, too"
