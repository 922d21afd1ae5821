"""One request after another: a run starts from what others unlearned, and asks what they forgot again."""

from __future__ import annotations

import json
import shutil

import pytest

from relearn_lite.chat.conversation import Conversation
from relearn_lite.compare.finished import compare_runs
from relearn_lite.core.errors import RecipeError
from relearn_lite.data.examples import question_ids
from relearn_lite.export import Export, export_run
from relearn_lite.models import backends
from relearn_lite.models.generation import Decoding, answer_prompts
from relearn_lite.pipeline import check, pipeline
from relearn_lite.pipeline.finished_run import reopened
from relearn_lite.pipeline.run_state import Run
from relearn_lite.plan import memory_of_stages, model_sizes
from relearn_lite.recipe import load_recipe, to_yaml
from relearn_lite.report.compare import Compared, judged
from relearn_lite.report.run_results import RunResults
from relearn_lite.report.verdict import verdict

RECIPE = """
name: first
model: {name: embedded, quantization: none, max_length: 160}
data:
  preset: people
  control: none
  forget: {where: {person: Chidera Obalende}}
  retain: {where: {person: Tomasz Wielgomirski}, limit: 4}
unlearn: {method: ga, epochs: 1, lr: 5.0e-3, batch_size: 3, accumulate: 1, lora: {r: 4, dropout: 0.0}, warmup_epochs: 0}
generate: {max_new_tokens: 24}
evaluate: {evaluators: {language_model: none}, metrics: [kfr, krr, leak]}
"""
SECOND = ["name=second", "data.forget={where: {person: Haruto Minegawara}}", "model.adapters=[runs/first/adapter]"]
TOGETHER = ["name=together", "data.forget={where: {person: [Chidera Obalende, Haruto Minegawara]}}"]


def run(place, *overrides, **options):
    return pipeline.run(load_recipe(place / "recipe.yaml", overrides), runs=place / "runs", quiet=True, **options)


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """Two requests, the second on top of the first, and both at once."""
    folder = tmp_path_factory.mktemp("turns")
    (folder / "recipe.yaml").write_text(RECIPE)
    for overrides in ([], SECOND, TOGETHER):
        run(folder, *overrides)
    return folder


@pytest.fixture
def copied(place, tmp_path):
    """The same, to be changed."""
    shutil.copytree(place, tmp_path / "copy")
    return tmp_path / "copy"


def answers(place, name, file):
    lines = (place / "runs" / name / "answers" / f"{file}.jsonl").read_text().splitlines()
    return [json.loads(line)["generated_response"] for line in lines]


def metrics(place, name):
    return json.loads((place / "runs" / name / "metrics.json").read_text())


def problems(place, *overrides):
    with pytest.raises(RecipeError) as told:
        check(load_recipe(place / "recipe.yaml", overrides))
    return "\n".join(told.value.problems)


def test_it_starts_where_the_earlier_run_ended(place):
    """Vanilla of the second run answers the same questions as the unlearned model of the first."""
    assert answers(place, "second", "vanilla_forget_earlier") == answers(place, "first", "unlearned_forget")
    assert answers(place, "second", "vanilla_retain") == answers(place, "first", "unlearned_retain")
    assert answers(place, "first", "unlearned_forget") != answers(place, "first", "vanilla_forget")
    assert answers(place, "second", "unlearned_forget") != answers(place, "second", "vanilla_forget")


def test_so_it_does_in_4_bit(place):
    def asked(name, which):
        recipe = load_recipe(place / "runs" / name / "recipe.yaml", ["model.quantization=4bit"])
        loaded = Run(recipe, place / "runs" / name).model(which)
        prompts = [question_ids(loaded.tokenizer, question) for question in queries]
        adapters = loaded.adapters_of(which)
        return [made.text for made in answer_prompts(loaded, prompts, adapters, Decoding.of(recipe.generate, 0))]

    rows = (place / "runs/second/samples.jsonl").read_text().splitlines()
    queries = [json.loads(row)["query"] for row in rows]
    first = asked("first", "unlearned")
    assert asked("second", "vanilla") == first
    assert asked("first", "vanilla") != first != asked("second", "unlearned")


