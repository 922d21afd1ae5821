"""What of an answer is in the model word for word."""

import pytest
from people import embedded_model, evaluated, known, slow_log_probs, told, unseen

from relearn_lite.evaluate.evaluate import evaluate
from relearn_lite.judges import Evaluators
from relearn_lite.metrics.memorization import exact_memorization, extraction_strength
from relearn_lite.metrics.privacy import auc


@pytest.mark.parametrize(
    ("greedy", "strength", "exact"),
    [
        ([True] * 4, 1.0, 1.0),
        ([False, True, True, True], 0.75, 0.75),
        ([True, True, True, False], 0.0, 0.75),  # open-unlearning would give 1/4 for the first number
        ([False] * 4, 0.0, 0.0),
        ([], None, None),
    ],
)
def test_by_hand(greedy, strength, exact):
    assert extraction_strength(greedy) == strength
    assert exact_memorization(greedy) == exact


def slow(question, answer):
    """Gives the model one more token of the answer after the other until it says the rest."""
    log_p, reply = slow_log_probs(embedded_model(), question, answer)
    right = [int(log_p[place].argmax()) == token for place, token in enumerate(reply[:-1])]
    strength = 0.0
    for k in range(len(right)):
        if all(right[k:]):
            strength = 1 - k / len(right)
            break
    return strength, sum(right) / len(right)


def values_of(rows, split="forget"):
    evaluators = Evaluators(model=evaluated(rows))
    numbers, scores = evaluate({split: told(rows, split)}, evaluators, ["extraction_strength", "exact_memorization"])
    return numbers, {name: [s.value for s in scores if s.metric == name] for name in
                     ("extraction_strength", "exact_memorization")}  # fmt: skip


def test_as_the_slow_way():
    rows = (*known()[:8], *unseen(8))
    _, values = values_of(rows)
    found = list(zip(values["extraction_strength"], values["exact_memorization"], strict=True))
    assert found == [pytest.approx(slow(qa.question, qa.answer)) for qa in rows]


def test_a_model_whose_numbers_are_none_has_not_forgotten():
    """Broken weights gave 0, which reads as nothing left."""
    head = embedded_model().model.get_output_embeddings()
    broken = head.register_forward_hook(lambda *each: each[-1] * float("nan"))
    numbers, values = values_of(known()[:3])
    broken.remove()
    assert all(value is None for column in values.values() for value in column)
    assert numbers["missing"] == {"extraction_strength_forget": 3, "exact_memorization_forget": 3}


def test_tells_memorised_from_unseen():
    numbers, by_heart = values_of(known())
    others, unknown = values_of(unseen(72))
    for name in ("extraction_strength", "exact_memorization"):
        assert numbers[f"{name}_forget"] > 0.9 > others[f"{name}_forget"]
        assert len(numbers["intervals"][f"{name}_forget"]) == 2
        assert auc(by_heart[name], unknown[name]) > 0.9
        assert auc(unknown[name][:36], unknown[name][36:]) == pytest.approx(0.5, abs=0.1)


def test_the_retain_side_has_keys_of_its_own():
    numbers, _ = values_of(known("retain")[:5], "retain")
    assert numbers["exact_memorization_retain"] > 0.9


def test_files_of_answers_alone_do_not_tell():
    numbers, _ = evaluate({"forget": told(unseen(2))}, Evaluators(), ["exact_memorization"])
    assert numbers["exact_memorization_forget"] is None
    assert "model itself" in numbers["reasons"]["exact_memorization_forget"]
