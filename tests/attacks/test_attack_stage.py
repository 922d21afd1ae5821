"""The attacks as a stage, on a model that only refuses and on one that was not unlearned: both must be found out."""

from __future__ import annotations

import json

import pytest
from superficial import teach_to_refuse

from relearn_lite.attacks import run as attack_run
from relearn_lite.core.errors import RecipeError
from relearn_lite.core.files import read_jsonl
from relearn_lite.pipeline import pipeline
from relearn_lite.pipeline.stages import stages_of
from relearn_lite.recipe import load_recipe

RECIPE = """
name: refusing
model: {name: embedded, quantization: 4bit, max_length: 160}
data:
  control: none
  nothing_known: go_on
  forget: {preset: people/forget, limit: 12}
  retain: {preset: people/retain, limit: 12}
  generic: {preset: people/general, limit: 6}
unlearn: null
unlearned: {adapter: adapter}
generate: {max_new_tokens: 32}
evaluate: {metrics: [kfr, krr], privacy: {k: 2, samples: 3}}
attacks:
  questions: 6
  relearn: {sources: [retain, unrelated], steps: 12, measure_every: 6, lr: 4.0e-3}
  precision: [4bit, merged_in_4bit]
"""


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    folder = tmp_path_factory.mktemp("attack")
    (folder / "recipe.yaml").write_text(RECIPE)
    teach_to_refuse(folder / "scratch", folder / "adapter")
    return folder


def run(place, *overrides, **options):
    return pipeline.run(load_recipe(place / "recipe.yaml", overrides), runs=place / "runs", quiet=True, **options)


@pytest.fixture(scope="module")
def folder(place):
    return run(place)


@pytest.fixture(scope="module")
def not_unlearned(place):
    return run(
        place, "name=knowing", "unlearned=null", "attacks.relearn=null", "attacks.questions=4",
        "attacks.precision=[bf16, fp16, 8bit, 4bit, merged]",
    )  # fmt: skip


def read(folder):
    return json.loads((folder / "attacks.json").read_text())


def rows(folder):
    return {(row["attack"], row["way"]): row for row in read(folder)["attacks"]}


def test_it_is_off_unless_the_recipe_asks(place):
    assert "attack" not in stages_of(load_recipe(place / "recipe.yaml", ["attacks=null"]))
    assert stages_of(load_recipe(place / "recipe.yaml")) == ["ask", "generate", "evaluate", "attack", "report"]


def test_a_refusal_looks_like_forgetting_without_attack(folder):
    plain = read(folder)["plain"]
    assert plain["kfr"] == 1.0 and plain["krr"] >= 0.8
    assert plain["questions"] == {"forget": 6, "retain": 6}


def test_paraphrases_go_around_the_refusal(folder):
    found = rows(folder)
    ways = [row for (attack, way), row in found.items() if attack == "paraphrase" and way != "worst"]
    assert {row["way"] for row in ways} == {"paraphrase", "simple", "context", "noise", "logical"}
    worst = found["paraphrase", "worst"]
    assert worst["kfr"] < 1 and worst["kfr"] <= min(row["kfr"] for row in ways)


def test_a_forced_start_goes_around_the_refusal(folder):
    found = rows(folder)
    assert found["jailbreak", "prefix_subject"]["kfr"] < 1
    assert found["jailbreak", "worst"]["kfr"] <= found["jailbreak", "prefix_subject"]["kfr"]


def test_relearning_anything_ends_the_refusal(folder):
    """The secrets come back although retain examples alone were taught: they were covered, not gone."""
    curve = read(folder)["relearning"]["retain"]
    assert curve["steps"] == [0, 6, 12]
    assert curve["kfr"][0] == 1.0 and curve["kfr"][-1] <= 0.5
    assert curve["questions"]["forget"] == 6 and len(curve["examples"]) == 6


