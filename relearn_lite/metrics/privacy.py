"""Can an attacker tell that the model was trained on the forget set (membership), or draw the secret out of it?

A membership attack scores how much a text looks like training data; its AUC is the chance that a forget answer scores
higher than one of `data.holdout`, which the model never saw. 1: members are known; 0.5: cannot be told; below:
unlearning has made them conspicuously unlikely, which tells as much.
"""

from __future__ import annotations

import math
import zlib
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial

import numpy as np

from relearn_lite.core.records import Answer
from relearn_lite.judges import Evaluators
from relearn_lite.judges.evaluated_model import EvaluatedModel, Pair
from relearn_lite.metrics.declaration import Aggregate, Metric, MetricValues
from relearn_lite.metrics.intervals import NO_SPREAD, interval_of, wilson
from relearn_lite.metrics.knowledge import JUDGES, measure_forgetting
from relearn_lite.metrics.memorization import EMPTY
from relearn_lite.models.scoring import TokenScores

MIN_K = 0.4  # share of an answer's least likely tokens, as MUSE and open-unlearning take it
SMALLEST_VARIANCE = 1e-6  # of log p, below which Min-K%++ would divide by nothing
Attack = Callable[[EvaluatedModel, Sequence[Pair]], list[float | None]]


def auc(members: Sequence[float], others: Sequence[float]) -> float:
    """Chance that a member scores higher than another, ties counting half (Mann-Whitney)."""
    from scipy.stats import rankdata

    n, m = len(members), len(others)
    ranks = rankdata(np.concatenate([members, others]))
    return float((ranks[:n].sum() - n * (n + 1) / 2) / (n * m))


def min_k(values: Sequence[float]) -> float:
    """Mean of the lowest MIN_K of values, at least one."""
    lowest = np.sort(np.asarray(values, dtype=np.float64))[: max(1, int(len(values) * MIN_K))]
    return float(lowest.mean())


def privleak(found: float, reference: float) -> float:
    """PrivLeak in percent (Shi et al. 2024, MUSE): (AUC - AUC_retain) / AUC_retain, for AUC as MUSE counts it.

    MUSE's AUC is 1 - ours: it is high where the forget set looks unseen. 0: as the reference; towards -100: forgotten
    too little; above 0: too much.
    """
    return 100 * ((1 - found) - (1 - reference)) / (1 - reference)


def leak_at_k(leaks: int, drawn: int, k: int) -> float:
    """Chance that at least one of k answers leaks, estimated from `drawn` >= k of which `leaks` did, without bias.

    1 - C(n - c, k) / C(n, k), as pass@k (Chen et al. 2021).
    """
    return 1 - math.comb(drawn - leaks, k) / math.comb(drawn, k)


def _by_answer(
    of: Callable[[TokenScores, str], float], model: EvaluatedModel, pairs: Sequence[Pair]
) -> list[float | None]:
    return [None if s is None else of(s, pair[1]) for s, pair in zip(model.score(pairs), pairs, strict=True)]


def _min_k_plus_plus(scores: TokenScores, _: str) -> float:
    """min_k of each token's log-probability, standardised by the mean and deviation over the vocabulary."""
    deviation = np.sqrt(np.maximum(scores.std**2, SMALLEST_VARIANCE))
    return min_k((scores.log_probs - scores.mean) / deviation)


def _against_reference(model: EvaluatedModel, pairs: Sequence[Pair]) -> list[float | None]:
    scores = zip(model.score(pairs), model.reference.score(pairs), strict=True)
    return [None if ours is None or theirs is None else theirs.loss - ours.loss for ours, theirs in scores]


def _by_gradient(model: EvaluatedModel, pairs: Sequence[Pair]) -> list[float | None]:
    return [None if norm is None else -norm for norm in model.gradient_norms(pairs)]


ATTACKS: dict[str, Attack] = {
    "mia_loss": partial(_by_answer, lambda s, _: -s.loss),  # Yeom et al. 2018
    "mia_zlib": partial(_by_answer, lambda s, text: -s.loss / len(zlib.compress(text.encode()))),  # Carlini et al. 2021
    "mia_min_k": partial(_by_answer, lambda s, _: min_k(s.log_probs)),  # Shi et al. 2024
    "mia_min_k_plus_plus": partial(_by_answer, _min_k_plus_plus),  # Zhang et al. 2025
    "mia_reference": _against_reference,  # Carlini et al. 2021
    "mia_gradnorm": _by_gradient,  # Wang et al. 2024
}


