"""ROUGE-L recall as RWKU (Jin et al. 2024) counts it, by the package that its code uses.

Of an answer the first line counts, for RWKU's generation ends there. Words are what stands between spaces, in upper and
lower case as they are, each counted once: so these numbers are others than `rougeL`'s.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from functools import cache

from relearn_lite.core.records import Answer
from relearn_lite.judges import Evaluators
from relearn_lite.metrics.declaration import Metric, MetricValues

NO_ANSWER = "NOANSWER"  # what RWKU's code puts in the place of an empty answer


def rouge_rwku(response: str, reference: str) -> float | None:
    """Recall, 0 to 1. None for a reference without words; 0 for an answer without any."""
    if not reference.replace(".", "").strip():
        return None
    first = next((line for line in response.strip().splitlines()), "").strip()
    if not first.replace(".", ""):
        first = NO_ANSWER
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(limit + len(first.split()) + len(reference.split()))  # the package calls itself word by word
    try:
        return float(_scorer().get_scores(first, reference)[0]["rouge-l"]["r"])
    finally:
        sys.setrecursionlimit(limit)


@cache
def _scorer():
    from rouge import Rouge

    return Rouge(metrics=["rouge-l"], stats=["r"])


def measure(answers: Sequence[Answer], evaluators: Evaluators) -> dict[str, MetricValues]:
    """RWKU's recall of each answer against the original answer."""
    values = [rouge_rwku(answer.generated_response, answer.ground_truth) for answer in answers]
    return {"rouge_rwku": MetricValues.of(values, "the original answer has no words")}


METRICS = (Metric("rouge_rwku", measure),)
