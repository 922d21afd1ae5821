"""The line charts of the comparison: a line a method, its number at the line's end."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from relearn_lite.report.compare import Line
from relearn_lite.report.drawing import Chart, point_chart

N_COLOURS = 8  # of the page's style, --mark-1 and on
DASHES = ("", "7 4", "2 4", "10 3 2 3")  # told apart by these when the colours are used up
LABEL_HEIGHT = 12
LONGEST_LABEL = 11  # characters that fit beside the chart


@dataclass(frozen=True)
class Mark:
    """How a method is drawn, in every chart alike."""

    sign: str
    colour: str  # a variable of the page's style
    dash: str


@dataclass(frozen=True)
class Picture:
    """A chart; ends: (x, y, which methods' lines end there)."""

    title: str
    x_label: str
    chart: Chart
    ends: list[tuple[float, float, str]]


def marks(table: Sequence[Line]) -> dict[str, Mark]:
    """A mark for each line, by its name. The vanilla model's is apart."""
    found = {}
    for line in table:
        n = (line.number or 1) - 1
        colour = "--ink" if line.number is None else f"--mark-{n % N_COLOURS + 1}"
        found[line.name] = Mark(line.sign, colour, DASHES[n // N_COLOURS % len(DASHES)])
    return found


def picture(
    title: str,
    labels: tuple[str, str],
    series: Mapping[str, Sequence[tuple[int, float | None]]],
    drawn_as: Mapping[str, Mark],
    highest: float | None = None,
) -> Picture | None:
    """A chart of (x, value) by name of the line; None where nothing is known. labels: of x and of y."""
    chart = point_chart(labels[1], series, {name: (drawn_as[name].colour, False) for name in series}, highest)
    if chart is None:
        return None
    ends = [(*line.end, drawn_as[line.label].sign) for line in chart.lines if line.end]
    return Picture(title, labels[0], chart, _grouped(ends))


def _grouped(ends: Sequence[tuple[float, float, str]]) -> list[tuple[float, float, str]]:
    """One label for the lines that end (almost) at one place, where labels of their own would cover each other."""
    groups: list[tuple[float, float, list[str]]] = []
    for x, y, sign in sorted(ends):
        if groups and groups[-1][0] == x and y - groups[-1][1] < LABEL_HEIGHT:
            groups[-1][2].append(sign)
        else:
            groups.append((x, y, [sign]))
    return [(x, y, _short(signs)) for x, y, signs in groups]


def _short(signs: Sequence[str]) -> str:
    """`V, 1–3, 7`: runs of numbers joined, and cut where it grows too long."""
    numbers = sorted(int(sign) for sign in signs if sign.isdigit())
    runs: list[list[int]] = []
    for n in numbers:
        if runs and n == runs[-1][1] + 1:
            runs[-1][1] = n
        else:
            runs.append([n, n])
    told = ["V"] * ("V" in signs)
    told += [str(a) if a == b else f"{a}, {b}" if b == a + 1 else f"{a}–{b}" for a, b in runs]
    text = ", ".join(told)
    while len(text) > LONGEST_LABEL:
        told.pop()
        text = ", ".join([*told, "…"])
    return text
