"""Relearning: what is taught is not asked, and the attacked model is left as it was."""

from __future__ import annotations

import pytest
import torch
from people import known

from relearn_lite.attacks.answering import AttackAnswer, Target
from relearn_lite.attacks.relearning import RelearningPlan, measured_steps, relearn
from relearn_lite.core.files import read_jsonl
from relearn_lite.core.records import QA
from relearn_lite.models import backends
from relearn_lite.models.loaded import UNLEARNED
from relearn_lite.recipe import Generate, Lora, Model, Relearning, Trainer


def rows(name: str, count: int) -> list[QA]:
    return [QA(f"{name}-{n}", f"Question {n} of {name}?", f"Answer {n} of {name}.") for n in range(count)]


def test_examples_are_rows_that_are_not_asked_where_these_are_enough():
    forget, retain = rows("forget", 10), rows("retain", 10)
    asked = {"forget": forget[::2], "retain": retain[::2]}
    settings = Relearning(examples=4, sources=["forget", "retain"])
    plan = RelearningPlan.of(settings, {"forget": forget, "retain": retain, "unrelated": []}, asked)
    assert plan.questions == asked
    assert not {qa.id for qa in plan.examples["forget"]} & {qa.id for qa in forget[::2]}
    assert len(plan.examples["forget"]) == len(plan.examples["retain"]) == 4


def test_what_is_taught_is_never_asked_under_another_id_either():
    forget = rows("forget", 4)
    same_answer = QA("again", "Another question?", forget[0].answer)
    same_question = QA("too", forget[3].question, "Another answer.")
    asked = {"forget": [*forget, same_answer, same_question], "retain": []}
    plan = RelearningPlan.of(Relearning(examples=2, sources=["forget"]), {"forget": forget}, asked)
    assert [qa.id for qa in plan.examples["forget"]] == ["forget-0", "forget-3"]
    assert [qa.id for qa in plan.questions["forget"]] == ["forget-1", "forget-2"]


def test_where_nothing_is_left_to_ask_what_helps_is_told():
    """One example cannot be lowered."""
    forget = rows("forget", 2)
    few, many = (
        RelearningPlan.of(Relearning(examples=count, sources=["forget"]), {"forget": asked}, {"forget": asked})
        for count, asked in ((1, forget[:1]), (2, forget))
    )
    assert few.why_not("forget").endswith("; ask more questions (data.forget_eval)")
    assert many.why_not("forget").endswith("; lower attacks.relearn.examples")


def test_another_case_or_mark_at_the_end_makes_no_other_question_and_no_other_answer():
    forget = rows("forget", 2)
    same_question = QA("asked", forget[0].question.upper().rstrip("?"), "In quite other words.")
    same_answer = QA("told", "Another question?", f" {forget[1].answer.lower().rstrip('.')}")
    free = QA("free", "What else?", "Nothing.")
    asked = {"forget": [same_question, same_answer, free], "retain": []}
    plan = RelearningPlan.of(Relearning(examples=2, sources=["forget"]), {"forget": forget}, asked)
    assert plan.examples["forget"] == forget
    assert plan.questions["forget"] == [free]


def test_a_curve_that_cannot_be_had_has_a_reason():
    forget = rows("forget", 2)
    plan = RelearningPlan.of(
        Relearning(examples=2, sources=["forget", "unrelated"]),
        {"forget": forget, "retain": [], "unrelated": []}, {"forget": forget, "retain": []},
    )  # fmt: skip
    assert "data.generic holds no examples" in plan.why_not("unrelated")
    assert "stands among the examples, or its answer does; lower attacks.relearn.examples" in plan.why_not("forget")


def test_the_last_step_is_always_measured():
    assert measured_steps(Relearning(steps=12, measure_every=5)) == [5, 10, 12]
    assert measured_steps(Relearning(steps=3, measure_every=5)) == [3]


@pytest.fixture
def unlearned():
    loaded = backends.load(Model(quantization="none"), seed=0)
    backends.add_adapter(loaded, UNLEARNED, Lora(r=2, alpha=4, dropout=0.1), seed=0)
    loaded.model.eval()
    return loaded


def test_it_trains_a_copy_and_removes_it(unlearned, tmp_path):
    settings = Relearning(examples=2, sources=["forget"], steps=2, measure_every=1, lr=5e-2, lora=Lora(r=2, alpha=4))
    forget, retain = list(known()[:5]), list(known("retain")[:2])
    plan = RelearningPlan.of(settings, {"forget": forget}, {"forget": forget[:3], "retain": retain})
    target = Target(unlearned, unlearned.unlearned_adapters, Generate(max_new_tokens=8), seed=0)
    before = {name: value.clone() for name, value in unlearned.model.state_dict().items()}
    told = []
    for _ in range(2):  # a second curve begins where the first did
        relearn(target, plan, "forget", Trainer(), tmp_path / f"r{len(told)}.jsonl", told.append)
    after = unlearned.model.state_dict()
    assert before.keys() == after.keys() and all(torch.equal(before[name], after[name]) for name in before)
    assert list(unlearned.model.peft_config) == [UNLEARNED]
    assert not any(parameter.requires_grad for parameter in unlearned.model.parameters())
    first, second = sorted(tmp_path.glob("*.jsonl"))
    assert first.read_text() == second.read_text() and not [path for path in tmp_path.iterdir() if path.is_dir()]
    attempts = list(read_jsonl(first, AttackAnswer))
    assert {each.way for each in attempts} == {"step 1", "step 2"} and len(attempts) == 2 * 5
    step_1, step_2 = ([a.generated_response for a in attempts if a.way == way] for way in ("step 1", "step 2"))
    assert step_1 != step_2, "with such a rate every step shows"
