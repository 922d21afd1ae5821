"""The geometry of the analysis's pictures: what templates/analysis.html.j2 draws."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from relearn_lite.report.curve import svg_path, ticks

CHART_WIDTH, CHART_HEIGHT = 720, 240
LEFT, RIGHT, TOP, BOTTOM = 56, 12, 12, 44  # margins, room for the axes
BAR_WIDTH, BAR_STEP = 520, 30
MAP_WIDTH, MAP_GAP, LARGEST_CELL = 210, 30, 26  # a map's width, the gap between two, and the largest cell
MOST_TITLES = 400  # cells of a map that still get a title of their own: more would bloat the page


@dataclass(frozen=True)
class Line:
    label: str
    path: str
    colour: str
    dashed: bool
    last: float | None
    end: tuple[float, float] | None  # where its last known point lies in the drawing


@dataclass(frozen=True)
class Chart:
    """Values by layer or by step. Ticks are (position in the drawing, label)."""

    y_label: str
    lines: list[Line]
    x_ticks: list[tuple[float, str]]
    y_ticks: list[tuple[float, str]]


def layer_chart(
    y_label: str, series: Mapping[str, Sequence[float | None]], styles: Mapping[str, tuple[str, bool]]
) -> Chart | None:
    """One line a series, its values those of layers 0, 1, ...; None where nothing is known.

    styles: by series, colour (a name of the style sheet's variables) and whether the line is dashed.
    """
    return point_chart(y_label, {label: list(enumerate(values)) for label, values in series.items()}, styles)


def point_chart(
    y_label: str,
    series: Mapping[str, Sequence[tuple[int, float | None]]],
    styles: Mapping[str, tuple[str, bool]],
    highest: float | None = None,
) -> Chart | None:
    """One line a series of (x, value), x from 0, values from 0 or below; None where nothing is known.

    styles: as those of `layer_chart`. highest: a value that the axis has even if no line reaches it.
    """
    known = [value for points in series.values() for _, value in points if value is not None]
    if not known:
        return None
    last = max(1, *(points[-1][0] for points in series.values() if points))
    top = max(known) if highest is None else max(highest, *known)
    x_ticks, y_ticks = ticks(0, last, whole=True, about=8), ticks(min(0.0, *known), top)
    low, high = y_ticks[0], y_ticks[-1]

    def x(step: float) -> float:
        return round(LEFT + step / last * (CHART_WIDTH - LEFT - RIGHT), 1)

    def y(value: float) -> float:
        return round(CHART_HEIGHT - BOTTOM - (value - low) / (high - low) * (CHART_HEIGHT - TOP - BOTTOM), 1)

    lines = []
    for label, points in series.items():
        places = [(x(at), None if value is None else y(value)) for at, value in points]
        end = next((place for place in reversed(places) if place[1] is not None), None)
        lines.append(Line(label, svg_path(places), *styles[label], points[-1][1], end))
    x_labels = [(x(n), f"{n:g}") for n in x_ticks if n <= last]
    return Chart(y_label, lines, x_labels, [(y(value), f"{value:.6g}") for value in y_ticks])


@dataclass(frozen=True)
class Bar:
    """Shares of one whole, laid end to end: (x, width, share) each."""

    label: str
    y: int
    pieces: list[tuple[float, float, float]]


def stacked_bars(shares: Mapping[str, Sequence[float | None]]) -> list[Bar]:
    """One bar a label; each one's shares are of 1. Bars with a share that is not known are left out."""
    bars = []
    for label, values in shares.items():
        if any(value is None for value in values):
            continue
        at, pieces = 0.0, []
        for value in values:
            pieces.append((round(at * BAR_WIDTH, 1), round(value * BAR_WIDTH, 1), value))
            at += value
        bars.append(Bar(label, len(bars) * BAR_STEP, pieces))
    return bars


@dataclass(frozen=True)
class Cell:
    x: float
    y: float
    colour: str
    opacity: float
    title: str


@dataclass(frozen=True)
class Map:
    """Values by layer (rows, the last on top) and head, the MLP apart on the right."""

    title: str
    x: int
    cells: list[Cell]
    size: float  # of a cell
    mlp_x: float
    largest: float


def part_map(title: str, place: int, parts: Sequence[Mapping], column: str, colours: tuple[str, str]) -> Map:
    """A map of one number of all parts. colours: of positive and of negative values.

    A cell's opacity is the square root of its share of the largest value: small ones stay visible beside large ones.
    """
    layers = 1 + max(part["layer"] for part in parts)
    heads = 1 + max((part["head"] for part in parts if part["head"] is not None), default=0)
    size = round(min(LARGEST_CELL, (MAP_WIDTH - 24) / (heads + 1.5)), 2)
    mlp_x = round(24 + (heads + 0.5) * size, 1)
    values = [part[column] for part in parts]
    largest = max((abs(value) for value in values if value is not None), default=0.0)
    cells = [
        Cell(
            mlp_x if part["head"] is None else round(24 + part["head"] * size, 1),
            round((layers - 1 - part["layer"]) * size, 1),
            colours[value is not None and value < 0],
            round((abs(value or 0.0) / largest) ** 0.5, 3) if largest else 0.0,
            f"{name(part['layer'], part['head'])}: {'not known' if value is None else f'{value:.4g}'}"
            if len(parts) <= MOST_TITLES else "",
        )
        for part, value in zip(parts, values, strict=True)
    ]
    return Map(title, place * (MAP_WIDTH + MAP_GAP), cells, size, mlp_x, largest)


def name(layer: int, head: int | None) -> str:
    """A part for people, layers counted from 1 as in the charts: `layer 3, head 0`, `layer 3, MLP`."""
    return f"layer {layer + 1}, {'MLP' if head is None else f'head {head}'}"
