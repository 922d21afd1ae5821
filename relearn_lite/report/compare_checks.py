"""What forgetting costs on the way: the checks in training of all methods, by how much they had forgotten."""

from __future__ import annotations

from collections.abc import Sequence

from relearn_lite.report.compare import Line
from relearn_lite.report.compare_chart import Picture, marks, picture

LEGEND = (
    "Every check in training by how much was forgotten then (KFR across): what was kept (KRR), and how fluent the "
    "forget answers were (LS as a share of vanilla's). Both should stay high to the right edge; a line that ends early "
    "was stopped there. On the few check questions only, so coarse; of a sweep the best point."
)


def pictures(table: Sequence[Line]) -> list[Picture]:
    """KRR and LS by KFR, a line a method; none where nothing was checked in training."""
    drawn = marks(table)
    found = []
    for key, title, label in (("krr", "What is kept", "KRR"), ("ls_share", "How fluent it is", "LS / vanilla")):
        series = {line.name: points for line in table if line.number and (points := _points(line, key))}
        found.append(picture(title, ("forgotten at a check (KFR), %", label), series, drawn, highest=1.0))
    return [each for each in found if each]


def _points(line: Line, key: str) -> list[tuple[int, float | None]]:
    """(KFR in percent, value) of each check, what had forgotten less first."""
    checks = [check for each in line.of if each.results for check in each.results.checks if check["kfr"] is not None]
    return sorted(((round(100 * check["kfr"]), check[key]) for check in checks), key=lambda point: point[0])
