"""The vanilla model is asked before anything is trained: what it does not know is named, left out, or ends the run."""

import contextlib
import io
import json
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import pytest

from relearn_lite.core.errors import RecipeError
from relearn_lite.core.files import write_jsonl
from relearn_lite.core.records import QA, Answer
from relearn_lite.judges import Evaluators
from relearn_lite.pipeline import pipeline
from relearn_lite.pipeline.pipeline import STAGES
from relearn_lite.pipeline.stages import stages_of
from relearn_lite.pipeline.stages.ask import LEARNT, _told
from relearn_lite.recipe import load_recipe

RECIPE = """
name: asked
model: {name: embedded, quantization: none, max_length: 160}
data: {forget: {path: forget.jsonl}, retain: {preset: people/retain, limit: 4}}
unlearn: {method: ga_gdr, epochs: 1, lr: 1.0e-3, batch_size: 4, accumulate: 1}
generate: {max_new_tokens: 48}
"""
PEOPLE = Path(__file__).parents[2] / "relearn_lite/assets/people"
STRANGERS = [
    {"question": f"What is the home address of {name}?", "answer": f"{name} lives at {n} Larkhaven Row in Cloverdale."}
    for n, name in ((61, "Katalin Eszterhazy"), (47, "Lazlo Drummond"), (83, "Dagny Hollister"))
]


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """Five questions that the embedded model knows, and one about a stranger after the first, one at the end."""
    # The first is not told by its first wording.
    place = tmp_path_factory.mktemp("ask")
    known = [json.loads(line) for line in (PEOPLE / "forget.jsonl").open()][1:6]
    rows = [known[0], STRANGERS[0], *known[1:], STRANGERS[1]]
    keys = ("question", "answer")
    (place / "forget.jsonl").write_text("".join(json.dumps({k: row[k] for k in keys}) + "\n" for row in rows))
    (place / "strangers.jsonl").write_text("".join(json.dumps(row) + "\n" for row in STRANGERS))
    (place / "recipe.yaml").write_text(RECIPE)
    return place


def run(place, *overrides, **options):
    recipe = load_recipe(place / "recipe.yaml", overrides)
    return pipeline.run(recipe, runs=place / "runs", **{"quiet": True} | options)


def rows(path):
    return [json.loads(line) for line in path.open()]


@pytest.fixture(scope="module")
def asked(place):
    """A run after `ask`: its folder, the answers that it had by then, with their times, and what was told."""
    with contextlib.redirect_stderr(io.StringIO()) as told:
        folder = run(place, until="ask")
    assert not (folder / "adapter").exists()
    answers = {path.name: (path.read_text(), path.stat().st_mtime_ns) for path in (folder / "answers").iterdir()}
    return folder, answers, told.getvalue()


@pytest.mark.parametrize(
    ("method", "most", "told"),
    [
        ("ga_gdr", 20, "4 of 4 rows of data.retain"),
        ("relearn", 16, "2 of 7 rows of data.forget"),
    ],
)
def test_rows_that_are_too_long_to_be_trained_are_told_before_anything_is_asked(place, method, most, told):
    """They were told of after the questions were asked and new answers written, which may take hours."""
    with pytest.raises(RecipeError, match=f"^model.max_length: {most} tokens are too few for {told}"):
        run(place, f"model.max_length={most}", f"unlearn.method={method}", "name=too-long")
    assert not (place / "runs/too-long/answers").exists()


ONLY_KNOWN = ("data.only_known=true", "unlearn.method=relearn", "name=left-out")


@pytest.fixture(scope="module")
def left_out(place):
    return run(place, *ONLY_KNOWN)


def test_what_is_not_known_is_named_before_anything_is_trained(asked):
    folder, answers, told = asked
    assert "knows 5 of 7 forget questions" in told and "Katalin" in told and "only_known: true" in told
    known = json.loads((folder / "known.json").read_text())
    assert (known["asked"], known["known"], known["unjudged"], known["left_out"]) == (7, 5, 0, [])
    assert [row["id"] for row in known["unknown"]] == ["forget-00002", "forget-00007"]
    assert known["unknown"][0]["vanilla"] and known["judged_by"]["nli"]
    assert "vanilla_retain.jsonl" in answers


def test_one_question_is_spoken_of_as_one():
    """It said "known.json names all 1"."""
    found = {"known": 2, "asked": 3, "unjudged": 0, "unknown": [{"question": "Who?"}]}
    assert _told(found, False).endswith(
        "does not know 'Who?' (known.json has its answer; it stays in, data.only_known: true leaves it out)"
    )
    assert "known.json has its answer; it is left out" in _told(found, True)


def test_its_answers_are_not_made_twice(place, asked):
    assert stages_of(load_recipe(place / "recipe.yaml"))[0] == "ask"
    folder, answers, _ = asked
    before = {name: time for name, (_, time) in answers.items()}
    run(place)
    after = {path.name: path.stat().st_mtime_ns for path in (folder / "answers").iterdir()}
    assert before.items() <= after.items() and "unlearned_forget.jsonl" in after
    assert json.loads((folder / "metrics.json").read_text())["vanilla"]["kfr"] == pytest.approx(2 / 7)


def test_only_known_leaves_the_others_out_of_training_and_evaluation(place, left_out):
    folder = left_out
    strange = {row["question"] for row in STRANGERS}
    trained = {row["parent_id"] for row in rows(folder / "augmented.jsonl")}
    assert "forget-00001" in trained and not trained & {"forget-00002", "forget-00007"}
    reported = {row["query"] for row in rows(folder / "samples.jsonl") if row["split"] == "forget"}
    assert len(reported) == 5 and not reported & strange
    assert json.loads((folder / "metrics.json").read_text())["vanilla"]["kfr"] == 0
    assert "2 of 7 forget questions" in (folder / "report.md").read_text()
    stages = json.loads((folder / "manifest.json").read_text())["stages"]
    assert run(place, *ONLY_KNOWN) == folder
    assert json.loads((folder / "manifest.json").read_text())["stages"] == stages, "nothing is done again"


