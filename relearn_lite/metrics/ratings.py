"""Ratings from 1 to 5 by a judge, a language model: fluency and relevance of answers, forgetting and retention.

The published suite has them from GPT-4o (fluency, relevance) and DeepSeek (forgetting, retention). Here the judge is
the one that the recipe names, and is asked in words of this project: the numbers compare between runs with one judge.
"""

from __future__ import annotations

from collections.abc import Sequence

from relearn_lite.core.records import Answer
from relearn_lite.judges import Evaluators
from relearn_lite.metrics.declaration import SIDES, Key, Measure, Metric, MetricValues, Side


def _measure(kind: str) -> Measure:
    def measure(answers: Sequence[Answer], evaluators: Evaluators) -> dict[str, MetricValues]:
        judge = evaluators.judge
        ratings = judge.rate(kind, [(a.query, a.ground_truth, a.generated_response) for a in answers])
        failure = getattr(judge, "failure", None)
        return {kind: MetricValues.of(ratings, failure or "the judge gave no rating that can be read")}

    return measure


def _metric(kind: str, sides: tuple[Side, ...], description: str) -> Metric:
    keys = tuple(
        Key(
            kind if len(sides) == 1 else f"{kind}_{side}", "higher", 5.0, description.format(side=side),
            low=1.0, high=5.0,
        )
        for side in sides
    )  # fmt: skip
    return Metric(kind, keys, _measure(kind), sides, needs=("judge",))


METRICS = (
    _metric("fluency", SIDES, "How well the {side} answers are written, 1 to 5 by a judge, whatever they say."),
    _metric("relevance", SIDES, "How far the {side} answers speak to the question, right or not, 1 to 5 by a judge."),
    _metric(
        "forgetting", ("forget",), "How much of the original forget answers is gone, 1 (none) to 5 (all), by a judge."
    ),
    _metric(
        "retention", ("retain",), "How much of the original retain answers is left, 1 (none) to 5 (all), by a judge."
    ),
)
