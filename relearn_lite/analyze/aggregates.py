"""Numbers as JSON keeps them: six significant digits, means over what is known, None where there is nothing."""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Iterable, Sequence

DIGITS = 6


def rounded(value: float) -> float | None:
    """A number to six significant digits; None where it is not finite."""
    return float(f"{value:.{DIGITS}g}") if math.isfinite(value) else None


def mean(values: Iterable[float | None]) -> float | None:
    """The mean of what is known; None where nothing is."""
    return _over_known(statistics.fmean, values)


def median(values: Iterable[float | None]) -> float | None:
    """The median of what is known; None where nothing is."""
    return _over_known(statistics.median, values)


def _over_known(aggregate: Callable[[list[float]], float], values: Iterable[float | None]) -> float | None:
    known = [float(value) for value in values if value is not None and math.isfinite(value)]
    return rounded(aggregate(known)) if known else None


def rank_correlation(first: Sequence[float], second: Sequence[float]) -> float | None:
    """Spearman's rank correlation; None where one of the two is constant or has fewer than three values."""
    from scipy.stats import spearmanr

    if len(first) < 3 or len(set(first)) == 1 or len(set(second)) == 1:
        return None
    return rounded(float(spearmanr(first, second).statistic))
