"""Attacks and analysis in a comparison: added later, failed, taken away again; no finished stage is done twice."""

import csv
import json
import sys

import pytest

from relearn_lite.compare import compare, compare_runs, show
from relearn_lite.recipe import load_recipe

RECIPE = """
name: looks
model: {name: embedded, quantization: none, max_length: 160}
data:
  control: none
  nothing_known: go_on
  forget: {preset: people/forget, limit: 3}
  retain: {preset: people/retain, limit: 3}
unlearn: {method: ga, epochs: 1, lr: 2.0e-3, batch_size: 16, accumulate: 1, lora: {r: 4}}
generate: {max_new_tokens: 8}
evaluate: {metrics: [kfr, krr]}
compare:
  questions: 2
  methods:
    - {name: mild}
    - {name: broken, lr: 1.0e+30, epochs: 4}
"""
LOOKS = (
    "analyze={questions: 1, circuits: none}",
    "attacks={questions: 2, paraphrase: true, jailbreak: false, sampling: false, precision: [],"
    " relearn: {sources: [forget], examples: 1, steps: 1, measure_every: 1}}",
)


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    folder = tmp_path_factory.mktemp("looks")
    (folder / "recipe.yaml").write_text(RECIPE)
    return folder


def run(place, *overrides):
    return compare(load_recipe(place / "recipe.yaml", overrides), runs=place / "runs", quiet=True)


def stages(folder):
    manifests = {path: json.loads(path.read_text())["stages"] for path in folder.rglob("manifest.json")}
    return {f"{path.parent.name} {name}": stage["finished"] for path, done in manifests.items()
            for name, stage in done.items()}  # fmt: skip


def table(folder):
    with (folder / "compare.csv").open(newline="") as rows:
        return {row["method"]: row for row in csv.DictReader(rows)}


@pytest.fixture(scope="module")
def before(place):
    folder, _ = run(place)
    done, page = stages(folder), (folder / "compare.html").read_text()
    times = {path: path.stat().st_mtime_ns for path in folder.rglob("adapter_model.safetensors")}
    return done, page, list(table(folder)["mild"]), times


@pytest.fixture(scope="module")
def looked(place, before):
    return run(place, *LOOKS)


def test_without_them_nothing_is_told(before):
    done, page, columns, _ = before
    assert "Under attack" not in page and "Inside the models" not in page
    assert columns[-1] == "notes" and not any(name.endswith(("analyze", "attack")) for name in done)


def test_added_later_only_they_are_done_and_vanilla_is_attacked_once(before, looked):
    folder, _ = looked
    after, (done, _, _, times) = stages(folder), before
    assert set(after) - set(done) == {"vanilla attack", "mild analyze", "mild attack"}
    assert {name for name in done if after[name] != done[name]} <= {"mild report"}
    assert {path: path.stat().st_mtime_ns for path in folder.rglob("adapter_model.safetensors")} == times
    assert "Under attack" in (folder / "methods/mild/report.html").read_text()


def test_page_and_files_have_what_the_runs_found(looked):
    folder, _ = looked
    rows = table(folder)
    for name in ("vanilla", "mild"):
        attacks = json.loads((folder / "methods" / name / "attacks.json").read_text())
        assert float(rows[name]["attack_plain_kfr"]) == attacks["plain"]["kfr"]
        assert float(rows[name]["attack_relearning_forget_kfr"]) == attacks["relearning"]["forget"]["kfr"][-1]
        assert rows[name]["attack_jailbreak_kfr"] == ""
    analysis = json.loads((folder / "methods/mild/analysis.json").read_text())
    for name, model in (("vanilla", "vanilla"), ("mild", "unlearned")):
        told = analysis["distribution"]["summary"]["forget"][model]["first_entropy"]
        assert float(rows[name]["analysis_first_entropy_forget"]) == told
    assert {key for key, value in rows["broken"].items() if value} == {"method", "status", "notes"}
    for file in ("compare.html", "compare.md"):
        text = (folder / file).read_text()
        assert "Under attack" in text and "Inside the models" in text
    assert (folder / "compare.tex").read_text().count(r"\begin{tabular}") == 3


def test_the_console_tells_it_in_few_words(looked, capsys):
    folder, compared = looked
    show(compared, folder)
    shown = capsys.readouterr().out
    assert "Under attack: KFR" in shown and "worst case" in shown
    assert "\nJudged by" in shown


def test_finished_runs_show_what_their_folders_have(looked, tmp_path):
    folder, _ = looked
    compare_runs([folder / "methods/mild"], tmp_path)
    page = (tmp_path / "compare.html").read_text()
    assert "Under attack" in page and "Inside the models" in page
    rows = table(tmp_path)
    assert rows["mild"]["attack_plain_kfr"] and not rows["vanilla"]["attack_plain_kfr"]


def test_taken_away_again_all_is_as_before_and_what_was_found_is_kept(place, looked):
    folder, _ = looked
    done = stages(folder)
    run(place)
    page = (folder / "compare.html").read_text()
    assert "Under attack" not in page and "Inside the models" not in page
    assert "Under attack" not in (folder / "methods/mild/report.html").read_text()
    run(place, *LOOKS)
    assert {name for name, at in stages(folder).items() if done[name] != at} <= {"mild report"}
    assert "Under attack" in (folder / "compare.html").read_text()


def test_where_the_attack_fails_the_method_keeps_its_numbers_and_the_reason_is_told(place, before, monkeypatch):
    tried = []

    def fail(job):
        tried.append(job.folder.parent.name)
        raise RuntimeError("no room for <it>")

    monkeypatch.setattr(sys.modules["relearn_lite.pipeline.stages.attack"], "run_attacks", fail)
    few = ("name=fails", LOOKS[1], "compare.methods=[{name: mild}]")
    folder, (mild,) = run(place, *few)
    assert tried == ["vanilla", "mild"] and "attack broke off: RuntimeError, no room" in mild.failure
    row = table(folder)["mild"]
    assert row["status"] == "done" and row["kfr"] and "no room for" in row["notes"]
    run(place, *few)
    assert tried == ["vanilla", "mild", "vanilla"], "what failed is kept"
    monkeypatch.undo()
    run(place, *few[:1], LOOKS[1].replace("questions: 2", "questions: 1"), *few[2:])
    assert table(folder)["mild"]["attack_plain_kfr"], "asked otherwise it is tried again"
