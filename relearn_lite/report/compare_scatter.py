"""The geometry of the comparison's picture: KFR across, KRR up, a circle's area is LS as a share of vanilla's."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from relearn_lite.report.compare import Line

WIDTH, HEIGHT = 720, 440
LEFT, RIGHT, TOP, BOTTOM = 56, 40, 24, 44  # margins, room for the axes and the circles at their ends
LARGEST, SMALLEST = 18.0, 2.5  # radius of a share of 1, and the least that can be seen
LABEL_WIDTH, LABEL_HEIGHT = 18, 13


@dataclass(frozen=True)
class Dot:
    """x, y, r of the circle; the method's number stands at label_x, label_y. hollow: LS is not known, or vanilla."""

    x: float
    y: float
    r: float
    label: str
    label_x: float
    label_y: float
    title: str
    hollow: bool


def place_x(kfr: float) -> float:
    return round(LEFT + kfr * (WIDTH - LEFT - RIGHT), 1)


def place_y(krr: float) -> float:
    return round(HEIGHT - BOTTOM - krr * (HEIGHT - TOP - BOTTOM), 1)


def dots(table: Sequence[Line]) -> list[Dot]:
    """One dot a line that has KFR and KRR, the largest first, so that no small one is hidden, hollow ones on top."""
    taken: list[tuple[float, float]] = []
    known = [line for line in table if line.cells and None not in (line.cells["kfr"].value, line.cells["krr"].value)]
    return sorted((_dot(line, taken) for line in known), key=lambda dot: (dot.hollow, -dot.r))


def _dot(line: Line, taken: list[tuple[float, float]]) -> Dot:
    kfr, krr, share = (line.cells[key].value for key in ("kfr", "krr", "ls_share"))
    x, y = place_x(kfr), place_y(krr)
    r = max(SMALLEST, round(LARGEST * math.sqrt(min(share, 1.5)), 1)) if share is not None else SMALLEST
    label_x, label_y = _free(x, y, r, taken)
    share_text = "not known" if share is None else f"{share:.2f}"
    title = f"{line.name}: KFR {kfr:.2f}, KRR {krr:.2f}, LS {share_text} of vanilla's"
    label = "V" if line.number is None else str(line.number)
    return Dot(x, y, r, label, label_x, label_y, title, line.number is None or share is None)


def _free(x: float, y: float, r: float, taken: list[tuple[float, float]]) -> tuple[float, float]:
    """A place for the number beside the circle, on the side with room, moved down past the numbers already there."""
    at_x = round(x - r - 4 if x > WIDTH / 2 else x + r + 4, 1)
    at_y = y + 4
    while any(abs(at_x - x_) < LABEL_WIDTH and abs(at_y - y_) < LABEL_HEIGHT for x_, y_ in taken):
        at_y += LABEL_HEIGHT
        if at_y > HEIGHT - BOTTOM - 4:  # a column further in
            at_x, at_y = at_x + (-LABEL_WIDTH if x > WIDTH / 2 else LABEL_WIDTH), y + 4
    taken.append((at_x, at_y))
    return at_x, round(at_y, 1)
