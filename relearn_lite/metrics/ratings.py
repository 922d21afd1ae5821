"""Ratings from 1 to 5 by a judge, a language model: fluency and relevance of answers, forgetting and retention.

The published suite has them from GPT-4o (fluency, relevance) and DeepSeek (forgetting, retention). Here the judge is
the one that the recipe names, and is asked in words of this project: the numbers compare between runs with one judge.
"""

from __future__ import annotations

from collections.abc import Sequence

from relearn_lite.core.records import Answer
from relearn_lite.judges import Evaluators
from relearn_lite.metrics.declaration import SIDES, Measure, Metric, MetricValues


def _measure(kind: str) -> Measure:
    def measure(answers: Sequence[Answer], evaluators: Evaluators) -> dict[str, MetricValues]:
        judge = evaluators.judge
        ratings = judge.rate(kind, [(a.query, a.ground_truth, a.generated_response) for a in answers])
        failure = getattr(judge, "failure", None)
        return {kind: MetricValues.of(ratings, failure or "the judge gave no rating that can be read")}

    return measure


METRICS = tuple(
    Metric(kind, _measure(kind), sides, needs=("judge",))
    for kind, sides in (
        ("fluency", SIDES), ("relevance", SIDES), ("forgetting", ("forget",)), ("retention", ("retain",)),
    )
)  # fmt: skip
