"""Numbers as JSON keeps them: six significant digits, means over what is known, None where there is nothing."""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterable, Sequence

DIGITS = 6


def rounded(value: float) -> float | None:
    """A number to six significant digits; None where it is not finite."""
    return float(f"{value:.{DIGITS}g}") if math.isfinite(value) else None


def mean(values: Iterable[float | None]) -> float | None:
    """The mean of what is known; None where nothing is."""
    known = _known(values)
    return rounded(statistics.fmean(known)) if known else None


def median(values: Iterable[float | None]) -> float | None:
    """The median of what is known; None where nothing is."""
    known = _known(values)
    return rounded(statistics.median(known)) if known else None


def _known(values: Iterable[float | None]) -> list[float]:
    return [float(value) for value in values if value is not None and math.isfinite(value)]


def rank_correlation(first: Sequence[float], second: Sequence[float]) -> float | None:
    """Spearman's rank correlation; None where one of the two is constant or has fewer than three values."""
    from scipy.stats import spearmanr

    if len(first) < 3 or len(set(first)) == 1 or len(set(second)) == 1:
        return None
    return rounded(float(spearmanr(first, second).statistic))
