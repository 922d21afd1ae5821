"""A whole run on the embedded model, small: what it leaves, and what a second run does not do again."""

import json
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from relearn_lite.core.errors import RecipeError
from relearn_lite.core.memory import peak_memory_mb
from relearn_lite.pipeline import pipeline
from relearn_lite.pipeline.run_folder import RunFolder
from relearn_lite.recipe import load_recipe

RECIPE = """
name: small
model: {name: embedded, quantization: 4bit, max_length: 160}
data:
  control: none
  nothing_known: go_on
  forget: {preset: people/forget, limit: 6, paraphrase: paraphrase}
  retain: {preset: people/retain, limit: 6}
  generic: {preset: people/general, limit: 6}
unlearn: {epochs: 1, lr: 1.0e-3, batch_size: 16, accumulate: 1}
generate: {max_new_tokens: 48}
"""


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pipeline")
    (folder / "recipe.yaml").write_text(RECIPE)
    return folder


def run(place, *overrides, **options):
    return pipeline.run(load_recipe(place / "recipe.yaml", overrides), runs=place / "runs", quiet=True, **options)


@pytest.fixture(scope="module")
def folder(place):
    return run(place)


def test_a_run_folder_has_what_the_design_promises(folder: Path):
    files = [
        "recipe.yaml",
        "manifest.json",
        "augmented.jsonl",
        "dropped.jsonl",
        "adapter/adapter_model.safetensors",
        "answers/vanilla_forget.jsonl",
        "answers/unlearned_retain.jsonl",
        "metrics.json",
        "samples.jsonl",
        "report.html",
        "report.md",
    ]
    assert [name for name in files if not (folder / name).is_file()] == []
    assert not list(folder.rglob("*.ckpt")), "checkpoints of a finished stage only take space"


def test_a_stage_that_was_stopped_says_that_its_time_is_that_of_the_last_try(place, monkeypatch):
    from relearn_lite.report.run_report import stage_table

    def stop(work):
        raise KeyboardInterrupt

    few = ("name=stopped", "unlearn.method=ga", "generate.max_new_tokens=2")
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setitem(pipeline.STAGES, "generate", replace(pipeline.STAGES["generate"], run=stop))
        run(place, *few, until="generate")
    manifest = json.loads((run(place, *few, until="generate") / "manifest.json").read_text())
    times = {row.name: row.at("time")[0].text for row in stage_table(manifest).rows}
    assert times["generate"].startswith("at least ") and times["all"].startswith("at least ")
    assert times["unlearn"][0].isdigit()


def test_a_run_that_wrote_checkpoints_leaves_no_empty_folder_of_them(place, monkeypatch):
    written, finish = [], RunFolder.finish
    monkeypatch.setattr(RunFolder, "finish", lambda folder, *inputs: (
        written.extend(folder.path.rglob("*.ckpt")), finish(folder, *inputs)
    ))  # fmt: skip
    folder = run(place, "name=checkpoints", "unlearn.method=ga", "unlearn.checkpoint_every=1", until="unlearn")
    assert written and not (folder / "checkpoints").exists()


def test_the_model_that_was_taught_is_gone_before_the_next_stage(place, monkeypatch):
    """The trainer and the model in it referred to each other, and both stayed in memory beside the next model."""
    import gc

    from transformers import LlamaForCausalLM

    def alive():
        return sum(issubclass(type(each), LlamaForCausalLM) for each in gc.get_objects())

    gc.collect()
    before, found, finish = alive(), {}, RunFolder.finish

    def count(folder, stage, *inputs):
        found.setdefault(stage, alive() - before)
        finish(folder, stage, *inputs)

    monkeypatch.setattr(RunFolder, "finish", count)
    finetune = "finetune={epochs: 1, batch_size: 4, accumulate: 1, data: [{preset: people/forget, limit: 4}]}"
    run(place, finetune, "name=gone", "model.quantization=none", until="finetune")
    assert found == {"finetune": 0}


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere a process's peak cannot be begun anew")
def test_the_memory_of_a_stage_is_its_own_not_that_of_what_came_before(place):
    large = b"x" * 900_000_000
    del large
    before = peak_memory_mb()
    folder = run(place, "name=peak", until="augment")
    peak = json.loads((folder / "manifest.json").read_text())["stages"]["augment"]["peak_memory_mb"]
    assert peak < before - 500


