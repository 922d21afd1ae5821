"""The pictures of the reports, drawn by matplotlib as SVG inside the page: text in the reader's fonts, colours from
templates/report.css, so that dark mode has its own. The same numbers give the same bytes.
"""

from __future__ import annotations

import math
import re
import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from io import StringIO
from typing import TYPE_CHECKING

from relearn_lite.report.untrusted import visible
from relearn_lite.unlearn.selection import spread

if TYPE_CHECKING:
    from markupsafe import Markup
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

WIDTH, FONT_SIZE = 720, 11  # of a picture, and of its text in the same units
NARROW = 440  # of one that can still be read on a phone as it is
SMOOTH = 20  # a loss is smoothed over one in so many of its steps
LEGEND_LINE, LEGEND_WIDTH = 18, 110  # the width in characters
MOST_POINTS, FEW_POINTS = 600, 12  # of a line: more would not show; up to so many are marked, lone ones show then
LARGEST_DOT, SMALLEST_DOT = 36.0, 5.0  # diameter of a share of 1, and the least that can be seen
MARKS = [f"mark-{n}" for n in range(1, 9)]  # colours of methods in the style sheet
_VARIABLES = ["ink", "soft", "line", "accent", *(f"line-{n}" for n in range(1, 5)), *MARKS]
_COLOURS = {name: f"#0000{n:02x}" for n, name in enumerate(_VARIABLES, 16)}  # what matplotlib is told instead
_NAMES = {code: f"var(--{name})" for name, code in _COLOURS.items()}
_TITLE = "title of "  # marks what becomes an element's title, shown when the pointer is on it
_STYLE = {
    "svg.fonttype": "none", "text.parse_math": False, "font.family": "DejaVu Sans", "font.size": FONT_SIZE,
    "text.color": _COLOURS["soft"], "axes.labelcolor": _COLOURS["soft"], "axes.formatter.useoffset": False,
    "xtick.color": _COLOURS["line"], "xtick.labelcolor": _COLOURS["soft"], "ytick.color": _COLOURS["line"],
    "ytick.labelcolor": _COLOURS["soft"], "ytick.major.size": 0, "axes.grid": True, "axes.grid.axis": "y",
    "axes.axisbelow": True, "grid.color": _COLOURS["line"], "legend.frameon": False, "lines.linewidth": 1.8,
    "lines.solid_capstyle": "round", **{f"axes.spines.{side}": False for side in ("left", "right", "top", "bottom")},
}  # fmt: skip


@dataclass(frozen=True)
class Picture:
    """A picture, drawn when a page asks for it. label: for who cannot see it."""

    title: str
    label: str
    height: float
    draw: Callable[[Figure], None]
    width: int = WIDTH

    @cached_property
    def svg(self) -> Markup:
        """An element of a page, its text escaped. Letters that our font lacks are drawn by the reader's fonts."""
        import matplotlib.figure
        from markupsafe import Markup, escape

        with matplotlib.rc_context(_STYLE | {"svg.hashsalt": self.label}), warnings.catch_warnings(action="ignore"):
            size, file, unsaid = (self.width / 72, self.height / 72), StringIO(), ("Creator", "Date", "Format", "Type")
            figure = matplotlib.figure.Figure(figsize=size, layout="constrained")
            self.draw(figure)
            figure.savefig(file, format="svg", transparent=True, metadata=dict.fromkeys(unsaid))
        box, label = f'viewBox="0 0 {self.width:g} {self.height:g}"', escape(visible(self.label))
        narrow = ' class="small"' if self.width == NARROW else ""
        return Markup(f'<svg{narrow} {box} role="img" aria-label="{label}">{_for_page(file.getvalue())}')


@dataclass(frozen=True)
class Line:
    """One line of a chart. None in it leaves a gap. sign: stands at its end. colour: a variable of the style sheet."""

    label: str
    points: Sequence[tuple[float, float | None]]
    colour: str
    dashes: str = "-"
    sign: str = ""

    def known(self) -> list[tuple[float, float]]:
        """The points that have a value."""
        return [(x, y) for x, y in self.points if y is not None and math.isfinite(y)]


