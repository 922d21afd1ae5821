"""TOFU's model utility: how much a model can still do. Formulas: `relearn_lite.metrics.tofu`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import harmonic_mean

import numpy as np

from relearn_lite.core.records import Answer
from relearn_lite.judges import Evaluators
from relearn_lite.metrics.declaration import Aggregate, Metric, MetricValues
from relearn_lite.metrics.intervals import NO_SPREAD, interval_of
from relearn_lite.metrics.rouge import rouge_recall
from relearn_lite.metrics.tofu import KEPT, MULTIPLE_CHOICE, NUMBERS, truth_ratio
from relearn_lite.metrics.truth import Losses, losses, losses_of

PARTS = ("model_utility", *(f"{name}_{task}" for task in MULTIPLE_CHOICE for name in NUMBERS))


def measure_model_utility(answers: Sequence[Answer], evaluators: Evaluators) -> dict[str, MetricValues]:
    """Model utility over these retain answers, real authors and world facts; and the six numbers of the latter two.

    The model is asked the questions of these two sets here. Questions whose record lacks wrong answers are left out.
    """
    model = evaluators.model
    questions = {"retain": _complete(answers, losses_of(answers, model), "retain")}
    for task in MULTIPLE_CHOICE:
        records = getattr(model.context, task)
        texts = model.answers([qa.question for qa in records])
        given = [
            Answer(qa.id, "evaluated", "retain", qa.question, qa.answer, text)
            for qa, text in zip(records, texts, strict=True)
        ]
        questions[task] = _complete(given, losses(given, records, model), task)
    if lacking := [task for task in KEPT if not len(questions[task])]:
        reason = (
            f"there is nothing to take it over in {', '.join(lacking)}: data.real_authors and data.world_facts need "
            "wrong answers, the retain questions paraphrased and wrong ones"
        )
        return {part: MetricValues.not_measured(reason) for part in PARTS}
    return {part: MetricValues([], [], aggregate=total) for part, total in _utility(questions).items()}


def _complete(answers: Sequence[Answer], found: Sequence[Losses], task: str) -> np.ndarray:
    """(questions, 3): ROUGE-L recall, probability and truth ratio of those questions that have all three."""
    rows = []
    for answer, loss in zip(answers, found, strict=True):
        recall = rouge_recall(answer.generated_response, answer.ground_truth)["rougeL"]
        if None not in (recall, loss.true, loss.log_ratio):
            probability = loss.share if task in MULTIPLE_CHOICE else loss.probability
            rows.append((recall, probability, truth_ratio(loss.log_ratio, forget=False)))
    return np.asarray(rows, dtype=np.float64).reshape(-1, 3)


def _utility(questions: Mapping[str, np.ndarray]) -> dict[str, Aggregate]:
    """Each part's number with its interval, from (questions, 3) of every kept task."""
    groups = [questions[task] for task in KEPT]

    def utility(*drawn: np.ndarray) -> float:
        return harmonic_mean([float(mean) for rows in drawn for mean in rows.mean(axis=0)])

    note = ", ".join(f"{len(rows)} questions of {task}" for task, rows in zip(KEPT, groups, strict=True))
    interval = interval_of(utility, groups)
    note = note if interval else f"{note}; {NO_SPREAD}"
    totals = {"model_utility": Aggregate(utility(*groups), interval, note=note)}
    for task in MULTIPLE_CHOICE:
        for name, column in zip(NUMBERS, questions[task].T, strict=True):
            totals[f"{name}_{task}"] = Aggregate(float(column.mean()), interval_of(np.mean, [column]))
    return totals


METRICS = (
    Metric("model_utility", measure_model_utility, ("retain",), needs=("model",), parts=PARTS, aggregate=True),
)
