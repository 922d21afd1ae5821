"""What a stage hangs on: no more, so that results are shared; no less, so that no other model's pass for its own."""

from __future__ import annotations

import json
import shutil

import pytest

from relearn_lite.core.records import QA
from relearn_lite.pipeline.fingerprints import SAMPLE, SAMPLES, fingerprint, inputs, model_digest
from relearn_lite.recipe import load_recipe

RECIPE = """
name: marked
model: {name: org/one, quantization: none}
data: {forget: {preset: people/forget}, retain: {preset: people/retain}}
finetune: {}
"""


@pytest.fixture
def mark(tmp_path):
    def read(stage, *overrides):
        (tmp_path / "recipe.yaml").write_text(RECIPE)
        return fingerprint(inputs(load_recipe(tmp_path / "recipe.yaml", overrides), {}, stage))

    return read


@pytest.mark.parametrize(
    "asks",
    [("augment.writer=local",), ("augment.writer=local", "augment.model=org/one"), ("augment.semantic={gain: 1}",)],
)
@pytest.mark.parametrize("change", ["model.revision=abc", "finetune.epochs=3", "finetune=null"])
def test_new_answers_hang_on_the_model_that_writes_or_weighs_them(mark, asks, change):
    assert mark("augment", *asks) != mark("augment", *asks, change)


def test_new_answers_hang_on_the_model_itself_where_it_writes(mark):
    assert mark("augment", "augment.writer=local") != mark("augment", "augment.writer=local", "model.name=org/two")


@pytest.mark.parametrize(
    "asks", [(), ("augment.writer=local", "augment.model=org/writer"), ("augment.semantic={similarity: 0.6}",)]
)
@pytest.mark.parametrize("change", ["model.name=org/two", "finetune.epochs=3", "unlearn.lr=0.1"])
def test_new_answers_are_shared_where_the_model_has_no_part_in_them(mark, asks, change):
    assert mark("augment", *asks) == mark("augment", *asks, change)


@pytest.fixture
def folder(tmp_path):
    place = tmp_path / "models" / "one"
    (place / "1_Pooling").mkdir(parents=True)
    (place / "config.json").write_text(json.dumps({"hidden_size": 64}))
    (place / "1_Pooling" / "config.json").write_text("{}")
    (place / "model.safetensors").write_bytes(bytes(3 * SAMPLES * SAMPLE))
    return place


@pytest.mark.parametrize("key", ["model.name", "augment.model", "augment.semantic.embeddings"])
def test_a_model_in_a_folder_is_told_by_what_lies_there(mark, folder, key):
    stage, more = ("unlearn", []) if key == "model.name" else ("augment", ["augment.writer=local"])
    told = [*more, f"{key}={folder}"]
    before = mark(stage, *told)
    assert mark(stage, *told) == before
    (folder / "config.json").write_text(json.dumps({"hidden_size": 32}))
    assert mark(stage, *told) != before


def test_judges_in_a_folder_count_too(mark, folder):
    told = [f"evaluate.evaluators.{key}={folder}" for key in ("embeddings", "nli", "language_model")]
    for override in told:
        before = mark("evaluate", override)
        (folder / "1_Pooling" / "config.json").write_text(f'{{"{override}": 1}}')
        assert mark("evaluate", override) != before


def test_other_weights_of_the_same_size_are_another_model_and_a_copy_is_the_same(folder, tmp_path):
    before = model_digest(folder)
    shutil.copytree(folder, tmp_path / "copy", copy_function=shutil.copyfile)  # with other times
    (tmp_path / "copy" / "README.md").write_text("Read me.")
    assert model_digest(tmp_path / "copy") == before
    with (folder / "model.safetensors").open("r+b") as file:  # every weight, as training does
        file.write(b"\x01" * 3 * SAMPLES * SAMPLE)
    assert model_digest(folder) != before
    with (tmp_path / "copy" / "model.safetensors").open("r+b") as file:
        file.seek(-1, 2)
        file.write(b"\x01")
    assert model_digest(tmp_path / "copy") not in (before, model_digest(folder))


RETAIN, REPORTED = [QA("r1", "Who wrote Emma?", "Austen.")], [QA("e1", "Name the writer of Emma.", "Austen.")]


@pytest.mark.parametrize(("keys", "counts"), [
    (["unlearn.retain_variants=2"], {"retain_eval"}),
    (["unlearn.lr=auto"], {"forget_eval", "retain_eval"}),
    ([], set()),
])  # fmt: skip
def test_training_hangs_on_the_questions_whose_wordings_it_keeps_clear_of(tmp_path, keys, counts):
    """A paraphrase that was added later stood among the trained rows, and they were taken for what it would train."""
    (tmp_path / "recipe.yaml").write_text(RECIPE)
    recipe = load_recipe(tmp_path / "recipe.yaml", ["unlearn.method=ga_gdr", *keys])
    data = {"forget": RETAIN, "retain": RETAIN, "forget_eval": RETAIN, "retain_eval": RETAIN}
    before = fingerprint(inputs(recipe, data, "unlearn"))
    for part in ("forget_eval", "retain_eval"):
        after = fingerprint(inputs(recipe, data | {part: REPORTED}, "unlearn"))
        assert (after != before) == (part in counts), part


def test_general_answers_hang_on_the_room_they_have(mark):
    """48 tokens at most, and half of a row."""
    short = mark("augment", "data.generic=self", "model.max_length=64")
    assert short != mark("augment", "data.generic=self", "model.max_length=128")
    assert mark("augment", "data.generic=self", "model.max_length=96") == mark("augment", "data.generic=self")
    assert mark("augment", "model.max_length=64") == mark("augment")
