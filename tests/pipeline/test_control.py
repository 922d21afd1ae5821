"""The control of general ability: asked before and after, of what the vanilla model answers, never trained on."""

import json

import pytest

from relearn_lite.core.errors import RecipeError
from relearn_lite.data.sources import load, overlap
from relearn_lite.evaluate.known import answers_right
from relearn_lite.evaluate.score import score_evaluators
from relearn_lite.pipeline import pipeline
from relearn_lite.pipeline.check import check
from relearn_lite.recipe import Source, load_recipe

RECIPE = """
name: controlled
model: {name: embedded, quantization: none, max_length: 160}
data:
  forget: {preset: people/forget, limit: 6}
  retain: {preset: people/retain, limit: 4}
  control: control.jsonl
unlearn: {method: ga, epochs: 2, lr: 5.0e-3, batch_size: 2, accumulate: 1, evaluate_every: 3, keep_best: harmonic,
          watch: {lowest_krr: null, lowest_ls: null}}
generate: {max_new_tokens: 24}
"""


@pytest.fixture
def recipe(tmp_path):
    """Control questions of which the embedded model, which was taught them, answers most; and two that it cannot."""
    known = [{"question": qa.question, "answer": qa.answer}
             for qa in load(Source(preset="people/general"), "general", "data")[:14]]  # fmt: skip
    unknown = [{"question": "What is seven times six?", "answer": "42, forty-two."},
               {"question": "Which two days make up the weekend?", "answer": "Saturday and Sunday."}]  # fmt: skip
    (tmp_path / "control.jsonl").write_text("".join(json.dumps(row) + "\n" for row in known + unknown))
    (tmp_path / "recipe.yaml").write_text(RECIPE)
    return lambda *overrides: load_recipe(tmp_path / "recipe.yaml", overrides)


def test_the_project_brings_forty_questions_that_nothing_of_its_own_trains_on():
    control = load(Source(preset="control"), "control", "data.control")
    assert len(control) == len({qa.question for qa in control}) == 64
    for part in ("forget", "retain", "general", "lessons"):
        assert overlap(control, load(Source(preset=f"people/{part}"), part, "data")) == []


@pytest.mark.parametrize(("number", "said", "right"), [
    (7, "Two plus two is 4.", True), (7, "5", False), (2, "They are spring, summer, fall and winter.", True),
    (2, "Monday and Tuesday.", False), (12, "The capital of Spain is Madrid.", True), (12, "Barcelona", False),
    (33, "A doctor is someone who treats patients.", True), (33, "A musical instrument.", False),
    (38, "You say thank you.", True), (38, "Goodbye.", False),
    (28, "The opposite of big is small. This is a fundamental concept in mathematics and physics.", True),
    (50, "The opposite of cold is hot. It is a common word in thermodynamics and in cooking.", True),
    (28, "The opposite of big is little.", True), (28, "The opposite of big is large.", False),
])  # fmt: skip
def test_its_answers_are_judged_as_a_person_would(number, said, right):
    from relearn_lite.core.records import Answer

    qa = load(Source(preset="control"), "control", "data.control")[number]
    answer = Answer(qa.id, "m", "control", qa.question, qa.answer, said)
    assert answers_right([answer], score_evaluators()) == [right]


def test_no_sum_is_solved_by_putting_it_in_figures():
    """ "We divide 9 by 3" says 3, which was what nine divided by three is."""
    from relearn_lite.core.records import Answer

    figures = {word: str(n) for n, word in enumerate("two three four five six seven eight nine ten".split(), 2)}
    asked = [qa for qa in load(Source(preset="control"), "control", "data.control") if qa.answer[0].isdigit()]
    answers = [
        Answer(qa.id, "m", "control", qa.question, qa.answer,
               " ".join(figures.get(word, word) for word in qa.question.rstrip("?").split()) + ".")
        for qa in asked
    ]  # fmt: skip
    assert len(asked) > 10 and not any(answers_right(answers, score_evaluators()))


