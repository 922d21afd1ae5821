"""TOFU's two summaries of the measured model: how much it can still do, and whether it passes for one that never saw.

Formulas: `relearn_lite.metrics.tofu`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from relearn_lite.core.records import Answer
from relearn_lite.judges import Evaluators
from relearn_lite.metrics.declaration import Column, Key, Metric, Whole
from relearn_lite.metrics.intervals import interval_of
from relearn_lite.metrics.rouge import rouge_recall
from relearn_lite.metrics.tofu import KEPT, MULTIPLE_CHOICE, NUMBERS, by_question, harmonic, ks_test
from relearn_lite.metrics.truth import NO_ALTERNATIVES, Losses, log_ratios_of, losses, losses_of

UTILITY_PARTS = ("model_utility", *(f"{name}_{task}" for task in MULTIPLE_CHOICE for name in NUMBERS))


def measure_forget_quality(answers: Sequence[Answer], evaluators: Evaluators) -> dict[str, Column]:
    """The log truth ratio of each question, and as a whole the KS test's p-value against a retain model's.

    No interval: a p-value is itself a statement about chance.
    """
    measured = evaluators.measured
    ratios, reference = log_ratios_of(answers, measured), measured.context.retain_ratios
    known = [ratio for ratio in ratios if ratio is not None]
    if not known:
        return {"forget_quality": Column.not_measured(f"in every question: {NO_ALTERNATIVES}")}
    if reference is None:
        whole = Whole(None, reason="evaluate.retain_model_results names no model that never saw the forget set")
    else:
        p, statistic = ks_test(known, reference)
        whole = Whole(p, note=f"KS statistic {statistic:.3f}; {len(known)} questions against {len(reference)}")
    column = Column.of(ratios, NO_ALTERNATIVES)
    return {"forget_quality": Column(column.values, column.reasons, whole=whole)}


def measure_model_utility(answers: Sequence[Answer], evaluators: Evaluators) -> dict[str, Column]:
    """Model utility over these retain answers, real authors and world facts; and the six numbers of the latter two.

    The model is asked the questions of these two sets here. Questions whose record lacks wrong answers are left out.
    """
    measured = evaluators.measured
    questions = {"retain": _complete(answers, losses_of(answers, measured), "retain")}
    for task in MULTIPLE_CHOICE:
        records = getattr(measured.context, task)
        texts = measured.answers([qa.question for qa in records])
        given = [
            Answer(qa.id, "measured", "retain", qa.question, qa.answer, text)
            for qa, text in zip(records, texts, strict=True)
        ]
        questions[task] = _complete(given, losses(given, records, measured), task)
    if lacking := [task for task in KEPT if not len(questions[task])]:
        reason = (
            f"there is nothing to take it over in {', '.join(lacking)}: data.real_authors and data.world_facts need "
            "wrong answers, the retain questions paraphrased and wrong ones"
        )
        return {part: Column.not_measured(reason) for part in UTILITY_PARTS}
    return {part: Column([], [], whole=whole) for part, whole in _utility(questions).items()}


def _complete(answers: Sequence[Answer], found: Sequence[Losses], task: str) -> np.ndarray:
    """(questions, 3) as `by_question`, of those questions that have all it takes."""
    rows = []
    for answer, loss in zip(answers, found, strict=True):
        recall = rouge_recall(answer.generated_response, answer.ground_truth)["rougeL"]
        if None not in (recall, loss.true, loss.log_ratio):
            result = {
                "avg_gt_loss": [loss.true],
                "avg_paraphrased_loss": [loss.paraphrase],
                "average_perturb_loss": [loss.wrong],
                "rougeL_recall": [recall],
            }
            rows.append(by_question(result, task)[0])
    return np.asarray(rows)


def _utility(questions: Mapping[str, np.ndarray]) -> dict[str, Whole]:
    """Each part's number with its interval, from (questions, 3) of every kept task."""
    groups = [questions[task] for task in KEPT]

    def utility(*drawn: np.ndarray) -> float:
        return harmonic([float(mean) for rows in drawn for mean in rows.mean(axis=0)])

    note = ", ".join(f"{len(rows)} questions of {task}" for task, rows in zip(KEPT, groups, strict=True))
    wholes = {"model_utility": Whole(utility(*groups), interval_of(utility, groups), note=note)}
    for task in MULTIPLE_CHOICE:
        for name, column in zip(NUMBERS, questions[task].T, strict=True):
            wholes[f"{name}_{task}"] = Whole(float(column.mean()), interval_of(np.mean, [column]))
    return wholes


METRICS = (
    Metric(
        name="model_utility",
        sides=("retain",),
        parts=UTILITY_PARTS,
        keys=(
            Key(
                "model_utility",
                "higher",
                None,
                "Harmonic mean of ROUGE-L, probability and truth ratio on retain set, real authors and world facts.",
            ),
            *(
                Key(
                    f"{name}_{task}",
                    "higher",
                    None,
                    f"{NUMBERS[name].rstrip('.')} on {task.replace('_', ' ')}, one of the nine parts of model utility.",
                )
                for task in MULTIPLE_CHOICE
                for name in NUMBERS
            ),
        ),
        measure=measure_model_utility,
        needs=("measured",),
        whole=True,
    ),
    Metric(
        name="forget_quality",
        sides=("forget",),
        parts=("forget_quality",),
        keys=(
            Key(
                "forget_quality",
                "higher",
                1.0,
                "p-value that the truth ratios are those of a model that never saw the forget set; below 0.05 the two "
                "are told apart.",
            ),
        ),
        measure=measure_forget_quality,
        needs=("measured",),
        whole=True,
    ),
)
