"""What unlearning changed: every metric's difference between two models on the same questions, with its interval."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import product

import numpy as np

from relearn_lite.core.records import Score
from relearn_lite.metrics import COMBINED, METRICS, PARAPHRASE
from relearn_lite.metrics.intervals import percentile_interval, resampled_means


def differences(before: Sequence[Score], after: Sequence[Score]) -> dict[str, dict[str, float | int]]:
    """What changed from one model to another on the same questions: {key: {"mean", "low", "high", "n"}}.

    Paired by answer id: only the `n` questions that have a value from both models count, so the difference of two means
    with missing values may be another. For numbers made of others (LS, forget score) these are questions with all
    parts, and the difference is that of the two combined numbers. low, high: 95 % percentile bootstrap interval, which
    draws questions, each with both its values. Left out are keys without a pair, and numbers that are no means (AUC).
    """
    old, new = _by_key(before), _by_key(after)
    plain = {key: ((key,), float) for key in old if key in new}
    made = {
        number.name + ending: (tuple(part + ending for part in number.of), number.combine)
        for ending in ("", PARAPHRASE)
        for number in COMBINED
    }
    found = {}
    for key, (parts, combine) in (plain | made).items():
        if not all(part in plain for part in parts):
            continue
        columns = [values[part] for values in (old, new) for part in parts]
        shared = [id for id in columns[0] if all(id in column for column in columns)]
        if shared:
            rows = np.asarray([[column[id] for column in columns] for id in shared], dtype=np.float64)
            found[key] = _paired_difference(rows, combine)
    return found


def combined_intervals(scores: Sequence[Score]) -> dict[str, list[float]]:
    """95 % percentile bootstrap intervals of one model's numbers that are made of others (LS, forget score).

    Questions are drawn, each with all its parts; those that lack a part are left out.
    """
    values, found = _by_key(scores), {}
    for number, ending in product(COMBINED, ("", PARAPHRASE)):
        columns = [values.get(part + ending, {}) for part in number.of]
        shared = [id for id in columns[0] if all(id in column for column in columns)]
        rows = np.asarray([[column[id] for column in columns] for id in shared], dtype=np.float64)
        if len(rows) >= 2:
            drawn = [float(number.combine(*means)) for means in resampled_means(rows)]
            found[number.name + ending] = list(percentile_interval(drawn))
    return found


def _by_key(scores: Sequence[Score]) -> dict[str, dict[str, float]]:
    """key of metrics.json -> id -> value, of values that there are."""
    keys = {
        (part, side + ending): metric.key(part, side) + ending
        for metric in METRICS.values()
        if not metric.aggregate
        for side in metric.sides
        for part in metric.parts
        for ending in ("", PARAPHRASE)
    }
    values: dict[str, dict[str, float]] = {}
    for score in scores:
        if score.value is not None and (score.metric, score.split) in keys:
            values.setdefault(keys[score.metric, score.split], {})[score.id] = float(score.value)
    return values


def _paired_difference(rows: np.ndarray, combine: Callable[..., float]) -> dict[str, float | int]:
    """rows: (questions, 2 x parts), the parts before and then the parts after."""
    parts = rows.shape[1] // 2

    def change(means: np.ndarray) -> float:
        return float(combine(*means[parts:])) - float(combine(*means[:parts]))

    low, high = percentile_interval([change(means) for means in resampled_means(rows)])
    return {"mean": change(rows.mean(axis=0)), "low": low, "high": high, "n": len(rows)}
