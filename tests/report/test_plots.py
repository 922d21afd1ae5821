"""The pictures: what is drawn where, gaps, text that stays text, colours of the page, the same bytes each time."""

import math
import re

import pytest
from conftest import parts

from relearn_lite.report.plots import (
    Change,
    Dot,
    Line,
    change_chart,
    curves,
    grouped,
    line_chart,
    part_maps,
    part_name,
    scatter,
    stacked_bars,
)  # fmt: skip

LABELS = ("x", "y")


def paths(svg, colour):
    """The `d` of each line of a colour."""
    return re.findall(rf'<path d="([^"]*)"[^>]*style="fill: none;[^"]*stroke: var\(--{colour}\)', svg)


def cells(svg):
    """The cells of a map, by what they tell: x, y, fill and how opaque it is."""
    found = {}
    drawn = r'<title>(.*?): (.*?)</title> <path d="M ([^"]*)"[^>]*style="([^"]*)"'
    for part, value, d, style in re.findall(drawn, svg):
        points = [float(n) for n in re.findall(r"[\d.]+", d)]
        opacity = re.search(r"fill-opacity: ([\d.]+)", style)
        fill = re.search(r"fill: var\(--([^)]*)\)", style)
        found.setdefault(part, []).append(
            (min(points[::2]), min(points[1::2]), fill and fill[1], float(opacity[1]) if opacity else 1.0, value)
        )
    return found


@pytest.mark.parametrize("points", [[], [(0, None)], [(0, math.nan), (1, math.inf)]])
def test_nothing_known_no_picture(points):
    assert line_chart("t", [Line("a", points, "line-1")], LABELS) is None
    assert stacked_bars("t", {}, {"a": "line-1"}) is None and scatter("t", [], LABELS) is None


def test_a_missing_or_infinite_value_lifts_the_pen():
    values = [1.0, 2.0, None, 3.0, math.nan, 2.0, math.inf, 1.0]
    svg = line_chart("t", [Line("a", list(enumerate(values)), "line-2")], LABELS).svg
    assert paths(svg, "line-2")[0].count("M") == 4
    assert "nan" not in svg and "inf" not in svg


def test_lines_stay_inside_the_picture_and_lie_where_their_values_say():
    svg = line_chart("t", [Line("a", [(0, 0.0), (5, 0.5), (10, 1.0)], "line-2")], LABELS, (0, 1)).svg
    width, height = map(float, re.search(r'viewBox="0 0 (\S+) (\S+)"', svg).groups())
    points = re.findall(r"[ML] ([\d.-]+) ([\d.-]+)", paths(svg, "line-2")[0])
    xs, ys = [float(x) for x, _ in points], [float(y) for _, y in points]
    assert all(0 <= x <= width for x in xs) and all(0 <= y <= height for y in ys)
    assert xs[0] < xs[-1] and ys[0] > ys[-1], "up is more"


@pytest.mark.parametrize("values", [[2.0, 2.0], [0.0, 0.0], [-1e6, -2e6], [1e-9, 2e-9]])
def test_any_range_has_ticks(values):
    svg = line_chart("t", [Line("a", list(enumerate(values)), "line-2")], LABELS).svg
    assert len(re.findall(r"<text", svg)) >= 6  # two of either axis, their names, the legend


def test_a_long_line_is_thinned():
    svg = line_chart("t", [Line("a", [(n, 1.0 + n % 2) for n in range(5000)], "line-2")], LABELS).svg
    assert paths(svg, "line-2")[0].count("L") < 600


def test_a_loss_of_many_steps_is_named_with_its_last_value():
    """Of 660 steps every other one is drawn, and step 659 was told as the last: the table below told step 660."""
    assert "a: 1 → 660" in curves("t", [Line("a", [(n, float(n)) for n in range(1, 661)], "line-1")], "step").svg


@pytest.mark.parametrize(("before", "after"), [(0.1, None), (None, 0.9)])
def test_shares_that_are_known_of_one_model_alone_are_drawn(before, after):
    """Where not one answer of a model could be judged there was no report at all."""
    def drawn(*shares):
        return change_chart("t", [Change("KFR", *shares), Change("KRR", *shares)]).svg.count("<use ")

    assert drawn(before, after) == drawn(0.1, 0.9) - 2


def test_names_stay_text_and_are_never_markup_nor_mathematics():
    name = r'<b>$x_1$</b> _"&\frac</title>' + "\u202e桃园"
    svg = line_chart(name, [Line(name, [(0, 1.0), (1, 2.0)], "line-2")], LABELS).svg
    assert "&lt;b&gt;$x_1$&lt;/b&gt;" in svg and "<b>" not in svg and "桃园" in svg and "\u202e" not in svg
    assert 'aria-label="&lt;b&gt;$x_1$' in svg and svg.startswith("<svg") and 'role="img"' in svg
    assert "_hidden" in line_chart("t", [Line("_hidden", [(0, 1.0), (1, 2.0)], "line-2")], LABELS).svg


