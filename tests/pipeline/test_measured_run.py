"""A run whose recipe asks the model itself: what it measures, keeps, and says where it cannot."""

import json

import pytest
from people import known, unseen

from relearn_lite.core.errors import RecipeError
from relearn_lite.pipeline import pipeline
from relearn_lite.recipe import load_recipe

RECIPE = """
name: retain_model
model: {name: embedded, quantization: none}
data:
  control: none
  nothing_known: go_on
  forget: {path: forget.jsonl, paraphrased_answer: para, wrong_answers: wrong}
  retain: {preset: people/retain, limit: 4}
  holdout: {path: holdout.jsonl}
unlearn: null
generate: {max_new_tokens: 24}
evaluate:
  evaluators: {language_model: none}
  metrics: [kfr, probability, forget_quality, model_utility, mia_loss, mia_reference]
"""


def write(path, records, **columns):
    rows = [{"question": qa.question, "answer": qa.answer, **columns} for qa in records]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))


@pytest.fixture
def place(tmp_path):
    (tmp_path / "recipe.yaml").write_text(RECIPE)
    write(tmp_path / "forget.jsonl", known()[:4], para="It is another thing.", wrong=["In Rome.", "Nobody knows."])
    write(tmp_path / "holdout.jsonl", unseen(4))
    return tmp_path


def run(place, *overrides):
    return pipeline.run(load_recipe(place / "recipe.yaml", overrides), runs=place / "runs", quiet=True)


def test_both_models_are_asked_and_compared_with_a_run_of_a_retain_model(place):
    """The 'retain model' is the vanilla one here: it is told from itself in nothing."""
    retain = run(place)
    numbers = json.loads((retain / "metrics.json").read_text())["vanilla"]
    assert numbers["forget_quality"] is None and numbers["mia_reference"] is None
    assert numbers["model_utility"] is None and "real_authors" in numbers["reasons"]["model_utility"]
    assert numbers["probability_forget"] > 0.9 and numbers["mia_loss"] > 0.9

    results = "evaluate.retain_model_results=runs/retain_model/samples.jsonl"
    small = "unlearn={epochs: 2, lr: 5.0e-3, batch_size: 4, accumulate: 1, warmup_epochs: 0, method: ga}"
    folder = run(place, "name=unlearned", results, small)
    metrics = json.loads((folder / "metrics.json").read_text())
    assert metrics["vanilla"]["forget_quality"] == 1.0
    assert metrics["unlearned"]["forget_quality"] is not None
    assert metrics["unlearned"]["probability_forget"] < metrics["vanilla"]["probability_forget"] - 0.05
    assert metrics["vanilla"]["mia_reference"] is None and metrics["unlearned"]["mia_reference"] is not None
    assert "probability_forget" in metrics["difference"] and "mia_loss" not in metrics["difference"]
    assert "model" not in metrics["evaluators"]
    (row, *_) = map(json.loads, (folder / "samples.jsonl").read_text().splitlines())
    assert {"mia_loss", "forget_quality", "probability"} <= row["scores"]["unlearned"].keys()
    assert "Membership AUC, loss" in (folder / "report.md").read_text()


def test_changed_results_of_the_retain_model_are_noticed(place):
    """Only the path counted: numbers of the old file stood as those of the new one."""
    losses = {"avg_paraphrased_loss": [1.0, 2.0], "average_perturb_loss": [[2.0], [1.0]]}
    results = place / "retain.json"
    results.write_text(json.dumps(losses))
    metrics = "evaluate.metrics=[kfr, forget_quality]"
    before = run(place, f"evaluate.retain_model_results={results}", metrics) / "metrics.json"
    old = json.loads(before.read_text())
    results.write_text(json.dumps(losses | {"average_perturb_loss": [[3.0], [1.0]]}))
    with pytest.raises(RecipeError, match="content of evaluate.retain_model_results was .*--from evaluate"):
        run(place, f"evaluate.retain_model_results={results}", metrics)
    assert json.loads(before.read_text()) == old


def test_what_the_recipe_names_is_checked_before_anything_runs(place):
    write(place / "holdout.jsonl", [*unseen(3), known()[1]])
    with pytest.raises(RecipeError) as error:
        pipeline.check(load_recipe(place / "recipe.yaml", ["evaluate.retain_model_results=none.json"]))
    results, holdout = error.value.problems
    assert holdout.startswith("data.holdout: 1 of its questions") and "retain_model_results" in results


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("evaluate.privacy.samples=3", "samples: 3 are fewer than k = 8"),
        ("evaluate.privacy.reference_auc=1", "reference_auc"),
        ("data.holdout={limit: 3}", "holdout: nothing says where it is"),
    ],
)
def test_mistakes_are_told(place, override, message):
    with pytest.raises(RecipeError, match=message):
        load_recipe(place / "recipe.yaml", [override])
