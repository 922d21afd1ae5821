"""Bootstrap intervals: of means, of numbers made of means, and of those that are none (AUC, model utility)."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

RESAMPLES, SEED = 2000, 0
AT_ONCE = 2_000_000  # numbers that are drawn at once: 16 MB


def interval_of(statistic: Callable[..., float], groups: Sequence[np.ndarray]) -> tuple[float, float] | None:
    """95 % percentile bootstrap interval of statistic(*groups); None where a group has fewer than two rows.

    Rows of each group (n_i, ...) are drawn with replacement, each group on its own: members and holdout are two
    samples, not pairs.
    """
    if any(len(group) < 2 for group in groups):
        return None
    rng = np.random.default_rng(SEED)
    values = [
        statistic(*(group[rng.integers(0, len(group), len(group))] for group in groups)) for _ in range(RESAMPLES)
    ]
    return percentile_interval(values)


def resampled_means(rows: np.ndarray) -> np.ndarray:
    """(RESAMPLES, columns): means of the columns over as many rows as there are, drawn with replacement each time."""
    rng, n = np.random.default_rng(SEED), len(rows)
    block = max(1, AT_ONCE // rows.size)
    sizes = [min(block, RESAMPLES - start) for start in range(0, RESAMPLES, block)]
    return np.concatenate([rows[rng.integers(0, n, (size, n))].mean(axis=1) for size in sizes])


def bootstrap_interval(values: Sequence[float]) -> tuple[float, float]:
    """95 % percentile bootstrap interval of the mean: 2.5th and 97.5th percentile of the means of 2000 resamples."""
    return percentile_interval(resampled_means(np.asarray(values, dtype=np.float64)[:, None])[:, 0])


def percentile_interval(drawn: Sequence[float] | np.ndarray) -> tuple[float, float]:
    """2.5th and 97.5th percentile of what was drawn."""
    low, high = np.percentile(drawn, [2.5, 97.5])
    return float(low), float(high)
