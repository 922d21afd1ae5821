"""The analysis as a stage: asked for by the recipe, kept, resumed, told in the reports."""

from __future__ import annotations

import json

import pytest

from relearn_lite.analyze import distribution, logit_lens
from relearn_lite.core.errors import RecipeError
from relearn_lite.pipeline import pipeline
from relearn_lite.pipeline.stages import stages_of
from relearn_lite.recipe import load_recipe

RECIPE = """
name: looked-into
model: {name: embedded, quantization: 4bit, max_length: 160}
data:
  control: none
  nothing_known: go_on
  forget: {preset: people/forget, limit: 6}
  retain: {preset: people/retain, limit: 6}
unlearn: {method: ga, epochs: 2, lr: 1.0e-3, batch_size: 6, accumulate: 1, lora: {r: 4, alpha: 8}}
generate: {max_new_tokens: 16}
analyze: {questions: 2, top: 3}
"""


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    folder = tmp_path_factory.mktemp("analyze")
    (folder / "recipe.yaml").write_text(RECIPE)
    return folder


def run(place, *overrides, **options):
    return pipeline.run(load_recipe(place / "recipe.yaml", overrides), runs=place / "runs", quiet=True, **options)


@pytest.fixture(scope="module")
def folder(place):
    return run(place)


def read(folder):
    return json.loads((folder / "analysis.json").read_text())


@pytest.fixture(scope="module")
def whole(folder):
    """What the run found at first."""
    return read(folder)


def test_it_is_off_unless_the_recipe_asks(place):
    assert "analyze" not in stages_of(load_recipe(place / "recipe.yaml", ["analyze=null"]))
    stages = stages_of(load_recipe(place / "recipe.yaml"))
    assert stages[stages.index("analyze") - 1 :] == ["evaluate", "analyze", "report"]


def test_all_parts_are_there_within_a_minute(folder, whole):
    analysis = whole
    assert analysis["models"] == ["vanilla", "unlearned"]
    assert analysis["questions"] == {"forget": 2, "retain": 2}
    assert {"distribution", "memory", "circuits"} <= analysis.keys()
    assert analysis["circuits"]["method"] == "patching"
    assert not (folder / "analysis.partial.json").exists()
    assert json.loads((folder / "manifest.json").read_text())["stages"]["analyze"]["seconds"] < 60


def test_the_reports_tell_it(folder):
    page, text = (folder / "report.html").read_text(), (folder / "report.md").read_text()
    for part in ("Inside the model", "Where the probability went", "Layer by layer", "Heads and MLPs", "restores"):
        assert part in page
    assert "## Inside the model" in text and "Entropy, nats" in text


def test_a_second_run_does_not_look_again(place, folder):
    before = (folder / "analysis.json").stat().st_mtime_ns
    run(place)
    assert (folder / "analysis.json").stat().st_mtime_ns == before


def test_a_changed_analysis_does_only_itself_and_the_report_again(place, folder):
    before = json.loads((folder / "manifest.json").read_text())["stages"]
    with pytest.raises(RecipeError, match=r"analyze\.top was 3, is 4.*--from analyze"):
        run(place, "analyze.top=4")
    run(place, "analyze.top=4", "analyze.circuits=none", start="analyze")
    after = json.loads((folder / "manifest.json").read_text())["stages"]
    assert {name for name in after if after[name] != before[name]} == {"analyze", "report"}
    assert "circuits" not in read(folder)


def test_what_was_finished_before_a_crash_is_not_done_again(place, folder, whole, monkeypatch):
    ran = []
    with monkeypatch.context() as patch:
        patch.setattr(distribution, "distribution", _noting(ran, "distribution", distribution.distribution))
        patch.setattr(logit_lens, "logit_lens", _crash)
        with pytest.raises(KeyboardInterrupt):
            run(place, start="analyze")
        assert (folder / "analysis.partial.json").exists() and not (folder / "analysis.json").exists()
        patch.setattr(logit_lens, "logit_lens", _noting(ran, "memory", LENS))
        run(place)
    assert ran == ["distribution", "memory"]
    assert read(folder) == whole


LENS = logit_lens.logit_lens


def _crash(*_, **__):
    raise KeyboardInterrupt


def _noting(ran, name, call):
    def noted(*args, **named):
        ran.append(name)
        return call(*args, **named)

    return noted


def test_a_model_alone_can_be_looked_into(place):
    folder = run(place, "unlearn=null", "name=alone")
    analysis = read(folder)
    assert analysis["models"] == ["vanilla"]
    assert analysis["circuits"]["reason"].startswith("circuits compare two models")
    assert "No circuits: circuits compare two models" in (folder / "report.html").read_text()


def test_a_report_without_an_analysis_does_not_tell_an_old_one(place, folder):
    run(place, "analyze=null", start="report")
    assert "Inside the model" not in (folder / "report.html").read_text()
    run(place, start="report")
    assert "Inside the model" in (folder / "report.html").read_text()


def test_an_analysis_of_nothing_is_refused(place):
    with pytest.raises(RecipeError, match="analyze.*all off"):
        load_recipe(
            place / "recipe.yaml", ["analyze.distribution=false", "analyze.memory=false", "analyze.circuits=none"]
        )