def test_a_picture_is_the_same_each_time_and_takes_the_page_s_colours_and_fonts():
    def draw():
        return line_chart("t", [Line("a", [(0, 1.0), (1, 2.0)], "mark-3", "--", "7")], LABELS).svg

    svg = draw()
    assert svg == draw()
    assert "stroke: var(--mark-3)" in svg and "fill: var(--soft)" in svg
    assert not re.search("#[0-9a-f]{6}|font-family|<style|<metadata|<image| id=\"(?![mp][0-9a-f])", svg)


def test_pictures_of_one_page_share_no_id():
    ids = [re.findall(r' id="([^"]*)"', line_chart(title, [Line("a", [(0, 1.0), (1, 2.0)], "line-1")], LABELS).svg)
           for title in "ab"]  # fmt: skip
    assert ids[0] and not set(ids[0]) & set(ids[1])


def test_bars_are_laid_end_to_end():
    svg = stacked_bars("t", {"whole": [0.5, 0.25, 0.25]}, {"a": "line-2", "b": "line-3", "c": "line-4"}).svg
    bars = re.findall(r'<path d="M ([\d.]+) [\d.]+ L ([\d.]+) [^"]*"[^>]*style="fill: var\(--(line-\d)\)', svg)
    ends = {colour: (float(left), float(right)) for left, right, colour in reversed(bars)}
    (a, b), (c, d), (e, f) = (ends[f"line-{n}"] for n in (2, 3, 4))
    assert b == pytest.approx(c, abs=0.2) and d == pytest.approx(e, abs=0.2)
    assert b - a == pytest.approx(2 * (d - c), abs=0.5) and d - c == pytest.approx(f - e, abs=0.5)


def test_a_map_puts_the_last_layer_on_top_and_colours_the_sign():
    found = cells(part_maps("t", parts(-1), ["holds"]).svg)
    drawn = {name: cell for name, (cell,) in found.items()}
    assert drawn[part_name(1, 0)][1] < drawn[part_name(0, 0)][1]
    step = drawn[part_name(1, 1)][0] - drawn[part_name(1, 0)][0]
    assert drawn[part_name(1, None)][0] > drawn[part_name(1, 1)][0] + step, "the MLP stands apart"
    assert {cell[2] for cell in drawn.values()} == {"line-3"}
    assert drawn[part_name(1, 0)][3:] == (1, "-2") and drawn[part_name(0, 0)][3] == pytest.approx(0.5**0.5, abs=1e-3)
    unknown = [{"layer": 0, "head": 0, "holds": None}, {"layer": 0, "head": None, "holds": 1.0}]
    assert cells(part_maps("t", unknown, ["holds"]).svg)[part_name(0, 0)][0][4] == "not known"


def filled(svg):
    """x, y and diameter of each filled dot, in the order in which they are drawn."""
    shapes = {name: [float(n) for n in re.findall(r"-?[\d.]+", d)]
              for name, d in re.findall(r'id="(m\w+)" d="([^"]*)"', svg)}  # fmt: skip
    uses = re.findall(r'href="#(m\w+)" x="([\d.]+)" y="([\d.]+)" style="fill: var\(--accent\)', svg)
    return [(float(x), float(y), max(shapes[name]) - min(shapes[name])) for name, x, y in uses]


def test_dots_lie_where_their_numbers_say_and_areas_are_shares():
    dots = [Dot("2", 0.1, 0.5, 0.25), Dot("1", 0.9, 0.9, 1.0), Dot("V", 0.0, 1.0, 1.0, apart=True)]
    svg = scatter("t", dots, LABELS).svg
    large, small = filled(svg)  # the large one first, it hides none
    assert large[0] > small[0] and large[1] < small[1]
    assert large[2] / small[2] == pytest.approx(2, rel=0.05)
    assert len(re.findall(r"fill: none; stroke-dasharray[^\"]*stroke: var\(--soft\)", svg)) == 1, "vanilla is hollow"
    assert all(f">{sign}</text>" in svg for sign in ("1", "2", "V"))


def test_no_two_signs_cover_each_other():
    points = [(0.5, 0.001 * n, str(n)) for n in range(20)] + [(0.5, 0.5, "V")]
    found = grouped(points, 0.03, 0.05)
    assert found == [(0.5, 0.0, "0, 1, 2, 3 +16"), (0.5, 0.5, "V")]


def test_no_sign_stands_on_another_one():
    """Those of lines that end near one another, or of dots beside one another, were written over each other."""
    lines = [Line(f"m{n}", [(0, 0.0), (1, 0.5 + 0.08 * n)], "line-2", sign=f"{n}, {n + 1}") for n in range(6)]
    dots = [Dot(f"{n}, {n + 1}, {n + 2}", 0.5 + 0.035 * n, 0.5, 1.0) for n in range(6)]
    for picture in (line_chart("t", lines, LABELS), scatter("t", dots, LABELS)):
        found = re.findall(r'<text style="[^"]*700[^"]*" x="([\d.]+)" y="([\d.]+)"[^>]*>([^<]*)<', picture.svg)
        places = [(float(x), float(y), 7 * len(text)) for x, y, text in found]
        assert len(places) == 6
        for n, (x, y, width) in enumerate(places):
            for other_x, other_y, other_width in places[:n]:
                apart = abs(y - other_y) > 11 or x + width < other_x or other_x + other_width < x
                assert apart, (places, picture.title)
