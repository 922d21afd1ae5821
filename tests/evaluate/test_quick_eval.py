"""A few questions to a model in between: what it measures, and that it leaves the model as it was."""

import sys
from collections import Counter
from dataclasses import replace

import pytest
import torch

from relearn_lite.core.records import QA
from relearn_lite.data.sources import question_texts
from relearn_lite.evaluate.choose import make_evaluators
from relearn_lite.evaluate.quick_eval import quick_eval, selection_questions, stopping_questions
from relearn_lite.models import backends
from relearn_lite.models.loaded import UNLEARNED
from relearn_lite.pipeline.run_state import Run
from relearn_lite.recipe import Lora, load_recipe
from relearn_lite.writers.question_forms import rewordings
from relearn_lite.writers.question_parser import parse_question

quick_eval_module = sys.modules[quick_eval.__module__]


@pytest.fixture
def work(tmp_path):
    text = (
        "name: c\nmodel: {name: embedded, quantization: none}\ngenerate: {max_new_tokens: 48}\n"
        "data: {forget: {preset: people/forget, limit: 4}, retain: {preset: people/retain, limit: 4}}\n"
    )
    (tmp_path / "recipe.yaml").write_text(text)
    return Run(load_recipe(tmp_path / "recipe.yaml"), tmp_path)


def test_a_new_adapter_is_vanilla_and_a_ruined_one_is_not(work):
    loaded = backends.load(work.recipe.model, 0)
    backends.add_adapter(loaded, UNLEARNED, Lora(r=2), 0)
    apart = {f"{side}_select": work.data[side] for side in ("forget", "retain")}
    questions = selection_questions(apart, 2)
    assert [qa.id for qa in questions["forget"]] == [work.data["forget"][n].id for n in (0, 3)]
    ask = quick_eval(work.recipe, loaded, questions, make_evaluators(work.recipe, lambda: loaded))
    loaded.model.train()
    before = torch.get_rng_state()
    reading = ask()
    assert torch.equal(torch.get_rng_state(), before) and loaded.model.training
    assert reading.krr == 1.0 and reading.ls_share == pytest.approx(1.0)
    assert [a["split"] for a in reading.answers] == ["forget", "forget", "retain", "retain"]
    assert all(a["generated_response"] for a in reading.answers)

    with torch.no_grad():
        for name, parameter in loaded.model.named_parameters():
            if f".{UNLEARNED}." in name:
                parameter.normal_(std=1.0)
    ruined = ask()
    assert ruined.krr == 0.0 and (ruined.ls_share is None or ruined.ls_share < 0.5)


def test_a_general_question_lost_and_another_won_is_the_same_share_but_less_kept(work, monkeypatch):
    loaded = backends.load(work.recipe.model, 0)
    backends.add_adapter(loaded, UNLEARNED, Lora(r=2), 0)
    asked = [QA(f"c{n}", f"Which city is number {n}?", city) for n, city in enumerate(("Paris.", "Rome.", "Oslo."))]
    right = {"vanilla": {"c0", "c1"}, "unlearned": {"c1", "c2"}}
    real = quick_eval_module._answers

    def answers(recipe, loaded, side, asked, model):
        said = real(recipe, loaded, side, asked, model)
        texts = {qa.id: qa.answer if qa.id in right[model] else "Nobody knows." for qa in asked}
        return [replace(a, generated_response=texts[a.id]) for a in said] if side == "control" else said

    monkeypatch.setattr(quick_eval_module, "_answers", answers)
    questions = {side: work.data[side][:1] for side in ("forget", "retain")} | {"control": asked}
    found = quick_eval(work.recipe, loaded, questions, make_evaluators(work.recipe, lambda: loaded))()
    assert (found.kept_general, found.general_share) == (0.5, 1.0)


@pytest.mark.parametrize(("failed", "kept", "share"), [("unlearned", 0.5, 0.5), ("vanilla", 1.0, 1.0)])
def test_a_general_answer_that_could_not_be_judged_is_not_lost(work, monkeypatch, failed, kept, share):
    """It counted as wrong: a judge that fails now and then ended training, or let it go on."""
    loaded = backends.load(work.recipe.model, 0)
    backends.add_adapter(loaded, UNLEARNED, Lora(r=2), 0)
    asked = [QA(f"c{n}", f"Which city is number {n}?", city) for n, city in enumerate(("Paris.", "Rome.", "Oslo."))]
    said = {model: {qa.id: qa.answer for qa in asked} for model in ("vanilla", "unlearned")}
    said[failed]["c0"] = "Unreadable."
    if failed == "unlearned":
        said[failed]["c1"] = "Nobody knows."
    real, judges = quick_eval_module._answers, make_evaluators(work.recipe, lambda: loaded)

    def answers(recipe, loaded, side, asked, model):
        made = real(recipe, loaded, side, asked, model)
        return [replace(a, generated_response=said[model][a.id]) for a in made] if side == "control" else made

    class Failing(type(judges.entities)):
        def extract(self, items):
            made = zip(items, super().extract(items), strict=True)
            return [None if text == "Unreadable." else found for (_, text), found in made]

    monkeypatch.setattr(quick_eval_module, "_answers", answers)
    questions = {side: work.data[side][:1] for side in ("forget", "retain")} | {"control": asked}
    found = quick_eval(work.recipe, loaded, questions, replace(judges, entities=Failing()))()
    assert (found.kept_general, found.general_share) == (kept, share)


