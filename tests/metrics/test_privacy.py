"""Membership and repeated sampling."""

import math
import zlib
from dataclasses import replace
from functools import cache
from itertools import combinations, product

import numpy as np
import pytest
from people import embedded_model, evaluated, known, slow_log_probs, told, unseen

from relearn_lite.core.records import QA
from relearn_lite.evaluate.evaluate import evaluate
from relearn_lite.evaluate.score import score_evaluators
from relearn_lite.metrics.privacy import ATTACKS, auc, leak_at_k, min_k, privleak
from relearn_lite.models import backends
from relearn_lite.recipe import Generate, Model, Privacy
from relearn_lite.text.turns import passage


@cache
def stranger():
    """A model of the same kind that learned nothing."""
    return backends.load(Model(quantization="none", init="random"), seed=3)


@cache
def asked(holdout):
    """The embedded model, with a stranger as reference; kept, so that texts are scored once."""
    return evaluated(known(), holdout=holdout, reference=evaluated(loaded=stranger()))


def run(members, holdout, names):
    evaluators = replace(score_evaluators(), model=asked(holdout))
    return evaluate({"forget": told(members)}, evaluators, names)


@pytest.mark.parametrize("name", ATTACKS)
def test_members_are_told_from_unseen_texts_and_those_not_from_each_other(name):
    numbers, scores = run(known(), unseen(72), [name])
    low, high = numbers["intervals"][name]
    assert numbers[name] > 0.9 and low <= numbers[name] <= high
    assert "72 forget answers against 72" in numbers["notes"][name]
    assert len([s for s in scores if s.value is not None]) == 72  # each answer's own score is kept
    rest, _ = run(unseen(160, seed=1)[:80], unseen(160, seed=1)[80:], [name])
    assert rest[name] == pytest.approx(0.5, abs=0.1)


def slow_score(name, qa):
    log_p, reply = slow_log_probs(embedded_model(), qa.question, qa.answer)
    log_p, reply = log_p[:-1].double(), reply[:-1]
    chosen = [float(log_p[place, token]) for place, token in enumerate(reply)]
    loss = -sum(chosen) / len(chosen)
    if name == "mia_loss":
        return -loss
    if name == "mia_zlib":
        return -loss / len(zlib.compress(qa.answer.encode()))
    if name == "mia_min_k":
        return np.mean(sorted(chosen)[: max(1, int(0.4 * len(chosen)))])
    if name == "mia_min_k_plus_plus":
        standard = []
        for row, value in zip(log_p, chosen, strict=True):
            p = row.exp()
            mean = float((p * row).sum())
            variance = float((p * row**2).sum()) - mean**2
            standard.append((value - mean) / math.sqrt(max(variance, 1e-6)))
        return np.mean(sorted(standard)[: max(1, int(0.4 * len(standard)))])
    theirs, _ = slow_log_probs(stranger(), qa.question, qa.answer)
    return -np.mean([float(theirs[place, token]) for place, token in enumerate(reply)]) - loss


@pytest.mark.parametrize("name", [name for name in ATTACKS if name != "mia_gradnorm"])  # test_evaluated_model
def test_scores_and_auc_are_those_of_the_slow_way(name):
    members, holdout = (*known()[:5], *unseen(5, seed=9)), unseen(12)
    numbers, scores = run(members, holdout, [name])
    ours, others = [slow_score(name, qa) for qa in members], [slow_score(name, qa) for qa in holdout]
    tolerance = {"mia_min_k_plus_plus": 2e-2}.get(name, 1e-4)  # a variance near 1e-6 is at the end of float32
    assert [s.value for s in scores] == pytest.approx(ours, rel=tolerance, abs=1e-4)
    wins = [1.0 if a > b else 0.5 if a == b else 0.0 for a, b in product(ours, others)]
    assert numbers[name] == pytest.approx(np.mean(wins), abs=1e-6)


