"""Two means of several numbers, which take arrays of them too."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any


def harmonic_mean(parts: Sequence[Any]) -> Any:
    """Of numbers, or of arrays place by place; 0 where a part is 0."""
    from scipy.stats import hmean

    return hmean(parts, axis=0)


def arithmetic_mean(parts: Sequence[Any]) -> Any:
    """Of numbers, or of arrays place by place."""
    return sum(parts) / len(parts)
