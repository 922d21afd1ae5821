"""A model that was unlearned already, here or elsewhere: measured alone, or beside the model it was made from."""

import json
import sys

import pytest
from writers.test_server import chat_reply, free_port, serving

from relearn_lite.core.errors import RecipeError
from relearn_lite.models import backends
from relearn_lite.models.loaded import UNLEARNED
from relearn_lite.pipeline import pipeline
from relearn_lite.pipeline.stages import Run
from relearn_lite.recipe import Lora, Model, load_recipe
from relearn_lite.report.render import render_html
from relearn_lite.report.run_results import read_run

RECIPE = """
name: measured
model: {name: embedded, quantization: none, max_length: 160}
data:
  control: none
  nothing_known: go_on
  forget: {preset: people/forget, limit: 5}
  retain: {preset: people/retain, limit: 4}
unlearn: null
generate: {max_new_tokens: 24}
"""


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A recipe, and two that were unlearned elsewhere: an adapter, and whole weights without one."""
    import torch

    folder = tmp_path_factory.mktemp("measured")
    (folder / "recipe.yaml").write_text(RECIPE)
    loaded = backends.load(Model(quantization="none"), seed=0)
    backends.add_adapter(loaded, UNLEARNED, Lora(r=4, dropout=0.0), seed=0)
    torch.manual_seed(0)
    for name, weight in loaded.model.named_parameters():
        if "lora_B" in name:  # an adapter that has unlearned a little too much
            torch.nn.init.normal_(weight, std=0.5)
    backends.save_adapter(loaded, UNLEARNED, folder / "elsewhere")
    whole = loaded.model.merge_and_unload()
    whole.save_pretrained(folder / "whole")
    loaded.tokenizer.save_pretrained(folder / "whole")
    return folder


def run(place, *overrides, **options):
    return pipeline.run(load_recipe(place / "recipe.yaml", overrides), runs=place / "runs", quiet=True, **options)


def results(folder):
    return json.loads((folder / "metrics.json").read_text())


def test_a_model_is_measured_as_it_is(place):
    folder = run(place)
    metrics = results(folder)
    assert metrics["vanilla"]["kfr"] <= 0.4 and metrics["vanilla"]["ppl_forget"] > 1
    assert "unlearned" not in metrics and "difference" not in metrics
    assert not (folder / "adapter").exists() and (folder / "report.md").exists()
    page = render_html(read_run(folder)).replace("\xa0", " ")
    stricter = min(metrics["vanilla"]["kfr"], 1 - metrics["vanilla"]["leak"])
    assert f"One model, measured as it is: {stricter:.0%}".replace("%", " %") in page


@pytest.mark.parametrize("override", ["unlearned.adapter=elsewhere", "unlearned.model=./whole"])
def test_it_is_compared_with_what_was_unlearned_elsewhere(place, override):
    """Paths in a recipe are relative to it. The adapter and the weights it was merged into answer alike."""
    metrics = results(run(place, override, f"name={override[10:15]}"))
    before, change = metrics["vanilla"]["kfr"], metrics["difference"]["kfr"]
    assert before <= 0.4 and metrics["unlearned"]["kfr"] == 1
    assert change["mean"] == pytest.approx(1 - before) and change["n"] == 5
    assert change["low"] <= change["mean"] <= change["high"]
    assert metrics["difference"]["rougeL_forget"]["mean"] < 0
    assert metrics["evaluators"]["language_model"] == "vanilla (embedded)"


def test_an_adapter_is_read_once_for_all_questions(place, monkeypatch):
    """It was read from disk for each kind of question."""
    read, load = [], backends.load_adapter
    monkeypatch.setattr(backends, "load_adapter", lambda *args: read.append(args[1]) or load(*args))
    run(place, "unlearned.adapter=elsewhere", "name=once", until="generate")
    assert read == [UNLEARNED]


def test_a_model_to_compare_with_is_loaded_once_for_both(place, monkeypatch):
    loaded, load = [], backends.load
    monkeypatch.setattr(backends, "load", lambda settings, *more, **options: loaded.append(settings.name) or
                        load(settings, *more, **options))
    folder = run(place, "unlearned.adapter=elsewhere", "name=reference", "evaluate.metrics=[mia_reference]",
                 "evaluate.privacy.reference_model=./whole", "data.holdout={preset: people/untold, limit: 4}",
                 until="evaluate")  # fmt: skip
    assert loaded.count(str(place / "whole")) == 1
    assert all(results(folder)[model]["mia_reference"] is not None for model in ("vanilla", "unlearned"))


def test_only_one_of_two_models_with_whole_weights_is_in_memory(place):
    work = Run(load_recipe(place / "recipe.yaml", ["unlearned.model=./whole"]), place)
    vanilla = work.model("vanilla")
    other = work.model("unlearned")
    assert other is not vanilla and "vanilla" not in vars(work) and other.unlearned_adapters == ()
    assert work.model("vanilla") is work.vanilla and "other" not in vars(work)


def test_an_adapter_that_changed_is_not_taken_for_the_old_one(place):
    override = "unlearned.adapter=elsewhere", "name=changed"
    folder = run(place, *override, until="generate")
    config = place / "elsewhere" / "adapter_config.json"
    before = config.read_text()
    config.write_text(before + "\n")
    try:
        with pytest.raises(RecipeError, match="content of unlearned.adapter was .*--from generate"):
            run(place, *override)
    finally:
        config.write_text(before)
    assert (folder / "answers/unlearned_forget.jsonl").exists()


def test_what_is_not_there_or_does_not_fit_is_told(place, tiny_model_dir):
    with pytest.raises(RecipeError, match=r"unlearned\.adapter: .*nowhere has no adapter_config\.json and no .*; give"):
        run(place, "unlearned.adapter=nowhere", "name=nowhere")
    with pytest.raises(RecipeError, match=r"unlearned\.adapter: .*elsewhere does not fit .*; name the model"):
        run(place, "unlearned.adapter=elsewhere", f"model.name={tiny_model_dir}", "model.max_length=512", "name=other")
    for override, told in {
        "unlearned={}": "give either adapter",
        "unlearned={adapter: elsewhere, model: embedded}": "not both",
        "unlearned={model: ./nowhere}": "there is no folder",
    }.items():
        with pytest.raises(RecipeError, match=told):
            load_recipe(place / "recipe.yaml", [override])
    with pytest.raises(RecipeError, match=r"unlearned: .* add unlearn: null"):
        load_recipe(place / "recipe.yaml", ["unlearned.adapter=elsewhere", "unlearn.epochs=1"])


@pytest.mark.parametrize("down", [True, False])
def test_a_run_whose_judges_are_down_or_talk_nonsense_is_measured_without_them(place, down):
    def judged(url):
        server = f'{{writer: server, base_url: "{url}", model: tiny, timeout_s: 5}}'
        return results(run(
            place, f"evaluate.evaluators={{entities: {server}, judge: {server}, language_model: none}}",
            "evaluate.metrics=[kfr, krr, rouge, forgetting]", f"name=down-{down}",
        ))["vanilla"]  # fmt: skip

    if down:
        numbers = judged(f"http://127.0.0.1:{free_port()}/v1")
    else:
        with serving(lambda *_: (200, chat_reply("<html>Hello</html>"))) as (url, _):
            numbers = judged(url)
    assert numbers["kfr"] is numbers["krr"] is numbers["forgetting"] is None
    assert [numbers["missing"][key] for key in ("kfr", "krr", "forgetting")] == [5, 4, 5]
    assert ("nothing answers" in numbers["reasons"]["kfr"]) == down
    assert numbers["rougeL_forget"] > 0.5


def test_progress_is_told_for_every_metric(place, monkeypatch):
    from contextlib import contextmanager

    told = []

    @contextmanager
    def listen(stage, total, quiet):
        told.append((stage, total))
        yield lambda count=1, doing="": told.append((count, doing))

    run(place, until="generate")
    monkeypatch.setattr(sys.modules["relearn_lite.pipeline.stages.evaluate"], "stage_progress", listen)
    run(place, "evaluate.metrics=[kfr, rouge]", start="evaluate", until="evaluate")
    (stage, total), *steps = told
    assert (stage, total) == ("evaluate", 18) and sum(count for count, _ in steps) == pytest.approx(18)
    assert [doing for _, doing in steps][:3] == [
        "kfr of forget, vanilla", "rouge of forget, vanilla", "rouge of retain, vanilla"
    ]  # fmt: skip


def test_the_commit_that_a_hub_model_came_from_is_noted_by_the_stage_that_used_it(place, monkeypatch):
    """Without a revision the newest one is taken, which is another one tomorrow."""
    load = backends.load

    def from_the_hub(*args, **kwargs):
        loaded = load(*args, **kwargs)
        loaded.model.config._commit_hash = "c0ffee"  # as transformers notes it
        return loaded

    def noted(name):
        stages = json.loads((run(place, f"name={name}", until="generate") / "manifest.json").read_text())["stages"]
        return stages["ask"].get("commits")

    assert noted("from-a-file") is None
    monkeypatch.setattr(backends, "load", from_the_hub)
    assert noted("from-the-hub") == {"embedded": "c0ffee"}
