"""The checks in training of all methods: ordered by what was forgotten, and shown only where there were any."""

from dataclasses import replace

from relearn_lite.report.compare import Compared, lines
from relearn_lite.report.compare_checks import pictures
from relearn_lite.report.compare_files import as_html


def check(step, kfr, krr, ls_share):
    return {"step": step, "kfr": kfr, "krr": krr, "ls": 0.1, "ls_share": ls_share, "answers": []}


def checked(results):
    steady = [check(5, 0.5, 1.0, 1.0), check(10, 1.0, 1.0, 0.9)]
    falling = [check(5, 0.25, 1.0, 0.9), check(10, 0.5, 0.5, None), check(15, 0.25, 0.75, 0.5), check(20, None, 1, 1)]
    return [Compared(name, replace(results, checks=rows)) for name, rows in (("steady", steady), ("falling", falling))]


def test_what_had_forgotten_less_stands_first_and_what_was_not_had_leaves_a_gap(results):
    kept, fluent = pictures(lines(checked(results)))
    steady, falling = kept.chart.lines
    assert (steady.last, falling.last) == (1.0, 0.5)  # at the highest KFR, not at the last step
    assert falling.path.count("L") == 2 and fluent.chart.lines[1].path.count("L") == 1
    (half, one), right = [float(x.split()[0]) for x in steady.path[1:].split("L")], kept.chart.x_ticks[-1]
    assert right == (one, "100") and half - 56 == one - half  # 0 % stands at the left edge, 56
    assert [label for _, _, label in kept.ends] == ["2", "1"]


def test_the_page_has_them_and_without_checks_it_has_none(results):
    assert "What forgetting costs on the way" in as_html("t", checked(results), 1, False)
    assert "What forgetting costs" not in as_html("t", [Compared("a", results)], 1, False)