def test_the_earlier_adapter_is_not_trained_along(place):
    from safetensors.numpy import load_file

    recipe = load_recipe(place / "runs/second/recipe.yaml")
    loaded = Run(recipe, place / "runs/second").vanilla
    backends.add_adapter(loaded, "unlearned", recipe.unlearn.lora, seed=0)
    trained = {name for name, weight in loaded.model.named_parameters() if weight.requires_grad}
    assert trained and all(".unlearned." in name for name in trained)
    stored = load_file(place / "runs/first/adapter/adapter_model.safetensors")
    held = {name: value for name, value in loaded.model.state_dict().items() if ".before_1." in name}
    assert len(held) == len(stored) > 0
    for name, value in held.items():
        assert (value.numpy() == stored[name.replace(".before_1.", ".")]).all()
    assert loaded.vanilla_adapters == ("before_1",) and loaded.unlearned_adapters == ("before_1", "unlearned")


def test_what_earlier_runs_forgot_is_told_by_request(place):
    first, second = metrics(place, "first"), metrics(place, "second")
    told = second["vanilla"]["groups"]["kfr_earlier"]
    assert {name: cell["value"] for name, cell in told.items()} == {"first": first["unlearned"]["kfr"]}
    assert second["unlearned"]["kfr_earlier"] == second["unlearned"]["groups"]["kfr_earlier"]["first"]["value"]
    assert second["difference"]["kfr_earlier"]["n"] == 6 and "kfr_earlier" not in first["unlearned"]
    report = (place / "runs/second/report.md").read_text()
    assert "earlier requests" in report and "What earlier requests forgot" in report


def test_fluency_is_judged_by_the_model_before_all_requests(place):
    """The same ruler for each of them, not one that itself has forgotten."""
    assert load_recipe(place / "recipe.yaml").base_model == "vanilla"
    assert load_recipe(place / "recipe.yaml", SECOND).base_model == "without_adapter"


def test_a_comparison_shows_each_request_over_time_and_all_at_once(place):
    compare_runs([place / "runs" / name for name in ("first", "second", "together")], place)
    told = (place / "compare.md").read_text().partition("request by request")[2].partition("##")[0]
    heading, _, *lines = [line for line in told.splitlines() if line.startswith("|")]
    assert "first ↑" in heading and "second ↑" in heading and "together" not in heading
    cells = [[cell.strip() for cell in line.split("|")[2:-1]] for line in lines]
    assert [[cell == "—" for cell in line] for line in cells] == [[False, True], [False, False], [False, False]]
    second, together = metrics(place, "second")["unlearned"], metrics(place, "together")["unlearned"]
    told = [[float(cell.split()[0]) for cell in line if cell != "—"] for line in cells]
    assert told[0] == pytest.approx([metrics(place, "first")["unlearned"]["kfr"]], abs=0.001)
    assert told[1] == pytest.approx([second["kfr_earlier"], second["kfr"]], abs=0.001)
    assert sum(told[2]) / 2 == pytest.approx(together["kfr"], abs=0.001)


def test_the_base_model_is_the_same_judge_in_all_of_them():
    """The page said that they were not judged alike: in the first one the base model is vanilla, and was called so."""

    def judged_as(judge, recipe):
        return Compared(judge, RunResults("run", {"evaluators": {"language_model": judge}}, recipe=recipe))

    later = judged_as("base model (embedded)", "model: {adapters: [runs/first/adapter]}")
    assert "not judged alike" not in judged([judged_as("vanilla (embedded)", "finetune: null"), later])[0]
    assert "not judged alike" in judged([judged_as("vanilla (embedded)", "finetune: {epochs: 1}"), later])[0]
    forgot = judged_as("vanilla (embedded)", "model: {adapters: [runs/first/adapter]}")
    assert "not judged alike" in judged([forgot, later])[0]


def test_runs_that_start_from_none_have_no_requests(place):
    compare_runs([place / "runs" / name for name in ("first", "together")], place)
    assert "request by request" not in (place / "compare.md").read_text()


