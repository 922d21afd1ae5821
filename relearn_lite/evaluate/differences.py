"""What unlearning changed: every metric's difference between two models on the same questions, with its interval."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import product
from typing import Any

import numpy as np

from relearn_lite.core.records import Score
from relearn_lite.metrics import ABILITY, COMBINED, EARLIER, METRICS, PARAPHRASE, is_share
from relearn_lite.metrics.intervals import NO_SPREAD, difference_interval, interval_of_means


def differences(before: Sequence[Score], after: Sequence[Score]) -> dict[str, dict[str, Any]]:
    """What changed from one model to another on the same questions: {key: {"mean", "low", "high", "n"}}.

    Paired by answer id: only the `n` questions that have a value from both models count, so the difference of two means
    with missing values may be another. For numbers made of others (LS, forget score) these are questions with all
    parts, and the difference is that of the two combined numbers. low, high: 95 % interval of the pairs, see
    `metrics.intervals`; both None where there is none, and then "reason" says why. Left out are keys without a pair,
    and numbers that are no means (AUC).
    """
    old, new = values_by_key(before), values_by_key(after)
    found = {}
    for key in old:
        if pairs := _table([old[key], new.get(key, {})]):
            found[key] = _change(*map(np.mean, pairs), difference_interval(*pairs, is_share(key)), len(pairs[0]))
    for key, parts, combine in _made_of_others():
        columns = _table([model.get(part, {}) for model in (old, new) for part in parts])
        if columns:
            half = len(parts)

            def change(*means: float, combine=combine, half=half) -> float:
                return combine(*means[half:]) - combine(*means[:half])

            means, interval = [float(column.mean()) for column in columns], interval_of_means(change, columns)
            found[key] = _change(combine(*means[:half]), combine(*means[half:]), interval, len(columns[0]))
    return found


def _change(before: float, after: float, interval: tuple[float, float] | None, n: int) -> dict[str, Any]:
    low, high = interval or (None, None)
    reason = {} if interval else {"reason": NO_SPREAD if n > 1 else "no interval: there is one question"}
    return {"mean": float(after) - float(before), "low": low, "high": high, "n": n, **reason}


def combined_intervals(scores: Sequence[Score]) -> dict[str, list[float]]:
    """95 % bootstrap intervals of one model's numbers that are made of others (LS, forget score).

    Questions are drawn, each with all its parts; those that lack a part are left out.
    """
    values, found = values_by_key(scores), {}
    for key, parts, combine in _made_of_others():
        columns = _table([values.get(part, {}) for part in parts])
        if columns and (interval := interval_of_means(combine, columns)):
            found[key] = list(interval)
    return found


def _made_of_others() -> list[tuple[str, list[str], Callable[..., float]]]:
    """(key, keys of its parts, how it is made of their means) of each combined number, reworded questions' too."""
    return [
        (number.name + ending, [part + ending for part in number.of], number.combine)
        for number, ending in product(COMBINED, ("", PARAPHRASE))
    ]


def _table(columns: Sequence[Mapping[str, float]]) -> list[np.ndarray]:
    """The columns on the questions that have a value in each, in one order; empty where there is no such question."""
    shared = [id for id in columns[0] if all(id in column for column in columns)]
    return [np.asarray([column[id] for id in shared], dtype=np.float64) for column in columns] if shared else []


def values_by_key(scores: Sequence[Score]) -> dict[str, dict[str, float]]:
    """key of metrics.json -> id -> value, of values that there are."""
    keys = {
        (part, side + ending): metric.key(part, side) + ending
        for metric in (*METRICS.values(), *ABILITY)
        if not metric.aggregate
        for side in metric.sides
        for part in metric.parts
        for ending in ("", PARAPHRASE, EARLIER)
    }
    values: dict[str, dict[str, float]] = {}
    for score in scores:
        if score.value is not None and (score.metric, score.split) in keys:
            values.setdefault(keys[score.metric, score.split], {})[score.id] = float(score.value)
    return values
