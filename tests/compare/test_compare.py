"""A comparison on the embedded model, small: what methods share, what each has of its own, what a second run does."""

import csv
import gc
import json
import logging
import shutil
import weakref

import pytest
from click.testing import CliRunner

from relearn_lite.cli.commands import cli
from relearn_lite.compare import compare, compare_runs
from relearn_lite.core.errors import RecipeError
from relearn_lite.models import backends
from relearn_lite.recipe import load_recipe

RECIPE = """
name: few
model: {name: embedded, quantization: none, max_length: 160}
data:
  control: {preset: control, limit: 6}
  nothing_known: go_on
  forget: {preset: people/forget, limit: 3}
  retain: {preset: people/retain, limit: 3}
  generic: {preset: people/general, limit: 3}
unlearn: {epochs: 1, lr: 2.0e-3, batch_size: 16, accumulate: 1, lora: {r: 4}, watch: {questions: 2}}
augment: {questions: [simple]}
generate: {max_new_tokens: 16}
compare:
  questions: 3
  methods:
    - {name: learns, method: relearn_gdr, evaluate_every: 1, keep_best: harmonic}
    - {name: broken, method: ga, lr: 1.0e+30, epochs: 4}
    - {name: swept, method: npo, sweep: {lr: [1.0e-6, 1.0e-2]}}
"""


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    folder = tmp_path_factory.mktemp("compare")
    (folder / "recipe.yaml").write_text(RECIPE)
    return folder


def run(place, *overrides, **options):
    return compare(load_recipe(place / "recipe.yaml", overrides), runs=place / "runs", quiet=True, **options)


@pytest.fixture(scope="module")
def first(place):
    """The comparison's folder and methods, and for each load of a model which of those before it still lived then."""
    loaded, alive, load = [], [], backends.load

    def watched(*args, **options):
        gc.collect()
        alive.append([number for number, model in enumerate(loaded) if model() is not None])
        made = load(*args, **options)
        loaded.append(weakref.ref(made.model))
        return made

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(backends, "load", watched)
        patch.setattr(logging.root.manager, "disable", logging.WARNING)  # pytest keeps records, with their tracebacks
        return *run(place), alive


@pytest.fixture(scope="module")
def folder(first):
    return first[0]


def read(path):
    return json.loads(path.read_text())


def manifests(folder):
    return {path.parent.relative_to(folder): read(path) for path in folder.rglob("manifest.json")}


def table(folder):
    with (folder / "compare.csv").open(newline="") as rows:
        return {row["method"]: row for row in csv.DictReader(rows)}


def test_one_augmentation_and_one_vanilla_serve_all(folder):
    shared, own = read(folder / "manifest.json")["stages"], read(folder / "methods/learns/manifest.json")["stages"]
    assert list(shared) == ["ask", "augment"]
    assert own["augment"]["finished"] == shared["augment"]["finished"] and own["augment"]["taken_from"] == "../.."
    assert (folder / "methods/learns/augmented.jsonl").resolve() == (folder / "augmented.jsonl").resolve()
    for name in ("learns", "swept"):
        method, vanilla = folder / "methods" / name, folder / "methods/vanilla"
        assert read(method / "metrics.json")["vanilla"] == read(vanilla / "metrics.json")["vanilla"]
        for answers in (vanilla / "answers").iterdir():
            assert (method / "answers" / answers.name).read_bytes() == answers.read_bytes()


def test_what_is_taken_from_the_vanilla_run_is_what_the_method_would_have_found_itself(place, folder):
    from relearn_lite.pipeline import pipeline

    alone = load_recipe(place / "recipe.yaml", ["name=alone", "unlearn.method=relearn_gdr", "unlearn.evaluate_every=1",
                                                "unlearn.keep_best=harmonic", "compare=null"])
    own = pipeline.run(alone, runs=place / "runs", quiet=True)
    assert read(own / "metrics.json") == read(folder / "methods/learns/metrics.json")
    assert (own / "samples.jsonl").read_text() == (folder / "methods/learns/samples.jsonl").read_text()


def test_a_method_that_fails_is_told_in_words_without_a_number_and_the_others_run(folder):
    rows = table(folder)
    assert list(rows) == ["vanilla", "learns", "broken", "swept"]
    assert {name: row["status"] for name, row in rows.items() if name != "vanilla"} == {
        "learns": "done", "broken": "failed", "swept": "done"
    }
    assert "diverged at 1e+30" in rows["broken"]["notes"] and "not a number from step" in rows["broken"]["notes"]
    assert {key for key, value in rows["broken"].items() if value} == {"method", "status", "notes"}
    assert float(rows["learns"]["kfr"]) == read(folder / "methods/learns/metrics.json")["unlearned"]["kfr"]


def test_every_point_of_a_sweep_is_listed_and_the_best_goes_on(folder):
    points = read(folder / "sweep.json")["swept"]["points"]
    assert [(p["lr"], p["epochs"]) for p in points] == [(1e-6, 1), (1e-2, 1)]
    (chosen,) = [point for point in points if point.get("chosen")]
    assert chosen["balance"] == max(point["balance"] for point in points)
    adapter = folder / "methods/swept/adapter"
    assert adapter.resolve() == (folder / "sweep/swept" / chosen["point"] / "adapter").resolve()
    assert f"lr: {chosen['lr']}" in (folder / "methods/swept/recipe.yaml").read_text().replace("1.0e-06", "1e-06")
    assert chosen["point"] in table(folder)["swept"]["notes"]


