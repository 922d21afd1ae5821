"""ROUGE-1 and ROUGE-L recall (Lin 2004): what returns of the reference, see `text.recall`."""

from __future__ import annotations

from collections.abc import Sequence

from relearn_lite.core.records import Answer
from relearn_lite.judges import Evaluators
from relearn_lite.metrics.declaration import Metric, MetricValues
from relearn_lite.text.recall import PARTS, rouge_recall, tokens

__all__ = ["METRICS", "rouge_recall", "tokens"]


def measure(answers: Sequence[Answer], evaluators: Evaluators) -> dict[str, MetricValues]:
    """ROUGE recall of each answer against the original answer."""
    scores = [rouge_recall(answer.generated_response, answer.ground_truth) for answer in answers]
    no_words = "the original answer has no words"
    return {part: MetricValues.of([score[part] for score in scores], no_words) for part in PARTS}


METRICS = (Metric("rouge", measure, parts=PARTS),)
