"""Ratings from 1 to 5 by a judge, a language model: fluency and relevance of answers, forgetting and retention.

The published suite has them from GPT-4o and DeepSeek. Here the recipe names the judge, and the prompts are this
project's: the numbers compare between runs with one judge.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from relearn_lite.core.records import Answer
from relearn_lite.judges import Evaluators
from relearn_lite.metrics.declaration import SIDES, Metric, MetricValues
from relearn_lite.text.turns import is_passage


def measure(kind: str, answers: Sequence[Answer], evaluators: Evaluators) -> dict[str, MetricValues]:
    """The judge's rating of each answer, 1 to 5."""
    judge = evaluators.judge
    asked = [row for row in answers if not is_passage(row.query)]
    ratings = iter(judge.rate(kind, [(a.query, a.ground_truth, a.generated_response) for a in asked]))
    values = [None if is_passage(row.query) else next(ratings) for row in answers]
    failure = getattr(judge, "failure", None) or "the judge gave no rating that can be read"
    why = [NO_QUESTION if is_passage(row.query) else failure for row in answers]
    return {kind: MetricValues(values, [None if v is not None else w for v, w in zip(values, why, strict=True)])}


NO_QUESTION = "a text is continued, and the judge rates answers to questions"
ASKED = {"fluency": SIDES, "relevance": SIDES, "forgetting": ("forget",), "retention": ("retain",)}
METRICS = tuple(Metric(kind, partial(measure, kind), sides, needs=("judge",)) for kind, sides in ASKED.items())
