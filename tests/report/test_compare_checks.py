"""The checks in training of all methods: ordered by what was forgotten, and shown only where there were any."""

import re
from dataclasses import replace

import pytest

from relearn_lite.report.compare import Compared, checks, models
from relearn_lite.report.compare_files import as_html


def check(step, kfr, krr, ls_share):
    return {"step": step, "kfr": kfr, "krr": krr, "ls": 0.1, "ls_share": ls_share, "answers": []}


def checked(results):
    steady = [check(5, 0.5, 1.0, 1.0), check(10, 1.0, 1.0, 0.9)]
    falling = [check(5, 0.25, 1.0, 0.9), check(10, 0.5, 0.5, None), check(15, 0.25, 0.75, 0.5), check(20, None, 1, 1)]
    runs = {"steady": steady, "falling": falling}
    return [Compared(name, replace(results, evaluations=rows)) for name, rows in runs.items()]


def test_what_had_forgotten_less_stands_first_and_what_was_not_had_leaves_a_gap(results):
    kept, fluent = (picture.svg for picture in checks(models(checked(results))).parts[0].pictures)

    def path(svg, colour):
        d = re.search(rf'<path d="([^"]*)"[^>]*style="fill: none;[^"]*stroke: var\(--{colour}\)', svg)[1]
        return [(float(x), float(y)) for x, y in re.findall(r"[ML] ([\d.]+) ([\d.]+)", d)]

    steady, falling = path(kept, "mark-1"), path(kept, "mark-2")
    assert len(falling) == 3 and falling == sorted(falling, key=lambda point: point[0])
    assert falling[-1][1] == max(y for _, y in falling), "the KRR at the highest KFR, not that of the last step"
    assert len(path(fluent, "mark-2")) == 2
    (half, _), (one, _) = steady
    assert falling[-1][0] == half and one - half == pytest.approx(2 * (half - falling[0][0]), abs=0.3), "to scale"
    assert re.findall(r"font-weight: 700[^>]*>([^<]*)<", kept) == ["1", "2"]


def test_the_page_has_them_and_without_checks_it_has_none(results):
    assert "What forgetting costs on the way" in as_html("t", checked(results), 1, False)
    assert "What forgetting costs" not in as_html("t", [Compared("a", results)], 1, False)