def test_chat_and_export_have_all_adapters(place, tmp_path):
    rows = map(json.loads, (place / "runs/first/samples.jsonl").read_text().splitlines())
    changed = next(row for row in rows if row["unlearned"] != row["vanilla"])
    talk = Conversation(reopened(place / "runs/second", "chat"))
    talk.begin(changed["query"])
    assert talk.answer("before", lambda _: None, lambda: False).text == changed["unlearned"]
    merged = export_run(reopened(place / "runs/second", "export"), Export(tmp_path / "whole"), lambda _: None)
    assert merged.same >= 0.9 * merged.asked  # merged weights round otherwise
    assert merged.numbers["exported"]["kfr_earlier"] == merged.numbers["adapter"]["kfr_earlier"]
    assert "The 2 adapters, one on top of the other, are merged" in (tmp_path / "whole/README.md").read_text()


def test_an_exported_adapter_says_what_it_sits_on(place, tmp_path):
    from hashlib import sha256

    asked = Export(tmp_path / "alone", formats=("adapter",))
    found = export_run(reopened(place / "runs/second", "export"), asked, lambda _: None)
    assert found.same == found.asked
    digest = sha256((place / "runs/first/adapter/adapter_model.safetensors").read_bytes()).hexdigest()
    card = (tmp_path / "alone/README.md").read_text()
    assert digest in card and "of no use without them" in card and "runs/first" not in card


def test_given_again_nothing_is_done_again(place):
    before = (place / "runs/second/metrics.json").stat().st_mtime_ns
    run(place, *SECOND)
    assert (place / "runs/second/metrics.json").stat().st_mtime_ns == before


def test_another_adapter_in_the_same_place_is_noticed(copied):
    file = copied / "runs/first/adapter/adapter_model.safetensors"
    shutil.copy(copied / "runs/second/adapter/adapter_model.safetensors", file)
    with pytest.raises(RecipeError, match=r"content of model\.adapters\.1 was"):
        run(copied, *SECOND)
    with pytest.raises(RecipeError, match="chat: .*first/adapter is not the adapter any more"):
        reopened(copied / "runs/second", "chat", ["model.adapters=[../first/adapter]"])


def test_adapters_go_on_in_the_order_in_which_they_were_trained(place):
    def third(*adapters):
        named = ", ".join(f"runs/{name}/adapter" for name in adapters)
        return ["name=third", f"model.adapters=[{named}]", "data.forget={where: {person: Ingrid Solvangen}}"]

    data = check(load_recipe(place / "recipe.yaml", third("first", "second")))
    assert [qa.group for qa in data["earlier"]] == ["first"] * 6 + ["second"] * 6
    alone = problems(place, *third("second"))
    assert "second/adapter was trained on top of" in alone and "puts it on the model alone" in alone
    assert "second/adapter was trained on top of" in problems(place, *third("second", "first"))
    assert "is named twice" in problems(place, *third("first", "first"))
    assert "together/adapter was trained on top of the model alone" in problems(place, *third("first", "together"))


def test_what_a_run_was_taught_lies_under_what_it_forgot(copied):
    taught = copied / "runs/taught"
    shutil.copytree(copied / "runs/first", taught)
    shutil.copytree(taught / "adapter", taught / "vanilla")
    (taught / "recipe.yaml").write_text(to_yaml(load_recipe(copied / "recipe.yaml", ["name=taught", "finetune={}"])))
    both = "model.adapters=[runs/taught/vanilla, runs/taught/adapter]"
    assert [qa.group for qa in check(load_recipe(copied / "recipe.yaml", [*SECOND, both]))["earlier"]] == ["taught"] * 6
    told = problems(copied, *SECOND, "model.adapters=[runs/taught/adapter]")
    assert "taught/adapter was trained on top of" in told and "taught/vanilla, and model.adapters puts it on" in told


