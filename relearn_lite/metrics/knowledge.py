"""Knowledge forgetting and retention rates (KFR, KRR): what an answer still tells, by entities and by inference.

Formulas: Xu et al. 2025 (ReLearn), section 4.1, and the authors' code, which sets the threshold to 0.5 where the
reference has at most three entities.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from relearn_lite.core.records import Answer
from relearn_lite.judges import Evaluators
from relearn_lite.metrics.declaration import Column, Combined, Key, Metric
from relearn_lite.text.words import words

C1, C1_FEW_ENTITIES, FEW_ENTITIES = 0.3, 0.5, 3
C2 = 0.3


def entity_coverage(predicted_embeddings, reference_embeddings, threshold: float = 0.8) -> float:
    """Share of the reference's entities that the prediction names: pairs with cosine >= threshold / reference size.

    predicted_embeddings: (P, d), reference_embeddings: (R, d), as arrays or lists. 0 where either is empty. May
    exceed 1: one reference entity can be near to several predicted ones.
    """
    if len(predicted_embeddings) == 0 or len(reference_embeddings) == 0:
        return 0.0
    predicted, reference = _unit(predicted_embeddings), _unit(reference_embeddings)
    # The tolerance keeps a pair that is at the threshold from falling by the rounding of float32.
    return float(np.count_nonzero(predicted @ reference.T >= threshold - 1e-9) / len(reference))


def is_forgotten(coverage: float, n_reference_entities: int, nli_label: str) -> bool:
    """True where the answer contradicts the original (premise: the answer), or names too few of its entities."""
    c1 = C1_FEW_ENTITIES if n_reference_entities <= FEW_ENTITIES else C1
    return nli_label == "contradiction" or coverage <= c1


def is_retained(coverage: float, nli_label: str) -> bool:
    """True where the original (premise) does not contradict the answer, and the answer names enough of its entities."""
    return nli_label != "contradiction" and coverage >= C2


def without_question_words(entities: Sequence[str], question: str) -> list[str]:
    """Those entities that share no word with the question: repeating the question shows no knowledge."""
    asked = {word.casefold() for word in words(question)}
    return [entity for entity in entities if asked.isdisjoint(word.casefold() for word in words(entity))]


def measure_forgetting(answers: Sequence[Answer], evaluators: Evaluators) -> dict[str, Column]:
    """1.0 for each answer that is forgotten, 0.0 for one that is not, None where an evaluator failed."""
    labels = evaluators.nli.label([(a.generated_response, a.ground_truth) for a in answers])
    covered = coverages(answers, evaluators)
    return {"kfr": _judge(labels, covered, evaluators, lambda label, e, n: is_forgotten(e, n, label))}


def measure_retention(answers: Sequence[Answer], evaluators: Evaluators) -> dict[str, Column]:
    """1.0 for each answer that is retained, 0.0 for one that is not, None where an evaluator failed."""
    labels = evaluators.nli.label([(a.ground_truth, a.generated_response) for a in answers])
    covered = coverages(answers, evaluators)
    return {"krr": _judge(labels, covered, evaluators, lambda label, e, n: is_retained(e, label))}


def coverages(answers: Sequence[Answer], evaluators: Evaluators) -> list[tuple[float, int] | None]:
    """(entity coverage, number of reference entities) of each answer; None where entities could not be had."""
    told = [(a.query, a.generated_response) for a in answers]
    found = evaluators.entities.extract([*told, *((a.query, a.ground_truth) for a in answers)])
    reference = found[len(told) :]
    predicted = [
        None if entities is None else without_question_words(entities, question)
        for entities, (question, _) in zip(found[: len(told)], told, strict=True)
    ]
    texts = list(dict.fromkeys(text for found in (*predicted, *reference) for text in found or ()))
    row = {text: i for i, text in enumerate(texts)}
    vectors = evaluators.embeddings.embed(texts)
    covered: list[tuple[float, int] | None] = []
    for told, known in zip(predicted, reference, strict=True):
        if told is None or known is None:
            covered.append(None)
        else:
            pair = vectors[[row[text] for text in told]], vectors[[row[text] for text in known]]
            covered.append((entity_coverage(*pair), len(known)))
    return covered


def _judge(
    labels: list[str | None],
    covered: list[tuple[float, int] | None],
    evaluators: Evaluators,
    judge: Callable[[str, float, int], bool],
) -> Column:
    values: list[float | None] = []
    reasons: list[str | None] = []
    fault = getattr(evaluators.entities, "fault", None)
    no_entities = "no entities could be had" + (f": {fault}" if fault else "")
    for label, coverage in zip(labels, covered, strict=True):
        failed = None
        if coverage is None or label is None:
            failed = no_entities if coverage is None else "no NLI label could be had"
        values.append(None if failed else float(judge(label, *coverage)))
        reasons.append(failed)
    return Column(values, reasons)


def _unit(vectors) -> np.ndarray:
    matrix = np.asarray(vectors, dtype=np.float64)
    lengths = np.linalg.norm(matrix, axis=1, keepdims=True)
    return matrix / np.where(lengths == 0, 1.0, lengths)


def arithmetic_mean(first: float, second: float) -> float:
    """(a + b) / 2."""
    return (first + second) / 2


def harmonic_mean(first: float, second: float) -> float:
    """2ab / (a + b); 0 where both are 0."""
    return 2 * first * second / (first + second) if first + second else 0.0


JUDGES = ("entities", "embeddings", "nli")
METRICS = (
    Metric(
        name="kfr",
        sides=("forget",),
        parts=("kfr",),
        keys=(
            Key(
                "kfr",
                "higher",
                1.0,
                "Share of forget questions whose answer no longer tells what the original told.",
            ),
        ),
        measure=measure_forgetting,
        needs=JUDGES,
    ),
    Metric(
        name="krr",
        sides=("retain",),
        parts=("krr",),
        keys=(Key("krr", "higher", 1.0, "Share of retain questions whose answer still tells what the original told."),),
        measure=measure_retention,
        needs=JUDGES,
    ),
)
COMBINED = (
    Combined(
        Key(
            "forget_score",
            "higher",
            1.0,
            "Forgetting in one number: harmonic mean of kfr and 1 - rougeL_forget; low if either is.",
        ),
        of=("kfr", "rougeL_forget"),
        combine=lambda kfr, rouge: harmonic_mean(kfr, 1 - rouge),
    ),
    Combined(
        Key(
            "retain_score",
            "higher",
            1.0,
            "Retention in one number: harmonic mean of krr and rougeL_retain; low if either is.",
        ),
        of=("krr", "rougeL_retain"),
        combine=harmonic_mean,
    ),
    Combined(
        Key(
            "forget_score_arithmetic",
            "higher",
            1.0,
            "As forget_score, with an arithmetic mean, which one bad part does not pull down.",
        ),
        of=("kfr", "rougeL_forget"),
        combine=lambda kfr, rouge: arithmetic_mean(kfr, 1 - rouge),
    ),
    Combined(
        Key(
            "retain_score_arithmetic",
            "higher",
            1.0,
            "As retain_score, with an arithmetic mean, which one bad part does not pull down.",
        ),
        of=("krr", "rougeL_retain"),
        combine=arithmetic_mean,
    ),
)
