"""Leak: does the answer give a specific of the original away that the question does not give? By rules, see text/leaks.

It asks less than KFR and more: a tenth of the sentence is a leak where it holds the name, and a whole one is none where
it holds nothing but words that tell nothing.
"""

from __future__ import annotations

from collections.abc import Sequence

from relearn_lite.core.records import Answer
from relearn_lite.judges import Evaluators
from relearn_lite.metrics.declaration import Metric, MetricValues
from relearn_lite.text.leaks import gives_away
from relearn_lite.text.recall import LEAKED_NGRAM, shares_ngram
from relearn_lite.text.turns import is_passage


def measure(answers: Sequence[Answer], evaluators: Evaluators) -> dict[str, MetricValues]:
    """1.0 for each answer that gives a specific away, 0.0 for one that does not. No judge takes part.

    What another wording of the question gives is none: "Apple was founded by somebody", asked "Which man started
    Apple?", says no more than "Who founded Apple?" does. Of a passage five words in a row of its rest count, nothing
    less: any two texts share some words.
    """
    told = [
        float(_piece(answer) if is_passage(answer.query) else
              gives_away(answer.generated_response, answer.wordings, answer.ground_truth))
        for answer in answers
    ]
    return {"leak": MetricValues(told, [None] * len(told))}


def _piece(answer: Answer) -> bool:
    return shares_ngram(answer.generated_response, answer.ground_truth, LEAKED_NGRAM)


METRICS = (Metric("leak", measure, sides=("forget",)),)
