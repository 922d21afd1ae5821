"""95 % intervals from finite questions: none has width 0.

A share, all of whose values are 0 or 1, has Wilson's; a mean, or a number made of means, the percentile bootstrap's.
Where every draw gives the same (all values are equal, an AUC is 1), a bootstrap knows nothing of the spread: there is
no interval then, and NO_SPREAD is the reason.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

RESAMPLES, SEED = 2000, 0
AT_ONCE = 2_000_000  # numbers that are drawn at once: 16 MB
NO_SPREAD = "no interval: every draw of these questions gives the same value, which does not tell how much others vary"
Interval = tuple[float, float]


def wilson(successes: int, n: int) -> Interval:
    """Wilson's score interval of a share: 24 of 24 begins at 0.86, not at 1."""
    from scipy.stats import binomtest

    found = binomtest(successes, n).proportion_ci(method="wilson")
    return float(found.low), float(found.high)


def mean_interval(values: Sequence[float], share: bool) -> Interval | None:
    """Of a mean. share: the number lies between 0 and 1 by its nature, so zeros and ones are a share of answers."""
    column = np.asarray(values, dtype=np.float64)
    if share and _zeros_and_ones(column):
        return wilson(int(column.sum()), len(column))
    return _bootstrap([column], np.mean, vectorized=True)


def difference_interval(before: Sequence[float], after: Sequence[float], share: bool) -> Interval | None:
    """Of mean(after) - mean(before) on the same questions, in the same order. share: as in `mean_interval`."""
    old, new = (np.asarray(values, dtype=np.float64) for values in (before, after))
    if share and _zeros_and_ones(old) and _zeros_and_ones(new):
        return _newcombe(old, new)
    return mean_interval(new - old, share=False)


def interval_of_means(combine: Callable[..., Any], columns: Sequence[np.ndarray]) -> Interval | None:
    """Of combine(*means of the columns), by the bootstrap: questions are drawn, each with its value in every column."""

    def of_means(*drawn: np.ndarray, axis: int = -1) -> np.ndarray:  # (draws, questions) each -> (draws,)
        return combine(*(column.mean(axis=axis) for column in drawn))

    return _bootstrap(columns, of_means, vectorized=True, paired=True)


def interval_of(statistic: Callable[..., float], groups: Sequence[np.ndarray]) -> Interval | None:
    """Of statistic(*groups), by the bootstrap; None where a group has fewer than two rows.

    Rows of each group (n_i, ...) are drawn with replacement, each group on its own: members and holdout are two
    samples, not pairs.
    """
    if any(len(group) < 2 for group in groups):
        return None
    rows = [np.arange(len(group), dtype=float) for group in groups]  # scipy draws numbers: rows are drawn by theirs

    def of_rows(*drawn: np.ndarray) -> float:  # scipy keeps the type of what it gets, so an int would round the others
        return float(statistic(*(group[at.astype(int)] for group, at in zip(groups, drawn, strict=True))))

    return _bootstrap(rows, of_rows)


def _bootstrap(
    data: Sequence[np.ndarray], statistic: Callable[..., float], vectorized: bool = False, paired: bool = False
) -> Interval | None:
    from scipy.stats import bootstrap

    if any(len(column) < 2 for column in data):
        return None
    low, high = bootstrap(
        data, statistic, n_resamples=RESAMPLES, batch=max(1, AT_ONCE // max(map(len, data))), vectorized=vectorized,
        paired=paired, method="percentile", rng=SEED,
    ).confidence_interval  # fmt: skip
    return None if math.isclose(low, high, rel_tol=1e-12, abs_tol=1e-12) else (float(low), float(high))


def _zeros_and_ones(values: np.ndarray) -> bool:
    return bool(np.isin(values, (0, 1)).all())


def _newcombe(old: np.ndarray, new: np.ndarray) -> Interval:
    """Difference of two paired shares by Newcombe 1998 (Statistics in Medicine 17:2635), method 10; scipy has none.

    Wilson's intervals of both, put together with their correlation phi, which is corrected for continuity.
    """
    n, before, after = len(old), float(old.mean()), float(new.mean())
    (low_old, high_old), (low_new, high_new) = (wilson(int(values.sum()), n) for values in (old, new))
    both, neither = int((old * new).sum()), int(((1 - old) * (1 - new)).sum())
    cross = both * neither - int(((1 - old) * new).sum()) * int((old * (1 - new)).sum())
    spread = math.sqrt(old.sum() * (n - old.sum()) * new.sum() * (n - new.sum()))
    phi = (max(cross - n / 2, 0) if cross > 0 else cross) / spread if spread else 0.0

    def distance(one: float, other: float) -> float:
        return math.sqrt(max(one**2 - 2 * phi * one * other + other**2, 0.0))

    change = after - before
    low = change - distance(after - low_new, high_old - before)
    return max(low, -1.0), min(change + distance(high_new - after, before - low_old), 1.0)