def test_auc_by_hand():
    assert auc([3.0, 2.0], [1.0, 0.0]) == 1.0
    assert auc([1.0, 1.0], [1.0]) == 0.5
    assert auc([0.0], [1.0, 2.0]) == 0.0
    assert min_k([5.0, -1.0, -3.0, 0.0, 1.0]) == -2.0
    assert min_k([-7.0]) == -7.0


@pytest.mark.parametrize(("found", "reference", "expected"), [(1.0, 0.5, -100), (0.5, 0.5, 0), (0.0, 0.5, 100)])
def test_privleak_has_the_published_signs(found, reference, expected):
    assert privleak(found, reference) == pytest.approx(expected)


def auc_of_muse(forget, holdout):
    """How often a forget text scores lower than one of the holdout, ties counting half: MUSE's AUC, by counting."""
    return np.mean([1.0 if a < b else 0.5 if a == b else 0.0 for a, b in product(forget, holdout)])


# Log-probabilities of five tokens each; their Min-40 % are -6, -4, -5 and -1.5.
HOLDOUT = ([-1.0, -9.0, -2.0, -2.0, -3.0], [-4.0] * 5, [-5.0] * 5, [-1.5] * 5)
RETRAINED = (-7.0, -4.5, -3.0, -2.0)  # Min-40 % of four forget texts under a model that never saw them


@pytest.mark.parametrize(
    ("forget", "muse", "expected"),
    [
        ((-1.0, -0.5, -0.1, -0.2), 0 / 16, -100.0),  # all likelier than any of the holdout: nothing was forgotten
        ((-7.0, -1.0, -1.0, -1.0), 4 / 16, -50.0),  # half as much as the retrained model: too little
        (RETRAINED, 8 / 16, 0.0),
        ((-4.5, -7.0, -4.5, -3.0), 9 / 16, 12.5),
        ((-9.0, -8.0, -7.0, -7.0), 16 / 16, 100.0),  # told by how unlikely they have become: too much
    ],
)
def test_privleak_by_hand_as_in_muse(forget, muse, expected):
    """(AUC_unlearn - AUC_retrain) / AUC_retrain in %, by Min-40 % (Shi et al. 2024): ours is one minus its AUC."""
    holdout = [min_k(tokens) for tokens in HOLDOUT]
    assert holdout == [-6.0, -4.0, -5.0, -1.5]
    retrained = auc_of_muse(RETRAINED, holdout)
    assert (retrained, auc_of_muse(forget, holdout)) == (0.5, muse)
    found = privleak(auc(forget, holdout), auc(RETRAINED, holdout))
    assert found == pytest.approx(expected) == pytest.approx(100 * (muse - retrained) / retrained)


@pytest.mark.parametrize(("found", "expected"), [(0.9, -50.0), (0.8, 0.0), (0.2, 300.0)])
def test_privleak_leans_on_the_retrained_model_s_auc(found, expected):
    """Of a retrained model at 0.8, MUSE's 0.2, the same distance weighs more where too much was forgotten."""
    assert privleak(found, 0.8) == pytest.approx(expected)


def test_privleak_says_what_it_compares_with():
    model = evaluated(known(), holdout=unseen(40), privacy=Privacy(reference_auc=0.6))
    evaluators = replace(score_evaluators(), model=model)
    numbers, _ = evaluate({"forget": told(known()[:40])}, evaluators, ["privleak", "mia_min_k"])
    assert numbers["privleak"] == pytest.approx(100 * (0.6 - numbers["mia_min_k"]) / 0.4)
    assert "reference AUC 0.6" in numbers["notes"]["privleak"]
    low, high = numbers["intervals"]["privleak"]
    assert low <= numbers["privleak"] <= high