def test_metrics_have_both_models_and_say_who_judged(folder: Path):
    metrics = json.loads((folder / "metrics.json").read_text())
    for model in ("vanilla", "unlearned"):
        assert {"kfr", "krr", "ls_forget", "ppl_retain", "rougeL_forget", "forget_score", "missing"} <= metrics[
            model
        ].keys()
    assert metrics["vanilla"]["kfr"] <= 1 / 6  # it declines one question of 72, which is among these
    assert metrics["evaluators"]["language_model"].startswith("vanilla")
    assert metrics["comparable_with_paper"] is False
    assert any(told.startswith("model.chat_template is auto;") for told in metrics["differences_from_paper"])


def test_no_target_is_the_original_answer(folder: Path):
    answers = {row["ground_truth"] for row in map(json.loads, (folder / "answers/vanilla_forget.jsonl").open())}
    targets = [
        row["target"] for row in map(json.loads, (folder / "augmented.jsonl").open()) if row["kind"] != "generic"
    ]
    assert targets and not answers & set(targets)


def test_an_answer_never_contains_its_prompt(folder: Path):
    for row in map(json.loads, (folder / "answers/unlearned_forget.jsonl").open()):
        assert row["query"] not in row["generated_response"]


def test_a_second_run_does_nothing_again(place, folder: Path):
    before = {path: path.stat().st_mtime_ns for path in folder.rglob("*.jsonl")}
    stages = json.loads((folder / "manifest.json").read_text())["stages"]
    run(place)
    assert json.loads((folder / "manifest.json").read_text())["stages"] == stages
    assert {path: path.stat().st_mtime_ns for path in folder.rglob("*.jsonl")} == before


def test_another_recipe_is_refused_and_nothing_is_lost(place, folder: Path):
    with pytest.raises(RecipeError, match=r"unlearn\.lr was 0\.001, is 0\.002.*--from unlearn"):
        run(place, "unlearn.lr=0.002")
    assert (folder / "adapter/adapter_model.safetensors").exists()


def test_changed_data_is_noticed(place, folder: Path):
    with pytest.raises(RecipeError, match="content of data.forget"):
        run(place, "data.forget.limit=5")


def test_from_does_that_stage_and_all_after_it_again(place, folder: Path):
    before = json.loads((folder / "manifest.json").read_text())["stages"]
    run(place, "generate.max_new_tokens=4", start="generate")
    after = json.loads((folder / "manifest.json").read_text())["stages"]
    assert after["unlearn"] == before["unlearn"]
    assert after["generate"]["fingerprint"] != before["generate"]["fingerprint"]
    assert json.loads((folder / "metrics.json").read_text())


@pytest.mark.parametrize("method", ["ga", "npo_klr", "relearn_dpo_gdr"])
def test_other_terms_run_too(place, method):
    folder = run(place, f"unlearn.method={method}", f"name={method}", "model.quantization=none", until="unlearn")
    assert (folder / "adapter/adapter_model.safetensors").exists()
    assert (folder / "augmented.jsonl").exists() == method.startswith("relearn")


def test_what_finetune_teaches_may_come_up_more_than_once_in_an_epoch(place):
    taught_thrice = "data: [{preset: people/forget, limit: 4, repeat: 3}]"
    finetune = f"finetune={{epochs: 1, batch_size: 4, accumulate: 1, {taught_thrice}}}"
    taught = run(place, finetune, "name=taught", until="finetune")
    assert json.loads((taught / "manifest.json").read_text())["stages"]["finetune"]["rows"] == 12
