"""How much of the original answer is still in the model word for word, whatever it says when it is asked.

The likeliest next token is taken at each place of the original answer (teacher forcing, greedy), its end not counted.
Definitions: Carlini et al. 2021, Tirumala et al. 2022, as open-unlearning (Dorna et al. 2025) has them.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import partial
from itertools import takewhile

import numpy as np

from relearn_lite.core.records import Answer
from relearn_lite.judges import Evaluators
from relearn_lite.metrics.declaration import Metric, MetricValues
from relearn_lite.models.scoring import TokenScores

EMPTY = "the original answer has no token"


def extraction_strength(greedy: Sequence[bool]) -> float | None:
    """1 - k/T: k tokens of the T must be given before greedy decoding says the rest; None for T = 0.

    1: the question alone brings back the whole answer. 0: not even the last token (open-unlearning gives 1/T there).
    """
    extracted = sum(1 for _ in takewhile(bool, reversed(greedy)))
    return extracted / len(greedy) if len(greedy) else None


def exact_memorization(greedy: Sequence[bool]) -> float | None:
    """Share of the answer's tokens that greedy decoding gets right; None for an answer without any."""
    return sum(map(bool, greedy)) / len(greedy) if len(greedy) else None


def measure(
    of: Callable[[Sequence[bool]], float | None], answers: Sequence[Answer], evaluators: Evaluators
) -> dict[str, MetricValues]:
    """One of the functions above of each original answer; NaN where the model's probabilities are."""

    def value(found: TokenScores) -> float | None:
        return math.nan if np.isnan(found.log_probs).any() else of(found.greedy)

    scores = evaluators.model.score([(answer.query, answer.ground_truth) for answer in answers])
    return {of.__name__: MetricValues.of([None if each is None else value(each) for each in scores], EMPTY)}


METRICS = tuple(
    Metric(of.__name__, partial(measure, of), needs=("model",)) for of in (extraction_strength, exact_memorization)
)