@pytest.mark.parametrize(("right", "before", "share"), [
    (4, 5, 1.0), (3, 5, 0.6), (3, 4, 0.75), (7, 5, 1.4), (18, 20, 0.9), (0, 1, 0.0), (0, 0, None),
])  # fmt: skip
def test_one_general_answer_that_tips_decides_nothing(right, before, share):
    """Of seven one was lost at every other check, each time another, and training went on to the end of its budget."""
    assert quick_eval_module._general_share(right, before) == share


@pytest.mark.parametrize(
    ("count", "forget"), [(3, {"plain": 2, "reworded": 1}), (8, {"plain": 3, "reworded": 3, "other": 5})]
)
def test_questions_to_stop_by_are_neither_trained_nor_reported(count, forget):
    """Those set apart in both wordings, and what room is left for other wordings of what is trained."""
    capitals = [
        QA(f"f{n}", f"What is the capital of {land}?", "x", f"Which city is the capital of {land}?")
        for n, land in enumerate(["Japan", "Kenya", "Peru", "Egypt", "India", "Chile", "Ghana", "Nepal"])
    ]
    data = {"forget": capitals, "retain": capitals, "forget_eval": capitals[3:], "retain_eval": capitals[3:],
            "forget_select": capitals[:3], "retain_select": capitals[:3], "control_select": capitals[:1]}  # fmt: skip
    trained = {qa.question.lower() for qa in capitals} | {f"name the capital of {land}." for land in ("egypt", "nepal")}
    asked = stopping_questions(data, count, trained, seed=1)
    assert asked == stopping_questions(data, count, trained, seed=1) and asked["control"] == capitals[:1]
    kinds = Counter(qa.id.partition("/")[2] or "plain" for qa in asked["forget"])
    assert kinds == forget
    reported = {text for qa in capitals[3:] for text in question_texts(qa)}
    plain = {qa.id: qa.question for qa in capitals}
    assert all(qa.paraphrase == plain[qa.id.partition("/")[0]] for qa in asked["forget"] if "/" in qa.id)
    new = {qa.question.lower() for qa in asked["forget"] if qa.id.endswith("/other")}
    assert not new & (trained | reported) and len({qa.question for qa in asked["forget"]}) == len(asked["forget"])


def test_a_fact_whose_every_wording_is_trained_is_asked_in_one_of_them():
    """Such facts were not asked about, and training ended with two of eight still told."""
    people = ["Ada Moor", "Bo Quill", "Cy Rowe"]
    facts = [QA(f"f{n}", f"In which year did {who} die?", "x") for n, who in enumerate(people)]
    data = {"forget": facts, "retain": facts, "forget_eval": facts, "retain_eval": facts}
    wordings = {text.lower() for qa in facts for text in rewordings(parse_question(qa.question))}
    left = "name the year that ada moor died."
    assert left in wordings
    asked = stopping_questions(data, 12, wordings - {left}, seed=1)["forget"]
    assert asked[0].question.lower() == left, "what is not trained comes first"
    assert len(asked) == 3 and all(qa.question.lower() in wordings - {left} for qa in asked[1:])
    assert not {qa.question for qa in asked} & {qa.question for qa in facts}, "these are reported"


def test_how_far_the_answers_moved_is_told_where_it_is_asked_for(work):
    loaded = backends.load(work.recipe.model, 0)
    backends.add_adapter(loaded, UNLEARNED, Lora(r=2), 0)
    questions = {side: work.data[side] for side in ("forget", "retain")}
    ask = quick_eval(work.recipe, loaded, questions, make_evaluators(work.recipe, lambda: loaded), likelihood=True)
    same = ask()
    assert same.moved == pytest.approx(0.0, abs=1e-6) and same.broken == 0.0 and same.krr_share == 1.0
    with torch.no_grad():
        for name, parameter in loaded.model.named_parameters():
            if f".{UNLEARNED}." in name:
                parameter.normal_(std=1.0)
    assert ask().moved > 1.0 and ask().krr_share == 0.0


def test_a_reported_wording_is_not_asked_in_training_because_it_lacks_its_end():
    fact = QA("f1", "In which year did Ada Moor die?", "x")
    forms = rewordings(parse_question(fact.question))
    reported = [QA(f"e{n}", form.rstrip("?."), "x") for n, form in enumerate(forms[1:])]
    data = {"forget": [fact], "retain": [], "forget_eval": [fact, *reported], "retain_eval": []}
    for seed in range(5):
        assert [qa.question for qa in stopping_questions(data, 12, (), seed)["forget"]] == forms[:1]


@pytest.mark.parametrize(("facts", "each"), [(1, 4), (2, 2), (3, 1)])
def test_a_few_facts_are_asked_in_several_wordings(facts, each):
    rows = [QA(f"f{n}", f"What is the capital of {land}?", "x") for n, land in enumerate(["Peru", "Chile", "Kenya"])]
    data = {"forget": rows[:facts], "retain": [], "forget_eval": rows[:facts], "retain_eval": []}
    asked = stopping_questions(data, 12, (), seed=1)["forget"]
    assert len({qa.id for qa in asked}) == len({qa.question for qa in asked}) == each * facts