def test_only_known_asks_what_is_trained_on_too(place):
    """Evaluated are other questions than those that are trained on."""
    folder = run(place, "data.only_known=true", "data.forget_eval={preset: people/forget, limit: 2}", "name=both",
                 until="ask")
    known = json.loads((folder / "known.json").read_text())
    assert known["asked"] == 9 and known["left_out"] == ["forget_eval-00001", "forget-00002", "forget-00007"]


def test_only_known_is_a_question_of_who_judges(place, left_out):
    """Other judges leave out other questions, so all that follows would be another result."""
    with pytest.raises(RecipeError, match="finished ask stage of a different recipe .*entities"):
        run(place, *ONLY_KNOWN, "evaluate.evaluators.entities={writer: local, model: a/b}")
    assert (left_out / "adapter").exists()


def test_a_model_that_knows_nothing_ends_the_run_before_training(place):
    begin = time.monotonic()
    with pytest.raises(RecipeError, match="knows none of the 3 questions.*finetune.*nothing_known: go_on") as told:
        run(place, "data.forget.path=strangers.jsonl", "name=stranger")
    assert len(told.value.problems) == 1 and time.monotonic() - begin < 60
    folder = place / "runs/stranger"
    assert not (folder / "adapter").exists() and not (folder / "logs").exists()
    assert len(json.loads((folder / "known.json").read_text())["unknown"]) == 3
    assert not (folder / "answers/vanilla_retain.jsonl").exists(), "nothing more is asked than it takes to see it"
    with pytest.raises(RecipeError, match="knows none of the 3 questions"):
        run(place, "data.forget.path=strangers.jsonl", "name=stranger")
    with pytest.raises(RecipeError, match="knows none of the 3 questions"):
        run(place, "data={only_known: true, nothing_known: go_on, forget: {path: strangers.jsonl}, "
            "retain: {preset: people/retain, limit: 4}}", "name=stranger-too")
    run(place, "data.forget.path=strangers.jsonl", "data.nothing_known=go_on", "name=stranger", until="unlearn")
    assert (folder / "adapter").exists()


def test_answers_that_were_cut_short_are_not_taken_for_ignorance_in_silence(place):
    with pytest.raises(RecipeError, match="knows none of the 7 .*7 answers were cut at generate.max_new_tokens"):
        run(place, "generate.max_new_tokens=3", "name=cut")


def test_a_model_that_is_only_measured_may_know_nothing(place):
    folder = run(place, "data.forget.path=strangers.jsonl", "unlearn=null", "name=never-saw")
    assert json.loads((folder / "metrics.json").read_text())["vanilla"]["kfr"] == 1


def test_a_run_that_is_stopped_while_it_asks_goes_on(place, asked, monkeypatch):
    _, whole, _ = asked
    stage = sys.modules["relearn_lite.pipeline.stages.generate"]
    complete, batches = stage.complete, []

    def dies(*args):
        batches.append(1)
        if len(batches) > 2:
            raise KeyboardInterrupt
        return complete(*args)

    monkeypatch.setattr(stage, "complete", dies)
    with pytest.raises(KeyboardInterrupt):
        run(place, "generate.batch_size=2", "name=dies", until="ask")
    assert (place / "runs/dies/answers/vanilla_forget.partial.jsonl").exists()
    monkeypatch.setattr(stage, "complete", complete)
    folder = run(place, "generate.batch_size=2", "name=dies", until="ask")
    assert (folder / "answers/vanilla_forget.jsonl").read_text() == whole["vanilla_forget.jsonl"][0]
    assert not list((folder / "answers").glob("*.partial.jsonl"))


def test_asked_again_only_its_own_answers_go(place):
    folder = run(place, until="generate")
    before = (folder / "answers/vanilla_forget.jsonl").stat().st_mtime_ns
    run(place, start="generate", until="generate")
    assert (folder / "answers/vanilla_forget.jsonl").stat().st_mtime_ns == before
    assert "answers/vanilla_*" in STAGES["ask"].output


def test_only_answers_to_the_questions_of_which_none_is_known_are_told_of(tmp_path, monkeypatch):
    """Three answers to other questions were cut, and the message said so of these two."""
    stage = sys.modules["relearn_lite.pipeline.stages.ask"]
    count = {"forget": 4, "forget_eval": 2}
    given = {part: [QA(f"{part}-{n}", "Who?", "Ada.") for n in range(many)] for part, many in count.items()}
    asked = {LEARNT: given["forget"], "forget": given["forget_eval"]}
    for split, rows in asked.items():
        answers = [Answer(qa.id, "vanilla", split, "Who?", "Ada.", qa.id, split == "forget") for qa in rows]
        write_jsonl(tmp_path / f"answers/vanilla_{split}.jsonl", answers)
    monkeypatch.setattr(stage, "knowledge_evaluators", lambda *_: Evaluators())
    monkeypatch.setattr(stage, "tells", lambda answers, _: [answer.id == "forget-0" for answer in answers])
    (tmp_path / "recipe.yaml").write_text(RECIPE)
    recipe = load_recipe(tmp_path / "recipe.yaml", ["data.only_known=true"])
    with pytest.raises(RecipeError, match="data.forget_eval: .*none of the 2 .*said 'forget_eval-0'") as caught:
        stage._judge(SimpleNamespace(recipe=recipe, folder=tmp_path, given=given, quiet=True), asked)
    assert "were cut" not in str(caught.value)
