"""Probability and truth ratio of the evaluated model: the true answer, beside its paraphrase and wrong answers.

Formulas: `relearn_lite.metrics.tofu`. As in TOFU, the mark that ends an answer counts as one of its tokens.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from relearn_lite.core.records import QA, Answer
from relearn_lite.judges import Evaluators
from relearn_lite.judges.evaluated_model import EvaluatedModel
from relearn_lite.metrics.declaration import Metric, MetricValues
from relearn_lite.metrics.memorization import EMPTY
from relearn_lite.metrics.tofu import truth_ratio, truth_ratio_corrected

NO_ALTERNATIVES = "the record has no paraphrased and wrong answers (columns paraphrased_answer and wrong_answers)"


@dataclass(frozen=True)
class Losses:
    """Mean token losses of a question's answers. None, or no wrong ones: the record has none, or they are empty."""

    true: float | None
    paraphrase: float | None
    wrong: tuple[float, ...]
    multiple_choice: bool

    @property
    def log_ratio(self) -> float | None:
        """ln(P(paraphrased truth) / P(wrong answers, geometric mean)); None where it takes a loss that is not there."""
        if self.paraphrase is None or not self.wrong:
            return None
        return float(np.mean(self.wrong)) - self.paraphrase

    @property
    def probability(self) -> float | None:
        """p^(1/tokens) of the true answer."""
        return None if self.true is None else float(np.exp(-self.true))

    @property
    def share(self) -> float | None:
        """The true answer's part of the probability of all answers to choose from."""
        if self.probability is None or not self.wrong:
            return None
        return self.probability / (self.probability + float(np.exp(-np.asarray(self.wrong)).sum()))


def losses(answers: Sequence[Answer], records: Sequence[QA], model: EvaluatedModel) -> list[Losses]:
    """The losses of the true, paraphrased and wrong answers to each answer's question.

    Wrong answers where no record has a paraphrase of the true one are a multiple choice, such as TOFU's real authors
    and world facts: there the true answer is its own paraphrase. A record alone that lacks one is none.
    """
    rows, to_choose = [], all(record.paraphrased_answer is None for record in records)
    for answer, record in zip(answers, records, strict=True):
        choice = to_choose and bool(record.wrong_answers)
        paraphrase = answer.ground_truth if choice else record.paraphrased_answer or ""
        texts = (answer.ground_truth, paraphrase, *record.wrong_answers)
        rows.append((choice, [(answer.query, text) for text in texts]))
    scores = iter(model.score([pair for _, pairs in rows for pair in pairs]))
    found = []
    for choice, pairs in rows:
        true, paraphrase, *wrong = (None if (s := next(scores)) is None else s.loss_with_end for _ in pairs)
        found.append(Losses(true, paraphrase, () if None in wrong else tuple(wrong), choice))
    return found


def losses_of(answers: Sequence[Answer], model: EvaluatedModel) -> list[Losses]:
    """The losses of answers to the questions that the recipe asked, whose records are known by id."""
    return losses(answers, [model.context.records[answer.id] for answer in answers], model)


def measure_probability(answers: Sequence[Answer], evaluators: Evaluators) -> dict[str, MetricValues]:
    """p(answer)^(1/tokens) of each true answer; in multiple choice on the retain side, its share among all answers."""
    retain = answers[0].split.startswith("retain")
    found = losses_of(answers, evaluators.model)
    values = [row.share if retain and row.multiple_choice else row.probability for row in found]
    return {"probability": MetricValues.of(values, EMPTY)}


def log_ratios_of(answers: Sequence[Answer], model: EvaluatedModel) -> list[float | None]:
    """The log truth ratio of each question; None where its record has no paraphrased or no wrong answer.

    Nor has a forget question one without a paraphrase: an answer known by heart would pass for a fact that is known.
    """
    forget = answers[0].split.startswith("forget")
    return [None if forget and row.multiple_choice else row.log_ratio for row in losses_of(answers, model)]


RATIOS = {"truth_ratio": truth_ratio, "truth_ratio_corrected": lambda ratio, _: truth_ratio_corrected(ratio)}


def measure_ratio(name: str, answers: Sequence[Answer], evaluators: Evaluators) -> dict[str, MetricValues]:
    """One of RATIOS of each question."""
    ratios = log_ratios_of(answers, evaluators.model)
    if all(ratio is None for ratio in ratios):
        return {name: MetricValues.not_measured(f"in every question: {NO_ALTERNATIVES}")}
    forget = answers[0].split.startswith("forget")
    values = [None if ratio is None else float(RATIOS[name](ratio, forget)) for ratio in ratios]
    return {name: MetricValues.of(values, NO_ALTERNATIVES)}


METRICS = (
    Metric("probability", measure_probability, needs=("model",)),
    *(Metric(name, partial(measure_ratio, name), needs=("model",)) for name in RATIOS),
)
