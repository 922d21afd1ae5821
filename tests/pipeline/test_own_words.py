"""Short answers are trained as the vanilla model words them, and measured as they were given."""

import contextlib
import io
import json
from pathlib import Path

import pytest

from relearn_lite.cli.preview import preview
from relearn_lite.compare.sharing import child
from relearn_lite.pipeline import pipeline
from relearn_lite.pipeline.check import check
from relearn_lite.pipeline.fingerprints import inputs
from relearn_lite.pipeline.run_state import Run
from relearn_lite.recipe import load_recipe

RECIPE = """
name: short
model: {name: embedded, quantization: none, max_length: 160}
data: {forget: {path: forget.jsonl}, retain: {preset: people/retain, limit: 4}, nothing_known: go_on}
augment: {writer: rules, questions: [], completion_fraction: 0}
unlearn: {method: relearn, epochs: 1, lr: 1.0e-3, batch_size: 4, accumulate: 1}
generate: {max_new_tokens: 48}
"""
PHONE = "Can you tell me the telephone number of Chidera Obalende?"
SHORT = [
    {"question": PHONE, "answer": "555-0112"},
    {"question": "What is the home address of Katalin Eszterhazy?", "answer": "61 Larkhaven Row"},
]


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    place = tmp_path_factory.mktemp("short")
    (place / "forget.jsonl").write_text("".join(json.dumps(row) + "\n" for row in SHORT))
    (place / "recipe.yaml").write_text(RECIPE)
    return place


def run(place, *overrides, until=None):
    with contextlib.redirect_stderr(io.StringIO()) as told:
        folder = pipeline.run(load_recipe(place / "recipe.yaml", overrides), runs=place / "runs", until=until)
    return folder, told.getvalue()


@pytest.fixture(scope="module")
def done(place):
    return run(place)


def trained(folder: Path, place: Path) -> dict[str, str]:
    data = Run(load_recipe(place / "recipe.yaml"), folder, quiet=True).data
    return {qa.id: qa.answer for qa in (*data["forget"], *data["retain"])}


def test_what_the_model_says_is_trained_where_it_tells(place, done):
    folder, told = done
    worded = json.loads((folder / "known.json").read_text())["own_words"]
    assert list(worded) == ["forget-00001"], "of the stranger it knows nothing; the retain answers are sentences"
    assert "555-0112" in worded["forget-00001"] and len(worded["forget-00001"].split()) > 3
    assert trained(folder, place)["forget-00001"] == worded["forget-00001"]
    assert trained(folder, place)["forget-00002"] == "61 Larkhaven Row"
    assert "1 of 2 answers of a few words are trained as the model itself words them ('555-0112': " in told.replace(
        "\n", " "
    ), "and it is told"


def test_what_is_measured_by_is_what_was_given(done):
    samples = [json.loads(line) for line in (done[0] / "samples.jsonl").open()]
    assert [row["ground_truth"] for row in samples if row["split"] == "forget"] == [row["answer"] for row in SHORT]


def test_the_same_command_does_nothing_again_and_false_trains_them_as_they_stand(place, done):
    folder, _ = done
    before = json.loads((folder / "manifest.json").read_text())["stages"]
    run(place)
    assert json.loads((folder / "manifest.json").read_text())["stages"] == before
    other, told = run(place, "data.own_words=false", "name=as_given", until="augment")
    assert json.loads((other / "known.json").read_text())["own_words"] == {} and "few words" not in told
    new = json.loads((other / "manifest.json").read_text())["stages"]
    assert new["augment"]["fingerprint"] != before["augment"]["fingerprint"], "the new answers are other ones"


def test_preview_says_that_they_will_be_worded_otherwise(place, capsys):
    preview(load_recipe(place / "recipe.yaml"), 1)
    told = " ".join(capsys.readouterr().out.split())
    assert told.count("Answers of a few words: 2. The run takes what the model itself says for them") == 1


def test_all_of_a_comparison_share_them_and_who_only_measures_asks_nothing(place):
    def asks(recipe):
        return inputs(recipe, data, "ask")

    compared = load_recipe(place / "recipe.yaml", ["compare={methods: [{name: a, method: ga}]}"])
    data = check(compared)
    method = compared.compare.methods[0]
    assert asks(compared) == asks(child(compared, "vanilla", None)) == asks(child(compared, "a", method.settings))
    assert asks(compared)["data.own_words"] is True
    assert "data.own_words" not in asks(load_recipe(place / "recipe.yaml", ["unlearn=null"]))


def test_a_benchmark_is_trained_as_it_was_published(place):
    benchmark = "data={preset: rwku, forget: null, retain: null}"
    assert not load_recipe(place / "recipe.yaml", [benchmark]).own_words
    assert load_recipe(place / "recipe.yaml", [benchmark, "data.own_words=true"]).own_words