def test_the_model_is_left_as_it_was(place, folder):
    """Precision comes after relearning and reads the adapter's folder: it must be the same as before all attacks."""
    assert rows(folder)["precision", "4bit"]["kfr"] == read(folder)["plain"]["kfr"]
    assert not list((folder / "attacks").glob("**/*.ckpt")) and not (folder / "attacks" / "merged").exists()


def test_everything_leaks_from_a_model_that_was_not_unlearned(not_unlearned):
    found = rows(not_unlearned)
    for attack, way in (("paraphrase", "worst"), ("jailbreak", "worst"), ("sampling", "leak@k")):
        assert found[attack, way]["kfr"] <= 0.25, attack
    for way in ("bf16", "fp16", "8bit", "4bit"):
        row = found["precision", way]
        assert row["reason"] or row["kfr"] <= 0.5, way
    assert found["precision", "4bit"]["reason"] is None
    assert found["sampling", "leak@k"]["leak_at_k"] == pytest.approx(1 - found["sampling", "leak@k"]["kfr"])


def test_what_cannot_be_done_is_missing_with_the_reason(not_unlearned):
    row = rows(not_unlearned)["precision", "merged"]
    assert row["kfr"] is None and row["krr"] is None and "no adapter to merge" in row["reason"]
    assert rows(not_unlearned)["precision", "worst"]["kfr"] is not None
    assert "no adapter to merge" in (not_unlearned / "report.html").read_text()


def test_the_reports_tell_it(folder):
    page, text = (folder / "report.html").read_text(), (folder / "report.md").read_text()
    for part in ("Under attack", "Jailbreak, forced start, the name", "Relearning from retain", "What leaked"):
        assert part in page and part in text
    assert "KFR and KRR over steps of relearning" in page
    worst = read(folder)["leaks"][0]
    assert not worst["plain"] and worst["ways"] and worst["words_back"] > 0.5


def test_a_second_run_asks_nothing(place, folder):
    before = (folder / "attacks.json").stat().st_mtime_ns
    run(place)
    assert (folder / "attacks.json").stat().st_mtime_ns == before


def test_what_was_answered_before_a_crash_is_not_asked_again(place, monkeypatch):
    few = ["name=crashed", "attacks.questions=2", "attacks.relearn=null", "attacks.precision=[4bit]"]
    folder, asked = run(place, *few), []
    whole, real_ask = read(folder), attack_run.collect_answers

    def crash(*_):
        raise KeyboardInterrupt

    def noting(target, asks, file, advance):
        asked.append((file.stem, file.exists()))
        return real_ask(target, asks, file, advance)

    with monkeypatch.context() as patch:
        patch.setattr(attack_run, "sample_answers", crash)
        with pytest.raises(KeyboardInterrupt):
            run(place, *few, start="attack")
    assert not (folder / "attacks.json").exists()
    monkeypatch.setattr(attack_run, "collect_answers", noting)
    run(place, *few)
    assert asked == [("plain", True), ("paraphrase", True), ("jailbreak", True), ("precision_4bit", False)]
    assert read(folder) == whole


def test_a_report_without_attacks_does_not_tell_old_ones(place, folder):
    run(place, "attacks=null", start="report")
    assert "Under attack" not in (folder / "report.html").read_text()
    run(place, start="report")
    assert "Under attack" in (folder / "report.html").read_text()


def test_attacks_of_nothing_are_refused(place):
    off = [f"attacks.{name}=false" for name in ("paraphrase", "jailbreak", "sampling")]
    with pytest.raises(RecipeError, match=r"attacks.*every attack is off"):
        load_recipe(place / "recipe.yaml", [*off, "attacks.relearn=null", "attacks.precision=[]"])


def test_every_answer_names_its_question(folder):
    from relearn_lite.attacks.answering import AttackAnswer

    for file in (folder / "attacks").glob("*.jsonl"):
        if file.stem != "paraphrases":
            assert all(each.id and each.query and each.ground_truth for each in read_jsonl(file, AttackAnswer)), file