def test_it_is_asked_of_both_models_and_stands_in_every_place(recipe, tmp_path):
    folder = pipeline.run(recipe(), runs=tmp_path, quiet=True)
    metrics = json.loads((folder / "metrics.json").read_text())
    before, after = metrics["vanilla"], metrics["unlearned"]
    assert before["kept_general"] == 1 and 0 <= after["kept_general"] <= 1
    samples = [row for row in map(json.loads, (folder / "samples.jsonl").open()) if row["split"] == "control"]
    reported = {row["query"] for row in samples}
    assert 3 <= len(samples) <= 11
    assert not {"What is seven times six?", "Which two days make up the weekend?"} & reported
    note = after["notes"]["kept_general"]
    assert note.startswith(f"{len(samples)} of 12 control questions") and note == before["notes"]["kept_general"]
    still, in_all = round(after["kept_general"] * len(samples)), round(12 * after["right_general"])
    assert still <= in_all <= still + 12 - len(samples) and round(12 * before["right_general"]) == len(samples)
    assert metrics["difference"]["right_general"]["n"] == 12
    assert after["intervals"]["kept_general"][1] > after["intervals"]["kept_general"][0]
    assert metrics["difference"]["kept_general"]["n"] == len(samples)
    assert before["ls_general"] > 0 and metrics["difference"]["ls_general"]["n"] == 12, "right or wrong, all of them"
    page = (folder / "report.md").read_text()
    assert "General ability" in page
    checks = [json.loads(line) for line in (folder / "logs/unlearn/checks.jsonl").open()]
    assert all(check["kept_general"] is not None for check in checks), "what is kept is chosen by it too"
    chosen_by = {answer["query"] for check in checks for answer in check["answers"] if answer["split"] == "control"}
    assert chosen_by and not chosen_by & reported, "and not by what is reported"


def test_where_vanilla_answers_nothing_it_is_missing_with_the_reason(recipe, tmp_path):
    """The embedded model knows twelve invented people and little else."""
    rows = [{"question": "What is seven times six?", "answer": "42, forty-two."}]
    (tmp_path / "hard.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    folder = pipeline.run(recipe("data.control=hard.jsonl", "unlearn.method=relearn", "unlearn.epochs=1",
                                 "unlearn.evaluate_every=null", "unlearn.keep_best=null", "name=hard"),
                          runs=tmp_path, quiet=True)  # fmt: skip
    for model in ("vanilla", "unlearned"):
        numbers = json.loads((folder / "metrics.json").read_text())[model]
        assert numbers["kept_general"] is None
        assert "answers none of the 1 control" in numbers["reasons"]["kept_general"]
        assert numbers["ls_general"] > 0


def test_none_asks_nothing_and_what_is_trained_on_is_no_control(recipe):
    assert not any(part.startswith("control") for part in check(recipe("data.control=none")))
    assert check(recipe("data.control=null")).keys() == check(recipe("data.control=none")).keys()
    with pytest.raises(RecipeError, match="data.control: 14 of its questions stand in data.generic too"):
        check(recipe("data.generic={preset: people/general}"))
    with pytest.raises(RecipeError, match="data.control.path"):
        check(recipe("data.control=nowhere.jsonl"))


def test_questions_of_the_projects_own_that_the_data_hold_are_left_out_and_named(recipe, tmp_path, capsys):
    """Who forgets what is the opposite of what need not know which questions the project asks."""
    pairs = {"big": "small", "inside": "outside"}
    opposites = [{"question": f"What is the opposite of {a}?", "answer": f"It is {b}."} for a, b in pairs.items()]
    (tmp_path / "opposites.jsonl").write_text("".join(json.dumps(row) + "\n" for row in opposites))
    data = check(recipe("data.control={preset: control}", "data.forget={path: opposites.jsonl}"))
    asked = [*data["control_eval"], *data["control_select"]]
    assert len(asked) == 63 and "What is the opposite of big?" not in {qa.question for qa in asked}
    assert "What is the opposite of big?" in capsys.readouterr().err
