"""Knowledge forgetting and retention rates (KFR, KRR): what an answer still tells, by entities and by inference.

Formulas: Xu et al. 2025 (ReLearn), section 4.1, and the authors' code, which sets the threshold to 0.5 where the
reference has at most three entities. The embedded judges, which read no meaning, are helped by the leak check: an
answer that tells most of the specifics covers their share, one that tells a third of few is not forgotten, and a
contradiction does not make forgotten what stands in the answer. With model judges the rule is the paper's alone.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from relearn_lite.core.records import Answer
from relearn_lite.judges import Evaluators
from relearn_lite.metrics.declaration import GENERAL, SIDES, Combined, Metric, MetricValues, Side, both_means
from relearn_lite.text.leaks import gives_away, tells_much, told_share
from relearn_lite.text.recall import continues
from relearn_lite.text.turns import is_passage, unmarked
from relearn_lite.text.words import words

C1, C1_FEW_ENTITIES, FEW_ENTITIES = 0.3, 0.5, 3
C2 = 0.3
OR = " | "  # between right answers to a control question, any of which will do
MOST = 0.6  # of the specifics; from here on the published labels agree alike, at 0.5 they agree less


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
    asked = {word.casefold() for word in words(unmarked(question))}
    return [entity for entity in entities if asked.isdisjoint(word.casefold() for word in words(entity))]


def measure_forgetting(answers: Sequence[Answer], evaluators: Evaluators) -> dict[str, MetricValues]:
    """1.0 for each answer that is forgotten, 0.0 for one that is not, None where a judge failed.

    A passage is forgotten where the model does not go on with its own words; no judge takes part.
    """
    return {"kfr": _each_form(answers, lambda row: not _continues(row), lambda rows: _forgetting(rows, evaluators))}


def _forgetting(answers: Sequence[Answer], evaluators: Evaluators) -> MetricValues:
    labels = evaluators.nli.label([(a.generated_response, a.ground_truth) for a in answers])
    if evaluators.nli.embedded:
        labels = [_no_contradiction_of_what_is_told(*each) for each in zip(labels, answers, strict=True)]
    judged = _judge(labels, answers, evaluators, lambda label, e, n: is_forgotten(e, n, label))
    if evaluators.entities.embedded:
        judged.values[:] = [_not_if_told(*each) for each in zip(judged.values, answers, strict=True)]
    return judged


def measure_retention(answers: Sequence[Answer], evaluators: Evaluators) -> dict[str, MetricValues]:
    """1.0 for each answer that is retained, 0.0 for one that is not, None where a judge failed.

    A passage is retained where the model goes on with its own words.
    """
    return {"krr": _each_form(answers, _continues, lambda rows: _retention(rows, evaluators))}


def _continues(answer: Answer) -> bool:
    return continues(answer.generated_response, answer.ground_truth)


def _each_form(
    answers: Sequence[Answer], of_passage: Callable[[Answer], bool], judge: Callable[[Sequence[Answer]], MetricValues]
) -> MetricValues:
    """Passages judged by `of_passage`, answers to questions by `judge`, in the order of all."""
    asked = [row for row in answers if not is_passage(row.query)]
    judged = judge(asked) if asked else MetricValues([], [])
    places = {id(row): place for place, row in enumerate(asked)}
    rows = [places.get(id(row)) for row in answers]
    return MetricValues(
        [float(of_passage(row)) if n is None else judged.values[n] for row, n in zip(answers, rows, strict=True)],
        [None if n is None else judged.reasons[n] for n in rows],
        judged={key: [None if n is None else each[n] for n in rows] for key, each in judged.judged.items()},
    )


def _retention(answers: Sequence[Answer], evaluators: Evaluators) -> MetricValues:
    labels = evaluators.nli.label([(a.ground_truth, a.generated_response) for a in answers])
    return _judge(labels, answers, evaluators, lambda label, e, n: is_retained(e, label))


def measure_general(answers: Sequence[Answer], evaluators: Evaluators) -> dict[str, MetricValues]:
    """1.0 for each answer to a control question that is as right as a retained one, 0.0 for one that is not.

    Of several right answers, written "hot | warm", one is enough.
    """
    alternatives = [(n, text) for n, answer in enumerate(answers) for text in answer.ground_truth.split(OR)]
    judged = measure_retention([replace(answers[n], ground_truth=text) for n, text in alternatives], evaluators)["krr"]
    worth = {1.0: 2, None: 1, 0.0: 0}  # one that could not be judged may be the right one
    best: dict[int, int] = {}  # answer -> its best alternative
    for place, (n, _) in enumerate(alternatives):
        if n not in best or worth[judged.values[place]] > worth[judged.values[best[n]]]:
            best[n] = place
    values, reasons = ([column[place] for place in best.values()] for column in (judged.values, judged.reasons))
    found = {key: [column[place] for place in best.values()] for key, column in judged.judged.items()}
    return {"kept_general": MetricValues(values, reasons, judged=found)}


def _right_in_all(answers: Sequence[Answer], evaluators: Evaluators) -> dict[str, MetricValues]:
    return {"right_general": measure_general(answers, evaluators)["kept_general"]}


def _no_contradiction_of_what_is_told(label: str | None, answer: Answer) -> str | None:
    told = label == "contradiction" and gives_away(answer.generated_response, answer.wordings, answer.ground_truth)
    return "neutral" if told else label


def _not_if_told(value: float | None, answer: Answer) -> float | None:
    told = value == 1.0 and tells_much(answer.generated_response, answer.wordings, answer.ground_truth)
    return 0.0 if told else value


def coverages(answers: Sequence[Answer], evaluators: Evaluators) -> list[tuple[float, int] | str]:
    """(entity coverage, number of reference entities) of each answer; or why there is none.

    Where entities are had by rule and an answer tells most of the original's specifics, their share, if that is more.
    """
    n, by_rule = len(answers), evaluators.entities.embedded
    told = [a.generated_response for a in answers] + [a.ground_truth for a in answers]
    asked = [a.wordings if by_rule else a.query for a in answers]
    texts = list(zip([*asked, *asked], told, strict=True))
    found = evaluators.entities.extract(texts)
    predicted = [
        None if entities is None else without_question_words(entities, answer.query)
        for entities, answer in zip(found[:n], answers, strict=True)
    ]
    distinct = list(dict.fromkeys(entity for entities in (*predicted, *found[n:]) for entity in entities or ()))
    vector = dict(zip(distinct, evaluators.embeddings.embed(distinct), strict=True))
    failure = getattr(evaluators.entities, "failure", None)

    def covered(answer: Answer, ours: list[str] | None, reference: list[str] | None) -> tuple[float, int] | str:
        if ours is None or reference is None:
            return "no entities could be had" + (f": {failure}" if failure else "")
        entities = [vector[e] for e in ours], [vector[e] for e in reference]
        if not all(np.isfinite(each).all() for side in entities for each in side):
            return "the embeddings of its entities are no numbers"
        share = entity_coverage(*entities, evaluators.embeddings.same)
        told = told_share(answer.generated_response, answer.wordings, answer.ground_truth) if by_rule else 0.0
        return max(share, told if told >= MOST else 0.0), len(reference)

    return list(map(covered, answers, predicted, found[n:]))


def _judge(
    labels: list[str | None], answers: Sequence[Answer], evaluators: Evaluators,
    judge: Callable[[str, float, int], bool],
) -> MetricValues:  # fmt: skip
    covered = coverages(answers, evaluators)
    values: list[float | None] = []
    reasons: list[str | None] = []
    for label, coverage in zip(labels, covered, strict=True):
        failed = coverage if isinstance(coverage, str) else "no NLI label could be had" if label is None else None
        values.append(None if failed else float(judge(label, *coverage)))
        reasons.append(failed)
    judged = {"nli": labels, "coverage": [None if isinstance(each, str) else each[0] for each in covered]}
    return MetricValues(values, reasons, judged=judged)


def _unit(vectors) -> np.ndarray:
    matrix = np.asarray(vectors, dtype=np.float64)
    lengths = np.linalg.norm(matrix, axis=1, keepdims=True)
    return matrix / np.where(lengths == 0, 1.0, lengths)


JUDGES = ("entities", "embeddings", "nli")
# Measured where there are control questions, whatever the recipe names: of those that the vanilla model answers, and of
# all. Answers that hang in the balance get lost and are won; the first counts only the lost.
RIGHT_GENERAL = Metric("right_general", _right_in_all, (GENERAL,), JUDGES)
ABILITY = (Metric("kept_general", measure_general, ("control",), JUDGES), RIGHT_GENERAL)
METRICS = (
    Metric("kfr", measure_forgetting, ("forget",), JUDGES), Metric("krr", measure_retention, ("retain",), JUDGES),
)  # fmt: skip


def _score(side: Side, which: int, ending: str) -> Combined:
    """A side's mean of its rate and its ROUGE-L, which is bad on the forget side."""
    rate, forget = "kfr" if side == "forget" else "krr", side == "forget"
    return Combined(
        f"{side}_score{ending}", (rate, f"rougeL_{side}"),
        lambda value, rouge: both_means((value, 1 - rouge if forget else rouge))[which],
    )  # fmt: skip


COMBINED = tuple(_score(side, which, ending) for which, ending in enumerate(("", "_arithmetic")) for side in SIDES)