def test_answers_in_training_are_logged(folder):
    rows = [json.loads(line) for line in (folder / "methods/learns/logs/unlearn/checks.jsonl").open()]
    answers = [[answer for answer in row["answers"] if answer["split"] != "control"] for row in rows]
    assert answers and all(len(each) == 2 and each[0]["generated_response"] for each in answers)


def test_the_page_shows_the_same_questions_answered_by_all(folder):
    page = (folder / "compare.html").read_text()
    assert page.count("<article") == 3
    assert "Failed: unlearn.lr: training diverged" in page and "<script" not in page


def test_a_second_run_does_nothing_again_not_even_what_failed(place, folder):
    before = manifests(folder)
    _, compared = run(place)
    assert {each.name: each.failure is None for each in compared} == {"learns": True, "broken": False, "swept": True}
    assert manifests(folder) == before


def test_where_every_method_failed_the_exit_code_says_so(place, folder):
    words = ["compare", str(place / "recipe.yaml"), "--runs", str(place / "runs"), "--quiet"]
    assert CliRunner().invoke(cli, words).exit_code == 0, "one of three failed"
    alone = ["name=none", "compare.methods=[{name: broken, method: ga, lr: 1.0e+30, epochs: 4}]"]
    found = CliRunner().invoke(cli, [*words, *alone], catch_exceptions=False)
    assert found.exit_code == 1 and "training diverged" in found.output


def test_finished_methods_can_be_laid_side_by_side_again(folder, tmp_path):
    compared = compare_runs([folder / "methods/learns", folder / "methods/swept"], tmp_path)
    assert [each.name for each in compared] == ["learns", "swept"]
    assert list(table(tmp_path)) == ["vanilla", "learns", "swept"]


def test_runs_that_are_none_are_all_named(folder, tmp_path):
    with pytest.raises(RecipeError) as error:
        compare_runs([folder / "methods/learns", tmp_path, folder / "methods/vanilla"], tmp_path / "out")
    with pytest.raises(RecipeError, match="compare: .*learns is given twice; name each run once"):  # two equal rows
        compare_runs([folder / "methods/learns", folder / "methods/swept/../learns"], tmp_path / "out")
    assert len(error.value.problems) == 2
    assert "no metrics.json" in error.value.problems[0] and "one model only" in error.value.problems[1]


def test_runs_whose_model_lies_elsewhere_now_are_laid_side_by_side(folder, tmp_path):
    """Their numbers are all that is read, and where their models lie they need not have been."""
    moved = shutil.copytree(folder / "methods/learns", tmp_path / "moved", symlinks=False)
    recipe = moved / "recipe.yaml"
    recipe.write_text(recipe.read_text().replace("name: embedded", f"name: {tmp_path}/gone").replace(
        "mask: false", "mask: true"
    ))  # fmt: skip
    compare_runs([moved, folder / "methods/swept"], tmp_path / "out")
    assert "Masked: names, numbers" in (tmp_path / "out/compare.html").read_text()
    recipe.write_text("data: [")
    with pytest.raises(RecipeError, match=r"moved/recipe\.yaml:1"):
        compare_runs([moved, folder / "methods/swept"], tmp_path / "out")
    recipe.unlink()
    with pytest.raises(RecipeError, match="moved is not a finished run, it has no recipe.yaml"):
        compare_runs([moved, folder / "methods/swept"], tmp_path / "out")


def test_a_run_that_is_named_vanilla_is_not_taken_for_the_model_before(folder, tmp_path):
    """Both lines had one name, and in the pictures the run's points were drawn as those of the vanilla model."""
    named = shutil.copytree(folder / "methods/learns", tmp_path / "vanilla")
    compare_runs([named, folder / "methods/swept"], tmp_path / "out")
    assert list(table(tmp_path / "out")) == ["vanilla", str(named), "swept"]


def test_other_settings_are_refused_and_again_does_that_method_and_no_other(place, folder):
    other = "compare.methods=[{name: learns, method: relearn_gdr, lr: 1.0e-4, evaluate_every: 1}]"
    with pytest.raises(RecipeError, match=r"unlearn\.lr was 0\.002, is 0\.0001.*--again learns"):
        run(place, other)
    before = manifests(folder)
    run(place, other, again=["learns"])
    after = manifests(folder)
    assert [str(path) for path in before if after[path] != before[path]] == ["methods/learns"]


def test_a_model_is_gone_before_the_next_one_is_loaded_whether_its_method_failed_or_not(first):
    """The error of the failed stage held its frames, and these the model, while the next one was loaded beside it."""
    _, compared, alive = first
    assert [each.failure is None for each in compared] == [True, False, True], "another follows the failed one"
    assert len(alive) >= 5 and not any(alive)


def test_an_unknown_method_to_do_again_is_refused(place):
    with pytest.raises(RecipeError, match="--again: no method 'lerns'; did you mean 'learns'"):
        run(place, again=["lerns"])


def test_a_recipe_without_methods_is_told_what_to_add(place):
    with pytest.raises(RecipeError, match="compare: the recipe names no methods"):
        run(place, "compare=null")
