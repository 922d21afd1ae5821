"""What the reports tell of an analysis: every number in its column, no token where it could tell a secret."""

from __future__ import annotations

import copy
import dataclasses
import re

import pytest
from conftest import parts

from relearn_lite.report.analysis import view
from relearn_lite.report.drawing import layer_chart, name, part_map, stacked_bars
from relearn_lite.report.html import render_html
from relearn_lite.report.markdown import render_markdown


@pytest.fixture
def analysed(results, analysis):
    return dataclasses.replace(results, analysis=analysis)


def test_without_an_analysis_there_is_no_section(results):
    assert view(None) is None
    assert "Inside the model" not in render_html(results) + render_markdown(results)


def test_numbers_stand_in_their_columns(analysis):
    shown = view(analysis)
    assert shown.columns == ["forget, vanilla", "forget, unlearned", "retain, vanilla", "retain, unlearned"]
    values = {row.label: row.values for row in shown.numbers}
    assert values["Probability of the original token"] == ["0.900", "0.250", "0.950", "0.940"]
    assert values["Log-probability, nats a token"] == ["-0.100", "-2.100", "—", "—"]
    assert values["Distance of the last layer, relative L2"] == ["—", "0.400", "—", "0.400"]
    assert values["Parts moved, those that hold most"] == ["—", "0.500", "—", "—"]
    assert all(row.reading for row in shown.numbers)
    assert "Agreement of holds and restores" not in values, "nothing known: no row"


def test_sentences_name_the_parts_and_the_gainers(analysis):
    told = " ".join(view(analysis).sentences)
    assert "the original token lost 0.700" in told and "“ Harrowby” 0.500" in told
    assert "layer 2, MLP (2.000), layer 1, head 1 (1.000)" in told and "differ by 2.000 nats" in told


def test_the_page_is_whole_and_tokens_stay_text(analysed):
    page = render_html(analysed)
    assert "&lt;b&gt;vague" in page and "<b>vague" not in page and "\x00" not in page
    section = page.partition('<section aria-labelledby="inside">')[1:]
    section = "".join(section).partition('<section aria-labelledby="training">')[0]
    for tag in ("section", "svg", "table", "tr", "td", "th", "ul", "li", "g", "p", "h2", "h3"):
        assert len(re.findall(rf"<{tag}[ >]", section)) == section.count(f"</{tag}>"), tag
    assert "0.100, rank 321" in section
    assert "nan" not in section.lower()


@pytest.mark.parametrize("render", [render_html, render_markdown])
def test_a_masked_report_shows_no_token(analysed, render):
    assert "Harrowby" in render(analysed)
    masked = render(analysed, mask=True)
    assert "Harrowby" not in masked and "vague" not in masked
    assert "the original token lost 0.700" in masked.replace("\\", "")


@pytest.mark.parametrize("left_out", ["distribution", "memory", "circuits"])
def test_each_part_can_be_left_out(analysed, analysis, left_out):
    less = copy.deepcopy(analysis)
    del less[left_out]
    for render in (render_html, render_markdown):
        assert "Inside the model" in render(dataclasses.replace(analysed, analysis=less))


def test_a_chart_draws_inside_its_picture_and_lifts_the_pen_at_gaps():
    chart = layer_chart("p", {"a": [0.0, None, 1.0, 0.5]}, {"a": ("--line-2", True)})
    assert chart.lines[0].path.count("M") == 2 and chart.lines[0].last == 0.5
    for x, y in re.findall(r"[ML]([\d.-]+) ([\d.-]+)", chart.lines[0].path):
        assert 0 <= float(x) <= 720 and 0 <= float(y) <= 240
    assert layer_chart("p", {"a": [None]}, {"a": ("--line-2", True)}) is None


def test_bars_are_laid_end_to_end():
    (bar,) = stacked_bars({"whole": [0.5, 0.25, 0.25], "unknown": [None, 1, 0]})
    assert bar.pieces == [(0.0, 260.0, 0.5), (260.0, 130.0, 0.25), (390.0, 130.0, 0.25)]


def test_a_map_puts_the_last_layer_on_top_and_colours_the_sign():
    drawn = part_map("holds", 0, parts(-1), "holds", ("--up", "--down"))
    cells = {cell.title.partition(":")[0]: cell for cell in drawn.cells}
    assert cells[name(1, 0)].y == 0 < cells[name(0, 0)].y
    assert cells[name(1, None)].x > cells[name(1, 1)].x + drawn.size
    assert {cell.colour for cell in drawn.cells} == {"--down"}
    assert cells[name(1, 0)].opacity == 1 and cells[name(0, 0)].opacity == pytest.approx(0.5**0.5, abs=1e-3)