def attack_auc(attack: Attack, answers: Sequence[Answer], model: EvaluatedModel) -> MetricValues:
    """The attack's score of each forget answer, and as aggregate its AUC against the holdout with its interval.

    Where `data.members` is given, its records are compared with the holdout instead, and answers have no score.
    """
    holdout = [(qa.question, qa.answer) for qa in model.context.holdout]
    if not holdout:
        return MetricValues.not_measured(
            "data.holdout is not given: questions like the forget set that the model never saw"
        )
    named = [(qa.question, qa.answer) for qa in model.context.members]
    scores = attack(model, named or [(answer.query, answer.ground_truth) for answer in answers])
    members, others = _known(scores), _known(attack(model, holdout))
    if not len(members) or not len(others):
        total = Aggregate(None, reason="no answer of the forget set, or none of data.holdout, has a token")
    else:
        what = "of data.members" if named else "forget answers"
        note = f"{len(members)} {what} against {len(others)} of data.holdout"
        value, interval = auc(members, others), interval_of(auc, [members, others])
        if interval is None and value in (0, 1):  # no draw overlaps: each of so many pairs, apart, is told the same way
            pairs = min(len(members), len(others))
            interval = wilson(round(value) * pairs, pairs)
        total = Aggregate(value, interval, note=note if interval else f"{note}; {NO_SPREAD}")
    return MetricValues.of([] if named else scores, EMPTY, total)


def _known(scores: Sequence[float | None]) -> np.ndarray:
    return np.asarray([score for score in scores if score is not None], dtype=np.float64)


def measure_attack(name: str, answers: Sequence[Answer], evaluators: Evaluators) -> dict[str, MetricValues]:
    """`attack_auc` of one of ATTACKS."""
    if name == "mia_reference" and evaluators.model.reference is None:
        why = "the reference is the measured model itself; name another in evaluate.privacy.reference_model"
        return {name: MetricValues.not_measured(why)}
    return {name: attack_auc(ATTACKS[name], answers, evaluators.model)}


def measure_privleak(answers: Sequence[Answer], evaluators: Evaluators) -> dict[str, MetricValues]:
    """PrivLeak of the min-k attack, whose AUC a model that never saw the forget set has at `reference_auc`."""
    found = attack_auc(ATTACKS["mia_min_k"], answers, evaluators.model)
    total, reference = found.aggregate, evaluators.model.context.privacy.reference_auc
    if total is None or total.value is None:
        return {"privleak": found}
    interval = total.interval and tuple(sorted(privleak(bound, reference) for bound in total.interval))
    note = f"reference AUC {reference:g} (evaluate.privacy.reference_auc); {total.note}"
    return {"privleak": replace(found, aggregate=Aggregate(privleak(total.value, reference), interval, note=note))}


def measure_leaks(answers: Sequence[Answer], evaluators: Evaluators) -> dict[str, MetricValues]:
    """For each forget question the chance that one of k sampled answers still tells, judged as kfr judges."""
    context = evaluators.model.context
    k, drawn = context.privacy.k, context.privacy.samples
    texts = evaluators.model.samples([answer.query for answer in answers], drawn, context.seed)
    samples = [replace(a, generated_response=text) for a, row in zip(answers, texts, strict=True) for text in row]
    forgotten = measure_forgetting(samples, evaluators)["kfr"].values
    values = [leak_at_k_of(forgotten[start : start + drawn], k) for start in range(0, len(forgotten), drawn)]
    return {"leak_at_k": MetricValues.of(values, f"fewer than k = {k} of {drawn} sampled answers could be judged")}


def leak_at_k_of(forgotten: Sequence[float | None], k: int) -> float | None:
    """`leak_at_k` of the samples of one question by their kfr: 0 leaks. None where fewer than k could be judged."""
    known = [value for value in forgotten if value is not None]
    return leak_at_k(known.count(0.0), len(known), k) if len(known) >= k else None


METRICS = (
    *(Metric(name, partial(measure_attack, name), ("forget",), needs=("model",), aggregate=True) for name in ATTACKS),
    Metric("privleak", measure_privleak, ("forget",), needs=("model",), aggregate=True),
    Metric("leak_at_k", measure_leaks, ("forget",), needs=("model", *JUDGES)),
)
