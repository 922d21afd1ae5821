"""The geometry of the loss curve: what templates/curve.svg.j2 draws."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

WIDTH, HEIGHT = 720, 300
LEFT, RIGHT, TOP, BOTTOM = 56, 12, 12, 44  # margins, room for the axes
MOST_POINTS = 600  # more would not show on a curve this wide

NOT_LOSSES = ("step", "epoch", "lr", "tokens_per_s", "tokens_per_second")
LABELS = {
    "loss": "total loss",
    "forget": "forget term",
    "forget_ce": "forget term, cross-entropy",
    "retain_ce": "retain term, cross-entropy",
    "retain_kl": "retain term, KL from vanilla",
}


@dataclass(frozen=True)
class Line:
    term: str
    label: str
    path: str  # an SVG path
    first: float
    last: float


@dataclass(frozen=True)
class Curve:
    lines: list[Line]
    x_ticks: list[tuple[float, str]]  # position in the drawing, label
    y_ticks: list[tuple[float, str]]
    every: int  # each n-th step is drawn


def loss_curve(losses: Sequence[dict[str, Any]]) -> Curve | None:
    """The curve of every loss term that was logged at two steps or more; None where there is none."""
    series = {term: _points(losses, term) for term in terms(losses)}
    series = {term: points for term, points in series.items() if sum(y is not None for _, y in points) > 1}
    if not series:
        return None
    steps = [x for points in series.values() for x, _ in points]
    values = [y for points in series.values() for _, y in points if y is not None]
    x_ticks, y_ticks = ticks(min(steps), max(steps), whole=True), ticks(min(values), max(values))
    x_low, x_high = min(steps), max(max(steps), min(steps) + 1)
    y_low, y_high = min(y_ticks[0], min(values)), max(y_ticks[-1], max(values))

    def place_x(step: float) -> float:
        return round(LEFT + (step - x_low) / (x_high - x_low) * (WIDTH - LEFT - RIGHT), 1)

    def place_y(value: float) -> float:
        return round(HEIGHT - BOTTOM - (value - y_low) / (y_high - y_low) * (HEIGHT - TOP - BOTTOM), 1)

    every = math.ceil(len(losses) / MOST_POINTS)
    lines = []
    for term, points in series.items():
        drawn = [(place_x(x), None if y is None else place_y(y)) for x, y in points[::every]]
        known = [y for _, y in points if y is not None]
        lines.append(Line(term, LABELS.get(term, term), svg_path(drawn), known[0], known[-1]))
    return Curve(
        lines,
        [(place_x(x), f"{x:,.0f}") for x in x_ticks if x_low <= x <= x_high],
        [(place_y(y), f"{y:.6g}") for y in y_ticks],
        every,
    )


def terms(losses: Sequence[dict[str, Any]]) -> list[str]:
    """The names of all that was logged and is a loss, the total first."""
    names = dict.fromkeys(name for row in losses for name in row if name not in NOT_LOSSES)
    return sorted(names, key=lambda name: name != "loss")


def _points(losses: Sequence[dict[str, Any]], term: str) -> list[tuple[float, float | None]]:
    """(step, value); None where a value is missing or not finite, which leaves a gap in the line."""
    return [
        (row["step"], value if isinstance(value := row.get(term), int | float) and math.isfinite(value) else None)
        for row in losses
    ]


def svg_path(points: Sequence[tuple[float, float | None]]) -> str:
    """An SVG path that lifts the pen at every gap."""
    parts, pen_down = [], False
    for x, y in points:
        if y is not None:
            parts.append(f"{'L' if pen_down else 'M'}{x:g} {y:g}")
        pen_down = y is not None
    return "".join(parts)


def ticks(low: float, high: float, whole: bool = False, about: int = 5) -> list[float]:
    """Round numbers (1, 2 or 5 times a power of ten apart) from just below `low` to just above `high`."""
    if high <= low:
        high = low + (1 if whole else abs(low) or 1)
    rough = (high - low) / about
    power = 10 ** math.floor(math.log10(rough))
    gap = next(m * power for m in (1, 2, 5, 10) if m * power >= rough * 0.999)
    if whole:
        gap = max(1, round(gap))
    first, last = math.floor(low / gap + 1e-9), math.ceil(high / gap - 1e-9)
    return [n * gap for n in range(first, last + 1)]
