"""Ratings from 1 to 5 by a judge, a language model: fluency and relevance of answers, forgetting and retention.

The published suite has them from GPT-4o (fluency, relevance) and DeepSeek (forgetting, retention). Here the judge is
the one that the recipe names, and is asked in words of this project: the numbers compare between runs with one judge.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from relearn_lite.core.records import Answer
from relearn_lite.judges import Evaluators
from relearn_lite.metrics.declaration import Column, Key, Metric, Side


def _measure(kind: str) -> Callable[[Sequence[Answer], Evaluators], dict[str, Column]]:
    def measure(answers: Sequence[Answer], evaluators: Evaluators) -> dict[str, Column]:
        judge = evaluators.judge
        scores = judge.rate(kind, [(a.query, a.ground_truth, a.generated_response) for a in answers])
        fault = getattr(judge, "fault", None)
        return {kind: Column.of(scores, fault or "the judge gave no rating that can be read")}

    return measure


def _key(name: str, reading: str) -> Key:
    return Key(name, "higher", 5.0, reading, low=1.0, high=5.0)


def _of_both_sides(kind: str, reading: str) -> Metric:
    sides: tuple[Side, ...] = ("forget", "retain")
    keys = tuple(_key(f"{kind}_{side}", reading.format(side=side)) for side in sides)
    return Metric(kind, sides, (kind,), keys, _measure(kind), needs=("judge",))


METRICS = (
    _of_both_sides("fluency", "How well the {side} answers are written, 1 to 5 by a judge, whatever they say."),
    _of_both_sides("relevance", "How far the {side} answers speak to the question, right or not, 1 to 5 by a judge."),
    Metric(
        name="forgetting",
        sides=("forget",),
        parts=("forgetting",),
        keys=(_key("forgetting", "How much of the original forget answers is gone, 1 (none) to 5 (all), by a judge."),),
        measure=_measure("forgetting"),
        needs=("judge",),
    ),
    Metric(
        name="retention",
        sides=("retain",),
        parts=("retention",),
        keys=(_key("retention", "How much of the original retain answers is left, 1 (none) to 5 (all), by a judge."),),
        measure=_measure("retention"),
        needs=("judge",),
    ),
)