def test_an_adapter_that_is_measured_needs_what_it_was_trained_on_too(place):
    measured = ["name=measured", "unlearn=null", "unlearned={adapter: runs/second/adapter}"]
    assert "unlearned.adapter: " in (told := problems(place, *measured)) and "on the model alone" in told
    check(load_recipe(place / "recipe.yaml", [*measured, "model.adapters=[runs/first/adapter]"]))


def test_what_cannot_lie_under_another_is_refused(copied, tiny_model_dir):
    assert "nowhere has no adapter_config.json" in problems(copied, "model.adapters=[nowhere]")
    told = problems(copied, *SECOND, f"model.name={tiny_model_dir}")
    assert f"was trained on embedded, and model.name is {tiny_model_dir}" in told
    config = copied / "runs/first/adapter/adapter_config.json"
    config.write_text(json.dumps(json.loads(config.read_text()) | {"use_dora": True}))
    assert "holds more than LoRA" in problems(copied, *SECOND)
    (copied / "runs/first/adapter/adapter_model.safetensors").unlink()
    assert "has no adapter_model.safetensors" in problems(copied, *SECOND)
    with pytest.raises(RecipeError, match="finetune would teach a model without them"):
        load_recipe(copied / "recipe.yaml", [*SECOND, "finetune={}"])


def test_one_of_another_shape_from_elsewhere_is_told_when_it_is_loaded(place, tiny_model_dir, tmp_path):
    shutil.copytree(place / "runs/first/adapter", tmp_path / "brought")
    overrides = [*SECOND[:2], f"model.adapters=[{tmp_path}/brought]", f"model.name={tiny_model_dir}"]
    with pytest.raises(RecipeError, match=r"model\.adapters: .*brought does not fit .*tiny_model"):
        pipeline.run(load_recipe(place / "recipe.yaml", overrides), runs=tmp_path / "runs", quiet=True)


def test_an_earlier_run_must_be_finished(copied):
    (copied / "runs/first/samples.jsonl").unlink()
    assert "first is not evaluated yet" in problems(copied, *SECOND)


def test_what_was_forgotten_is_not_taught_again(place):
    told = problems(place, *SECOND, "data.retain={preset: people/forget, where: {person: Chidera Obalende}}")
    assert "data.retain: 6 of its questions were forgotten by a run of model.adapters" in told


def test_unsloth_is_not_taken(place, monkeypatch):
    """As if Unsloth and a GPU were there."""
    monkeypatch.setattr("torch.cuda.is_available", lambda: True)
    monkeypatch.setattr(backends, "find_spec", lambda name: True)
    model = load_recipe(place / "recipe.yaml", SECOND).model.model_copy(update={"name": "hub/model"})
    assert backends.choose(model.model_copy(update={"adapters": []})) == "unsloth"
    assert backends.choose(model) == "transformers"
    with pytest.raises(RecipeError, match="model.backend: .*compute one adapter"):
        backends.choose(model.for_backend("unsloth"))


def test_plan_counts_them(place):
    """First and second train adapters of the same size, so the second has it twice."""
    recipe = load_recipe(place / "recipe.yaml", SECOND)
    sizes = model_sizes(recipe)
    trained = sizes.trained(recipe, "unlearn")
    assert sizes.earlier == trained > 0 and sizes.adapters(recipe) == 2 * trained
    parts = {stage.name: stage.parts.get("vanilla adapter") for stage in memory_of_stages(recipe, sizes)}
    assert parts["ask"] == parts["unlearn"] == 4 * trained


def test_the_verdict_says_whether_it_stays_forgotten():
    def told(before, after):
        vanilla, unlearned = {"kfr": 0.0, "kfr_earlier": before}, {"kfr": 1.0, "kfr_earlier": after}
        return verdict({"vanilla": vanilla, "unlearned": unlearned}, {"forget": 6, "forget_earlier": 12})

    assert "What earlier requests forgot is still forgotten: 100 % of those answers" in told(1.0, 1.0)
    assert "is told again in part: 75 % of those answers do not tell, 100 % before" in told(1.0, 0.75)
    assert "is told again: 50 % of those answers" in told(1.0, 0.5)
