"""Numbers as people read them. What is not known is a dash, never 0."""

from __future__ import annotations

import math
from collections.abc import Sequence


def number(value: float | None) -> str:
    """Three digits behind the point below 10, one below 1,000, none above; a dash for what could not be had."""
    if value is None or math.isnan(value):
        return "—"
    if math.isinf(value):
        return "∞" if value > 0 else "−∞"
    digits = 3 if abs(value) < 10 else 1 if abs(value) < 1000 else 0
    return f"{value:,.{digits}f}"


def signed(value: float) -> str:
    """A difference: as `number`, with + or − before it."""
    text, sign = number(abs(value)), "+" if value > 0 else "−"
    return f"{sign}{text}" if text.strip("0.") else text


def interval(bounds: Sequence[float] | None) -> str:
    """`0.710 – 0.850`; empty where there is none."""
    return f"{number(bounds[0])} – {number(bounds[1])}" if bounds else ""


def memory(megabytes: float | None) -> str:
    """`512 MB`, `5.4 GB`; a dash where it is not known."""
    if megabytes is None:
        return "—"
    return f"{megabytes:,.0f} MB" if megabytes < 1000 else f"{megabytes / 1000:,.1f} GB"