@dataclass(frozen=True)
class Change:
    """A share before and after, and the interval of the latter."""

    label: str
    before: float | None
    after: float | None
    bounds: Sequence[float] | None = None


@dataclass(frozen=True)
class Dot:
    """share: of the area of a full dot; None where it is not known, which is drawn hollow as what is `apart` is."""

    sign: str
    x: float
    y: float
    share: float | None
    apart: bool = False


def line_chart(
    title: str, lines: Sequence[Line], axes_labels: tuple[str, str], reach: Sequence[float] = (),
    mark: tuple[float, str] | None = None,
) -> Picture | None:  # fmt: skip
    """Lines over x from 0 on; None where nothing is known. reach: values of y that are shown even if no line has them.

    axes_labels: of x and of y. mark: an x that stands out, and what it is.
    """
    lines = [line for line in lines if line.known()]
    if not lines:
        return None
    columns = max(1, min(4, LEGEND_WIDTH // (8 + max(len(line.label) for line in lines))))
    values = [*reach, *(y for line in lines for _, y in line.known())]
    low, high, last = min(values), max(values), max(line.points[-1][0] for line in lines) or 1
    height = high - low or 1

    def draw(figure: Figure) -> None:
        from matplotlib.ticker import MaxNLocator

        axes = figure.subplots()
        for n, line in enumerate(lines):  # the first on top
            points = line.points[:: math.ceil(len(line.points) / MOST_POINTS)]
            known = [math.nan if y is None or not math.isfinite(y) else y for _, y in points]
            axes.plot([x for x, _ in points], known, color=_COLOURS[line.colour], linestyle=line.dashes,
                      label=visible(line.label, 80), zorder=3 - n / 100, clip_on=False, markersize=3,
                      marker="o" if len(points) <= FEW_POINTS else "")  # fmt: skip
        axes.set(xlabel=axes_labels[0], ylabel=axes_labels[1], xlim=(0, last))
        axes.set_ylim(low - 0.03 * height, high + 0.03 * height)
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        if mark:
            axes.axvline(mark[0], color=_COLOURS["soft"], linewidth=1, zorder=1)
            axes.annotate(mark[1], (mark[0], high), (3, 0), textcoords="offset points", va="top", color=_COLOURS["ink"])
        ends = [(*line.known()[-1], line.sign) for line in lines if line.sign]
        _write_signs(axes, grouped(ends, 0.03 * last, 0.07 * height), 6)
        figure.legend(handles=axes.lines[: len(lines)], loc="outside lower left", ncols=columns)

    named = f"{title}: {axes_labels[1]} by {axes_labels[0]}"
    return Picture(title, named, 240 + LEGEND_LINE * math.ceil(len(lines) / columns), draw)


def curves(title: str, lines: Sequence[Line], across: str) -> Picture | None:
    """Each line on axes of its own, one below the other: its mean over neighbouring steps, the raw values behind it."""
    import numpy as np

    lines = [line for line in lines if line.known()]

    def draw(figure: Figure) -> None:
        for axes, line in zip(figure.subplots(len(lines), sharex=True, squeeze=False)[:, 0], lines, strict=True):
            steps, values = np.array(spread(MOST_POINTS, line.known())).T
            window = max(1, len(values) // SMOOTH)
            ends = np.convolve(np.ones_like(values), np.ones(window), "same")  # fewer neighbours at both ends
            axes.plot(steps, values, color=_COLOURS["line"], linewidth=1)
            axes.plot(steps, np.convolve(values, np.ones(window), "same") / ends, color=_COLOURS[line.colour],
                      marker="o" if len(steps) <= FEW_POINTS else "", markersize=3)
            axes.set_title(f"{visible(line.label)}: {values[0]:.3g} → {values[-1]:.3g}", loc="left", fontsize=FONT_SIZE)
            axes.locator_params(axis="y", nbins=3)
            axes.margins(x=0)
        axes.set_xlabel(across)

    return Picture(title, f"{title}, by {across}", 30 + 95 * len(lines), draw, NARROW) if lines else None


def change_chart(title: str, rows: Sequence[Change]) -> Picture | None:
    """A line a share: hollow before, full after, with its interval."""
    rows = [row for row in rows if row.before is not None or row.after is not None]

    def draw(figure: Figure) -> None:
        axes = figure.subplots()
        for y, row in enumerate(rows):
            if row.before is not None and row.after is not None:
                axes.plot([row.before, row.after], [y, y], color=_COLOURS["line"], linewidth=2, zorder=1)
            if row.bounds:
                axes.plot(row.bounds, [y, y], color=_COLOURS["accent"], linewidth=5, alpha=0.35, zorder=2)
        looks = {"before": {"facecolor": "none", "edgecolor": _COLOURS["soft"]}, "after": {"color": _COLOURS["accent"]}}
        for name, look in looks.items():
            shares = [math.nan if (share := getattr(row, name)) is None else share for row in rows]
            axes.scatter(shares, range(len(rows)), 55, label=name, zorder=3, clip_on=False, **look)
        axes.set_yticks(range(len(rows)), [visible(row.label) for row in rows])
        axes.set(xlim=(0, 1), ylim=(len(rows) - 0.5, -0.5))
        axes.grid(True, axis="x")
        axes.grid(False, axis="y")
        axes.tick_params(axis="y", pad=8)
        figure.legend(loc="outside lower right", ncols=2)

    return Picture(title, f"{title}, shares from 0 to 1", 60 + 28 * len(rows), draw, NARROW) if rows else None


def stacked_bars(title: str, bars: Mapping[str, Sequence[float]], parts: Mapping[str, str]) -> Picture | None:
    """Shares of one whole, laid end to end: a bar a name. parts: the colour of each share, by its name."""

    def draw(figure: Figure) -> None:
        axes, lefts = figure.subplots(), [0.0] * len(bars)
        for n, (label, colour) in enumerate(parts.items()):
            widths = [shares[n] for shares in bars.values()]
            axes.barh([visible(name) for name in bars], widths, left=lefts, color=_COLOURS[colour], label=label)
            lefts = [left + width for left, width in zip(lefts, widths, strict=True)]
        axes.grid(False)
        axes.set(xlim=(0, 1))
        axes.invert_yaxis()
        figure.legend(loc="outside lower left", ncols=len(parts))

    return Picture(title, title, 30 * len(bars) + 50, draw) if bars else None


def part_maps(title: str, parts: Sequence[Mapping], columns: Sequence[str]) -> Picture:
    """A map of each of some numbers of all parts: layers (rows, the last on top) by heads, the MLP apart on the right.

    A cell's opacity is the square root of its share of the largest value: small ones stay visible beside large ones.
    """
    layers = 1 + max(part["layer"] for part in parts)
    heads = 1 + max((part["head"] for part in parts if part["head"] is not None), default=0)

    def draw(figure: Figure) -> None:
        from matplotlib.patches import Rectangle

        for axes, column in zip(figure.subplots(1, len(columns), squeeze=False)[0], columns, strict=True):
            largest = max((abs(part[column]) for part in parts if part[column] is not None), default=0.0)
            for part in parts:
                value, x = part[column], heads + 0.5 if part["head"] is None else part["head"]
                colour = _COLOURS["line-2" if value is None or value >= 0 else "line-3"]
                fill = (colour, math.sqrt(abs(value) / largest) if value and largest else 0.0)
                cell = Rectangle((x, part["layer"]), 1, 1, facecolor=fill, edgecolor=_COLOURS["line"], lw=0.5)
                told = "not known" if value is None else f"{value:.4g}"
                cell.set_gid(f"{_TITLE}{part_name(part['layer'], part['head'])}: {told}")
                axes.add_patch(cell)
            axes.set(xlim=(0, heads + 1.5), ylim=(0, layers), aspect="equal")
            axes.set_title(f"{column}, largest {largest:.3f}", loc="left", fontsize=FONT_SIZE)
            axes.set_xticks([heads / 2, heads + 1], ["heads", "MLP"])
            axes.set_yticks([n + 0.5 for n in range(layers)], [str(n + 1) for n in range(layers)])
            axes.tick_params(length=0)
            axes.grid(False)

    return Picture(title, title, min(26.0, 200 / (heads + 1.5)) * layers + 60, draw)


def scatter(title: str, dots: Sequence[Dot], axes_labels: tuple[str, str]) -> Picture | None:
    """Dots between 0 and 1 both ways, the largest first, so that none is hidden, hollow ones on top."""

    def draw(figure: Figure) -> None:
        axes = figure.subplots()
        for n, dot in enumerate(sorted(dots, key=lambda dot: (dot.apart, -(dot.share or 0)))):
            size = max(SMALLEST_DOT, LARGEST_DOT * math.sqrt(min(dot.share or 0.0, 1.5)))
            look = {"facecolor": (_COLOURS["accent"], 0.35), "edgecolor": _COLOURS["accent"]}
            if dot.apart or dot.share is None:
                look = {"facecolor": "none", "edgecolor": _COLOURS["soft"], "linestyle": "--"}
            axes.scatter(dot.x, dot.y, size**2, zorder=3 + n / 100, clip_on=False, **look)
        axes.set(xlabel=axes_labels[0], ylabel=axes_labels[1], xlim=(-0.03, 1.03), ylim=(-0.05, 1.05))
        axes.grid(True, axis="both")
        _write_signs(axes, grouped([(dot.x, dot.y, dot.sign) for dot in dots], 0.03, 0.04), LARGEST_DOT / 2 + 2)

    return Picture(title, f"{title}: {' by '.join(reversed(axes_labels))}", 400, draw, NARROW) if dots else None


def part_name(layer: int, head: int | None) -> str:
    """A part for people, layers counted from 1 as in the charts: `layer 3, head 0`, `layer 3, MLP`."""
    return f"layer {layer + 1}, {'MLP' if head is None else f'head {head}'}"


def grouped(points: Iterable[tuple[float, float, str]], x_gap: float, y_gap: float) -> list[tuple[float, float, str]]:
    """One sign for points (almost) at one place, where signs of their own would cover each other."""
    groups: list[tuple[float, float, list[str]]] = []
    for x, y, sign in points:
        near = next((group for group in groups if abs(group[0] - x) < x_gap and abs(group[1] - y) < y_gap), None)
        if near:
            near[2].append(sign)
        else:
            groups.append((x, y, [sign]))
    return [(x, y, ", ".join(signs[:4]) + (f" +{len(signs) - 4}" if signs[4:] else "")) for x, y, signs in groups]


def _write_signs(axes: Axes, signs: Iterable[tuple[float, float, str]], distance: float) -> None:
    """Writes each sign to the right of its point, higher or lower where another one stands there already."""
    axes.figure.draw_without_rendering()  # from here on a point's place in the picture is known
    high, taken = 1.4 * FONT_SIZE, []
    for x, y, text in signs:
        left, middle = axes.transData.transform((x, y)) * 72 / axes.figure.dpi
        right = left + 0.8 * FONT_SIZE * len(text) + 4
        moves = [0.0, *(sign * n * high / 2 for n in range(1, 60) for sign in (1, -1))]
        move = next(move for move in moves if not any(
            left < other[1] and other[0] < right and abs(middle + move - other[2]) < high for other in taken
        ))  # fmt: skip
        taken.append((left, right, middle + move))
        axes.annotate(text, (x, y), (distance, move), textcoords="offset points", va="center", annotation_clip=False,
                      color=_COLOURS["ink"], fontweight="bold")  # fmt: skip


def _for_page(svg: str) -> str:
    """What matplotlib drew, without a style sheet and ids of its own, in the page's colours and fonts."""
    svg = svg.partition("</defs>")[2]  # before it stand its opening tag and the style sheet
    svg = re.sub(rf'<g id="{_TITLE}([^"]*)">', r"<g><title>\1</title>", svg)
    svg = re.sub(r'(?<=<g) id="[^"]*"| ?font-family: [^;"]*;?', "", svg)
    svg = re.sub("|".join(_NAMES), lambda code: _NAMES[code[0]], svg)
    svg = re.sub(r' (?:d|x|y|transform)="[^"]*"', lambda part: re.sub(r"(\.\d)\d+", r"\1", part[0]), svg)
    return " ".join(svg.split())