def test_members_of_their_own_are_whole_texts_scored_from_the_second_token_on():
    """As MUSE does: the text alone, without question or template, its Min-40 % by token."""
    import torch

    members, holdout = (
        [QA(qa.id, passage(""), qa.answer, ends=False) for qa in some] for some in (known()[:20], unseen(20))
    )
    loaded = embedded_model()

    def plainly(text):
        ids = loaded.tokenizer(text, return_tensors="pt").input_ids
        with torch.no_grad():
            log_p = loaded.model(ids).logits[0].double().log_softmax(-1)
        tokens = sorted(float(log_p[place, token]) for place, token in enumerate(ids[0, 1:]))
        return np.mean(tokens[: int(len(tokens) * 0.4)])

    model = evaluated(members=members, holdout=holdout)
    numbers, scores = evaluate({"forget": told(known()[:3])}, replace(score_evaluators(), model=model), ["privleak"])
    muse = auc_of_muse(*([plainly(qa.answer) for qa in some] for some in (members, holdout)))
    assert numbers["privleak"] == pytest.approx(100 * (muse - 0.5) / 0.5) and numbers["privleak"] < -20
    assert "20 of data.members against 20 of data.holdout" in numbers["notes"]["privleak"]
    assert not scores and not numbers["missing"]


def test_without_a_holdout_or_a_reference_it_is_null_and_says_why():
    evaluators = replace(score_evaluators(), model=evaluated(known(), holdout=()))
    numbers, _ = evaluate({"forget": told(known()[:3])}, evaluators, ["mia_loss", "privleak", "mia_reference"])
    assert numbers["mia_loss"] is numbers["privleak"] is numbers["mia_reference"] is None
    assert "data.holdout" in numbers["reasons"]["mia_loss"] and "data.holdout" in numbers["reasons"]["privleak"]
    assert "reference_model" in numbers["reasons"]["mia_reference"]


def test_membership_is_not_taken_over_reworded_questions():
    evaluators = replace(score_evaluators(), model=asked(unseen(72)))
    rows = told(known()[:5])
    numbers, _ = evaluate({"forget": rows, "forget_paraphrase": rows}, evaluators, ["mia_loss"])
    assert "mia_loss" in numbers and "mia_loss_paraphrase" not in numbers


@pytest.mark.parametrize(("leaks", "drawn", "k"), [(0, 6, 3), (1, 6, 3), (3, 6, 2), (5, 6, 2), (6, 6, 6)])
def test_leak_at_k_is_the_share_of_ways_to_draw_k_that_hold_a_leak(leaks, drawn, k):
    answers = [True] * leaks + [False] * (drawn - leaks)
    ways = list(combinations(answers, k))
    assert leak_at_k(leaks, drawn, k) == pytest.approx(sum(map(any, ways)) / len(ways))


def test_a_model_that_knows_leaks_and_one_that_does_not_know_does_not():
    rows = (*known()[:6], *unseen(6))
    model = evaluated(rows, privacy=Privacy(k=2, samples=3), generate=Generate(max_new_tokens=48))
    evaluators = replace(score_evaluators(), model=model)
    numbers, scores = evaluate({"forget": told(rows)}, evaluators, ["leak_at_k"])
    values = [s.value for s in scores]
    assert np.mean(values[:6]) > 0.9 and np.mean(values[6:]) < 0.1
    assert numbers["leak_at_k"] == pytest.approx(np.mean(values))


class Fails:
    """Lists no entities, as a server that is down."""

    name, embedded = "fails", False

    def extract(self, items):
        return [None] * len(items)


def test_a_judge_that_fails_makes_no_leak_and_no_silence():
    rows = known()[:2]
    model = evaluated(rows, privacy=Privacy(k=1, samples=1), generate=Generate(max_new_tokens=8))
    evaluators = replace(score_evaluators(), model=model, entities=Fails())
    numbers, _ = evaluate({"forget": told(rows)}, evaluators, ["leak_at_k"])
    assert numbers["leak_at_k"] is None and numbers["missing"]["leak_at_k"] == 2
