"""Numbers as JSON keeps them: means over what is known, None where there is nothing."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

DIGITS = 6


def plain(value: float) -> float | None:
    """A number to six significant digits; None where it is not finite."""
    return float(f"{value:.{DIGITS}g}") if math.isfinite(value) else None


def plain_list(tensor) -> list[float | None]:
    """A one-dimensional tensor as plain numbers."""
    return [plain(value) for value in tensor.tolist()]


def mean(values: Iterable[float | None]) -> float | None:
    """The mean of what is known; None where nothing is."""
    known = [value for value in values if value is not None]
    return plain(math.fsum(known) / len(known)) if known else None


def median(values: Iterable[float | None]) -> float | None:
    """The median of what is known; None where nothing is."""
    import statistics

    known = [value for value in values if value is not None]
    return plain(statistics.median(known)) if known else None


def rank_correlation(first: Sequence[float], second: Sequence[float]) -> float | None:
    """Spearman's rank correlation; None where one of the two is constant or has fewer than three values."""
    from scipy.stats import spearmanr

    if len(first) < 3 or len(set(first)) == 1 or len(set(second)) == 1:
        return None
    return plain(float(spearmanr(first, second).statistic))
